"""The drawings: well-formed, the same every time, described, and drawn as the text says."""

import math
import re
import subprocess
import sys
from collections import Counter
from itertools import chain, combinations, pairwise
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from drawn import FREE, SVG, images, numbered, parse, pictures
from torch.nn.utils.rnn import pack_sequence

from rnnlib.data.text import IGNORE_INDEX, TextStream
from rnnlib.data.vocabulary import Vocabulary
from rnnlib.layers import scan_rounds
from rnnlib.page import diagrams
from rnnlib.page.colours import COLOURS, CYCLE, GRADIENT, INK, INPUT, LAST, OUTPUT, SECOND, STATE
from rnnlib.page.drawing import letters

BEAM = ({"a": 0.6, "b": 0.4}, {"a": [0.55, 0.45], "b": [0.1, 0.9]})
DRAWINGS = {
    "loop": diagrams.loop,
    "unfolded": diagrams.unfolded,
    "unfolded, one step": lambda: diagrams.unfolded(1),
    "unfolded, six steps": lambda: diagrams.unfolded(6),
    "way back": diagrams.backward_pass,
    "way back, one step": lambda: diagrams.backward_pass(1),
    "way back, six steps": lambda: diagrams.backward_pass(6),
    "problem shapes": diagrams.problem_shapes,
    "stacked": diagrams.stacked,
    "stacked, large": lambda: diagrams.stacked(4, 5, highlight="h_n"),
    "stacked, small": lambda: diagrams.stacked(1, 1, highlight=None),
    "bidirectional": diagrams.bidirectional,
    "bidirectional, one step": lambda: diagrams.bidirectional(1),
    "bidirectional, two readers": diagrams.two_readers,
    "bidirectional, two readers of five steps": lambda: diagrams.two_readers(5),
    "lstm cell": diagrams.lstm_cell,
    "lstm cell, cut": lambda: diagrams.lstm_cell(cut=True),
    "one gate at a time": diagrams.one_gate_at_a_time,
    "gru cell": diagrams.gru_cell,
    "packed": diagrams.packed,
    "packed, one sequence": lambda: diagrams.packed([1]),
    "packed, four by three": lambda: diagrams.packed([3, 3, 3, 3]),
    "backward reader": diagrams.backward_reader,
    "encoder and decoder": diagrams.encoder_decoder,
    "attention": lambda: diagrams.encoder_decoder(attention=True),
    "beam": lambda: diagrams.beam(*BEAM),
    "step through": diagrams.step_through,
    "step through a word": lambda: diagrams.step_through(
        5, "hello", [0.1, -0.2, 0.3, 0.4, 0.5], outputs="elloh"
    ),
    "step through markup": lambda: diagrams.step_through(3, ["<b>", "&", "]]>"]),
    "one step through": lambda: diagrams.step_through(1, values=[[1.0, 2.0, 3.0]]),
    "streams of words": lambda: diagrams.streams("Hello, how are you?", 2, 4),
    "scan": diagrams.scan,
    "scan, five steps": lambda: diagrams.scan(5),
}


@pytest.fixture(params=DRAWINGS, name="drawing")
def _drawing(request) -> diagrams.Drawing:
    return DRAWINGS[request.param]()


def labels_of(image: ElementTree.Element) -> list[str]:
    """The labels of an image, letters and indices run together: "h1", "Whh"."""
    return ["".join(text.itertext()) for text in image.iter(f"{SVG}text")]


def shown(drawing) -> list[str]:
    return [label for image in images(drawing) for label in labels_of(image)]


def elements(drawing, tag: str) -> list[ElementTree.Element]:
    return [element for image in images(drawing) for element in image.iter(f"{SVG}{tag}")]


def places(drawing) -> dict[str, tuple[float, float]]:
    """Where each label stands; the last of its name."""
    return {
        "".join(text.itertext()): (float(text.get("x")), float(text.get("y")))
        for text in elements(drawing, "text")
    }


# All drawings


def test_markup_is_well_formed_xml_in_one_element(drawing):
    assert parse(drawing).get("class") == "rnn-drawing"


def test_the_markup_is_the_same_every_time(drawing, request):
    again = DRAWINGS[request.node.callspec.params["drawing"]]()
    assert again.html == drawing.html
    assert again == drawing


def test_the_markup_does_not_depend_on_the_process():
    code = "from rnnlib.page import diagrams; print(diagrams.step_through(3, 'abc').html, end='')"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout == diagrams.step_through(3, "abc").html


def test_what_survives_in_an_untrusted_notebook_is_the_drawing(drawing):
    """Such a notebook keeps images and paragraphs, and drops SVG, styles and scripts."""
    root = parse(drawing)
    assert not list(root.iter(f"{SVG}svg"))
    for image, svg in zip(root.iter("img"), images(drawing), strict=True):
        assert len(image.get("alt").split()) >= 8
        for side in ("width", "height"):
            assert float(image.get(side)) == float(svg.get(side)) > 50


def test_an_image_is_described_in_full(drawing):
    alts = [image.get("alt") for image in parse(drawing).iter("img")]
    if len(alts) == 1:
        assert alts == [f"{drawing.title}. {drawing.description}"]
    assert len(set(alts)) == len(alts)


def test_where_only_text_is_shown_it_is_the_description(drawing):
    title, *lines = repr(drawing).split("\n")
    assert title == drawing.title and len(title) >= 10
    assert " ".join(lines) == drawing.description
    assert max(map(len, lines)) <= 76


def test_no_two_elements_of_a_page_share_an_id():
    page = "".join(make().html for make in DRAWINGS.values()) * 2
    ids = Counter(element.get("id") for element in ElementTree.fromstring(f"<p>{page}</p>").iter())
    del ids[None]
    assert not [name for name, count in ids.items() if count > 1]


def test_nothing_is_loaded_from_elsewhere(drawing):
    html = unquote(drawing.html).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//\w+\.|url\(|@import|\bsrc=(?!.data:)|\bhref=", html)


def luminance(colour) -> float:
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in colour]
    return float(np.dot([0.2126, 0.7152, 0.0722], linear))


def contrast(one, other) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def rgb(colour: str) -> np.ndarray:
    return np.array([int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)])


