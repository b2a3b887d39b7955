"""A forecast whose origin, horizon and window can be moved: one step ahead proves nothing."""

import json
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from rnnlib.data.series import Scale, mackey_glass, rolling_origins, windows
from rnnlib.models.forecasts import Linear, iterate, persistence, rmse
from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen, element
from rnnlib.page.drawing import Drawing, letters, number
from rnnlib.page.live.figure import Slider, live
from rnnlib.page.live.plot import UPRIGHT, Axes, hundredths, line
from rnnlib.page.live.weights import decoded

NUM_STEPS, NUM_TRAIN, HORIZON = 3500, 1500, 100
ORIGINS = rolling_origins(NUM_STEPS, first=2099, horizon=HORIZON, every=5)
"""Those of chapter 15."""
WIDTHS = (1, 2, 3, 5, 8, 12, 17, 20, 30, 40, 60, 100)
"""Steps that a line may read."""
BEFORE = max(WIDTHS) - 1
"""So many steps before the first origin the page has."""
NETWORK_WIDTH, UNITS = 20, 16
KEPT = Path(__file__).with_suffix(".json")
"""Written by tools/forecast_weights.py: the part of the series, the lines and the network.

Whole numbers of eight bits would make the network three times worse 84 steps ahead."""
HORIZONS = "1 2 3 5 8 12 17 25 35 42 50 60 72 84 100".split()
START = {"horizon": 1, "width": 20, "origin": 2149}
SERIES = Axes(34, 26, 446, 186, (-BEFORE, HORIZON), (-3, 3))
SCORES = Axes(46, 254, 446, 384, (1, HORIZON), (-4, 1), log=True)
CURVES = {
    "persistence": 'stroke="currentColor" stroke-dasharray="5 4" opacity=".7"',
    "line": f'stroke="{COLOURS["input"]}" stroke-width="2"',
    "network": f'stroke="{COLOURS["output"]}" stroke-width="2"',
}


def chapter_series() -> Tensor:
    """Return chapter 15's series, (T,), scaled by its training part."""
    series = mackey_glass(NUM_STEPS)
    return Scale.of(series[:NUM_TRAIN]).apply(series)


def page_part(series: Tensor) -> Tensor:
    """Return what the page has of a series: all that is known or asked at an origin."""
    return series[ORIGINS[0] - BEFORE : ORIGINS[-1] + HORIZON + 1]


def make() -> nn.Sequential:
    """Make the network, untrained: chapter 15's MLP on windows, with half its units."""
    layers = nn.Linear(NETWORK_WIDTH, UNITS), nn.Tanh(), nn.Linear(UNITS, UNITS), nn.Tanh()
    return nn.Sequential(*layers, nn.Linear(UNITS, 1))


@cache
def kept() -> dict:
    """Return the file of what tools/forecast_weights.py has found."""
    return json.loads(KEPT.read_text(encoding="utf-8"))


def forecasters() -> dict:
    """Return what forecasts the next step: a line under each width, and the network."""
    with torch.random.fork_rng(devices=[]):  # no draw here may change the reader's next
        network = make().double()
    for name, parameter in network.state_dict().items():
        parameter.copy_(decoded(kept()["network"][name], "<f4").view_as(parameter))
    found = {"network": network}
    for width in WIDTHS:
        weights = decoded(kept()["lines"][str(width)], "<f8")
        found[width] = Linear(weights[:width, None], weights[width:])
    return found


@torch.no_grad()
def forecasts(width: int) -> tuple[dict[str, Tensor], Tensor]:
    """Forecast from every origin.

    Parameters
    ----------
    width : int
        Steps that the line reads, one of `WIDTHS`.

    Returns
    -------
    forecasts : dict of str to Tensor, (M, H) each
        "persistence", "line" and "network".
    truth : Tensor, (M, H)
    """
    series, step = decoded(kept()["series"], "<f4"), forecasters()
    origins = ORIGINS - ORIGINS[0] + BEFORE
    x, truth = windows(series, origins, width=max(WIDTHS), horizon=HORIZON)
    return {
        "persistence": persistence(x, HORIZON),
        "line": iterate(step[width], x[:, -width:], HORIZON),
        "network": iterate(step["network"], x[:, -NETWORK_WIDTH:], HORIZON),
    }, truth


