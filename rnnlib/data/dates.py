"""Dates, times and months written in many ways, with the one ISO 8601 form that each has.

The sources are short and long, "3/4/97" and "Tuesday the twenty-third of September nineteen
ninety-seven", and the answers have three lengths: 1997-09, 1997-09-23 and 1997-09-23T14:35. How
much an answer says and how long its source is are two things, which a task can tell apart.
"""

import calendar
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property, lru_cache
from itertools import product

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from rnnlib.checks import check_integer, check_sample, check_size, check_string
from rnnlib.data.lengths import IGNORE_INDEX
from rnnlib.data.vocabulary import Vocabulary

_ONES = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
    "sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
# Written out here: the names in `calendar` follow the locale.
_MONTHS = (
    "January February March April May June July August September October November December"
).split()
_WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def _number(n: int) -> str:
    """Write 0 … 99 in words."""
    if n < 20:
        return _ONES[n]
    tens, one = _TENS[n // 10 - 2], n % 10
    return f"{tens}-{_ONES[one]}" if one else tens


def _ordinal(n: int) -> str:
    """Write 1 … 99 as an ordinal number in words."""
    head, hyphen, last = _number(n).rpartition("-")
    ending = f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th"
    return head + hyphen + _ORDINALS.get(last, ending)


def _two_digits(n: int) -> str:
    return f"{n % 100:02}"


def _year(n: int) -> str:
    """Write 1900 … 2099 in words, as it is read aloud."""
    century, rest = divmod(n, 100)
    if 2000 <= n < 2010:
        return "two thousand" + (f" and {_number(rest)}" if rest else "")
    if rest == 0:
        return f"{_number(century)} hundred"
    return f"{_number(century)} {f'oh {_number(rest)}' if rest < 10 else _number(rest)}"


def _minute(n: int) -> str:
    """Write a minute in words, as it is read aloud after the hour."""
    return "o'clock" if n == 0 else f"oh {_number(n)}" if n < 10 else _number(n)


FIELDS: dict[str, tuple[str, Callable[[int], str]]] = {
    "year": ("year", str),
    "year2": ("year", _two_digits),
    "year_words": ("year", _year),
    "month": ("month", str),
    "month_name": ("month", lambda n: _MONTHS[n - 1]),
    "month_short": ("month", lambda n: _MONTHS[n - 1][:3]),
    "day": ("day", str),
    "day_words": ("day", _ordinal),
    "weekday": ("weekday", lambda n: _WEEKDAYS[n]),
    "weekday_short": ("weekday", lambda n: _WEEKDAYS[n][:3]),
    "hour": ("hour", str),
    "hour_words": ("hour", _number),
    "minute": ("minute", _two_digits),
    "minute_words": ("minute", _minute),
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

KINDS = ("month", "date", "time")
"""What an answer can be: 1997-09, 1997-09-23 or 1997-09-23T14:35."""

MINUTES = range(0, 60, 5)
"""Times are drawn to five minutes, as appointments are made."""

POOL = 8
"""So many batches are drawn together and sorted by length."""

_NEEDED = {
    "month": {"year", "month"},
    "date": {"year", "month", "day"},
    "time": {"year", "month", "day", "hour", "minute"},
}
_LENGTHS = {"month": 7, "date": 10, "time": 16}
_START, _END = "^", "$"

Pair = tuple[str, str]
Batch = tuple[tuple[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class Dates:
    """Bring dates that are written in many ways into the form of ISO 8601.

    A source is a line of text, such as "Sep 23, 1997"; its answer is 1997-09-23, and it is 1997-09
    if the line names a month only, and 1997-09-23T14:35 if it gives a time as well. How long the
    answer is has to be found out from the source. The loss is the cross-entropy in nats, averaged
    over the symbols of the answers and the end symbol of each.

    Every tenth day, about, is kept for testing, with all its times, and so is every tenth month
    of those asked for alone: no answer of the one part occurs in the other. The parts do not
    depend on a seed.

    Every format is as likely as another. Some write a year with two digits. More than a hundred
    years are drawn from, so "3.4.25" has two readings, in 1925 and in 2025, and nothing says which
    is meant.

    Parameters
    ----------
    first_year, last_year : int, default 1920 and 2039
        Both included, between 1900 and 2099.
    formats : tuple of str
        Ways to write a source, with the names of `FIELDS` in braces. By default `FORMATS`.

    Attributes
    ----------
    start, end : int
        The indices of the two symbols that no answer holds: the one before its first symbol, and
        the one after its last.
    max_steps : int
        The steps of the longest answer, its end symbol included.

    Raises
    ------
    TypeError
        If a year is not an integer, or a format no string.
    ValueError
        If the years are out of range, or a format cannot be used: it names an unknown field, or
        does not say which month, date or time it means.

    Examples
    --------
    >>> task = Dates()
    >>> task.readings("Sep 23, 1997")
    ('1997-09-23',)
    >>> task.readings("3.4.25")
    ('1925-04-03', '2025-04-03')
    """

    first_year: int = 1920
    last_year: int = 2039
    formats: tuple[str, ...] = FORMATS

    def __post_init__(self):
        first = check_integer("first_year", self.first_year, least=1900)
        last = check_integer("last_year", self.last_year, least=first)
        if last > 2099:
            raise ValueError(f"last_year: expected at most 2099, got {last}")
        if isinstance(self.formats, str) or not isinstance(self.formats, Iterable):
            raise TypeError(f"formats: expected a tuple of str, got {type(self.formats).__name__}")
        formats = tuple(self.formats)
        if not formats:
            raise ValueError("formats: expected at least one, got none")
        for text in formats:
            kind_of(text)
        object.__setattr__(self, "formats", formats)

    # What can be drawn

    @cached_property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of answer that occur, in the order of `KINDS`."""
        return tuple(kind for kind in KINDS if kind in map(kind_of, self.formats))

    def only(self, kind: str) -> "Dates":
        """Return the same task with the formats of one kind.

        Parameters
        ----------
        kind : {"month", "date", "time"}

        Returns
        -------
        Dates

        Raises
        ------
        ValueError
            If no format is of this kind.
        """
        formats = tuple(text for text in self.formats if kind_of(text) == kind)
        if not formats:
            raise ValueError(f"kind: expected one of {', '.join(self.kinds)}, got {kind!r}")
        return replace(self, formats=formats)

    def days(self, part: str) -> tuple[date, ...]:
        """Return the days of a part, "train" or "test", in order.

        Parameters
        ----------
        part : {"train", "test"}

        Returns
        -------
        tuple of date

        Raises
        ------
        ValueError
            For another part.
        """
        return _days(self.first_year, self.last_year)[_checked_part(part)]

    def months(self, part: str) -> tuple[date, ...]:
        """Return the months of a part that are asked for alone, each as its first day.

        Parameters
        ----------
        part : {"train", "test"}

        Returns
        -------
        tuple of date

        Raises
        ------
        ValueError
            For another part.
        """
        return _months(self.first_year, self.last_year)[_checked_part(part)]

    @cached_property
    def source_vocabulary(self) -> Vocabulary:
        """The symbols of all sources."""
        symbols = set()
        for text in self.formats:
            for literal, name in _pieces(text):
                symbols |= set(literal)
                if name is not None:
                    symbols |= set("".join(_written(name, *self._years)))
        return Vocabulary(tuple(symbols))

    @cached_property
    def target_vocabulary(self) -> Vocabulary:
        """The K symbols of the answers: digits, signs, and the start and the end symbol."""
        return Vocabulary(tuple("0123456789-T:" + _START + _END))

    @property
    def start(self) -> int:
        """Index of the symbol that stands before every answer."""
        return self.target_vocabulary.symbols.index(_START)

    @property
    def end(self) -> int:
        """Index of the symbol that ends every answer."""
        return self.target_vocabulary.symbols.index(_END)

    @property
    def max_steps(self) -> int:
        """Steps of the longest answer, with its end symbol."""
        return 1 + max(_LENGTHS[kind] for kind in self.kinds)

    @property
    def _years(self) -> tuple[int, int]:
        return self.first_year, self.last_year

    # Chance

    def num_answers(self, kind: str, part: str = "train") -> int:
        """Count the answers of a kind, all equally likely.

        Parameters
        ----------
        kind : {"month", "date", "time"}
        part : {"train", "test"}

        Returns
        -------
        int

        Raises
        ------
        ValueError
            For another kind or part.
        """
        if kind not in KINDS:
            raise ValueError(f"kind: expected one of {', '.join(KINDS)}, got {kind!r}")
        if kind == "month":
            return len(self.months(part))
        return len(self.days(part)) * (24 * len(MINUTES) if kind == "time" else 1)

    def _shares(self) -> dict[str, float]:
        kinds = [kind_of(text) for text in self.formats]
        return {kind: kinds.count(kind) / len(kinds) for kind in self.kinds}

    @property
    def chance(self) -> float:
        """Cross-entropy of the best answer that ignores the source.

        It knows which answers there are in training, and is told the symbols before the one that
        it is asked for. By the chain rule its loss is the entropy of an answer, divided by the
        mean number of its symbols, the end symbol included.
        """
        shares = self._shares()
        entropy = sum(p * math.log(self.num_answers(kind) / p) for kind, p in shares.items())
        return entropy / sum(p * (_LENGTHS[kind] + 1) for kind, p in shares.items())

    @property
    def chance_accuracy(self) -> float:
        """Share of answers that the best blind guess, always the same one, gets whole."""
        return max(p / self.num_answers(kind) for kind, p in self._shares().items())

    # Text

    def write(self, moment: Sequence[int], text: str) -> str:
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
        values = dict(zip(_UNITS, (year, month, day, weekday, hour, minute), strict=True))
        return "".join(
            literal + ("" if name is None else FIELDS[name][1](values[FIELDS[name][0]]))
            for literal, name in _pieces(text)
        )

    def readings(self, text: str) -> tuple[str, ...]:
        """Say what a source can mean: its answers under all formats, each once, in order.

        Parameters
        ----------
        text : str

        Returns
        -------
        tuple of str
            Empty if it is written in none of the formats, or means no date of these years.

        Raises
        ------
        TypeError
            If `text` is not a string.
        """
        check_string("text", text)
        found = set()
        for way in self.formats:
            for moment in self._moments(text, way):
                found.add(_iso(moment, kind_of(way)))
        return tuple(sorted(found))

    def _moments(self, text: str, way: str) -> Iterator[tuple[int, ...]]:
        """Yield the moments that are written like this in this format."""
        match = _pattern(way, *self._years).fullmatch(text)
        if match is None:
            return
        possible = {"day": (1,), "hour": (0,), "minute": (0,)}
        for name, written in match.groupdict().items():
            possible[FIELDS[name][0]] = _written(name, *self._years)[written]
        for moment in product(*(possible[unit] for unit in _UNITS if unit != "weekday")):
            # A 31st of June is none, and a Monday that was a Tuesday is none either.
            if moment[2] <= calendar.monthrange(*moment[:2])[1]:
                if self.write(moment, way) == text:
                    yield moment

    def pairs(
        self, batch_size: int, generator: torch.Generator | None = None, *, part: str = "train"
    ) -> list[Pair]:
        """Draw sources with their answers, as text.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.
        part : {"train", "test"}

        Returns
        -------
        list of (str, str)
            N pairs of a source and its answer. Of a source with two readings the answer is the
            one that was meant.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, an unsuitable generator, another part.
        """
        check_sample(batch_size, generator)
        days, months = self.days(part), self.months(part)
        drawn = torch.rand(batch_size, 4, generator=generator, dtype=torch.float64, device="cpu")
        pairs = []
        for u in drawn.tolist():
            way, hour, minute = (
                choice[int(x * len(choice))]
                for x, choice in zip(u, (self.formats, range(24), MINUTES), strict=False)
            )
            kind = kind_of(way)
            choice = months if kind == "month" else days
            day = choice[int(u[3] * len(choice))]
            moment = (day.year, day.month, day.day, hour, minute)
            pairs.append((self.write(moment, way), _iso(moment, kind)))
        return pairs

    # Tensors

    def encode_sources(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Turn sources into a padded batch.

        Parameters
        ----------
        texts : sequence of str
            N of them.

        Returns
        -------
        source : Tensor of int64, (N, T)
            Indices into `source_vocabulary`; 0 past the end of a shorter one.
        lengths : Tensor of int64, (N,)

        Raises
        ------
        TypeError, ValueError
            For what is no text, none at all, an empty one, or an unknown symbol.
        """
        if isinstance(texts, str):
            raise TypeError("texts: expected a sequence of strings, got one string")
        rows = [self.source_vocabulary.encode(text) for text in texts]
        if not rows or not all(map(len, rows)):
            raise ValueError(f"texts: expected one or more, none of them empty, got {texts!r}")
        return pad_sequence(rows, batch_first=True), torch.tensor([len(row) for row in rows])

    def encode(self, pairs: Sequence[Pair]) -> Batch:
        """Turn pairs of a source and its answer into what a model is trained on.

        Parameters
        ----------
        pairs : sequence of (str, str)
            N of them.

        Returns
        -------
        (source, lengths, previous), y
            `source` (N, T) and `lengths` (N,) as from `encode_sources`. y, (N, S), holds the
            symbols of the answers and the end symbol, and -100 past it. `previous`, (N, S), holds
            the symbol before each: first the start symbol, then y without its last. All are int64.

        Raises
        ------
        TypeError, ValueError
            As `encode_sources` raises them, also for the answers.
        """
        source, lengths = self.encode_sources([text for text, _ in pairs])
        rows = [self.target_vocabulary.encode(answer + _END) for _, answer in pairs]
        y = pad_sequence(rows, batch_first=True, padding_value=IGNORE_INDEX)
        before = [self.target_vocabulary.encode(_START + answer) for _, answer in pairs]
        previous = pad_sequence(before, batch_first=True, padding_value=self.end)
        return (source, lengths, previous), y

    def decode(self, symbols: Iterable[int] | Tensor) -> str:
        """Turn the symbols of an answer into text, up to the end symbol.

        Parameters
        ----------
        symbols : Tensor (S,) or iterable of int

        Returns
        -------
        str

        Raises
        ------
        TypeError, ValueError, IndexError
            As `Vocabulary.decode` raises them.
        """
        symbols = symbols if isinstance(symbols, Tensor) else list(symbols)
        return self.target_vocabulary.decode(symbols).split(_END)[0]

    def sample(
        self, batch_size: int, generator: torch.Generator | None = None, *, part: str = "train"
    ) -> Batch:
        """Draw a batch; `pairs` and `encode` in one. Parameters and errors as for `pairs`.

        Returns
        -------
        (source, lengths, previous), y
            As from `encode`.
        """
        return self.encode(self.pairs(batch_size, generator, part=part))

    def batches(
        self,
        num_batches: int,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        part: str = "train",
    ) -> list[Batch]:
        """Draw many batches, each of sources of about the same length.

        Pairs are drawn as by `sample`, for `POOL` batches together; these are sorted by the length
        of their sources, cut, and put in a random order. Batches cut like this hold little padding.
        Were all pairs sorted at once, it would be less still, but every batch would be of one
        format alone, and training would suffer.

        Parameters
        ----------
        num_batches : int
        batch_size, generator, part
            As for `pairs`.

        Returns
        -------
        list of ((source, lengths, previous), y)
            As from `encode`.

        Raises
        ------
        TypeError, ValueError
            As for `pairs`, also for `num_batches`.
        """
        check_size("num_batches", num_batches)
        check_size("batch_size", batch_size)
        batches = []
        while len(batches) < num_batches:
            count = min(POOL, num_batches - len(batches))
            pairs = self.pairs(count * batch_size, generator, part=part)
            pairs.sort(key=lambda pair: len(pair[0]))
            order = torch.randperm(count, generator=generator, device="cpu").tolist()
            batches += [self.encode(pairs[i * batch_size : (i + 1) * batch_size]) for i in order]
        return batches


_UNITS = ("year", "month", "day", "weekday", "hour", "minute")


@lru_cache(maxsize=256)
def _pieces(text: str) -> tuple[tuple[str, str | None], ...]:
    """Split a format into pairs of a literal and the field behind it, None at the end."""
    parts = re.split(r"\{(\w+)\}", text)
    return tuple(zip(parts[::2], [*parts[1::2], None], strict=True))


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
    names = [name for _, name in _pieces(text) if name is not None]
    unknown = [name for name in names if name not in FIELDS]
    if unknown or re.search(r"[{}]", re.sub(r"\{\w+\}", "", text)):
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
    for kind, length in _LENGTHS.items():
        if len(answer) == length:
            return kind
    raise ValueError(f"answer: expected 7, 10 or 16 symbols, got {answer!r}")


@lru_cache(maxsize=256)
def _written(name: str, first_year: int, last_year: int) -> dict[str, list[int]]:
    """Return all that a field can write, with the numbers that it may stand for."""
    unit, write = FIELDS[name]
    numbers = {
        "year": range(first_year, last_year + 1),
        "month": range(1, 13),
        "day": range(1, 32),
        "weekday": range(7),
        "hour": range(24),
        "minute": range(60),
    }[unit]
    written = defaultdict(list)
    for number in numbers:
        written[write(number)].append(number)
    return dict(written)


@lru_cache(maxsize=256)
def _pattern(text: str, first_year: int, last_year: int) -> re.Pattern:
    """Return the pattern of all that can be written in a format."""
    pattern = ""
    for literal, name in _pieces(text):
        pattern += re.escape(literal)
        if name is not None:
            ways = "|".join(map(re.escape, _written(name, first_year, last_year)))
            pattern += f"(?P<{name}>{ways})"
    return re.compile(pattern)


def _iso(moment: Sequence[int], kind: str) -> str:
    return "{:04}-{:02}-{:02}T{:02}:{:02}".format(*moment)[: _LENGTHS[kind]]


def _for_testing(n: int) -> bool:
    """Pick every tenth number, about, without a pattern of weeks, months or years.

    The multiples of the golden ratio fill the interval from 0 to 1 evenly.
    """
    return n * 0.6180339887498949 % 1 < 0.1


def _split(items: Iterable[tuple[int, date]]) -> dict[str, tuple[date, ...]]:
    parts = defaultdict(list)
    for number, item in items:
        parts["test" if _for_testing(number) else "train"].append(item)
    return {part: tuple(parts[part]) for part in ("train", "test")}


@lru_cache(maxsize=8)
def _days(first_year: int, last_year: int) -> dict[str, tuple[date, ...]]:
    first, last = date(first_year, 1, 1), date(last_year, 12, 31)
    every = (first + timedelta(days=i) for i in range((last - first).days + 1))
    return _split((day.toordinal(), day) for day in every)


@lru_cache(maxsize=8)
def _months(first_year: int, last_year: int) -> dict[str, tuple[date, ...]]:
    every = (date(y, m, 1) for y in range(first_year, last_year + 1) for m in range(1, 13))
    return _split((12 * day.year + day.month, day) for day in every)


def _checked_part(part: str) -> str:
    if part not in ("train", "test"):
        raise ValueError(f"part: expected 'train' or 'test', got {part!r}")
    return part
