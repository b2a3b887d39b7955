"""Live figures: what their own scripts do on a page, and that their numbers are rnnlib's."""

import ast
import base64
import json
import math
import re
import sys
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from drawn import SVG, images, parse
from fake_page import Page, code_of
from sklearn.metrics import roc_auc_score
from torch import nn

from rnnlib import RNN, LSTMCell, NGram, TextStream, load_text, unroll
from rnnlib.gradients import gradient_by_lag
from rnnlib.models.sampling import probabilities
from rnnlib.page import diagrams
from rnnlib.page.colours import COLOURS
from rnnlib.page.drawing import Drawing, letters
from rnnlib.page.live import (
    cliff,
    dates,
    dial_a_number,
    gates_by_hand,
    gradient_lag,
    move_forecast,
    playground,
    type_text,
    what_memory_buys,
)
from rnnlib.page.live.dates import TASK, WEIGHTS, date_network, make, quantised, read_date
from rnnlib.page.live.figure import Choice, Slider, live, script
from rnnlib.page.live.gates import CANDIDATES
from rnnlib.page.live.lag import lag_network
from rnnlib.page.live.playground import LEGENDS, NAMED, Setting, history
from rnnlib.page.live.plot import hundredths, short
from rnnlib.page.live.text import FIRST, UNIT, read_text, text_network, weights
from rnnlib.training import evaluate

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
from date_weights import train  # noqa: E402

CHAPTERS = ROOT / "chapters"


def functions_of(chapter: str, *names: str) -> list:
    """These functions, as a page defines them."""
    cells = json.loads((CHAPTERS / chapter).read_text(encoding="utf-8"))["cells"]
    found = {"np": np, "math": math}
    for cell in cells:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and any(f"def {name}(" in source for name in names):
            for node in ast.parse(source).body:
                if isinstance(node, ast.FunctionDef):
                    exec(ast.unparse(node), found)
    return [found[name] for name in names]


CLIFF = functions_of("09_clipping.ipynb", "loss_and_gradient", "descend")


def what_memory() -> Drawing:
    """The front page's figure, with networks that nobody trained."""
    return what_memory_buys(*networks(), "helo", "hello")


def networks():
    torch.manual_seed(0)
    layers = nn.Linear(4, 6), nn.Tanh(), nn.Linear(6, 4)
    readout = nn.Linear(8, 4)
    nn.init.normal_(readout.weight)  # so large that two states tell
    return RNN(4, 8, batch_first=True), readout, nn.Sequential(*layers)


FIGURES = {
    "step through": lambda: diagrams.step_through(5, "hello", [0.1, -0.2, 0.3, 0.4, 0.5]),
    "step through markup": lambda: diagrams.step_through(3, ["<b>", "&", "]]>"]),
    "two readers": diagrams.two_readers,
    "cliff": lambda: cliff(*CLIFF),
    "dates": dates,
    "dialled": dial_a_number,
    "forecast": move_forecast,
    "gates": gates_by_hand,
    "lag": gradient_lag,
    "lag of an LSTM": lambda: gradient_lag("LSTM"),
    "lag of a GRU": lambda: gradient_lag("GRU"),
    "memory": what_memory,
    "playground": playground,
    "text": type_text,
}


@pytest.fixture(params=FIGURES, name="figure")
def _figure(request):
    return FIGURES[request.param]()


PLOTS = [
    name for name in FIGURES if name not in ("step through", "step through markup", "two readers")
]


# All figures


def test_a_figure_is_an_image_and_a_line_until_its_script_runs(figure):
    root = parse(figure)
    assert [child.tag for child in root] == ["style", "img", "p", "script"]
    assert root[2].get("class") == "caption" and "".join(root[2].itertext())
    page = Page(figure)
    assert page.get("root.children.map(child => child.tag)") == [
        "style",
        "svg",
        "div",
        "p",
        "p",
        "script",
    ]
    assert page.attribute("svg", "role") == "img"
    assert page.attribute("svg", "aria-label") == f"{figure.title}. {figure.description}"


def test_the_svg_follows_the_colours_of_the_page(figure):
    (image,) = images(figure)
    assert "#fff" in image.get("style")
    assert Page(figure).attribute("svg", "style") is None
    assert image.get("fill") == "currentColor"


@pytest.mark.parametrize("name", PLOTS)
def test_letters_and_lines_have_the_colour_of_what_they_stand_for(name):
    letters_of = {"ink": "state", "backward": "gradient", "given": "input", "out": "output"}
    lines_of = {"length": "gradient", "cell": "state", "shown": "state", "inputs": "input"}
    lines_of |= {"unit": "state", "likely": "output"}
    lines_of |= {f"{letter}{j}": "state" for letter in "hc" for j in (1, 2, 3)}
    found = set()
    for element in images(FIGURES[name]())[0].iter():
        for kind in element.get("class", "").split():
            if element.tag in (f"{SVG}text", f"{SVG}tspan") and kind in letters_of:
                assert element.get("fill") == letters(COLOURS[letters_of[kind]])
                found.add(kind)
            if element.tag == f"{SVG}path" and kind in lines_of:
                assert element.get("stroke") == COLOURS[lines_of[kind]]
                found.add(kind)
    assert len(found) >= 2


def test_the_notation_page_names_the_colours():
    rows = re.findall(
        r'background:(#\w+)"></span> \| .* \| `"(\w+)"` \|',
        (CHAPTERS / "notation.md").read_text(encoding="utf-8"),
    )
    expected = ("state", "second", "gradient", "input", "output")
    assert rows == [(COLOURS[name], name) for name in expected]


