"""Answers to the exercises of chapter 15: right ones, and wrong ones with their messages."""

import torch

from rnnlib.data import series as rooms
from rnnlib.exercises.forecasting import (
    check_forecast_windows,
    check_quantile_loss,
    check_seasonal,
)
from rnnlib.models import forecasts


def repeated(x, horizon, period):
    times = -(-horizon // period)
    return x[:, -period:].repeat(1, times)[:, :horizon]


def grown(x, horizon, period):
    for _ in range(horizon):
        x = torch.cat([x, x[:, -period, None]], dim=1)
    return x[:, -horizon:]


def by_rnnlib(series, width, horizon):
    origins = rooms.rolling_origins(len(series), first=width - 1, horizon=horizon)
    return rooms.windows(series, origins, width=width, horizon=horizon)


def unfolded(series, width, horizon):
    both = series.unfold(0, width + horizon, 1)
    return both[:, :width], both[:, width:]


def every(series, width, horizon, step):
    return [part[::step] for part in unfolded(series, width, horizon)]


def short_by_one(series, width, horizon):
    x, y = unfolded(series, width, horizon)
    return x[:-1], y[:-1]


def leaking(series, width, horizon):
    both = series.unfold(0, width + horizon, 1)
    return both[:, :width], both[:, width - 1 : -1]


def by_where(prediction, y, q):
    short = y - prediction
    return torch.where(short > 0, q * short, (q - 1) * short).mean()


def by_room(prediction, y, q):
    return forecasts.quantile_loss(prediction[:, None], y[:, None], [q])


RIGHT = [
    (check_seasonal, repeated),
    (check_seasonal, grown),
    (check_seasonal, lambda x, horizon, period: forecasts.seasonal(x, horizon, period=period)),
    (check_forecast_windows, by_rnnlib),
    (check_forecast_windows, unfolded),
    (check_quantile_loss, by_where),
    (check_quantile_loss, by_room),
]

WRONG = [
    (check_seasonal, lambda x, h, period: forecasts.persistence(x, h), "this is persistence"),
    (check_seasonal, lambda x, h, period: repeated(x, h, x.size(1)), "the whole window"),
    (check_seasonal, lambda x, h, period: x[:, -period:], "one period only"),
    (check_seasonal, lambda x, h, p: x[:, -p:].repeat(1, h // p + 1), "cut"),
    (check_seasonal, lambda x, h, p: x[:, -p:].repeat(1, h // p), "too short"),
    (check_seasonal, lambda x, h, p: repeated(x, h, p + 1), "one step too long"),
    (check_seasonal, lambda x, h, p: repeated(x, h, p - 1), "one step too short"),
    (check_seasonal, lambda x, h, p: x[:, [-p]].repeat(1, h), "first step of the period"),
    (check_seasonal, lambda x, h, period: ..., "returns nothing yet"),
    (check_forecast_windows, short_by_one, "the last window is missing"),
    (check_forecast_windows, leaking, "knows its answer"),
    (check_forecast_windows, lambda *given: unfolded(*given)[::-1], "x and y are swapped"),
    (check_forecast_windows, lambda s, w, h: (s.unfold(0, w, 1), unfolded(s, w, h)[1]), "follows"),
    (check_forecast_windows, lambda s, w, h: every(s, w, h, w), "do not overlap"),
    (check_forecast_windows, lambda s, w, h: every(s, w, h, w + h), "and targets do not overlap"),
    (check_forecast_windows, lambda s, w, h: every(s, w, h, 2), "every other window"),
    (check_forecast_windows, lambda *given: [p.flip(0) for p in unfolded(*given)], "first one"),
    (check_forecast_windows, lambda *given: ..., "returns nothing yet"),
    (check_quantile_loss, lambda p, y, q: by_where(y, p, q), "sides are swapped"),
    (check_quantile_loss, lambda p, y, q: (p - y).abs().mean(), "mean absolute error"),
    (check_quantile_loss, lambda p, y, q: by_where(p, y, q) * len(p), "this is a sum"),
    (
        check_quantile_loss,
        lambda p, y, q: (q * (s := (y - p).abs())).maximum((1 - q) * s).mean(),
        "signed miss",
    ),
    (check_quantile_loss, lambda p, y, q: -by_where(p, y, q), "sign is turned"),
    (check_quantile_loss, lambda p, y, q: ..., "returns nothing yet"),
]
