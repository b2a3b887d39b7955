"""The task: bring dates that are written in many ways into one form."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_sample, check_size, check_string
from rnnlib.data.dates import parts
from rnnlib.data.dates.formats import FORMATS, KINDS, LENGTHS, iso, kind_of, read, symbols, write
from rnnlib.data.lengths import IGNORE_INDEX, pad
from rnnlib.data.vocabulary import Vocabulary

MINUTES = range(0, 60, 5)
"""Times are drawn to five minutes, as appointments are made."""

POOL = 8
"""So many batches are drawn together and sorted by length."""

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
        Ways to write a source, with the names of `formats.FIELDS` in braces. By default `FORMATS`.

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
        return parts.days(self._years)[_checked_part(part)]

    def months(self, part: str) -> tuple[date, ...]:
        """Return the months that are asked for alone, each as its first day; like `days`."""
        return parts.months(self._years)[_checked_part(part)]

    @cached_property
    def source_vocabulary(self) -> Vocabulary:
        """The symbols of all sources."""
        each = (symbols(text, self._years) for text in self.formats)
        return Vocabulary(tuple(set().union(*each)))

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
        return 1 + max(LENGTHS[kind] for kind in self.kinds)

    @property
    def _years(self) -> range:
        return range(self.first_year, self.last_year + 1)

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
        return entropy / sum(p * (LENGTHS[kind] + 1) for kind, p in shares.items())

    @property
    def chance_accuracy(self) -> float:
        """Share of answers that the best blind guess, always the same one, gets whole."""
        return max(p / self.num_answers(kind) for kind, p in self._shares().items())

    # Text

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
        each = (read(text, way, self._years) for way in self.formats)
        return tuple(sorted(set().union(*each)))

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
            pairs.append((write(moment, way), iso(moment, kind)))
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
        return pad(rows)

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
        y, _ = pad(rows, IGNORE_INDEX)
        before = [self.target_vocabulary.encode(_START + answer) for _, answer in pairs]
        previous, _ = pad(before, self.end)
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


def _checked_part(part: str) -> str:
    if part not in ("train", "test"):
        raise ValueError(f"part: expected 'train' or 'test', got {part!r}")
    return part