def turned_over(colour: np.ndarray, ground: np.ndarray) -> np.ndarray:
    """What _static/custom.css makes of a colour on a dark page: invert, hue-rotate, screen."""
    weights = np.array([0.213, 0.715, 0.072])
    half_turn = 2 * np.tile(weights, (3, 1)) - np.eye(3)
    light = 0.9 * np.clip(half_turn @ (1 - colour), 0, 1)
    return 1 - (1 - light) * (1 - ground)


def test_the_style_sheet_turns_pictures_over_as_the_next_test_takes_it():
    css = (Path(__file__).parent.parent / "_static" / "custom.css").read_text(encoding="utf-8")
    rule = css.split('html[data-theme="dark"] .bd-article .cell_output img:not(.keep-colours)')[1]
    for line in (
        "filter: invert(1) hue-rotate(180deg) brightness(0.9);",
        "mix-blend-mode: screen;",
    ):
        assert line in rule.split("}")[0]


def test_colours_suit_a_light_and_a_dark_ground(drawing):
    """Lines have 3:1 and letters 4.5:1 on white, and turned over on a dark page."""
    dark, white = rgb("#14181e"), np.ones(3)
    for image in images(drawing):
        style, text = image.get("style"), ElementTree.tostring(image, "unicode")
        ink = re.fullmatch(r"color:(#[0-9a-f]{6});background:#fff", style)[1]
        assert image.get("fill") == "currentColor"
        in_letters = {element.get("fill") for element in image.iter(f"{SVG}text")} - {None}
        used = set(re.findall(r"#[0-9a-f]{6}\b", text.replace(style, "")))
        assert not re.search(r'(fill|stroke)="(black|white)"', text)
        for colour in used | {ink}:
            least = 4.5 if colour in in_letters | {ink} else 3
            assert contrast(rgb(colour), white) >= least, colour
            assert contrast(turned_over(rgb(colour), dark), dark) >= least, colour
    assert turned_over(white, dark) == pytest.approx(dark)


def test_a_drawing_has_no_colours_but_those_with_a_name(drawing):
    named = {*COLOURS.values(), *CYCLE}
    known = named | {letters(colour) for colour in named} | {INK}
    for image in images(drawing):
        own = re.sub(r"background:#fff", "", ElementTree.tostring(image, "unicode"))
        assert set(re.findall(r"#[0-9a-fA-F]{3,8}\b", own)) <= known


def test_the_way_back_is_orange_and_nothing_else_is():
    """Letters as well: a gradient's own, and the weights that it is multiplied by."""
    for image in images(diagrams.backward_pass()):
        orange = {
            "".join(text.itertext())
            for text in image.iter(f"{SVG}text")
            if text.get("fill") == letters(GRADIENT)
        }
        assert orange == {*(f"g{t}" for t in range(1, 5)), "Whh⊤", "Wxh⊤"}
    for name, make in DRAWINGS.items():
        if not name.startswith(("way back", "packed")):
            drawn = "".join(ElementTree.tostring(image, "unicode") for image in images(make()))
            assert GRADIENT not in drawn, name


def test_everything_lies_inside_the_view(drawing):
    for image in images(drawing):
        _, _, width, height = map(float, image.get("viewBox").split())
        # On a phone the view is about 350 pixels wide: the smallest letters stay legible.
        sizes = [float(text.get("font-size")) for text in image.iter(f"{SVG}text")]
        assert min(sizes) * min(1.2, 350 / width) >= 8.5 or width < 260
        for rect in image.iter(f"{SVG}rect"):
            x, y, w, h = (float(rect.get(name)) for name in ("x", "y", "width", "height"))
            assert 0 <= x and x + w <= width and 0 <= y and y + h <= height
        for circle in image.iter(f"{SVG}circle"):
            x, y, r = (float(circle.get(name)) for name in ("cx", "cy", "r"))
            assert r <= x <= width - r and r <= y <= height - r
        for text in image.iter(f"{SVG}text"):
            assert 0 <= float(text.get("x")) <= width and 0 <= float(text.get("y")) <= height


def test_drawings_are_small():
    assert len(diagrams.loop().html) < 4_000
    assert len(diagrams.unfolded().html) < 8_000
    assert max(len(make().html) for make in DRAWINGS.values()) < 25_000


# What is joined to what: read back from the places of shapes, labels and arrows


def row(*names: str, colour: str | None = STATE) -> list[tuple]:
    """Arrows along a row."""
    return [(*pair, colour) for pair in pairwise(names)]


def column(*names: str) -> list[tuple]:
    """Arrows that carry inputs and outputs: of the text's colour."""
    return row(*names, colour=None)


def series(letter: str, first: int, last: int) -> list[str]:
    return [f"{letter}{t}" for t in range(first, last + 1)]


def unfolded_edges(T):
    edges = row(*series("h", 0, T))
    for t in range(1, T + 1):
        edges += column(f"x{t}", f"h{t}", f"y{t}")
    return edges


def way_back_edges(T):
    """Wherever the forward pass has an arrow, there is one the other way."""
    forwards = unfolded_edges(T)
    return forwards + [(end, start, GRADIENT) for start, end, _ in forwards]


def shape_edges(T, inputs, outputs):
    edges = row(*series("h", 1, T))
    edges += [arrow for t in inputs for arrow in column(f"x{t}", f"h{t}")]
    return edges + [arrow for t in outputs for arrow in column(f"h{t}", f"y{t}")]


def stacked_edges(L, T):
    edges = []
    for layer in range(1, L + 1):
        edges += row(*(f"h{t}({layer})" for t in range(T + 1)))
    for t in range(1, T + 1):
        edges += column(f"x{t}", *(f"h{t}({layer})" for layer in range(1, L + 1)))
    return edges


def bidirectional_edges(T):
    """Of two states with one name the left one is the forward one; the double box has no name."""
    edges = row("h0", *(f"h{t} 1" for t in range(1, T + 1)))
    edges += row(f"h{T + 1}", *(f"h{t} 2" for t in range(T, 0, -1)), colour=SECOND)
    for t in range(1, T + 1):
        for way in (1, 2):
            edges += column(f"x{t}", f"h{t} {way}", f"unnamed {2 * (t - 1) + way}", f"y{t}")
    return edges


