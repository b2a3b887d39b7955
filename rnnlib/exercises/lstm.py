"""Checks for chapter 10: the LSTM's step, the cell's path, the forget bias, the parameters."""

import inspect
import math

import torch
from torch import Tensor, nn

from rnnlib.cells import LSTMCell
from rnnlib.exercises.verdict import WrongAnswer, attempt, compare, verdict

N, D, H = 4, 3, 5


def _step(cell: LSTMCell, x_t: Tensor, h: Tensor, c: Tensor, **other) -> tuple[Tensor, Tensor]:
    """One step from the rows of PyTorch's matrices; `other` replaces a part of it."""
    a = x_t @ cell.weight_ih.T + h @ cell.weight_hh.T + cell.bias_ih + cell.bias_hh
    a = a - other.get("without", 0)
    names = other.get("order", "ifgo")
    part = dict(zip(names, a.chunk(4, dim=-1), strict=True))
    i, f, o = (torch.sigmoid(part[name]) for name in "ifo")
    g = other.get("squash", torch.tanh)(part["g"])
    c_t = f * c + (1 - f if other.get("coupled") else i) * g
    return o * other.get("read", torch.tanh)(c_t), c_t


@verdict("The same h_t and c_t as nn.LSTMCell.")
def check_lstm_step(lstm_step) -> None:
    """Check ``lstm_step(x_t, h, c, weight_ih, weight_hh, bias)``, one step of an LSTM.

    Parameters
    ----------
    lstm_step : callable
        Takes x_t (N, D), h and c (N, H), weight_ih (4 H, D), weight_hh (4 H, H) and bias (4 H,),
        in the order i, f, g, o; returns h_t and c_t.

    Returns
    -------
    Verdict
    """
    cell = LSTMCell(D, H)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.mul_(3)
        x_t, h, c = torch.randn(N, D), torch.randn(N, H) / 2, torch.randn(N, H)
        bias = cell.bias_ih + cell.bias_hh
        given = (x_t, h, c, cell.weight_ih, cell.weight_hh, bias)
        answer = attempt(lstm_step, *(part.clone() for part in given))
        if not (isinstance(answer, tuple | list) and len(answer) == 2):
            raise WrongAnswer("expected two results: h_t and c_t.")
        h_t, c_t = _step(cell, x_t, h, c)
        swapped = _step(cell, x_t, h, c, order="ifog")
        wrong = {
            "the gates stand in another order: PyTorch's is i, f, g, o, and its third is g.": (
                swapped
            ),
            "i and f are swapped: PyTorch's order is i, f, g, o.": _step(
                cell, x_t, h, c, order="figo"
            ),
            "the candidate g goes through tanh, not through the sigmoid.": _step(
                cell, x_t, h, c, squash=torch.sigmoid
            ),
            "the candidate g is not squashed: its tanh is missing.": _step(
                cell, x_t, h, c, squash=lambda a: a
            ),
            "this adds (1 - f) g: an LSTM has an input gate of its own.": _step(
                cell, x_t, h, c, coupled=True
            ),
            "the bias is missing.": _step(cell, x_t, h, c, without=bias),
            "h_{t-1} is not read: its product with weight_hh is missing.": _step(
                cell, x_t, 0 * h, c
            ),
            "c_{t-1} is not read: it must be multiplied by f_t.": _step(cell, x_t, h, 0 * c),
        }
        if _same(answer[0], c_t) and _same(answer[1], h_t):
            raise WrongAnswer("the two results are swapped: h_t comes first.")
        compare("c_t", answer[1], c_t, {m: w[1] for m, w in wrong.items()}, tolerance=1e-5)
        compare(
            "h_t",
            answer[0],
            h_t,
            {
                "h_t is o times c_t: the tanh of c_t is missing.": _step(
                    cell, x_t, h, c, read=lambda c_t: c_t
                )[0],
                "h_t is the tanh of c_t: the output gate is missing.": torch.tanh(c_t),
                "h_t reads the old cell state: it needs the tanh of c_t.": h_t
                / torch.tanh(c_t)
                * torch.tanh(c),
            },
            tolerance=1e-5,
        )


def _same(got, value: Tensor) -> bool:
    return isinstance(got, Tensor) and got.shape == value.shape and torch.allclose(got, value)


@verdict("The derivative along the path of the cell states, for every step.")
def check_cell_path(cell_path) -> None:
    """Check ``cell_path(f)``, the derivative of c_T with respect to c_t along the cell states.

    Parameters
    ----------
    cell_path : callable
        Takes the forget gates f_1 … f_T as (T, H); returns (T, H), with the product of f_{t+1} …
        f_T in row t - 1, so that the last row, for c_T itself, is 1.

    Returns
    -------
    Verdict
    """
    f = torch.rand(6, H, dtype=torch.float64) / 2 + 0.5
    ones = torch.ones(1, H, dtype=torch.float64)
    backwards = f.flip(0).cumprod(dim=0).flip(0)  # row t - 1: f_t … f_T
    right = torch.cat([backwards[1:], ones])
    compare(
        "the result",
        attempt(cell_path, f.clone()),
        right,
        {
            "the gate f_t itself does not stand between c_t and c_T: begin with f_{t+1}.": (
                backwards
            ),
            "this is the product from the first step on: the path leads from t to T.": (
                f.cumprod(dim=0)
            ),
            "this is the product of the steps before t: the path leads from t to T.": torch.cat(
                [ones, f.cumprod(dim=0)[:-1]]
            ),
            "along the path the gates are multiplied, not added.": torch.cat(
                [f.flip(0).cumsum(dim=0).flip(0)[1:], 0 * ones]
            ),
            "this is one factor for each step: they must be multiplied up to T.": f,
            "these are logarithms: take their exponential.": right.log(),
            "the last row is missing: c_T moves with itself by a factor of 1.": right[:-1],
            "time is upside down: row 0 belongs to c_1, the furthest from c_T.": right.flip(0),
            "keep the units apart: one product for each of the H columns.": right.prod(dim=1),
        },
        tolerance=1e-9,
    )


