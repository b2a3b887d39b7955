"""Series of numbers in time, and how to cut them so that no forecast sees the future.

An *origin* is the last step that a forecast may know. Windows end at an origin, and their targets
begin behind it; moving the origin on step by step is the walk-forward evaluation.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from rnnlib.checks import check_generator, check_integer, check_number, check_tensor

SUNSPOTS_PATH = Path(__file__).parent / "figures" / "sunspots.csv"
"""The yearly sunspot numbers that come with the package.

They are those of the United States' National Geophysical Data Center, which is part of NOAA, in the
public domain; taken from statsmodels, where they are the data set `sunspots`.
"""


# Series


def mackey_glass(
    num_steps: int, *, tau: float = 17.0, start: float = 1.2, skip: int = 1000
) -> Tensor:
    r"""Compute a series that follows from its past without chance, and is hard to foresee.

    .. math::

        \frac{dx}{dt} = \frac{0.2\, x(t - \tau)}{1 + x(t - \tau)^{10}} - 0.1\, x(t)

    From a delay of about 17 on it is chaotic: two series that begin next to each other part.

    Parameters
    ----------
    num_steps : int
        T; one unit of time from each to the next.
    tau : float, default 17
        The delay, at least 1, in tenths.
    start : float, default 1.2
        The value before the first step, and at it; above 0.
    skip : int, default 1000
        Steps that are left out at the beginning.

    Returns
    -------
    Tensor of float64, (T,)

    Raises
    ------
    TypeError, ValueError
        For what is no such number.

    Notes
    -----
    M. C. Mackey and L. Glass, "Oscillation and chaos in physiological control systems", Science 197
    (1977). Computed by the Runge-Kutta method of fourth order in steps of 0.1; the delayed value
    half a step on is the mean of its neighbours.
    """
    check_integer("num_steps", num_steps, least=1)
    check_integer("skip", skip, least=0)
    for name, value in (("tau", tau), ("start", start)):
        check_number(name, value)
    delay = round(10 * tau) if math.isfinite(tau) else 0
    if not (tau >= 1 and math.isclose(delay, 10 * tau)):
        raise ValueError(f"tau: expected at least 1, in tenths, got {tau}")
    if not 0 < start < math.inf:
        raise ValueError(f"start: expected a number above 0, got {start}")

    def slope(x: float, delayed: float) -> float:
        return 0.2 * delayed / (1 + delayed**10) - 0.1 * x

    x, step = [float(start)] * (delay + 1), 0.1
    for _ in range(10 * (skip + num_steps - 1)):
        now, past, next_past = x[-1], x[-1 - delay], x[-delay]
        between = (past + next_past) / 2
        k_1 = slope(now, past)
        k_2 = slope(now + step / 2 * k_1, between)
        k_3 = slope(now + step / 2 * k_2, between)
        k_4 = slope(now + step * k_3, next_past)
        x.append(now + step / 6 * (k_1 + 2 * k_2 + 2 * k_3 + k_4))
    return torch.tensor(x[delay::10][skip:], dtype=torch.float64)


def load_sunspots() -> tuple[Tensor, Tensor]:
    """Load the mean number of sunspots of each year from 1700 to 2008. No network is needed.

    Returns
    -------
    years : Tensor of int64, (309,)
    numbers : Tensor of float64, (309,)

    Notes
    -----
    Source and licence: see `SUNSPOTS_PATH`. In 2015 the whole series was revised; these are the
    numbers from before.
    """
    with SUNSPOTS_PATH.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    years = torch.tensor([int(row["year"]) for row in rows])
    return years, torch.tensor([float(row["sunspots"]) for row in rows], dtype=torch.float64)


def random_walk(num_steps: int, generator: torch.Generator | None = None) -> Tensor:
    """Add up steps that nobody can foresee: a series to catch evaluations that leak.

    The steps are independent standard normal numbers. No forecast is better than persistence,
    which says that nothing will change: its root mean squared error h steps ahead is the root of
    h. One that seems better has seen the future.

    Parameters
    ----------
    num_steps : int
        T.
    generator : torch.Generator, optional
        On the CPU; by default torch's global one.

    Returns
    -------
    Tensor of float64, (T,)

    Raises
    ------
    TypeError, ValueError
        For a number of steps that is no positive integer, or an unsuitable generator.
    """
    return _noise(num_steps, generator).cumsum(dim=0)


@dataclass(frozen=True)
class Moody:
    """A series whose noise is now quiet and now loud, with what there is to know of it.

    Parameters
    ----------
    x, mean, std : Tensor, (T,)
        The series: normal, of this mean and this standard deviation at each step. Nobody can know
        more before the step than these two.
    """

    x: Tensor
    mean: Tensor
    std: Tensor


def quiet_and_loud(
    num_steps: int,
    generator: torch.Generator | None = None,
    *,
    period: int = 40,
    quiet: float = 0.1,
    loud: float = 0.7,
) -> Moody:
    """Draw a sine with noise that is loud in its upper half and quiet in its lower.

    Parameters
    ----------
    num_steps : int
        T.
    generator : torch.Generator, optional
        On the CPU; by default torch's global one.
    period : int, default 40
        Steps of the sine, at least 2.
    quiet, loud : float, default 0.1 and 0.7
        The noise's standard deviations.

    Returns
    -------
    Moody

    Raises
    ------
    TypeError, ValueError
        For what are no such numbers, or an unsuitable generator.
    """
    noise = _noise(num_steps, generator)
    check_integer("period", period, least=2)
    for name, value in (("quiet", quiet), ("loud", loud)):
        check_number(name, value)
        if not 0 <= value < math.inf:
            raise ValueError(f"{name}: expected a number from 0 on, got {value}")
    t = torch.arange(num_steps, dtype=torch.float64)
    mean = (2 * math.pi / period * t).sin()
    levels = torch.tensor([quiet, loud], dtype=torch.float64)
    std = levels[(t % period < period / 2).long()]
    return Moody(mean + std * noise, mean, std)


def _noise(num_steps: int, generator: torch.Generator | None) -> Tensor:
    check_integer("num_steps", num_steps, least=1)
    check_generator(generator)
    return torch.randn(num_steps, generator=generator, dtype=torch.float64, device="cpu")


# Cutting


def rolling_origins(num_steps: int, *, first: int, horizon: int = 1, every: int = 1) -> Tensor:
    """List the steps from which forecasts are made, so that each can be compared with the truth.

    Parameters
    ----------
    num_steps : int
        T, the steps of the series. Of the training part alone, if the windows are to train on: no
        target lies behind it.
    first : int
        Index of the first origin, counted from 0: the last step that is known there.
    horizon : int, default 1
        Steps that are forecast from each origin; all of them exist.
    every : int, default 1
        Steps from one origin to the next.

    Returns
    -------
    Tensor of int64, (M,)

    Raises
    ------
    TypeError, ValueError
        For what are no such numbers, and if there is no origin at all.
    """
    check_integer("num_steps", num_steps, least=1)
    check_integer("first", first, least=0)
    check_integer("horizon", horizon, least=1)
    check_integer("every", every, least=1)
    last = num_steps - 1 - horizon
    if first > last:
        raise ValueError(
            f"first: expected at most {last}, so that {horizon} of {num_steps} steps follow, "
            f"got {first}"
        )
    return torch.arange(first, last + 1, every)


def windows(
    series: Tensor, origins: Tensor | Sequence[int], *, width: int, horizon: int = 1
) -> tuple[Tensor, Tensor]:
    """Cut what is known at each origin, and what follows.

    Parameters
    ----------
    series : Tensor, (T,)
    origins : Tensor of int64, (M,), or sequence of int
        Indices of the last known steps, as from `rolling_origins`.
    width : int
        W, steps of a window.
    horizon : int, default 1
        H, steps that follow it.

    Returns
    -------
    x : Tensor, (M, W)
        Oldest step first; the last is the origin itself.
    y : Tensor, (M, H)

    Raises
    ------
    TypeError, ValueError
        For what is no such series, no such numbers, and an origin too near to either end.
    """
    _check_series("series", series)
    check_integer("width", width, least=1)
    check_integer("horizon", horizon, least=1)
    origins = torch.as_tensor(origins)
    if origins.dim() != 1 or origins.dtype != torch.int64 or len(origins) == 0:
        raise ValueError(
            f"origins: expected at least one integer, (M,) of int64, got {origins.dtype} of shape "
            f"{tuple(origins.shape)}"
        )
    least, most = width - 1, len(series) - 1 - horizon
    if origins.min() < least or origins.max() > most:
        raise ValueError(
            f"origins: expected from {least} to {most}, with {width} steps up to them and "
            f"{horizon} behind, got {origins.min().item()} to {origins.max().item()}"
        )
    steps = origins[:, None] + torch.arange(1 - width, horizon + 1)
    return series[steps[:, :width]], series[steps[:, width:]]


@dataclass(frozen=True)
class Scale:
    """Bring a series to mean 0 and standard deviation 1, as measured on a part of it.

    Parameters
    ----------
    mean, std : float
        Finite, std above 0.

    Raises
    ------
    ValueError
        For others.

    Examples
    --------
    >>> series = torch.tensor([1.0, 3.0, 5.0, 100.0])
    >>> scale = Scale.of(series[:3])  # the training part
    >>> scale.apply(series)[0]
    tensor(-1.2247)
    """

    mean: float
    std: float

    def __post_init__(self):
        if not (math.isfinite(self.mean) and 0 < self.std < math.inf):
            raise ValueError(
                f"mean, std: expected finite numbers, std above 0, got {self.mean} and {self.std}"
            )

    @classmethod
    def of(cls, part: Tensor) -> "Scale":
        """Measure a part of a series, (n,): the part to train on, and nothing behind it.

        Raises
        ------
        TypeError, ValueError
            For what is no series, or a constant one.
        """
        _check_series("part", part)
        return cls(part.mean().item(), part.std(correction=0).item())

    def apply(self, x: Tensor) -> Tensor:
        """Scale numbers, of any shape."""
        return (x - self.mean) / self.std

    def undo(self, x: Tensor) -> Tensor:
        """Bring scaled numbers back."""
        return self.mean + self.std * x


def _check_series(name: str, series) -> None:
    check_tensor(name, series, TypeError)
    if series.dim() != 1 or not series.is_floating_point() or len(series) == 0:
        raise ValueError(
            f"{name}: expected floating-point numbers (T,), got {series.dtype} of shape "
            f"{tuple(series.shape)}"
        )
