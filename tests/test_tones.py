"""The tones sound as they should, and Goertzel's filter measures what Fourier's sum does."""

import math

import pytest
import torch

from rnnlib.data import Tones
from rnnlib.data.tones import (
    COLUMNS,
    POWER,
    RATE,
    ROWS,
    GoertzelDecoder,
    frequencies,
    goertzel,
    spectrogram,
)
from rnnlib.data.transcripts import error_rate

LOUD = Tones(snr=60)
DECODER = GoertzelDecoder(share=0.3, frames=2)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# Sound


def test_the_keys_are_those_of_a_telephone():
    assert frequencies("1") == (697, 1209)
    assert frequencies("5") == (770, 1336)
    assert frequencies("9") == (852, 1477)
    assert frequencies("*") == (941, 1209)
    assert frequencies("0") == (941, 1336)
    assert frequencies("#") == (941, 1477)
    for wrong in ("A", "12", ""):
        with pytest.raises(ValueError, match="key: expected one of"):
            frequencies(wrong)


@pytest.mark.parametrize("key", Tones.symbols)
def test_a_key_sounds_its_two_tones_and_no_other(key):
    recording = LOUD.dial(key, seeded(ord(key)))
    ((start, stop),) = recording.spans
    spectrum = torch.fft.rfft(recording.wave[start:stop], 4096).abs()
    low, high = frequencies(key)
    at = torch.arange(len(spectrum)) * RATE / 4096
    for tone, others in ((low, at < 1080), (high, at > 1080)):
        peak = at[others][spectrum[others].argmax()]
        assert abs(peak - tone) < 0.015 * tone + 8


def test_times_and_power_are_those_that_are_promised():
    spans, powers, pauses = [], [], []
    for recording in LOUD.recordings(60, seeded(1)):
        assert len(recording.spans) == len(recording.keys)
        for (_, stop), after in zip(recording.spans, recording.spans[1:], strict=False):
            pauses.append((after[0] - stop) / RATE)
        for start, stop in recording.spans:
            spans.append((stop - start) / RATE)
            powers.append(recording.wave[start:stop].square().mean().item())
    assert 0.0399 <= min(spans) < 0.045 and 0.095 < max(spans) <= 0.1
    assert 0.0199 <= min(pauses) < 0.025 and 0.075 < max(pauses) <= 0.08
    assert abs(sum(powers) / len(powers) / POWER - 1) < 0.02


@pytest.mark.parametrize("snr", [10.0, -5.0])
def test_the_noise_has_the_power_that_the_ratio_says(snr):
    noise = [r.wave[-200:] for r in Tones(snr=snr).recordings(40, seeded(2))]
    measured = 10 * math.log10(POWER / torch.cat(noise).square().mean())
    assert abs(measured - snr) < 0.3


def test_of_a_pair_each_recording_has_its_own_ratio():
    noise = [r.wave[-200:].square().mean() for r in Tones(snr=(-10, 10)).recordings(60, seeded(3))]
    ratios = 10 * torch.log10(POWER / torch.stack(noise))
    assert ratios.min() < -8 and ratios.max() > 8 and abs(ratios.mean()) < 2.5


def test_the_same_seed_sounds_the_same():
    one, other = (LOUD.dial("0815#", seeded(4)) for _ in range(2))
    assert torch.equal(one.wave, other.wave) and one.spans == other.spans
    assert not torch.equal(one.wave[:1000], LOUD.dial("0815#", seeded(5)).wave[:1000])


def test_a_sample_holds_the_spectrograms_of_the_recordings():
    (x, lengths), (targets, target_lengths) = LOUD.sample(5, seeded(6))
    recordings = LOUD.recordings(5, seeded(6))
    for n, recording in enumerate(recordings):
        frames = spectrogram(recording.wave)
        assert torch.equal(x[n, : lengths[n]], frames)
        assert LOUD.text(targets[n, : target_lengths[n]]) == recording.keys


