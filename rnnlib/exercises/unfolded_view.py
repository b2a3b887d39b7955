"""Checks for chapter 2 (How can one small network read a sequence of any length)."""

import torch

from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.looks import without_loops
from rnnlib.exercises.verdict import WrongAnswer


def _unfolded(x, h_0, W_xh, W_hh, b_h):
    if len(x) == 0:
        return h_0
    h_before = _unfolded(x[:-1], h_0, W_xh, W_hh, b_h)
    return torch.tanh(x[-1] @ W_xh + h_before @ W_hh + b_h)


def _states(x, *rest):
    return torch.stack([_unfolded(x[: t + 1], *rest) for t in range(len(x))])


def _squeezed(x, h_0, W_xh, W_hh, b_h):
    """Write three steps out, whatever the length."""
    for x_t in x[:3]:
        h_0 = torch.tanh(x_t @ W_xh + h_0 @ W_hh + b_h)
    return h_0


@exercise(
    "The unfolded network gives the loop's last state.",
    result="h_T",
    cases=(
        {"T": 3, "N": 2, "D": 5, "H": 4},
        {"T": 5, "N": 3, "D": 2, "H": 7},
        {"T": 1, "N": 3, "D": 4, "H": 5},
    ),
    right=_unfolded,
    mistakes={
        "this is h_{T-1}: one step is missing.": lambda x, *rest: _unfolded(x[:-1], *rest),
        "the sequence is read backwards: x_T belongs to the outermost step.": (
            lambda x, *rest: _unfolded(x.flip(0), *rest)
        ),
        "the first step is missing: stop at an empty sequence, not at one step.": (
            lambda x, *rest: _unfolded(x[1:], *rest)
        ),
        "you start from zeros instead of h_0.": (
            lambda x, h_0, *weights: _unfolded(x, 0 * h_0, *weights)
        ),
        "every state came back: return the last one.": _states,
        "this is right for three steps only: the function has to call itself.": _squeezed,
        "the bias is missing.": (
            lambda x, h_0, W_xh, W_hh, b_h: _unfolded(x, h_0, W_xh, W_hh, 0 * b_h)
        ),
        "W_hh is transposed: rows are samples, so it is h @ W_hh.": (
            lambda x, h_0, W_xh, W_hh, b_h: _unfolded(x, h_0, W_xh, W_hh.T, b_h)
        ),
        "every step must call the function for the state before it: this is a step from h_0.": (
            lambda x, *rest: _unfolded(x[-1:], *rest)
        ),
        "this is h_0: a step on x[-1] is missing around the call.": lambda x, h_0, *weights: h_0,
    },
    looks=(
        without_loops(
            "the state is right, and the task asks for it without a loop: let the function call "
            "itself on x[:-1]."
        ),
    ),
    hints=(
        "h_T is one step on x_T and on h_{T-1}. What is h_{T-1} a function of?",
        "Call the same function on the sequence without its last step, and return h_0 for an "
        "empty one.",
        "torch.tanh(x[-1] @ W_xh + my_unfolded(x[:-1], …) @ W_hh + b_h)",
    ),
)
def check_unfolded(draw, T, N, D, H):
    """Check ``unfolded(x, h_0, W_xh, W_hh, b_h)``, the last state without a loop.

    Parameters
    ----------
    unfolded : callable
        Returns h_T, (N, H), from x (T, N, D), h_0 (N, H) and the weights, for any T.

    Returns
    -------
    Verdict
    """
    weights = draw.normal(D, H, scale=0.5), draw.normal(H, H, scale=0.5), draw.normal(H)
    return draw.normal(T, N, D), draw.normal(N, H), *weights


@exercise(
    "T copies of everything; sharing divides that by T.",
    result="the count",
    cases=({"T": 3, "D": 7, "H": 2}, {"T": 10, "D": 4, "H": 6}, {"T": 5, "D": 3, "H": 8}),
    right=lambda T, D, H: T * (D * H + H * H + H),
    mistakes={
        "this is one copy: every step has its own.": lambda T, D, H: D * H + H * H + H,
        "the bias is copied as well.": lambda T, D, H: T * (D * H + H * H) + H,
        "the biases are missing.": lambda T, D, H: T * (D * H + H * H),
        "only W_hh is copied; W_xh and b_h need copies too.": (
            lambda T, D, H: D * H + T * H * H + H
        ),
        "only W_xh is copied; W_hh and b_h need copies too.": (
            lambda T, D, H: T * D * H + H * H + H
        ),
        "one bias is asked for, not PyTorch's two.": lambda T, D, H: T * (D * H + H * H + 2 * H),
        "W_hh is missing.": lambda T, D, H: T * (D * H + H),
        "W_xh is missing.": lambda T, D, H: T * (H * H + H),
        "W_hh is (H, H): H² numbers.": lambda T, D, H: T * (D * H + 2 * H),
    },
    hints=(
        "Count one step first: what does it need to compute h_t?",
        "One step has D H + H² + H numbers, and no step shares them with another.",
        "T * (…)",
    ),
)
def check_untied_count(draw, T, D, H):
    """Check ``count(T, D, H)``, the number of weights with a copy of all of them at each step.

    Parameters
    ----------
    count : callable
        Returns an int.

    Returns
    -------
    Verdict
    """
    return T, D, H


