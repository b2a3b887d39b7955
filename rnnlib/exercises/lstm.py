"""Checks for chapter 10: the LSTM's step, the cell's path, the forget bias, the parameters."""

import torch
from torch import nn

from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.verdict import WrongAnswer


def _same(a):
    return a


def _lstm(
    *,
    order="ifgo",
    squash=torch.tanh,
    gates=("i", "f", "o"),
    cell=lambda i, f, g, c: f * c + i * g,
    out=lambda o, c_t, c: o * torch.tanh(c_t),
    enter=lambda x_t, h, W, U, b: x_t @ W.T + h @ U.T + b,
    back=lambda h_t, c_t: (h_t, c_t),
):
    """Return a step of an LSTM; each keyword puts one mistake in."""

    def step(x_t, h, c, weight_ih, weight_hh, bias):
        a = enter(x_t, h, weight_ih, weight_hh, bias)
        part = dict(zip(order, a.chunk(4, dim=-1), strict=True))
        i, f, o = (torch.sigmoid(part[k]) if k in gates else part[k] for k in "ifo")
        c_t = cell(i, f, squash(part["g"]), c)
        return back(out(o, c_t, c), c_t)

    return step


SIGMOID = "a gate's sigmoid is missing: "


@exercise(
    "The same h_t and c_t as nn.LSTMCell.",
    result=("h_t", "c_t"),
    cases=({"N": 2, "D": 5, "H": 3}, {"N": 7, "D": 3, "H": 5}, {"N": 3, "D": 4, "H": 7}),
    right=_lstm(),
    mistakes={
        "the gates stand in another order: PyTorch's is i, f, g, o, and its third is g.": _lstm(
            order="ifog"
        ),
        "i and f are swapped: PyTorch's order is i, f, g, o.": _lstm(order="figo"),
        "the order of the blocks is i, f, g, o; yours begins with f and has g last.": _lstm(
            order="fiog"
        ),
        "i and g are swapped: PyTorch's order is i, f, g, o.": _lstm(order="gfio"),
        "f and o are swapped: PyTorch's order is i, f, g, o.": _lstm(order="iogf"),
        "the candidate g goes through tanh, not through the sigmoid.": _lstm(squash=torch.sigmoid),
        "the candidate g is not squashed: its tanh is missing.": _lstm(squash=_same),
        f"{SIGMOID}i_t.": _lstm(gates=("f", "o")),
        f"{SIGMOID}f_t.": _lstm(gates=("i", "o")),
        f"{SIGMOID}o_t.": _lstm(gates=("i", "f")),
        f"{SIGMOID}all three.": _lstm(gates=()),
        "this adds (1 - f) g: an LSTM has an input gate of its own.": _lstm(
            cell=lambda i, f, g, c: f * c + (1 - f) * g
        ),
        "the forget gate is missing: c_{t-1} is multiplied by f_t.": _lstm(
            cell=lambda i, f, g, c: c + i * g
        ),
        "the input gate is missing: g_t is multiplied by i_t.": _lstm(
            cell=lambda i, f, g, c: f * c + g
        ),
        "both gates are missing from c_t: it is f_t c_{t-1} + i_t g_t.": _lstm(
            cell=lambda i, f, g, c: c + g
        ),
        "c_{t-1} is not read: it must be multiplied by f_t.": _lstm(cell=lambda i, f, g, c: i * g),
        "the candidate is not read: add i_t g_t.": _lstm(cell=lambda i, f, g, c: f * c),
        "a sign is wrong: i_t g_t is added.": _lstm(cell=lambda i, f, g, c: f * c - i * g),
        "1 - f_t keeps what f_t should: f_t is the share of c_{t-1} that stays.": _lstm(
            cell=lambda i, f, g, c: (1 - f) * c + i * g
        ),
        "c_t is squashed: the tanh stands between c_t and h_t, not inside c_t.": _lstm(
            cell=lambda i, f, g, c: torch.tanh(f * c + i * g)
        ),
        "the bias is missing.": _lstm(enter=lambda x_t, h, W, U, b: x_t @ W.T + h @ U.T),
        "h_{t-1} is not read: its product with weight_hh is missing.": _lstm(
            enter=lambda x_t, h, W, U, b: x_t @ W.T + b
        ),
        "x_t is not read: its product with weight_ih is missing.": _lstm(
            enter=lambda x_t, h, W, U, b: h @ U.T + b
        ),
        "the bias is added: its sign is wrong.": _lstm(
            enter=lambda x_t, h, W, U, b: x_t @ W.T + h @ U.T - b
        ),
        "h_t: the tanh of c_t is missing; this is o_t times c_t.": _lstm(
            out=lambda o, c_t, c: o * c_t
        ),
        "h_t: o_t is multiplied by the tanh of c_t, not by its sigmoid.": _lstm(
            out=lambda o, c_t, c: o * torch.sigmoid(c_t)
        ),
        "h_t: the output gate is missing; this is the tanh of c_t.": _lstm(
            out=lambda o, c_t, c: torch.tanh(c_t)
        ),
        "h_t: it reads the old cell state; it needs the tanh of c_t.": _lstm(
            out=lambda o, c_t, c: o * torch.tanh(c)
        ),
        "h_t: the tanh is taken after the product; it belongs to c_t alone.": _lstm(
            out=lambda o, c_t, c: torch.tanh(o * c_t)
        ),
        "h_t: this is c_t itself: o_t times the tanh of c_t is asked for.": _lstm(
            out=lambda o, c_t, c: c_t
        ),
        "the two results are swapped: h_t comes first.": _lstm(back=lambda h_t, c_t: (c_t, h_t)),
    },
    hints=(
        "All four blocks come from one sum, (N, 4H). Cut it in the order i, f, g, o.",
        "i, f and o go through the sigmoid, g through tanh. Then c_t = f c_{t-1} + i g, and h_t is "
        "o times the tanh of c_t.",
        "i, f, g, o = (x_t @ weight_ih.T + h @ weight_hh.T + bias).chunk(4, dim=-1)",
    ),
)
def check_lstm_step(draw, N, D, H):
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
    weights = draw.normal(4 * H, D, scale=0.7), draw.normal(4 * H, H, scale=0.7), draw.normal(4 * H)
    return draw.normal(N, D), draw.normal(N, H, scale=0.5), draw.normal(N, H), *weights


