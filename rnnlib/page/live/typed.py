"""What a reader has typed, as a figure shows it again."""

from html import escape


def shown(symbol: str) -> str:
    """Return a symbol as it is drawn, with a sign for what cannot be seen."""
    return {" ": "␣", "\n": "↵"}.get(symbol, symbol)


def quoted(symbol: str) -> str:
    """Return a symbol as a sentence names it, as HTML."""
    names = {" ": "a space", "\n": "the end of the line"}
    return names.get(symbol, f"“{escape(symbol, quote=False)}”")


def percent(p: float) -> str:
    """Return a probability in whole per cent, ties upwards."""
    whole = "below 1" if 0 < p < 0.005 else int(100 * p + 0.5)
    return f"{whole}\u00a0%"  # no line ends between the two
