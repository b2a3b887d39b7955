"""The ways to write a month, a date, or a date and a time: written, told apart, and read back."""

import calendar
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import date
from functools import lru_cache
from itertools import product

from rnnlib.checks import check_string
from rnnlib.data.dates import words


def _two_digits(n: int) -> str:
    return f"{n % 100:02}"


FIELDS: dict[str, tuple[str, Callable[[int], str]]] = {
    "year": ("year", str),
    "year2": ("year", _two_digits),
    "year_words": ("year", words.year),
    "month": ("month", str),
    "month_name": ("month", lambda n: words.MONTHS[n - 1]),
    "month_short": ("month", lambda n: words.MONTHS[n - 1][:3]),
    "day": ("day", str),
    "day_words": ("day", words.ordinal),
    "weekday": ("weekday", lambda n: words.WEEKDAYS[n]),
    "weekday_short": ("weekday", lambda n: words.WEEKDAYS[n][:3]),
    "hour": ("hour", str),
    "hour_words": ("hour", words.cardinal),
    "minute": ("minute", _two_digits),
    "minute_words": ("minute", words.minute),
}
"""What a format may hold in braces: which number of a moment it writes, and how."""

FORMATS = (
    "{month_short} {year2}",
    "{month_name} {year}",
    "{month_name} {year_words}",
    "{day}/{month}/{year2}",
    "{day}.{month}.{year2}",
    "{day} {month_short} {year2}",
    "{month_short} {day}, {year}",
    "{day} {month_name} {year}",
    "{weekday_short}, {month_name} {day}, {year}",
    "the {day_words} of {month_name} {year}",
    "{weekday} the {day_words} of {month_name} {year_words}",
    "{day}.{month}.{year2} {hour}:{minute}",
    "{day} {month_name} {year}, {hour}:{minute}",
    "{weekday_short}, {month_short} {day}, {year}, {hour}:{minute}",
    "the {day_words} of {month_name} {year} at {hour}:{minute}",
    "{day} {month_short} {year} at {hour_words} {minute_words}",
    "the {day_words} of {month_name} {year_words}, {hour}:{minute}",
)
"""The book's ways to write a month, a date, or a date and a time."""

Moment = Sequence[int]
"""(year, month, day, hour, minute)."""

KINDS = ("month", "date", "time")
"""What an answer can be: 1997-09, 1997-09-23 or 1997-09-23T14:35."""

_NEEDED = {
    "month": {"year", "month"},
    "date": {"year", "month", "day"},
    "time": {"year", "month", "day", "hour", "minute"},
}

LENGTHS = {"month": 7, "date": 10, "time": 16}
"""How many symbols an answer of each kind has."""

_FIELD = re.compile(r"\{(\w+)\}")
_UNITS = ("year", "month", "day", "hour", "minute")
_RANGES = {
    "month": range(1, 13),
    "day": range(1, 32),
    "weekday": range(7),
    "hour": range(24),
    "minute": range(60),
}


@lru_cache(maxsize=256)
def kind_of(text: str) -> str:
    """Say what a format gives: a month, a date, or a date and a time.

    Parameters
    ----------
    text : str
        Such as "{day}.{month}.{year2}".

    Returns
    -------
    {"month", "date", "time"}

    Raises
    ------
    TypeError
        If it is not a string.
    ValueError
        If it names an unknown field, the same number twice, or gives none of the three.
    """
    if not isinstance(text, str):
        raise TypeError(f"formats: expected strings, got {type(text).__name__}")
    names = _FIELD.findall(text)
    if not set(names) <= set(FIELDS) or re.search(r"[{}]", _FIELD.sub("", text)):
        raise ValueError(
            f"formats: expected fields among {', '.join(FIELDS)}, each in braces, got {text!r}"
        )
    units = [FIELDS[name][0] for name in names]
    given = set(units)
    if len(given) < len(units):
        raise ValueError(f"formats: expected each number once, got {text!r}")
    for kind, needed in _NEEDED.items():
        # The weekday says nothing that the date does not say.
        if given == needed or (kind != "month" and given == needed | {"weekday"}):
            return kind
    raise ValueError(
        "formats: expected year and month, or these and the day, or these and hour and minute, "
        f"got {text!r}"
    )


