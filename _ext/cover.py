"""The EPUB's cover: the title, and a network unrolled in the book's colours."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch

from rnnlib.page.colours import GRADIENT, INPUT, OUTPUT, STATE

GROUND, LETTERS = "#14181e", "#f2f4f7"
COLUMNS, ROWS = (3.0, 6.6, 10.2, 13.8), (3.6, 7.6, 11.6)  # inputs, states and outputs


def draw_cover(path: Path, title: str, subtitle: str, author: str) -> None:
    """Write the cover as a PNG, the same file every time."""
    figure = Figure(figsize=(8, 12), dpi=200, facecolor=GROUND)
    ax = figure.add_axes((0, 0, 1, 1), xlim=(0, 16), ylim=(0, 24))
    ax.axis("off")
    serif = {"family": "DejaVu Serif", "color": LETTERS, "ha": "left"}
    ax.text(1.4, 19.4, title, fontsize=86, **serif)
    ax.text(1.5, 16.6, subtitle, fontsize=25, linespacing=1.5, **serif)
    ax.text(1.5, 0.8, author, fontsize=14, **serif)
    low, middle, high = ROWS
    for x, after in zip(COLUMNS, (*COLUMNS[1:], 17.4), strict=True):
        _arrow(ax, (x, low + 1.1), (x, middle - 1.2), INPUT)
        _arrow(ax, (x, middle + 1.2), (x, high - 1.1), OUTPUT)
        _arrow(ax, (x + 1.2, middle + 0.4), (after - 1.2, middle + 0.4), STATE)
        _arrow(ax, (after - 1.2, middle - 0.4), (x + 1.2, middle - 0.4), GRADIENT)
        square = {"boxstyle": "round,pad=0,rounding_size=0.4", "lw": 4}
        ax.add_patch(FancyBboxPatch((x - 1, middle - 1), 2, 2, ec=STATE, fc=f"{STATE}50", **square))
        for y, colour in ((low, INPUT), (high, OUTPUT)):
            ax.add_patch(Circle((x, y), 0.9, ec=colour, fc=f"{colour}50", lw=4))
    figure.savefig(path, metadata={"Software": None})


def _arrow(ax: Axes, start: tuple, end: tuple, colour: str) -> None:
    style = {"arrowstyle": "-|>", "mutation_scale": 28, "shrinkA": 0, "shrinkB": 0}
    ax.add_patch(FancyArrowPatch(start, end, color=colour, lw=4, **style))
