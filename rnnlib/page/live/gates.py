"""A puzzle: an LSTM of one unit, whose gates the reader opens and shuts by hand."""

import numpy as np

from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import Drawing, letters, number
from rnnlib.page.live.figure import Boxes, live
from rnnlib.page.live.plot import UPRIGHT, Axes, hundredths, line

CANDIDATES = (0.6, 0.3, -0.4, 0.9, -1.0, 0.2, -0.7, 0.5, -0.3, 0.8)
T = len(CANDIDATES)
PLOT = Axes(34, 28, 446, 228, (0.5, T + 0.5), (-2, 2))
GATES = {"i": "input gate i", "f": "forget gate f", "o": "output gate o"}


def gates_by_hand() -> Drawing:
    """Draw a cell that adds up all it reads; its gates are boxes to tick.

    The task: carry the first number to the last step, past the −1, and show it only there.

    Returns
    -------
    Drawing
    """
    sums = np.cumsum(CANDIDATES)
    pen = Pen()
    PLOT.draw(pen, range(1, T + 1), (-2, -1, 0, 1, 2), "step t")
    for left, name, css, words in (
        (0, "input", "given", "candidate g (bars)"),
        (150, "state", "ink", "cell state c (thin)"),
        (290, "state", "ink", "hidden state h"),
    ):
        ink = f'class="{css}" fill="{letters(COLOURS[name])}" {UPRIGHT}'
        pen.text(words, PLOT.left + left, PLOT.top - 8, 13, "start", ink)
    for t, g in enumerate(CANDIDATES, 1):
        (x, y), (_, zero) = PLOT.at(t, g), PLOT.at(t, 0)
        data = f"M{number(x)} {number(zero)}V{number(y)}"
        pen.path(data, f'stroke="{COLOURS["input"]}" stroke-width="10" opacity=".85"')
    for name, width, values in (("cell", 1.2, sums), ("shown", 2.8, np.tanh(sums))):
        points = (PLOT.at(t, value) for t, value in enumerate(values, 1))
        ink = f'class="{name}" stroke="{COLOURS["state"]}" stroke-width="{width}"'
        pen.path(line(points), ink)
    early = ", ".join(str(t) for t in range(1, T) if abs(sums[t - 1]) > 1e-9)
    said = (
        f"<i>c</i><sub>{T}</sub> is {hundredths(sums[-1])}, wanted {hundredths(CANDIDATES[0])}. "
        f"<i>h</i> speaks too early, at steps {early}."
    )
    return live(
        "An LSTM of one unit, its gates set by hand",
        f"Ten candidates g_t as bars: {', '.join(map(str, CANDIDATES))}. With all gates open the "
        "cell state c_t, a line, is their sum so far, and h_t, another, is its tanh.".replace(
            "-", "−"
        ),
        "".join(pen.parts),
        (460, 266),
        [Boxes(name, label, T) for name, label in GATES.items()],
        {"g": CANDIDATES, "plot": PLOT.data()},
        ("plot", "gates"),
        said,
        zoom=1.15,
    )
