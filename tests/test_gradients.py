"""The instruments measure what they say, and leave everything as it was."""

import math

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.rnn import pack_sequence

import rnnlib
from rnnlib.gradients import (
    gradient_by_lag,
    jacobian_product,
    largest_singular_value,
    mean_slope,
    saturation,
    spectral_radius,
    step_jacobians,
)

T, N, D, H = 6, 3, 4, 5

LAYERS = {
    "rnnlib.RNN": lambda **o: rnnlib.RNN(D, H, **o),
    "rnnlib.RNN relu": lambda **o: rnnlib.RNN(D, H, nonlinearity="relu", **o),
    "rnnlib.RNN stacked": lambda **o: rnnlib.RNN(D, H, num_layers=3, **o),
    "RNN": lambda **o: nn.RNN(D, H, **o),
    "RNN relu": lambda **o: nn.RNN(D, H, nonlinearity="relu", **o),
    "RNN without bias": lambda **o: nn.RNN(D, H, bias=False, **o),
    "RNN stacked": lambda **o: nn.RNN(D, H, num_layers=2, **o),
    "GRU": lambda **o: nn.GRU(D, H, **o),
    "GRU stacked": lambda **o: nn.GRU(D, H, num_layers=2, **o),
    "LSTM": lambda **o: nn.LSTM(D, H, **o),
    "LSTM stacked": lambda **o: nn.LSTM(D, H, num_layers=2, **o),
    "LSTM with projection": lambda **o: nn.LSTM(D, H, proj_size=2, **o),
}
CELLS = {
    "rnnlib.RNNCell": lambda **o: rnnlib.RNNCell(D, H, **o),
    "RNNCell": lambda **o: nn.RNNCell(D, H, **o),
    "GRUCell": lambda **o: nn.GRUCell(D, H, **o),
    "LSTMCell": lambda **o: nn.LSTMCell(D, H, **o),
}
every_layer = pytest.mark.parametrize("name", LAYERS)
every_module = pytest.mark.parametrize("name", [*LAYERS, *CELLS])


def make(name, device, dtype=torch.float64, **options):
    torch.manual_seed(0)
    return {**LAYERS, **CELLS}[name](dtype=dtype, **options).to(device)


def inputs(device, *shape, dtype=torch.float64, scale=1.0):
    torch.manual_seed(1)
    return (scale * torch.randn(shape or (T, N, D), dtype=dtype)).to(device)


def initial_state(module, device, draw=torch.randn):
    """Return a random state of N samples, shaped as the module takes it."""
    torch.manual_seed(2)
    layers = () if isinstance(module, (nn.RNNCellBase, rnnlib.RNNCell)) else (module.num_layers,)
    h = draw(*layers, N, getattr(module, "proj_size", 0) or H, dtype=torch.float64).to(device)
    if "LSTM" not in type(module).__name__:
        return h
    return h, draw(*layers, N, H, dtype=torch.float64).to(device)


def flat(state):
    """Return a state as one row for each sample."""
    parts = state if isinstance(state, tuple) else (state,)
    return torch.cat([p if p.dim() == 2 else p.transpose(0, 1).flatten(1) for p in parts], dim=1)


def run(module, x, state):
    """Return the state after the last step, one row for each sample, and the top layer's h_T."""
    if isinstance(module, (nn.RNNCellBase, rnnlib.RNNCell)):
        for x_t in x:
            state = module(x_t, state)
        return flat(state), state[0] if isinstance(state, tuple) else state
    output, state = module(x, state)
    return flat(state), output[-1]