def lstm_edges():
    # σ 1, 2, 3 are f, i and o; × 1, 2, 3 are f c, i g and o tanh(c).
    edges = row("ct−1", "× 1", "+", "ct") + row("× 3", "ht")
    for gate in ("σ 1", "σ 2", "σ 3", "tanh 1"):
        edges += column("xt", gate) + column("ht−1", gate)
    edges += column("σ 1", "× 1") + column("σ 2", "× 2", "+") + column("tanh 1", "× 2")
    return edges + column("+", "tanh 2", "× 3") + column("σ 3", "× 3")


def cut_lstm_edges():
    return lstm_edges() + row("σ 1", "1 −", "× 2", colour=OUTPUT) + row("ct", "ht")


def one_gate_at_a_time_edges():
    # Numbers run from left to right: 1 and 2 are the first and third stage, 3 and 4 the others.
    edges = row("ct−1 1", "+ 1", "ct 1") + column("gt 1", "+ 1")
    edges += row("ct−1 3", "+ 3", "ct 3") + column("gt 3", "× 4", "+ 3") + column("it 2", "× 4")
    for c, keep, add, i, f in ((2, 1, 2, 1, 1), (4, 3, 5, 3, 2)):
        edges += row(f"ct−1 {c}", f"× {keep}", f"+ {c}", f"ct {c}") + column(f"ft {f}", f"× {keep}")
        edges += column(f"gt {c}", f"× {add}", f"+ {c}") + column(f"it {i}", f"× {add}")
    return edges + column("ct 4", "× 6") + row("× 6", "ht") + column("ot", "× 6")


def gru_edges():
    # σ 1 and 2 are z and r; × 1, 2, 3 are z h, (1 - z) n and r (h W_hn).
    edges = row("ht−1", "× 1", "+", "ht")
    for gate in ("σ 1", "σ 2"):
        edges += column("xt", gate) + column("ht−1", gate)
    edges += column("σ 1", "× 1") + column("σ 1", "1 −", "× 2", "+") + column("tanh", "× 2")
    return edges + column("xt", "tanh") + column("ht−1", "× 3", "tanh") + column("σ 2", "× 3")


def encoder_decoder_edges(attention):
    edges = row("h1", "h2", "h3", "s1") + row("s1", "s2", "s3", colour=SECOND)
    for t in (1, 2, 3):
        edges += column(f"x{t}", f"h{t}") + column(f"z{t - 1}", f"s{t}")
        if attention:
            edges += column(f"h{t}", "c2")
        else:
            edges += column(f"s{t}", f"y{t}") + column("h3", f"y{t}")
    return edges + (column("c2", "y2") + column("s2", "y2") + row("s2", "c2", colour=SECOND)) * (
        attention
    )


def backward_reader_edges():
    """Above (1) five states, the first two of which read zeros; below (2) the three real ones."""
    edges = row("h5", "h4", "h3 1", "h2 1", "h1 1", colour=SECOND)
    edges += row("h3 2", "h2 2", "h1 2", colour=SECOND)
    edges += column("0 1", "h4") + column("0 2", "h5")
    return edges + [e for t in "123" for n in "12" for e in column(f"x{t} {n}", f"h{t} {n}")]


def beam_edges():
    edges = row("^", "a", "aa") + column("^", "b", "bb")
    return edges + column("a", "ab") + column("b", "ba")


def scan_edges(T):
    """Names count equal labels of a column from the top down, where time has gone furthest."""
    rows = [[f"{max(1, t - n + 1)}–{t}" for t in range(1, T + 1)] for n in (1, 2, 4, 8)]
    rows = [[re.sub(r"^(\d)–\1$", r"\1", name) for name in names] for names in rows]
    rows = rows[: (T - 1).bit_length() + 1]
    columns = [numbered(names[::-1])[::-1] for names in zip(*rows, strict=True)]
    edges = []
    for t, names in enumerate(columns):
        for number in range(1, len(rows)):
            edges += column(names[number - 1], names[number])
            if t >= (reach := 2 ** (number - 1)):
                edges += row(columns[t - reach][number - 1], names[number])
    return edges


def stepper_edges(states, words):
    """`words` are those of step 1 above and below, of step 2, and so on."""
    words = numbered(words)
    edges = row("h0", *states)
    for state, above, below in zip(states, words[::2], words[1::2], strict=True):
        edges += column(below, state, above)
    return edges


def default_words(T):
    return [f"{letter}{t}" for t in range(1, T + 1) for letter in "yx"]