def test_each_control_is_native_and_has_a_label(figure):
    page = Page(figure)
    controls = page.get("root.querySelectorAll('[name]').map(c => [c.tag, c.parentNode.tag])")
    assert controls and all(c in (["input", "label"], ["select", "label"]) for c in controls)
    assert page.get(
        "root.querySelectorAll('[name]').every(c => c.attributes.autocomplete === 'off')"
    )
    assert page.attribute(".controls", "data-lm-suppress-shortcuts") == "true"


@pytest.mark.parametrize(
    ("name", "most"), [("dates", "40"), ("memory", "200"), ("text", "400"), ("playground", "400")]
)
def test_a_line_to_type_into_has_an_end_and_stays_as_it_was_typed(name, most):
    page = Page(FIGURES[name]())
    assert page.attribute("[type=text]", "maxlength") == most
    for help_nobody_asked_for in ("autocapitalize", "autocorrect"):
        assert page.attribute("[type=text]", help_nobody_asked_for) == "off"
    assert page.attribute("[type=text]", "spellcheck") == "false"


def test_a_screen_reader_hears_the_last_line_once_the_reader_pauses():
    page = Page(playground())
    assert page.attribute(".spoken", "aria-live") == "polite"
    assert page.attribute(".caption", "aria-live") is None and page.heard() is None
    page.set(named="explode")
    last = page.set(named="fade", x="1 " * 24)
    assert page.get("due.size") == 1 and "10−14" in last
    assert re.sub("<[^>]+>", "", page.heard()) == last.replace("−14", " to the power −14")
    page.get("root.querySelector('.caption').innerHTML = 'untouched'")
    assert page.set(x="1 " * 24) == "untouched" and page.get("due.size") == 0


def test_two_copies_on_a_page_are_two_figures(figure):
    page = Page(figure, copies=2)
    name = page.attribute("[name]", "name")
    stops = page.get("root.querySelector('[name]').dataset.stops ?? null")
    other = page.get("root.querySelector('[name]').children[1]?.textContent ?? false")
    other = "another text" if page.attribute("[name]", "type") == "text" else other
    end = stops.split()[-1] if stops else other
    before = page.caption(1)
    assert page.set(**{name: end}) != before
    assert page.caption(1) == before
    assert page.set(copy=1, **{name: end}) == page.caption(0)


