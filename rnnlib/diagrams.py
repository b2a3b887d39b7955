"""Drawings of recurrent networks: inline SVG that follows the page's light or dark theme.

One visual language for the whole book. Inputs x_t stand at the bottom, states h_t in the middle,
outputs y_t at the top, and time runs to the right. Lines and letters take the colour of the
surrounding text, so they are right on any ground; states and the arrows between them are blue,
whatever runs backwards in time is orange.

A drawing needs nothing from outside, holds no `id` (any number of them can share a page), and is
the same text every time it is made.
"""

import hashlib
import json
import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape
from itertools import pairwise
from numbers import Integral

import numpy as np

STATE = "#3a86c8"
"""States, and the arrows that carry them forwards in time."""
BACKWARD = "#d3752a"
"""States of a backward direction, and the arrows that carry them."""
OUTPUT = "#1f9e78"
"""The frame around `output`, all steps of the top layer."""
LAST = "#b0609f"
"""The frame around `h_n`, the last step of every layer."""

MAX_STEPS = 6
"""More columns than this are too small to read on a phone."""

_SERIF = "'STIX Two Text','Latin Modern Roman',Cambria,'Times New Roman',Times,serif"
_SANS = "-apple-system,'Segoe UI',Roboto,'Helvetica Neue',Arial,sans-serif"
_MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,'Liberation Mono',monospace"


@dataclass(frozen=True)
class Drawing:
    """A figure that a notebook and the book show by itself: end a cell on it.

    Parameters
    ----------
    title : str
        What the figure is, in a few words.
    description : str
        The figure in words, for readers who do not see it.
    html : str
        The markup: well-formed, without ids and outside resources.
    """

    title: str
    description: str = field(repr=False)
    html: str = field(repr=False)

    def _repr_html_(self) -> str:
        return self.html


# Arguments


