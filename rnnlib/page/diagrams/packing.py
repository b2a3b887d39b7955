"""Sequences of different length in one batch."""

from collections.abc import Sequence

from rnnlib.page.arguments import count
from rnnlib.page.colours import CYCLE, INPUT, SECOND
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import MONO, Drawing, number


def packed(lengths: Sequence[int] = (2, 5, 1, 3)) -> Drawing:
    """Draw how PyTorch packs sequences of different length: padded, sorted, and in one row.

    Parameters
    ----------
    lengths : sequence of int, default (2, 5, 1, 3)
        Of up to four sequences, each between 1 and 5, together at most 12.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If the lengths are not integers in this range.
    """
    lengths = [count(f"lengths[{i}]", n, 5) for i, n in enumerate(lengths)]
    if not 1 <= len(lengths) <= 4 or sum(lengths) > 12:
        raise ValueError(
            "lengths: expected one to four that make at most 12 steps together, "
            f"got {len(lengths)} that make {sum(lengths)}"
        )
    names, colours = "abcd", CYCLE
    T, N = max(lengths), len(lengths)
    order = sorted(range(N), key=lambda i: -lengths[i])
    sizes = [sum(n > t for n in lengths) for t in range(T)]
    pen, side, pitch, top = Pen(), 34, 38, 72
    widest = N * pitch

    def cell(x, y, i, t):
        pen.box(x, y, side, side, colour=colours[i])
        pen.symbol(x, y, f"{names[i]}_{t + 1}", size=18)

    columns = ((34, range(N), "padded"), (34 + T * pitch + 52, order, "longest first"))
    for left, rows, title in columns:
        pen.words(left + (T - 1) * pitch / 2, 18, title, size=14)
        for t in range(T):
            pen.words(left + t * pitch, 40, str(t + 1), size=12)
        for row, i in enumerate(rows):
            pen.symbol(left - 30, top + row * pitch, names[i], size=18)
            for t in range(T):
                if t < lengths[i]:
                    cell(left + t * pitch, top + row * pitch, i, t)
                else:
                    x, y = left + t * pitch, top + row * pitch
                    pen.add("circle", class_="padding", cx=x, cy=y, r=2.5, opacity=".5")
    # The packed row: the columns of the sorted table, one after the other.
    gap, data = 12, top + widest + 40
    width = sum(lengths) * pitch + (T - 1) * gap
    right = columns[1][0] + (T - 1) * pitch + 26
    x = max(26, (right - width) / 2 + side / 2)
    pen.words(x - side / 2, data - 34, "data", size=14, anchor="start", family=MONO)
    for t, size in enumerate(sizes):
        for i in order[:size]:
            cell(x, data, i, t)
            x += pitch
        middle = x - pitch * (size + 1) / 2
        first, last = number(x - pitch * size - side / 2), number(x - pitch + side / 2)
        pen.path(f"M{first} {data + 25}v5H{last}v-5", 'stroke="currentColor" opacity=".6"')
        pen.words(middle, data + 44, str(size), size=16)
        x += gap
    pen.words(
        x - gap - pitch + side / 2, data + 70, "batch_sizes", size=14, anchor="end", family=MONO
    )
    right = max(right, x - gap - pitch + side / 2 + 4)
    title = "How sequences of different length are packed"
    listed = ", ".join(f"{names[i]} of {n}" for i, n in enumerate(lengths))
    description = (
        f"Sequences {listed} steps stand in a table of {T} columns, with dots for padding. A "
        f"second table holds them in the order {', '.join(names[i] for i in order)}, longest "
        "first, so that the real steps of every column are its topmost cells. Below, the columns "
        "stand one after the other in a single row without padding, and under each is its number "
        f"of cells: {', '.join(map(str, sizes))}."
    )
    caption = (
        "Left: the padded batch; dots are padding. Right: the same, longest first. Below: its "
        "columns, one step after the other, without the dots. That row is the packed sequence."
    )
    return pen.drawing(right, data + 84, title, description, caption=caption, zoom=1)


def backward_reader() -> Drawing:
    """Draw where a backward direction begins in a padded batch: not told the length, and told.

    Returns
    -------
    Drawing
    """
    pen, left, pitch, low = Pen(), 34, 80, 84
    for top, words, steps in ((60, "not told: begins in the padding", 5), (262, "told", 3)):
        pen.words(8, top - 44, words, size=15, anchor="start")
        for t in range(1, 6):
            x = left + pitch * (t - 1)
            if t > steps:
                dot = {"cx": x, "cy": top + low, "r": 2.5, "opacity": ".5"}
                pen.add("circle", class_="padding", **dot)
                continue
            pen.arrow((x, top + low - 23), (x, top + 25))
            if t < steps:
                pen.arrow((x + pitch - 25, top), (x + 25, top), colour=SECOND)
            pen.box(x, top, 48, 48, colour=SECOND)
            pen.circle(x, top + low, colour=INPUT)
            pen.symbol(x, top, f"h_{t}")
            if t <= 3:
                pen.symbol(x, top + low, f"x_{t}")
            else:
                pen.words(x, top + low, "0", size=18)
    title = "Where a backward reader begins"
    description = (
        "Two rows for a sequence of three steps, padded to five columns. Above, the reader has not "
        "been told: its states h_5 and h_4 read zeros, and arrows lead on from them to h_3, h_2 "
        "and h_1, which read x_3, x_2 and x_1. Below it has been told: its first state is h_3, "
        "which reads x_3, and from there arrows lead to h_2 and h_1. The padding has no states."
    )
    caption = (
        "Above, what reaches the real steps |x_1|, |x_2|, |x_3| has read the padding first. Below, "
        "the reader begins at the last real step."
    )
    return pen.drawing(left + 4 * pitch + 34, 262 + low + 30, title, description, caption=caption)