def test_a_figure_is_small_and_brings_all_it_needs(figure):
    code = code_of(figure)
    assert "http" not in code and "import(" not in code and "fetch" not in code
    own = unquote(figure.html).replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|url\(|@import", own)
    assert " id=" not in figure.html


@pytest.mark.parametrize(
    "name",
    sorted(path.stem for path in (ROOT / "rnnlib/page/live").glob("*.js")),
)
def test_a_script_is_under_eight_kilobytes_and_can_stand_in_a_page(name):
    text = script(name)
    assert len(text.encode()) < 8_000
    assert not re.search(r"]]>|</script|<!--", text)


def test_on_paper_nothing_is_there_to_be_pressed(figure):
    style = parse(figure)[0].text
    assert ".rnn-drawing .controls{display:none}" in style.partition("@media print")[2]
    book = (ROOT / "_static" / "custom.css").read_text(encoding="utf-8")
    hidden = book.partition("@media print")[2].partition("{")[2].partition("{")[0]
    assert {"audio", "details:not([open])"} < set(re.split(r",\s*", hidden.strip()))


def test_data_cannot_end_the_script():
    slider, data = Slider("step", "step", "0", 0), ["]]></script ><!--<script>"]
    figure = live("A title", "words", "<g/>", (9, 9), [slider], data, "stepper", "said")
    assert figure.html.count("</script") == figure.html.count("]]>") == 1
    assert figure.html.count("<script") == 1 and "<!--" not in figure.html
    assert Page(figure).get("root.querySelector('.caption').innerHTML") == data[0]


def test_a_slider_says_its_stop_and_stops_at_both_ends():
    figure = diagrams.step_through(2)
    page = Page(figure)
    assert page.attribute("[name=step]", "aria-valuetext") == "0"
    disabled = "root.querySelectorAll('button').map(b => b.attributes['aria-disabled'])"
    assert page.get(disabled) == ["true", "false"]
    first = page.caption()
    assert page.press("previous") == first
    said = [page.press("next") for _ in range(3)]
    assert said[1] == said[2] != said[0]
    assert page.get("root.querySelector('output').textContent") == "2"
    assert page.get(disabled) == ["false", "true"]
    assert page.press("previous") == said[0]


def test_a_choice_and_an_infinite_stop_reach_the_script():
    controls = [Slider("c", "c", ["0.5", "none"], "none"), Choice("kind", "kind", ["tanh", "relu"])]
    figure = live("A title", "words", "<g/>", (9, 9), controls, None, "stepper", "said")
    html = figure.html.replace(script("stepper"), "const figure = () => s => `${s.c} ${s.kind}`;")
    page = Page(type(figure)(figure.title, "", html))
    assert page.caption() == "Infinity tanh"
    assert page.set(c="0.5", kind="relu") == "0.5 relu"


def test_lines_leave_out_what_cannot_be_seen():
    page = Page(diagrams.step_through(1))
    context = page.context
    context.eval(script("plot"))
    assert context.eval("line([[0, 0], [0.5, 0], [3, 0.25], [3.5, 0.5]])") == "M0 0L3 0.3L3.5 0.5"
    assert context.eval("line([[0, -0.05], [0.96, 0]])") == "M0 0L1 0"


def test_a_last_digit_of_the_picture_does_not_change_the_name_that_binds_the_script():
    arguments = [[Slider("step", "step", "0", 0)], ["said"], "stepper", "said"]
    one, other = (
        live("A title", "words", f'<circle r="{r}"/>', (9, 9), *arguments) for r in (1.1, 1.2)
    )
    assert parse(one).get("data-live") == parse(other).get("data-live")
    assert one.html != other.html


def test_figures_of_other_data_have_names_of_their_own():
    names = [parse(make()).get("data-live") for make in FIGURES.values()]
    assert len(set(names)) == len(names)


# Stepping through time


def states(page) -> str:
    """Of the parts in their order: hidden, now or done."""
    found = page.get("root.querySelectorAll('[data-at]').map(part => part.dataset.state)")
    return " ".join(found)


def test_the_future_is_hidden_until_it_is_reached():
    page = Page(diagrams.step_through(4))
    assert states(page) == "todo todo todo todo"
    assert page.caption() == "Nothing has been read. What will go into h1?"
    page.set(step=3)
    assert states(page) == "done done now todo"
    assert "[data-state=todo]{visibility:hidden}" in diagrams.step_through(4).html


def test_without_a_script_every_step_is_shown():
    (image,) = images(diagrams.step_through(4))
    parts = [part for part in image.iter(f"{SVG}g") if part.get("data-at")]
    assert [part.get("data-at") for part in parts] == list("1234")
    assert not [part for part in parts if part.get("data-state")]


def test_captions_name_each_step_its_letter_and_its_numbers():
    page = Page(diagrams.step_through(3, "c&t", [0.125, -0.5, -0.001], outputs="dog"))
    assert page.set(step=1) == (
        "Step 1 of 3: h1 = f(x1 Wxh + h0 Whh + bh) reads x1 (“c”) and the state h0, which is "
        "given. Now h1 is 0.12. The answer y1 is “d”."
    )
    assert page.set(step=2) == (
        "Step 2 of 3: h2 = f(x2 Wxh + h1 Whh + bh) reads x2 (“&amp;”) and the state h1. The "
        "weights are those of step 1. Now h2 is −0.50. The answer y2 is “o”."
    )


@pytest.mark.parametrize("T", range(1, 6))
def test_an_output_of_two_readers_appears_when_both_have_been_there(T):
    page = Page(diagrams.two_readers(T))
    labels = "root.querySelectorAll('g[data-at]').filter(g => g.dataset.state !== 'todo')"
    labels += ".flatMap(g => g.querySelectorAll('text')).map(text => text.textContent)"
    for read in range(T + 1):
        said = page.set(step=read)
        expected = [f"h{t}" for t in range(1, read + 1)]
        expected += [f"h{t}" for t in range(T + 1 - read, T + 1)]
        met = [t for t in range(1, T + 1) if t <= read and t > T - read]
        assert sorted(page.get(labels)) == sorted([*expected, *(f"y{t}" for t in met)])
        new = [t for t in met if read in (t, T + 1 - t)]
        assert ("have been" in said) == bool(new)
        assert {f"y{t}" in said for t in new} <= {True}
    assert ElementTree.fromstring(diagrams.two_readers(T).html) is not None


# Numbers


def text_of(html: str) -> str:
    return re.sub("<[^>]+>", "", html)


def close(found: str, expected: str) -> None:
    """Compare path data or sentences: the same words, and numbers to the last digit drawn."""
    parts = [re.split(r"(\d+\.?\d*)", text) for text in (found, expected)]
    assert parts[0][::2] == parts[1][::2]
    for one, other in zip(parts[0][1::2], parts[1][1::2], strict=True):
        assert float(one) == pytest.approx(float(other), abs=0.11, rel=1e-3)


@pytest.mark.parametrize("name", PLOTS)
def test_the_image_is_what_the_script_draws_first(name):
    figure = FIGURES[name]()
    page, (image,) = Page(figure), images(figure)
    drawn = 0
    for element in image.iter():
        if (kind := element.get("class")) and element.get("d") and kind not in ("ink", "state"):
            close(page.attribute(f".{kind}", "d"), element.get("d"))
            drawn += 1
    assert drawn >= 2
    close(page.caption(), "".join(parse(figure).find("p").itertext()))


@pytest.mark.parametrize("value", [0, 4.98e-6, 0.00012, 0.0999, 0.09, 1, 9.96, 252.49, 7812, 3e12])
def test_numbers_are_written_alike(value):
    context = Page(diagrams.step_through(1)).context
    context.eval(script("plot"))
    assert context.eval(f"short({value})") == short(value)
    for signed in (value, -value):
        assert context.eval(f"hundredths({signed})") == hundredths(signed)
    for name, write in (("short", short), ("hundredths", hundredths)):
        assert context.eval(f"{name}(NaN)") == write(math.nan) == "no number"


def test_the_cliff_has_the_loss_and_the_gradient_of_the_chapter():
    """Compared place by place: a run along the wall is chaotic, its loss is not."""
    page, (loss_and_gradient, _) = Page(cliff(*CLIFF)), CLIFF
    page.context.eval(script("cliff").replace("const figure", "globalThis.unused"))
    for w in (-1.0, 1.7, 1.95, 2.5, 4.11):
        for b in (-2.0, -0.49, -0.48, 0.1, 2.6):
            found = json.loads(page.context.eval(f"JSON.stringify(lossAndGradient({w}, {b}))"))
            loss, gradient = loss_and_gradient(w, b)
            assert found == pytest.approx([loss, *gradient], rel=1e-9, abs=1e-13)


def test_the_cliff_tells_what_the_chapter_found():
    page = Page(cliff(*CLIFF))
    losses, norms, _ = CLIFF[1](updates=1201)
    assert norms[989] > 250 and losses[990] > losses[0]
    assert page.set(updates=989).endswith("The longest gradient so far: 252.")
    assert "outside the map" not in page.caption()
    assert "outside the map" in page.set(updates=990)
    page.set(updates=3600)
    assert "outside the map" not in page.set(threshold="1")
    said = page.set(threshold="none", rate="0.005")
    lower = CLIFF[1](updates=3601, lr=0.005)
    assert text_of(f"the loss is {short(lower[0][-1])}") in said
    assert said.endswith(f"The longest gradient so far: {short(lower[1].max())}.")


@pytest.mark.parametrize(
    ("rate", "threshold", "loss", "outside"),
    [
        *[(rate, "none", 0, False) for rate in ("0.005", "0.01")],
        *[(rate, "none", 0.09, True) for rate in ("0.015", "0.02", "0.05", "0.1", "0.3")],
        ("0.02", "30", 0, False),
        ("0.02", "100", 0.09, True),
        ("0.015", "0.01", 0.055, False),
    ],
)
def test_the_cliff_shows_what_chapter_9_says_of_it(rate, threshold, loss, outside):
    page = Page(cliff(*CLIFF))
    said = page.set(updates=3600, rate=rate, threshold=threshold)
    assert ("outside the map" in said) == outside
    page.context.eval(script("cliff").replace("const figure", "globalThis.unused"))
    run = f"descend({rate}, {threshold.replace('none', 'Infinity')}, 3600)"
    assert page.context.eval(f"{run}[3600][0]") == pytest.approx(loss, abs=0.0011)


def test_at_one_rate_the_twelfth_decimal_decides():
    context = Page(cliff(*CLIFF)).context
    context.eval(script("cliff").replace("const figure", "globalThis.unused"))
    runs = (f"descend({0.03 * (1 + k * 1e-12)}, Infinity, 3600)" for k in range(20))
    ends = [context.eval(f"{run}[3600][0]") for run in runs]
    assert min(ends) < 0.001 and max(ends) > 0.08


LAGS = [
    *[
        ("RNN", {"gain": g, "inputs": i, "kind": k})
        for g in (0.5, 0.9, 1, 1.5)
        for i in (0.01, 3)
        for k in ("tanh", "relu")
    ],
    *[
        (layer, {"bias": b, "gain": g, "inputs": i})
        for layer in ("LSTM", "GRU")
        for b in (-2, 0, 3)
        for g in (1, 6)
        for i in (0.01, 3)
    ],
]


@pytest.mark.parametrize(("layer", "settings"), LAGS)
def test_the_gradient_by_lag_is_rnnlibs(layer, settings):
    network, x, u = lag_network(layer, **settings)
    expected = gradient_by_lag(network, x, loss=lambda h: h @ u)
    page = Page(gradient_lag(layer))
    lag = script("lag").replace("const figure", "globalThis.unused")
    page.context.eval(script("plot") + script("cells") + script("weights") + lag)
    data = re.search(r'"data":(\{.*\})\}\)\);', code_of(gradient_lag(layer)))[1]
    run = f"JSON.stringify(gradientByLag({data}, {json.dumps(settings)}))"
    found = torch.tensor(json.loads(page.context.eval(run)), dtype=torch.float64)
    torch.testing.assert_close(found, expected, rtol=1e-9, atol=0)


def test_the_figure_says_the_numbers_of_the_settings_chosen():
    page = Page(gradient_lag("LSTM"))
    said = page.set(bias="3", gain="6", inputs="3")
    network, x, u = lag_network("LSTM", bias=3, gain=6, inputs=3)
    length = gradient_by_lag(network, x, loss=lambda h: h @ u)[-1].item()
    assert f"length is {text_of(short(length))}." in said and "The power 0.9550 is 0.088." in said


def test_the_figure_leaves_the_reader_s_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    gradient_lag("GRU")
    assert torch.equal(torch.rand(2), expected)


def test_another_layer_is_refused():
    with pytest.raises(ValueError, match="layer: expected one of RNN, LSTM, GRU, got 'rnn'"):
        gradient_lag("rnn")


def test_the_gradient_by_lag_shows_what_chapter_8_says_of_it():
    page = Page(gradient_lag())
    power = text_of(short(1.1**50))
    assert page.set(gain="1.1") == (
        f"At lag 50 the gradient’s length is 49. The power 1.1050 is {power}."
    )
    assert "length is 0.0071." in page.set(inputs="1")
    assert "length is 0.012." in page.set(gain="1.5", inputs="3")
    said = {page.set(gain="0.9", kind="relu", inputs=loud) for loud in ("0.01", "0.1", "1", "30")}
    assert len(said) == 1


def test_gates_by_hand_are_those_of_an_lstm_cell():
    """The cell reads g_t and what its gates are to be: a large number opens one or shuts it."""
    gates = torch.randint(0, 2, (3, 10), generator=torch.Generator().manual_seed(1)).double()
    cell = LSTMCell(4, 1, dtype=torch.float64)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.zero_()
        cell.weight_ih.copy_(torch.eye(4, dtype=torch.float64)[[1, 2, 0, 3]])  # rows i, f, g, o
    g = torch.tensor(CANDIDATES, dtype=torch.float64)
    x = torch.stack([g.clamp(-1 + 1e-15).atanh(), *(80 * gates - 40)], dim=1)[:, None]
    h, (_, c) = unroll(cell, x)
    page = Page(gates_by_hand())
    page.context.eval(script("gates").replace("const figure", "globalThis.unused"))
    run = f"JSON.stringify(lstmByHand({list(CANDIDATES)}, ...{gates.tolist()}))"
    found = json.loads(page.context.eval(run))
    assert [pair[1] for pair in found] == pytest.approx(h.flatten().tolist(), abs=1e-12)
    assert found[-1][0] == pytest.approx(c.item(), abs=1e-12)


def test_the_puzzle_tells_what_is_missing_and_when_it_is_solved():
    page = Page(gates_by_hand())
    assert page.caption().startswith("c10 is 0.90, wanted 0.60. h speaks too early, at steps 1,")
    said = page.set(**{f"i{t}": False for t in range(2, 11)})
    assert said.startswith("c10 is 0.60, wanted 0.60. h speaks too early")
    assert page.set(**{f"o{t}": False for t in range(1, 10)}).endswith(
        "wanted 0.60. Solved. Which boxes make no difference now?"
    )
    assert "says nothing at step 10" in page.set(o10=False)
    assert page.set(o10=True, f1=False).count("Solved") == 1
    assert "c10 is 0.00" in page.set(f5=False)


# Dates


def test_the_network_of_the_dates_is_worth_showing():
    """Its answers are readings of the source for 99 of 100 dates that it never trained on."""
    pairs = TASK.pairs(600, torch.Generator().manual_seed(99), part="test")
    texts = [text for text, _ in pairs]
    source, lengths = TASK.encode_sources(texts)
    options = {"start": TASK.start, "end": TASK.end, "max_steps": TASK.max_steps}
    found = date_network().answer(source, lengths, **options)
    answers = [TASK.decode(best.symbols) for [best] in found]
    right = [a in TASK.readings(text) for a, text in zip(answers, texts, strict=True)]
    assert sum(right) / len(right) > 0.99


def test_the_committed_weights_are_what_quantising_leaves_alone():
    assert quantised(date_network()) == WEIGHTS.read_text(encoding="utf-8")
    torch.manual_seed(3)
    model = make()
    found = json.loads(quantised(model))["decoder.weight_hh_l0"]
    scales = np.frombuffer(base64.b64decode(found["scales"]), "<f4")[:, None]
    numbers = np.frombuffer(base64.b64decode(found["numbers"]), "i1").reshape(len(scales), -1)
    weight = model.decoder.weight_hh_l0.detach().numpy()
    assert abs(numbers).max(axis=1).tolist() == [127] * len(scales)
    assert (abs(numbers * scales - weight) <= 0.501 * scales).all()


def test_the_network_of_the_dates_is_trained_the_same_way_each_time():
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        model = make()
        train(model, {0.01: 2, 0.003: 1})
        found.append(quantised(model))
    torch.manual_seed(3)
    assert found[0] == found[1] != quantised(make())


SOURCES = [text for text, _ in TASK.pairs(24, torch.Generator().manual_seed(5), part="test")]


def test_the_page_reads_dates_as_rnnlib_does():
    context = Page(dates()).context
    context.eval("".join(map(script, ("plot", "cells", "weights", "typed"))))
    context.eval(script("dates").replace("const figure", "globalThis.unused"))
    data = re.search(r'"data":(\{.*\})\}\)\);', code_of(dates()))[1]
    context.eval(f"globalThis.translate = translator({data})")
    for text in ["1", "Tue, September 23, 1997", *SOURCES]:
        found = json.loads(context.eval(f"JSON.stringify(translate({json.dumps(text)}))"))
        symbols, weights, probability = read_date(text)
        assert found["symbols"] == symbols
        np.testing.assert_allclose(found["weights"], weights, rtol=0, atol=1e-9)
        assert found["probability"] == pytest.approx(probability, abs=1e-6)  # added up in float32


def test_the_figure_of_the_dates_says_its_answer_and_where_it_looked():
    page = Page(dates())
    said = page.set(text="26 Oct 1997", symbol=6)
    symbols, weights, probability = read_date("26 Oct 1997")
    assert symbols == "1997-10-26$"
    assert probability > 0.995
    top = weights[5].argmax().item()
    start = "1997-10-26, with a probability above 0.99. Writing symbol 6, “1”, it looked most at "
    place = f"(place {top + 1}, {hundredths(weights[5, top].item())})"
    assert re.match(f"{re.escape(start)}“?[^(]+{re.escape(place)}", said)
    assert page.get("root.querySelector('.answer').textContent") == symbols
    doubtful = hundredths(read_date("9 Apr 32")[2])
    assert f"with a probability of {doubtful}." in page.set(text="9 Apr 32")
    page.set(text="26 Oct 1997")
    assert page.get("root.querySelector('.typed').textContent") == "26␣Oct␣1997"
    shaded = page.get("root.querySelector('.shaded').innerHTML")
    assert text_of(shaded) == "26 Oct 1997"
    shares = [float(share) / 70 for share in re.findall(r"(\d+\.?\d*)%", shaded)]
    assert shares == pytest.approx(weights[5].tolist(), abs=0.001)


def test_the_letters_stand_where_the_image_has_them():
    page, (image,) = Page(dates()), images(dates())
    for name in ("typed", "answer"):
        text = next(t for t in image.iter(f"{SVG}text") if name in t.get("class", "").split())
        assert page.get(f"root.querySelector('.{name}').textContent") == text.text
        for side in ("x", "y", "font-size"):
            assert page.attribute(f".{name}", side) == text.get(side)
    page.set(text="9" * int(page.attribute("[name=text]", "maxlength")))
    *_, before, last = map(float, page.attribute(".typed", "x").split())
    assert last < 452 and last - before > 10  # as wide as letters are on a phone


def test_the_slider_ends_where_the_answer_does():
    page = Page(dates())
    assert "symbol 11, the end" in page.set(symbol=17)
    assert "symbol 8, the end" in page.set(text="September 1997")
    assert page.get("root.querySelector('output').textContent") == "8"
    assert "symbol 8, “-”" in page.set(text="26 Oct 1997")


def test_the_figure_of_the_dates_is_light():
    assert len(dates().html) < 80_000


def test_what_the_network_has_never_read_is_said_and_not_guessed():
    page = Page(dates())
    first = page.caption()
    assert page.set(text="3 août 1997 <") == ("No answer: the network has never read “û”, “&lt;”.")
    for name in ("answer", "typed"):
        assert page.get(f"root.querySelector('.{name}').textContent") == ""
    assert {page.attribute(f".level{k}", "d") for k in range(1, 9)} == {""}
    assert page.attribute(".chosen", "d") == ""
    assert page.set(text="  ") == "Type a date."
    assert page.set(text=" Tue, September 23, 1997 ") == first


def test_sure_answers_may_be_no_dates():
    """What is no date, and a form that was never read, are answered like any other."""
    page = Page(dates())
    assert TASK.readings("31 February 1997") == TASK.readings("3rd of April 1997") == ()
    for text, answer in (("31 February 1997", "1997-02-31"), ("3rd of April 1997", "1997-04-34")):
        assert page.set(text=text).startswith(f"{answer}, with a probability above 0.99.")


def test_the_network_of_the_dates_leaves_the_reader_s_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    date_network.cache_clear()
    dates()
    assert torch.equal(torch.rand(2), expected)


# What memory buys


@torch.no_grad()
def expected_after(text: str) -> tuple[np.ndarray, np.ndarray]:
    rnn, readout, without = (net.double() for net in networks())
    x = torch.eye(4, dtype=torch.float64)[["helo".index(letter) for letter in text]][None]
    return tuple(y[0].softmax(dim=1).numpy() for y in (readout(rnn(x)[0]), without(x)))


@pytest.mark.parametrize("text", ["h", "hello", "lol", "hohoho"])
def test_the_page_expects_what_rnnlib_does(text):
    context = Page(what_memory()).context
    for name in ("plot", "cells", "weights", "typed", "memory"):
        context.eval(script(name).replace("const ", "var "))
    data = json.loads(re.search(r'"data":(\{.*\})\}\)\);', code_of(what_memory()))[1])
    context.set("given", json.dumps(data["weights"]))
    context.set("text", text)
    found = json.loads(
        context.eval("JSON.stringify(expectations('helo', JSON.parse(given))(text))")
    )
    for name, expected in zip(("memory", "none"), expected_after(text), strict=True):
        # The page has the weights to two decimals.
        np.testing.assert_allclose(found[name], expected, rtol=0, atol=0.01)


def test_the_letter_before_is_all_that_counts_without_memory():
    page = Page(what_memory())
    said = [page.set(text=text).split("; ")[1] for text in ("hel", "hell", "ool")]
    assert len(set(said)) == 1
    remembered = {page.set(text=text).split("; ")[0].split(": ")[1] for text in ("hel", "hell")}
    assert len(remembered) == 2


def test_of_a_long_text_the_last_letters_are_shown_and_all_are_read():
    page = Page(what_memory())
    said = page.set(text="hellohellohello")
    with_memory, _ = expected_after("hellohellohello")
    best = hundredths(with_memory[-1].max())
    assert said.startswith("After “…ellohello”: with memory") and best in said
    for name in ("memory", "none"):
        assert page.get(f"root.querySelector('.{name}').textContent") == "hellohello"[-9:]


def test_letters_that_the_networks_do_not_know_are_named():
    page, others = Page(what_memory()), "These networks know h, e, l, o, and nothing else. "
    assert page.set(text="HeLp").startswith(
        "These networks know h, e, l, o, and nothing else. After “hel”"
    )
    assert page.set(text="<b>") == others
    assert page.set(text=" ") == "Type a letter."
    assert {page.attribute(f".memory{k}", "d") for k in range(1, 9)} == {""}


# The playground

SETTINGS = [
    *NAMED.values(),
    *[
        Setting(layer, numbers, (0.5, -1.2, 0, 2), units, gain)
        for layer in LEGENDS
        for units, gain in ((2, 1), (3, 2), (3, 0))
        for numbers in [
            np.random.default_rng(units)
            .normal(size=len(LEGENDS[layer]) * (units + 2) * units)
            .round(1)
            .tolist()
        ]
    ],
]


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: f"{s.layer} {s.units} {s.gain}")
def test_the_playground_computes_what_rnnlib_does(setting):
    network, x = setting.network()
    h, c, gates = history(network, x)
    lengths = gradient_by_lag(network, x, loss=lambda h: h[:, 0].sum())
    page = Page(playground())
    own = script("playground").replace("const figure", "globalThis.unused")
    page.context.eval(script("plot") + script("cells") + own)
    call = f"JSON.stringify(run(readBack({json.dumps(setting.text())})), plain)"
    plain = "const plain = (key, v) => ArrayBuffer.isView(v) ? [...v] : v;"
    found = json.loads(page.context.eval(f"{plain} {call}"))
    close_to = {"rtol": 1e-9, "atol": 1e-14}
    np.testing.assert_allclose(found["h"], h, **close_to)
    np.testing.assert_allclose(found["lag"], lengths, **close_to)
    if setting.layer == "LSTM":
        np.testing.assert_allclose(found["c"], c, **close_to)
    if setting.layer != "RNN":
        np.testing.assert_allclose(found["gates"], gates, **close_to)


