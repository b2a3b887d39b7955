"""Answers to the exercises of chapter 11: right ones, and wrong ones with their messages."""

import math

import torch
from torch import nn

from rnnlib.exercises import (
    check_convert,
    check_gate_values,
    check_gru_step,
    check_same_budget,
)


def gates(cell, x_t, h):
    r = torch.sigmoid(x_t @ cell.W_xr + h @ cell.W_hr + cell.b_r)
    z = torch.sigmoid(x_t @ cell.W_xz + h @ cell.W_hz + cell.b_z)
    return r, z, x_t @ cell.W_xn + cell.b_xn, h @ cell.W_hn, cell.b_hn


def stepping(candidate, mix=lambda z, n, h: (1 - z) * n + z * h, f=torch.tanh):
    """A step whose candidate is f(candidate(r, h, …)), mixed by `mix`."""

    def step(cell, x_t, h):
        r, z, a_x, a_h, b_hn = gates(cell, x_t, h)
        return mix(z, f(candidate(r, z, a_x, a_h, b_hn, h, cell)), h)

    return step


def right(r, z, a_x, a_h, b_hn, h, cell):
    return a_x + r * (a_h + b_hn)


def exact(D, H, blocks=3, biases=2):
    """Solve blocks (D u + u² + biases u) = the parameters of an LSTM for u."""
    p, q = D + biases, 4 * H * (D + H + biases) / blocks
    return (-p + math.sqrt(p * p + 4 * q)) / 2


def units(D, H):
    return math.floor(exact(D, H))


def searched(D, H):
    count = lambda cell: sum(p.numel() for p in cell.parameters())  # noqa: E731
    budget, size = count(nn.LSTMCell(D, H)), H
    while count(nn.GRUCell(D, size + 1)) <= budget:
        size += 1
    return size


def changed(rows, change):
    def convert(weights):
        weights = {name: value.clone() for name, value in weights.items()}
        for value in weights.values():
            H = len(value) // 3
            part = slice(*(None if edge is None else edge * H for edge in rows))
            value[part] = change(value[part])
        return weights

    return convert


def biases_alone(weights):
    whole = convert(weights)
    return {n: whole[n] if n.startswith("bias") else value for n, value in weights.items()}


def weights_alone(weights):
    whole = convert(weights)
    return {n: value if n.startswith("bias") else whole[n] for n, value in weights.items()}


convert = changed((1, 2), lambda w: -w)
CORNERS = {"copy": (0.3, 1), "rnn": (1, 0), "afresh": (0, 0)}


def corners(**other):
    return lambda goal: (CORNERS | other)[goal]


RIGHT = [
    (check_gru_step, stepping(right)),
    (check_same_budget, units),
    (check_same_budget, searched),
    (check_convert, convert),
    (check_gate_values, corners()),
    (check_gate_values, lambda goal: torch.tensor(CORNERS[goal])),
]

WRONG = [
    (check_gru_step, stepping(right, lambda z, n, h: z * n + (1 - z) * h), "z and 1 - z are"),
    (
        check_gru_step,
        stepping(lambda r, z, a_x, a_h, b, h, cell: a_x + (r * h) @ cell.W_hn + b),
        "before the product",
    ),
    (
        check_gru_step,
        stepping(lambda r, z, a_x, a_h, b, h, cell: a_x + r * a_h + b),
        "b_hn stands outside r",
    ),
    (
        check_gru_step,
        stepping(lambda r, z, a_x, a_h, b, h, cell: a_x + r * a_h),
        "b_hn is missing",
    ),
    (
        check_gru_step,
        stepping(lambda r, z, a_x, a_h, b, h, cell: a_x + (r - 1) * cell.b_xn + r * (a_h + b)),
        "b_xn is inside r",
    ),
    (
        check_gru_step,
        stepping(lambda r, z, a_x, a_h, b, h, cell: r * (a_x + a_h + b)),
        "r acts on the input as well",
    ),
    (check_gru_step, stepping(right, f=lambda a: a), "the tanh of n_t is missing"),
    (
        check_gru_step,
        stepping(lambda r, z, a_x, a_h, b, h, cell: a_x + a_h + b),
        "the reset gate is missing",
    ),
    (
        check_gru_step,
        lambda cell, x_t, h: (
            lambda r, z, a_x, a_h, b: (1 - r) * torch.tanh(a_x + z * (a_h + b)) + r * h
        )(*gates(cell, x_t, h)),
        "r and z have changed places",
    ),
    (check_gru_step, stepping(right, lambda z, n, h: n), "n_t alone"),
    (check_gru_step, stepping(right, lambda z, n, h: (1 - z) * n), "the old state is missing"),
    (check_gru_step, lambda cell, x_t, h: ..., "returns nothing yet"),
    (check_gru_step, lambda cell, x_t, h: cell(x_t, h), "without calling it"),
    (check_same_budget, lambda D, H: H, "this is the LSTM's H"),
    (check_same_budget, lambda D, H: 3 * H // 4, "it may have more units"),
    (check_same_budget, lambda D, H: 4 * H // 3, "the square of H"),
    (check_same_budget, lambda D, H: math.ceil(exact(D, H)), "this rounds up"),
    (check_same_budget, lambda D, H: units(D, H) - 1, "one more unit would fit"),
    (check_same_budget, lambda D, H: math.floor(exact(D, H, biases=0)), "two biases"),
    (check_same_budget, lambda D, H: math.floor(exact(D, H, blocks=2)), "three blocks"),
    (check_same_budget, exact, "round down"),
    (check_same_budget, lambda D, H: ..., "returns nothing yet"),
    (check_convert, lambda weights: weights, "nothing has changed"),
    (check_convert, biases_alone, "the weights not"),
    (check_convert, weights_alone, "the biases not"),
    (check_convert, changed((0, 1), lambda w: -w), "rows of r have changed"),
    (check_convert, changed((2, 3), lambda w: -w), "rows of n have changed"),
    (check_convert, changed((None, None), lambda w: -w), "all gates have changed"),
    (check_convert, changed((1, 2), lambda w: 1 - w), "1 - w is not it"),
    (check_convert, lambda weights: list(weights.values()), "expected a dict"),
    (check_convert, lambda weights: {"weight_ih": weights["weight_ih"]}, "has no weight_hh"),
    (check_gate_values, corners(copy=(1, 0)), "copy: this makes a plain RNN's step"),
    (check_gate_values, corners(copy=(0, 0)), "copy: this forgets"),
    (check_gate_values, corners(rnn=(0, 0)), "rnn: this forgets"),
    (check_gate_values, corners(rnn=(1, 1)), "rnn: this copies"),
    (check_gate_values, corners(afresh=(0, 1)), "afresh: this copies"),
    (check_gate_values, corners(afresh=(1, 0)), "afresh: this makes a plain RNN's step"),
    (check_gate_values, corners(afresh=(0, 0.5)), "at [0] the h_t of your gates is"),
    (check_gate_values, corners(rnn=(2, 0)), "between 0 and 1"),
    (check_gate_values, lambda goal: 1, "expected two numbers"),
]
