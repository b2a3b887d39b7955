"""Each forecast against what it must be, by hand or where the best one is known."""

import math

import pytest
import torch
from torch import nn

import rnnlib
from rnnlib.data.series import quiet_and_loud, random_walk, rolling_origins, windows
from rnnlib.models.forecasts import (
    Forecaster,
    Linear,
    iterate,
    persistence,
    quantile_loss,
    rmse,
    seasonal,
)

X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 6.0, 5.0]])


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def test_persistence_and_the_last_period():
    assert persistence(X, 2).tolist() == [[3, 3], [5, 5]]
    assert seasonal(X, 5, period=2).tolist() == [[2, 3, 2, 3, 2], [6, 5, 6, 5, 6]]
    assert seasonal(X, 2, period=3).tolist() == [[1, 2], [4, 6]]


def test_a_line_finds_a_line():
    x = torch.randn(50, 4, generator=seeded(), dtype=torch.float64)
    weight = torch.randn(4, 3, generator=seeded(1), dtype=torch.float64)
    y = x @ weight + torch.tensor([1.0, -2.0, 3.0])
    line = Linear.fit(x, y)
    torch.testing.assert_close(line.weight, weight)
    torch.testing.assert_close(line(x), y)


def test_a_sine_is_a_line_of_two_steps():
    """sin(a + w) = 2 cos(w) sin(a) - sin(a - w)."""
    series = (0.3 * torch.arange(80, dtype=torch.float64)).sin()
    x, y = windows(series, rolling_origins(60, first=1), width=2)
    line = Linear.fit(x, y)
    torch.testing.assert_close(line.weight[:, 0], torch.tensor([-1.0, 2 * math.cos(0.3)]).double())
    x, y = windows(series, [40], width=2, horizon=20)
    torch.testing.assert_close(iterate(line, x, 20), y, rtol=0, atol=1e-9)


def test_the_ridge_is_that_of_the_normal_equations():
    x = torch.randn(30, 5, generator=seeded(2), dtype=torch.float64) + 3
    y = torch.randn(30, 2, generator=seeded(3), dtype=torch.float64) - 1
    line = Linear.fit(x, y, ridge=0.2)
    a, b = x - x.mean(0), y - y.mean(0)
    expected = torch.linalg.solve(a.T @ a / 30 + 0.2 * torch.eye(5), a.T @ b / 30)
    torch.testing.assert_close(line.weight, expected)
    torch.testing.assert_close(line(x).mean(0), y.mean(0))


def test_on_a_random_walk_no_line_beats_persistence_by_more_than_chance():
    series = random_walk(4000, seeded(4))
    train = windows(series, rolling_origins(2000, first=9, horizon=4), width=10, horizon=4)
    x, y = windows(series, rolling_origins(4000, first=1999, horizon=4), width=10, horizon=4)
    naive, line = rmse(persistence(x, 4), y), rmse(Linear.fit(*train)(x), y)
    assert (naive / torch.arange(1.0, 5).sqrt() - 1).abs().max() < 0.1
    assert (line > 0.99 * naive).all()


def test_iterating_moves_the_window_on():
    found = iterate(lambda x: x.sum(dim=1, keepdim=True), X, 3)
    assert found.tolist() == [[6, 11, 20], [15, 26, 46]]


# The recurrent forecaster


@pytest.mark.parametrize("make", [rnnlib.RNN, rnnlib.GRU, rnnlib.LSTM, nn.GRU, nn.LSTM])
@pytest.mark.parametrize("residual", [False, True])
def test_free_running_is_reading_what_was_said(make, residual):
    torch.manual_seed(0)
    model = Forecaster(make(1, 5, batch_first=True), residual=residual).double()
    x = torch.randn(3, 6, generator=seeded(), dtype=torch.float64)
    found = model.forecast(x, 4)
    assert found.shape == (3, 4) and not found.requires_grad
    read = x
    for _ in range(4):
        with torch.no_grad():
            read = torch.cat([read, model(read[..., None])[:, -1]], dim=1)
    torch.testing.assert_close(found, read[:, 6:])


def test_going_on_alone_sends_the_gradient_back_through_what_was_read():
    torch.manual_seed(0)
    model = Forecaster(rnnlib.GRU(1, 5, batch_first=True)).double()
    x = torch.randn(2, 4, 1, generator=seeded(), dtype=torch.float64)
    y = model(x, alone=3)
    assert y.shape == (2, 7, 1)
    torch.testing.assert_close(y[:, :4], model(x))
    torch.testing.assert_close(y[:, 3:, 0], model.forecast(x[..., 0], 4))
    bias = model.readout.bias
    found = torch.autograd.grad(y[:, -1].sum(), bias)[0]
    with torch.no_grad():
        sums = []
        for step in (1e-6, -2e-6):
            bias += step
            sums.append(model(x, alone=3)[:, -1].sum())
    torch.testing.assert_close(found[0], (sums[0] - sums[1]) / 2e-6, rtol=1e-6, atol=0)
    read = y.detach()[:, 3:6]  # the same numbers, given as if they were true
    told = torch.autograd.grad(model(torch.cat([x, read], dim=1))[:, -1].sum(), bias)[0]
    assert (found - told).abs() > 0.01


def test_a_residual_forecast_begins_at_what_was_read():
    model = Forecaster(rnnlib.GRU(1, 5, batch_first=True), 2, residual=True)
    nn.init.zeros_(model.readout.weight)
    nn.init.zeros_(model.readout.bias)
    x = torch.randn(2, 3, 1)
    torch.testing.assert_close(model(x), x.expand(-1, -1, 2))
    assert (Forecaster(nn.GRU(1, 5, batch_first=True), 2)(x) != x).all()


