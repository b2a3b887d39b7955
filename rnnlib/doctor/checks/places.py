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
    torch.randint,
    torch.randperm,
    torch.eye,
    torch.arange,
    torch.linspace,
    torch.tril_indices,
    torch.triu_indices,
    torch.tensor,
    torch.as_tensor,
    torch.from_numpy,
)
MOVERS = ("to", "type_as", "cuda", "cpu")
TAKERS = ("__getitem__", "__setitem__", "index_put", "index_put_", "_pack_padded_sequence")
"""What takes indices and lengths of the CPU, wherever the rest is."""


class _Watch(TorchFunctionMode):
    """Follow the tensors that are made where nobody said, until they meet one of the model's.

    Single numbers, which go with any device, are let be; so are lengths, which a caller may keep on
    the CPU or not.
    """

    def __init__(self, left_behind: list[Tensor], lengths: list[Tensor]):
        super().__init__()
        self.followed = {id(t): t for t in left_behind if t.dim() > 0}
        self.anywhere = {id(t): t for t in lengths}
        self.met: list[str] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        out = func(*args, **kwargs)
        name = getattr(func, "__name__", str(func))
        made = {id(t): t for t in _tensors((out,))}
        given = list(_tensors((args, tuple(kwargs.values()))))
        ours = [t for t in given if id(t) in self.followed]
        theirs = [t for t in given if id(t) not in self.followed and id(t) not in self.anywhere]
        if func in MAKERS:
            if kwargs.get("device") is None:
                self.followed |= made
        elif name in MOVERS and _names_a_place(args[1:], kwargs, name):
            for key in made:
                self.followed.pop(key, None)
                self.anywhere.pop(key, None)
        elif not theirs:
            (self.followed if ours else self.anywhere).update(made)
        elif ours and not _is_index(name, args, ours):
            self.met.append(name)
        return out


def _is_index(name: str, args: tuple, ours: list[Tensor]) -> bool:
    """Whether these are indices or lengths for something that takes them from the CPU."""
    whole = not any(t.is_floating_point() for t in ours)
    return name in TAKERS and whole and not any(t is args[0] for t in ours)


def _names_a_place(args, kwargs, name: str) -> bool:
    said = (*args, *kwargs.values())
    return name in ("cuda", "cpu", "type_as") or any(
        isinstance(a, torch.device | str | Tensor) for a in said
    )


def _tensors(values):
    for value in values:
        if isinstance(value, Tensor):
            if value.dim() > 0:
                yield value
        elif isinstance(value, tuple | list):
            yield from _tensors(value)
        elif isinstance(value, dict):
            yield from _tensors(value.values())


@check(
    "device",
    question="Would the model run on another device after .to(device)?",
    chapter=3,
    blind="tensors made in NumPy, and lengths that are kept on another device than the rest",
)
def device(s: Subject) -> Outcome:
    """Watch where a call makes its tensors: beside its input, or wherever is the default."""
    model = copied(s.uncalled)  # one that has kept no mask or state from a call on this device
    forward, met = model.forward, []

    def watched(x, *args, **kwargs):
        left = [t for _, t, how in held(model) if how == "plain"]
        with _Watch(left, list(_tensors((args, kwargs)))) as watch:
            try:
                return forward(x, *args, **kwargs)
            finally:
                met.extend(watch.met)

    model.forward = watched
    s.answer(s.probe(), model=model)
    unit = "operations join tensors of the model with tensors that would stay behind"
    if met:
        return sick(
            len(met),
            unit,
            f"A tensor is made, or kept, where it does not move with the model (in "
            f"{met[0]}): on a GPU this raises, or the answer ends on the CPU.",
            "make states of the input, x.new_zeros(…), and constants with register_buffer",
        )
    return sound(0, unit, "All that it makes is where its input is.")