@pytest.mark.parametrize("setting", SETTINGS[::3], ids=lambda s: f"{s.layer} {s.units} {s.gain}")
def test_an_address_holds_the_whole_setting(setting):
    """What one page writes into its address, another reads."""
    page = Page(playground(), address=f"#{setting.text()}")
    there = page.caption()
    assert page.set(units=5 - setting.units) != there
    page.set(units=setting.units)
    other = Page(playground(), address=page.address())
    assert other.caption() == page.caption()
    named = [name for name, one in NAMED.items() if one == setting]
    assert page.address() == (f"#{named[0].replace(' ', '-')}" if named else f"#{setting.text()}")


def test_a_name_is_an_address_and_a_choice():
    by_choice = Page(playground())
    for name in NAMED:
        address = f"#{name.replace(' ', '-')}"
        said = by_choice.set(named=name)
        assert Page(playground(), address=address).caption() == said
        assert Page(playground(), address="").go(address) == said
    chosen = "root.querySelector('[name=named]').value"
    by_choice.set(x="1 1")
    assert by_choice.get(chosen) == "your own"


def test_in_a_notebook_the_address_is_left_alone():
    page = Page(playground())
    page.set(named="count")
    assert page.address() == ""


@pytest.mark.parametrize(
    "address",
    [
        "#",
        "#nonsense",
        "#layer=GPT&units=9&gain=x&x=a,,1&w=b",
        "#layer=",
        "#layer=constructor",
        "#layer=toString",
        "#layer=__proto__",
        "#layer=hasOwnProperty&x=1",
        "#layer=RNN&x=%",
        "#%41",
        "#%",
        "#%E0%A4%A",
    ],
)
def test_an_address_that_is_none_breaks_nothing(address):
    drawn = r"After 24 steps h is \(.*length is \S+"
    assert re.match(drawn, Page(playground(), address=address).caption())
    page = Page(playground(), address="")
    assert re.match(drawn, page.go(address))
    assert re.match(drawn, page.set(named="count")) and page.address() == "#count"


