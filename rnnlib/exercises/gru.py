"""Checks for chapter 11 (Which gates are needed)."""

import math

import torch
from torch import Tensor

from rnnlib.cells import GRUCell
from rnnlib.exercises.verdict import WrongAnswer, as_array, attempt, compare, verdict

N, D, H = 3, 4, 5
PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def _cell(**options) -> GRUCell:
    """Make a cell whose parameters are large enough to tell every mistake apart."""
    cell = GRUCell(D, H, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(2)
    return cell


@verdict("One step of a GRU, as PyTorch computes it.")
def check_gru_step(step) -> None:
    """Check ``step(cell, x_t, h)``, one step of a GRU written out.

    Parameters
    ----------
    step : callable
        Returns h_t, (N, H), from a `GRUCell`, which holds the matrices and biases under the names
        of the equations, x_t, (N, D), and h_{t-1}, (N, H).

    Returns
    -------
    Verdict
    """
    cell = _cell()
    x_t = torch.randn(N, D, dtype=torch.float64)
    h = torch.randn(N, H, dtype=torch.float64)
    with torch.no_grad():
        got = attempt(step, cell, x_t.clone(), h.clone())
        r = torch.sigmoid(x_t @ cell.W_xr + h @ cell.W_hr + cell.b_r)
        z = torch.sigmoid(x_t @ cell.W_xz + h @ cell.W_hz + cell.b_z)
        a_x = x_t @ cell.W_xn + cell.b_xn
        a_h = h @ cell.W_hn

        def mixed(a_n: Tensor, z: Tensor = z) -> Tensor:
            return (1 - z) * torch.tanh(a_n) + z * h

        a_n = a_x + r * (a_h + cell.b_hn)
        compare(
            "h_t",
            got,
            mixed(a_n),
            {
                "z and 1 - z are swapped: here z_t is the share of the old state.": (
                    mixed(a_n, 1 - z)
                ),
                "r acts on the state before the product, as in the original form; PyTorch's acts "
                "after it.": mixed(a_x + (r * h) @ cell.W_hn + cell.b_hn),
                "b_hn stands outside r: the reset gate multiplies it too.": (
                    mixed(a_x + r * a_h + cell.b_hn)
                ),
                "b_hn is missing.": mixed(a_x + r * a_h),
                "b_xn is inside r: the reset gate acts on what comes from the state alone.": (
                    mixed(a_n - cell.b_xn + r * cell.b_xn)
                ),
                "r acts on the input as well: it belongs to the part from the state.": (
                    mixed(r * (a_x + a_h + cell.b_hn))
                ),
                "the tanh of n_t is missing.": (1 - z) * a_n + z * h,
                "the reset gate is missing.": mixed(a_x + a_h + cell.b_hn),
                "r and z have changed places.": mixed(a_x + z * (a_h + cell.b_hn), r),
                "this is n_t alone: mix it with h by z.": torch.tanh(a_n),
                "the old state is missing: add z_t * h.": (1 - z) * torch.tanh(a_n),
            },
        )


def _largest_gru(d: int, h: int, blocks: int = 3) -> int:
    """Count the units that a cell of so many blocks may have within an LSTM's parameters."""
    budget = 4 * (d * h + h * h + 2 * h)
    units = 0
    while blocks * (units + 1) * (d + units + 1 + 2) <= budget:
        units += 1
    return units


@verdict("As many units as the LSTM's parameters allow, and not one more.")
def check_same_budget(units) -> None:
    """Check ``units(D, H)``, how large a GRU may be for the parameters of an LSTM.

    Parameters
    ----------
    units : callable
        Returns the largest int with which ``nn.GRUCell(D, units)`` has no more parameters than
        ``nn.LSTMCell(D, H)``.

    Returns
    -------
    Verdict
    """
    for d, h in ((32, 64), (3, 40), (6, 10), (100, 20)):
        right = _largest_gru(d, h)
        got = attempt(units, d, h)
        compare(
            f"the number for D = {d}, H = {h},",
            got,
            right,
            {
                "this is the LSTM's H: with three blocks for four there is room for more.": h,
                "a GRU has fewer parameters for a unit, so it may have more units.": 3 * h // 4,
                "4/3 of the units is too many: the recurrent weights grow with the square of H.": (
                    4 * h // 3
                ),
                "one unit too many: this GRU has more parameters than the LSTM.": right + 1,
                "one more unit would fit; does every block have its two biases?": right - 1,
                "a GRU has three blocks: r, z and n.": _largest_gru(d, h, blocks=2),
                "expected a whole number of units: round down.": _exact_gru(d, h),
            },
        )


def _exact_gru(d: int, h: int) -> float:
    """Solve for the number of units, no integer, at which the parameters are equal."""
    p, q = d + 2, 4 * h * (d + h + 2) / 3
    return (-p + math.sqrt(p * p + 4 * q)) / 2


@verdict("The same network, in PyTorch's convention.")
def check_convert(convert) -> None:
    """Check ``convert(weights)``, from a GRU whose z is the share of the new candidate.

    Parameters
    ----------
    convert : callable
        Takes a dict of weight_ih (3 H, D), weight_hh (3 H, H), bias_ih and bias_hh (3 H,), gates
        r, z, n, for h_t = (1 - z_t) h_{t-1} + z_t n_t, and returns such a dict for PyTorch.

    Returns
    -------
    Verdict
    """
    cell = _cell()
    weights = {name: value.detach() for name, value in cell.state_dict().items()}
    got = attempt(convert, {name: value.clone() for name, value in weights.items()})
    if not isinstance(got, dict):
        raise WrongAnswer(f"expected a dict of the four parameters, got {type(got).__name__}.")
    missing = [name for name in PARAMETERS if name not in got]
    if missing:
        raise WrongAnswer(f"the dict has no {missing[0]}.")
    r, z, n = slice(0, H), slice(H, 2 * H), slice(2 * H, 3 * H)

    def negated(value: Tensor, rows: slice) -> Tensor:
        value = value.clone()
        value[rows] *= -1
        return value

    def complement(value: Tensor) -> Tensor:
        value = value.clone()
        value[z] = 1 - value[z]
        return value

    for name in PARAMETERS:
        value = weights[name]
        compare(
            name,
            got[name],
            negated(value, z),
            {
                f"{name} is as it was: all of what enters σ must change its sign.": value,
                "the rows of r have changed: PyTorch's order is r, z, n.": negated(value, r),
                "the rows of n have changed: PyTorch's order is r, z, n.": negated(value, n),
                "all gates have changed their sign: only z is meant.": -value,
                "1 - w is not it: 1 - σ(a) = σ(-a), so w becomes -w.": complement(value),
            },
        )


@verdict("Copy, step and start afresh: three corners of one cell.")
def check_gate_values(gate_values) -> None:
    """Check ``gate_values(goal)``, the values of r and z that make a GRU do three simple things.

    Parameters
    ----------
    gate_values : callable
        Returns (r, z), two numbers between 0 and 1, for the goals "copy" (h_t = h_{t-1}), "rnn"
        (a plain tanh step) and "afresh" (an h_t that does not depend on h_{t-1}).

    Returns
    -------
    Verdict
    """
    h = torch.randn(N, H, dtype=torch.float64)
    a_x = torch.randn(N, H, dtype=torch.float64)
    a_h = h @ torch.randn(H, H, dtype=torch.float64)

    def step(r: float, z: float) -> Tensor:
        return (1 - z) * torch.tanh(a_x + r * a_h) + z * h

    wanted = {
        "copy": h,
        "rnn": torch.tanh(a_x + a_h),
        "afresh": torch.tanh(a_x),
    }
    for goal, h_t in wanted.items():
        answer = as_array(attempt(gate_values, goal))
        if answer.shape != (2,):
            raise WrongAnswer(f"{goal}: expected two numbers, r and z.")
        r, z = (float(value) for value in answer)
        if not (0 <= r <= 1 and 0 <= z <= 1):
            raise WrongAnswer(f"{goal}: a gate lies between 0 and 1, got r = {r:g}, z = {z:g}.")
        mistakes = {
            "rnn": "this makes a plain RNN's step: h_t = n_t, with all of the state in n_t.",
            "afresh": "this forgets the old state: nothing of h_{t-1} is in h_t.",
            "copy": "this copies the old state: with z = 1 nothing of n_t is used.",
        }
        compare(
            f"{goal}: h_t",
            step(r, z),
            h_t,
            {f"{goal}: {mistakes[other]}": wanted[other] for other in wanted if other != goal},
        )
