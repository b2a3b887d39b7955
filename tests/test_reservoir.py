"""Echo state networks: what the reservoir keeps, what the read-out finds."""

import math

import pytest
import torch
from torch import nn

import rnnlib
from rnnlib.models.forecasts import Forecaster
from rnnlib.models.reservoir import fit_readout, reservoir

SINE = (0.3 * torch.arange(400, dtype=torch.float64)).sin()


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("radius", [0.0, 0.7, 1.3])
def test_the_weights_are_drawn_as_asked(radius):
    rnn = reservoir(50, radius=radius, scale=0.2, bias=0.6, generator=seeded())
    found = torch.linalg.eigvals(rnn.weight_hh_l0).abs().max().item()
    assert math.isclose(found, radius, rel_tol=1e-9, abs_tol=1e-12)
    for values, most in ((rnn.weight_ih_l0, 0.2), (rnn.bias_ih_l0, 0.6)):
        assert 0.9 * most < values.max() <= most and 0.9 * most < -values.min() <= most
    assert not rnn.bias_hh_l0.any() and not any(p.requires_grad for p in rnn.parameters())
    again = reservoir(50, radius=radius, scale=0.2, bias=0.6, generator=seeded())
    torch.testing.assert_close(again.state_dict(), rnn.state_dict(), rtol=0, atol=0)
    other = reservoir(50, radius=radius, scale=0.2, bias=0.6, generator=seeded(1))
    assert (other.weight_ih_l0 != rnn.weight_ih_l0).all()


def gap(radius):
    """How far two states are apart after 400 steps of the same inputs, begun far apart."""
    rnn = reservoir(60, radius=radius, generator=seeded(2))
    states = [rnn(SINE[None, :, None], torch.full((1, 1, 60), start).double())[0][0, -1]
              for start in (-1.0, 1.0)]  # fmt: skip
    return (states[0] - states[1]).norm().item()


def test_the_state_forgets_how_it_began_where_the_radius_is_small():
    assert gap(0.9) < 1e-9
    assert gap(3.0) > 0.1


@pytest.mark.parametrize("residual", [False, True])
def test_the_forecast_is_that_of_a_loop_in_the_equations_letters(residual):
    model = Forecaster(reservoir(30, radius=0.8, generator=seeded(3)), residual=residual)
    assert fit_readout(model, SINE, skip=50, ridge=1e-6) is model
    W_xh, W_hh = model.rnn.weight_ih_l0.T, model.rnn.weight_hh_l0.T
    b_h, x, states, found = model.rnn.bias_ih_l0, SINE[:, None], [], []
    h = torch.zeros(1, 30, dtype=torch.float64)
    for t in range(len(x) - 1):
        h = torch.tanh(x[t] @ W_xh + h @ W_hh + b_h)
        states.append(h[0])
    a, y = torch.stack(states)[50:], x[51:] - (x[50:-1] if residual else 0)
    a_0, y_0 = a.mean(dim=0), y.mean(dim=0)
    square = (a - a_0).T @ (a - a_0) / len(a) + 1e-6 * torch.eye(30)
    W_hy = torch.linalg.solve(square, (a - a_0).T @ (y - y_0) / len(a))
    b_y = y_0 - a_0 @ W_hy
    torch.testing.assert_close(model.readout.weight.detach().T, W_hy, rtol=0, atol=1e-6)
    # Read 60 steps, then go on alone for 40.
    h, last = torch.zeros(1, 30, dtype=torch.float64), None
    for t in range(99):
        last = x[t] if t < 60 else found[-1]
        h = torch.tanh(last @ W_xh + h @ W_hh + b_h)
        y = h[0] @ W_hy + b_y + (last if residual else 0)
        found = [*found, y] if t >= 59 else found
    forecast = model.forecast(x[None, :60, 0], 40)
    torch.testing.assert_close(forecast[0], torch.cat(found), rtol=0, atol=1e-5)
    assert (forecast[0] - SINE[60:100]).abs().max() < 0.05


def test_only_the_read_out_changes():
    model = Forecaster(rnnlib.GRU(1, 8, batch_first=True).double())
    before = {name: p.clone() for name, p in model.named_parameters()}
    fit_readout(model, SINE)
    for name, p in model.named_parameters():
        assert torch.equal(p, before[name]) == (not name.startswith("readout")), name


def test_a_larger_ridge_makes_smaller_weights():
    model = Forecaster(reservoir(30, generator=seeded()))
    sizes = [
        fit_readout(model, SINE, ridge=ridge).readout.weight.norm().item()
        for ridge in (1e-9, 1e-4, 1.0)
    ]
    assert sizes[0] > 1.2 * sizes[1] > 2.4 * sizes[2]


GRU = Forecaster(nn.GRU(1, 3, batch_first=True))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: reservoir(0), ValueError, "num_units: expected at least 1, got 0"),
        (lambda: reservoir(2.0), TypeError, "num_units: expected"),
        (lambda: reservoir(5, radius=-1), ValueError, "radius: expected a number from 0 on"),
        (lambda: reservoir(5, scale="1"), TypeError, "scale: expected a number, got str"),
        (lambda: reservoir(5, bias=math.inf), ValueError, "bias: expected a number from 0 on"),
        (lambda: reservoir(5, generator=7), TypeError, "generator"),
        (lambda: fit_readout(GRU.rnn, SINE), TypeError, "model: expected a Forecaster, got GRU"),
        (
            lambda: fit_readout(Forecaster(nn.GRU(1, 3, batch_first=True), 2), SINE.float()),
            ValueError,
            "model: expected one output, got 2",
        ),
        (lambda: fit_readout(GRU, [1.0]), TypeError, "series: expected a Tensor, got list"),
        (lambda: fit_readout(GRU, SINE), ValueError, "of torch.float32, got torch.float64"),
        (lambda: fit_readout(GRU, SINE[:101].float()), ValueError, "at least 102 numbers (T,)"),
        (lambda: fit_readout(GRU, SINE[None].float()), ValueError, "of shape (1, 400)"),
        (lambda: fit_readout(GRU, SINE.float(), skip=-1), ValueError, "skip: expected at least 0"),
        (lambda: fit_readout(GRU, SINE.float(), ridge=-1), ValueError, "ridge: expected a number"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert message in str(raised.value)
