"""How far a gradient reaches back: in a plain RNN, an LSTM and a GRU, as their settings move."""

import math

import torch
from torch import Tensor

import rnnlib.layers as layers
from rnnlib.gradients import gradient_by_lag
from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing, letters
from rnnlib.page.live.figure import Choice, Slider, live
from rnnlib.page.live.plot import UPRIGHT, Axes, hundredths, line, short
from rnnlib.page.live.weights import encoded

T, D, H = 51, 3, 16
GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}
MEMORY = {"RNN": None, "LSTM": 1, "GRU": 1}
"""Which gate says how much of the state stays: f of i, f, g, o; z of r, z, n."""
PLOT = Axes(52, 28, 446, 268, (0, 50), (-12, 6), log=True)
INPUTS = "0 0.01 0.1 0.3 1 3 10 30".split()
START = {
    "RNN": {"gain": 0.9, "inputs": 0.01, "kind": "tanh"},
    "LSTM": {"gain": 1.0, "inputs": 1.0, "bias": 0.0},
    "GRU": {"gain": 1.0, "inputs": 1.0, "bias": 0.0},
}


def lag_network(layer: str, *, gain=1.0, inputs=1.0, bias=0.0, kind="tanh"):
    """Make the network of the figure with these settings, and what it reads.

    Parameters
    ----------
    layer : {"RNN", "LSTM", "GRU"}
    gain : float, default 1.0
        A factor on W_hh: an orthogonal matrix for an RNN, for the others PyTorch's start.
    inputs : float, default 1.0
        The standard deviation of the inputs.
    bias : float, default 0.0
        Of the gate that keeps the state: forget gate or update gate. All others are 0.
    kind : {"tanh", "relu"}
        The nonlinearity of an RNN.

    Returns
    -------
    layer, x, u : Module, Tensor (T, 1, D), Tensor (H,)
        In float64, and the direction in h_T of the error that walks back.

    Raises
    ------
    ValueError
        For another layer.
    """
    if layer not in GATES:
        raise ValueError(f"layer: expected one of {', '.join(GATES)}, got {layer!r}")
    W_x, W_h, x, u = _numbers(layer)
    options = {"nonlinearity": kind} if layer == "RNN" else {}
    with torch.random.fork_rng(devices=[]):  # no draw here may change the reader's next
        made = getattr(layers, layer)(D, H, dtype=torch.float64, **options)
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.zero_()
        made.weight_ih_l0.copy_(torch.cat(list(W_x), dim=1).T)
        made.weight_hh_l0.copy_(gain * torch.cat(list(W_h), dim=1).T)
        if layer != "RNN":
            made.bias_ih_l0[H : 2 * H] = bias
    return made, inputs * x, u


def _numbers(layer: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return W_x (gates, D, H), W_h (gates, H, H), x (T, 1, D) and u (H,)."""
    generator = torch.Generator().manual_seed(0)
    double = {"dtype": torch.float64, "generator": generator}
    gates, width = GATES[layer], 1 / math.sqrt(H)
    x = torch.randn(T, 1, D, **double).round(decimals=2)
    u = torch.randn(H, **double)
    W_x = width * (2 * torch.rand(gates, D, H, **double) - 1)
    W_h = width * (2 * torch.rand(gates, H, H, **double) - 1)
    if layer == "RNN":
        W_h = torch.linalg.qr(W_h)[0]
    # Rounded, so that every processor writes the same figure.
    return W_x, W_h.round(decimals=12), x, (u / u.norm()).round(decimals=12)


def gradient_lag(layer: str = "RNN") -> Drawing:
    """Draw the gradient's length against the lag; what the network is like can be moved.

    Parameters
    ----------
    layer : {"RNN", "LSTM", "GRU"}, default "RNN"
        For an RNN the gain of W_hh, the inputs and the nonlinearity move; for the others the bias
        of the gate that keeps the state, a factor on W_hh, and the inputs.

    Returns
    -------
    Drawing

    Raises
    ------
    ValueError
        For another layer.
    """
    network, x, u = lag_network(layer, **START.get(layer, {}))
    lengths = gradient_by_lag(network, x, loss=lambda h: h @ u).tolist()
    start = START[layer]
    factor = start["gain"] if layer == "RNN" else 1 / (1 + math.exp(-start["bias"]))
    powers = [factor**n for n in range(T)]
    words = "the gain to the power n" if layer == "RNN" else "σ(bias) to the power n"
    pen = Pen()
    PLOT.draw(pen, range(0, 51, 10), range(-12, 7, 3), "lag n")
    orange = f'class="backward" fill="{letters(COLOURS["gradient"])}" {UPRIGHT}'
    pen.text("length of the gradient", PLOT.left, PLOT.top - 8, 13, "start", orange)
    pen.words(PLOT.left + 160, PLOT.top - 12, f"{words}, dashed", size=13, anchor="start")
    for kind, ink, values in (
        ("power", 'stroke="currentColor" stroke-dasharray="6 5"', powers),
        ("length", f'stroke="{COLOURS["gradient"]}" stroke-width="2.5"', lengths),
    ):
        points = (PLOT.at(n, value) for n, value in enumerate(values))
        pen.path(line(points), f'class="{kind}" {ink}')
    W_x, W_h, x, u = _numbers(layer)
    data = {
        "layer": layer,
        "plot": PLOT.data(),
        "x": x[:, 0].tolist(),
        "W_x": [encoded(part, "<f8") for part in W_x],
        "W_h": [encoded(part, "<f8") for part in W_h],
        "u": encoded(u, "<f8"),
        "memory": MEMORY[layer],
    }
    said = (
        f"At lag {T - 1} the gradient’s length is {short(lengths[-1])}. The power "
        f"{hundredths(factor)}<sup>{T - 1}</sup> is {short(powers[-1])}."
    )
    return live(
        f"How far the gradient of {'an' if layer != 'GRU' else 'a'} {layer} reaches",
        f"The length of the gradient against the lag, from 0 to {T - 1}, on a logarithmic axis, "
        f"in a network of {H} units, and beside it, dashed, {words}.",
        "".join(pen.parts),
        (460, 306),
        _controls(layer),
        data,
        ("plot", "cells", "weights", "lag"),
        said,
        zoom=1.15,
    )


def _controls(layer: str) -> list[Slider | Choice]:
    start = START[layer]
    inputs = Slider("inputs", "inputs", INPUTS, f"{start['inputs']:g}")
    if layer == "RNN":
        gains = [f"{n / 20:g}" for n in range(10, 31)]
        kinds = Choice("kind", "nonlinearity", ("tanh", "relu"))
        return [Slider("gain", "gain", gains, "0.9"), inputs, kinds]
    gate = "forget bias" if layer == "LSTM" else "update bias"
    biases = ("-2", "-1", "0", "1", "2", "3", "4", "5")
    return [
        Slider("bias", gate, biases, "0"),
        Slider("gain", "factor on W<sub>hh</sub>", "1 2 3 4 5 6 8".split(), "1"),
        inputs,
    ]