def test_where_the_browser_refuses_an_address_the_figure_is_drawn():
    page = Page(playground(), address="")
    page.context.eval("history.replaceState = () => { throw Error('too often') }")
    first = page.caption()
    assert page.set(named="fade") != first and page.address() == ""


def test_what_is_typed_may_be_no_number():
    page = Page(playground())
    page.set(named="count", x="1 one 1")
    assert page.address() == "" and page.caption().endswith(" Read as 0: “one”.")
    said = page.caption().removesuffix(" Read as 0: “one”.")
    assert said == page.set(x="1, 0; 1 0 0") == page.set(x=" 1 0 1 , ")
    minus = page.set(x="1 -2")
    assert minus != said and page.set(x="1 −2") == minus
    page.set(x="a b c d <e> f g")
    assert page.caption().count("Read as 0") == 5
    assert "“<bdi>&lt;e&gt;</bdi>”" in page.get("root.querySelector('.caption').innerHTML")
    page.set(x="")
    assert "h is (0.00, 0.00)" in page.caption() and "Read" not in page.caption()


def test_the_playground_ends_at_a_thousand():
    page = Page(playground(), address="#layer=RNN&x=1e300,-4&w=1e999,-1e4,2")
    page.set(units=2)
    assert "x=1000,-4&w=1000,-1000,2,0," in page.address()
    assert "no number" not in page.caption() and "Read" not in page.caption()
    said = page.set(x="-5000", w0x1="1e300")
    assert said.endswith(" Read as −1000: “-5000”. Read as 1000: “1e300”.")
    assert "x=-1000&w=1000,-1000," in page.address()