def orthogonal(size, gain, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (
        gain * torch.linalg.qr(torch.randn(size, size, dtype=torch.float64, generator=generator))[0]
    )


def gaussian(size, norm, seed):
    generator = torch.Generator().manual_seed(seed)
    W = torch.randn(size, size, dtype=torch.float64, generator=generator)
    return W * norm / torch.linalg.svdvals(W)[0]


def rnn_with(W_hh, device, module=rnnlib.RNN, **options):
    """Return a layer without bias that has this recurrent matrix."""
    torch.manual_seed(0)
    layer = module(D, len(W_hh), bias=False, dtype=torch.float64, **options)
    with torch.no_grad():
        layer.weight_hh_l0.copy_(W_hh.T)
    return layer.to(device)


# Step Jacobians


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("module", [rnnlib.RNN, nn.RNN, rnnlib.RNNCell, nn.RNNCell])
def test_step_jacobians_are_what_the_paper_says(module, nonlinearity, device):
    torch.manual_seed(0)
    layer = module(D, H, nonlinearity=nonlinearity, dtype=torch.float64).to(device)
    x, h_0 = inputs(device), initial_state(layer, device)
    found = step_jacobians(layer, x, h_0)
    assert found.shape == (T, N, H, H) and not found.requires_grad
    W_hh = dict(layer.named_parameters()).get("weight_hh_l0", getattr(layer, "weight_hh", None)).T
    for t in range(T):
        h_t = run(layer, x[: t + 1], h_0)[0].detach()
        slope = 1 - h_t**2 if nonlinearity == "tanh" else (h_t > 0).double()
        for n in range(N):
            torch.testing.assert_close(found[t, n], W_hh.detach() @ torch.diag(slope[n]))
    # The two conventions differ: this W is not symmetric.
    assert (W_hh - W_hh.T).abs().max() > 0.1


@every_module
def test_step_jacobians_carry_a_small_change_of_the_state(name, device):
    module, x = make(name, device), inputs(device)
    state = initial_state(module, device)
    small = initial_state(module, device, draw=lambda *s, dtype: 1e-6 * torch.rand(s, dtype=dtype))
    if isinstance(state, tuple):
        moved = tuple(a + b for a, b in zip(state, small, strict=True))
        back = tuple(a - b for a, b in zip(state, small, strict=True))
    else:
        moved, back = state + small, state - small
    product = jacobian_product(step_jacobians(module, x, state))
    delta_0 = flat(moved) - flat(state)
    forward = (run(module, x, moved)[0] - run(module, x, back)[0]) / 2
    carried = torch.einsum("ni,nij->nj", delta_0, product)
    torch.testing.assert_close(carried, forward.detach(), rtol=1e-5, atol=1e-14)


def test_step_jacobians_of_one_unit(device):
    layer = rnn_with(torch.tensor([[0.9]], dtype=torch.float64), device)
    found = step_jacobians(layer, torch.zeros(3, 1, D, dtype=torch.float64, device=device))
    assert found.flatten().tolist() == pytest.approx([0.9] * 3)


@every_layer
def test_step_jacobians_in_every_layout(name, device):
    x = inputs(device)
    reference = step_jacobians(make(name, device), x)
    batch_first = make(name, device, batch_first=True)
    torch.testing.assert_close(step_jacobians(batch_first, x.transpose(0, 1)), reference)
    alone = step_jacobians(make(name, device), x[:, 1])
    torch.testing.assert_close(alone, reference[:, 1:2])
    alone = step_jacobians(batch_first, x[:, 1])
    torch.testing.assert_close(alone, reference[:, 1:2])


def test_jacobian_product_keeps_the_order_of_time():
    torch.manual_seed(0)
    J = torch.randn(3, 2, 4, 4, dtype=torch.float64)
    torch.testing.assert_close(jacobian_product(J), J[0] @ J[1] @ J[2])
    torch.testing.assert_close(jacobian_product(J[:0]), torch.eye(4).double().expand(2, 4, 4))
    torch.testing.assert_close(jacobian_product(J[:, 0]), J[0, 0] @ J[1, 0] @ J[2, 0])
    for shape in [(4, 4), (3, 4, 5)]:
        with pytest.raises(ValueError, match=r"jacobians: expected \(T, ..., S, S\)"):
            jacobian_product(torch.zeros(shape))


# Gradient by lag


@every_module
@pytest.mark.parametrize("wrt", ["state", "h", "c"])
def test_gradient_by_lag_is_the_product_of_the_jacobians(name, wrt, device):
    module, x = make(name, device), inputs(device)
    state = initial_state(module, device)
    if wrt == "c" and "LSTM" not in name:
        with pytest.raises(ValueError, match=r"wrt: expected one of state, h, x for .*, got 'c'"):
            gradient_by_lag(module, x, wrt="c")
        return
    torch.manual_seed(3)
    output_size = run(module, x, state)[1].size(1)
    v = torch.randn(output_size, dtype=torch.float64).to(device)

    found = gradient_by_lag(module, x, loss=lambda h_T: h_T.square() @ v, wrt=wrt, h_0=state)
    assert found.shape == (T,) and not found.requires_grad

    J = step_jacobians(module, x, state)
    h_T = run(module, x, state)[1].detach()
    size = J.size(-1) // 2 if "LSTM" in name else J.size(-1)
    if name == "LSTM with projection":
        size = 2
    of_state = torch.zeros(N, J.size(-1), dtype=torch.float64, device=device)
    of_state[:, size - output_size : size] = 2 * h_T * v
    part = {"state": slice(None), "h": slice(size), "c": slice(size, None)}[wrt]
    for k in range(T):
        through = jacobian_product(J[T - k :])
        gradient = torch.einsum("nj,nij->ni", of_state, through)[:, part]
        torch.testing.assert_close(found[k], gradient.norm(dim=1).mean(), rtol=1e-10, atol=1e-15)


@every_layer
def test_gradient_by_lag_of_the_inputs_is_that_of_the_whole_layer(name, device):
    layer = make(name, device)
    x = inputs(device).requires_grad_()
    found = gradient_by_lag(layer, x, loss=lambda h_T: h_T.exp().sum(1), wrt="x")
    output, _ = layer(x)
    (whole,) = torch.autograd.grad(output[-1].exp().sum(), x)
    torch.testing.assert_close(found, whole.norm(dim=2).mean(dim=1).flip(0), rtol=1e-10, atol=0)
    assert found[0] > 0


@every_layer
def test_gradient_by_lag_in_every_layout(name, device):
    x = inputs(device)
    state = initial_state(make(name, device), device)
    one = tuple(s[:, 1] for s in state) if isinstance(state, tuple) else state[:, 1]
    alone = tuple(s[:, 1:2] for s in state) if isinstance(state, tuple) else state[:, 1:2]
    reference = gradient_by_lag(make(name, device), x, h_0=state)
    batch_first = make(name, device, batch_first=True)
    found = gradient_by_lag(batch_first, x.transpose(0, 1), h_0=state)
    torch.testing.assert_close(found, reference)
    reference = gradient_by_lag(make(name, device), x[:, 1:2].contiguous(), h_0=alone)
    torch.testing.assert_close(gradient_by_lag(batch_first, x[:, 1], h_0=one), reference)


def test_gradient_by_lag_by_default_starts_at_one(device):
    for name in [*LAYERS, *CELLS]:
        found = gradient_by_lag(make(name, device), inputs(device))
        assert found[0].item() == pytest.approx(1)
        if "LSTM" in name:
            assert gradient_by_lag(make(name, device), inputs(device), wrt="c")[0] == 0


def test_gradient_by_lag_of_a_sum_over_the_batch_is_that_of_its_samples(device):
    layer, x = make("GRU", device), inputs(device)
    each = gradient_by_lag(layer, x, loss=lambda h: h.square().sum(1))
    torch.testing.assert_close(gradient_by_lag(layer, x, loss=lambda h: h.square().sum()), each)
    mean = gradient_by_lag(layer, x, loss=lambda h: h.square().sum(1).mean())
    torch.testing.assert_close(mean * N, each)
    # The mean of norms, not the norm of a mean.
    alone = [gradient_by_lag(layer, x[:, n], loss=lambda h: h.square().sum(1)) for n in range(N)]
    torch.testing.assert_close(torch.stack(alone).mean(0), each)


@pytest.mark.parametrize("module", [rnnlib.RNN, nn.RNN])
def test_gradient_by_lag_in_the_smallest_numbers(module, device):
    layer = rnn_with(orthogonal(8, 0.1), device, module)
    x = torch.zeros(308, 2, D, dtype=torch.float64, device=device)
    found = gradient_by_lag(layer, x)
    lags = torch.arange(308, dtype=torch.float64, device=device)
    torch.testing.assert_close(found, 10**-lags, rtol=1e-9, atol=0)
    # In float32 the squares of these norms would all be 0.
    found = gradient_by_lag(layer.float(), x[:38].float())
    assert found.dtype == torch.float32
    torch.testing.assert_close(found.double(), 10 ** -lags[:38], rtol=1e-4, atol=0)


def test_gradient_by_lag_in_the_largest_numbers(device):
    # A linear stretch of ReLU: a product of 10s, up to where float64 ends, and beyond.
    layer = rnn_with(
        torch.full((1, 1), 10.0, dtype=torch.float64), device, rnnlib.RNN, nonlinearity="relu"
    )
    x = torch.zeros(311, 1, D, dtype=torch.float64, device=device)
    h_0 = torch.full((1, 1, 1), 1e-308, dtype=torch.float64, device=device)
    found = gradient_by_lag(layer, x, h_0=h_0)
    assert found[300].item() == pytest.approx(1e300, rel=1e-9)
    assert found[310].item() == math.inf


@every_module
def test_instruments_leave_everything_as_it_was(name, device):
    module, x = make(name, device), inputs(device)
    state = initial_state(module, device)
    before = {key: value.clone() for key, value in module.state_dict().items()}
    module.eval()
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    frozen = [gradient_by_lag(module, x, h_0=state), step_jacobians(module, x, state)]
    module.train()
    for parameter in module.parameters():
        parameter.requires_grad_()
    with torch.no_grad():
        found = [gradient_by_lag(module, x, h_0=state), step_jacobians(module, x, state)]
    for a, b in zip(found, frozen, strict=True):
        torch.testing.assert_close(a, b)
    assert all(p.grad is None for p in module.parameters())
    assert not x.requires_grad
    assert not any(s.requires_grad for s in (state if isinstance(state, tuple) else [state]))
    assert torch.backends.cudnn.enabled
    for key, value in module.state_dict().items():
        assert torch.equal(value, before[key])


WITHOUT_GRADIENTS = {"no_grad": torch.no_grad, "inference_mode": torch.inference_mode}


@every_module
@pytest.mark.parametrize("mode", WITHOUT_GRADIENTS.values(), ids=WITHOUT_GRADIENTS)
def test_instruments_measure_where_no_gradients_are_recorded(name, mode):
    """Whatever was made inside: inputs, state, or the layer itself."""
    for instrument in (step_jacobians, gradient_by_lag):
        module = make(name, "cpu")
        x, state = inputs("cpu"), initial_state(module, "cpu")
        expected = instrument(module, x, h_0=state)
        with mode():
            made_inside = make(name, "cpu"), inputs("cpu"), initial_state(module, "cpu")
            for layer, sequence, h_0 in ((module, x, state), made_inside):
                found = instrument(layer, sequence, h_0=h_0)
                assert torch.equal(found, expected) and not found.is_inference()
        layer, sequence, h_0 = made_inside
        assert torch.equal(instrument(layer, sequence, h_0=h_0), expected)


NORMALIZED = {
    "weight_norm": parametrizations.weight_norm,
    "spectral_norm": parametrizations.spectral_norm,
    "old spectral_norm": nn.utils.spectral_norm,
}


@pytest.mark.parametrize("normalize", NORMALIZED.values(), ids=NORMALIZED)
@pytest.mark.parametrize("module", [rnnlib.RNN, nn.RNN, rnnlib.GRU])
def test_instruments_measure_normalized_weights_and_leave_them(normalize, module):
    torch.manual_seed(0)
    layer = normalize(module(D, H, dtype=torch.float64), "weight_hh_l0")
    x = inputs("cpu")
    layer(x)
    before = {key: value.clone() for key, value in layer.state_dict().items()}
    found = step_jacobians(layer, x), gradient_by_lag(layer, x)
    assert layer.training
    for key, value in layer.state_dict().items():
        assert torch.equal(value, before[key]), key
    layer.eval()(x)  # computes weight_hh_l0
    plain = module(D, H, dtype=torch.float64)
    with torch.no_grad():
        for key, weight in plain.named_parameters():
            weight.copy_(getattr(layer, key))
    for a, b in zip(found, (step_jacobians(plain, x), gradient_by_lag(plain, x)), strict=True):
        torch.testing.assert_close(a, b)


def test_a_state_may_come_as_a_list():
    layer, x = make("LSTM", "cpu"), inputs("cpu")
    state = initial_state(layer, "cpu")
    assert torch.equal(step_jacobians(layer, x, list(state)), step_jacobians(layer, x, state))


def x_of(*shape):
    return torch.zeros(shape, dtype=torch.float64)


REFUSED = [
    (lambda: nn.RNN(D, H, bidirectional=True), {}, ValueError, "one direction, got a bidirec"),
    (lambda: rnnlib.BiRNN(D, H), {}, ValueError, "one direction, got a bidirectional BiRNN"),
    (lambda: nn.LSTM(D, H, 2, dropout=0.1), {}, ValueError, "LSTM with dropout 0.1 in training"),
    (lambda: nn.Linear(D, H), {}, TypeError, "expected a recurrent layer or cell, got Linear"),
    (lambda: torch.tanh, {}, TypeError, "layer: expected a recurrent layer or cell, got builtin"),
    (lambda: nn.RNN(D, H), {"x": x_of(D)}, ValueError, r"x: expected \(T, N, D\) .*, got 1 dim"),
    (lambda: nn.RNN(D, H), {"x": x_of(0, N, D)}, ValueError, "one sample, got 0 and 3"),
    (lambda: nn.RNN(D, H), {"x": x_of(T, 0, D)}, ValueError, "one sample, got 6 and 0"),
    (lambda: nn.RNN(D, H), {"x": [1.0]}, TypeError, "x: expected a Tensor, got list"),
    (
        lambda: nn.RNN(D, H),
        {"x": pack_sequence([x_of(T, D)])},
        TypeError,
        "x: expected a Tensor, got PackedSequence",
    ),
    (lambda: nn.RNN(D, H), {"x": x_of(T, N, D + 1)}, RuntimeError, "Expected 4, got 5"),
    (
        lambda: nn.RNN(D, H),
        {"h_0": x_of(N, H)},
        ValueError,
        r"h_0: expected \(1, 3, 5\), got \(3, 5\)",
    ),
    (
        lambda: nn.LSTM(D, H),
        {"h_0": x_of(1, N, H)},
        ValueError,
        r"h_0: expected \(1, 3, 5\), \(1, 3, 5\), got \(1, 3, 5\)",
    ),
    (lambda: nn.RNN, {}, TypeError, "a recurrent layer or cell, got the class RNN"),
    (lambda: nn.GRUCell(D, H), {"x": x_of(T, N, D).int()}, TypeError, r"x: .*64 .*, got .*int32"),
    (lambda: nn.RNN(D, H), {"x": x_of(T, N, D).float()}, TypeError, "float64 like the weights"),
    (lambda: nn.RNN(D, H), {"x": x_of(T, N, D).to("meta")}, ValueError, "on cpu .*, got meta"),
    (
        lambda: nn.RNN(D, H),
        {"h_0": x_of(1, N, H).float()},
        TypeError,
        "h_0: expected torch.float64 like the weights, got torch.float32",
    ),
    (lambda: nn.RNN(D, H), {"h_0": ()}, ValueError, r"h_0: expected \(1, 3, 5\), got none"),
    (lambda: nn.RNN(D, H), {"h_0": 0.0}, TypeError, r"h_0: expected a Tensor, or for an LSTM the"),
]


@pytest.mark.parametrize("instrument", [step_jacobians, gradient_by_lag])
@pytest.mark.parametrize(("layer", "arguments", "error", "message"), REFUSED)
def test_instruments_refuse_what_they_cannot_measure(instrument, layer, arguments, error, message):
    module = layer()
    if isinstance(module, nn.Module):
        module.double()
    with pytest.raises(error, match=message):
        instrument(module, **({"x": x_of(T, N, D)} | arguments))


@pytest.mark.parametrize(
    ("loss", "error", "message"),
    [
        (lambda h: h, ValueError, r"one for each of 3 samples, got shape \(3, 5\)"),
        (lambda h: h.sum(0), ValueError, r"got shape \(5,\)"),
        (
            lambda h: 1.0,
            TypeError,
            "return a Tensor of real numbers, got float",
        ),
        (lambda h: h.sum().cfloat(), TypeError, "real numbers, got torch.complex64"),
        ("sum", TypeError, r"loss: expected a callable, loss\(h_T\), got str"),
        (lambda h: torch.ones((), requires_grad=True), ValueError, "got one that does not use it"),
        (lambda h: h.detach().sum(), ValueError, "loss: expected it to depend on h_T"),
    ],
)
def test_gradient_by_lag_refuses_an_unsuitable_loss(loss, error, message):
    with pytest.raises(error, match=message):
        gradient_by_lag(nn.RNN(D, H), torch.zeros(T, N, D), loss=loss)
    with pytest.raises(ValueError, match="wrt: expected one of state, h, c, x for LSTM, got 'y'"):
        gradient_by_lag(nn.LSTM(D, H), torch.zeros(T, N, D), wrt="y")


@pytest.mark.parametrize("module", [rnnlib.RNN, nn.RNN, nn.LSTMCell])
@pytest.mark.parametrize("instrument", [step_jacobians, gradient_by_lag])
def test_complex_layers_are_refused(module, instrument):
    layer = module(D, H, dtype=torch.complex64)
    with pytest.raises(TypeError, match=r"layer: expected real weights, got torch\.complex64"):
        instrument(layer, torch.zeros(T, N, D, dtype=torch.complex64))


def test_a_stack_that_drops_out_is_measured_in_eval_mode():
    layer = nn.RNN(D, H, num_layers=2, dropout=0.5).eval()
    x = torch.randn(T, N, D)
    assert torch.equal(gradient_by_lag(layer, x), gradient_by_lag(layer, x))


# What chapter 8 says of real networks


@pytest.mark.parametrize("module", [rnnlib.RNN, nn.RNN])
@pytest.mark.parametrize(("gain", "at_10", "at_20"), [(0.9, 0.3487, 0.1216), (1.1, 2.5937, 6.7275)])
def test_tiny_inputs_leave_the_powers_of_the_gain(module, gain, at_10, at_20, device):
    layer = rnn_with(orthogonal(64, gain), device, module)
    found = gradient_by_lag(layer, inputs(device, 21, 8, D, scale=1e-3))
    assert found[10].item() == pytest.approx(at_10, rel=2e-4)
    assert found[20].item() == pytest.approx(at_20, rel=2e-4)
    # tanh takes a little, and the bound holds at every lag.
    powers = gain ** torch.arange(21, dtype=torch.float64, device=device)
    assert (found <= powers * (1 + 1e-12)).all() and found[20] < powers[20]


def test_a_large_norm_is_not_sufficient_for_explosion(device):
    W = gaussian(16, norm=85, seed=0)
    layer = rnn_with(W, device)
    x = inputs(device, 51, 16, D, scale=30.0)
    assert largest_singular_value(W).item() == pytest.approx(85)
    assert spectral_radius(W) > 20
    assert saturation(layer(x)[0]) > 0.9
    assert gradient_by_lag(layer, x)[50] < 1e-20


@pytest.mark.parametrize("module", [rnnlib.RNN, nn.RNN])
def test_a_nilpotent_matrix_forgets_everything(module, device):
    W = torch.diag(torch.full((19,), 5.0, dtype=torch.float64), 1)
    assert largest_singular_value(W).item() == pytest.approx(5) and spectral_radius(W) == 0
    found = gradient_by_lag(rnn_with(W, device, module), inputs(device, 30, 8, D, scale=0.0))
    assert found[19] > 1e9
    assert torch.equal(found[20:], torch.zeros_like(found[20:]))


def test_what_vanishes_is_the_distant_term(device):
    layer = rnn_with(orthogonal(64, 0.5), device)
    x = inputs(device, 41, 48, D)
    by_lag = gradient_by_lag(layer, x, loss=lambda h_T: h_T.square().sum(dim=1))
    assert by_lag[0] > 1 and by_lag[40] < 2e-12
    (of_W_hh,) = torch.autograd.grad(layer(x)[0][-1].square().sum(), layer.weight_hh_l0)
    assert of_W_hh.norm() > 10


# Matrices and slopes


def test_spectral_radius_and_norm_of_known_matrices():
    turn = torch.tensor([[0.0, -3.0], [3.0, 0.0]])
    assert spectral_radius(turn).item() == pytest.approx(3)
    assert spectral_radius(torch.diag(torch.tensor([1.0, -4.0]))).item() == 4
    shear = torch.tensor([[0.5, 100.0], [0.0, 0.5]])
    assert spectral_radius(shear).item() == pytest.approx(0.5)
    assert largest_singular_value(shear).item() == pytest.approx(100.0025, abs=1e-3)
    many = torch.stack([turn, shear])
    assert spectral_radius(many).shape == largest_singular_value(many).shape == (2,)
    assert largest_singular_value(torch.tensor([[3.0, 4.0]])).item() == pytest.approx(5)
    with pytest.raises(ValueError, match=r"W: expected a square matrix .*, got \(1, 2\)"):
        spectral_radius(torch.ones(1, 2))
    for measure in (spectral_radius, largest_singular_value):
        with pytest.raises(ValueError, match=r"W: expected a matrix, got shape \(3,\)"):
            measure(torch.ones(3))


@pytest.mark.parametrize("measure", [spectral_radius, largest_singular_value])
@pytest.mark.parametrize(
    ("W", "error", "said"),
    [
        ([[1.0]], TypeError, "got list"),
        (torch.eye(2, dtype=torch.int64), TypeError, "float32 or float64.*, got torch.int64"),
        (torch.eye(2).half(), TypeError, "got torch.float16"),
        # Without a check the search for eigenvalues ends the process.
        (torch.full((3, 3), math.nan), ValueError, "finite numbers, got nan or infinity"),
        (torch.full((3, 3), math.inf), ValueError, "finite numbers, got nan or infinity"),
    ],
)
def test_matrices_that_cannot_be_measured_are_refused(measure, W, error, said):
    with pytest.raises(error, match=f"W: expected .*{said}"):
        measure(W)
    with pytest.raises(ValueError, match=r"of at least one row, got \(0, 0\)"):
        spectral_radius(torch.zeros(0, 0))


@pytest.mark.parametrize(
    ("h", "nonlinearity", "error", "said"),
    [
        ([0.5], "tanh", TypeError, "floating-point numbers, got list"),
        (torch.tensor([1]), "tanh", TypeError, "floating-point numbers, got torch.int64"),
        (torch.tensor([1j]), "tanh", TypeError, "floating-point numbers, got torch.complex64"),
        (torch.tensor([0.5, math.nan]), "tanh", ValueError, "values of tanh, .* got nan"),
        (torch.tensor([0.5, -3.0]), "tanh", ValueError, "tanh, from -1 to 1, got -3; what goes"),
        (torch.tensor([1.5]), "sigmoid", ValueError, "sigmoid, from 0 to 1, got 1.5"),
        (torch.tensor([-0.5]), "relu", ValueError, "relu, from 0 to inf, got -0.5"),
    ],
)
def test_what_a_nonlinearity_never_gives_is_refused(h, nonlinearity, error, said):
    with pytest.raises(error, match=f"h: expected .*{said}"):
        mean_slope(h, nonlinearity)
    if nonlinearity == "tanh":
        with pytest.raises(error, match=f"h: expected .*{said}"):
            saturation(h)


def test_arguments_of_other_types_are_refused():
    with pytest.raises(TypeError, match="threshold: expected a number, got str"):
        saturation(torch.zeros(2), "0.9")
    with pytest.raises(ValueError, match=r"nonlinearity: expected one of .*, got \['tanh'\]"):
        mean_slope(torch.zeros(2), ["tanh"])
    with pytest.raises(TypeError, match="jacobians: expected a Tensor, got list"):
        jacobian_product([torch.eye(2)])


def test_saturation_counts_both_ends():
    h = torch.tensor([[0.0, 0.995, -0.995, 0.5], [1.0, -1.0, 0.99, 0.2]], dtype=torch.float64)
    assert saturation(h).item() == 0.5
    assert saturation(h, threshold=0.4).item() == 0.75
    assert saturation(h, threshold=1).item() == 0
    assert saturation(h, threshold=0).item() == (h != 0).float().mean()
    with pytest.raises(ValueError, match="threshold: expected between 0 and 1, got 2"):
        saturation(h, threshold=2)
    with pytest.raises(ValueError, match=r"h: expected at least one value, got shape \(0, 3\)"):
        saturation(torch.zeros(0, 3))


@pytest.mark.parametrize("name", ["tanh", "relu", "sigmoid"])
def test_mean_slope_is_that_of_autograd(name, device):
    z = 2 * inputs(device, 50, 7)
    z.requires_grad_()
    h = getattr(torch, name)(z)
    (slope,) = torch.autograd.grad(h.sum(), z)
    torch.testing.assert_close(mean_slope(h.detach(), name), slope.mean())


def test_mean_slope_at_known_places():
    assert mean_slope(torch.zeros(3)) == 1
    assert mean_slope(torch.ones(3)) == 0
    assert mean_slope(torch.full((3,), 0.5), "sigmoid") == 0.25
    with pytest.raises(ValueError, match="nonlinearity: expected one of tanh, relu, sigmoid, got"):
        mean_slope(torch.zeros(3), "gelu")
    with pytest.raises(ValueError, match="h: expected at least one value"):
        mean_slope(torch.zeros(0))
