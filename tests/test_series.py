"""Series are what they should be, and no window sees the future."""

import math

import pytest
import torch

from rnnlib.data.series import (
    Scale,
    load_sunspots,
    mackey_glass,
    quiet_and_loud,
    random_walk,
    rolling_origins,
    windows,
)

COUNT = torch.arange(10.0)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def euler(num_steps, tau, start, step=0.001):
    """The same equation by the simplest method, in far smaller steps."""
    delay = round(tau / step)
    x = [start] * (delay + 1)
    for _ in range(round((num_steps - 1) / step)):
        past = x[-1 - delay]
        x.append(x[-1] + step * (0.2 * past / (1 + past**10) - 0.1 * x[-1]))
    return torch.tensor(x[delay :: round(1 / step)], dtype=torch.float64)


@pytest.mark.parametrize("tau", [17, 3.5])
def test_mackey_glass_solves_its_equation(tau):
    ours = mackey_glass(60, tau=tau, start=0.9, skip=0)
    assert ours[0] == 0.9 and ours.shape == (60,) and ours.dtype == torch.float64
    torch.testing.assert_close(ours, euler(60, tau, 0.9), rtol=0, atol=2e-4)


def test_mackey_glass_is_chaotic_with_a_long_delay_and_at_rest_with_a_short_one():
    one, other = (mackey_glass(4000, start=start, skip=0) for start in (1.2, 1.2001))
    apart = (one - other).abs()
    assert apart[:100].max() < 2e-3 and apart[1000:].max() > 0.5
    assert 0.2 < one[500:].min() and one[500:].max() < 1.4
    assert mackey_glass(50, tau=1).std() < 1e-6


def test_mackey_glass_leaves_the_beginning_out():
    assert torch.equal(mackey_glass(20, skip=30), mackey_glass(50, skip=0)[30:])


def test_sunspots():
    years, numbers = load_sunspots()
    assert years.tolist() == list(range(1700, 2009)) and numbers.dtype == torch.float64
    by_year = dict(zip(years.tolist(), numbers.tolist(), strict=True))
    assert (by_year[1700], by_year[1957], by_year[2008]) == (5.0, 190.2, 2.9)
    assert numbers.min() == 0 and numbers.argmax() == 257
    # A cycle takes about eleven years.
    spectrum = torch.fft.rfft(numbers - numbers.mean()).abs()
    assert abs(309 / spectrum.argmax() - 11) < 0.5


def test_a_random_walk_cannot_be_forecast_better_than_by_persistence():
    x = random_walk(200_000, seeded())
    for h in (1, 9):
        assert math.isclose((x[h:] - x[:-h]).square().mean().sqrt(), math.sqrt(h), rel_tol=0.02)
    steps = x.diff()
    assert abs((steps[1:] * steps[:-1]).mean()) < 0.01
    assert torch.equal(random_walk(5, seeded(1)), random_walk(5, seeded(1)))


def test_quiet_and_loud_has_the_noise_that_it_says():
    moody = quiet_and_loud(40_000, seeded(), period=20, quiet=0.2, loud=0.5)
    noise = moody.x - moody.mean
    for std, upper in ((0.2, False), (0.5, True)):
        there = moody.std == std
        assert there.sum() == 20_000
        assert math.isclose(noise[there].std(), std, rel_tol=0.02)
        middle = moody.mean[there & (moody.mean.abs() > 0.5)]
        assert (middle > 0).all() == upper and (middle < 0).all() != upper


# Cutting


def test_windows_end_at_their_origins():
    x, y = windows(COUNT, [2, 6], width=3, horizon=2)
    assert x.tolist() == [[0, 1, 2], [4, 5, 6]]
    assert y.tolist() == [[3, 4], [7, 8]]


def test_origins_leave_room_for_what_is_forecast():
    assert rolling_origins(10, first=4).tolist() == [4, 5, 6, 7, 8]
    assert rolling_origins(10, first=4, horizon=3).tolist() == [4, 5, 6]
    assert rolling_origins(10, first=1, horizon=2, every=3).tolist() == [1, 4, 7]
    assert rolling_origins(2, first=0).tolist() == [0]