def _count(name: str, value, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected an int, got {type(value).__name__}")
    if not 1 <= value <= most:
        raise ValueError(f"{name}: expected between 1 and {most}, got {value}")
    return int(value)


def _words(name: str, value: Iterable[str] | None, steps: int) -> list[str] | None:
    if value is None:
        return None
    words = list(value)
    for word in words:
        if not isinstance(word, str):
            raise TypeError(f"{name}: expected strings, got {type(word).__name__}")
        if not 1 <= len(word) <= 4:
            raise ValueError(f"{name}: expected 1 to 4 characters for each step, got {word!r}")
    if len(words) != steps:
        raise ValueError(f"{name}: expected one for each of {steps} steps, got {len(words)}")
    return words


def _numbers(name: str, value, steps: int) -> np.ndarray | None:
    """Turn numbers, an array or a tensor into (T, k) with k at most 3."""
    if value is None:
        return None
    if hasattr(value, "detach"):
        value = value.detach().cpu()
    try:
        numbers = np.array([np.asarray(row, dtype=float) for row in value], dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"{name}: expected a number, or up to three, for each step, got {value!r}"
        ) from error
    if numbers.ndim == 1:
        numbers = numbers[:, None]
    if numbers.ndim != 2 or len(numbers) != steps or not 1 <= numbers.shape[1] <= 3:
        raise ValueError(
            f"{name}: expected shape ({steps},) or ({steps}, k) with k at most 3, "
            f"got {tuple(np.shape(value))}"
        )
    if not np.isfinite(numbers).all():
        raise ValueError(f"{name}: expected finite numbers, got {numbers.tolist()}")
    return numbers


# Letters: h_{t-1}, W_xh and h_1^{(2)} are written as in TeX.

_SYMBOL = re.compile(
    r"(?P<base>[A-Za-z])(_(\{(?P<sub>[^}]+)\}|(?P<sub1>\w+)))?(\^\{(?P<sup>[^}]+)\})?"
)


def _split(symbol: str) -> tuple[str, str, str]:
    found = _SYMBOL.fullmatch(symbol)
    if found is None:
        raise ValueError(f"expected a symbol such as h_t or h_{{t-1}}, got {symbol!r}")
    sub = found["sub"] or found["sub1"] or ""
    return found["base"], sub.replace("-", "−"), found["sup"] or ""


def _index(text: str) -> str:
    """Letters of an index slanted, digits and signs upright, as in print."""
    parts = re.findall(r"[A-Za-z]+|[^A-Za-z]+", text)
    return "".join(
        part if part.isalpha() else f'<tspan font-style="normal">{part}</tspan>' for part in parts
    )


def _html_symbol(symbol: str) -> str:
    base, sub, sup = _split(symbol)
    text = f"<i>{base}</i>"
    for tag, script in (("sub", sub), ("sup", sup)):
        if script:
            slanted = re.sub(r"([A-Za-z]+)", r"<i>\1</i>", script)
            text += f"<{tag}>{slanted}</{tag}>"
    return text


def _html_math(text: str) -> str:
    """Typeset the symbols between bars: "reads |x_3| and |h_2|"."""
    pieces = text.split("|")
    for i in range(1, len(pieces), 2):
        symbols = re.sub(
            r"[A-Za-z](_(\{[^}]+\}|\w+))?(\^\{[^}]+\})?",
            lambda found: _html_symbol(found[0]),
            pieces[i],
        )
        pieces[i] = f'<span class="math-text">{symbols}</span>'
    return "".join(pieces)


# The pen


def _n(value: float) -> str:
    text = f"{value:.1f}".removesuffix(".0")
    return "0" if text == "-0" else text


def _ink(colour: str | None) -> str:
    """Colour for letters, where it is not the text's own; the style mends its contrast."""
    return f' class="ink" fill="{colour}"' if colour else ""


def _anchor(kind: str) -> str:
    """Name the text-anchor of a label, where it is not the middle."""
    return "" if kind == "middle" else f' text-anchor="{kind}"'


class _Pen:
    """Collects SVG elements; every shape of the book's drawings is one of its methods."""

    def __init__(self):
        self.parts: list[str] = []

    def add(self, markup: str) -> None:
        self.parts.append(markup)

    def open(self, **attributes) -> None:
        given = "".join(
            f' {name.replace("_", "-")}="{value}"' for name, value in attributes.items()
        )
        self.add(f"<g{given}>")

    def close(self) -> None:
        self.add("</g>")

    def symbol(self, x, y, symbol, *, size=22, anchor="middle", colour=None, over=0) -> None:
        """Write a letter with its indices, centred on height y.

        `over` = 1 or -1 sets a small arrow, to the right or to the left, above the letter.
        """
        base, sub, sup = _split(symbol)
        small = size * 0.72
        baseline = y + size * 0.3
        if sup:
            # One absolute position for both scripts: they stand above each other in any font.
            wide = size * (0.7 if base == "W" else 0.5)
            narrow = small * 0.41 * max(len(sub), len(sup))
            shift = {"middle": (wide - narrow) / 2, "start": wide, "end": -narrow}[anchor]
            x += shift
            at = f'x="{_n(x + 1)}" text-anchor="start"'
            text = (
                f'{base}<tspan {at} y="{_n(baseline + size * 0.27)}" font-size="{_n(small)}">'
                f'{_index(sub)}</tspan><tspan {at} y="{_n(baseline - size * 0.42)}"'
                f' font-size="{_n(small)}">{_index(sup)}</tspan>'
            )
            anchor = "end"
        else:
            text = base
            if sub:
                text += (
                    f'<tspan dy="{_n(size * 0.22)}" font-size="{_n(small)}">{_index(sub)}</tspan>'
                )
        self.add(
            f'<text x="{_n(x)}" y="{_n(baseline)}" font-size="{_n(size)}"{_anchor(anchor)}'
            f"{_ink(colour)}>{text}</text>"
        )
        if over:
            middle = x - small * 0.25
            top = baseline - size * 0.98
            half = size * 0.27 * over
            tip = middle + half
            self.add(
                f'<path d="M{_n(middle - half)} {_n(top)}H{_n(tip)}m{_n(-4 * over)} -3l'
                f'{_n(4 * over)} 3l{_n(-4 * over)} 3" fill="none" stroke="currentColor"'
                ' stroke-width="1.3"/>'
            )

    def words(self, x, y, text, *, size=16, anchor="middle", family=_SANS) -> None:
        """Write upright words, centred on height y."""
        self.add(
            f'<text x="{_n(x)}" y="{_n(y + size * 0.34)}" font-size="{_n(size)}"{_anchor(anchor)}'
            f' font-family="{family}" font-style="normal">{escape(text)}</text>'
        )

    def circle(self, x, y, radius=23) -> None:
        """Draw the outline of an input or an output."""
        self.add(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}" fill-opacity=".05"'
            ' stroke="currentColor" stroke-opacity=".6"/>'
        )

    def box(self, x, y, width=52, height=52, *, colour=STATE, empty=False) -> None:
        """Draw a state: filled once it is computed, dashed where it is given (h_0)."""
        style = 'fill="none" stroke-dasharray="4 4"' if empty else 'fill-opacity=".2"'
        fill = "" if empty else f' fill="{colour}"'
        self.add(
            f'<rect class="state" x="{_n(x - width / 2)}" y="{_n(y - height / 2)}"'
            f' width="{_n(width)}" height="{_n(height)}" rx="11"{fill} {style}'
            f' stroke="{colour}" stroke-width="2"/>'
        )

    def frame(self, left, top, right, bottom, colour, *, dashed=False) -> None:
        dash = ' stroke-dasharray="8 5"' if dashed else ""
        self.add(
            f'<rect x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}"'
            f' height="{_n(bottom - top)}" rx="17" fill="none" stroke="{colour}"'
            f' stroke-width="2.5"{dash}/>'
        )

    def arrow(self, start, end, *, colour=None, curve=None, gap=None) -> None:
        """Draw an arrow from `start` to `end`.

        `curve` is SVG path data that replaces the straight line up to the head; `gap` is a pair
        of distances from the start, between which another arrow passes.
        """
        (x0, y0), (x1, y1) = start, end
        length = math.hypot(x1 - x0, y1 - y0)
        ux, uy = (x1 - x0) / length, (y1 - y0) / length
        x1, y1 = x1 - 1.5 * ux, y1 - 1.5 * uy
        head, half = 9, 4
        bx, by = x1 - head * ux, y1 - head * uy
        tip = (
            f"M{_n(x1)} {_n(y1)}L{_n(bx - half * uy)} {_n(by + half * ux)}"
            f" {_n(bx + half * uy)} {_n(by - half * ux)}z"
        )
        line = f"M{_n(x0)} {_n(y0)}"
        if gap:
            (sx, sy), (ex, ey) = ((x0 + at * ux, y0 + at * uy) for at in gap)
            line += f"L{_n(sx)} {_n(sy)}M{_n(ex)} {_n(ey)}"
        line += f"L{_n(bx)} {_n(by)}"
        ink = 'stroke="currentColor" opacity=".75"'
        if colour:
            ink = f'fill="{colour}" stroke="{colour}" stroke-width="2.4"'
        if curve is None:
            self.add(f'<path d="{line}{tip}" {ink}/>')
        else:
            self.add(f'<g {ink}><path d="{curve}" fill="none"/><path d="{tip}"/></g>')

    def svg(self, width, height, title, description, *, zoom=1.2) -> str:
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {_n(width)}'
            f' {_n(height)}" width="{_n(width * zoom)}"'
            f' style="display:block;width:100%;max-width:{_n(width * zoom)}px;height:auto;'
            f'margin:0 auto;overflow:visible" fill="currentColor" stroke-width="1.6"'
            f' stroke-linejoin="round" font-family="{_SERIF}" font-style="italic"'
            f' text-anchor="middle"><title>{escape(title)}</title>'
            f"<desc>{escape(description)}</desc>{''.join(self.parts)}</svg>"
        )


_STYLE = (
    ".rnn-drawing{margin:.75rem 0;line-height:1.45}"
    ".rnn-drawing .math-text{font-family:" + _SERIF + ";font-size:1.1em;white-space:nowrap}"
    ".rnn-drawing .ink{fill:color-mix(in srgb," + STATE + " 70%,currentColor)}"
    ".rnn-drawing sub,.rnn-drawing sup{font-size:.72em;line-height:0}"
    ".rnn-drawing p{margin:.6rem auto 0;text-align:center;text-wrap:balance;max-width:38rem}"
)


def _page(body: str, *, style: str = "", tag: str = "") -> str:
    return f'<div class="rnn-drawing"{tag}><style>{_STYLE}{style}</style>{body}</div>'


def _list(symbols: Sequence[str]) -> str:
    return symbols[0] if len(symbols) == 1 else f"{', '.join(symbols[:-1])} and {symbols[-1]}"


def _series(letter: str, steps: int) -> str:
    return f"{letter}_1" if steps == 1 else f"{letter}_1 to {letter}_{steps}"


# The drawings