def kind_of_answer(answer: str) -> str:
    """Say what an answer is: a month, a date, or a date and a time.

    Parameters
    ----------
    answer : str
        Such as 1997-09-23.

    Returns
    -------
    {"month", "date", "time"}

    Raises
    ------
    TypeError
        If it is not a string.
    ValueError
        If it is as long as no answer.
    """
    check_string("answer", answer)
    for kind, length in LENGTHS.items():
        if len(answer) == length:
            return kind
    raise ValueError(f"answer: expected 7, 10 or 16 symbols, got {answer!r}")


def iso(moment: Moment, kind: str) -> str:
    """Write a moment as ISO 8601 has it, as far as an answer of this kind goes."""
    return "{:04}-{:02}-{:02}T{:02}:{:02}".format(*moment)[: LENGTHS[kind]]


def write(moment: Moment, text: str) -> str:
    """Write a moment in one of the formats.

    Parameters
    ----------
    moment : (year, month, day, hour, minute)
    text : str
        The format.

    Returns
    -------
    str

    Raises
    ------
    ValueError
        If there is no such moment, or the format cannot be used.
    """
    kind_of(text)
    year, month, day, hour, minute = moment
    try:
        weekday = date(year, month, day).weekday()
    except ValueError as error:
        raise ValueError(f"moment: expected a date, got {(year, month, day)}") from error
    if not (0 <= hour < 24 and 0 <= minute < 60):
        raise ValueError(f"moment: expected a time of day, got {(hour, minute)}")
    numbers = dict(zip(_UNITS, moment, strict=True)) | {"weekday": weekday}

    def written(field: re.Match) -> str:
        unit, spell = FIELDS[field[1]]
        return spell(numbers[unit])

    return _FIELD.sub(written, text)


def read(text: str, way: str, years: range) -> set[str]:
    """Say what a source can mean in one of the formats, in these years.

    Parameters
    ----------
    text : str
        The source.
    way : str
        The format.
    years : range

    Returns
    -------
    set of str
        Answers; none if it is not written in this format, or means no date of these years.
    """
    match = _pattern(way, years).fullmatch(text)
    if match is None:
        return set()
    possible = {"day": [1], "hour": [0], "minute": [0]}
    for name, written in match.groupdict().items():
        possible[FIELDS[name][0]] = _writings(name, years)[written]
    moments = product(*(possible[unit] for unit in _UNITS))
    # A 31st of June is no date, and a Monday that was a Tuesday is none either.
    return {
        iso(moment, kind_of(way))
        for moment in moments
        if moment[2] <= calendar.monthrange(*moment[:2])[1] and write(moment, way) == text
    }


def symbols(text: str, years: range) -> set[str]:
    """Collect the symbols of all that can be written in a format."""
    written = (way for name in _FIELD.findall(text) for way in _writings(name, years))
    return set(_FIELD.sub("", text)).union(*written)


@lru_cache(maxsize=256)
def _writings(name: str, years: range) -> dict[str, list[int]]:
    """Return all that a field can write, with the numbers that it may stand for."""
    unit, spell = FIELDS[name]
    found = defaultdict(list)
    for number in years if unit == "year" else _RANGES[unit]:
        found[spell(number)].append(number)
    return dict(found)


@lru_cache(maxsize=256)
def _pattern(text: str, years: range) -> re.Pattern:
    """Return the pattern of all that can be written in a format."""
    parts = _FIELD.split(text)  # literals, with the names of fields between them
    for i, part in enumerate(parts):
        if i % 2 == 0:
            parts[i] = re.escape(part)
        else:
            parts[i] = f"(?P<{part}>{'|'.join(map(re.escape, _writings(part, years)))})"
    return re.compile("".join(parts))
