"""The book's figure style, and the figures that come back from chapter to chapter.

Every function draws on the Axes it is given, or on a new figure, and returns the Axes, so that a
cell can look up and assert the numbers that the figure shows.
"""

from collections.abc import Iterable, Mapping, Sequence
from numbers import Integral

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

from rnnlib.diagrams import BACKWARD, LAST, OUTPUT, STATE

# Mid-tones: they keep their contrast when the book's dark mode inverts a figure, and they differ
# in lightness as well as in hue.
COLOURS = {
    "rnn": STATE,
    "torch": BACKWARD,
    "forward": STATE,
    "backward": BACKWARD,
    "train": STATE,
    "test": BACKWARD,
    "good": OUTPUT,
    "bad": "#c0483f",
    "accent": LAST,
    "floor": "#6b7280",
}
"""The book's colours, by what they stand for."""

_CYCLE = (STATE, BACKWARD, OUTPUT, LAST, "#8a7420", "#5b5fc7")

MATRIX_COLOURS = LinearSegmentedColormap.from_list("unrolled", ["#e9f0f6", "#8db9df", "#1d4f80"])
"""From pale to dark blue, for quantities that start at zero."""
SIGNED_COLOURS = LinearSegmentedColormap.from_list(
    "unrolled_signed", ["#9c4f12", "#e6b48a", "#f7f7f7", "#8db9df", "#1d4f80"]
)
"""Orange below zero, blue above."""

_STYLE = {
    "figure.figsize": (6.2, 3.6),
    "figure.facecolor": "white",
    "figure.constrained_layout.use": True,
    "savefig.facecolor": "white",
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.fontsize": 11,
    "legend.frameon": False,
    "axes.prop_cycle": mpl.cycler(color=_CYCLE),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#555555",
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#b8bec6",
    "grid.alpha": 0.45,
    "grid.linewidth": 0.7,
    "lines.linewidth": 2.0,
    # The same text in every run: ids from a fixed salt, letters as outlines of the bundled font.
    "svg.hashsalt": "unrolled",
    "svg.fonttype": "path",
    "font.family": ["DejaVu Sans"],
}


def use_book_style() -> None:
    """Give every figure that follows the book's look; in a notebook, as SVG without a date."""
    mpl.rcParams.update(_STYLE)
    try:
        from IPython import get_ipython
    except ModuleNotFoundError:
        return
    if get_ipython() is None:
        return
    from matplotlib_inline.config import InlineBackend

    # Through the configuration: the inline backend may start later than this call, and reads it.
    backend = InlineBackend.instance(parent=get_ipython())
    backend.print_figure_kwargs = {"bbox_inches": "tight", "metadata": {"Date": None}}
    backend.figure_formats = {"svg"}


# Arguments


def _array(name: str, values, dimensions: int) -> np.ndarray:
    """Turn a sequence, array or tensor into floats with this many dimensions, none of them 0."""
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: expected numbers, got {type(values).__name__}") from error
    if array.ndim != dimensions or array.size == 0:
        raise ValueError(
            f"{name}: expected {dimensions} dimension{'s' * (dimensions > 1)} and at least one "
            f"number, got shape {array.shape}"
        )
    return array


def _named(name: str, groups, dimensions: int = 1) -> dict[str, np.ndarray]:
    if not isinstance(groups, Mapping):
        raise TypeError(
            f"{name}: expected a dict from label to numbers, got {type(groups).__name__}"
        )
    if not groups:
        raise ValueError(f"{name}: expected at least one entry, got none")
    return {
        label: _array(f"{name}[{label!r}]", values, dimensions) for label, values in groups.items()
    }


def _colours(given: Mapping[str, str] | None, labels: Iterable[str]) -> dict[str, str]:
    """One colour for each label: those given, and the cycle's for the others."""
    given, labels = dict(given or {}), list(labels)
    if unknown := [label for label in given if label not in labels]:
        raise ValueError(f"colours: expected labels among {labels}, got {unknown}")
    return {
        label: COLOURS.get(given[label], given[label]) if label in given else f"C{i}"
        for i, label in enumerate(labels)
    }


def _ticks(name: str, labels, size: int) -> list[str]:
    labels = [str(label) for label in labels]
    if len(labels) != size:
        raise ValueError(f"{name}: expected {size} labels, got {len(labels)}")
    return labels


def _check_logarithmic(name: str, values: np.ndarray) -> None:
    """Refuse what a logarithmic axis cannot show; nan leaves a gap and is allowed."""
    if not (values[~np.isnan(values)] > 0).all():
        raise ValueError(
            f"{name}: expected positive numbers for a logarithmic axis, got {np.nanmin(values):g}"
        )


def _axes(ax: Axes | None, **figure) -> Axes:
    return plt.subplots(**figure)[1] if ax is None else ax