def test_a_spectrogram_shows_a_tone_where_it_is():
    t = torch.arange(RATE) / RATE
    for tone in (697.0, 1000.0, 1477.0):
        frames = spectrogram((2 * math.pi * tone * t).sin())
        assert frames.shape == (1 + (RATE - 256) // 80, 32)
        bins = 625 + 31.25 * frames.argmax(1)
        assert (bins - tone).abs().max() <= 31.25 / 2 + 1e-3


# Goertzel


def test_the_recurrence_is_fouriers_sum():
    frames = torch.randn(7, 205, generator=seeded(), dtype=torch.float64)
    power = goertzel(frames, ROWS + COLUMNS)
    n = torch.arange(205, dtype=torch.float64)
    for j, tone in enumerate(ROWS + COLUMNS):
        angle = 2 * math.pi * tone / RATE * n
        squared = (frames @ angle.cos()) ** 2 + (frames @ angle.sin()) ** 2
        torch.testing.assert_close(power[:, j], 2 * squared / 205**2, rtol=1e-9, atol=0)


def test_the_power_of_a_sine_is_half_its_squared_amplitude():
    t = torch.arange(800) / RATE
    power = goertzel((0.6 * (2 * math.pi * 770 * t).sin())[None], ROWS)
    assert abs(power[0, 1] - 0.18) < 0.002
    assert power[0, [0, 2, 3]].max() < 0.002


def test_the_decoder_reads_what_is_loud():
    recordings = LOUD.recordings(60, seeded(7))
    read = DECODER([r.wave for r in recordings])
    assert error_rate(read, [r.keys for r in recordings]) < 0.01
    assert any(a == b for r in recordings for a, b in zip(r.keys, r.keys[1:], strict=False))


def test_more_noise_makes_more_errors():
    rates = []
    for snr in (10, -4, -10):
        recordings = Tones(snr=snr).recordings(40, seeded(8))
        read = GoertzelDecoder(share=0.15, frames=2)([r.wave for r in recordings])
        rates.append(error_rate(read, [r.keys for r in recordings]))
    assert rates[0] < 0.02 < 0.04 < rates[1] < rates[2]


def test_what_a_key_needs_to_be_written_down():
    decoder = GoertzelDecoder(share=0, frames=2)
    for named, keys in (
        ([], ""),
        ([-1, 0, 0, 0, -1], "1"),
        ([0, -1, 0, -1], ""),
        ([0, 0, -1, 0, 0], "11"),
        ([0, 0, 5, 0, 0], "1"),
        ([0, 0, 5, 5, 0, 0], "161"),
    ):
        assert decoder._keys(named) == keys


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Tones(snr="loud"), TypeError, "snr: expected a number, got str"),
        (lambda: Tones(snr=(3, 1)), ValueError, "two in ascending order, got (3, 1)"),
        (lambda: Tones(snr=(3,)), ValueError, "got (3,)"),
        (lambda: Tones(snr=math.inf), ValueError, "got inf"),
        (lambda: LOUD.dial(""), ValueError, "none of them empty"),
        (lambda: LOUD.dial("A"), ValueError, "got 'A'"),
        (lambda: LOUD.dial("1", 3), TypeError, "expected a torch.Generator or None"),
        (lambda: LOUD.recordings(0), ValueError, "batch_size: expected at least 1"),
        (lambda: spectrogram(torch.zeros(255)), ValueError, "at least 256 floating-point"),
        (lambda: spectrogram(torch.zeros(2, 256)), ValueError, "of shape (2, 256)"),
        (lambda: spectrogram([0.0] * 256), TypeError, "wave: expected a Tensor, got list"),
        (lambda: goertzel(torch.zeros(5), ROWS), ValueError, "(M, size), got torch.float32"),
        (lambda: goertzel(torch.zeros(5, 2).long(), ROWS), ValueError, "got torch.int64"),
        (lambda: GoertzelDecoder(share=2, frames=1), ValueError, "between 0 and 1, got 2"),
        (lambda: GoertzelDecoder(share=0.3, frames=0), ValueError, "frames: expected at least 1"),
        (lambda: GoertzelDecoder(share=0.3, frames=1, size=1), ValueError, "size: expected at"),
        (lambda: DECODER([torch.zeros(100)]), ValueError, "at least 205 floating-point"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert message in str(raised.value)
