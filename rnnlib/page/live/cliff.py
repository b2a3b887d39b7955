"""The cliff: gradient descent on one unit, with the rate and the threshold in the reader's hand."""

from collections.abc import Callable

import numpy as np
from contourpy import contour_generator

from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing, letters, number
from rnnlib.page.live.figure import Slider, live
from rnnlib.page.live.plot import UPRIGHT, Axes, hundredths, line, short

MAP = Axes(46, 28, 440, 308, (-0.7, 0.2), (1.7, 2.6))
CURVE = Axes(46, 378, 440, 538, (0, 3600), (-5, 3), log=True)
RATES = "0.001 0.002 0.005 0.01 0.015 0.02 0.03 0.05 0.1 0.3".split()
THRESHOLDS = "0.01 0.03 0.1 0.3 1 3 10 30 100 none".split()
UPDATES = "100 300 600 900 980 988 989 990 991 1000 1050 1200 1800 2400 3000 3600".split()
START = {"rate": "0.015", "threshold": "none", "updates": "1200"}


def cliff(loss_and_gradient: Callable, descend: Callable) -> Drawing:
    """Draw the loss of one unit as a map, and a run on it; its settings can be moved.

    Parameters
    ----------
    loss_and_gradient : callable
        Takes w and b, arrays of one shape, and returns E and its gradient.
    descend : callable
        Takes `max_norm`, `updates` and `lr`, and returns losses and lengths of the gradient before
        each update, (updates,), and places (w, b), (updates, 2).

    Returns
    -------
    Drawing
    """
    losses, norms, way = descend(updates=int(START["updates"]) + 1)
    pen = Pen()
    MAP.draw(pen, (-0.6, -0.4, -0.2, 0), (1.8, 2, 2.2, 2.4), "bias b", "weight w")
    CURVE.draw(pen, (0, 1200, 2400, 3600), (-4, -2, 0, 2), "updates")
    pen.words(CURVE.left, CURVE.top - 12, "loss", size=13, anchor="start")
    orange = f'class="backward" fill="{letters(COLOURS["gradient"])}" {UPRIGHT}'
    pen.text("length of the gradient", CURVE.left + 40, CURVE.top - 8, 13, "start", orange)

    ground = Pen()
    _landscape(ground, loss_and_gradient)
    ground.words(MAP.left + 60, MAP.bottom - 30, "plateau", size=13)
    _curve(ground, "way", COLOURS["accent"], (MAP.at(b, w) for w, b in way))
    x, y = MAP.at(way[-1, 1], way[-1, 0])
    dot = f'class="here" fill="{COLOURS["accent"]}"'
    ground.add("circle", more=f'{dot} cx="{number(x)}" cy="{number(y)}" r="6"')
    pen.parts.append(MAP.inside("".join(ground.parts)))
    for name, colour, values in (
        ("loss", "currentColor", losses),
        ("length", COLOURS["gradient"], norms),
    ):
        _curve(pen, name, colour, (CURVE.at(n, value) for n, value in enumerate(values)))

    w, b = way[-1]
    said = (
        f"After {START['updates']} updates the loss is {short(losses[-1])} and the gradient’s "
        f"length {short(norms[-1])}, at w = {hundredths(w)} and b = {hundredths(b)}, outside the "
        f"map. The longest gradient so far: {short(norms.max())}."
    )
    return live(
        "A cliff, and a run that meets it",
        "A map over the bias b and the weight w, with lines of equal loss and a grey plateau that "
        "ends in a straight diagonal edge. The way of a run leads down to that edge, where it is "
        "thrown off the map. Below, on a logarithmic axis against the updates, its loss and the "
        "length of its gradient, which rises a thousandfold at the edge.",
        "".join(pen.parts),
        (460, 578),
        [
            Slider("rate", "learning rate", RATES, START["rate"]),
            Slider("threshold", "threshold", THRESHOLDS, START["threshold"]),
            Slider("updates", "updates", UPDATES, START["updates"]),
        ],
        {"map": MAP.data(), "curve": CURVE.data()},
        ("plot", "cliff"),
        said,
        zoom=1,
    )


def _curve(pen: Pen, name: str, colour: str, points) -> None:
    ink = f'class="{name}" stroke="{colour}" stroke-width="2"'
    pen.path(line(points), ink)


def _landscape(pen: Pen, loss_and_gradient: Callable) -> None:
    """Draw lines of equal loss, and the ground where it is above 1."""
    b, w = np.meshgrid(np.linspace(*MAP.x, 150), np.linspace(*MAP.y, 150))
    height = np.log10(loss_and_gradient(w, b)[0] + 1e-9)
    levels = contour_generator(b, w, height)
    for outline in levels.filled(0, 2)[0]:
        ink = 'fill="currentColor" fill-opacity=".15" stroke="none"'
        pen.add("path", more=ink, d=line((MAP.at(*point) for point in outline), 6) + "z")
    for level in (-2, -1.5, -1):
        for points in levels.lines(level):
            ink = 'stroke="currentColor" stroke-width=".8" opacity=".5"'
            pen.path(line((MAP.at(*point) for point in points), 6), ink)
