"""Checks for chapter 15 (Does it beat a straight line)."""

import torch

from rnnlib.exercises.exercise import exercise


def _tiled(x, horizon, period):
    return torch.stack([x[:, x.size(1) - period + h % period] for h in range(horizon)], dim=1)


def _columns(x, horizon, places):
    """Take these columns of the windows, counted from the end, for each step ahead."""
    W = x.size(1)
    return torch.stack([x[:, (W + places(h)) % W] for h in range(horizon)], dim=1)


@exercise(
    "The last period, again and again.",
    result="the forecast",
    cases=(
        {"M": 2, "older": 4, "horizon": 8, "period": 3},
        {"M": 3, "older": 1, "horizon": 9, "period": 4},
        {"M": 4, "older": 3, "horizon": 3, "period": 5},
    ),
    right=_tiled,
    mistakes={
        "this is persistence, the last step again and again: repeat the whole period.": (
            lambda x, horizon, period: x[:, -1:].expand(-1, horizon).clone()
        ),
        "the steps come in reverse order: the oldest of the period comes first.": (
            lambda x, horizon, period: _columns(x, horizon, lambda h: -1 - h % period)
        ),
        "this begins with the oldest step of the window, not of the last period.": (
            lambda x, horizon, period: _columns(x, horizon, lambda h: h % period)
        ),
        "one step late: the first step ahead is like the first of the last period.": (
            lambda x, horizon, period: _columns(x, horizon, lambda h: -period + (h + 1) % period)
        ),
        "one step early: the first step ahead is like the first of the last period.": (
            lambda x, horizon, period: _columns(x, horizon, lambda h: -period + (h - 1) % period)
        ),
        "the whole window is repeated, and not its last period.": (
            lambda x, horizon, period: _columns(x, horizon, lambda h: h)
        ),
        "this is one period only: it is repeated until the horizon.": (
            lambda x, horizon, period: x[:, -period:].clone()
        ),
        "each step stands several times in a row: repeat the period, not its steps.": (
            lambda x, horizon, period: x[:, -period:].repeat_interleave(
                -(-horizon // period), dim=1
            )[:, :horizon]
        ),
        "too long: only as many steps as the horizon has.": (
            lambda x, horizon, period: x[:, -period:].repeat(1, horizon)
        ),
        "too long: whole periods; cut them off at the horizon.": (
            lambda x, horizon, period: x[:, -period:].repeat(1, horizon // period + 1)
        ),
        "too short: these are the whole periods alone, and the rest of the horizon is missing.": (
            lambda x, horizon, period: x[:, -period:].repeat(1, horizon // period)
        ),
        "the period is one step too long here.": (
            lambda x, horizon, period: _tiled(x, horizon, period + 1)
        ),
        "the period is one step too short here.": (
            lambda x, horizon, period: _tiled(x, horizon, period - 1)
        ),
        "this is the first step of the period, again and again: repeat the whole period.": (
            lambda x, horizon, period: x[:, [-period]].expand(-1, horizon).clone()
        ),
        "the mean of the last period says nothing of the season: repeat its steps.": (
            lambda x, horizon, period: (
                x[:, -period:].mean(dim=1, keepdim=True).expand(-1, horizon).clone()
            )
        ),
    },
    hints=(
        "Which column of x is the forecast for one step ahead? And for `period` steps ahead?",
        "Step h ahead, counted from 0, is like column h % period of the last `period` columns.",
        "x[:, -period:][:, torch.arange(horizon) % …]",
    ),
)
def check_seasonal(draw, M, older, horizon, period):
    """Check ``seasonal(x, horizon, period)``, which says that the last period comes again.

    Parameters
    ----------
    seasonal : callable
        Takes windows x (M, W), oldest step first, the steps to forecast, and the steps of a
        period; returns (M, horizon).

    Returns
    -------
    Verdict
    """
    return draw.normal(M, period + older), horizon, period


def _cut(first=0, more=0, gap=0, every=1, flip=False):
    """Return an answer that cuts windows, wrong in the way the arguments say."""

    def answer(series, width, horizon):
        starts = range(first, len(series) - width - horizon - gap + 1 + more, every)
        x = [series[i : i + width] for i in starts]
        y = [series[i + width + gap : i + width + gap + horizon] for i in starts]
        return torch.stack(x).flip(1) if flip else torch.stack(x), torch.stack(y)

    return answer


_windows = _cut()


def _swapped(series, width, horizon):
    return _windows(series, width, horizon)[::-1]


def _last_only(series, width, horizon):
    x, y = _windows(series, width, horizon)
    return x, y[:, -1:]


def _with_origin(series, width, horizon):
    x, y = _windows(series, width, horizon)
    return x, torch.cat([x[:, -1:], y[:, :-1]], dim=1)


def _first_only(series, width, horizon):
    x, y = _windows(series, width, horizon)
    return x, y[:, :1]


def _turned(series, width, horizon):
    x, y = _windows(series, width, horizon)
    return x, y.flip(1)


def _last_first(series, width, horizon):
    return tuple(part.flip(0) for part in _windows(series, width, horizon))


def _without_targets(series, width, horizon):
    return series.unfold(0, width, 1), _windows(series, width, horizon)[1]


def _after_series(series, width, horizon):
    """Leave out the windows whose targets are cut by another loop bound."""
    x, y = _windows(series, width, horizon)
    return x[:-1], y[:-1]


@exercise(
    "Every window, and behind each what followed it.",
    result=("x", "y"),
    cases=(
        {"T": 9, "width": 3, "horizon": 2},
        {"T": 14, "width": 4, "horizon": 3},
        {"T": 12, "width": 2, "horizon": 5},
    ),
    right=_windows,
    mistakes={
        "the last window is missing: its targets end with the series.": _after_series,
        "the first window is missing: it begins with the first step.": _cut(first=1),
        "there is a gap: the first target is the step right behind the window.": _cut(gap=1),
        "every other window is missing: each begins one step after the last.": _cut(every=2),
        "the windows do not overlap: each begins one step after the last.": (
            lambda series, width, horizon: _cut(every=width)(series, width, horizon)
        ),
        "windows and targets do not overlap: each window begins one step after the last.": (
            lambda series, width, horizon: _cut(every=width + horizon)(series, width, horizon)
        ),
        "x holds windows that nothing follows, or not enough: leave out those at the end.": (
            _without_targets
        ),
        "the steps of y are turned round: what follows first comes first.": _turned,
        "the windows are in reverse order: the first one comes first.": _last_first,
        "y begins with the window's own last step: a forecast that knows its answer.": _with_origin,
        "y holds the last step ahead only: all steps of the horizon are asked for.": _last_only,
        "y holds the first step ahead only: all steps of the horizon are asked for.": _first_only,
        "x and y are swapped.": _swapped,
        "the oldest step of a window comes first.": _cut(flip=True),
    },
    hints=(
        "How many windows are there in a series of T steps, if each takes width + horizon?",
        "Window i is series[i : i + width]; what follows begins at i + width. i runs from 0 to "
        "T - width - horizon.",
        "x = torch.stack([series[i : i + width] for i in range(len(series) - width - …)])",
    ),
)
def check_forecast_windows(draw, T, width, horizon):
    """Check ``forecast_windows(series, width, horizon)``, which cuts a series for training.

    Parameters
    ----------
    forecast_windows : callable
        Takes a series (T,), and two numbers of steps; returns all windows x (M, width), in order,
        and what follows each, y (M, horizon).

    Returns
    -------
    Verdict
    """
    return draw.normal(T), width, horizon


def _pinball(prediction, y, q):
    short = y - prediction
    return torch.maximum(q * short, (q - 1) * short).mean()


@exercise(
    "A miss below costs q for each unit, a miss above 1 - q.",
    result="the loss",
    cases=(
        {"M": 5, "q": 0.9},
        {"M": 8, "q": 0.2},
        {"M": 3, "q": 0.65},
    ),
    right=_pinball,
    mistakes={
        "the sides are swapped: with q = 0.9 it is being too low that costs 0.9.": (
            lambda p, y, q: _pinball(p, y, 1 - q)
        ),
        "this is a sum: take the mean.": lambda p, y, q: _pinball(p, y, q) * len(p),
        "this is the mean absolute error, to which q makes no difference.": (
            lambda p, y, q: (y - p).abs().mean()
        ),
        "half the absolute error is the case q = 0.5 alone.": (
            lambda p, y, q: (y - p).abs().mean() / 2
        ),
        "both sides cost q: a forecast that is too high costs 1 - q.": (
            lambda p, y, q: q * (y - p).abs().mean()
        ),
        "what is too high earns something here: its cost is positive, too.": (
            lambda p, y, q: torch.where(y > p, q * (y - p), (1 - q) * (y - p)).mean()
        ),
        "only one side costs anything.": lambda p, y, q: (q * (y - p)).clamp(min=0).mean(),
        "the other side alone: what is too low costs nothing here.": (
            lambda p, y, q: ((q - 1) * (y - p)).clamp(min=0).mean()
        ),
        "the misses are squared: that leads to means, not to quantiles.": (
            lambda p, y, q: torch.where(y > p, q * (y - p) ** 2, (1 - q) * (y - p) ** 2).mean()
        ),
        "this is one loss for each forecast: take the mean.": (
            lambda p, y, q: torch.maximum(q * (y - p), (q - 1) * (y - p))
        ),
        "both sides cost the larger of q and 1 - q: take the signed miss.": (
            lambda p, y, q: max(q, 1 - q) * (y - p).abs().mean()
        ),
        "the mean is taken over each side on its own: it is one over all forecasts.": (
            lambda p, y, q: q * (y - p)[y > p].mean() + (1 - q) * (p - y)[p > y].mean()
        ),
        "the sign is turned: a loss is what a miss costs.": lambda p, y, q: -_pinball(p, y, q),
        "the smaller of the two is taken: the cost is the larger.": (
            lambda p, y, q: torch.minimum(q * (y - p), (q - 1) * (y - p)).mean()
        ),
    },
    hints=(
        "Let the forecast be too low by 2. What does that cost with q = 0.9? And too high by 2?",
        "With short = y - prediction, the cost is q * short where that is positive, and "
        "(q - 1) * short where short is negative: the larger of the two.",
        "torch.maximum(q * short, …).mean()",
    ),
)
def check_quantile_loss(draw, M, q):
    """Check ``quantile_loss(prediction, y, q)``, what a forecast of one quantile costs.

    Parameters
    ----------
    quantile_loss : callable
        Takes forecasts (M,), what came, (M,), and q between 0 and 1; returns the mean cost.

    Returns
    -------
    Verdict
    """
    prediction = draw.normal(M)
    miss = draw.uniform(M, low=0.3, high=2.0)
    sides = torch.ones(M)
    sides[1::2] = -1  # both sides occur, and not the same number of times in every case
    return prediction, prediction + sides * miss, q
