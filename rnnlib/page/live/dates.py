"""Dates with attention: the reader writes one, a network answers, and shows where it looked."""

import json
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from rnnlib.data.dates import FORMATS, Dates
from rnnlib.layers import GRU
from rnnlib.models import EncoderDecoder
from rnnlib.models.attention import AdditiveAttention
from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import MONO, Drawing, letters, number
from rnnlib.page.live.figure import Slider, Text, live
from rnnlib.page.live.plot import UPRIGHT, Shades, hundredths
from rnnlib.page.live.typed import placed, quoted
from rnnlib.page.live.weights import load_packed, pack_model

D, H, A = 16, 48, 16
TASK = Dates(
    formats=(
        *FORMATS,
        "{month}/{year}",
        "{day}.{month}.{year}",
        "{day}/{month}/{year}",
        "{month_short} {year}",
        "{day} {month_short} {year}",
        "{month_name} {day}, {year}",
        "{month_short} {day}, {year2}",
        "{day} {month_name} {year2}",
    )
)
"""The book's formats, and more of those that a reader may try."""
FIRST = "Tue, September 23, 1997"
LEFT, TOP, WIDTH, WIDE, HIGH = 40, 50, 412, 15, 15
"""Of the map: where it begins, how wide it is at most, and the size of a cell at most."""
WEIGHTS = Path(__file__).with_name("dates.json")


def make() -> EncoderDecoder:
    """Make the network, untrained: chapter 14's, smaller, without biases in its GRUs."""
    options = {"batch_first": True, "bias": False}
    return EncoderDecoder(
        GRU(D, H // 2, bidirectional=True, **options),
        GRU(D, H, **options),
        len(TASK.source_vocabulary),
        len(TASK.target_vocabulary),
        AdditiveAttention(H, H, A),
    )


def quantised(model: nn.Module) -> str:
    """Return a model's weights, packed, as JSON."""
    return json.dumps(pack_model(model), indent=1) + "\n"


@cache
def date_network() -> EncoderDecoder:
    """Return the trained network, in float64, with the weights that the page has."""
    with torch.random.fork_rng(devices=[]):  # no draw here may change the reader's next
        model = make().double()
    return load_packed(model, json.loads(WEIGHTS.read_text(encoding="utf-8"))).eval()


def read_date(text: str) -> tuple[str, Tensor, float]:
    """Let the trained network read one source.

    Parameters
    ----------
    text : str
        Of symbols of ``TASK.source_vocabulary``.

    Returns
    -------
    symbols, weights, probability : str, Tensor (S, T), float
        The answer with its end symbol, the attention's weights for each of its symbols, and the
        answer's probability.
    """
    model = date_network()
    source, lengths = TASK.encode_sources([text])
    options = {"start": TASK.start, "end": TASK.end, "max_steps": TASK.max_steps}
    [[best]] = model.answer(source, lengths, **options)
    previous = torch.tensor([[TASK.start, *best.symbols[:-1]]])
    with torch.no_grad():
        (weights,) = model.attention_weights(source, lengths, previous)
    return TASK.target_vocabulary.decode(best.symbols), weights, best.probability


def dates() -> Drawing:
    """Draw where a network looks that writes a date in one form; the reader types the date.

    Returns
    -------
    Drawing
    """
    symbols, weights, probability = read_date(FIRST)
    pen, cell = Pen(), min(WIDE, WIDTH / len(FIRST))
    for x, name, css, words in (
        (LEFT, "input", "given", "across: what was typed"),
        (LEFT + 190, "output", "out", "down: what the network writes"),
    ):
        ink = f'class="{css}" fill="{letters(COLOURS[name])}" {UPRIGHT}'
        pen.text(words, x, 16, 13, "start", ink)
    shades = Shades(LEFT, TOP, cell, HIGH, "level")
    shades.draw(pen, weights.tolist(), COLOURS["state"])
    chosen = _frame(LEFT - 22, TOP, 22 + len(FIRST) * cell)
    pen.path(chosen, 'class="chosen" stroke="currentColor"')
    placed(pen, "given typed", "input", FIRST, lambda j: (LEFT + (j + 0.5) * cell, TOP - 6))
    placed(pen, "out answer", "output", symbols, lambda t: (LEFT - 12, TOP + (t + 0.78) * HIGH))
    stops = [str(t) for t in range(1, TASK.max_steps + 1)]
    data = {
        "map": shades.data(),
        "widest": (WIDTH, WIDE),
        "colour": COLOURS["state"],
        "source": TASK.source_vocabulary.symbols,
        "target": TASK.target_vocabulary.symbols,
        "start": TASK.start,
        "end": TASK.end,
        "steps": TASK.max_steps,
        "weights": json.loads(WEIGHTS.read_text(encoding="utf-8")),
    }
    places = sorted(enumerate(weights[0].tolist()), key=lambda place: -place[1])[:3]
    looked = ", ".join(
        f"{quoted(FIRST[j])} (place {j + 1}, {hundredths(weight)})"
        for k, (j, weight) in enumerate(places)
        if k == 0 or weight >= 0.1
    )
    return live(
        "A date in any form, and where the network looks",
        f"A map of attention: in each row, for one symbol of the answer {symbols[:-1]} and for its "
        f"end, the weights of the symbols of “{FIRST}”, darker where they are larger.",
        "".join(pen.parts),
        (460, TOP + TASK.max_steps * HIGH + 8),
        [
            Text("text", "a date", FIRST, most=40),
            Slider("symbol", "symbol of the answer", stops, "1"),
            Shaded(),
        ],
        data,
        ("plot", "cells", "weights", "typed", "dates"),
        f"<b>{symbols[:-1]}</b>, with a probability {_sure(probability)}. Writing symbol 1, "
        f"“{symbols[0]}”, it looked most at {looked}.",
        zoom=1.15,
    )


_STYLE = (
    "<style>.rnn-drawing .shaded{flex-basis:100%;min-height:3.2em;text-align:center;"
    f"font-family:{MONO};white-space:pre-wrap;overflow-wrap:anywhere}}</style>"
)


class Shaded:
    """The line that was typed, shaded where the network looked; the words below say it."""

    def html(self) -> str:
        """Return its markup."""
        return f'{_STYLE}<div class="shaded" aria-hidden="true"></div>'


def _sure(probability: float) -> str:
    """Say a probability that is almost 1 without calling it 1."""
    return "above 0.99" if probability > 0.995 else f"of {hundredths(probability)}"


def _frame(x: float, y: float, wide: float) -> str:
    wide = number(wide)
    return f"M{number(x)} {number(y)}h{wide}v{number(HIGH)}h-{wide}z"