def _from_the_end(f):
    """Return the products f_t … f_T, in row t - 1."""
    return f.flip(0).cumprod(dim=0).flip(0)


def _cell_path(f):
    return torch.cat([_from_the_end(f)[1:], torch.ones_like(f[:1])])


@exercise(
    "The derivative along the path of the cell states, for every step.",
    cases=({"T": 3, "H": 2}, {"T": 7, "H": 5}, {"T": 5, "H": 3}),
    right=_cell_path,
    mistakes={
        "the gate f_t itself does not stand between c_t and c_T: begin with f_{t+1}.": (
            _from_the_end
        ),
        "this is the product from the first step on: the path leads from t to T.": (
            lambda f: f.cumprod(dim=0)
        ),
        "this is the product of the steps before t: the path leads from t to T.": (
            lambda f: torch.cat([torch.ones_like(f[:1]), f.cumprod(dim=0)[:-1]])
        ),
        "along the path the gates are multiplied, not added.": (
            lambda f: torch.cat([f.flip(0).cumsum(dim=0).flip(0)[1:], 0 * f[:1]])
        ),
        "along the path the gates are multiplied, not averaged.": (
            lambda f: torch.stack([f[t:].mean(0) for t in range(len(f))])
        ),
        "this is one factor for each step: they must be multiplied up to T.": lambda f: f,
        "this is the next factor alone: they must be multiplied up to T.": (
            lambda f: torch.cat([f[1:], torch.ones_like(f[:1])])
        ),
        "these are logarithms: take their exponential.": lambda f: _cell_path(f).log(),
        "the last gate is missing: the product goes up to f_T.": (
            lambda f: torch.cat([_cell_path(f[:-1]), torch.ones_like(f[:1])])
        ),
        "the last row is 0: c_T moves with itself by a factor of 1.": (
            lambda f: torch.cat([_cell_path(f)[:-1], torch.zeros_like(f[:1])])
        ),
        "the last row is missing: c_T moves with itself by a factor of 1.": (
            lambda f: _cell_path(f)[:-1]
        ),
        "one row too many: f_1 leads back to c_0, which is not asked for.": (
            lambda f: torch.cat([_from_the_end(f), torch.ones_like(f[:1])])
        ),
        "time is upside down: row 0 belongs to c_1, the furthest from c_T.": (
            lambda f: _cell_path(f).flip(0)
        ),
        "keep the units apart: one product for each of the H columns.": (
            lambda f: _cell_path(f).prod(dim=1)
        ),
        "this goes along the units: the steps are the first axis.": (lambda f: f.cumprod(dim=1)),
        "every row is the whole product: row t - 1 begins with f_{t+1}.": (
            lambda f: f.prod(dim=0).expand_as(f)
        ),
    },
    hints=(
        "Begin at the end: the last row is 1. What is the row before it?",
        "Each row is the one below it, times one more gate: row t - 1 is row t times f_{t+1}, "
        "which stands in row t of f.",
        "path.append(path[-1] * f_t), for f_t in f.flip(0)[:-1]; stack, and flip back",
    ),
)
def check_cell_path(draw, T, H):
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
    return draw.uniform(T, H, low=0.4, high=0.95)


