"""Say which days of a diary were warmer than its average, or what that was."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_sample
from rnnlib.data.lengths import IGNORE_INDEX, pad


@dataclass(frozen=True, kw_only=True)
class AboveAverage:
    """Read a trip's diary, and say which days were warmer than its average, or what that was.

    A diary holds one temperature a day, in tens of degrees Celsius. Each trip has a climate of its
    own, uniform between 0 and 3, around which the days scatter with a standard deviation of 0.5.
    The lengths are log-uniform: about as many diaries of 2 or 3 days as of 30 to 60. The padding
    is 0, which is a temperature, too.

    Parameters
    ----------
    min_steps, max_steps : int
        The shortest and the longest diary, in days.
    answer : {"step", "sequence"}
        What is asked for: of each day whether it was warmer than the average of its own diary
        (cross-entropy), or the average itself (mean squared error).

    Attributes
    ----------
    climates : tuple of float
        (0, 3), between which a trip's climate is drawn.
    scatter : float
        0.5, the standard deviation of the days around it.

    Raises
    ------
    TypeError
        If a length is not an integer.
    ValueError
        If `min_steps` is below 2, `max_steps` below `min_steps`, or `answer` none of the two.
    """

    min_steps: int = 2
    max_steps: int = 60
    answer: str = "step"

    climates = (0.0, 3.0)
    scatter = 0.5

    def __post_init__(self):
        check_integer("min_steps", self.min_steps, least=2)
        check_integer("max_steps", self.max_steps, least=self.min_steps)
        if self.answer not in ("step", "sequence"):
            raise ValueError(f"answer: expected 'step' or 'sequence', got {self.answer!r}")

    @property
    def length_shares(self) -> dict[int, float]:
        """How often each length is drawn: ln((n + 1) / n), over its sum."""
        whole = math.log((self.max_steps + 1) / self.min_steps)
        return {n: math.log((n + 1) / n) / whole for n in range(self.min_steps, self.max_steps + 1)}

    @property
    def chance(self) -> float:
        """Loss of the best answer that ignores the input.

        For the steps it is ln 2, as a day is as often below the average as above it. For the
        sequences it is the variance of the average: that of the climate, and of the mean of n days
        around it.
        """
        if self.answer == "step":
            return math.log(2)
        low, high = self.climates
        mean_inverse = sum(share / n for n, share in self.length_shares.items())
        return (high - low) ** 2 / 12 + self.scatter**2 * mean_inverse

    @property
    def chance_accuracy(self) -> float | None:
        """Share of right answers among blind guesses: 1/2, or None where the answer is a value."""
        return 0.5 if self.answer == "step" else None

    def sequences(
        self, number: int, generator: torch.Generator | None = None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Draw sequences as they are, without padding.

        Parameters
        ----------
        number : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        xs : list of N Tensors, each (T_i, 1)
        ys : list of N Tensors
            Classes, each (T_i,) of int64, 1 for a warmer day; or the averages, each (1,).

        Raises
        ------
        TypeError, ValueError
            For a number that is no positive integer, or an unsuitable generator.
        """
        check_sample(number, generator)
        made = {"generator": generator, "device": "cpu"}
        spread = torch.rand(number, **made, dtype=torch.float64)
        spread = self.min_steps * ((self.max_steps + 1) / self.min_steps) ** spread
        lengths = spread.long().clamp(max=self.max_steps)
        low, high = self.climates
        climate = low + (high - low) * torch.rand(number, **made)
        days = climate.repeat_interleave(lengths)
        days = days + self.scatter * torch.randn(len(days), **made)
        xs = list(days[:, None].split(lengths.tolist()))
        if self.answer == "sequence":
            return xs, [x.mean(dim=0) for x in xs]
        return xs, [(x > x.mean()).long()[:, 0] for x in xs]

    def sample(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a padded batch.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        x : Tensor, (N, T, 1)
            T is the longest of the batch; 0 behind the end of a shorter sequence.
        y : Tensor
            Of int64, (N, T), with -100 in the padding, which ``cross_entropy`` leaves out; or
            the averages, (N, 1).
        lengths : Tensor of int64, (N,)

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        xs, ys = self.sequences(batch_size, generator)
        x, lengths = pad(xs)
        y = torch.stack(ys) if self.answer == "sequence" else pad(ys, IGNORE_INDEX)[0]
        return x, y, lengths
