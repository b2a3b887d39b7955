"""When an output that a chapter prints counts as the one that is stored.

The text is the same, and every number is within one unit of the last digit printed: processors
round differently. So "0.12 to 0.13" may be "0.12", as pages say where both ends print the same.
Only numbers with digits after the point or an exponent may differ at all. A
whole number is a count, a shape or a label, also where PyTorch prints it as ``1.``, and a version
such as 3.11.2 is a word.

pytest-doctestplus has a checker with a tolerance for floats; it takes ``0.30%``, ``"0.30"`` and
``0.30×`` for words, and does not see that blanks before a number have gone.
"""

from __future__ import annotations

import re
from decimal import Decimal

# The blanks before a number belong to it: 9.99 and 10.00 in a column differ in them as well.
_SIZE = r"(?:\d+\.\d+(?:e[+-]?\d+)?|\d+\.?e[+-]?\d+)"
_FIRST, _END = rf"(?<![\w.])( *(?:(?<!\w)[+-])?{_SIZE})", r"(?!\d|\.\d)"
NUMBER = re.compile(_FIRST + _END)
SPAN = re.compile(rf"{_FIRST} to ([+-]?{_SIZE}){_END}")


def numbers_agree(one: str, other: str) -> bool:
    """Return whether two numbers differ by at most one unit in the last digit of either."""
    return (len(one) == len(other) or _blanks(one) == _blanks(other)) and _apart(one, other) <= 1


def _apart(one: str, other: str) -> Decimal:
    """Return how many units of the last digit two numbers are apart."""
    a, b = Decimal(one.strip()), Decimal(other.strip())
    return abs(a - b).scaleb(-min(a.as_tuple().exponent, b.as_tuple().exponent))


def _blanks(number: str) -> int:
    return len(number) - len(number.lstrip(" "))


def texts_agree(one: str, other: str) -> bool:
    """Return whether two texts have the same words, and numbers that agree."""
    if _agree(one, other):
        return True
    narrow = [[_narrowed(text, end) for text in (one, other)] for end in (1, 2)]
    return [one, other] not in narrow and all(_agree(*map(_closed_up, pair)) for pair in narrow)


def _agree(one: str, other: str) -> bool:
    a, b = NUMBER.split(one), NUMBER.split(other)  # word, number, word, number, …, word
    return a[::2] == b[::2] and all(map(numbers_agree, a[1::2], b[1::2]))


def _narrowed(text: str, end: int) -> str:
    """Return a text with one end alone of each narrow span."""

    def one_end(span: re.Match) -> str:
        blanks = " " * _blanks(span[1])
        return blanks + span[end].lstrip() if _apart(span[1], span[2]) <= 2 else span[0]

    return SPAN.sub(one_end, text)


def _closed_up(text: str) -> str:
    """Return a text with columns as far apart whatever stands in them."""
    return re.sub(" {2,}", "  ", text)


class Printed(str):
    """A text that equals another where `texts_agree`; nbval compares outputs with ``!=``."""

    __slots__ = ()
    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return texts_agree(self, other) if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other
