"""A playground: two or three units whose every weight and input is in the reader's hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

import rnnlib.layers as layers
from rnnlib.gradients import gradient_by_lag
from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing, letters, number
from rnnlib.page.live.figure import Choice, Slider, Text, live
from rnnlib.page.live.plot import UPRIGHT, Axes, hundredths, line, short

T = 24
LEGENDS = {
    "RNN": ("state h",),
    "LSTM": ("input gate i", "forget gate f", "candidate g", "output gate o"),
    "GRU": ("reset gate r", "update gate z", "candidate n"),
}
GATES = {"RNN": (), "LSTM": (0, 1, 3), "GRU": (0, 1)}
"""Which of them lie between 0 and 1, and are drawn."""
GAINS = "0 0.25 0.5 0.75 0.9 1 1.1 1.25 1.5 2 3".split()
STATE = Axes(34, 46, 446, 186, (0.5, T + 0.5), (-2, 2))
LAG = Axes(46, 248, 446, 348, (0, T - 1), (-8, 4), log=True)
GATE_TOP, GATE_HIGH = 408, 20
DASHES = ("", 'stroke-dasharray="7 5"', 'stroke-dasharray="2 4"')


@dataclass(frozen=True)
class Setting:
    """All that the playground holds.

    Parameters
    ----------
    layer : {"RNN", "LSTM", "GRU"}
    w : sequence of float
        For each gate, in PyTorch's order: a row of weights from x, a row from each unit, a row of
        biases; a number for each unit in a row.
    x : sequence of float
        The first inputs, one number a step; all others are 0.
    units : {2, 3}
    gain : float, default 1
        A factor on all weights from units.
    """

    layer: str
    w: Sequence[float]
    x: Sequence[float] = field(default=(1,))
    units: int = 2
    gain: float = 1

    def text(self) -> str:
        """Return it as an address has it."""
        x, w = (",".join(f"{value:g}" for value in values) for values in (self.x, self.w))
        return f"layer={self.layer}&units={self.units}&gain={self.gain:g}&x={x}&w={w}"

    def network(self) -> tuple[torch.nn.Module, Tensor]:
        """Return the layer, in float64, and what it reads, (T, 1, 1)."""
        H, gates = self.units, len(LEGENDS[self.layer])
        w = torch.tensor(self.w, dtype=torch.float64).view(gates, H + 2, H)
        x = torch.zeros(T, 1, 1, dtype=torch.float64)
        x[: len(self.x), 0, 0] = torch.tensor(self.x, dtype=torch.float64)
        with torch.random.fork_rng(devices=[]):  # no draw here may change the reader's next
            layer = getattr(layers, self.layer)(1, H, dtype=torch.float64)
        with torch.no_grad():
            layer.weight_ih_l0.copy_(w[:, 0].reshape(-1, 1))
            layer.weight_hh_l0.copy_(self.gain * w[:, 1:-1].transpose(1, 2).reshape(-1, H))
            layer.bias_ih_l0.copy_(w[:, -1].flatten())
            layer.bias_hh_l0.zero_()
        return layer, x


def _alone(*gates: tuple[tuple, tuple]) -> list[float]:
    """Return the weights of two units that see x alone: for each gate those, and the biases."""
    return [value for from_x, biases in gates for value in (*from_x, 0, 0, 0, 0, *biases)]


NAMED = {
    "keep what was loud": Setting(
        "LSTM",
        _alone(((10, 10), (-5, -5)), ((0, 0), (6, 1)), ((1, 1), (0, 0)), ((0, 0), (4, 4))),
        (1, 0, 0.2, -0.3, 0.1, 0, -0.2, 0.2),
    ),
    "fade": Setting("RNN", [0.5, 0.5, 0.9, 0, 0, 0.5, 0, 0]),
    "explode": Setting("RNN", [1, 0, 1.25, 0, 0, 1.25, 0, 0], (0,)),
    "turn": Setting("RNN", [0.1, 0, 0.87, 0.5, -0.5, 0.87, 0, 0]),
    "three steps of memory": Setting(
        "RNN", [0, 0, 0.5, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0], (1, 0, 0, 0, 0, 0, -1), units=3
    ),
    "count": Setting(
        "LSTM",
        _alone(((0, 0), (8, 8)), ((0, 0), (8, 3)), ((0.2, 0.2), (0, 0)), ((0, 0), (8, 8))),
        (1, 0, 1, 1, 0, 0, 1, 0, 1, 1, 0, 1),
    ),
    "take or leave": Setting(
        "GRU",
        _alone(((0, 0), (0, 0)), ((-12, 0), (6, 0)), ((1, 1), (0, 0))),
        (1, 0, 0, 0, -1, 0, 0, 0, 0.6),
    ),
}
"""The settings that have a name. A page links to one as ``playground.md#its-name``."""


