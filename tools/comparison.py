"""When an output that a chapter prints counts as the one that is stored.

The text is the same, and every number is within one unit of the last digit printed: processors
round differently. Only numbers with digits after the point or an exponent may differ at all. A
whole number is a count, a shape or a label, also where PyTorch prints it as ``1.``, and a version
such as 3.11.2 is a word.

pytest-doctestplus has a checker with a tolerance for floats; it takes ``0.30%``, ``"0.30"`` and
``0.30×`` for words, and does not see that blanks before a number have gone.
"""

from __future__ import annotations

import re
from decimal import Decimal

# The blanks before a number belong to it: 9.99 and 10.00 in a column differ in them as well.
NUMBER = re.compile(
    r"(?<![\w.])( *(?:(?<!\w)[+-])?(?:\d+\.\d+(?:e[+-]?\d+)?|\d+\.?e[+-]?\d+))(?!\d|\.\d)"
)


def numbers_agree(one: str, other: str) -> bool:
    """Return whether two numbers differ by at most one unit in the last digit of either."""
    if len(one) != len(other) and _blanks(one) != _blanks(other):
        return False
    a, b = Decimal(one.strip()), Decimal(other.strip())
    unit = Decimal(1).scaleb(min(a.as_tuple().exponent, b.as_tuple().exponent))
    return abs(a - b) <= unit


def _blanks(number: str) -> int:
    return len(number) - len(number.lstrip(" "))


def texts_agree(one: str, other: str) -> bool:
    """Return whether two texts have the same words, and numbers that agree."""
    a, b = NUMBER.split(one), NUMBER.split(other)  # word, number, word, number, …, word
    return a[::2] == b[::2] and all(map(numbers_agree, a[1::2], b[1::2]))


class Printed(str):
    """A text that equals another where `texts_agree`; nbval compares outputs with ``!=``."""

    __slots__ = ()
    __hash__ = None

    def __eq__(self, other: object) -> bool:
        return texts_agree(self, other) if isinstance(other, str) else NotImplemented

    def __ne__(self, other: object) -> bool:
        return not self == other
