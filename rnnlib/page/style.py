"""The style of the book's figures."""

import matplotlib as mpl
from matplotlib.colors import LinearSegmentedColormap

from rnnlib.page.colours import CYCLE

_SHADES = {
    "state": ("#e9f0f6", "#8db9df", "#1d4f80"),
    "gradient": ("#faf0e7", "#e6b48a", "#8a4410"),
    "input": ("#f4f1e2", "#c6b878", "#574808"),
    "output": ("#e6f4ef", "#85c9b1", "#0d5943"),
}
MATRIX_COLOURS = {
    name: LinearSegmentedColormap.from_list(f"unrolled_{name}", shades)
    for name, shades in _SHADES.items()
}
"""From pale to dark, for quantities that start at zero, by what they are."""
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
    "axes.prop_cycle": mpl.cycler(color=CYCLE),
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
