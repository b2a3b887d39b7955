"""Checks for chapter 2 (How can one small network read a sequence of any length)."""

import torch
from torch import Tensor

from rnnlib.exercises.verdict import WrongAnswer, as_array, attempt, compare, verdict

T, N, D, H = 4, 3, 2, 5


def _states(x: Tensor, h_0: Tensor, W_xh: Tensor, W_hh: Tensor, b_h: Tensor) -> Tensor:
    h, states = h_0, []
    for x_t in x:
        h = torch.tanh(x_t @ W_xh + h @ W_hh + b_h)
        states.append(h)
    return torch.stack(states)


@verdict("The unfolded network gives the loop's last state.")
def check_unfolded(unfolded) -> None:
    """Check ``unfolded(x, h_0, W_xh, W_hh, b_h)``, the last state without a loop.

    Parameters
    ----------
    unfolded : callable
        Returns h_T, (N, H), from x (T, N, D), h_0 (N, H) and the weights, for any T.

    Returns
    -------
    Verdict
    """
    x, h_0 = torch.randn(T, N, D), torch.randn(N, H)
    weights = torch.randn(D, H) / 2, torch.randn(H, H) / 2, torch.randn(H)
    states = _states(x, h_0, *weights)
    compare(
        "h_T",
        attempt(unfolded, x, h_0, *weights),
        states[-1],
        {
            "this is h_{T-1}: one step is missing.": states[-2],
            "the sequence is read backwards: x_T belongs to the outermost step.": _states(
                x.flip(0), h_0, *weights
            )[-1],
            "the first step is missing: stop at an empty sequence, not at one step.": _states(
                x[1:], h_0, *weights
            )[-1],
            "you start from zeros instead of h_0.": _states(x, torch.zeros_like(h_0), *weights)[-1],
            "every state came back: return the last one.": states,
        },
        tolerance=1e-5,
    )
    compare(
        "h_T for a sequence of one step",
        attempt(unfolded, x[:1], h_0, *weights),
        states[0],
        tolerance=1e-5,
    )


@verdict("T copies of everything; sharing divides that by T.")
def check_untied_count(count) -> None:
    """Check ``count(T, D, H)``, the number of weights with a copy of all of them at each step.

    Parameters
    ----------
    count : callable
        Returns an int.

    Returns
    -------
    Verdict
    """
    for t, d, h in ((10, 4, 5), (3, 7, 2)):
        one = d * h + h * h + h
        compare(
            f"the count for T = {t}, D = {d}, H = {h}",
            as_array(attempt(count, t, d, h)),
            t * one,
            {
                "this is one copy: every step has its own.": one,
                "the bias is copied as well.": t * (d * h + h * h) + h,
                "the biases are missing.": t * (d * h + h * h),
                "only W_hh is copied; W_xh and b_h need copies too.": d * h + t * h * h + h,
                "one bias is asked for, not PyTorch's two.": t * (one + h),
            },
        )


@verdict("The contributions of all places add up.")
def check_shared_gradient(shared_gradient) -> None:
    """Check ``shared_gradient(per_copy)``, the gradient of a shared weight from its copies'.

    Parameters
    ----------
    shared_gradient : callable
        Returns (H, H) from (T, H, H).

    Returns
    -------
    Verdict
    """
    per_copy = torch.randn(T, H, H)
    product = per_copy[0]
    for copy in per_copy[1:]:
        product = product @ copy
    compare(
        "the gradient",
        attempt(shared_gradient, per_copy),
        per_copy.sum(0),
        {
            "this is the mean: the copies add up, they are not averaged.": per_copy.mean(0),
            "this is the last copy alone.": per_copy[-1],
            "this is the first copy alone.": per_copy[0],
            "the copies are added, not multiplied.": product,
            "you sum over the wrong axis: the copies are the first one.": per_copy.sum(1),
            "you sum over the wrong axis: the copies are axis 0.": per_copy.sum(2),
            "you sum over everything: keep the shape (H, H).": per_copy.sum(),
        },
        tolerance=1e-5,
    )


@verdict("Each sequence's own last state.")
def check_last_states(last_states) -> None:
    """Check ``last_states(h, lengths)``, the state after the last step of each sequence.

    Parameters
    ----------
    last_states : callable
        Returns (N, H) from h (T, N, H) and lengths, int64 (N,).

    Returns
    -------
    Verdict
    """
    h, lengths = torch.randn(T, N, H), torch.tensor([2, T, 1])
    rows = torch.arange(N)
    got = as_array(attempt(last_states, h, lengths))
    if got.shape == (N, N, H):
        raise WrongAnswer(
            "h[lengths - 1] takes whole steps: give the sequence's index as the second one."
        )
    compare(
        "the result",
        got,
        h[lengths - 1, rows],
        {
            "this is the last step for all: short sequences have padding there.": h[-1],
            "one step too early: the state after the last step has index length - 1.": h[
                (lengths - 2).clamp(min=0), rows
            ],
            "this is the first step of each.": h[0],
            "this is the mean over time.": h.mean(0),
        },
    )
