"""The recurring figures draw the numbers that they are given, and refuse what they cannot draw."""

import io
import json
import subprocess
import sys

import matplotlib as mpl
import numpy as np
import pytest
import torch
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgb

from rnnlib import page
from rnnlib.page.style import SIGNED_COLOURS


@pytest.fixture(autouse=True)
def style():
    """Draw off screen in the book's style, and leave nothing behind."""
    before = plt.get_backend()
    plt.switch_backend("agg")
    with mpl.rc_context():
        page.use_book_style()
        yield
        plt.close("all")
    plt.switch_backend(before)


def svg() -> str:
    buffer = io.StringIO()
    plt.gcf().savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


LABELS = {"xlabel": "epoch", "ylabel": "loss (nats)"}


# Style


def test_the_same_figure_is_the_same_svg():
    texts = []
    for _ in range(2):
        page.plot_curves({"a": [3, 2, 1]}, **LABELS, floor=1.5, floor_label="chance")
        texts.append(svg())
        plt.close("all")
    assert texts[0] == texts[1]
    assert "<dc:date>" not in texts[0]
    # Letters are outlines: no font is needed where the figure is shown.
    assert "<text" not in texts[0]


def test_figures_are_white_and_letters_large_enough():
    ax = page.plot_curves({"a": [3, 2, 1]}, **LABELS)
    assert ax.figure.get_facecolor() == (1, 1, 1, 1)
    assert min(t.get_fontsize() for t in [*ax.get_xticklabels(), ax.xaxis.label]) >= 11
    assert not ax.spines["top"].get_visible()


def test_colours_are_mid_tones():
    """They keep a contrast of 3 on white, and on what becomes of white in the dark mode."""
    cycle = [entry["color"] for entry in mpl.rcParams["axes.prop_cycle"]]
    for colour in {*page.COLOURS.values(), *cycle}:
        parts = np.array(to_rgb(colour))
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        luminance = float(linear @ [0.2126, 0.7152, 0.0722])
        assert 1.05 / (luminance + 0.05) >= 3, colour
        assert luminance >= 0.08, colour


NOTEBOOK = """
import json
from IPython.core.interactiveshell import InteractiveShell
from rnnlib.page import use_book_style
shell = InteractiveShell.instance()
use_book_style()
import matplotlib
from matplotlib_inline.config import InlineBackend
backend = InlineBackend.instance()
print(json.dumps({
    "formats": sorted(backend.figure_formats),
    "metadata": backend.print_figure_kwargs["metadata"],
    "salt": matplotlib.rcParams["svg.hashsalt"],
}))
"""


def test_in_a_notebook_figures_are_svg_without_a_date():
    pytest.importorskip("IPython")
    out = subprocess.run(
        [sys.executable, "-c", NOTEBOOK], capture_output=True, text=True, check=True
    ).stdout
    assert json.loads(out.splitlines()[-1]) == {
        "formats": ["svg"],
        "metadata": {"Date": None},
        "salt": "unrolled",
    }


# Curves


def test_curves_are_the_numbers_given_from_epoch_1():
    ax = page.plot_curves({"a": [3.0, 2.0, 1.0], "b": torch.tensor([1.0, 0.5])}, **LABELS)
    first, second = ax.lines
    assert first.get_xydata().tolist() == [[1, 3], [2, 2], [3, 1]]
    assert second.get_xydata().tolist() == [[1, 1], [2, 0.5]]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss (nats)")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["a", "b"]
    assert first.get_color() != second.get_color()


def test_a_lone_curve_or_group_is_named_in_a_legend_too():
    for ax in (
        page.plot_curves({"loss": [3, 2, 1]}, **LABELS),
        page.plot_histograms({"loss": [3, 2, 1]}, xlabel="h"),
    ):
        assert [text.get_text() for text in ax.get_legend().get_texts()] == ["loss"]


def test_curves_take_positions():
    ax = page.plot_curves({"a": [3, 2]}, x=[0, 10], **LABELS)
    assert ax.lines[0].get_xydata().tolist() == [[0, 3], [10, 2]]