def _floor(ax: Axes, floor: float | None, label: str | None) -> None:
    if floor is not None:
        ax.axhline(
            floor, color=COLOURS["floor"], linestyle="--", linewidth=1.6, label=label, zorder=3
        )
    elif label is not None:
        raise ValueError(f"floor_label: expected a floor to go with it, got {label!r} alone")


def _legend(ax: Axes) -> None:
    if len(ax.get_legend_handles_labels()[1]) > 0:
        ax.legend()


# The figures


def plot_curves(
    curves: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str,
    x: Sequence[float] | None = None,
    floor: float | None = None,
    floor_label: str | None = None,
    log: bool = False,
    colours: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Plot losses, accuracies or norms as named curves.

    Parameters
    ----------
    curves : dict from label to numbers
        One line each. Without `x` they may differ in length, as when a run stops early.
    xlabel, ylabel : str
        Names of the axes, with units.
    x : sequence of float, optional
        The positions that all curves share; 1, 2, 3, … by default.
    floor : float, optional
        The height of a dashed line to compare with: chance, or a bound.
    floor_label : str, optional
        Its name in the legend.
    log : bool, default False
        Whether the vertical axis is logarithmic.
    colours : dict from label to colour, optional
        For some or all of the curves: a key of `COLOURS` or a colour of matplotlib.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        ``ax.lines`` are the curves in their order, and then the floor.

    Raises
    ------
    TypeError, ValueError
        For what is not such numbers: empty, of another length than `x`, or not positive on a
        logarithmic axis.
    """
    lines = _named("curves", curves)
    shared = None if x is None else _array("x", x, 1)
    chosen = _colours(colours, lines)
    for label, values in lines.items():
        if shared is not None and len(values) != len(shared):
            raise ValueError(
                f"curves[{label!r}]: expected {len(shared)} numbers, one for each x, "
                f"got {len(values)}"
            )
        if log:
            _check_logarithmic(f"curves[{label!r}]", values)
    if log and floor is not None and floor <= 0:
        raise ValueError(f"floor: expected a positive number for a logarithmic axis, got {floor}")
    ax = _axes(ax)
    for label, values in lines.items():
        positions = np.arange(1, len(values) + 1) if shared is None else shared
        # A lone point, or a handful, would not be seen as a line.
        marker = "o" if len(values) <= 12 else None
        ax.plot(positions, values, label=label, marker=marker, markersize=5, color=chosen[label])
    _floor(ax, floor, floor_label)
    if log:
        ax.set_yscale("log")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if shared is None:
        ax.xaxis.get_major_locator().set_params(integer=True)
    _legend(ax)
    return ax


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
    cmap=None,
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
    cmap : optional
        Another colour map of matplotlib.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        ``ax.images[0]`` holds the matrix, and ``ax.texts`` the numbers shown.

    Raises
    ------
    TypeError, ValueError
        For what is not a matrix of finite numbers, or a number of labels that does not fit.
    """
    numbers = _array("matrix", matrix, 2)
    if not np.isfinite(numbers).all():
        raise ValueError("matrix: expected finite numbers, got nan or inf among them")
    rows, columns = numbers.shape
    across = _ticks("xticks", range(columns) if xticks is None else xticks, columns)
    down = _ticks("yticks", range(rows) if yticks is None else yticks, rows)
    if annotate is True:
        annotate = "g" if (numbers == np.round(numbers)).all() else ".2f"
    top = float(np.abs(numbers).max() if signed else numbers.max())
    low = -top if signed else min(0.0, float(numbers.min()))
    wide = 4.8 if 1.5 * rows > columns else 6.2
    ax = _axes(ax, figsize=(wide, float(np.clip((wide - 1.2) * rows / columns + 0.9, 1.7, 7.0))))
    image = ax.imshow(
        numbers,
        cmap=cmap or (SIGNED_COLOURS if signed else MATRIX_COLOURS),
        vmin=low,
        vmax=top if top > low else low + 1.0,
        interpolation="none",
    )
    # Up to a dozen labels, all of them; beyond, every second, third, …
    for axis, labels in ((ax.xaxis, across), (ax.yaxis, down)):
        every = -(-len(labels) // 12)
        axis.set_ticks(range(0, len(labels), every), labels[::every])
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
        red, green, blue, _ = image.cmap(image.norm(numbers)).transpose(2, 0, 1)
        bright = 0.299 * red + 0.587 * green + 0.114 * blue
        for i, j in zip(*np.nonzero(numbers), strict=True):
            ax.text(
                j,
                i,
                format(numbers[i, j], annotate).replace("-", "−"),
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
    pictures = _array("images", images, 3)
    titles = _ticks("titles", titles, len(pictures))
    if isinstance(columns, bool) or not isinstance(columns, Integral):
        raise TypeError(f"columns: expected an int, got {type(columns).__name__}")
    if columns < 1:
        raise ValueError(f"columns: expected at least 1, got {columns}")
    wrong = [False] * len(pictures) if alarm is None else [bool(flag) for flag in alarm]
    if len(wrong) != len(pictures):
        raise ValueError(f"alarm: expected {len(pictures)} flags, got {len(wrong)}")
    across = min(int(columns), len(pictures))
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


def plot_histograms(
    groups: Mapping[str, Sequence[float]],
    *,
    xlabel: str,
    ylabel: str = "share of values",
    bins: int = 40,
    limits: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Compare distributions, such as those of h, as outlined histograms on common bins.

    Parameters
    ----------
    groups : dict from label to numbers
        Sequences, arrays or tensors of any shape.
    xlabel, ylabel : str
        Names of the axes, with units. A bar's height is the share of the group's values in it.
    bins : int, default 40
        How many bins.
    limits : (float, float), optional
        The ends of the first and of the last bin; by default, of the numbers there are.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        ``ax.patches[i].get_data()`` holds the shares and edges of group i.

    Raises
    ------
    TypeError, ValueError
        For what is not finite numbers, and for limits that leave some out.
    """
    if isinstance(bins, bool) or not isinstance(bins, Integral):
        raise TypeError(f"bins: expected an int, got {type(bins).__name__}")
    if bins < 1:
        raise ValueError(f"bins: expected at least 1, got {bins}")
    if isinstance(groups, Mapping):
        groups = {
            label: values.reshape(-1) if hasattr(values, "reshape") else values
            for label, values in groups.items()
        }
    samples = _named("groups", groups)
    for label, values in samples.items():
        if not np.isfinite(values).all():
            raise ValueError(f"groups[{label!r}]: expected finite numbers, got nan or inf")
    low = min(values.min() for values in samples.values())
    top = max(values.max() for values in samples.values())
    if limits is not None and not limits[0] <= low <= top <= limits[1]:
        raise ValueError(
            f"limits: expected to hold all numbers, from {low:g} to {top:g}, got {tuple(limits)}"
        )
    edges = np.histogram_bin_edges([low, top], bins=int(bins), range=limits)
    ax = _axes(ax)
    for label, values in samples.items():
        shares = np.histogram(values, bins=edges)[0] / len(values)
        colour = f"C{len(ax.patches)}"
        patch = ax.stairs(shares, edges, label=label, fill=True, linewidth=1.6)
        patch.set(facecolor=(colour, 0.25), edgecolor=colour)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    _legend(ax)
    return ax


def plot_spread(
    groups: Mapping[str, Sequence[float]],
    *,
    ylabel: str,
    xlabel: str = "",
    floor: float | None = None,
    floor_label: str | None = None,
    log: bool = False,
    colours: Mapping[str, str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Show a result over several seeds: every run a point, and a bar at their mean.

    Parameters
    ----------
    groups : dict from label to numbers
        The runs of each model.
    ylabel, xlabel : str
        Names of the axes, with units.
    floor : float, optional
        The height of a dashed line to compare with.
    floor_label : str, optional
        Its name in the legend.
    log : bool, default False
        Whether the vertical axis is logarithmic.
    colours : dict from label to colour, optional
        For some or all of the groups: a key of `COLOURS` or a colour of matplotlib.
    ax : Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    Axes
        ``ax.lines[2 * i]`` are the points of group i, ``ax.lines[2 * i + 1]`` its mean; the
        floor comes last.

    Raises
    ------
    TypeError, ValueError
        For what is not finite numbers, or not positive on a logarithmic axis.
    """
    runs = _named("groups", groups)
    for label, values in runs.items():
        if not np.isfinite(values).all():
            raise ValueError(f"groups[{label!r}]: expected finite numbers, got nan or inf")
        if log:
            _check_logarithmic(f"groups[{label!r}]", values)
    chosen = _colours(colours, runs)
    ax = _axes(ax)
    for i, (label, values) in enumerate(runs.items()):
        # Points of like height side by side, in the order of the runs.
        beside = np.linspace(-0.14, 0.14, len(values)) if len(values) > 1 else np.zeros(1)
        ax.plot(i + beside, values, "o", color=chosen[label], alpha=0.75, markersize=6)
        mean = values.mean()
        ax.plot([i - 0.27, i + 0.27], [mean, mean], color=chosen[label], linewidth=2.6)
    _floor(ax, floor, floor_label)
    if log:
        ax.set_yscale("log")
    ax.set_xticks(range(len(runs)), list(runs))
    ax.set_xlim(-0.6, len(runs) - 0.4)
    ax.grid(False, axis="x")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    _legend(ax)
    return ax


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
    for name, number in (("width", width), ("rows", rows)):
        if isinstance(number, bool) or not isinstance(number, Integral):
            raise TypeError(f"{name}: expected an int, got {type(number).__name__}")
        if number < 1:
            raise ValueError(f"{name}: expected at least 1, got {number}")
    values = {} if values is None else _named("values", values)
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