def loop() -> Drawing:
    """Draw the folded view: one cell with an arrow to itself.

    Returns
    -------
    Drawing
    """
    pen = _Pen()
    x = 110
    pen.arrow((x, 199), (x, 155))
    pen.arrow((x, 101), (x, 58))
    # Out of the right side, round, and in again one step later.
    pen.arrow(
        (x + 45, 152),
        (x + 27, 141),
        colour=STATE,
        curve=f"M{x + 27} 114C{x + 112} 70 {x + 112} 194 {x + 35.5} 146.2",
    )
    pen.box(x, 128)
    pen.circle(x, 34)
    pen.circle(x, 222)
    pen.symbol(x, 34, "y_t")
    pen.symbol(x, 128, "h_t")
    pen.symbol(x, 222, "x_t")
    pen.symbol(x - 9, 177, "W_xh", size=20, anchor="end")
    pen.symbol(x - 9, 80, "W_hy", size=20, anchor="end")
    pen.symbol(x + 98, 118, "W_hh", size=20, anchor="start", colour=STATE)
    pen.words(x + 98, 143, "one step later", size=15, anchor="start")
    title = "A recurrent network, folded"
    description = (
        "One cell with the state h_t. An arrow W_xh enters it from the input x_t below, an arrow "
        "W_hy leads to the output y_t above, and an arrow W_hh leaves the cell and returns to it: "
        "the state of one step is read at the next."
    )
    return Drawing(title, description, _page(pen.svg(310, 256, title, description)))


def _pitch(steps: int) -> int:
    return 100 if steps <= 4 else 86


def unfolded(steps: int = 4) -> Drawing:
    """Draw the same network unfolded in time, each weight named on every copy.

    Parameters
    ----------
    steps : int, default 4
        T, between 1 and 6.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If `steps` is not an integer in this range.
    """
    T = _count("steps", steps, MAX_STEPS)
    pen = _Pen()
    pitch, left = _pitch(T), 28
    pen.box(left, 128, 46, 46, empty=True)
    pen.symbol(left, 128, "h_0")
    for t in range(1, T + 1):
        x = left + pitch * t
        start = x - pitch + (24 if t == 1 else 27)
        pen.arrow((x, 199), (x, 155))
        pen.arrow((x, 101), (x, 58))
        pen.arrow((start, 128), (x - 27, 128), colour=STATE)
        pen.box(x, 128)
        pen.circle(x, 34)
        pen.circle(x, 222)
        pen.symbol(x, 34, f"y_{t}")
        pen.symbol(x, 128, f"h_{t}")
        pen.symbol(x, 222, f"x_{t}")
        pen.symbol(x + 8, 177, "W_xh", size=19, anchor="start")
        pen.symbol(x + 8, 80, "W_hy", size=19, anchor="start")
        pen.symbol((start + x - 27) / 2 - 1, 110, "W_hh", size=19 if T < 5 else 16, colour=STATE)
    width = left + pitch * T + 48
    if T > 1:
        pen.words(left + pitch - 23, 272, "time", size=16, anchor="start")
        pen.arrow((left + pitch + 20, 273), (width - 25, 273))
    title = f"The same network, unfolded over {T} step{'s' * (T > 1)}"
    description = (
        f"Time runs to the right. At each step t the input x_t, below, and the state of the step "
        f"before enter the state h_t in the middle, and h_t leads to the output y_t above. The "
        f"first step reads the given state h_0. The arrows W_xh, W_hh and W_hy bear the same names "
        f"at all {T} steps: the weights are shared. Shown: {_series('x', T)}, {_series('h', T)}, "
        f"{_series('y', T)}."
    )
    height = 290 if T > 1 else 256
    return Drawing(title, description, _page(pen.svg(width, height, title, description)))


_SHAPES = (
    # name, steps, which steps have an input, which an output, example
    ("one to one", (1,), (1,), "one picture, one label"),
    ("one to many", (1,), (1, 2, 3), "one topic, a sentence"),
    ("many to one", (1, 2, 3), (3,), "a sentence, one verdict"),
    ("many to many", (1, 2, 3), (1, 2, 3), "each letter, the next letter"),
    ("many to many, after reading", (1, 2), (3, 4), "a sentence, its translation"),
)


def problem_shapes() -> Drawing:
    """Draw the shapes of problems, by which steps have an input and which an output.

    One to one, one to many, many to one, many to many, and many to many after reading. The small
    networks stand side by side and wrap on a narrow page.

    Returns
    -------
    Drawing
    """
    cells = []
    for name, inputs, outputs, example in _SHAPES:
        T = max(inputs[-1], outputs[-1])
        pen = _Pen()
        pitch, width = 62, 244
        left = width / 2 - pitch * (T - 1) / 2
        for t in range(1, T + 1):
            x = left + pitch * (t - 1)
            if t > 1:
                pen.arrow((x - pitch + 22, 110), (x - 22, 110), colour=STATE)
            pen.box(x, 110, 42, 42)
            pen.symbol(x, 110, f"h_{t}")
            if t in inputs:
                pen.arrow((x, 171), (x, 132))
                pen.circle(x, 192, 20)
                pen.symbol(x, 192, f"x_{t}")
            if t in outputs:
                pen.arrow((x, 88), (x, 49))
                pen.circle(x, 28, 20)
                pen.symbol(x, 28, f"y_{t}")
        description = (
            f"{T} step{'s' * (T > 1)}, {_list([f'h_{t}' for t in range(1, T + 1)])}"
            f"{', joined by arrows from left to right' * (T > 1)}. "
            f"Input at {_list([f'x_{t}' for t in inputs])}, "
            f"output at {_list([f'y_{t}' for t in outputs])}."
        )
        cells.append(
            f'<div class="shape">{pen.svg(width, 220, name, description, zoom=1)}'
            f"<b>{name}</b><small>{example}</small></div>"
        )
    style = (
        ".rnn-drawing .shapes{display:flex;flex-wrap:wrap;justify-content:center;gap:1.2rem .8rem;"
        "max-width:44rem;margin:0 auto}"
        ".rnn-drawing .shape{flex:0 1 13.5rem;min-width:9.5rem;text-align:center}"
        "@media(max-width:640px){.rnn-drawing .shape{flex-basis:calc(50% - .4rem);min-width:0}}"
        ".rnn-drawing .shape b,.rnn-drawing .shape small{display:block;line-height:1.3}"
    )
    title = "Five shapes of problems"
    description = (
        "Five small unfolded networks. One to one: one input, one state, one output. One to many: "
        "an input at the first of three steps, an output at each. Many to one: an input at each of "
        "three steps, an output at the last. Many to many: an input and an output at each step. "
        "Many to many, after reading: inputs at the first two of four steps, outputs at the last "
        "two."
    )
    body = f'<div class="shapes" role="group" aria-label="{title}">{"".join(cells)}</div>'
    return Drawing(title, description, _page(body, style=style))