def test_the_floor_is_a_dashed_line_across():
    ax = page.plot_curves({"a": [3, 2]}, **LABELS, floor=0.277, floor_label="no memory")
    line = ax.lines[-1]
    assert list(line.get_ydata()) == [0.277, 0.277]
    assert line.get_linestyle() == "--"
    assert ax.get_legend().get_texts()[-1].get_text() == "no memory"
    assert line.get_zorder() > ax.lines[0].get_zorder()


def test_curves_can_be_logarithmic_and_coloured():
    ax = page.plot_curves({"a": [3, 2], "b": [1, 2]}, **LABELS, log=True, colours={"a": "torch"})
    assert ax.get_yscale() == "log"
    assert ax.lines[0].get_color() == page.COLOURS["torch"]


def test_figures_draw_on_the_axes_given():
    _, axes = plt.subplots(1, 4)
    drawn = [
        page.plot_curves({"a": [1, 2]}, **LABELS, ax=axes[0]),
        page.plot_matrix(np.eye(2), **LABELS, ax=axes[1]),
        page.plot_histograms({"a": [1, 2]}, xlabel="h", ax=axes[2]),
        page.plot_spread({"a": [1, 2]}, ylabel="accuracy", ax=axes[3]),
    ]
    assert drawn == list(axes)
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize(
    ("curves", "more", "error", "message"),
    [
        ([1, 2], {}, TypeError, "curves: expected a dict from label to numbers, got list"),
        ({}, {}, ValueError, "curves: expected at least one entry"),
        ({"a": []}, {}, ValueError, r"curves\['a'\]: .* at least one number, got shape \(0,\)"),
        ({"a": [[1, 2]]}, {}, ValueError, r"expected 1 dimension and .* got shape \(1, 2\)"),
        ({"a": ["x"]}, {}, TypeError, r"curves\['a'\]: expected numbers, got list"),
        ({"a": [1, 2]}, {"x": [1]}, ValueError, "expected 1 numbers, one for each x, got 2"),
        ({"a": [1, 0]}, {"log": True}, ValueError, "positive numbers .* got 0"),
        ({"a": [1]}, {"log": True, "floor": 0}, ValueError, "floor: expected a positive"),
        ({"a": [1]}, {"floor_label": "f"}, ValueError, "floor_label: expected a floor"),
        ({"a": [1]}, {"colours": {"b": "rnn"}}, ValueError, r"colours: .*\['a'\], got \['b'\]"),
    ],
)
def test_curves_that_cannot_be_drawn(curves, more, error, message):
    with pytest.raises(error, match=message):
        page.plot_curves(curves, **LABELS, **more)


# Matrices


def test_matrix_holds_the_numbers_with_rows_downwards():
    matrix = torch.arange(6.0).reshape(2, 3)
    ax = page.plot_matrix(
        matrix, xlabel="input", ylabel="output", title="t", xticks="abc", yticks=["p", "q"]
    )
    assert ax.images[0].get_array().tolist() == matrix.tolist()
    assert [t.get_text() for t in ax.get_xticklabels()] == ["a", "b", "c"]
    assert [t.get_text() for t in ax.get_yticklabels()] == ["p", "q"]
    assert ax.get_ylim()[0] > ax.get_ylim()[1]
    assert (ax.get_title(), ax.get_xlabel(), ax.get_ylabel()) == ("t", "input", "output")
    assert len(ax.figure.axes) == 2


def test_cells_show_their_numbers_except_zero():
    ax = page.plot_matrix([[5, 0], [2, 37]], **LABELS, annotate=True)
    assert {(t.get_position(), t.get_text()) for t in ax.texts} == {
        ((0, 0), "5"),
        ((0, 1), "2"),
        ((1, 1), "37"),
    }
    # No colour bar beside numbers; white letters on dark cells only.
    assert len(ax.figure.axes) == 1
    assert {t.get_text(): t.get_color() for t in ax.texts} == {
        "5": "black",
        "2": "black",
        "37": "white",
    }


@pytest.mark.parametrize(
    ("matrix", "annotate", "text"),
    [
        ([[0.125]], True, "0.12"),
        ([[0.125]], ".1f", "0.1"),
        ([[-3]], True, "−3"),
        ([[True]], True, "1"),
    ],
)
def test_numbers_in_cells_are_formatted(matrix, annotate, text):
    ax = page.plot_matrix(matrix, **LABELS, annotate=annotate)
    assert [t.get_text() for t in ax.texts] == [text]


