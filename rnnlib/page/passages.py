"""Text in a picture, each character on a ground coloured by a number."""

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from rnnlib.page.arguments import count, named
from rnnlib.page.colours import COLOURS
from rnnlib.page.style import SIGNED_COLOURS


def plot_text(
    passages: Mapping[str, str],
    values: Mapping[str, Sequence[float]] | None = None,
    *,
    width: int = 52,
    rows: int = 6,
    ax: Axes | None = None,
) -> Axes:
    """Set passages of text in a picture, each character on a ground coloured by a number.

    Lines break between words. The picture has the same size whatever the text, so what does not
    fit into its rows is left out, with … for a sign.

    Parameters
    ----------
    passages : dict from heading to str
        An empty heading takes no line. Line ends are shown as ↵.
    values : dict from heading to numbers, optional
        One for each character of a passage, from -1 (orange) through 0 to 1 (blue). Passages that
        it does not name stay without colour.
    width : int, default 52
        Characters in a line. More than this are too small to read on a phone.
    rows : int, default 6
        Lines of each passage.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        ``ax.texts`` are the lines, headings included; ``ax.images[0]`` holds the colours.

    Raises
    ------
    TypeError, ValueError
        For what is no text, for values that are not one for each character, and for values of a
        passage that is not there.
    """
    if not isinstance(passages, Mapping) or not passages:
        raise TypeError(f"passages: expected a dict from heading to text, got {passages!r}")
    width, rows = count("width", width), count("rows", rows)
    values = {} if values is None else named("values", values)
    if unknown := [heading for heading in values if heading not in passages]:
        raise ValueError(f"values: expected headings among {list(passages)}, got {unknown}")
    lines: list[tuple[str, bool]] = []
    colours = []
    for heading, text in passages.items():
        if not isinstance(text, str):
            raise TypeError(f"passages[{heading!r}]: expected a string, got {type(text).__name__}")
        # Not a number has no colour, and shows the ground.
        numbers = values.get(heading, np.full(len(text), np.nan))
        if len(numbers) != len(text):
            raise ValueError(
                f"values[{heading!r}]: expected {len(text)} numbers, one for each character, "
                f"got {len(numbers)}"
            )
        # A heading, with an empty line above it unless it is the first.
        for line in ["", heading][not lines :] if heading else []:
            lines.append((line, line != ""))
            colours.append(np.full(width, np.nan))
        spans = _wrap(text, width)
        for row in range(rows):
            start, stop = spans[row] if row < len(spans) else (0, 0)
            line = text[start:stop].replace("\n", "↵")
            if row == rows - 1 and len(spans) > rows:
                line = line[: width - 1] + "…"
            lines.append((line, False))
            colours.append(np.full(width, np.nan))
            colours[-1][: stop - start] = numbers[start:stop]
    pitch = 1.75  # the height of a line, in widths of a character
    inches = 6.2
    if ax is None:
        figure = plt.figure(figsize=(inches, inches / width * pitch * len(lines)))
        figure.set_layout_engine("none")
        ax = figure.add_axes((0, 0, 1, 1))
    ax.imshow(
        np.array(colours),
        cmap=SIGNED_COLOURS,
        # Half of the colours, the pale ones: black letters stay legible on all of them.
        vmin=-2,
        vmax=2,
        interpolation="none",
        aspect="auto",
        extent=(0, width, len(lines), 0),
    )
    box = ax.get_position().width * ax.figure.get_size_inches()[0] * 72  # in points
    # Each letter of the bundled monospaced font is 0.602 of its size wide.
    size = box / width / 0.602
    for row, (line, heading) in enumerate(lines):
        ax.text(
            0,
            row + 0.72,
            line.replace("$", r"\$"),
            fontsize=size,
            family="DejaVu Sans Mono",
            weight="bold" if heading else "normal",
            color=COLOURS["floor"] if heading else "black",
        )
    ax.set_axis_off()
    return ax


def _wrap(text: str, width: int) -> list[tuple[int, int]]:
    """Cut a text into lines of at most so many characters; return where each starts and stops.

    Every character belongs to one line: a line keeps the space or the line end that it ends with.
    """
    spans, start = [], 0
    while start < len(text):
        stop = min(start + width, len(text))
        newline = text.find("\n", start, stop)
        if newline >= 0:
            stop = newline + 1
        elif stop < len(text):
            space = text.rfind(" ", start, stop)
            stop = space + 1 if space >= start else stop
        spans.append((start, stop))
        start = stop
    return spans