def move_forecast() -> Drawing:
    """Draw forecasts from one origin, and their errors at every horizon over all origins.

    Returns
    -------
    Drawing
    """
    horizon, width, origin = START.values()
    found, truth = forecasts(width)
    errors = {name: rmse(forecast, truth).tolist() for name, forecast in found.items()}
    row = ORIGINS.tolist().index(origin)
    at = origin - ORIGINS[0].item() + BEFORE
    around = decoded(kept()["series"], "<f4")[at - BEFORE : at + HORIZON + 1].tolist()
    pen, ground = Pen(), Pen()
    SERIES.draw(pen, range(-80, 101, 40), (-2, 0, 2), "steps from the origin")
    SCORES.draw(pen, (1, 17, 50, 84, 100), (-4, -3, -2, -1, 0, 1), "horizon")
    legend = "truth; persistence, dashed; "
    for words, css, name in (
        ("line and its window", "given", "input"),
        ("network", "out", "output"),
    ):
        legend += element("tspan", words, class_=css, fill=letters(COLOURS[name]))
        legend += "; " * (name == "input")
    pen.text(legend, SERIES.left, SERIES.top - 10, 13, "start", UPRIGHT)
    over = f"error over {len(ORIGINS)} origins"
    pen.text(over, SCORES.left, SCORES.top - 10, 13, "start", UPRIGHT)
    band = f'class="window" fill="{COLOURS["input"]}" fill-opacity=".2"'
    ground.add("path", more=band, d=_band(width))
    ground.path(line(SERIES.at(n - BEFORE, v) for n, v in enumerate(around)), _TRUTH)
    for name, ink in CURVES.items():
        forecast = enumerate([around[BEFORE], *found[name][row].tolist()])
        ground.path(line(SERIES.at(h, v) for h, v in forecast), f'class="{name}" {ink}')
        curve = line(SCORES.at(h, error) for h, error in enumerate(errors[name], 1))
        pen.path(curve, f'class="{name}-error" {ink}')
    for name, axes in (("ahead", SERIES), ("asked", SCORES)):
        x = number(axes.at(horizon, 1)[0])
        mark = f'class="{name}" stroke="currentColor" stroke-dasharray="2 3"'
        pen.path(f"M{x} {axes.top}V{axes.bottom}", mark)
    pen.parts.append(SERIES.inside("".join(ground.parts)))
    off = [f"{errors[name][horizon - 1]:.4f}" for name in CURVES]
    said = [hundredths(found[name][row, horizon - 1].item()) for name in CURVES]
    return live(
        "A forecast to be moved: origin, horizon and window",
        f"Above, a series around step {origin}, and three forecasts of its next {HORIZON} steps: "
        "persistence, level; a line, which loses the series after some ten steps; and a network, "
        "which stays on it. Below, on a logarithmic axis against the horizon, their errors: one "
        "and two steps ahead that of the line is the smallest, from three on that of the network.",
        "".join(pen.parts),
        (460, 424),
        [
            Slider("horizon", "horizon", HORIZONS, str(horizon)),
            Slider("width", "steps that the line reads", WIDTHS, str(width)),
            Slider("origin", "origin", ORIGINS[::5].tolist(), str(origin)),
        ],
        {
            **kept(),
            "first": ORIGINS[0].item() - BEFORE,
            "origins": ORIGINS.tolist(),
            "before": BEFORE,
            "steps": HORIZON,
            "plot": SERIES.data(),
            "scores": SCORES.data(),
        },
        ("plot", "cells", "weights", "forecast"),
        f"{horizon} step ahead, over {len(ORIGINS)} origins, persistence is off by {off[0]}, the "
        f"line by {off[1]}, the network by {off[2]}. From origin {origin} the truth there is "
        f"{hundredths(around[BEFORE + horizon])}; they say {said[0]}, {said[1]} and {said[2]}.",
        zoom=1.15,
    )


_TRUTH = 'class="truth" stroke="currentColor" stroke-width="1.2"'


def _band(width: int) -> str:
    """Return the outline of the steps that a line reads."""
    left, right = (SERIES.at(x, 0)[0] for x in (0.5 - width, 0.5))
    return f"M{number(left)} {SERIES.top}V{SERIES.bottom}H{number(right)}V{SERIES.top}z"
