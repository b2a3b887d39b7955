"""Key tones: numbers dialled on a telephone, in noise, and the classical way to read them.

Each key sounds two tones at once, one for its row and one for its column. A recording is cut into
frames; Goertzel's filter measures in each how strong each of the seven tones is.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_number, check_sample, check_tensor
from rnnlib.data.transcripts import Transcribed, random_answers

RATE = 8000
"""Samples a second."""

ROWS = (697.0, 770.0, 852.0, 941.0)
COLUMNS = (1209.0, 1336.0, 1477.0)
"""The tones of the keys' rows and columns, in Hz, as the telephone companies agreed on them."""

POWER = 0.1
"""Of a key's two tones together: the mean square of its samples."""

SIZE, HOP = 256, 80
"""Samples of a frame, 32 ms, and from one frame to the next, 10 ms."""

BINS = slice(20, 52)
"""Which frequencies of a frame are kept: 625 to 1594 Hz, in steps of 31.25 Hz."""


@dataclass(frozen=True)
class Recording:
    """A number, dialled.

    Parameters
    ----------
    wave : Tensor, (n,)
        Samples, `RATE` a second.
    keys : str
    spans : tuple of (int, int)
        For each key the samples at which it begins and has ended.
    """

    wave: Tensor
    keys: str
    spans: tuple[tuple[int, int], ...]