def stacked(
    layers: int = 2, steps: int = 3, *, highlight: str | Iterable[str] | None = ("output", "h_n")
) -> Drawing:
    """Draw a stack of recurrent layers, and which states `output` and `h_n` hold.

    Parameters
    ----------
    layers : int, default 2
        Between 1 and 4.
    steps : int, default 3
        T, between 1 and 5.
    highlight : {"output", "h_n"}, several of them, or None
        What is framed. ``output`` is the top layer at all steps, ``h_n`` all layers at the last.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        For numbers outside these ranges and other names in `highlight`.
    """
    L = _count("layers", layers, 4)
    T = _count("steps", steps, 5)
    names = () if highlight is None else (highlight,) if isinstance(highlight, str) else highlight
    marked = set(names)
    if not marked <= {"output", "h_n"}:
        raise ValueError(f"highlight: expected output and h_n, got {sorted(map(str, marked))}")
    pen = _Pen()
    pitch, rise, left, top = (108 if T < 4 else 94), 106, 30, 80
    bottom = top + rise * (L - 1) + 104
    high = {layer: top + rise * (L - layer) for layer in range(1, L + 1)}
    columns = {0: left} | {t: left + 20 + pitch * t for t in range(1, T + 1)}
    for layer in range(1, L + 1):
        y = high[layer]
        pen.box(left, y, 50, 50, empty=True)
        pen.symbol(left, y, f"h_0^{{({layer})}}", size=21)
        for t in range(1, T + 1):
            x = columns[t]
            start = columns[t - 1] + (26 if t == 1 else 28)
            pen.arrow((start, y), (x - 28, y), colour=STATE)
            pen.arrow((x, bottom - 23 if layer == 1 else high[layer - 1] - 28), (x, y + 28))
            pen.box(x, y, 54, 54)
            pen.symbol(x, y, f"h_{t}^{{({layer})}}", size=21)
            if t == 1:
                pen.symbol(start + 21, y - 21, f"W_hh^{{({layer})}}", size=18, colour=STATE)
                at = (y + 28 + (bottom - 23 if layer == 1 else high[layer - 1] - 28)) / 2
                pen.symbol(x - 10, at + 9, f"W_xh^{{({layer})}}", size=18, anchor="end")
    for t in range(1, T + 1):
        pen.circle(columns[t], bottom)
        pen.symbol(columns[t], bottom, f"x_{t}")
    right = columns[T] + 42
    if "output" in marked:
        pen.frame(columns[1] - 44, top - 37, right - 5, top + 37, OUTPUT)
        pen.words(columns[1] - 30, top - 58, "output", size=19, anchor="start", family=_MONO)
    if "h_n" in marked:
        pen.frame(columns[T] - 43, top - 43, right + 1, high[1] + 43, LAST, dashed=True)
        pen.words(right + 10, high[1], "h_n", size=19, anchor="start", family=_MONO)
    title = f"{L} recurrent layer{'s' * (L > 1)}, unfolded over {T} step{'s' * (T > 1)}"
    description = (
        f"The inputs {_series('x', T)} enter layer 1 from below. "
        + "".join(
            f"Layer {layer} reads the state of layer {layer - 1} at the same step. "
            for layer in range(2, L + 1)
        )
        + "Within each layer, arrows W_hh lead from one step to the next, from a given state h_0 "
        "of its own at the left. Each layer has its own W_xh, W_hh and bias b_h. "
        + "A frame named output holds the top layer at all steps. " * ("output" in marked)
        + "A dashed frame named h_n holds all layers at the last step. " * ("h_n" in marked)
        + "The two frames share the last state of the top layer." * (len(marked) == 2)
    ).strip()
    caption = (
        "Layer |l| has its own |W_xh^{(l)}|, |W_hh^{(l)}| and bias |b_h^{(l)}|, the same at every "
        "step."
    )
    if L > 1:
        caption += " Above layer 1, the input is the state of the layer below."
    width = right + (52 if "h_n" in marked else 8)
    body = pen.svg(width, bottom + 32, title, description) + f"<p>{_html_math(caption)}</p>"
    return Drawing(title, description, _page(body))


def bidirectional(steps: int = 4) -> Drawing:
    """Draw two recurrent directions side by side, joined at every step.

    Parameters
    ----------
    steps : int, default 4
        T, between 1 and 5.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If `steps` is not an integer in this range.
    """
    T = _count("steps", steps, 5)
    pen = _Pen()
    pitch = 108 if T < 5 else 100
    left, off, box = 24, 23, 42
    out, join, back, forth, low = 30, 112, 190, 272, 362
    crossing = forth - 22 - back
    for t in range(1, T + 1):
        x = left + 84 + pitch * (t - 1)
        a, b = x - off, x + off
        # To each direction from below, past the other one's recurrent arrow.
        for to, end in ((a, forth + 22), (b, back + 22)):
            side = 1 if to == b else -1
            curve = f"M{_n(x + side * 9)} {low - 21}C{_n(x + side * 9)} {low - 36} "
            curve += f"{_n(to)} {low - 34} {_n(to)} {low - 50}"
            if to == b and t < T:
                curve += f"V{forth + 7}M{_n(to)} {forth - 7}"
            pen.arrow((to, low), (to, end), curve=f"{curve}V{end + 10}")
        pen.arrow(
            (a, forth - 22), (a, join + 15), gap=(crossing - 7, crossing + 7) if t > 1 else None
        )
        pen.arrow((b, back - 22), (b, join + 15))
        pen.arrow((x, join - 15), (x, out + 24))
        pen.arrow((24 + 22 if t == 1 else a - pitch + 22, forth), (a - 22, forth), colour=STATE)
        last = b + pitch if t < T else b + 61
        pen.arrow((last - 22, back), (b + 22, back), colour=BACKWARD)
        pen.box(a, forth, box, box)
        pen.box(b, back, box, box, colour=BACKWARD)
        pen.box(a, join, 2 * off, 28)
        pen.box(b, join, 2 * off, 28, colour=BACKWARD)
        pen.circle(x, out)
        pen.circle(x, low)
        pen.symbol(x, out, f"y_{t}")
        pen.symbol(x, low, f"x_{t}")
        pen.symbol(a, forth + 4, f"h_{t}", size=20, over=1)
        pen.symbol(b, back + 4, f"h_{t}", size=20, over=-1)
    right = left + 84 + pitch * (T - 1) + off + 61
    pen.box(left, forth, box, box, empty=True)
    pen.symbol(left, forth + 4, "h_0", size=20, over=1)
    pen.box(right, back, box, box, empty=True, colour=BACKWARD)
    pen.symbol(right, back + 4, f"h_{T + 1}", size=20, over=-1)
    title = f"A bidirectional network, unfolded over {T} step{'s' * (T > 1)}"
    description = (
        f"Two rows of states, side by side rather than stacked: neither reads the other. The "
        f"forward row starts from h_0 at the left and passes its state to the right; the backward "
        f"row starts from its own h_{T + 1} at the right and passes its state to the left. "
        f"Every input {_series('x', T)} enters both rows. At each step the two states are joined, "
        f"and the joined pair leads to the output y_t above."
    )
    body = pen.svg(right + 24, low + 30, title, description)
    body += (
        "<p>Blue: forwards in time. Orange: backwards. The double box joins the two states of one "
        "step.</p>"
    )
    return Drawing(title, description, _page(body))