def _set_bias(
    *,
    ih=lambda value: value,
    hh=lambda value: 0.0,
    rows=lambda H: slice(H, 2 * H),
    only=lambda name: True,
    add=False,
):
    """Return a function that sets the forget bias; each keyword puts one mistake in."""

    def set_forget_bias(lstm, value):
        H = lstm.hidden_size
        with torch.no_grad():
            for name, parameter in lstm.named_parameters():
                for kind, new in (("bias_ih", ih), ("bias_hh", hh)):
                    if name.startswith(kind) and new is not None and only(name):
                        old = parameter[rows(H)] if add else 0.0
                        parameter[rows(H)] = old + new(value)

    return set_forget_bias


def _all_zero_but(lstm, value):
    H = lstm.hidden_size
    with torch.no_grad():
        for name, parameter in lstm.named_parameters():
            if "bias" in name:
                parameter.zero_()
            if "bias_ih" in name:
                parameter[H : 2 * H] = value


def _biases(answer, lstm, value) -> dict:
    """Measure what the layer's forget gates begin with, and all that should not have moved."""
    start = lstm.start
    now = dict(lstm.named_parameters())
    if list(now) != list(start):
        raise WrongAnswer("the layer's parameters are not the same any more: set them in place.")
    for name, p in now.items():
        if not p.requires_grad:
            raise WrongAnswer(f"{name} is frozen now: training could not change it any more.")
        if p.shape != start[name].shape:
            raise WrongAnswer(
                f"{name} has shape {tuple(p.shape)} now; it was {tuple(start[name].shape)}."
            )
        if p is not lstm.held[name]:
            raise WrongAnswer(
                f"{name} is a new parameter: set the numbers of the one there was, in place; an "
                "optimizer may hold it already."
            )
    if all(torch.equal(p, start[name]) for name, p in now.items()):
        raise WrongAnswer("no parameter has changed yet.")
    for name, p in now.items():
        if name.startswith("weight") and not torch.equal(p, start[name]):
            raise WrongAnswer("a weight matrix has changed: only biases should.")
    measured = {}
    for name in now:
        if name.startswith("bias_ih"):
            other = name.replace("ih", "hh")
            of = _direction(name)
            total = (now[name] + now[other]).chunk(4)
            measured[f"the sum of the two forget biases{of}"] = total[1]
            measured[f"the sum of the two biases of i, g and o{of}"] = torch.cat(
                [total[0], total[2], total[3]]
            )
    return measured


def _direction(name: str) -> str:
    layer, *way = name.removeprefix("bias_ih_l").split("_")
    return f" in layer {int(layer) + 1}" + (", backwards" if way else "")


def _unlike(lstm: nn.Module, draw) -> nn.Module:
    """Draw all parameters, and remember how they started."""
    draw.weights(lstm)
    lstm.start = {name: p.detach().clone() for name, p in lstm.named_parameters()}
    lstm.held = dict(lstm.named_parameters())  # as an optimizer made before would hold them
    return lstm