@dataclass(frozen=True, kw_only=True)
class Tones(Transcribed):
    """Write down which keys of a telephone were pressed.

    A key is held for 40 to 100 ms, and 20 to 80 ms later comes the next. Its two tones may differ
    in strength by a factor of 2.5 in power, up or down, and are up to 1.5 % too high or too low,
    the same for a whole recording. Noise sounds throughout.

    Nothing is kept apart for testing: recordings are made on the spot, and a generator with
    another seed makes others.

    Parameters
    ----------
    shortest, longest : int, default 3 and 8
        Keys of a number.
    snr : float, or pair of float, default 0
        The signal-to-noise ratio in decibels: 10 log10 of a key's power divided by the noise's.
        Of a pair, each recording draws its own between the two.

    Raises
    ------
    TypeError, ValueError
        For what is no such number.
    """

    snr: float | tuple[float, float] = 0.0

    symbols: ClassVar[str] = "123456789*0#"

    def __post_init__(self):
        super().__post_init__()
        pair = self.snr if isinstance(self.snr, tuple) else (self.snr, self.snr)
        for value in pair:
            check_number("snr", value)
        if len(pair) != 2 or not -math.inf < pair[0] <= pair[1] < math.inf:
            raise ValueError(f"snr: expected a number, or two in ascending order, got {self.snr}")

    def dial(self, keys: str, generator: torch.Generator | None = None) -> Recording:
        """Dial a given number.

        Parameters
        ----------
        keys : str
            Of `symbols`, at least one.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        Recording

        Raises
        ------
        TypeError, ValueError
            For other keys, none, and an unsuitable generator.
        """
        check_sample(1, generator)
        self.encode([keys])
        made = {"generator": generator, "dtype": torch.float64, "device": "cpu"}
        snr, detune, lead, *_ = torch.rand(5, **made).tolist()
        wave, spans = key_tones(keys, detune, lead, torch.rand(len(keys), 5, **made).tolist())
        low, high = self.snr if isinstance(self.snr, tuple) else (self.snr, self.snr)
        wave = wave + noise_level(low + (high - low) * snr) * torch.randn(len(wave), **made)
        return Recording(wave.float(), keys, spans)

    def recordings(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> list[Recording]:
        """Draw recordings.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        list of Recording

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        check_sample(batch_size, generator)
        lengths = self._lengths(batch_size, generator)
        return [
            self.dial(keys, generator) for keys in random_answers(self.symbols, lengths, generator)
        ]

    def _draw(self, batch_size, generator, part):
        recordings = self.recordings(batch_size, generator)
        return [spectrogram(r.wave) for r in recordings], [r.keys for r in recordings]


def key_tones(
    keys: str, detune: float, lead: float, u: Sequence[Sequence[float]]
) -> tuple[Tensor, tuple[tuple[int, int], ...]]:
    """Sound a number without noise.

    Parameters
    ----------
    keys : str
    detune, lead : float
        From 0 to 1: from the lowest to the highest tones, from the shortest to the longest wait
        before the first key.
    u : sequence of five floats for each key
        From 0 to 1: how long it is held, how long the pause is behind it, how loud the row's tone
        is beside the column's, and at which phase each of the two begins.

    Returns
    -------
    wave : Tensor of float64, (n,)
        A frame of silence at its end.
    spans : tuple of (int, int)
        As a `Recording` has them.
    """
    waves, spans = [torch.zeros(int(RATE * (0.01 + 0.05 * lead)), dtype=torch.float64)], []
    at = len(waves[0])
    for key, (hold, rest, loud, *phases) in zip(keys, u, strict=True):
        held, pause = int(RATE * (0.04 + 0.06 * hold)), int(RATE * (0.02 + 0.06 * rest))
        share = 1 / (1 + 2.5 ** (2 * loud - 1))  # of the power, for the row's tone
        t = torch.arange(held, dtype=torch.float64) / RATE
        wave = torch.zeros(held + pause, dtype=torch.float64)
        for tone, power, phase in zip(frequencies(key), (share, 1 - share), phases, strict=True):
            angle = 2 * math.pi * (tone * (1 + 0.015 * (2 * detune - 1)) * t + phase)
            wave[:held] += math.sqrt(2 * POWER * power) * angle.sin()
        waves.append(wave)
        spans.append((at, at + held))
        at += held + pause
    return torch.cat([*waves, torch.zeros(SIZE, dtype=torch.float64)]), tuple(spans)


def noise_level(snr: float) -> float:
    """Return the standard deviation of the noise at a signal-to-noise ratio in decibels."""
    return math.sqrt(POWER / 10 ** (snr / 10))


def frequencies(key: str) -> tuple[float, float]:
    """Return the tones of a key, of its row and of its column, in Hz.

    Raises
    ------
    ValueError
        For what is no key.
    """
    if len(key) != 1 or key not in Tones.symbols:
        raise ValueError(f"key: expected one of {Tones.symbols!r}, got {key!r}")
    row, column = divmod(Tones.symbols.index(key), 3)
    return ROWS[row], COLUMNS[column]


def spectrogram(wave: Tensor) -> Tensor:
    """Measure how strong each frequency is in each frame.

    Parameters
    ----------
    wave : Tensor, (n,)
        At least `SIZE` samples.

    Returns
    -------
    Tensor, (T, 32)
        The logarithm of the amplitude, of frames of `SIZE` samples under a Hann window, `HOP`
        apart.

    Raises
    ------
    TypeError, ValueError
        For what is no such wave.
    """
    _check_wave(wave, SIZE)
    window = torch.hann_window(SIZE, dtype=wave.dtype, device=wave.device)
    spectrum = torch.stft(wave, SIZE, HOP, window=window, center=False, return_complex=True)
    return (spectrum[BINS].abs() + 0.1).log().T - 1.0


def goertzel(frames: Tensor, tones: Sequence[float]) -> Tensor:
    r"""Measure how strong given tones are in each frame, with a recurrence for each tone.

    With w the angle that a tone advances by from sample to sample, and s_0 = s_{-1} = 0:

    .. math::

        s_n = x_n + 2 \cos(w)\, s_{n-1} - s_{n-2}

    After the last sample, s_n² + s_{n-1}² - 2 cos(w) s_n s_{n-1} is the squared magnitude of the
    Fourier sum at this frequency.

    Parameters
    ----------
    frames : Tensor, (M, size)
        Samples, `RATE` a second.
    tones : sequence of float
        In Hz.

    Returns
    -------
    Tensor, (M, tones)
        The power of each tone: of a sine of amplitude A, about A² / 2.

    Raises
    ------
    TypeError, ValueError
        For what is no such matrix.

    Notes
    -----
    G. Goertzel, "An algorithm for the evaluation of finite trigonometric series", American
    Mathematical Monthly 65 (1958). It is a linear recurrent network of two units whose weights
    nobody trains.
    """
    check_tensor("frames", frames, TypeError)
    if frames.dim() != 2 or not frames.is_floating_point() or frames.size(1) == 0:
        raise ValueError(
            f"frames: expected floating-point numbers (M, size), got {frames.dtype} of shape "
            f"{tuple(frames.shape)}"
        )
    # The recurrence loses digits: what is subtracted is large beside what is left.
    x = frames.double()
    turn = 2 * torch.cos(2 * math.pi / RATE * torch.tensor(list(tones), dtype=torch.float64))
    turn = turn.to(frames.device)
    s = before = x.new_zeros(len(x), len(turn))
    for x_n in x.unbind(dim=1):
        s, before = x_n[:, None] + turn * s - before, s
    squared = s**2 + before**2 - turn * s * before
    return (2 * squared / x.size(1) ** 2).to(frames.dtype)


@dataclass(frozen=True, kw_only=True)
class GoertzelDecoder:
    """Read keys from a recording without having learned anything.

    In each frame the strongest row and the strongest column name a key. It counts if the two
    tones together have a large enough share of all power. A key is written down when enough
    frames in a row name it, and again only after a frame that names none.

    Parameters
    ----------
    share : float
        Of the frame's power, between 0 and 1, that the two tones must have.
    frames : int
        So many in a row.
    size : int, default 205
        Samples of a frame; 205 of them tell the tones apart well.

    Raises
    ------
    TypeError, ValueError
        For what is no such number.
    """

    share: float
    frames: int
    size: int = 205

    def __post_init__(self):
        check_number("share", self.share)
        if not 0 <= self.share <= 1:
            raise ValueError(f"share: expected between 0 and 1, got {self.share}")
        check_integer("frames", self.frames, least=1)
        check_integer("size", self.size, least=2)

    def __call__(self, waves: Sequence[Tensor]) -> list[str]:
        """Read recordings.

        Parameters
        ----------
        waves : sequence of Tensor, (n_i,) each
            At least `size` samples.

        Returns
        -------
        list of str
            The keys of each.

        Raises
        ------
        TypeError, ValueError
            For what are no such waves.
        """
        for wave in waves:
            _check_wave(wave, self.size)
        frames = [wave.unfold(0, self.size, HOP) for wave in waves]
        every = torch.cat(frames)
        power = goertzel(every, ROWS + COLUMNS)
        row, column = power[:, :4].max(dim=1), power[:, 4:].max(dim=1)
        heard = row.values + column.values >= self.share * every.square().mean(dim=1)
        key = torch.where(heard, 3 * row.indices + column.indices, -1)
        return [self._keys(part.tolist()) for part in key.split([len(part) for part in frames])]

    def _keys(self, named: list[int]) -> str:
        keys, last = [], -1
        for key, run in itertools.groupby(named):
            if key == -1:
                last = -1
            elif key != last and len(list(run)) >= self.frames:
                keys.append(Tones.symbols[key])
                last = key
        return "".join(keys)


def _check_wave(wave: Tensor, size: int) -> None:
    check_tensor("wave", wave, TypeError)
    if wave.dim() != 1 or not wave.is_floating_point() or len(wave) < size:
        raise ValueError(
            f"wave: expected at least {size} floating-point numbers (n,), got {wave.dtype} of "
            f"shape {tuple(wave.shape)}"
        )