def test_signed_matrices_have_zero_in_the_middle():
    image = page.plot_matrix([[-1, 4]], **LABELS, signed=True, bar_label="h").images[0]
    assert image.get_clim() == (-4, 4)
    assert image.get_cmap() is SIGNED_COLOURS
    assert page.plot_matrix([[1, 4]], **LABELS).images[0].get_clim() == (0, 4)
    assert page.plot_matrix([[0, 0]], **LABELS).images[0].get_clim() == (0, 1)


def test_many_ticks_are_thinned_and_keep_their_labels():
    ax = page.plot_matrix(np.eye(30), **LABELS, xticks=range(1, 31))
    assert [t.get_text() for t in ax.get_xticklabels()] == [str(i) for i in range(1, 31, 3)]
    assert list(ax.get_xticks()) == list(range(0, 30, 3))


@pytest.mark.parametrize(
    ("matrix", "more", "error", "message"),
    [
        ([1, 2], {}, ValueError, r"matrix: expected 2 dimensions .* got shape \(2,\)"),
        ([[1, np.nan]], {}, ValueError, "matrix: expected finite numbers"),
        ([[1, 2]], {"xticks": "abc"}, ValueError, "xticks: expected 2 labels, got 3"),
        ([[1, 2]], {"yticks": "ab"}, ValueError, "yticks: expected 1 labels, got 2"),
        ("ab", {}, TypeError, "matrix: expected numbers, got str"),
    ],
)
def test_matrices_that_cannot_be_drawn(matrix, more, error, message):
    with pytest.raises(error, match=message):
        page.plot_matrix(matrix, **LABELS, **more)


# Images


def test_images_stand_in_rows_dark_ink_on_light():
    images = torch.rand(5, 8, 8, generator=torch.Generator().manual_seed(0))
    axes = page.plot_images(images, list("abcde"), columns=3, alarm=[0, 0, 0, 0, 1])
    assert [ax.get_title() for ax in axes] == list("abcde")
    for ax, image in zip(axes, images, strict=True):
        assert np.array_equal(ax.images[0].get_array(), image.numpy().astype(float))
        assert ax.images[0].get_clim() == (0, images.max().item())
        paper, ink = ax.images[0].get_cmap()([0.0, 1.0])[:, 0]
        assert ink < paper
    assert len(axes[0].figure.axes) == 6
    assert axes[4].title.get_color() == page.COLOURS["bad"] != axes[3].title.get_color()
    tops = [ax.get_subplotspec().rowspan.start for ax in axes]
    assert tops == [0, 0, 0, 1, 1]


@pytest.mark.parametrize(
    ("shape", "titles", "more", "error", "message"),
    [
        ((8, 8), ["a"], {}, ValueError, r"images: expected 3 dimensions .* got shape \(8, 8\)"),
        ((2, 8, 8), ["a"], {}, ValueError, "titles: expected 2 labels, got 1"),
        ((1, 8, 8), ["a"], {"columns": 0}, ValueError, "columns: expected at least 1, got 0"),
        ((1, 8, 8), ["a"], {"columns": 1.5}, TypeError, "columns: expected an int, got float"),
        ((1, 8, 8), ["a"], {"alarm": [0, 1]}, ValueError, "alarm: expected 1 flags, got 2"),
    ],
)
def test_images_that_cannot_be_drawn(shape, titles, more, error, message):
    with pytest.raises(error, match=message):
        page.plot_images(np.zeros(shape), titles, **more)


# Histograms and spreads


def test_histograms_share_their_bins_and_each_sums_to_one():
    h = torch.tensor([[-1.0, -0.9], [0.9, 1.0]])
    ax = page.plot_histograms({"a": h, "b": [0.1] * 3}, xlabel="h", bins=4, limits=(-1, 1))
    first, second = (patch.get_data() for patch in ax.patches)
    assert first.edges.tolist() == second.edges.tolist() == [-1, -0.5, 0, 0.5, 1]
    assert first.values.tolist() == [0.5, 0, 0, 0.5]
    assert second.values.tolist() == [0, 0, 1, 0]
    assert ax.patches[0].get_edgecolor() != ax.patches[1].get_edgecolor()