@dataclass(frozen=True)
class Weights:
    """A box for each number of each gate, of which the script shows those in use."""

    setting: Setting

    def html(self) -> str:
        """Return its markup."""
        H, names = self.setting.units, LEGENDS[self.setting.layer]
        first = iter(f"{value:g}" for value in self.setting.w)
        return _STYLE + "".join(
            f'<fieldset class="weights gate{k}"><legend class="legend{k}">'
            f"{names[k] if k < len(names) else ''}</legend><table>"
            + "".join(
                f"<tr{_third(row == 'h3')}><th>{label}</th>"
                + "".join(
                    f"<td{_third(j == 3)}>"
                    + _box(k, row, j, next(first) if k < len(names) and max(j, unit) <= H else "0")
                    + "</td>"
                    for j in (1, 2, 3)
                )
                + "</tr>"
                for row, label, unit in _ROWS
            )
            + "</table></fieldset>"
            for k in range(4)
        )


_ROWS = (
    ("x", "from x", 0),
    ("h1", "from 1", 1),
    ("h2", "from 2", 2),
    ("h3", "from 3", 3),
    ("b", "bias", 0),
)
_STYLE = (
    "<style>.rnn-drawing [hidden]{display:none!important}"
    ".rnn-drawing .weights{border:0;margin:0;padding:0;min-width:0}"
    ".rnn-drawing .weights legend{float:none;width:auto;padding:0;font-weight:600}"
    ".rnn-drawing .weights table{margin:0;border:0}"
    ".rnn-drawing .weights :is(tr,th,td){border:0;padding:.1rem .2rem;background:none;"
    "font-weight:400;text-align:left;color:inherit}"
    ".rnn-drawing .weights label span{position:absolute;clip-path:inset(50%)}"
    ".rnn-drawing .weights label{position:relative}"
    ".rnn-drawing [type=number]{width:4.2rem;height:2rem}</style>"
)


def _third(yes: bool) -> str:
    return ' class="third"' if yes else ""


def _box(k: int, row: str, unit: int, value: str) -> str:
    source = dict((name, label) for name, label, _ in _ROWS)[row]
    return (
        f'<label><span>{source} to unit {unit}</span><input type="number" step="0.1" '
        f'name="w{k}{row}{unit}" value="{value}" autocomplete="off"/></label>'
    )


