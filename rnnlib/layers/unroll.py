"""The readable loop of the chapters: one cell, applied to every step of a sequence."""

from collections.abc import Callable

import torch
from torch import Tensor

from rnnlib.bptt.choice import eagerly

State = Tensor | tuple[Tensor, ...]


@eagerly
def unroll(
    cell: Callable[[Tensor, State | None], State], inputs: Tensor, state: State | None = None
) -> tuple[Tensor, State]:
    """Apply one cell to every step of a sequence, in order, carrying its state along.

    Parameters
    ----------
    cell : callable
        ``cell(x_t, state)`` returns the next state: h_t, or a tuple whose first entry is h_t.
    inputs : Tensor, (T, N, D) or (T, D)
        Time comes first.
    state : optional
        The state before the first step; None leaves the choice to the cell (zeros).

    Returns
    -------
    outputs : Tensor, (T, N, H) or (T, H)
        h_1, …, h_T.
    state
        The state after the last step.

    Raises
    ------
    ValueError
        If `inputs` has another number of dimensions.
    RuntimeError
        If it has no steps.
    """
    if inputs.dim() not in (2, 3):
        raise ValueError(
            f"unroll: Expected inputs to be (T, N, D) or (T, D), got {inputs.dim()} dimensions"
        )
    if len(inputs) == 0:
        raise RuntimeError("unroll: Expected a sequence of at least one step, got 0 steps")
    outputs = []
    for x_t in inputs:
        state = cell(x_t, state)
        h_t = state[0] if isinstance(state, tuple) else state
        outputs.append(h_t)
    return torch.stack(outputs), state
