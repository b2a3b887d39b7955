"""Lines of handwritten digits: scikit-learn's, put side by side, a little apart or overlapping."""

import itertools
import math
from dataclasses import dataclass
from functools import cache
from typing import ClassVar

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_number
from rnnlib.data.images import load_digits
from rnnlib.data.transcripts import Transcribed, check_part, random_answers

HEIGHT = 12
"""Rows of a line; a digit has 8 of them, not always the same."""

_INK = 0.15  # columns in which nothing is darker are cut off a digit


@dataclass(frozen=True, kw_only=True)
class Lines(Transcribed):
    """Read a line of handwritten digits, column by column.

    Each digit is an image of scikit-learn's, without its empty columns, of random darkness and
    height in the line. The gap between two is drawn anew; a negative one lets them overlap. Then
    noise is added. The 1,797 images are parted: no image of the training is in a line of the
    validation or of the test.

    Parameters
    ----------
    shortest, longest : int, default 3 and 8
        Digits of a line.
    ascending : bool, default False
        Whether no digit of a line is smaller than the one before. Every such line of a length is
        as likely as another. Otherwise the digits are independent.
    gaps : pair of int, default (-2, 3)
        The least and the greatest gap, in columns; at least -3.
    noise : float, default 0.12
        Standard deviation of the noise, where full ink is 1.

    Raises
    ------
    TypeError, ValueError
        For what is no such number.

    Examples
    --------
    >>> (x, lengths), (targets, target_lengths) = Lines().sample(2)
    >>> x.shape[0], x.shape[2]
    (2, 12)
    """

    ascending: bool = False
    gaps: tuple[int, int] = (-2, 3)
    noise: float = 0.12

    symbols: ClassVar[str] = "0123456789"

    def __post_init__(self):
        super().__post_init__()
        if not isinstance(self.ascending, bool):
            raise TypeError(f"ascending: expected a bool, got {type(self.ascending).__name__}")
        if not isinstance(self.gaps, tuple) or len(self.gaps) != 2:
            raise TypeError(f"gaps: expected a pair of int, got {self.gaps!r}")
        least = check_integer("gaps", self.gaps[0], least=-3)
        check_integer("gaps", self.gaps[1], least=least)
        check_number("noise", self.noise)
        if not 0 <= self.noise < math.inf:
            raise ValueError(f"noise: expected a number from 0 on, got {self.noise}")

    def num_answers(self, length: int) -> int:
        """Count the answers of a length, all equally likely."""
        if not self.ascending:
            return super().num_answers(length)
        return math.comb(check_integer("length", length, least=1) + 9, length)

    def allows(self, answer: str) -> bool:
        """Tell whether an answer is one that this task draws."""
        return (
            self.shortest <= len(answer) <= self.longest
            and set(answer) <= set(self.symbols)
            and not (self.ascending and any(a > b for a, b in itertools.pairwise(answer)))
        )

    def write(
        self, answers: list[str], generator: torch.Generator | None = None, *, part: str = "train"
    ) -> list[Tensor]:
        """Write given answers.

        Parameters
        ----------
        answers : list of str
            N of them, digits only, none empty.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.
        part : {"train", "validation", "test"}
            Whose images are used.

        Returns
        -------
        list of Tensor, each (T_i, 12)
            Columns of the line, from left to right.

        Raises
        ------
        TypeError, ValueError
            As `encode` raises them, and for another part.
        """
        self.encode(answers)
        check_part(part)
        longest = max(map(len, answers))
        drawn = torch.rand(
            len(answers), longest + 1, 4, generator=generator, dtype=torch.float64, device="cpu"
        )
        return [
            self._line(answer, row, generator, part)
            for answer, row in zip(answers, drawn.tolist(), strict=True)
        ]

    def _line(self, answer: str, u: list[list[float]], generator, part: str) -> Tensor:
        low, high = self.gaps
        (before, after, *_), *rest = u
        glyphs, places, x = [], [], 1 + int(3 * before)
        for digit, (which, row, gap, ink) in zip(answer, rest, strict=False):
            choice = _glyphs(part)[int(digit)]
            glyph = choice[int(which * len(choice))]
            y = int(row * (HEIGHT - 8 + 1))
            glyphs.append((0.6 + 0.4 * ink) * glyph)
            places.append((x, y))
            end = x + len(glyph)
            # At least one column further than the digit before, however narrow that is.
            x = max(x + 1, end + low + int(gap * (high - low + 1)))
        width = max(x + len(glyph) for (x, _), glyph in zip(places, glyphs, strict=True))
        line = torch.zeros(width + 1 + int(3 * after), HEIGHT)
        for (x, y), glyph in zip(places, glyphs, strict=True):
            part_of_line = line[x : x + len(glyph), y : y + 8]
            torch.maximum(part_of_line, glyph, out=part_of_line)
        return line + self.noise * torch.randn(line.shape, generator=generator, device="cpu")

    def answers(self, batch_size: int, generator: torch.Generator | None = None) -> list[str]:
        """Draw N answers."""
        lengths = self._lengths(batch_size, generator)
        if not self.ascending:
            return random_answers(self.symbols, lengths, generator)
        # n of n + 9 places, less one for each place before: every ascending line once.
        chosen = (
            torch.randperm(n + 9, generator=generator, device="cpu")[:n].sort().values
            for n in lengths
        )
        return ["".join(str(k - i) for i, k in enumerate(row.tolist())) for row in chosen]

    def _draw(self, batch_size, generator, part):
        answers = self.answers(batch_size, generator)
        return self.write(answers, generator, part=part), answers


@cache
def _glyphs(part: str) -> tuple[tuple[Tensor, ...], ...]:
    """Return the images of each digit, (width, 8), columns first, without empty columns."""
    split = load_digits()
    images, labels = split.train_images, split.train_labels
    if part == "test":
        images, labels = split.test_images, split.test_labels
    else:
        cut = len(images) - len(split.test_images)  # as many to validate on as to test on
        kept = slice(cut) if part == "train" else slice(cut, None)
        images, labels = images[kept], labels[kept]
    return tuple(
        tuple(_trimmed(image.T) for image in images[labels == digit]) for digit in range(10)
    )


def _trimmed(columns: Tensor) -> Tensor:
    inked = (columns > _INK).any(dim=1).nonzero()[:, 0]
    return columns[inked[0] : inked[-1] + 1]
