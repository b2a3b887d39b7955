"""Answers without positions: which symbols a sequence holds, in order, but not where they are.

`Transcribed` is what lines of handwriting and dialled numbers have in common. Answers may be
shorter or longer than they should be, so that they are compared by `edit_distance`.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_sample, check_string
from rnnlib.data.lengths import pad

Batch = tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]

POOL = 8
"""Of how many batches the sequences are sorted together, so that those alike in length meet."""


@dataclass(frozen=True, kw_only=True)
class Transcribed:
    """Sequences whose answers are some symbols in a row, at places that nobody tells.

    Class 0 is the blank of CTC, which means no symbol; the symbols are 1, 2, 3, …

    Parameters
    ----------
    shortest, longest : int, default 3 and 8
        Symbols of an answer; each number between is as likely as another.

    Raises
    ------
    TypeError, ValueError
        For what is no such number.
    """

    shortest: int = 3
    longest: int = 8

    symbols: ClassVar[str] = ""

    def __post_init__(self):
        check_integer("shortest", self.shortest, least=1)
        check_integer("longest", self.longest, least=self.shortest)

    @property
    def num_classes(self) -> int:
        """K: the symbols, and the blank."""
        return len(self.symbols) + 1

    # Chance

    def num_answers(self, length: int) -> int:
        """Count the answers of a length, all equally likely."""
        return len(self.symbols) ** check_integer("length", length, least=1)

    @cached_property
    def chance(self) -> float:
        """The CTC loss, summed over an answer, of the best answer that ignores the input.

        It is the entropy of an answer, in nats.
        """
        lengths = range(self.shortest, self.longest + 1)
        return sum(math.log(len(lengths) * self.num_answers(n)) for n in lengths) / len(lengths)

    @property
    def chance_accuracy(self) -> float:
        """Share of answers that the best blind guess, always the same one, gets whole."""
        return 1 / ((self.longest - self.shortest + 1) * self.num_answers(self.shortest))

    # Text

    def encode(self, answers: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Turn answers into targets.

        Parameters
        ----------
        answers : sequence of str
            N of them, none empty.

        Returns
        -------
        targets : Tensor of int64, (N, L)
            Classes from 1 on; 0 past the end of a shorter answer.
        target_lengths : Tensor of int64, (N,)

        Raises
        ------
        TypeError, ValueError
            For what is no text, none at all, an empty one, or an unknown symbol.
        """
        if isinstance(answers, str):
            raise TypeError("answers: expected a sequence of strings, got one string")
        rows = []
        for answer in answers:
            check_string("answers", answer)
            if unknown := sorted(set(answer) - set(self.symbols)):
                raise ValueError(
                    f"answers: expected symbols among {self.symbols!r}, got {unknown[0]!r}"
                )
            rows.append(torch.tensor([1 + self.symbols.index(symbol) for symbol in answer]))
        if not rows or not all(map(len, rows)):
            raise ValueError(f"answers: expected one or more, none of them empty, got {answers!r}")
        return pad(rows)

    def text(self, classes: Iterable[int] | Tensor) -> str:
        """Turn the classes of an answer into text, without the blanks.

        Parameters
        ----------
        classes : Tensor (L,) or iterable of int

        Returns
        -------
        str

        Raises
        ------
        ValueError
            For what is no class.
        """
        classes = classes.tolist() if isinstance(classes, Tensor) else list(classes)
        if wrong := [k for k in classes if not 0 <= k < self.num_classes]:
            raise ValueError(f"classes: expected from 0 to {self.num_classes - 1}, got {wrong[0]}")
        return "".join(self.symbols[k - 1] for k in classes if k)

    # Drawing

    def _lengths(self, batch_size: int, generator: torch.Generator | None) -> list[int]:
        """Draw how many symbols each of N answers has."""
        made = {"generator": generator, "device": "cpu"}
        return torch.randint(self.shortest, self.longest + 1, (batch_size,), **made).tolist()

    def _draw(self, batch_size: int, generator, part: str) -> tuple[list[Tensor], list[str]]:
        """Return N inputs, (T_i, D) each, and their answers."""
        raise NotImplementedError

    def sample(
        self, batch_size: int, generator: torch.Generator | None = None, *, part: str = "train"
    ) -> Batch:
        """Draw a batch.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.
        part : {"train", "validation", "test"}

        Returns
        -------
        (x, lengths), (targets, target_lengths)
            x (N, T, D), 0 past the end of a shorter one, and lengths (N,); targets (N, L) and
            their lengths (N,) as from `encode`.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, an unsuitable generator, another part.
        """
        check_sample(batch_size, generator)
        check_part(part)
        xs, answers = self._draw(batch_size, generator, part)
        return pad(xs), self.encode(answers)

    def batches(
        self,
        num_batches: int,
        batch_size: int,
        generator: torch.Generator | None = None,
        *,
        part: str = "train",
    ) -> list[Batch]:
        """Draw many batches, each of inputs of about the same length.

        `POOL` batches are drawn together, sorted by length, cut, and put in a random order.

        Parameters
        ----------
        num_batches : int
        batch_size, generator, part
            As for `sample`.

        Returns
        -------
        list of ((x, lengths), (targets, target_lengths))

        Raises
        ------
        TypeError, ValueError
            As for `sample`, also for `num_batches`.
        """
        check_integer("num_batches", num_batches, least=1)
        check_sample(batch_size, generator)
        check_part(part)
        batches = []
        while len(batches) < num_batches:
            count = min(POOL, num_batches - len(batches))
            xs, answers = self._draw(count * batch_size, generator, part)
            order = sorted(range(len(xs)), key=lambda i: len(xs[i]))
            for j in torch.randperm(count, generator=generator, device="cpu").tolist():
                rows = order[j * batch_size : (j + 1) * batch_size]
                batches.append(
                    (pad([xs[i] for i in rows]), self.encode([answers[i] for i in rows]))
                )
        return batches


