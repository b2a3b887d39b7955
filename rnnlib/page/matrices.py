"""Matrices and images as coloured cells."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from rnnlib.page.arguments import count, labels, numbers
from rnnlib.page.colours import COLOURS
from rnnlib.page.style import MATRIX_COLOURS, SIGNED_COLOURS


def plot_matrix(
    matrix,
    *,
    xlabel: str,
    ylabel: str,
    title: str | None = None,
    xticks: Sequence | None = None,
    yticks: Sequence | None = None,
    annotate: bool | str = False,
    bar_label: str | None = None,
    signed: bool = False,
    colour: str = "state",
    ax: Axes | None = None,
) -> Axes:
    """Plot a matrix as coloured cells: rows downwards, as it is printed.

    Parameters
    ----------
    matrix : array or tensor, (rows, columns)
        Numbers, counts or booleans.
    xlabel, ylabel : str
        What the columns and the rows stand for.
    title : str, optional
        A line above the matrix.
    xticks, yticks : sequence, optional
        A label for each column and each row; 0, 1, 2, … by default.
    annotate : bool or str, default False
        Whether each cell shows its number, or the format to show it in, such as ``".2f"``. Cells
        that are 0 stay blank.
    bar_label : str, optional
        What the colour bar measures. There is a bar unless the cells show their numbers.
    signed : bool, default False
        Whether zero is the middle of the colours; otherwise they start at zero, or at the
        smallest number if that is negative.
    colour : {"state", "gradient", "input", "output"}, default "state"
        In shades of which of `COLOURS` the cells are, unless the matrix is signed: that of what
        it holds, and blue where it holds none of these.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        ``ax.images[0]`` holds the matrix, and ``ax.texts`` the numbers shown.

    Raises
    ------
    TypeError, ValueError
        For what is not a matrix of finite numbers, a number of labels that does not fit, and
        another colour.
    """
    cells = numbers("matrix", matrix, 2, finite=True)
    if colour not in MATRIX_COLOURS:
        raise ValueError(f"colour: expected one of {sorted(MATRIX_COLOURS)}, got {colour!r}")
    rows, columns = cells.shape
    across = labels("xticks", range(columns) if xticks is None else xticks, columns)
    down = labels("yticks", range(rows) if yticks is None else yticks, rows)
    if annotate is True:
        annotate = "g" if (cells == np.round(cells)).all() else ".2f"
    top = float(np.abs(cells).max() if signed else cells.max())
    low = -top if signed else min(0.0, float(cells.min()))
    wide = 4.8 if 1.5 * rows > columns else 6.2
    if ax is None:
        high = float(np.clip((wide - 1.2) * rows / columns + 0.9, 1.7, 7.0))
        _, ax = plt.subplots(figsize=(wide, high))
    image = ax.imshow(
        cells,
        cmap=SIGNED_COLOURS if signed else MATRIX_COLOURS[colour],
        vmin=low,
        vmax=top if top > low else low + 1.0,
        interpolation="none",
    )
    # Up to a dozen labels, all of them; beyond, every second, third, …
    for axis, ticks in ((ax.xaxis, across), (ax.yaxis, down)):
        every = -(-len(ticks) // 12)
        axis.set_ticks(range(0, len(ticks), every), ticks[::every])
    ax.set(xlabel=xlabel, ylabel=ylabel, title=title or "")
    ax.grid(False)
    if max(rows, columns) <= 24:
        # White lines between the cells, so that they can be counted.
        ax.set_xticks(np.arange(1, columns) - 0.5, minor=True)
        ax.set_yticks(np.arange(1, rows) - 0.5, minor=True)
        ax.grid(which="minor", color="white", alpha=1.0, linewidth=1.0)
    ax.spines[:].set_visible(False)
    ax.tick_params(which="both", length=0)
    if annotate:
        red, green, blue, _ = image.cmap(image.norm(cells)).transpose(2, 0, 1)
        bright = 0.299 * red + 0.587 * green + 0.114 * blue
        for i, j in zip(*np.nonzero(cells), strict=True):
            ax.text(
                j,
                i,
                format(cells[i, j], annotate).replace("-", "−"),
                ha="center",
                va="center",
                fontsize=min(12, 110 / columns),
                color="black" if bright[i, j] > 0.55 else "white",
            )
    if not annotate or bar_label is not None:
        bar = ax.figure.colorbar(image, ax=ax, shrink=0.85)
        bar.outline.set_visible(False)
        bar.set_label(bar_label or "")
    return ax


def plot_images(
    images,
    titles: Sequence[str],
    *,
    columns: int = 5,
    alarm: Sequence[bool] | None = None,
) -> np.ndarray:
    """Show small images side by side, dark ink on a light ground, each with its title.

    Parameters
    ----------
    images : array or tensor, (N, rows, columns)
        Larger numbers are darker, on one scale for all.
    titles : sequence of str, length N
        Such as "7 read as 9".
    columns : int, default 5
        How many stand in a row.
    alarm : sequence of bool, length N, optional
        Which titles are set in the colour of an error.

    Returns
    -------
    array of Axes, (N,)
        ``axes[i].images[0]`` holds image i.

    Raises
    ------
    TypeError, ValueError
        For other shapes, and for titles that are not one for each image.
    """
    pictures = numbers("images", images, 3)
    titles = labels("titles", titles, len(pictures))
    columns = count("columns", columns)
    wrong = [False] * len(pictures) if alarm is None else [bool(flag) for flag in alarm]
    if len(wrong) != len(pictures):
        raise ValueError(f"alarm: expected {len(pictures)} flags, got {len(wrong)}")
    across = min(columns, len(pictures))
    down = -(-len(pictures) // across)
    _, grid = plt.subplots(down, across, figsize=(6.2, 6.2 / across * down * 1.18), squeeze=False)
    low, top = min(0.0, pictures.min()), pictures.max()
    for ax in grid.flat:
        ax.set_axis_off()
    axes = grid.ravel()[: len(pictures)]
    for ax, picture, title, flag in zip(axes, pictures, titles, wrong, strict=True):
        ax.imshow(
            picture,
            cmap="gray_r",
            vmin=low,
            vmax=top if top > low else low + 1.0,
            interpolation="none",
        )
        ax.set_title(title, fontsize=12 if across <= 6 else 10)
        if flag:
            ax.title.set_color(COLOURS["bad"])
    return axes
