"""Where tensors are made: what would stay behind if model and data moved to another device."""

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.copies import copied, held
from rnnlib.doctor.report import Outcome, check, sick, sound

MAKERS = (
    torch.zeros,
    torch.ones,
    torch.empty,
    torch.full,
    torch.rand,
    torch.randn,
    torch.eye,
    torch.linspace,
    torch.tensor,
    torch.as_tensor,
    torch.from_numpy,
)
MOVERS = ("to", "type_as", "cuda", "cpu")


class _Watch(TorchFunctionMode):
    """Follow the real tensors that are made where nobody said, until they meet one of the model's.

    Single numbers, which go with any device, and indices, which may stay on the CPU, are let be.
    """

    def __init__(self, left_behind: list[Tensor]):
        super().__init__()
        self.followed = {id(t): t for t in left_behind if _counts(t)}
        self.met: list[str] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name = getattr(func, "__name__", str(func))
        if func in MAKERS:
            if kwargs.get("device") is None and _counts(out):
                self.followed[id(out)] = out
            return out
        given = list(_tensors((args, tuple(kwargs.values()))))
        ours = [t for t in given if id(t) in self.followed]
        if not ours:
            return out
        if name in MOVERS and _names_a_place(args[1:], kwargs, name):
            self.followed.pop(id(out), None)
        elif any(_counts(t) and id(t) not in self.followed for t in given):
            self.met.append(name)
        else:
            self.followed |= {id(t): t for t in _tensors((out,)) if _counts(t)}
        return out


def _counts(t) -> bool:
    return isinstance(t, Tensor) and t.dim() > 0 and t.is_floating_point()


def _names_a_place(args, kwargs, name: str) -> bool:
    said = (*args, *kwargs.values())
    return name in ("cuda", "cpu", "type_as") or any(
        isinstance(a, torch.device | str | Tensor) for a in said
    )


def _tensors(values):
    for value in values:
        if isinstance(value, Tensor):
            yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)


@check(
    "device",
    question="Would the model run on another device after .to(device)?",
    chapter=3,
    blind="indices and masks that are made on the CPU, and tensors made in NumPy",
)
def device(s: Subject) -> Outcome:
    """Watch where a call makes its tensors: beside its input, or wherever is the default."""
    model = copied(s.model)
    with _Watch([t for _, t, how in held(model) if how == "plain"]) as watch:
        s.answer(s.probe(), model=model)
    unit = "operations join tensors of the model with tensors that would stay behind"
    if watch.met:
        return sick(
            len(watch.met),
            unit,
            f"A tensor is made, or kept, where it does not move with the model (in "
            f"{watch.met[0]}): on a GPU this raises, or the answer ends on the CPU.",
            "make states of the input, x.new_zeros(…), and constants with register_buffer",
        )
    return sound(0, unit, "All that it makes is where its input is.")
