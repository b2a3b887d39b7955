"""Letters with indices, in SVG and in HTML: h_{t-1}, W_xh and h_1^{(2)} are written as in TeX."""

import re

_SYMBOL = re.compile(
    r"(?P<base>[A-Za-z])(_(\{(?P<sub>[^}]+)\}|(?P<sub1>\w+)))?(\^\{(?P<sup>[^}]+)\})?"
)


def split(symbol: str) -> tuple[str, str, str]:
    """Return the letter, its lower and its upper index."""
    found = _SYMBOL.fullmatch(symbol)
    if found is None:
        raise ValueError(f"expected a symbol such as h_t or h_{{t-1}}, got {symbol!r}")
    sub = found["sub"] or found["sub1"] or ""
    return found["base"], sub.replace("-", "−"), found["sup"] or ""


def upright(index: str) -> str:
    """Return an index for slanted SVG text: letters slanted, digits and signs upright."""
    return re.sub(r"[^A-Za-z]+", r'<tspan font-style="normal">\g<0></tspan>', index)


def _html(symbol: str) -> str:
    base, *scripts = split(symbol)
    text = f"<i>{base}</i>"
    for tag, script in zip(("sub", "sup"), scripts, strict=True):
        if script:
            text += f"<{tag}>" + re.sub(r"[A-Za-z]+", r"<i>\g<0></i>", script) + f"</{tag}>"
    return text


def typeset(text: str) -> str:
    """Return HTML with the symbols between bars set: "reads |x_3| and |h_2|"."""
    pieces = text.split("|")
    for i in range(1, len(pieces), 2):
        symbols = _SYMBOL.sub(lambda found: _html(found[0]), pieces[i])
        pieces[i] = f'<span class="math-text">{symbols}</span>'
    return "".join(pieces)


def listed(symbols: list[str]) -> str:
    """Return "x_1, x_2 and x_3"."""
    return symbols[0] if len(symbols) == 1 else f"{', '.join(symbols[:-1])} and {symbols[-1]}"


def series(letter: str, steps: int) -> str:
    """Return "x_1 to x_4"."""
    return f"{letter}_1" if steps == 1 else f"{letter}_1 to {letter}_{steps}"