def playground() -> Drawing:
    """Draw state, gates and gradient of a small network; every number of it can be changed.

    Returns
    -------
    Drawing
    """
    setting = next(iter(NAMED.values()))
    layer, x = setting.network()
    lengths = gradient_by_lag(layer, x, loss=lambda h: h[:, 0].sum()).tolist()
    h, c, gates = history(layer, x)
    pen, ground = Pen(), Pen()
    STATE.draw(pen, (1, 6, 12, 18, 24), (-2, -1, 0, 1, 2), "step t")
    LAG.draw(pen, (0, 5, 10, 15, 20), (-8, -4, 0, 4), "lag n")
    for left, top, css, colour, words in (
        (STATE.left, STATE.top - 24, "given", "input", "input x (bars)"),
        (STATE.left + 110, STATE.top - 24, "ink", "state", "state h; cell state c (thin)"),
        (STATE.left, STATE.top - 8, "ink", "state", "unit 1 solid, 2 dashed, 3 dotted"),
        (LAG.left, LAG.top - 8, "backward", "gradient", "length of unit 1’s gradient"),
        (LAG.left, GATE_TOP - 4, "out", "output", "gates, from 0 to 1, step by step"),
    ):
        ink = f'class="{css}" fill="{letters(COLOURS[colour])}" {UPRIGHT}'
        pen.text(words, left, top, 13, "start", ink)
    bars = "".join(
        "M{} {}V{}".format(*map(number, (*STATE.at(t, 0), STATE.at(t, value)[1])))
        for t, value in enumerate(setting.x, 1)
    )
    ground.path(bars, f'class="inputs" stroke="{COLOURS["input"]}" stroke-width="8" opacity=".85"')
    for kind, values, width in (("c", c, 1), ("h", h, 2.5)):
        for j, dashes in enumerate(DASHES):
            on = j < setting.units and values is not None
            points = (STATE.at(t, row[j]) for t, row in enumerate(values, 1)) if on else ()
            ink = f'class="{kind}{j + 1}" stroke="{COLOURS["state"]}" stroke-width="{width}"'
            ground.path(line(points) if on else "", f"{ink} {dashes}")
    pen.parts.append(STATE.inside("".join(ground.parts)))
    for g in range(3):
        for j in range(3):
            _gate(pen, setting, gates, g, j)
    points = (LAG.at(n, value) for n, value in enumerate(lengths))
    pen.path(line(points), f'class="length" stroke="{COLOURS["gradient"]}" stroke-width="2.5"')
    rows = [", ".join(map(hundredths, values[-1].tolist())) for values in (h, c)]
    return live(
        "A network of two or three units, to play with",
        "Above, against the step, the inputs as bars and the state of each unit as a line. In the "
        "middle, on a logarithmic axis against the lag, the length of the gradient of the first "
        "unit’s last state. Below, a row of bars for each gate of each unit. At first an LSTM of "
        "two units: its first unit keeps the first input to the end, the second forgets it.",
        "".join(pen.parts),
        (460, GATE_TOP + 9 * GATE_HIGH + 8),
        [
            Choice("named", "setting", (*NAMED, "your own")),
            Choice("layer", "layer", tuple(sorted(LEGENDS, key=setting.layer.__ne__))),
            Choice("units", "units", ("2", "3")),
            Slider("gain", "factor on weights from units", GAINS, "1"),
            Text("x", f"inputs, then 0 up to step {T}", " ".join(f"{v:g}" for v in setting.x)),
            Weights(setting),
        ],
        {
            "state": STATE.data(),
            "lag": LAG.data(),
            "named": {name: setting.text() for name, setting in NAMED.items()},
            "gateTop": GATE_TOP,
            "gateHigh": GATE_HIGH,
            "legends": LEGENDS,
        },
        ("plot", "cells", "typed", "playground"),
        f"After {T} steps <i>h</i> is ({rows[0]}), <i>c</i> is ({rows[1]}). At lag {T - 1} the "
        f"gradient’s length is {short(lengths[-1])}.",
        zoom=1.15,
    )


def history(layer: torch.nn.Module, x: Tensor) -> tuple[Tensor, Tensor | None, Tensor]:
    """Return h and c at every step, (T, H), and the gates, (T, gates, H); c is None without one."""
    kind, H = type(layer).__name__, layer.hidden_size
    W_x, W_h, b = layer.weight_ih_l0.T, layer.weight_hh_l0.T, layer.bias_ih_l0
    hs, cs, gates, state = [], [], [], None
    with torch.no_grad():
        for x_t in x:
            before = x.new_zeros(1, H) if state is None else hs[-1][None]
            a = (x_t @ W_x + before @ W_h + b).view(-1, H)
            gates.append(torch.sigmoid(a[list(GATES[kind])]))
            output, state = layer(x_t[None], state)
            hs.append(output[0, 0])
            cs.append(state[1][0, 0] if kind == "LSTM" else None)
    return torch.stack(hs), torch.stack(cs) if kind == "LSTM" else None, torch.stack(gates)


def _gate(pen: Pen, setting: Setting, gates: Tensor, g: int, j: int) -> None:
    """Draw the row of one gate of one unit, if there is one."""
    on = g < len(GATES[setting.layer]) and j < setting.units
    base = GATE_TOP + (g * setting.units + j + 1) * GATE_HIGH
    (left, _), (right, _) = STATE.at(1, 0), STATE.at(2, 0)
    wide = (right - left) * 0.7
    data = "".join(
        f"M{number(left + t * (right - left) - wide / 2)} {number(base)}"
        f"v{number(-value * (GATE_HIGH - 5))}h{number(wide)}V{number(base)}"
        for t, value in enumerate(gates[:, g, j].tolist() if on else ())
    )
    pen.path(data, f'class="gate-{g}{j}" style="fill:{COLOURS["output"]}"')
    letter = LEGENDS[setting.layer][GATES[setting.layer][g]][-1] if on else ""
    ink = f'class="name-{g}{j}" font-size="14"'
    pen.add("text", f"{letter}{j + 1}" if on else "", f'{ink} y="{number(base)}" x="16"')
