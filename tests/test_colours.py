"""One colour for state, one for gradient, one for input, one for output: in the plots of pages.

`test_diagrams.py` and `test_live.py` look at drawings and at live figures in the same way.
"""

import re
from pathlib import Path

import nbformat
import pytest

from rnnlib.page.colours import COLOURS, CYCLE
from rnnlib.page.style import MATRIX_COLOURS

CHAPTERS = Path(__file__).parent.parent / "chapters"

# What a figure shows, as keys of COLOURS: it has all of these colours, and no other of the book's.
PLOTS = {
    "fig-fading": ["state"],
    "fig-tanh": ["state", "accent"],
    "fig-per-copy": ["gradient"],
    "fig-slot": ["input"],
    "fig-ellipse": ["gradient", "accent"],
    "fig-follows": ["gradient"],
    "fig-cliff": ["gradient", "bad"],
    "fig-arrows": ["gradient", "good", "accent"],
    "fig-running": ["state"],
    "fig-counter": ["state"],
    "fig-temperature": ["output"],
}
MATRICES = {
    "fig-next-letter": "output",
    "fig-row-by-row": "output",
    "fig-keys": "gradient",
    "fig-gates": "output",
    "fig-rectangle": "input",
}
# Figures of several networks or settings, which have colours of their own.
COMPARED = {
    "fig-truncation",
    "fig-counterexamples",
    "fig-reach",
    "fig-clipped",
    "fig-by-hand",
    "fig-lstm-reach",
    "fig-rise",
    "fig-gru-lag",
    "fig-waste",
}


def figures() -> dict[str, tuple[str, str]]:
    """The code and the pictures of every figure with a name."""
    found = {}
    for path in sorted(CHAPTERS.glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            name = cell.metadata.get("mystnb", {}).get("figure", {}).get("name")
            if name and cell.cell_type == "code":
                data = [output.get("data", {}) for output in cell.outputs]
                found[name] = cell.source, "".join(d.get("image/svg+xml", "") for d in data)
    return found


FIGURES = figures()


@pytest.mark.parametrize("name", PLOTS)
def test_a_plot_has_the_colours_of_what_it_shows(name):
    _, picture = FIGURES[name]
    used = set(re.findall(r"#[0-9a-f]{6}\b", picture))
    known = {*COLOURS.values(), *CYCLE} - {COLOURS["floor"]}
    assert used & known == {COLOURS[kind] for kind in PLOTS[name]}


@pytest.mark.parametrize("name", MATRICES)
def test_a_matrix_has_shades_of_the_colour_of_what_it_holds(name):
    source, _ = FIGURES[name]
    assert re.findall(r'\bcolour="(\w+)"', source) == [MATRICES[name]]


def test_a_figure_of_a_state_a_gradient_or_an_input_is_one_of_these():
    axis = re.compile(r'\b(?:ylabel|bar_label)="[^"]*\b(gradient|state|states|input)\b')
    shown = {name for name, (source, _) in FIGURES.items() if axis.search(source)}
    assert len(shown) > 10
    assert shown <= {*PLOTS, *MATRICES, *COMPARED}
    assert {*PLOTS, *MATRICES, *COMPARED} <= FIGURES.keys()


def test_shades_are_of_their_colour():
    """The darkest has the hue of the colour: the same order of red, green and blue."""
    for name, shades in MATRIX_COLOURS.items():
        parts = [int(COLOURS[name][i : i + 2], 16) for i in (1, 3, 5)]
        darkest = shades(1.0)[:3]
        assert sorted(range(3), key=parts.__getitem__) == sorted(range(3), key=darkest.__getitem__)
