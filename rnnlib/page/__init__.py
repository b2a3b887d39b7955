"""What a page shows: the style of its figures, the figures that recur, and drawings.

``rnnlib.page.diagrams`` holds the drawings, and ``rnnlib.page.live`` the figures that compute in
the page, each a function of its own name.
"""

from rnnlib.page import diagrams, live
from rnnlib.page.colours import COLOURS
from rnnlib.page.curves import plot_curves, plot_histograms, plot_spread
from rnnlib.page.matrices import plot_images, plot_matrix
from rnnlib.page.passages import plot_text
from rnnlib.page.sources import source_of
from rnnlib.page.spans import span
from rnnlib.page.style import use_book_style
from rnnlib.page.tables import Table, how_we_know

__all__ = [
    "COLOURS",
    "Table",
    "diagrams",
    "how_we_know",
    "live",
    "plot_curves",
    "plot_histograms",
    "plot_images",
    "plot_matrix",
    "plot_spread",
    "plot_text",
    "source_of",
    "span",
    "use_book_style",
]