def packed(lengths: Sequence[int] = (2, 5, 1, 3)) -> Drawing:
    """Draw how PyTorch packs sequences of different length: padded, sorted, and in one row.

    Parameters
    ----------
    lengths : sequence of int, default (2, 5, 1, 3)
        Of up to four sequences, each between 1 and 5, together at most 12.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If the lengths are not integers in this range.
    """
    lengths = [_count(f"lengths[{i}]", n, 5) for i, n in enumerate(lengths)]
    if not 1 <= len(lengths) <= 4 or sum(lengths) > 12:
        raise ValueError(
            "lengths: expected one to four that make at most 12 steps together, "
            f"got {len(lengths)} that make {sum(lengths)}"
        )
    names, colours = "abcd", (STATE, BACKWARD, OUTPUT, LAST)
    T, N = max(lengths), len(lengths)
    order = sorted(range(N), key=lambda i: -lengths[i])
    sizes = [sum(n > t for n in lengths) for t in range(T)]
    pen, side, pitch, top = _Pen(), 34, 38, 72
    widest = N * pitch

    def cell(x, y, i, t):
        pen.box(x, y, side, side, colour=colours[i])
        pen.symbol(x, y, f"{names[i]}_{t + 1}", size=18)

    columns = ((34, range(N), "padded"), (34 + T * pitch + 52, order, "longest first"))
    for left, rows, title in columns:
        pen.words(left + (T - 1) * pitch / 2, 18, title, size=14)
        for t in range(T):
            pen.words(left + t * pitch, 40, str(t + 1), size=12)
        for row, i in enumerate(rows):
            pen.symbol(left - 30, top + row * pitch, names[i], size=18)
            for t in range(T):
                if t < lengths[i]:
                    cell(left + t * pitch, top + row * pitch, i, t)
                else:
                    pen.add(
                        f'<circle class="padding" cx="{_n(left + t * pitch)}"'
                        f' cy="{_n(top + row * pitch)}" r="2.5" opacity=".5"/>'
                    )
    # The packed row: the columns of the sorted table, one after the other.
    gap, data = 12, top + widest + 40
    width = sum(lengths) * pitch + (T - 1) * gap
    right = columns[1][0] + (T - 1) * pitch + 26
    x = max(26, (right - width) / 2 + side / 2)
    pen.words(x - side / 2, data - 34, "data", size=14, anchor="start", family=_MONO)
    for t, size in enumerate(sizes):
        for i in order[:size]:
            cell(x, data, i, t)
            x += pitch
        middle = x - pitch * (size + 1) / 2
        pen.add(
            f'<path d="M{_n(x - pitch * size - side / 2)} {_n(data + 25)}v5'
            f'H{_n(x - pitch + side / 2)}v-5" fill="none" stroke="currentColor" opacity=".6"/>'
        )
        pen.words(middle, data + 44, str(size), size=16)
        x += gap
    pen.words(
        x - gap - pitch + side / 2, data + 70, "batch_sizes", size=14, anchor="end", family=_MONO
    )
    right = max(right, x - gap - pitch + side / 2 + 4)
    title = "How sequences of different length are packed"
    listed = ", ".join(f"{names[i]} of {n}" for i, n in enumerate(lengths))
    description = (
        f"Sequences {listed} steps stand in a table of {T} columns, with dots for padding. A "
        f"second table holds them in the order {', '.join(names[i] for i in order)}, longest "
        "first, so that the real steps of every column are its topmost cells. Below, the columns "
        "stand one after the other in a single row without padding, and under each is its number "
        f"of cells: {', '.join(map(str, sizes))}."
    )
    caption = (
        "Left: the padded batch; dots are padding. Right: the same, longest first. Below: its "
        "columns, one step after the other, without the dots. That row is the packed sequence."
    )
    body = pen.svg(right, data + 84, title, description, zoom=1) + f"<p>{caption}</p>"
    return Drawing(title, description, _page(body))