@pytest.mark.parametrize(("width", "horizon"), [(1, 1), (3, 2), (4, 5)])
def test_training_windows_stay_in_the_training_part(width, horizon):
    part = 10
    origins = rolling_origins(part, first=width - 1, horizon=horizon)
    x, y = windows(torch.arange(20.0), origins, width=width, horizon=horizon)
    assert x.min() == 0 and y.max() == part - 1
    assert (y[:, :1] == x[:, -1:] + 1).all()
    assert len(x) == part - width - horizon + 1  # as many as there can be


def test_a_scale_is_that_of_its_part_and_can_be_undone():
    series = torch.tensor([1.0, 3.0, 5.0, 100.0], dtype=torch.float64)
    scale = Scale.of(series[:3])
    scaled = scale.apply(series)
    assert abs(scaled[:3].mean()) < 1e-12
    assert math.isclose(scaled[:3].square().mean(), 1)
    torch.testing.assert_close(scale.undo(scaled), series)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: mackey_glass(0), ValueError, "num_steps: expected at least 1, got 0"),
        (lambda: mackey_glass(5, tau=0.5), ValueError, "tau: expected at least 1, in tenths"),
        (lambda: mackey_glass(5, tau=1.23), ValueError, "got 1.23"),
        (lambda: mackey_glass(5, tau=math.inf), ValueError, "got inf"),
        (lambda: mackey_glass(5, tau="17"), TypeError, "tau: expected a number, got str"),
        (lambda: mackey_glass(5, start=0), ValueError, "start: expected a number above 0, got 0"),
        (lambda: mackey_glass(5, skip=-1), ValueError, "skip: expected at least 0, got -1"),
        (lambda: random_walk(0), ValueError, "num_steps: expected at least 1"),
        (lambda: random_walk(5, 3), TypeError, "expected a torch.Generator or None, got int"),
        (lambda: quiet_and_loud(5, period=1), ValueError, "period: expected at least 2, got 1"),
        (lambda: quiet_and_loud(5, loud=-1), ValueError, "loud: expected a number from 0 on"),
        (lambda: quiet_and_loud(5, quiet="a"), TypeError, "quiet: expected a number, got str"),
        (lambda: rolling_origins(0, first=0), ValueError, "num_steps: expected at least 1, got 0"),
        (lambda: rolling_origins(5, first=4), ValueError, "expected at most 3, so that 1 of 5"),
        (lambda: rolling_origins(5, first=-1), ValueError, "first: expected at least 0, got -1"),
        (lambda: rolling_origins(5, first=1, horizon=0), ValueError, "horizon: expected at least"),
        (lambda: rolling_origins(5, first=1, every=0), ValueError, "every: expected at least 1"),
        (lambda: windows(COUNT, [1], width=3), ValueError, "from 2 to 8, with 3 steps up to them"),
        (lambda: windows(COUNT, [9], width=3), ValueError, "got 9 to 9"),
        (lambda: windows(COUNT, [], width=3), ValueError, "origins: expected at least one integer"),
        (lambda: windows(COUNT, [1.5], width=1), ValueError, "got torch.float32 of shape (1,)"),
        (lambda: windows(COUNT, [5], width=0), ValueError, "width: expected at least 1, got 0"),
        (lambda: windows(COUNT[None], [5], width=1), ValueError, "(T,), got torch.float32 of"),
        (lambda: windows(COUNT.long(), [5], width=1), ValueError, "got torch.int64"),
        (lambda: windows([1.0, 2.0], [0], width=1), TypeError, "series: expected a Tensor"),
        (lambda: Scale.of(torch.ones(5)), ValueError, "std above 0, got 1.0 and 0.0"),
        (lambda: Scale(math.nan, 1), ValueError, "got nan and 1"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert message in str(raised.value)