@pytest.mark.parametrize(
    ("values", "limits", "shares"),
    [
        ([0.3, 0.3], (0, 1), [0, 1, 0, 0]),
        ([0.0, 0.0], (0, 1), [1, 0, 0, 0]),
        ([1.0, 1.0], (0, 1), [0, 0, 0, 1]),
        ([0.0, 1.0], (0, 1), [0.5, 0, 0, 0.5]),
    ],
)
def test_histograms_take_equal_numbers_and_numbers_on_the_limits(values, limits, shares):
    ax = page.plot_histograms({"a": values}, xlabel="h", bins=4, limits=limits)
    drawn = ax.patches[0].get_data()
    assert drawn.values.tolist() == shares
    assert drawn.edges.tolist() == [0, 0.25, 0.5, 0.75, 1]


def test_histograms_of_equal_numbers_need_no_limits():
    drawn = page.plot_histograms({"a": [2.0] * 3}, xlabel="h", bins=3).patches[0].get_data()
    assert drawn.edges[0] < 2 < drawn.edges[-1]
    assert drawn.values.sum() == 1


@pytest.mark.parametrize(
    ("groups", "more", "error", "message"),
    [
        (
            {"a": [0, 2]},
            {"limits": (-1, 1)},
            ValueError,
            r"hold all numbers, from 0 to 2, got \(-1, 1\)",
        ),
        ({"a": [np.inf]}, {}, ValueError, r"groups\['a'\]: expected finite numbers"),
        ({"a": [1]}, {"bins": 0}, ValueError, "bins: expected at least 1, got 0"),
        ({"a": [1]}, {"bins": "auto"}, TypeError, "bins: expected an int, got str"),
        ({"a": []}, {}, ValueError, "at least one number"),
        ([1], {}, TypeError, "groups: expected a dict"),
    ],
)
def test_histograms_that_cannot_be_drawn(groups, more, error, message):
    with pytest.raises(error, match=message):
        page.plot_histograms(groups, xlabel="h", **more)


def test_spread_shows_every_run_and_the_mean():
    ax = page.plot_spread(
        {"RNN": [0.9, 0.94, 0.92], "MLP": [0.95]},
        ylabel="test accuracy",
        floor=0.1,
        floor_label="chance",
        colours={"MLP": "floor"},
    )
    points, mean, lone, lone_mean, floor = ax.lines
    assert list(points.get_ydata()) == [0.9, 0.94, 0.92]
    assert list(mean.get_ydata()) == pytest.approx([0.92, 0.92])
    assert np.mean(points.get_xdata()) == pytest.approx(np.mean(mean.get_xdata())) == 0
    assert list(lone.get_ydata()) == [0.95] and list(lone.get_xdata()) == [1]
    assert lone_mean.get_color() == page.COLOURS["floor"]
    assert list(floor.get_ydata()) == [0.1, 0.1]
    assert [t.get_text() for t in ax.get_xticklabels()] == ["RNN", "MLP"]


@pytest.mark.parametrize(
    ("groups", "more", "error", "message"),
    [
        ({"a": [1, np.nan]}, {}, ValueError, r"groups\['a'\]: expected finite numbers"),
        ({"a": [1, -1]}, {"log": True}, ValueError, "positive numbers .* got -1"),
        ({}, {}, ValueError, "groups: expected at least one entry"),
        ({"a": [1]}, {"colours": {"b": "rnn"}}, ValueError, "colours: expected labels among"),
    ],
)
def test_spreads_that_cannot_be_drawn(groups, more, error, message):
    with pytest.raises(error, match=message):
        page.plot_spread(groups, ylabel="accuracy", **more)


# Text


def lines(ax) -> list[str]:
    return [text.get_text().replace(r"\$", "$") for text in ax.texts]


def test_text_breaks_between_words_and_loses_nothing():
    passage = "One line,\nthen a longer one that goes on and on; averyveryverylongword."
    ax = page.plot_text({"": passage}, width=12, rows=12)
    shown = lines(ax)
    assert "".join(shown).replace("↵", "\n") == passage
    assert shown[:3] == ["One line,↵", "then a ", "longer one "]
    assert max(map(len, shown)) <= 12 and len(shown) == 12
    # A word that is longer than a line is cut.
    assert "averyveryver" in shown