HELLO = ["0.10", "−0.20", "0.30", "0.40", "0.50"]
TIME = [(FREE, FREE, None)]
EDGES = {
    "loop": [column("xt", "ht", "yt") + row("ht", "ht")],
    "unfolded": [unfolded_edges(4) + TIME],
    "unfolded, one step": [unfolded_edges(1)],
    "unfolded, six steps": [unfolded_edges(6) + TIME],
    "way back": [way_back_edges(4)],
    "way back, one step": [way_back_edges(1)],
    "way back, six steps": [way_back_edges(6)],
    "problem shapes": [
        shape_edges(1, [1], [1]),
        shape_edges(3, [1], [1, 2, 3]),
        shape_edges(3, [1, 2, 3], [3]),
        shape_edges(3, [1, 2, 3], [1, 2, 3]),
        shape_edges(4, [1, 2], [3, 4]),
    ],
    "stacked": [stacked_edges(2, 3)],
    "stacked, large": [stacked_edges(4, 5)],
    "stacked, small": [stacked_edges(1, 1)],
    "bidirectional": [bidirectional_edges(4)],
    "bidirectional, one step": [bidirectional_edges(1)],
    "bidirectional, two readers": [bidirectional_edges(4)],
    "bidirectional, two readers of five steps": [bidirectional_edges(5)],
    "lstm cell": [lstm_edges()],
    "lstm cell, cut": [cut_lstm_edges()],
    "one gate at a time": [one_gate_at_a_time_edges()],
    "gru cell": [gru_edges()],
    "packed": [[]],
    "packed, one sequence": [[]],
    "packed, four by three": [[]],
    "backward reader": [backward_reader_edges()],
    "encoder and decoder": [encoder_decoder_edges(False)],
    "attention": [encoder_decoder_edges(True)],
    "beam": [beam_edges()],
    "step through": [stepper_edges(series("h", 1, 5), default_words(5))],
    "step through a word": [
        stepper_edges(
            [f"h{t} {value}" for t, value in enumerate(HELLO, 1)],
            [word for pair in zip("elloh", "hello", strict=True) for word in pair],
        )
    ],
    "step through markup": [
        stepper_edges(series("h", 1, 3), ["y1", "<b>", "y2", "&", "y3", "]]>"])
    ],
    "one step through": [stepper_edges(["h1 1.00 2.00 3.00"], default_words(1))],
    "streams of words": [row("Hell", "o,␣h", "o") + row("w␣ar", "e␣yo", "u")],
    "scan": [scan_edges(8)],
    "scan, five steps": [scan_edges(5)],
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_arrows_lead_from_shape_to_shape_as_the_equations_say(name):
    assert [picture.edges() for picture in pictures(DRAWINGS[name]())] == [
        Counter(edges) for edges in EDGES[name]
    ]


@pytest.mark.parametrize("name", DRAWINGS)
def test_every_label_stands_in_the_middle_of_its_shape(name):
    for picture in pictures(DRAWINGS[name]()):
        for shape in picture.shapes:
            inside = [at for at in picture.labels if shape.outside((at.x, at.y)) < -5]
            # The two halves of the double box have none; states may hold numbers as well.
            assert bool(inside) == ("unnamed" not in shape.name), shape
            assert " ".join(at.text for at in inside) == re.sub(" [1-9]$|unnamed.*", "", shape.name)
            if inside:
                assert np.mean([at.y for at in inside]) == pytest.approx(shape.y, abs=5)
        for one, other in combinations(picture.shapes, 2):
            apart = (abs(one.x - other.x), abs(one.y - other.y))
            sizes = ((one.wide + other.wide) / 2, (one.high + other.high) / 2)
            assert apart[0] >= sizes[0] or apart[1] >= sizes[1], (one, other)


CANDIDATES = {
    "lstm cell": ["tanh 1"],
    "lstm cell, cut": ["tanh 1"],
    "gru cell": ["tanh"],
    "one gate at a time": [f"gt {n}" for n in range(1, 5)],
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_shapes_have_the_colour_and_the_outline_of_what_they_are(name):
    for picture in pictures(DRAWINGS[name]()):
        last = max((int(s.name[1]) for s in picture.shapes if re.match(r"h\d", s.name)), default=0)
        for shape in picture.shapes:
            given = re.match(r"[ch]t−1|h0", shape.name)
            colour = STATE
            if name.startswith("packed"):
                colour = CYCLE["abcd".index(shape.name[0])]
            elif name == "streams of words":
                colour = INPUT
            elif name.startswith("bidirectional"):
                back = re.fullmatch(rf"h\d 2|unnamed \d*[02468]|h{last}", shape.name)
                colour = SECOND if back else STATE
                given = given or shape.name == f"h{last}"
            elif name == "backward reader":
                colour = SECOND
            elif name.startswith("scan"):
                given = shape.name[0] != "1"  # does not reach back to step 1
            elif name == "beam":
                given = shape.name in ("ab", "ba")  # not kept
                colour = OUTPUT if shape.name == "bb" else STATE
            elif shape.name in CANDIDATES.get(name, ()):
                colour = INPUT
            elif re.match(r"σ|tanh|1 −|[fgio]t", shape.name):
                colour = OUTPUT
            elif shape.name[0] == "s":
                colour = SECOND
            if shape.kind == "circle":
                colour = {"x": INPUT, "z": INPUT, "0": INPUT, "y": OUTPUT}.get(shape.name[0])
                if "step through" in name:  # what is read stands below, what is answered above
                    high = [other.y for other in picture.shapes if other.kind == "circle"]
                    colour = INPUT if shape.y == max(high) else OUTPUT
            assert shape.colour == (colour or "currentColor"), shape
            assert shape.dashed == bool(given), shape
            rect = bool(re.match(r"[abcdhsuσ]|tanh|1 −|[fgio]t", shape.name))
            if "c2" not in shape.name and "word" not in name and "scan" not in name:
                assert (shape.kind == "rect") == rect, shape


@pytest.mark.parametrize(
    ("name", "beside"),
    [
        ("loop", {"Wxh": "xt ht", "Whh": "ht ht", "Why": "ht yt"}),
        ("unfolded", {"Wxh": "x{t} h{t}", "Whh": "h{s} h{t}", "Why": "h{t} y{t}"}),
        ("unfolded, six steps", {"Wxh": "x{t} h{t}", "Whh": "h{s} h{t}", "Why": "h{t} y{t}"}),
        ("way back", {"Wxh⊤": "h{t} x{t}", "Whh⊤": "h{t} h{s}"}),
        ("way back, six steps", {"Wxh⊤": "h{t} x{t}", "Whh⊤": "h{t} h{s}"}),
        ("step through", {"Wxh": "x{t} h{t}", "Whh": "h{s} h{t}", "Why": "h{t} y{t}"}),
        (
            "stacked",
            {
                "Wxh(1)": "x1 h1(1)",
                "Wxh(2)": "h1(1) h1(2)",
                "Whh(1)": "h0(1) h1(1)",
                "Whh(2)": "h0(2) h1(2)",
            },
        ),
        ("lstm cell", {"ft": "σ 1>× 1", "it": "σ 2>× 2", "gt": "tanh 1>× 2", "ot": "σ 3>× 3"}),
        (
            "gru cell",
            {
                "zt": "σ 1>× 1",
                "rt": "σ 2>× 3",
                "nt": "tanh>× 2",
                "Whn": "ht−1>× 3",
                "Wxn": "xt>tanh",
            },
        ),
        ("attention", {"asks": "s2 c2"}),
    ],
)
def test_names_stand_beside_their_arrows(name, beside):
    (picture,) = pictures(DRAWINGS[name]())
    T = {"unfolded": 4, "way back": 4, "step through": 5}.get(name, 6 if "six" in name else 1)
    for label, arrow in beside.items():
        joined = [arrow.format(s=t - 1, t=t) for t in range(1, T + 1)]
        expected = {tuple(ends.split(">" if ">" in ends else " ")) for ends in joined}
        assert picture.beside(label) == expected, label


@pytest.mark.parametrize(
    ("name", "places"),
    [
        (
            "lstm cell",
            {"forget": "σ 1", "input": "σ 2", "candidate": "tanh 1", "output": "σ 3"},
        ),
        ("gru cell", {"update": "σ 1", "candidate": "tanh", "reset": "σ 2"}),
        ("encoder and decoder", {"encoder": "x2", "decoder": "z1"}),
        ("attention", {"encoder": "x2", "decoder": "z1"}),
    ],
)
def test_words_stand_at_what_they_name(name, places):
    (picture,) = pictures(DRAWINGS[name]())
    for word, place in places.items():
        (at,) = ((label.x, label.y) for label in picture.labels if label.text == word)
        assert min(picture.shapes, key=lambda shape: shape.outside(at)).name == place, word


def test_time_runs_from_its_word_to_the_right():
    (picture,) = pictures(diagrams.unfolded(3))
    (word,) = (label for label in picture.labels if label.text == "time")
    (arrow,) = (a for a in picture.arrows if a.start[1] > picture["x1"].y + 30)
    assert word.x < arrow.start[0] < picture["x2"].x < arrow.tip[0]
    assert arrow.start[1] == arrow.tip[1] == pytest.approx(word.y, abs=2)


# What each one shows


def test_loop_names_the_three_weights_once():
    assert Counter(shown(diagrams.loop())) == Counter(
        ["ht", "xt", "yt", "Wxh", "Whh", "Why", "one step later"]
    )


@pytest.mark.parametrize("steps", range(1, 7))
def test_unfolded_repeats_the_same_weights_at_every_step(steps):
    labels = Counter(shown(diagrams.unfolded(steps)))
    assert labels["Wxh"] == labels["Whh"] == labels["Why"] == steps
    assert labels["h0"] == 1
    assert all(labels[f"{letter}{t}"] == 1 for letter in "xhy" for t in range(1, steps + 1))
    assert labels[f"h{steps + 1}"] == labels["x0"] == labels["y0"] == 0


@pytest.mark.parametrize("steps", range(1, 7))
def test_the_direct_gradient_of_every_step_stands_beside_its_arrow(steps):
    (picture,) = pictures(diagrams.backward_pass(steps))
    for t in range(1, steps + 1):
        assert picture.beside(f"g{t}") == {(f"y{t}", f"h{t}")}
    written = [label.text for label in picture.labels]
    assert written.count("Whh⊤") == written.count("Wxh⊤") == steps


def test_time_runs_to_the_right_and_inputs_stand_at_the_bottom():
    at = places(diagrams.unfolded(4))
    for letter in "xhy":
        columns = [at[f"{letter}{t}"][0] for t in range(1, 5)]
        assert columns == sorted(set(columns))
    assert at["h0"][0] < at["h1"][0]
    assert at["y2"][1] < at["h2"][1] < at["x2"][1]


def test_problem_shapes_have_their_inputs_and_outputs():
    drawing = diagrams.problem_shapes()
    root = parse(drawing)
    found = {}
    for image, picture in zip(root.iter("img"), images(drawing), strict=True):
        labels = labels_of(picture)
        found[image.get("alt").split(":")[0]] = (
            "".join(sorted(x[1] for x in labels if x[0] == "x")),
            "".join(sorted(y[1] for y in labels if y[0] == "y")),
            sum(label[0] == "h" for label in labels),
        )
    assert found == {
        "one to one": ("1", "1", 1),
        "one to many": ("1", "123", 3),
        "many to one": ("123", "3", 3),
        "many to many": ("123", "123", 3),
        "many to many, after reading": ("12", "34", 4),
    }
    assert [bold.text for bold in root.iter("b")] == list(found)


@pytest.mark.parametrize(("layers", "steps"), [(1, 1), (2, 3), (3, 4), (4, 5)])
def test_stacked_has_every_state_and_an_initial_state_for_each_layer(layers, steps):
    labels = Counter(shown(diagrams.stacked(layers, steps)))
    for layer in range(1, layers + 1):
        assert all(labels[f"h{t}({layer})"] == 1 for t in range(steps + 1))
        assert labels[f"Whh({layer})"] == labels[f"Wxh({layer})"] == 1
    assert sum(labels[f"x{t}"] for t in range(1, steps + 1)) == steps
    assert labels["output"] == labels["h_n"] == 1


def frames_and_states(drawing):
    rects = elements(drawing, "rect")
    boxes = [
        tuple(float(rect.get(name)) for name in ("x", "y", "width", "height")) for rect in rects
    ]
    states = [b for b, r in zip(boxes, rects, strict=True) if r.get("class") == "state"]
    frames = {
        r.get("stroke"): b for b, r in zip(boxes, rects, strict=True) if r.get("class") != "state"
    }
    return frames, states


def held(frame, states):
    """The states in a frame; it keeps a distance from them, and from those outside."""
    x, y, w, h = frame
    inside = []
    for state in states:
        sx, sy, sw, sh = state
        margin = min(sx - x, sy - y, x + w - sx - sw, y + h - sy - sh)
        assert abs(margin) >= 8, (frame, state)
        if margin > 0:
            inside.append(state)
    return inside


def test_output_frames_the_top_layer_and_h_n_the_last_step():
    frames, states = frames_and_states(diagrams.stacked(2, 3))
    computed = [s for s in states if s[2] > 50]
    assert len(computed) == 6
    top, last = min(s[1] for s in computed), max(s[0] for s in computed)
    assert held(frames[OUTPUT], states) == [s for s in computed if s[1] == top]
    assert held(frames[LAST], states) == [s for s in computed if s[0] == last]


@pytest.mark.parametrize(
    ("highlight", "names"),
    [
        ("output", {"output"}),
        ("h_n", {"h_n"}),
        (None, set()),
        (["h_n", "output"], {"output", "h_n"}),
    ],
)
def test_stacked_marks_what_is_asked(highlight, names):
    drawing = diagrams.stacked(highlight=highlight)
    assert set(shown(drawing)) & {"output", "h_n"} == names
    assert ("frame named output" in drawing.description) == ("output" in names)
    assert len(frames_and_states(drawing)[0]) == len(names)


def test_stacked_says_that_there_are_biases():
    text = "".join(parse(diagrams.stacked()).find("p").itertext())
    assert "bias bh(l)" in text


def test_lstm_cell_has_the_parts_of_its_equations():
    labels = Counter(shown(diagrams.lstm_cell()))
    symbols = ("ct−1", "ct", "ht−1", "ht", "xt", "ft", "it", "gt", "ot")
    assert all(labels[symbol] == 1 for symbol in symbols)
    # Three sigmoids and the candidate's tanh; the cell's tanh; f c, i g and o tanh(c).
    assert (labels["σ"], labels["tanh"], labels["×"], labels["+"]) == (3, 2, 3, 1)
    assert all(labels[name] == 1 for name in ("forget", "input", "candidate", "output"))


def test_the_lstm_cell_runs_straight_from_one_step_to_the_next():
    drawing = diagrams.lstm_cell()
    at = places(drawing)
    circles = [(float(c.get("cx")), float(c.get("cy"))) for c in elements(drawing, "circle")]
    boxes = [float(r.get("y")) + float(r.get("height")) / 2 for r in elements(drawing, "rect")]
    line = min(boxes)
    assert boxes.count(line) == 2  # c_{t-1} and c_t
    on_the_path = sorted(x for x, y in circles if y == line)
    assert len(on_the_path) == 2
    times, plus = on_the_path
    assert at["ct−1"][0] < times < plus < at["ct"][0]
    assert at["+"][0] == plus
    # The forget gate stands under its product; input gate and candidate on either side of the sum.
    assert abs(at["ft"][0] - times) < 20
    assert times < at["it"][0] < plus < at["gt"][0] < at["ot"][0]
    assert at["ct"][1] < at["ft"][1] < at["ht"][1] < at["xt"][1]


def test_the_cut_lstm_has_a_cross_on_all_that_a_gru_leaves_out():
    drawing = diagrams.lstm_cell(cut=True)
    crosses = [
        tuple(map(float, re.findall(r"[\d.]+", path.get("d"))))
        for path in elements(drawing, "path")
        if path.get("stroke") == COLOURS["bad"]
    ]
    centres = {((c[0] + c[2]) / 2, (c[1] + c[3]) / 2) for c in crosses}
    at = {"σ": [], "tanh": [], "×": []}
    for text in elements(drawing, "text"):
        at.setdefault("".join(text.itertext()), []).append(float(text.get("x")))
    _, i, o = sorted(at["σ"])
    assert sorted(x for x, _ in centres) == [i, o, max(at["tanh"]), max(at["×"])]
    assert "1 −" in shown(drawing)
    # Nothing is taken away: what is cut stands under its cross.
    assert set(shown(diagrams.lstm_cell())) < set(shown(drawing))


@pytest.mark.parametrize("steps", range(1, 6))
def test_bidirectional_has_two_rows_and_an_initial_state_at_either_end(steps):
    drawing = diagrams.bidirectional(steps)
    labels = Counter(shown(drawing))
    assert all(labels[f"h{t}"] == 2 for t in range(1, steps + 1))
    # The forward row starts before step 1, the backward row after the last.
    assert labels["h0"] == labels[f"h{steps + 1}"] == 1
    assert f"h_{steps + 1} at the right" in drawing.description
    boxes = elements(drawing, "rect")
    for colour in (STATE, SECOND):
        own = [b for b in boxes if b.get("stroke") == colour]
        given = [float(b.get("x")) for b in own if b.get("stroke-dasharray")]
        others = [float(b.get("x")) for b in own if not b.get("stroke-dasharray")]
        assert len(given) == 1
        # One state a step, and half of one join.
        assert len(others) == 2 * steps
        assert given[0] < min(others) if colour == STATE else given[0] > max(others)


@pytest.mark.parametrize("lengths", [(2, 5, 1, 3), (1,), (2, 2), (1, 4)])
def test_packed_shows_every_real_step_three_times_in_torchs_order(lengths):
    drawing = diagrams.packed(lengths)
    sequences = [
        torch.tensor([10.0 * i + t for t in range(1, n + 1)]) for i, n in enumerate(lengths)
    ]
    packed = pack_sequence(sequences, enforce_sorted=False)
    names = ["abcd"[int(v) // 10] + str(int(v) % 10) for v in packed.data]
    labels = shown(drawing)
    cells = [label for label in labels if re.fullmatch(r"[abcd]\d", label)]
    assert Counter(cells) == {name: 3 for name in names}
    assert cells[-len(names) :] == names
    sizes = packed.batch_sizes.tolist()
    after = labels[labels.index("data") :]
    assert [int(label) for label in after if label.isdigit()] == sizes
    assert f"number of cells: {', '.join(map(str, sizes))}." in drawing.description


@pytest.mark.parametrize(("N", "T"), [(2, 4), (3, 4), (4, 2), (1, 8), (2, 3)])
def test_streams_shows_the_windows_that_a_text_stream_serves(N, T):
    text = "hullo, how are you"
    (picture,) = pictures(diagrams.streams(text, N, T))
    vocabulary = Vocabulary.from_text(text)
    served = [
        vocabulary.decode(x[z != IGNORE_INDEX]).replace(" ", "␣")
        for batch in TextStream(text, vocabulary, N, T)
        for x, z in zip(*batch, strict=True)
    ]
    shapes = sorted(picture.shapes, key=lambda shape: (shape.x - shape.wide / 2, shape.y))
    assert [re.sub(" [1-9]$", "", shape.name) for shape in shapes] == [*filter(None, served)]


def test_streams_refuses_what_has_no_room():
    for text, N, T in (("ab", 2, 1), ("a" * 50, 2, 4), ("hello", 5, 1), ("hello", 1, 9)):
        with pytest.raises(ValueError, match="expected"):
            diagrams.streams(text, N, T)
    with pytest.raises(TypeError, match="text: expected a string"):
        diagrams.streams(["a", "b"], 1, 1)


@pytest.mark.parametrize("T", [2, 3, 5, 8])
def test_each_box_of_the_scan_joins_neighbours_and_the_last_row_is_whole(T):
    (picture,) = pictures(diagrams.scan(T))

    def steps(name):
        first, *last = map(int, re.sub(" [1-9]$", "", name).split("–"))
        return [*range(first, (last or [first])[0] + 1)]

    heights = sorted({shape.y for shape in picture.shapes})
    assert len(heights) == 1 + scan_rounds(T)
    whole = sorted(steps(shape.name) for shape in picture.shapes if shape.y == heights[0])
    assert whole == [[*range(1, t + 1)] for t in range(1, T + 1)]
    for shape in picture.shapes:
        if shape.y < heights[-1]:
            below = [steps(one) for one, other, _ in picture.edges() if other == shape.name]
            assert [*chain(*sorted(below))] == steps(shape.name)


def test_scan_refuses_what_has_no_room():
    for steps in (1, 9):
        with pytest.raises(ValueError, match="steps: expected between"):
            diagrams.scan(steps)


@pytest.mark.parametrize("lengths", [(2, 5, 1, 3), (1,), (2, 2), (1, 4)])
def test_packed_stands_in_two_tables_and_one_row(lengths):
    drawing = diagrams.packed(lengths)
    (picture,) = pictures(drawing)
    N, T, order = len(lengths), max(lengths), sorted(range(len(lengths)), key=lambda i: -lengths[i])
    cells = {(shape.x, shape.y): shape.name.split()[0] for shape in picture.shapes}
    dots = {
        (float(c.get("cx")), float(c.get("cy")))
        for c in elements(drawing, "circle")
        if c.get("class") == "padding"
    }
    rows = sorted((a.x, a.y, a.text) for a in picture.labels if a.text in "abcd")
    titles = sorted(a.x for a in picture.labels if a.text.isdigit() and a.y < rows[0][1])
    assert (len(rows), len(titles)) == (2 * N, 2 * T)
    # Each table has its title over its middle.
    for title, numbers in (("padded", titles[:T]), ("longest first", titles[T:])):
        (at,) = (a for a in picture.labels if a.text == title)
        assert at.x == pytest.approx(np.mean(numbers)) and at.y < rows[0][1]
    # Under each number, beside each letter: the cell of that name, or a dot.
    in_tables = 0
    for table, sequences in enumerate((range(N), order)):
        for i, (_, y, letter) in zip(sequences, rows[table * N :], strict=False):
            assert letter == "abcd"[i]
            for t, x in enumerate(titles[table * T :][:T], 1):
                places = cells if t <= lengths[i] else dots
                (near,) = (place for place in places if math.dist(place, (x, y)) < 1)
                if places is cells:
                    assert cells[near] == f"{letter}{t}"
                    in_tables += 1
    assert len(dots) == 2 * (N * T - sum(lengths))
    # Below them, one row: no gap within a step, and a bracket over each with its number of cells.
    data = sorted(shape for shape in cells if shape[1] > rows[-1][1] + 30)
    assert len(data) == len(cells) - in_tables == sum(lengths)
    assert len({y for _, y in data}) == 1
    assert len(picture.wires) == T
    for t, bracket in enumerate(picture.wires, 1):
        left, right = bracket.runs[0][0][0], bracket.runs[0][-1][0]
        under = [place for place in data if left < place[0] < right]
        names = [f"{'abcd'[i]}{t}" for i in order if lengths[i] >= t]
        assert [cells[place] for place in under] == names
        assert (under[0][0] - left, right - under[-1][0]) == (17, 17)
        assert [b - a for (a, _), (b, _) in pairwise(under)] == [38] * (len(under) - 1)
        middle = (left + right) / 2
        assert str(len(names)) in {a.text for a in picture.labels if abs(a.x - middle) < 1}
    (sizes,) = (label for label in picture.labels if label.text == "batch_sizes")
    assert sizes.x == picture.wires[-1].runs[0][-1][0] and sizes.y > data[0][1] + 40


@pytest.mark.parametrize(
    ("lengths", "error", "said"),
    [
        ((), ValueError, "one to four that make at most 12 steps together, got 0"),
        ((1,) * 5, ValueError, "got 5 that make 5"),
        ((5, 5, 5), ValueError, "got 3 that make 15"),
        ((2, 6), ValueError, r"lengths\[1\]: expected between 1 and 5, got 6"),
        ((0,), ValueError, r"lengths\[0\]: expected between 1 and 5, got 0"),
        ((2.0,), TypeError, r"lengths\[0\]: expected an int, got float"),
    ],
)
def test_packed_checks_its_lengths(lengths, error, said):
    with pytest.raises(error, match=said):
        diagrams.packed(lengths)


def test_gru_cell_has_what_the_equations_have():
    drawing = diagrams.gru_cell()
    labels = Counter(shown(drawing))
    for symbol in ("ht−1", "ht", "xt", "rt", "zt", "nt", "Whn", "Wxn"):
        assert labels[symbol] == 1, symbol
    # Two sigmoids and a tanh; three products and one sum, of which one factor is 1 - z_t.
    assert (labels["σ"], labels["tanh"], labels["×"], labels["+"], labels["1 −"]) == (2, 1, 3, 1, 1)
    at = places(drawing)
    assert at["ht−1"][0] < at["zt"][0] < at["nt"][0] < at["ht"][0]
    # The reset gate acts between the product with W_hn and the tanh: PyTorch's form.
    assert at["tanh"][1] < at["rt"][1] < at["Whn"][1] < at["xt"][1]
    assert "bhn" in "".join(parse(drawing).find("p").itertext())


def test_encoder_decoder_hands_the_last_state_on():
    labels = Counter(shown(diagrams.encoder_decoder()))
    names = [f"{letter}{i}" for letter in "xhsy" for i in (1, 2, 3)] + ["z0", "z1", "z2"]
    assert labels == Counter([*names, "c", "encoder", "decoder"])
    with_attention = Counter(shown(diagrams.encoder_decoder(attention=True)))
    assert with_attention - labels == Counter(["c2", "asks"])
    assert labels - with_attention == Counter(["y1", "y3", "c"])
    with pytest.raises(TypeError, match="attention: expected a bool, got str"):
        diagrams.encoder_decoder(attention="yes")


# Stepping through


def test_each_step_shows_its_letter_and_its_numbers():
    drawing = diagrams.step_through(3, "cat", [0.125, -0.5, -0.001], outputs="dog")
    labels = Counter(shown(drawing))
    assert all(
        labels[text] == 1 for text in ("c", "a", "t", "d", "o", "g", "0.12", "−0.50", "0.00")
    )
    assert labels["Whh"] == 3
    assert "The states: h_1 0.12; h_2 −0.50; h_3 0.00." in drawing.description


@pytest.mark.parametrize("words", [None, ["one", "two", "six"]])
def test_every_step_names_its_input_state_and_output(words):
    drawing = diagrams.step_through(3, words, outputs=words)
    inputs = places(drawing)
    for group in elements(drawing, "g"):
        if t := group.get("data-at"):
            at = {
                "".join(text.itertext()): float(text.get("y")) for text in group.iter(f"{SVG}text")
            }
            assert at[f"y{t}"] < at["Why"] < at[f"h{t}"] < at["Wxh"] < inputs[f"x{t}"][1]
            assert "Whh" in at


def test_a_space_that_is_read_can_be_seen():
    assert "␣" in shown(diagrams.step_through(3, "a b"))


def test_values_may_be_a_tensor_that_requires_grad():
    values = torch.tensor([[0.1, 0.2], [0.3, 0.4]], requires_grad=True)
    assert diagrams.step_through(2, values=values) == diagrams.step_through(
        2, values=[[0.1, 0.2], [0.3, 0.4]]
    )


# Errors


@pytest.mark.parametrize("make", [diagrams.unfolded, diagrams.step_through, diagrams.two_readers])
@pytest.mark.parametrize(
    ("steps", "error", "message"),
    [
        (0, ValueError, r"steps: expected between 1 and \d, got 0"),
        (-1, ValueError, "got -1"),
        (7, ValueError, r"steps: expected between 1 and \d, got 7"),
        (2.0, TypeError, "steps: expected an int, got float"),
        (True, TypeError, "got bool"),
        ("3", TypeError, "got str"),
    ],
)
def test_steps_are_checked(make, steps, error, message):
    with pytest.raises(error, match=message):
        make(steps)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"layers": 0}, ValueError, "layers: expected between 1 and 4, got 0"),
        ({"steps": 6}, ValueError, "steps: expected between 1 and 5, got 6"),
        ({"layers": 1.5}, TypeError, "layers: expected an int, got float"),
        ({"highlight": "hn"}, ValueError, r"highlight: expected output and h_n, got \['hn'\]"),
    ],
)
def test_stacked_checks_its_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        diagrams.stacked(**arguments)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"labels": "abcd"}, ValueError, "labels: expected one for each of 3 steps, got 4"),
        ({"labels": [1, 2, 3]}, TypeError, "labels: expected strings, got int"),
        (
            {"labels": ["a", "", "c"]},
            ValueError,
            "expected 1 to 4 characters for each step, got ''",
        ),
        ({"outputs": "ab"}, ValueError, "outputs: expected one for each of 3 steps, got 2"),
        ({"values": [1, 2]}, ValueError, r"values: expected shape \(3,\) .* got \(2,\)"),
        ({"values": np.zeros((3, 4))}, ValueError, r"k at most 3, got \(3, 4\)"),
        ({"values": [1, 2, float("nan")]}, ValueError, "values: expected finite numbers"),
        ({"values": ["a", "b", "c"]}, TypeError, "values: expected a number"),
        ({"values": [[1], [1, 2], [3]]}, TypeError, "values: expected a number"),
        ({"values": 3}, TypeError, "values: expected a number"),
    ],
)
def test_step_through_checks_its_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        diagrams.step_through(3, **arguments)