def test_the_boxes_in_use_are_those_of_the_layer_and_its_units():
    page = Page(playground())
    hidden = "root.querySelectorAll('fieldset').map(f => !!f.hidden)"
    legend = "root.querySelectorAll('legend').map(l => l.textContent)"
    thirds = "root.querySelectorAll('.third').map(t => !!t.hidden)"
    for layer, names in LEGENDS.items():
        page.set(layer=layer)
        assert page.get(hidden) == [k >= len(names) for k in range(4)]
        assert page.get(legend) == [*names, "", "", "", ""][:4]
    assert set(page.get(thirds)) == {True}
    page.set(units=3)
    assert set(page.get(thirds)) == {False}


def test_the_playground_shows_what_its_page_says():
    page = Page(playground())

    def length(**settings):
        return float(re.search(r"length is (\S+)\.$", page.set(**settings))[1])

    assert "c is (0.73, 0.00)" in page.set(named="keep what was loud")
    assert "c is (1.09, 0.00)" in page.set(w0b1="0")
    assert length(named="fade") == 0.043 and length(x="0") == 0.089
    assert "10−14" in page.set(x="1 " * 24)
    assert length(named="explode") == 169
    assert "h is (0.71, 0.00)" in page.set(x="1") and "10−5" in page.caption()
    assert length(named="turn") == 0.94
    assert "h is (0.01, −0.01)" in page.set(gain="0.9")
    h, _, _ = history(*replace(NAMED["turn"], gain=1.5).network())
    distance = h.norm(dim=1)
    assert (distance[:9].diff() > 0).all() and (distance[8:] - 1).abs().max() < 0.1
    assert length(named="three steps of memory") == 0
    assert "h is (0.88, 0.54)" in page.set(named="count")
    assert "h is (1.00, 0.99), c is (4.72," in page.set(x="1 " * 24)
    network, x = NAMED["take or leave"].network()
    lengths = gradient_by_lag(network, x, loss=lambda h: h[:, 0].sum())
    assert lengths[15] > 0.95 and lengths[16] < 0.25
    assert "h is (0.56, 0.00)" in page.set(named="take or leave")
    assert "h is (−0.72," in page.set(x="1 0 0 0 -1", w1x1="12")