def random_answers(
    symbols: str, lengths: Sequence[int], generator: torch.Generator | None
) -> list[str]:
    """Draw answers of these lengths, every symbol as likely as another."""
    made = {"generator": generator, "device": "cpu"}
    drawn = torch.randint(len(symbols), (len(lengths), max(lengths)), **made).tolist()
    return ["".join(symbols[k] for k in row[:n]) for row, n in zip(drawn, lengths, strict=True)]


def check_part(part: str) -> None:
    """Raise a `ValueError` for what is no part of the data."""
    if part not in ("train", "validation", "test"):
        raise ValueError(f"part: expected 'train', 'validation' or 'test', got {part!r}")


def edit_distance(a: Sequence, b: Sequence) -> int:
    """Count the changes that lead from one sequence to another (Levenshtein distance).

    A change drops a symbol, puts one in, or exchanges one.

    Parameters
    ----------
    a, b : sequence
        Strings, or lists of classes.

    Returns
    -------
    int

    Examples
    --------
    >>> edit_distance("3810", "381")
    1
    """
    distances = list(range(len(b) + 1))
    for i, x in enumerate(a, start=1):
        before, distances[0] = distances[0], i
        for j, y in enumerate(b, start=1):
            exchanged = before + (x != y)
            before = distances[j]
            distances[j] = min(exchanged, distances[j] + 1, distances[j - 1] + 1)
    return distances[-1]


def error_rate(answers: Sequence[Sequence], right: Sequence[Sequence]) -> float:
    """Divide the changes that answers need by the symbols of the right ones.

    Parameters
    ----------
    answers, right : sequence of sequences
        As many of each.

    Returns
    -------
    float
        0 if all are right. 1 is what nothing but empty answers come to; it can be exceeded.

    Raises
    ------
    ValueError
        If there are not as many of each, or no symbols at all.
    """
    if len(answers) != len(right):
        raise ValueError(
            f"answers: expected {len(right)}, one for each right one, got {len(answers)}"
        )
    symbols = sum(map(len, right))
    if symbols == 0:
        raise ValueError("right: expected at least one symbol, got none")
    return sum(map(edit_distance, answers, right)) / symbols