# Scores


def test_rmse_is_taken_step_by_step():
    found = rmse(torch.tensor([[3.0, 0.0], [4.0, 2.0]]).double(), torch.zeros(2, 2).double())
    assert found.tolist() == [
        math.sqrt(12.5),
        math.sqrt(2),
    ]


def test_quantile_loss_by_hand():
    prediction = torch.tensor([[0.0, 2.0]])
    loss = quantile_loss(prediction, torch.tensor([[1.0]]), (0.1, 0.9))
    assert math.isclose(loss, (0.1 + 0.1) / 2, rel_tol=1e-6)
    loss = quantile_loss(prediction, torch.tensor([[5.0, 5.0]]), (0.1, 0.9))
    assert math.isclose(loss, (0.1 * 5 + 0.9 * 3) / 2, rel_tol=1e-6)


def test_the_right_quantiles_cost_least_and_cover_what_they_should():
    moody = quiet_and_loud(20_000, seeded(5))
    normal, q = torch.distributions.Normal(0.0, 1.0), (0.1, 0.9)
    z = normal.icdf(torch.tensor(q))
    right = moody.mean[:, None] + moody.std[:, None] * z
    y = moody.x[:, None]
    inside = (right[:, :1] < y) & (y < right[:, 1:])
    for std in (0.1, 0.7):
        assert abs(inside[moody.std == std].double().mean() - 0.8) < 0.02
    best = quantile_loss(right, y, q)
    for other in (right + 0.03, right * 1.05, right - 0.03):
        assert quantile_loss(other, y, q) > best


def test_quantile_loss_trains_with_fit():
    import functools

    from rnnlib.training import fit

    torch.manual_seed(0)
    model = Forecaster(nn.RNN(1, 4, batch_first=True), 2)
    x = torch.randn(4, 5, 1)
    loss = functools.partial(quantile_loss, quantiles=(0.1, 0.9))
    history = fit(model, [(x, x.expand(-1, -1, 2))], epochs=30, lr=0.03, loss=loss, progress=False)
    assert history.loss[-1] < history.loss[0]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: persistence(X[0], 2), ValueError, "x: expected floating-point numbers in two"),
        (lambda: persistence(X, 0), ValueError, "horizon: expected at least 1, got 0"),
        (lambda: persistence([[1.0]], 2), TypeError, "x: expected a Tensor, got list"),
        (lambda: seasonal(X, 2, period=4), ValueError, "at most 3, the steps of a window, got 4"),
        (lambda: seasonal(X, 2, period=0), ValueError, "period: expected at least 1, got 0"),
        (lambda: Linear.fit(X, X[:1]), ValueError, "y: expected 2 rows, one for each window"),
        (lambda: Linear.fit(X, X[:, 0]), ValueError, "y: expected floating-point numbers in two"),
        (lambda: Linear.fit(X, X, ridge=-1), ValueError, "ridge: expected a number from 0 on"),
        (lambda: Linear.fit(X, X)(X[:, :2]), ValueError, "expected windows of 3 steps, got 2"),
        (lambda: iterate(lambda x: x, X, 2), ValueError, "step: expected to return (2, 1), got (2"),
        (lambda: iterate(lambda x: x[:, :1], X, 0), ValueError, "horizon: expected at least 1"),
        (lambda: rmse(X, X[:, :1]), ValueError, "forecast: expected shape (2, 1), got (2, 3)"),
        (lambda: rmse(X, X[:, 0]), ValueError, "y: expected floating-point numbers in two"),
        (lambda: Forecaster(nn.Linear(1, 2)), TypeError, "rnn: expected an RNN, GRU or LSTM"),
        (lambda: Forecaster(nn.GRU(1, 2)), ValueError, "got batch_first=False"),
        (lambda: Forecaster(nn.GRU(2, 2, batch_first=True)), ValueError, "input_size=2"),
        (
            lambda: Forecaster(nn.GRU(1, 2, batch_first=True, bidirectional=True)),
            ValueError,
            "bidirectional=True",
        ),
        (
            lambda: Forecaster(nn.GRU(1, 2, batch_first=True), 3).forecast(X, 2),
            ValueError,
            "forecast: expected a model with one output, got 3",
        ),
        (
            lambda: Forecaster(nn.GRU(1, 2, batch_first=True), 3)(X[..., None], alone=2),
            ValueError,
            "alone: expected a model with one output, which it can read, got 3",
        ),
        (
            lambda: Forecaster(nn.GRU(1, 2, batch_first=True))(X[..., None], alone=-1),
            ValueError,
            "alone: expected at least 0, got -1",
        ),
        (
            lambda: Forecaster(nn.GRU(1, 2, batch_first=True)).forecast(X[..., None], 2),
            ValueError,
            "x: expected floating-point numbers in two",
        ),
        (lambda: quantile_loss(X, X, (0.1, 0.9)), ValueError, "(…, 2), one for each quantile"),
        (
            lambda: quantile_loss(X, X[:, 0], (0.1, 0.5, 0.9)),
            ValueError,
            "y: expected shape (2, 1)",
        ),
        (lambda: quantile_loss(X, X, (0.1, 0.5, 1)), ValueError, "numbers between 0 and 1"),
        (lambda: quantile_loss(X, X, ()), ValueError, "numbers between 0 and 1, got []"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert message in str(raised.value)