# Typed text

TEXTS = [FIRST, "The network reads one letter at a time.", "h", "$W_{hh}$ `x` \\ qqqqq <b> Z"]


@pytest.fixture(name="typed", scope="module")
def _typed():
    return text_network()


@pytest.fixture(name="in_page", scope="module")
def _in_page():
    """The functions of the page's script, with its network."""
    page = Page(type_text())
    own = script("text").replace("const figure", "globalThis.unused")
    page.context.eval("".join(map(script, ("plot", "cells", "weights", "typed"))) + own)
    page.context.eval(f"const model = network({json.dumps(weights())});")
    return lambda call: json.loads(page.context.eval(f"JSON.stringify({call})"))


@pytest.mark.parametrize("text", TEXTS)
def test_the_page_s_distribution_is_rnnlib_s(typed, in_page, text):
    h, y = read_text(typed, text)
    read = f"readText(model, {json.dumps(text)})"
    found = in_page(f"{read}.map(({{ state, y }}) => [[...state], [...y]])")
    np.testing.assert_allclose([row[0] for row in found], h, rtol=1e-9, atol=1e-12)
    for temperature in (0.1, 1, 3):
        p = in_page(f"{read}.map(({{ y }}) => [...softmax(y, {temperature})])")
        expected = probabilities(y, temperature=temperature)
        np.testing.assert_allclose(p, expected, rtol=0, atol=1e-10)


