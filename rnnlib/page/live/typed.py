"""What a reader has typed, as a figure shows it again."""

import unicodedata
from collections.abc import Callable
from html import escape

from rnnlib.page.colours import COLOURS
from rnnlib.page.diagrams.pen import Pen
from rnnlib.page.drawing import MONO, SANS, letters, number
from rnnlib.page.live.plot import UPRIGHT


def shown(symbol: str) -> str:
    """Return a symbol as it is drawn, with a sign for what cannot be seen."""
    return {" ": "␣", "\n": "↵"}.get(symbol, symbol)


def quoted(symbol: str) -> str:
    """Return a symbol as a sentence names it, as HTML."""
    names = {" ": "a space", "\n": "the end of the line"}
    if symbol not in names and unicodedata.category(symbol)[0] in "CMZ":
        return f"U+{ord(symbol):04X}"  # it cannot be seen alone
    return names.get(symbol, f"“<bdi>{escape(symbol, quote=False)}</bdi>”")


def percent(p: float) -> str:
    """Return a probability in whole per cent, ties upwards."""
    whole = "below 1" if 0 < p < 0.005 else int(100 * p + 0.5)
    return f"{whole}\u00a0%"  # no line ends between the two


def placed(
    pen: Pen, css: str, colour: str, text: str, place: Callable[[int], tuple[float, float]]
) -> None:
    """Write a text whose symbols stand each at a place of its own."""
    places = [place(k) for k in range(len(text))]
    x, y = (" ".join(map(number, values)) for values in zip(*places, strict=True))
    ink = f'class="{css}" fill="{letters(COLOURS[colour])}" {UPRIGHT.replace(SANS, MONO)}'
    pen.add("text", escape("".join(map(shown, text))), ink, x=x, y=y, font_size=13)
