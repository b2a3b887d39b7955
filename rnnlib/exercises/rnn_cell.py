"""Checks for chapter 3 (Can we write nn.RNNCell ourselves)."""

import math

import torch
from torch import Tensor, nn

from rnnlib.cells import RNNCell
from rnnlib.exercises.verdict import WrongAnswer, attempt, compare, verdict
from rnnlib.layers import unroll

N, T, D, H = 3, 4, 5, 16


@verdict("The weights are parameters, they start at the right scale, and the step is right.")
def check_cell(make_cell) -> None:
    """Check a class ``MyCell(D, H)``: a module with parameters W_xh, W_hh and b_h.

    Parameters
    ----------
    make_cell : callable
        Returns a module that is called as ``cell(x_t, h)``.

    Returns
    -------
    Verdict
    """
    cell = attempt(make_cell, D, H)
    if not isinstance(cell, nn.Module):
        raise WrongAnswer(f"expected an nn.Module, got {type(cell).__name__}.")
    shapes = {"W_xh": (D, H), "W_hh": (H, H), "b_h": (H,)}
    for name, shape in shapes.items():
        weight = getattr(cell, name, None)
        if weight is None:
            raise WrongAnswer(f"the cell has no {name}.")
        if not isinstance(weight, nn.Parameter):
            raise WrongAnswer(
                f"{name} is a plain tensor, which no optimiser finds: use nn.Parameter."
            )
        if tuple(weight.shape) != shape:
            raise WrongAnswer(f"{name} has shape {tuple(weight.shape)}; expected {shape}.")

    x_t = torch.randn(N, D)
    h = torch.randn(N, H) / 2
    W_xh, W_hh, b_h = (getattr(cell, name).detach() for name in shapes)
    if not b_h.any():
        # A bias of zeros would hide that it is not used.
        with torch.no_grad():
            b_h = cell.b_h.copy_(torch.linspace(-1, 1, H))
    a_t = x_t @ W_xh + h @ W_hh + b_h
    compare(
        "h_t",
        attempt(cell, x_t, h),
        torch.tanh(a_t),
        {
            "your cell ignores h: the term h @ W_hh is missing.": torch.tanh(x_t @ W_xh + b_h),
            "the bias is missing in forward.": torch.tanh(a_t - b_h),
            "the tanh is missing.": a_t,
            "W_hh is transposed: it is h @ W_hh.": torch.tanh(a_t - h @ W_hh + h @ W_hh.T),
        },
        tolerance=1e-5,
    )

    bound = 1 / math.sqrt(H)
    for name in ("W_xh", "W_hh"):
        largest = getattr(cell, name).abs().max().item()
        if largest > 1.01 * bound:
            raise WrongAnswer(
                f"{name} starts too large: |w| up to {largest:.2f}, where U(-1/√H, 1/√H) "
                f"reaches {bound:.2f}."
            )
        if largest < 0.5 * bound:
            raise WrongAnswer(
                f"{name} starts too small: |w| up to {largest:.2g}, where U(-1/√H, 1/√H) "
                f"reaches {bound:.2f}."
            )


@verdict("The two distributions have the same variance.")
def check_initial_std(std) -> None:
    """Check ``std(H)``, the standard deviation of U(-1/sqrt(H), 1/sqrt(H)).

    Parameters
    ----------
    std : callable
        Returns a float from the number of hidden units.

    Returns
    -------
    Verdict
    """
    for h in (20, 48):
        compare(
            f"the value for H = {h}",
            attempt(std, h),
            1 / math.sqrt(3 * h),
            {
                "this is the bound itself: a uniform variable is spread inside it.": h**-0.5,
                "this is the variance: take its square root.": 1 / (3 * h),
                "U(-b, b) is 2b wide: its variance is (2b)²/12 = b²/3.": 1 / math.sqrt(12 * h),
            },
        )


@verdict("The top layer's last state, in both layouts.")
def check_summary(summary) -> None:
    """Check ``summary(output, h_n)``, the top layer's last state of every sequence.

    Parameters
    ----------
    summary : callable
        Returns (N, H) from what nn.RNN returned, with ``batch_first`` or without.

    Returns
    -------
    Verdict
    """
    layer = nn.RNN(D, H, num_layers=2)
    x = torch.randn(T, N, D)
    with torch.no_grad():
        output, h_n = layer(x)
        for batch_first in (False, True):
            shown = output.transpose(0, 1) if batch_first else output
            layout = "with batch_first=True: " if batch_first else ""
            compare(
                f"{layout}the result",
                attempt(summary, shown, h_n),
                h_n[-1],
                {
                    f"{layout}you read the bottom layer: the top one is h_n[-1].": h_n[0],
                    f"{layout}this is the first step, not the last.": output[0],
                    f"{layout}output[-1] is the last sequence, not the last step.": (
                        output[:, -1] if batch_first else output[-1] + 1
                    ),
                    f"{layout}output[:, -1] is the last sequence, not the last step.": (
                        output[-1] + 1 if batch_first else output[:, -1]
                    ),
                    f"{layout}this is h_n with all its layers: take the top one.": h_n,
                },
            )


@verdict("Output and h_n agree with nn.RNN.")
def check_stack(stack) -> None:
    """Check ``stack(x, h_0, cell_1, cell_2)``, two recurrent layers.

    Parameters
    ----------
    stack : callable
        Returns output, (T, N, H), and h_n, (2, N, H).

    Returns
    -------
    Verdict
    """
    cell_1, cell_2 = RNNCell(D, H), RNNCell(H, H)
    x = torch.randn(T, N, D)
    h_0 = torch.randn(2, N, H) / 2
    answer = attempt(stack, x, h_0, cell_1, cell_2)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise WrongAnswer("expected two results: output and h_n.")
    output, h_n = answer

    def run(h_1: Tensor, h_2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        lower, last_1 = unroll(cell_1, x, h_1)
        upper, last_2 = unroll(cell_2, lower, h_2)
        return lower, upper, torch.stack([last_1, last_2])

    with torch.no_grad():
        lower, upper, last = run(*h_0)
        _, from_zeros, _ = run(*torch.zeros_like(h_0))
        _, from_swapped, _ = run(*h_0.flip(0))
        compare(
            "output",
            output,
            upper,
            {
                "output is the lower layer: the second cell must read its states.": lower,
                "the layers start from zeros instead of h_0.": from_zeros,
                "the two rows of h_0 are swapped: h_0[0] belongs to the first cell.": from_swapped,
                "output needs every step of the top layer, not the last one.": upper[-1],
            },
            tolerance=1e-5,
        )
        compare(
            "h_n",
            h_n,
            last,
            {
                "h_n is upside down: the first layer comes first.": last.flip(0),
                "h_n needs the last state of both layers.": last[-1],
                "h_n needs the last state of both layers, (2, N, H).": last[-1:],
            },
            tolerance=1e-5,
        )