@exercise(
    "Every forget gate starts at this bias, and nothing else moved.",
    cases=(
        {"D": 3, "H": 2, "layers": 2, "bidirectional": True, "value": 3.0},
        {"D": 2, "H": 5, "layers": 1, "bidirectional": False, "value": -1.5},
        {"D": 5, "H": 4, "layers": 3, "bidirectional": False, "value": 0.75},
    ),
    right=_set_bias(),
    measure=_biases,
    returns=False,
    mistakes={
        "both biases are set, and they add up to twice the value: set one of the two, and the "
        "other to 0.": _set_bias(hh=lambda value: value),
        "one of the two biases has the value, but the other still holds its random start: set "
        "bias_hh to 0.": _set_bias(hh=None),
        "one of the two biases has the value, but the other still holds its random start: set "
        "bias_ih to 0.": _set_bias(ih=None, hh=lambda value: value),
        "the value is added to the random start: it should replace it.": _set_bias(add=True),
        "the value is 3.0 whatever is asked for.": _set_bias(ih=lambda value: 3.0),
        "the value is 1.0 whatever is asked for.": _set_bias(ih=lambda value: 1.0),
        "the sign of the value is wrong.": _set_bias(ih=lambda value: -value),
        "both biases are 0: one of them takes the value.": _set_bias(ih=lambda value: 0.0),
        "this is the bias of i, in the rows [:H]: PyTorch's order is i, f, g, o, and f has the "
        "rows [H:2*H].": _set_bias(rows=lambda H: slice(0, H)),
        "this is the bias of g, in the rows [2*H:3*H]: PyTorch's order is i, f, g, o, and f has "
        "the rows [H:2*H].": _set_bias(rows=lambda H: slice(2 * H, 3 * H)),
        "this is the bias of o, in the rows [3*H:]: PyTorch's order is i, f, g, o, and f has the "
        "rows [H:2*H].": _set_bias(rows=lambda H: slice(3 * H, 4 * H)),
        "every row is set: only those of f, [H:2*H], should be.": _set_bias(
            rows=lambda H: slice(None)
        ),
        "the rows from H on are set: those of f end at 2*H.": _set_bias(
            rows=lambda H: slice(H, None)
        ),
        "the rows up to 2*H are set: those of f begin at H.": _set_bias(
            rows=lambda H: slice(0, 2 * H)
        ),
        "a single row is set: f has H of them, [H:2*H].": _set_bias(rows=lambda H: slice(H, H + 1)),
        "the other biases are put to 0 as well: only f's should change.": _all_zero_but,
        "only the first layer and direction is set: go through all of the layer's biases.": (
            _set_bias(only=lambda name: name.endswith("l0"))
        ),
        "the backward direction is left out: its biases end in _reverse.": _set_bias(
            only=lambda name: not name.endswith("_reverse")
        ),
        "only the first layer is set: go through all of the layer's biases.": _set_bias(
            only=lambda name: "_l0" in name
        ),
        "the first layer is left out: go through all of the layer's biases.": _set_bias(
            only=lambda name: "_l0" not in name
        ),
        "the last layers are left out: a stack may have more than two.": _set_bias(
            only=lambda name: "_l0" in name or "_l1" in name
        ),
    },
    hints=(
        "Which of the layer's named_parameters are biases? Which rows of them belong to f?",
        "The order is i, f, g, o, so f has the rows [H:2*H]. Two biases are added: give one the "
        "value, and the other 0, in every layer and direction, without a gradient.",
        "with torch.no_grad(): parameter[H : 2 * H] = value, where the name begins with bias_ih",
    ),
)
def check_forget_bias(draw, D, H, layers, bidirectional, value):
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
    lstm = nn.LSTM(D, H, num_layers=layers, bidirectional=bidirectional)
    return _unlike(lstm, draw), value


@exercise(
    "As many as nn.LSTM(D, H) has: four times an RNN's.",
    result="the count",
    cases=({"D": 3, "H": 5}, {"D": 10, "H": 7}, {"D": 1, "H": 6}),
    right=lambda D, H: 4 * H * (D + H + 2),
    mistakes={
        "this is a plain RNN's: an LSTM has four such sets.": lambda D, H: H * (D + H + 2),
        "PyTorch keeps two biases for each gate.": lambda D, H: 4 * H * (D + H + 1),
        "the biases are missing.": lambda D, H: 4 * H * (D + H),
        "two biases of H numbers belong to each of the four sets.": (
            lambda D, H: 4 * H * (D + H) + 2 * H
        ),
        "a bias is H numbers, not one.": lambda D, H: 4 * H * (D + H) + 8,
        "g has weights of its own too: there are four sets, not three.": (
            lambda D, H: 3 * H * (D + H + 2)
        ),
        "the cell state c has no weights: there are four sets, not five.": (
            lambda D, H: 5 * H * (D + H + 2)
        ),
        "the recurrent matrices have H columns each, not 4 H.": (
            lambda D, H: 4 * H * D + 16 * H * H + 8 * H
        ),
        "the recurrent matrices are missing.": lambda D, H: 4 * H * (D + 2),
        "the input matrices are missing.": lambda D, H: 4 * H * (H + 2),
        "the recurrent matrices are four as well.": lambda D, H: 4 * H * D + H * H + 8 * H,
    },
    hints=(
        "Count a plain RNN first. How many sets like it does an LSTM have?",
        "i, f, g and o each have a (D, H) and an (H, H) matrix, and two biases of H numbers.",
        "4 * (H * D + … + 2 * H)",
    ),
)
def check_lstm_parameters(draw, D, H):
    """Check ``count(D, H)``, the number of parameters of nn.LSTM(D, H).

    Parameters
    ----------
    count : callable

    Returns
    -------
    Verdict
    """
    return D, H