def test_the_beam_keeps_the_two_best_and_names_the_product_beside_each_answer():
    (picture,) = pictures(diagrams.beam(*BEAM))
    for answer, p in {"aa": "0.33", "ab": "0.27", "ba": "0.04", "bb": "0.36"}.items():
        beside = [at for at in picture.labels if at.text == p]
        assert [abs(at.y - picture[answer].y) < 3 for at in beside] == [True]
    # The other way round, greedy search finds the best.
    (other,) = pictures(diagrams.beam({"x": 0.7, "y": 0.3}, {"x": [0.9, 0.1], "y": [0.6, 0.4]}))
    assert (other["xx"].colour, other["yx"].dashed, other["xy"].dashed) == (OUTPUT, False, True)
    assert {e[:2] for e in other.edges() if e[2] == STATE} == {("^", "x"), ("x", "xx")}


@pytest.mark.parametrize(
    "wrong",
    [
        ({"a": 1.0}, {"a": [0.5, 0.5]}),
        ({"a": 0.6, "b": 0.4}, {"a": [0.5, 0.5]}),
        ({"a": 0.6, "b": 0.0}, {"a": [0.5, 0.5], "b": [0.5, 0.5]}),
        ({"a": 0.6, "b": 0.4}, {"a": [0.5, 0.5], "b": [0.5, 0.3, 0.2]}),
    ],
)
def test_the_beam_refuses_other_trees(wrong):
    with pytest.raises(ValueError, match="expected two symbols with positive probabilities"):
        diagrams.beam(*wrong)


def test_the_dots_of_the_told_backward_reader_have_no_states():
    drawing = diagrams.backward_reader()
    dots = [c for c in elements(drawing, "circle") if c.get("class") == "padding"]
    (picture,) = pictures(drawing)
    assert len(dots) == 2 and len([s for s in picture.shapes if s.kind == "rect"]) == 8
    for dot in dots:
        assert float(dot.get("cy")) == picture["x1 2"].y
        above = [s.y for s in picture.shapes if s.x == float(dot.get("cx"))]
        assert picture["h1 2"].y not in above