def lstm_cell() -> Drawing:
    """Draw one step of a long short-term memory, as its equations say.

    The cell state runs straight across the top: times f_t, plus i_t times g_t. Below it stand the
    three gates and the candidate, each fed by x_t and h_{t-1}; the new hidden state h_t leaves at
    the lower right.

    Returns
    -------
    Drawing
    """
    pen = _Pen()
    line, gate, bus = 46, 206, 272  # heights: the cell state's path, the gates, what they read
    middle = 128  # of the product i_t times g_t
    at = {"f": 118, "i": 203, "g": 289, "o": 376}
    add, tap, right = 246, 432, 492
    wire = 'fill="none" stroke="currentColor" opacity=".75"'

    pen.arrow((60, line), (at["f"] - 14, line), colour=STATE)
    pen.arrow((at["f"] + 14, line), (add - 14, line), colour=STATE)
    pen.arrow((add + 14, line), (right - 26, line), colour=STATE)
    pen.arrow((tap, line), (tap, 84))
    pen.arrow((tap, 112), (tap, 148))
    pen.arrow(
        (right - 40, bus), (right - 26, bus), colour=STATE, curve=f"M{tap} 175V{bus}H{right - 36}"
    )

    # What every gate reads: one wire for x_t and h_{t-1}.
    pen.add(f'<path d="M60 {bus}H{at["o"]}M76 311V{bus}" {wire}/>')
    for x in at.values():
        pen.arrow((x, bus), (x, gate + 16))
    pen.arrow((at["f"], gate - 16), (at["f"], line + 14))
    for letter, side in (("i", -1), ("g", 1)):
        pen.arrow(
            (add + 40 * side, middle),
            (add + 14 * side, middle),
            curve=f"M{at[letter]} {gate - 16}V{middle}H{add + 24 * side}",
        )
    pen.arrow((add, middle - 14), (add, line + 14))
    pen.arrow((tap - 40, 162), (tap - 14, 162), curve=f"M{at['o']} {gate - 16}V162H{tap - 24}")

    for x, y, sign in (
        (at["f"], line, "×"),
        (add, line, "+"),
        (add, middle, "×"),
        (tap, 162, "×"),
    ):
        pen.circle(x, y, 13)
        pen.words(x, y, sign, size=18)
    names = {"f": "forget", "i": "input", "g": "candidate", "o": "output"}
    for letter, x in at.items():
        pen.box(x, gate, 44, 32, colour=OUTPUT)
        pen.words(x, gate, "tanh" if letter == "g" else "σ", size=15)
        pen.symbol(
            x + (8 if letter == "g" else -8),
            175,
            f"{letter}_t",
            size=20,
            anchor="start" if letter == "g" else "end",
        )
        pen.words(x + 6, 249, names[letter], size=13, anchor="start")
    pen.box(tap, 98, 44, 28, colour=OUTPUT)
    pen.words(tap, 98, "tanh", size=15)
    for y, letter in ((line, "c"), (bus, "h")):
        pen.box(34, y, empty=True)
        pen.symbol(34, y, f"{letter}_{{t-1}}", size=20)
        pen.box(right, y)
        pen.symbol(right, y, f"{letter}_t")
    pen.circle(76, 332, 21)
    pen.symbol(76, 332, "x_t")
    title = "One step of a long short-term memory"
    description = (
        "The cell state c_{t-1} runs along a straight line at the top to c_t. On the way it is "
        "multiplied by the forget gate f_t, and the product of the input gate i_t and the "
        "candidate g_t is added. A branch of c_t goes through tanh, is multiplied by the output "
        "gate o_t and becomes the hidden state h_t, at the lower right. The three gates and the "
        "candidate read x_t and h_{t-1} from one wire at the bottom; the gates end in a sigmoid, "
        "the candidate in tanh."
    )
    caption = (
        "Each gate, and the candidate, reads |x_t| and |h_{t-1}| with weights and a bias of its "
        "own. From |c_{t-1}| to |c_t| there is one product, with |f_t|, and one sum."
    )
    body = pen.svg(right + 28, 358, title, description) + f"<p>{_html_math(caption)}</p>"
    return Drawing(title, description, _page(body))


def gru_cell() -> Drawing:
    """Draw one step of a gated recurrent unit, as its equations say.

    The state runs straight across the top: times z_t, plus (1 - z_t) times n_t. The reset gate
    r_t acts on the part of the candidate n_t that comes from the state, after the product.

    Returns
    -------
    Drawing
    """
    pen = _Pen()
    line, mix, gate, reset = 46, 120, 190, 248  # heights: the state's path, and what feeds it
    rail, below = 300, 345  # what carries h_{t-1} and x_t to the gates
    z, n, r, right = 120, 225, 345, 330
    wire = 'fill="none" opacity=".75"'

    pen.arrow((60, line), (z - 14, line), colour=STATE)
    pen.arrow((z + 14, line), (n - 14, line), colour=STATE)
    pen.arrow((n + 14, line), (right - 26, line), colour=STATE)
    pen.add(f'<path d="M34 72V{rail}H{r + 8}" {wire} stroke="{STATE}"/>')
    pen.add(f'<path d="M57 {below}H{r - 8}" {wire} stroke="currentColor"/>')
    for x, y in ((z, gate), (r, reset)):
        pen.arrow((x + 8, rail), (x + 8, y + 16))
        pen.arrow((x - 8, below), (x - 8, y + 16), gap=(below - rail - 7, below - rail + 7))
    pen.arrow((n - 18, below), (n - 18, gate + 16), gap=(below - rail - 7, below - rail + 7))
    pen.arrow((n + 18, rail), (n + 18, reset + 13))
    pen.arrow((n + 18, reset - 13), (n + 18, gate + 16))
    pen.arrow((r - 22, reset), (n + 31, reset))

    pen.arrow((z, gate - 16), (z, line + 14))
    pen.arrow((z, mix), (z + 34, mix))
    pen.arrow((z + 70, mix), (n - 13, mix))
    pen.arrow((n, gate - 16), (n, mix + 13))
    pen.arrow((n, mix - 13), (n, line + 14))

    for x, y, sign in ((z, line, "×"), (n, line, "+"), (n, mix, "×"), (n + 18, reset, "×")):
        pen.circle(x, y, 13)
        pen.words(x, y, sign, size=18)
    pen.box(z + 52, mix, 36, 28, colour=OUTPUT)
    pen.words(z + 52, mix, "1 −", size=15)
    for x, y, width, function in ((z, gate, 44, "σ"), (n, gate, 68, "tanh"), (r, reset, 44, "σ")):
        pen.box(x, y, width, 32, colour=OUTPUT)
        pen.words(x, y, function, size=15)
    pen.words(z - 28, gate, "update", size=13, anchor="end")
    pen.words(n + 40, gate, "candidate", size=13, anchor="start")
    pen.words(r + 28, reset, "reset", size=13, anchor="start")
    pen.symbol(z - 8, 146, "z_t", size=20, anchor="end")
    pen.symbol(n + 8, 152, "n_t", size=20, anchor="start")
    pen.symbol(r - 50, reset - 18, "r_t", size=20)
    pen.symbol(n + 26, 280, "W_hn", size=18, anchor="start")
    pen.symbol(n - 26, 325, "W_xn", size=18, anchor="end")
    pen.box(34, line, empty=True)
    pen.symbol(34, line, "h_{t-1}", size=20)
    pen.box(right, line)
    pen.symbol(right, line, "h_t")
    pen.circle(34, below)
    pen.symbol(34, below, "x_t")
    title = "One step of a gated recurrent unit"
    description = (
        "The state h_{t-1} runs along a straight line at the top to h_t. On the way it is "
        "multiplied by the update gate z_t, and the product of 1 - z_t and the candidate n_t is "
        "added. The update gate and the reset gate r_t, two sigmoids, both read x_t and h_{t-1}. "
        "The candidate is a tanh of two parts: x_t times W_xn, and h_{t-1} times W_hn multiplied "
        "by the reset gate."
    )
    caption = (
        "One gate, |z_t|, divides the new state between the old state and the candidate. The "
        "other, |r_t|, decides how much of |h_{t-1} W_hn + b_hn| the candidate sees."
    )
    body = pen.svg(418, 374, title, description) + f"<p>{_html_math(caption)}</p>"
    return Drawing(title, description, _page(body))


