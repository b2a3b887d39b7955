"""What the reader types, read by a small network: what may come next, and what one unit does."""

import json
import math
from functools import cache
from html import escape
from pathlib import Path

import torch
from torch import Tensor

from rnnlib.data.vocabulary import Vocabulary
from rnnlib.layers import GRU
from rnnlib.models.characters import CharRNN
from rnnlib.models.sampling import probabilities
from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing, letters, number
from rnnlib.page.live.figure import Slider, Text, live
from rnnlib.page.live.plot import UPRIGHT, Axes, hundredths
from rnnlib.page.live.typed import percent, quoted, shown
from rnnlib.page.live.weights import unpack

WEIGHTS = Path(__file__).with_suffix(".json")
"""Written by tools/text_network.py; matrices are (from, to)."""
# No dollar signs: JupyterLab would set as mathematics what stands between two.
FIRST = "The layer `rnn` of the network"
UNIT = 37
"""The unit that it begins with: that which differs most where a formula or code is open."""
_SIGNED = (COLOURS["state"], COLOURS["backward"])
SHOWN, TOP = 32, 10
TEMPERATURES = "0.1 0.25 0.5 0.75 1 1.5 2 3".split()
PLOT = Axes(34, 62, 450, 152, (0.5, SHOWN + 0.5), (-1, 1))
BARS = (60, 206, 19, 300)
"""Where the bars begin, the height of the first, that of a row, and the length of all."""


@cache
def weights() -> dict:
    """Return the file of weights."""
    return json.loads(WEIGHTS.read_text(encoding="utf-8"))


def text_network() -> CharRNN:
    """Return the network of the figure, in float64, with the weights that the page has."""
    found = weights()
    E, W_x, W_h = (
        unpack(found["embedding"]),
        *(torch.cat([unpack(part).T for part in found[name]]) for name in "xh"),
    )
    with torch.random.fork_rng(devices=[]):  # no draw here may change the reader's next
        rnn = GRU(E.size(1), W_h.size(1), bias=False, batch_first=True, dtype=torch.float64)
        model = CharRNN(rnn, Vocabulary(tuple(found["symbols"])))
    with torch.no_grad():
        model.embedding.weight.copy_(E)
        rnn.weight_ih_l0.copy_(W_x)
        rnn.weight_hh_l0.copy_(W_h)
        model.readout.weight.copy_(unpack(found["readout"]).T)
        model.readout.bias.copy_(unpack(found["bias"])[0])
    return model.eval()


@torch.no_grad()
def read_text(model: CharRNN, text: str) -> tuple[Tensor, Tensor]:
    """Return the states, (T, H), and the scores, (T, V), after each character."""
    x = model.vocabulary.encode(text)[None]
    h, _ = model.rnn(model.embedding(x))
    return h[0], model.readout(h[0])


def type_text() -> Drawing:
    """Draw what may follow a text that the reader types, and one unit's state along it.

    Returns
    -------
    Drawing
    """
    model = text_network()
    known = model.vocabulary.symbols
    h, y = read_text(model, FIRST)
    values, p = h[-SHOWN:, UNIT - 1].tolist(), probabilities(y)
    likely = sorted(range(len(known)), key=lambda i: (-p[-1, i].item(), i))[:TOP]
    shares = p[-1, likely].tolist()
    pen = Pen()
    for words, top, css, colour in (
        ("the unit’s state after each character: orange below 0", 16, "ink", "state"),
        ("probability of the next character: the ten likeliest", 188, "out", "output"),
    ):
        ink = f'class="{css}" fill="{letters(COLOURS[colour])}" {UPRIGHT}'
        pen.text(words, PLOT.left, top, 13, "start", ink)
    PLOT.draw(pen, (), (-1, 0, 1))
    (start, zero), (after, _) = PLOT.at(0.5, 0), PLOT.at(1.5, 0)
    text = FIRST[-SHOWN:]
    for t in range(SHOWN):
        value = values[t] if t < len(text) else 0
        opacity = math.floor(50 * abs(value) + 0.5) / 100
        left, wide = start + t * (after - start), after - start
        fill = f'class="cell" fill="{_SIGNED[value < 0]}" fill-opacity="{opacity:g}"'
        pen.add("rect", more=fill, x=left, y=PLOT.top - 32, width=wide, height=24)
        ink = f'class="symbol" {UPRIGHT}'
        pen.text(
            escape(shown(text[t])) if t < len(text) else "", left + wide / 2, 48, 15, "middle", ink
        )
    bars = (
        f"M{number(PLOT.at(t, 0)[0])} {number(zero)}V{number(PLOT.at(t, value)[1])}"
        for t, value in enumerate(values, 1)
    )
    pen.path("".join(bars), f'class="unit" stroke="{COLOURS["state"]}" stroke-width="8"')
    left, first, high, wide = BARS
    bars = (f"M{left} {number(first + n * high)}h{number(s * wide)}" for n, s in enumerate(shares))
    pen.path("".join(bars), f'class="likely" stroke="{COLOURS["output"]}" stroke-width="12"')
    for n, (i, share) in enumerate(zip(likely, shares, strict=True)):
        baseline = first + n * high + 5
        pen.text(
            escape(shown(known[i])), left - 14, baseline, 15, "middle", f'class="name" {UPRIGHT}'
        )
        # Beyond the longest bar, where no bar can run into it.
        pen.text(percent(share), left + wide + 80, baseline, 13, "end", f'class="share" {UPRIGHT}')
    x = model.vocabulary.encode(FIRST)[1:]
    cost = -p[:-1].gather(1, x[:, None]).log2().mean().item()
    three = ", ".join(
        f"{quoted(known[i])} ({percent(s)})" for i, s in zip(likely[:3], shares[:3], strict=True)
    )
    return live(
        "A small network reads what you type",
        f"Above, the end of the text “{FIRST}”, each character on a ground coloured by the state "
        f"of unit {UNIT} after it, and below each a bar from −1 to 1 with that state. Below, bars "
        f"with the probabilities of the ten likeliest next characters: {three}, and seven more.",
        "".join(pen.parts),
        (460, BARS[1] + TOP * BARS[2]),
        [
            Text("text", "your text", FIRST),
            Slider("temperature", "temperature", TEMPERATURES, "1"),
            Slider("unit", "unit", range(1, h.size(1) + 1), str(UNIT), buttons=True),
        ],
        {"net": weights(), "top": TOP, "plot": PLOT.data(), "bars": BARS, "colours": _SIGNED},
        ("plot", "cells", "weights", "typed", "text"),
        f"After {quoted(FIRST[-1])} the likeliest are {three}. Unit {UNIT} is "
        f"{hundredths(values[-1])}. From the second character on, your text cost "
        f"{hundredths(cost)} bits a character.",
        zoom=1.15,
    )