@verdict(
    "The forget gates of every layer and direction start at this bias, and nothing else moved."
)
def check_forget_bias(set_forget_bias) -> None:
    """Check ``set_forget_bias(lstm, value)``, which sets b_f of an nn.LSTM in place.

    Parameters
    ----------
    set_forget_bias : callable
        Sets the sum of the two biases of the forget gate, in all layers and directions. What it
        returns does not matter.

    Returns
    -------
    Verdict
    """
    value = 3.0
    lstm = nn.LSTM(D, H, num_layers=2, bidirectional=True)
    before = {name: p.detach().clone() for name, p in lstm.named_parameters()}

    def answer(lstm: nn.Module, value: float) -> bool:
        set_forget_bias(lstm, value)  # what it returns is of no interest
        return True

    if not callable(set_forget_bias):
        attempt(set_forget_bias)
    answer.__name__ = getattr(set_forget_bias, "__name__", "your function")
    answer.__signature__ = inspect.signature(set_forget_bias)
    attempt(answer, lstm, value)
    after = {name: p.detach() for name, p in lstm.named_parameters()}
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    if not moved:
        raise WrongAnswer("no parameter has changed yet.")
    if any("weight" in name for name in moved):
        raise WrongAnswer("a weight matrix has changed: only biases should.")
    first = _sum(after, "l0")
    gates = dict(zip("ifgo", first.chunk(4), strict=True))
    if not _near(gates["f"], value):
        for gate, rows in gates.items():
            if gate != "f" and _near(rows, value):
                where = {"i": "[:H]", "g": "[2*H:3*H]", "o": "[3*H:]"}[gate]
                raise WrongAnswer(
                    f"this is the bias of {gate}, in the rows {where}: PyTorch's order is "
                    "i, f, g, o, and f has the rows [H:2*H]."
                )
        if _near(gates["f"], 2 * value):
            raise WrongAnswer(
                "both biases are set, and they add up to twice the value: set one of the two, and "
                "the other to 0."
            )
        pair = ("bias_ih_l0", "bias_hh_l0")
        if any(_near(after[name].chunk(4)[1], value) for name in pair) and not moved >= set(pair):
            raise WrongAnswer(
                "one of the two biases has the value, but the other still holds its random start: "
                "set it to 0."
            )
        shift = gates["f"] - _sum(before, "l0").chunk(4)[1]
        if _near(shift, value):
            raise WrongAnswer("the value is added to the random start: it should replace it.")
        raise WrongAnswer(
            f"the forget gate's two biases of the first layer add up to {_range(gates['f'])}; "
            f"expected {value:g}."
        )
    old = _sum(before, "l0").chunk(4)
    for gate, rows, was in zip("igo", (gates[g] for g in "igo"), old[:1] + old[2:], strict=True):
        if not torch.allclose(rows, was):
            raise WrongAnswer(f"the bias of {gate} has changed as well: only f should.")
    for suffix, where in (("l0_reverse", "backward direction"), ("l1", "second layer")):
        if not _near(_sum(after, suffix).chunk(4)[1], value):
            raise WrongAnswer(f"the {where} is left out: go through all of the layer's biases.")
    for suffix in ("l0_reverse", "l1", "l1_reverse"):
        for k, gate in enumerate("ifgo"):
            now, was = (_sum(p, suffix).chunk(4)[k] for p in (after, before))
            if not (_near(now, value) if gate == "f" else torch.allclose(now, was)):
                raise WrongAnswer(f"the bias of {gate} in {suffix} is not as it should be.")


def _sum(parameters: dict[str, Tensor], suffix: str) -> Tensor:
    return parameters[f"bias_ih_{suffix}"] + parameters[f"bias_hh_{suffix}"]


def _near(values: Tensor, value: float) -> bool:
    return bool(((values - value).abs() < 1e-5).all())


def _range(values: Tensor) -> str:
    low, high = values.min().item(), values.max().item()
    return f"{low:.2g}" if math.isclose(low, high) else f"{low:.2g} to {high:.2g}"


@verdict("As many as nn.LSTM(D, H) has: four times an RNN's.")
def check_lstm_parameters(count) -> None:
    """Check ``count(D, H)``, the number of parameters of nn.LSTM(D, H).

    Parameters
    ----------
    count : callable

    Returns
    -------
    Verdict
    """
    for D, H in ((3, 5), (10, 20)):
        compare(
            f"for D = {D}, H = {H} the count",
            attempt(count, D, H),
            4 * H * (D + H + 2),
            {
                "this is a plain RNN's: an LSTM has four such sets.": H * (D + H + 2),
                "PyTorch keeps two biases for each gate.": 4 * H * (D + H + 1),
                "the biases are missing.": 4 * H * (D + H),
                "g has weights of its own too: there are four sets, not three.": 3
                * H
                * (D + H + 2),
                "the cell state c has no weights: there are four sets, not five.": 5
                * H
                * (D + H + 2),
                "the recurrent matrices have H columns each, not 4 H.": 4 * H * D
                + 16 * H * H
                + 8 * H,
            },
        )