def encoder_decoder(*, attention: bool = False) -> Drawing:
    """Draw an encoder with three steps and a decoder with three.

    Parameters
    ----------
    attention : bool, default False
        Whether the context of the second step is drawn, which looks at all states, instead of
        the one context of all three steps.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError
        If `attention` is not a bool.
    """
    if not isinstance(attention, bool):
        raise TypeError(f"attention: expected a bool, got {type(attention).__name__}")
    pen = _Pen()
    out, row, low = 34, 150, 244
    encoder = {j: 40 + 84 * (j - 1) for j in (1, 2, 3)}
    decoder = {t: 312 + 84 * (t - 1) for t in (1, 2, 3)}
    states = [*encoder.values(), *decoder.values()]
    for start, end in pairwise(states):
        pen.arrow((start + 27, row), (end - 27, row), colour=STATE if end <= decoder[1] else LAST)
    for j, x in encoder.items():
        pen.arrow((x, low - 23), (x, row + 27))
        pen.box(x, row)
        pen.circle(x, low)
        pen.symbol(x, row, f"h_{j}")
        pen.symbol(x, low, f"x_{j}")
    for t, x in decoder.items():
        pen.arrow((x, low - 23), (x, row + 27))
        pen.box(x, row, colour=LAST)
        pen.circle(x, low)
        pen.symbol(x, row, f"s_{t}")
        pen.symbol(x, low, f"z_{t - 1}")
        if not attention or t == 2:
            pen.arrow((x, row - 27), (x, out + 24))
            pen.circle(x, out)
            pen.symbol(x, out, f"y_{t}")
    if not attention:
        # One line from the last state, and a branch of it to every output.
        x, bus = encoder[3], 92
        turn = f"M{x} {row - 27}V{bus + 8}Q{x} {bus} {x + 8} {bus}H{decoder[3] - 40}"
        pen.add(f'<path d="{turn}" fill="none" stroke="currentColor" opacity=".75"/>')
        pen.symbol(x + 34, bus - 14, "c", size=20)
        for x in decoder.values():
            pen.arrow((x - 40, bus), (x - 14, out + 20))
    if attention:
        x, query = encoder[2], decoder[2]
        # From every state to the context, and from there to the output.
        for j, from_x in encoder.items():
            side = 16 * (j - 2)
            pen.arrow((from_x, row - 27), (x + side, out + 24 - abs(side) / 3))
        pen.arrow((x + 24, out), (query - 24, out))
        pen.circle(x, out)
        pen.symbol(x, out, "c_2")
        pen.arrow(
            (x + 60, out + 33),
            (x + 22, out + 12),
            colour=LAST,
            curve=f"M{query - 20} {row - 27}C{query - 60} {row - 72} {x + 150} {out + 70} "
            f"{x + 30} {out + 16}",
        )
        pen.words(x + 158, out + 34, "asks", size=14, anchor="start")
    pen.words(encoder[2], low + 42, "encoder", size=16)
    pen.words(decoder[2], low + 42, "decoder", size=16)
    title = "An encoder and a decoder" + (", with attention at the second step" * attention)
    description = (
        "On the left the encoder: the inputs x_1 to x_3 enter the states h_1 to h_3, and arrows "
        "lead from each state to the next. An arrow leads on from h_3 to s_1, the first state of "
        "the decoder, on the right. Its states s_1 to s_3 read the symbols z_0 to z_2 from below. "
    )
    if attention:
        description += (
            "Above the encoder stands the context c_2: arrows lead to it from all three states of "
            "the encoder, and one from the state s_2, which asks. The context c_2 and the state "
            "s_2 lead to the output y_2."
        )
        caption = (
            "The state |s_2| decides how much of each |h_j| enters the context |c_2|; both give "
            "the output |y_2|. The other steps do the same with contexts of their own."
        )
    else:
        description += (
            "Each leads to an output y_1 to y_3 above. Another line leads from h_3 to all three "
            "outputs; it is the context c."
        )
        caption = (
            "The encoder's last state |h_3| is all that the decoder is told: its first state, and "
            "once more the context |c| of every output. |z_0| is a start symbol; each |y_t| gives "
            "the probabilities of the next symbol |z_t|."
        )
    body = pen.svg(decoder[3] + 44, low + 58, title, description) + f"<p>{_html_math(caption)}</p>"
    return Drawing(title, description, _page(body))


def _caption(t: int, T: int, labels, values, outputs) -> str:
    reads = f"|x_{t}|" + (f" (“{escape(labels[t - 1])}”)" if labels else "")
    text = (
        f"Step {t} of {T}: |h_{t} = f(x_{t} W_xh + h_{t - 1} W_hh + b_h)| reads {reads} "
        f"and the state |h_{t - 1}|"
    )
    text += ", which is given." if t == 1 else ". The weights are those of step 1."
    if values is not None:
        numbers = ", ".join(_decimal(value) for value in values[t - 1])
        text += f" Now |h_{t}| is {numbers if values.shape[1] == 1 else f'({numbers})'}."
    if outputs:
        text += f" The answer |y_{t}| is “{escape(outputs[t - 1])}”."
    return _html_math(text)


def _decimal(value: float) -> str:
    text = f"{value:.2f}"
    return "0.00" if float(text) == 0 else text.replace("-", "−")