def test_the_network_pays_less_than_the_tables(typed):
    """Bits per character on the part of the text that it has not seen."""
    text = load_text()
    assert typed.vocabulary == text.vocabulary
    unseen = TextStream(text.validation, text.vocabulary, 8, 500)
    paid = evaluate(typed, unseen, carry_state=True).loss / math.log(2)
    tables = NGram(text.train, 6, text.vocabulary)
    assert 2 < paid < 2.13
    assert paid < min(tables.bits_per_symbol(text.validation, n) for n in range(1, 7))


def test_the_first_unit_is_the_one_that_tells_a_formula_best(typed):
    text = load_text().train[-8_000:]
    opened, sign = [], ""
    for symbol in text:
        if sign == "" and symbol in "$`":
            sign = symbol
        elif symbol in (sign, "\n"):
            sign = ""
        opened.append(sign != "")
    h, _ = read_text(typed, text)
    apart = [abs(roc_auc_score(opened, unit) - 0.5) for unit in h.T]
    assert 1 + int(np.argmax(apart)) == UNIT and max(apart) > 0.45


def test_the_figure_with_its_weights_is_light():
    assert len(type_text().html) < 80_000
    assert len(json.dumps(weights())) < 50_000


def test_the_bars_and_the_line_follow_what_is_typed(typed):
    page = Page(type_text())
    names = "root.querySelectorAll('.name').map(name => name.textContent)"
    text = "The network"
    h, y = read_text(typed, text)
    for temperature in ("0.25", "1", "3"):
        said = page.set(text=text, temperature=temperature, unit=9)
        p = probabilities(y, temperature=float(temperature))
        likely = p[-1].argsort(descending=True)[:10].tolist()
        symbols = [typed.vocabulary.symbols[i] for i in likely]
        assert page.get(names) == [s.replace(" ", "␣").replace("\n", "↵") for s in symbols]
        bars = re.findall(r"h([\d.]+)", page.attribute(".likely", "d"))
        close(" ".join(bars), " ".join(f"{300 * v:.1f}" for v in p[-1, likely].tolist()))
        x = typed.vocabulary.encode(text)[1:, None]
        cost = -p[:-1].gather(1, x).log2().mean().item()
        assert f"Unit 9 is {hundredths(h[-1, 8].item())}." in said
        assert said.endswith(f"your text cost {hundredths(cost)} bits a character.")


def test_the_ground_of_a_character_has_the_sign_of_the_state(typed):
    page = Page(type_text())
    text = "A state $h"
    page.set(text=text, unit=UNIT)
    values = read_text(typed, text)[0][:, UNIT - 1].tolist()
    cells = page.get(
        "root.querySelectorAll('.cell').map(c => [c.attributes.fill, c.attributes['fill-opacity']])"
    )
    for (fill, opacity), value in zip(cells, values, strict=False):
        assert fill == COLOURS["state" if value > 0 else "backward"]
        assert float(opacity) == pytest.approx(abs(value) / 2, abs=0.006)
    assert {opacity for _, opacity in cells[len(text) :]} == {"0"}
    symbols = "root.querySelectorAll('.symbol').map(s => s.textContent).join('')"
    assert page.get(symbols) == text.replace(" ", "␣")


def test_of_a_long_text_the_end_is_shown():
    page = Page(type_text())
    page.set(text="The first state is zero. " * 3 + "Then it is not.")
    symbols = "root.querySelectorAll('.symbol').map(s => s.textContent).join('')"
    assert page.get(symbols).endswith("Then␣it␣is␣not.") and len(page.get(symbols)) == 32


def test_a_character_that_was_never_learned_is_named_and_not_read():
    page = Page(type_text())
    plain = page.set(text="a state")
    said = page.set(text="a éstaéte🙂")
    assert said == f"{plain} Not read, since it was never learned: “é”, “🙂”."
    cells = page.get("root.querySelectorAll('.cell').map(c => c.attributes['fill-opacity'])")
    assert cells[2] == "0" != cells[3]
    said = page.set(text="éé")
    assert said.startswith("Nothing has been read. Not read, since it was never learned: “é”.")
    assert page.attribute(".likely", "d") == ""
    assert page.set(text="").startswith("Nothing has been read. Type")
    assert "likeliest" in page.set(text="12")


def test_typed_markup_stays_text():
    page = Page(type_text())
    page.set(text="a <b><")
    assert page.get("root.querySelector('.caption').innerHTML").startswith(
        "After “<bdi>&lt;</bdi>” the"
    )
    assert "<i" not in page.get("root.querySelector('.caption').innerHTML")


def test_the_typed_text_shows_what_chapter_12_says_of_it(typed):
    """A sign that is never closed is forgotten; another sort of text costs more."""
    page = Page(type_text())
    assert page.caption() == page.set(text="The layer `rnn` of the network")
    cost = r"cost (\S+) bits"
    assert "(78\u00a0%)" in page.caption() and re.search(cost, page.caption())[1] == "1.74"
    for text, value in (("The layer `rnn ", "−0.97"), ("The layer `rnn of t", "0.95")):
        assert f"Unit 37 is {value}." in page.set(text=text)
    for text, cheapest in (
        ("The layer `rnn` of the network", "0.75"),
        ("My grandmother bakes bread.", "1.5"),
    ):
        costs = {
            stop: float(re.search(cost, page.set(text=text, temperature=stop))[1])
            for stop in "0.5 0.75 1 1.5 2".split()
        }
        assert min(costs, key=costs.get) == cheapest
    assert costs["1"] == 3.8