def test_text_that_does_not_fit_is_cut_with_a_sign_and_the_size_stays():
    short = page.plot_text({"a": "Few words.", "": "More."}, width=20, rows=3)
    long = page.plot_text({"a": "Few words. " * 30, "": "\n" * 9}, width=20, rows=3)
    assert lines(short) == ["a", "Few words.", "", "", "More.", "", ""]
    assert lines(long)[:4] == ["a", "Few words. Few ", "words. Few words. ", "Few words. Few …"]
    assert lines(long)[-1] == "↵…"
    sizes = [tuple(ax.figure.get_size_inches()) for ax in (short, long)]
    assert sizes[0] == sizes[1]
    assert svg()


def test_each_character_has_the_colour_of_its_number():
    passage = "ab cd\nef"
    numbers = np.linspace(-1, 1, len(passage))
    ax = page.plot_text({"x": passage}, {"x": numbers}, width=6, rows=3)
    grid = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert grid.shape == (4, 6) and np.isnan(grid[0]).all()
    assert lines(ax) == ["x", "ab cd↵", "ef", ""]
    np.testing.assert_allclose(grid[1], numbers[:6])
    np.testing.assert_allclose(grid[2], [*numbers[6:], *[np.nan] * 4])
    assert np.isnan(grid[3]).all()
    # Row i of the letters stands on row i of the colours.
    assert [int(text.get_position()[1]) for text in ax.texts] == [0, 1, 2, 3]
    left, right, bottom, top = ax.images[0].get_extent()
    assert (left, right, bottom, top) == (0, 6, 4, 0)


def test_letters_stay_legible_on_every_ground():
    ax = page.plot_text({"": "ab"}, {"": [-1.0, 1.0]})
    image = ax.images[0]
    for number in (-1.0, 0.0, 1.0):
        colour = np.array(image.cmap(image.norm(number))[:3])
        linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
        assert (linear @ [0.2126, 0.7152, 0.0722] + 0.05) / 0.05 > 7  # black on this ground
    orange, blue = (image.cmap(image.norm(number)) for number in (-1.0, 1.0))
    assert orange[0] > orange[2] and blue[2] > blue[0]


def test_letters_fill_the_width_and_formulas_are_not_typeset():
    ax = page.plot_text({"": "$x_t$ and $y$ " + "x" * 38}, width=52)
    ax.figure.canvas.draw()
    assert lines(ax)[0].startswith("$x_t$ and $y$ x") and len(lines(ax)[0]) == 52
    box = ax.texts[0].get_window_extent()
    assert box.width == pytest.approx(ax.get_window_extent().width, rel=0.03)
    # On a phone the picture is 350 pixels wide.
    assert ax.texts[0].get_fontsize() * 350 / (6.2 * 72) > 10


@pytest.mark.parametrize(
    ("passages", "values", "more", "error", "message"),
    [
        ("text", None, {}, TypeError, "expected a dict from heading to text, got 'text'"),
        ({}, None, {}, TypeError, "expected a dict"),
        ({"a": 1}, None, {}, TypeError, r"passages\['a'\]: expected a string, got int"),
        ({"a": "xy"}, {"a": [1.0]}, {}, ValueError, "expected 2 numbers, .* got 1"),
        ({"a": "xy"}, {"b": [1.0]}, {}, ValueError, r"headings among \['a'\], got \['b'\]"),
        ({"a": "xy"}, {"a": [[1.0]]}, {}, ValueError, "expected 1 dimension"),
        ({"a": "xy"}, None, {"rows": 0}, ValueError, "rows: expected at least 1, got 0"),
        ({"a": "xy"}, None, {"width": 5.0}, TypeError, "width: expected an int, got float"),
    ],
)
def test_texts_that_cannot_be_set(passages, values, more, error, message):
    with pytest.raises(error, match=message):
        page.plot_text(passages, values, **more)


def test_headings_stand_apart():
    ax = page.plot_text({"one": "first", "two": "second", "": "third"}, width=9, rows=1)
    assert lines(ax) == ["one", "first", "", "two", "second", "third"]
    assert [text.get_weight() == "bold" for text in ax.texts] == [1, 0, 0, 1, 0, 0]
    assert ax.images[0].get_array().shape == (6, 9)