# The markup shows the last step, and hides the controls; the script shows the first and unhides
# them. It finds every copy of its figure that is not yet at work, so copies can share a page.
_STEP_SCRIPT = """
(() => {
  document.querySelectorAll('[data-drawing="%s"]:not([data-ready])').forEach(root => {
    root.dataset.ready = '';
    const captions = %s;
    const find = selector => root.querySelector(selector);
    const slider = find('input'), back = find('.back'), next = find('.next');
    const show = wanted => {
      const t = Math.max(1, Math.min(captions.length, wanted));
      slider.value = t;
      slider.setAttribute('aria-valuetext', `step ${t} of ${captions.length}`);
      root.querySelectorAll('[data-step]').forEach(step => {
        step.dataset.state = ['done', 'now', 'todo'][1 + Math.sign(step.dataset.step - t)];
      });
      find('.caption').innerHTML = captions[t - 1];
      back.setAttribute('aria-disabled', t === 1);
      next.setAttribute('aria-disabled', t === captions.length);
    };
    slider.addEventListener('input', () => show(+slider.value));
    back.addEventListener('click', () => show(+slider.value - 1));
    next.addEventListener('click', () => show(+slider.value + 1));
    find('.controls').hidden = false;
    show(1);
  });
})();
"""


def step_through(
    steps: int = 5,
    labels: Iterable[str] | None = None,
    values=None,
    *,
    outputs: Iterable[str] | None = None,
) -> Drawing:
    """Draw the unfolded network with a slider that steps through time.

    Steps that are not yet done are faint, the current one stands out, and a line below says what
    it computes. Without JavaScript the figure shows the last step.

    Parameters
    ----------
    steps : int, default 5
        T, between 1 and 6.
    labels : sequence of str, length T, optional
        What is read at each step, such as the letters of a word.
    values : sequence, array or tensor, (T,) or (T, k), optional
        Up to three numbers of h_t for each step, shown with two decimals.
    outputs : sequence of str, length T, optional
        What is answered at each step.

    Returns
    -------
    Drawing

    Raises
    ------
    TypeError, ValueError
        If `steps` is not an integer in this range, or another argument has not one entry a step.
    """
    T = _count("steps", steps, MAX_STEPS)
    labels = _words("labels", labels, T)
    outputs = _words("outputs", outputs, T)
    values = _numbers("values", values, T)
    rows = 0 if values is None else values.shape[1]
    pen = _Pen()
    pitch, left = _pitch(T), 28
    # With numbers in them the boxes grow upwards and downwards alike.
    half = 26 if not rows else 24 + 10 * rows
    top = 34
    middle = top + 68 + half
    low = middle + half + 68
    pen.box(left, middle, 46, 46, empty=True)
    pen.symbol(left, middle, "h_0")
    for t in range(1, T + 1):
        x = left + pitch * t
        start = x - pitch + (24 if t == 1 else 28)
        pen.open(data_step=t, data_state="done" if t < T else "now")
        pen.arrow((x, low - 23), (x, middle + half + 2))
        pen.arrow((x, middle - half - 1), (x, top + 24))
        pen.arrow((start, middle), (x - 28, middle), colour=STATE)
        pen.box(x, middle, 54, 2 * half)
        pen.circle(x, top)
        pen.circle(x, low)
        for y, symbol, words in ((top, f"y_{t}", outputs), (low, f"x_{t}", labels)):
            if words is None:
                pen.symbol(x, y, symbol)
            else:
                word = words[t - 1].replace(" ", "␣")
                pen.words(x, y, word, size=22 if len(word) < 3 else 15, family=_MONO)
                pen.symbol(x + 24, y - 18 if y == top else y + 20, symbol, size=17, anchor="start")
        pen.symbol(x, middle - 10 * rows, f"h_{t}")
        for row in range(rows):
            pen.words(x, middle - 10 * rows + 22 + 20 * row, _decimal(values[t - 1, row]), size=17)
        pen.symbol(x + 8, (low - 23 + middle + half) / 2, "W_xh", size=18, anchor="start")
        pen.symbol(x + 8, (top + 23 + middle - half) / 2, "W_hy", size=18, anchor="start")
        pen.symbol(
            (start + x - 28) / 2 - 1, middle - 17, "W_hh", size=18 if T < 5 else 16, colour=STATE
        )
        pen.close()
    title = f"A recurrent network reading {T} step{'s' * (T > 1)}, one at a time"
    description = (
        f"The unfolded network, with a slider that goes from step 1 to step {T}. At each step t "
        f"the input x_t, below, and the state before it enter h_t in the middle, which leads to "
        f"the output y_t above; the arrows W_xh, W_hh and W_hy are the same at every step. Steps "
        f"still to come are faint. The line below the drawing says what the current step does."
    )
    if labels:
        description += f" The inputs read: {', '.join(labels)}."
    if outputs:
        description += f" The outputs: {', '.join(outputs)}."
    if values is not None:
        shown = "; ".join(
            f"h_{t} {', '.join(_decimal(v) for v in row)}" for t, row in enumerate(values, 1)
        )
        description += f" The states: {shown}."
    captions = [_caption(t, T, labels, values, outputs) for t in range(1, T + 1)]
    svg = pen.svg(left + pitch * T + 48, low + 34, title, description)
    # Inside a script element neither < nor & may stand.
    data = json.dumps(captions, ensure_ascii=False).replace("<", "\\u003c").replace("&", "\\u0026")
    name = hashlib.sha256((svg + data).encode()).hexdigest()[:10]
    body = (
        svg + '<div class="controls" hidden="" data-lm-suppress-shortcuts="true">'
        '<button type="button" class="back">previous</button>'
        f'<label>step <input type="range" min="1" max="{T}" step="1" value="{T}"'
        ' autocomplete="off"/></label>'
        '<button type="button" class="next">next</button></div>'
        f'<p class="caption" aria-live="polite">{captions[-1]}</p>'
        f"<script>{_STEP_SCRIPT % (name, data)}</script>"
    )
    style = (
        ".rnn-drawing [data-state=todo]{opacity:.22}"
        ".rnn-drawing [data-state=done]{opacity:.7}"
        ".rnn-drawing [data-state=now] .state{fill-opacity:.5;stroke-width:3.5}"
        ".rnn-drawing .controls:not([hidden]){display:flex;justify-content:center;"
        "align-items:center;gap:.75rem;margin-top:.5rem}"
        ".rnn-drawing .controls label{display:flex;align-items:center;gap:.5rem;margin:0}"
        f".rnn-drawing input{{width:min(11rem,32vw);height:2.5rem;margin:0;accent-color:{STATE}}}"
        ".rnn-drawing button{min-height:2.5rem;padding:0 .8rem;font:inherit;color:inherit;"
        "background:transparent;border:1px solid;border-radius:.5rem;cursor:pointer}"
        ".rnn-drawing button[aria-disabled=true]{opacity:.4;cursor:default}"
        ".rnn-drawing .caption{min-height:4.5em}"
    )
    return Drawing(title, description, _page(body, style=style, tag=f' data-drawing="{name}"'))
