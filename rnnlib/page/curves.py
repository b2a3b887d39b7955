"""Numbers as curves, over several runs, and as distributions.

Every function draws on the Axes it is given, or on a new figure, and returns the Axes, so that a
cell can look up and assert the numbers that the figure shows.
"""

from collections.abc import Iterable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes

from rnnlib.page.arguments import count, named, numbers
from rnnlib.page.colours import COLOURS


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
    lines = named("curves", curves, positive=log)
    shared = None if x is None else numbers("x", x, 1)
    chosen = _colours(colours, lines)
    for label, values in lines.items():
        if shared is not None and len(values) != len(shared):
            raise ValueError(
                f"curves[{label!r}]: expected {len(shared)} numbers, one for each x, "
                f"got {len(values)}"
            )
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
    runs = named("groups", groups, finite=True, positive=log)
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
    bins = count("bins", bins)
    if isinstance(groups, Mapping):
        groups = {
            label: values.reshape(-1) if hasattr(values, "reshape") else values
            for label, values in groups.items()
        }
    samples = named("groups", groups, finite=True)
    low = min(values.min() for values in samples.values())
    top = max(values.max() for values in samples.values())
    if limits is not None and not limits[0] <= low <= top <= limits[1]:
        raise ValueError(
            f"limits: expected to hold all numbers, from {low:g} to {top:g}, got {tuple(limits)}"
        )
    edges = np.histogram_bin_edges([low, top], bins=bins, range=limits)
    ax = _axes(ax)
    for label, values in samples.items():
        shares = np.histogram(values, bins=edges)[0] / len(values)
        colour = f"C{len(ax.patches)}"
        patch = ax.stairs(shares, edges, label=label, fill=True, linewidth=1.6)
        patch.set(facecolor=(colour, 0.25), edgecolor=colour)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    _legend(ax)
    return ax


def _colours(given: Mapping[str, str] | None, labels: Iterable[str]) -> dict[str, str]:
    """One colour for each label: those given, and the cycle's for the others."""
    given, labels = dict(given or {}), list(labels)
    if unknown := [label for label in given if label not in labels]:
        raise ValueError(f"colours: expected labels among {labels}, got {unknown}")
    return {
        label: COLOURS.get(given[label], given[label]) if label in given else f"C{i}"
        for i, label in enumerate(labels)
    }


def _axes(ax: Axes | None) -> Axes:
    return plt.subplots()[1] if ax is None else ax


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
