"""What figures draw before their scripts do: lines, axes and numbers, the same way."""

import math
from collections.abc import Iterable, Sequence

from rnnlib.page.diagrams.pen import Pen, element
from rnnlib.page.drawing import SANS, number

UPRIGHT = f'font-family="{SANS}" font-style="normal"'


def line(points: Iterable[tuple[float, float]], apart: float = 1) -> str:
    """Return path data; a point less than `apart` from the one before is left out."""
    points, kept = list(points), []
    for i, (x, y) in enumerate(points):
        if 0 < i < len(points) - 1 and max(abs(x - kept[-1][0]), abs(y - kept[-1][1])) < apart:
            continue
        kept.append((x, y))
    return "M" + "L".join(f"{number(x)} {number(y)}" for x, y in kept)


def short(value: float) -> str:
    """Return a number to two digits, as HTML."""
    if math.isnan(value):
        return "no number"
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "∞"
    power = math.floor(math.log10(value))
    if -4 < power < 4:
        return f"{value:.{max(0, 1 - power)}f}"
    digits, power = f"{value:.1e}".split("e")
    return f"{digits} · 10<sup>{int(power)}</sup>".replace("-", "−")


def hundredths(value: float) -> str:
    """Return a number with two decimals and a proper minus sign."""
    if math.isnan(value):
        return "no number"
    text = f"{value:.2f}"
    return text.replace("-", "−") if float(text) else "0.00"


class Shades:
    """A map of numbers from 0 to 1: a cell each, darker where it is larger, a path for each shade.

    Parameters
    ----------
    left, top : float
        Where it stands in the view.
    wide, high : float
        The size of a cell.
    name : str
        Its paths are called name1, name2 and so on, from pale to dark.
    """

    LEVELS = 8

    def __init__(self, left, top, wide, high, name):
        self.left, self.top, self.wide, self.high, self.name = left, top, wide, high, name

    def draw(self, pen: Pen, rows: Sequence[Sequence[float]], colour: str) -> None:
        """Draw the rows, from the top."""
        paths = [""] * (self.LEVELS + 1)
        for i, row in enumerate(rows):
            for j, value in enumerate(row):
                x, y = self.left + j * self.wide, self.top + i * self.high
                wide, high = number(self.wide), number(self.high)
                level = math.floor(value * self.LEVELS + 0.5)
                paths[level] += f"M{number(x)} {number(y)}h{wide}v{high}h-{wide}z"
        for k, path in enumerate(paths[1:], 1):
            ink = f'class="{self.name}{k}" fill="{colour}" fill-opacity="{k / self.LEVELS:g}"'
            pen.add("path", more=ink, d=path)

    def data(self) -> dict:
        """Return what a script needs to draw in it."""
        return vars(self) | {"levels": self.LEVELS}


class Axes:
    """A rectangle of a drawing with a scale on both sides; its y may be logarithmic.

    Parameters
    ----------
    left, top, right, bottom : float
        Where it stands in the view.
    x, y : (first, last)
        What its sides stand for; of a logarithmic axis the powers of ten.
    log : bool, default False
        Whether y is logarithmic. Numbers outside are then drawn at its ends.
    """

    def __init__(self, left, top, right, bottom, x, y, *, log=False):
        self.left, self.top, self.right, self.bottom = left, top, right, bottom
        self.x, self.y, self.log = x, y, log

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return where a pair of numbers stands in the view."""
        low, high = self.y
        if self.log:
            y = min(max(math.log10(y) if y > 0 else low, low), high)
        across = (x - self.x[0]) / (self.x[1] - self.x[0])
        up = (y - low) / (high - low)
        return (
            self.left + across * (self.right - self.left),
            self.bottom - up * (self.bottom - self.top),
        )

    def data(self) -> dict:
        """Return what a script needs to draw in it."""
        return {
            "box": [self.left, self.top, self.right, self.bottom],
            "x": self.x,
            "y": self.y,
            "log": self.log,
        }

    def draw(self, pen: Pen, xticks: Sequence, yticks: Sequence, xlabel="", ylabel="") -> None:
        """Draw the two axes, numbers beside them, and what they stand for."""
        pen.path(f"M{self.left} {self.top}V{self.bottom}H{self.right}")
        for value in xticks:
            x = self.at(value, 1)[0]
            pen.words(x, self.bottom + 13, str(value).replace("-", "−"), size=12)
        for value in yticks:
            y = self.at(self.x[0], 10**value if self.log else value)[1]
            pen.path(
                f"M{self.left} {number(y)}H{self.right}", 'stroke="currentColor" opacity=".15"'
            )
            if self.log and value:
                power = element("tspan", str(value).replace("-", "−"), dy=-5, font_size=9)
                pen.text(f"10{power}", self.left - 7, y + 4, 12, "end", UPRIGHT)
            else:
                text = "1" if self.log else str(value).replace("-", "−")
                pen.words(self.left - 7, y, text, size=12, anchor="end")
        pen.words((self.left + self.right) / 2, self.bottom + 31, xlabel, size=13)
        if ylabel:
            pen.words(self.left, self.top - 12, ylabel, size=13, anchor="start")

    def inside(self, parts: str) -> str:
        """Return parts as they are seen through the rectangle."""
        wide, high = self.right - self.left, self.bottom - self.top
        return (
            f'<svg x="{self.left}" y="{self.top}" width="{wide}" height="{high}" '
            f'viewBox="{self.left} {self.top} {wide} {high}">{parts}</svg>'
        )
