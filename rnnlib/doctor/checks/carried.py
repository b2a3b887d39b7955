"""A state of two parts, as an LSTM's: whether each part comes back where it belongs."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.copies import copied
from rnnlib.doctor.report import Outcome, check, sick, sound

LARGE = 1e12
"""What is carried stays large: of this a hundred is left after ten steps whose forget gates are at
0.1. What is read is bounded."""

Pair = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class _Call:
    """One call of a part of the model: its arguments, the state in them, the state returned."""

    module: nn.Module
    args: tuple
    kwargs: dict
    taken: Pair | None
    returned: Pair | None


@check(
    "carried",
    question="Does each part of an LSTM's state come back where it belongs?",
    chapter=10,
    blind="a cell written out in forward: other algebra is another network, as is one whose c is "
    "read in the place of h, or whose second layer is given the state of the first",
)
def carried(s: Subject) -> Outcome | None:
    """Follow states of two parts from one call of a part of the model to the next."""
    calls = _calls(s)
    handed = crossed = dropped = 0
    places = {}  # of each module: which part of what it takes it carries on
    for i, call in enumerate(calls):
        if call.taken is None:
            continue
        if call.module not in places:
            places[call.module] = _carries(calls, call.module)
        at = places[call.module]
        giver = _giver(calls[:i], call.taken) if at is not None else None
        if giver is None:
            continue
        kept, read = giver
        handed += 1
        if _same(call.taken[at], read):
            crossed += 1
        elif not _same(call.taken[at], kept):
            begun = next(c for c in calls if c.module is call.module).taken
            dropped += begun is not None and _same(call.taken[at], begun[at])
    if not handed:
        return None
    unit = f"of {handed} states are handed on so"
    cure = "h, c = cell(x_t, (h, c)): h first, in what is given and in what is returned"
    if crossed:
        return sick(
            crossed,
            unit,
            "The two parts of a state are exchanged on the way: what is to be carried on is taken "
            "for what is read.",
            cure,
        )
    if dropped > 1:
        return sick(
            dropped,
            unit,
            "Of a state of two parts one is handed on; what is to be carried begins anew at every "
            "step.",
            cure,
        )
    return sound(handed, "states are handed on", "Both parts of a state come back in their places.")


def _calls(s: Subject) -> list[_Call]:
    """Run the model once, and keep the calls of its parts that return a state of two parts."""
    model, calls = copied(s.model), []

    def keep(module, args, kwargs, output):
        if (returned := _pair((output,))) is not None:
            taken = _pair((*args, *kwargs.values()), beside=1)
            calls.append(_Call(module, args, kwargs, taken, returned))

    hooks = [m.register_forward_hook(keep, with_kwargs=True) for m in model.modules()]
    with torch.no_grad():
        s.answer(s.probe(), model=model)
    for hook in hooks:
        hook.remove()
    return calls


def _pair(values, beside: int = 0) -> Pair | None:
    """Return two tensors of one shape that are together in a tuple, or the last two of several."""
    for part in values:
        if isinstance(part, tuple | list) and (found := _pair(part)) is not None:
            return found
    tensors = [t for t in values if isinstance(t, Tensor) and t.is_floating_point()]
    if len(tensors) < 2 + beside or tensors[-1].shape != tensors[-2].shape:
        return None
    return tensors[-2], tensors[-1]


def _carries(calls: list[_Call], module: nn.Module) -> int | None:
    """Return which part of the state it takes a module carries on: the one that stays large."""
    known = [c for c in calls if c.module is module and c.taken and c.taken[0] is not c.taken[1]]
    if not known:
        return None
    call = known[-1]
    stays = []
    for at in (0, 1):
        large = torch.full_like(call.taken[at], LARGE)
        args, kwargs = _with((call.args, call.kwargs), call.taken[at], large)
        with torch.no_grad():
            returned = _pair((module(*args, **kwargs),))
        stays.append(returned is not None and max(t.abs().max() for t in returned) > 100)
    return stays.index(True) if sum(stays) == 1 else None


def _with(values, old: Tensor, new: Tensor):
    """Put another tensor in the place of one, however deep it stands."""
    if isinstance(values, dict):
        return {key: _with(part, old, new) for key, part in values.items()}
    if isinstance(values, tuple | list):
        return tuple(_with(part, old, new) for part in values)
    return new if values is old else values


def _giver(calls: list[_Call], taken: Pair) -> Pair | None:
    """Find where a state comes from: the part that was to be carried, and the part to be read.

    The latter is o * tanh(c), and so the smaller everywhere.
    """
    for call in reversed(calls):
        one, other = call.returned
        sizes = one.abs(), other.abs()
        if not any(_same(a, b) for a in taken for b in call.returned):
            continue
        if (sizes[0] < sizes[1]).all():
            return other, one
        return (one, other) if (sizes[1] < sizes[0]).all() else None
    return None


def _same(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(one, other)