def _product(per_copy):
    product = per_copy[0]
    for copy in per_copy[1:]:
        product = product @ copy
    return product


@exercise(
    "The contributions of all places add up.",
    result="the gradient",
    cases=({"T": 4, "H": 3}, {"T": 3, "H": 5}, {"T": 5, "H": 2}),
    right=lambda per_copy: per_copy.sum(0),
    mistakes={
        "this is the mean: the copies add up, they are not averaged.": lambda p: p.mean(0),
        "this is the last copy alone.": lambda p: p[-1],
        "this is the first copy alone.": lambda p: p[0],
        "the first copy is missing.": lambda p: p[1:].sum(0),
        "the last copy is missing.": lambda p: p[:-1].sum(0),
        "this is the largest of the copies at each place: add them.": lambda p: p.max(0).values,
        "the sizes are added, and the signs are lost.": lambda p: p.abs().sum(0),
        "this is the transpose of the sum.": lambda p: p.sum(0).T,
        "the copies are added, not multiplied.": _product,
        "the entries are added, not multiplied.": lambda p: p.prod(0),
        "you sum over the wrong axis: the copies are the first one.": lambda p: p.sum(1),
        "you sum over the wrong axis: the copies are axis 0.": lambda p: p.sum(2),
        "you sum over everything: keep the shape (H, H).": lambda p: p.sum(),
        "the axis of the copies is still there: (1, H, H).": lambda p: p.sum(0, keepdim=True),
    },
    hints=(
        "Which axis counts the copies? The result has no such axis.",
        "A shared weight changes the loss in T places at once. What do small changes do together?",
        "per_copy.sum(…)",
    ),
)
def check_shared_gradient(draw, T, H):
    """Check ``shared_gradient(per_copy)``, the gradient of a shared weight from its copies'.

    Parameters
    ----------
    shared_gradient : callable
        Returns (H, H) from (T, H, H).

    Returns
    -------
    Verdict
    """
    return draw.normal(T, H, H)


def _last_states(h, lengths):
    return h[lengths - 1, torch.arange(h.shape[1])]


def _whole_steps(answer, h, lengths):
    N = h.shape[1]
    if isinstance(answer, torch.Tensor) and answer.shape == (N, N, h.shape[2]):
        raise WrongAnswer(
            "h[lengths - 1] takes whole steps: give the sequence's index as the second one."
        )
    return answer


@exercise(
    "Each sequence's own last state.",
    cases=(
        {"T": 5, "lengths": (3, 5, 2), "H": 4},
        {"T": 6, "lengths": (4, 1, 6, 3, 5), "H": 7},
        {"T": 7, "lengths": (2, 5), "H": 3},
    ),
    right=_last_states,
    measure=_whole_steps,
    mistakes={
        "this is the last step for all: short sequences have padding there.": (
            lambda h, lengths: h[-1]
        ),
        "one step too early: the state after the last step has index length - 1.": (
            lambda h, lengths: h[lengths - 2, torch.arange(h.shape[1])]
        ),
        "one step too early, and at a length of 1 the first: the last step has index length - 1.": (
            lambda h, lengths: h[(lengths - 2).clamp(min=0), torch.arange(h.shape[1])]
        ),
        "one step too late: the state after the last step has index length - 1, and index length "
        "is padding.": (lambda h, lengths: h[lengths % len(h), torch.arange(h.shape[1])]),
        "this is the first step of each.": lambda h, lengths: h[0],
        "this is the mean over time.": lambda h, lengths: h.mean(0),
        "this stops where the shortest sequence ends: each has its own length.": (
            lambda h, lengths: h[lengths.min() - 1]
        ),
        "the lengths are read in the reverse order.": (
            lambda h, lengths: _last_states(h, lengths.flip(0))
        ),
        "an index is missing, or off by one: h[length] is the step after the last.": (
            lambda h, lengths: h[lengths, torch.arange(h.shape[1])]
        ),
    },
    hints=(
        "Sequence i ends after lengths[i] steps. Which index has that step, counted from 0?",
        "Two indices are needed for each row of the result: its step and its place in the batch. "
        "A pair of index tensors picks one entry for each pair.",
        "h[lengths - 1, torch.arange(…)]",
    ),
)
def check_last_states(draw, T, lengths, H):
    """Check ``last_states(h, lengths)``, the state after the last step of each sequence.

    Parameters
    ----------
    last_states : callable
        Returns (N, H) from h (T, N, H) and lengths, int64 (N,).

    Returns
    -------
    Verdict
    """
    return draw.normal(T, len(lengths), H), torch.tensor(lengths)
