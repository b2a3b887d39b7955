"""Answers to the exercises of chapter 10: right ones, and wrong ones with their messages."""

import torch

from rnnlib.exercises import (
    check_cell_path,
    check_forget_bias,
    check_lstm_parameters,
    check_lstm_step,
)


def step(x, h, c, W, U, b, *, order="ifgo", squash=torch.tanh, read=torch.tanh, coupled=False):
    part = dict(zip(order, (x @ W.T + h @ U.T + b).chunk(4, dim=1), strict=True))
    i, f, o = (torch.sigmoid(part[name]) for name in "ifo")
    c_t = f * c + (1 - f if coupled else i) * squash(part["g"])
    return o * read(c_t), c_t


def but(**changed):
    return lambda *a: step(*a, **changed)


def no_output_gate(*a):
    c_t = step(*a)[1]
    return torch.tanh(c_t), c_t


def old_cell(x, h, c, *w):
    h_t, c_t = step(x, h, c, *w)
    return h_t / torch.tanh(c_t) * torch.tanh(c), c_t


def path(f):
    later = f.flip(0).cumprod(0).flip(0)
    return torch.cat([later[1:], torch.ones_like(f[:1])])


def forget_bias(
    lstm, value, *, gate=1, hh=0.0, both=True, suffixes=None, wide=1, weights=False, add=False
):
    H = lstm.hidden_size
    rows = slice(gate * H, (gate + wide) * H)
    with torch.no_grad():
        for name, p in lstm.named_parameters():
            if suffixes is not None and not name.endswith(suffixes):
                continue
            if name.startswith("bias_ih"):
                p[rows] = value + (p[rows] if add else 0)
            elif name.startswith("bias_hh") and both:
                p[rows] = hh
            elif weights and name.startswith("weight"):
                p[rows] = value


def biases(**changed):
    return lambda lstm, value: forget_bias(lstm, value, **changed)


def twice_set(lstm, value):
    forget_bias(lstm, value, hh=value)


def new_parameters(lstm, value):
    forget_bias(lstm, value)
    for name, parameter in list(lstm.named_parameters()):
        setattr(lstm, name, torch.nn.Parameter(parameter.detach().clone()))


RIGHT = [
    (check_lstm_step, step),
    (check_lstm_step, lambda *a: list(step(*a))),
    (check_cell_path, path),
    (check_forget_bias, forget_bias),
    (check_forget_bias, biases(hh=0)),
    (check_lstm_parameters, lambda D, H: 4 * (H * D + H * H + 2 * H)),
]

WRONG = [
    (check_lstm_step, lambda *a: ..., "returns nothing yet"),
    (check_lstm_step, lambda *a: step(*a)[0], "expected two results"),
    (check_lstm_step, lambda *a: step(*a)[::-1], "the two results are swapped"),
    (check_lstm_step, but(order="ifog"), "in another order"),
    (check_lstm_step, but(order="figo"), "i and f are swapped"),
    (check_lstm_step, but(squash=torch.sigmoid), "not through the sigmoid"),
    (check_lstm_step, but(squash=lambda a: a), "is not squashed"),
    (check_lstm_step, but(coupled=True), "an input gate of its own"),
    (check_lstm_step, lambda *a: step(*a[:5], 0 * a[5]), "the bias is missing"),
    (check_lstm_step, lambda x, h, *a: step(x, 0 * h, *a), "h_{t-1} is not read"),
    (check_lstm_step, lambda x, h, c, *a: step(x, h, 0 * c, *a), "c_{t-1} is not read"),
    (check_lstm_step, but(read=lambda c: c), "the tanh of c_t is missing"),
    (check_lstm_step, no_output_gate, "the output gate is missing"),
    (check_lstm_step, old_cell, "reads the old cell"),
    (check_cell_path, lambda f: ..., "returns nothing yet"),
    (check_cell_path, lambda f: f.flip(0).cumprod(0).flip(0), "begin with f_{t+1}"),
    (check_cell_path, lambda f: f.cumprod(0), "from the first step on"),
    (
        check_cell_path,
        lambda f: torch.cat([torch.ones_like(f[:1]), f.cumprod(0)[:-1]]),
        "of the steps before t",
    ),
    (
        check_cell_path,
        lambda f: torch.cat([f.flip(0).cumsum(0).flip(0)[1:], 0 * f[:1]]),
        "multiplied, not added",
    ),
    (check_cell_path, lambda f: f, "one factor for each step"),
    (check_cell_path, lambda f: path(f).log(), "logarithms"),
    (check_cell_path, lambda f: path(f)[:-1], "the last row is missing"),
    (check_cell_path, lambda f: path(f).flip(0), "upside down"),
    (check_cell_path, lambda f: path(f).prod(1), "keep the units apart"),
    (check_forget_bias, lambda lstm, value: ..., "no parameter has changed"),
    (check_forget_bias, lambda lstm: None, "does not take the arguments"),
    (check_forget_bias, lambda lstm, value: 1 / 0, "raises ZeroDivisionError"),
    (check_forget_bias, ..., "expected a function"),
    (check_forget_bias, twice_set, "twice the value"),
    (check_forget_bias, new_parameters, "is a new parameter"),
    (check_forget_bias, biases(both=False), "its random start: set bias_hh to 0"),
    (check_forget_bias, biases(add=True, both=False), "added to the random start"),
    (check_forget_bias, biases(gate=0), "this is the bias of i"),
    (check_forget_bias, biases(gate=2), "this is the bias of g"),
    (check_forget_bias, biases(gate=3), "this is the bias of o"),
    (check_forget_bias, biases(gate=0, wide=4), "every row is set"),
    (check_forget_bias, biases(suffixes="_l0"), "only the first layer and direction"),
    (check_forget_bias, biases(suffixes=("_l0", "_l0_reverse")), "only the first layer is set"),
    (check_forget_bias, biases(suffixes=("_l0", "_l0_reverse", "_l1")), "in layer 2, backwards is"),
    (check_forget_bias, biases(weights=True), "a weight matrix has changed"),
    (check_forget_bias, biases(hh=1.0), "is 4; expected 3"),
    (check_lstm_parameters, lambda D, H: H * (D + H + 2), "a plain RNN's"),
    (check_lstm_parameters, lambda D, H: 4 * H * (D + H + 1), "two biases"),
    (check_lstm_parameters, lambda D, H: 4 * H * (D + H), "the biases are missing"),
    (check_lstm_parameters, lambda D, H: 3 * H * (D + H + 2), "not three"),
    (check_lstm_parameters, lambda D, H: 5 * H * (D + H + 2), "not five"),
    (check_lstm_parameters, lambda D, H: 4 * H * (D + 4 * H + 2), "not 4 H"),
]
