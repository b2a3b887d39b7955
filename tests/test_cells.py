"""The cells are torch.nn's: values, gradients, initial weights, refusals."""

import copy
import math
import pickle

import pytest
import torch
from torch import nn
from twins import (
    accurate_twins,
    assert_accurate,
    assert_refused_alike,
    assert_same,
    make_state,
    results,
    tensors,
    twins,
)

from rnnlib import cells

D, H, N = 3, 4, 5

CELLS = [
    ("RNNCell", {"nonlinearity": "tanh"}),
    ("RNNCell", {"nonlinearity": "relu"}),
    ("GRUCell", {}),
    ("LSTMCell", {}),
]
every_cell = pytest.mark.parametrize(("name", "options"), CELLS)


@every_cell
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("batch", [(N,), (1,), (0,), ()])
@pytest.mark.parametrize("with_state", [True, False])
def test_parity(name, options, bias, batch, with_state, device):
    ours, theirs = twins(name, D, H, bias=bias, device=device, **options)
    x = torch.randn(*batch, D, dtype=torch.float64).to(device)
    state = make_state(name, *batch, H, device=device) if with_state else None
    assert_same(results(ours, x, state), results(theirs, x, state))


@every_cell
@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e-4, 1.0])
def test_float32_is_accurate_at_every_scale(name, options, scale, device):
    ours, exact = accurate_twins(name, D, H, scale=scale, device=device, **options)
    x, h = (scale * torch.rand(N, n).to(device) for n in (D, H))
    state = (h, h) if name == "LSTMCell" else h
    assert_accurate(ours, exact, x, state, ulps=8, each_entry=name == "RNNCell")


@every_cell
@pytest.mark.parametrize("bias", [True, False])
def test_the_same_seed_gives_the_same_weights(name, options, bias):
    states = []
    for room in (cells, nn):
        torch.manual_seed(3)
        states.append(getattr(room, name)(D, H, bias, **options).state_dict())
    ours, theirs = states
    assert list(ours) == list(theirs)
    for key in theirs:
        assert torch.equal(ours[key], theirs[key])


@every_cell
@pytest.mark.parametrize("bias", [True, False])
def test_state_dict_loads_both_ways_and_repr_agrees(name, options, bias):
    ours, theirs = twins(name, D, H, bias=bias, **options)
    ours.reset_parameters()
    theirs.load_state_dict(ours.state_dict())
    assert_same(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    assert repr(ours) == repr(theirs)


@every_cell
def test_copies_compute_the_same(name, options):
    ours, _ = twins(name, D, H, **options)
    x = torch.randn(N, D, dtype=torch.float64)
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert_same(results(other, x), results(ours, x), rtol=0, atol=0)


@every_cell
def test_gradcheck_of_first_and_second_order(name, options):
    ours, _ = twins(name, 2, 3, **options)
    x = torch.randn(2, 2, dtype=torch.float64, requires_grad=True)
    parameters = dict(ours.named_parameters())
    state = [s.requires_grad_() for s in tensors(make_state(name, 2, 3))]

    def call(x, *rest):
        hx = rest[: len(state)] if len(state) > 1 else rest[0]
        weights = dict(zip(parameters, rest[len(state) :], strict=True))
        return torch.func.functional_call(ours, weights, (x, hx))

    inputs = (x, *state, *parameters.values())
    assert torch.autograd.gradcheck(call, inputs)
    assert torch.autograd.gradgradcheck(call, inputs)


@every_cell
def test_autocast_does_not_crash(name, options, device):
    ours, _ = twins(name, D, H, dtype=torch.float32, device=device, **options)
    x = torch.randn(N, D).to(device)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        y = ours(x, ours(x))
        ours(x.bfloat16(), y)
    y = tensors(y)[0]
    torch.testing.assert_close(y.float(), tensors(ours(x, ours(x)))[0], rtol=0.05, atol=0.05)
    y.float().sum().backward()
    assert all(p.grad.isfinite().all() for p in ours.parameters())


BAD_CALLS = {
    "0-D": (((),), "0D"),
    "3-D": (((1, 2, 3),), "3D"),
    "features": (((2, 7),), "got 7, expected 3"),
    "features unbatched": (((7,),), "got 7, expected 3"),
    "state batch": (((2, 3), (5, 4)), "(2, 4)", "(5, 4)"),
    "state size": (((2, 3), (2, 6)), "(2, 4)", "(2, 6)"),
    "state unbatched": (((2, 3), (4,)), "(2, 4)", "(4,)"),
    "state batched": (((3,), (1, 4)), "(4,)", "(1, 4)"),
    "state 3-D": (((2, 3), (1, 2, 4)), "3D"),
}


@pytest.mark.parametrize("name", ["RNNCell", "GRUCell", "LSTMCell"])
@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_shapes_are_refused_as_torch_refuses_them(case, name):
    shapes, *said = BAD_CALLS[case]
    ours, theirs = twins(name, D, H)
    x, *state = (torch.zeros(shape, dtype=torch.float64) for shape in shapes)
    good = torch.zeros(*x.shape[:-1], H, dtype=torch.float64)
    pairs = [[good, state[0]], [state[0], good]] if name == "LSTMCell" and state else [state]
    for h in pairs:
        arguments = (x, tuple(h)) if len(h) == 2 else (x, *h)
        assert_refused_alike(lambda: ours(*arguments), lambda: theirs(*arguments), name, *said)  # noqa: B023


x32, h32 = torch.zeros(2, D), torch.zeros(2, H)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((x32.double(),), "weights' dtype torch.float32, got torch.float64"),
        ((x32.long(),), "weights' dtype torch.float32, got torch.int64"),
        ((x32, h32.double()), "hidden of the weights' dtype torch.float32, got torch.float64"),
        ((x32.to("meta"),), "weights' device cpu, got meta"),
        ((x32, h32.to("meta")), "hidden on the weights' device cpu, got meta"),
        (([0.0, 0.0],), "input: expected a Tensor, got list"),
        ((x32, (h32, h32)), "hidden: expected a Tensor, got tuple"),
    ],
)
def test_bad_kinds_are_refused_as_torch_refuses_them(arguments, said):
    ours, theirs = twins("RNNCell", D, H, dtype=torch.float32)
    assert_refused_alike(lambda: ours(*arguments), lambda: theirs(*arguments), said)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (h32, "LSTMCell: expected hx to be a tuple (h, c), got Tensor"),
        ((h32,) * 3, "LSTMCell: expected hx to be a tuple (h, c), got 3 entries"),
        ((h32,), "LSTMCell: expected hx to be a tuple (h, c), got 1 entries"),
        ((h32, None), "LSTMCell: c: expected a Tensor, got NoneType"),
    ],
)
def test_states_that_are_no_pair_are_refused_as_torch_refuses_them(state, said):
    ours, theirs = twins("LSTMCell", D, H, dtype=torch.float32)
    assert_refused_alike(lambda: ours(x32, state), lambda: theirs(x32, state), said)


@pytest.mark.parametrize(
    ("arguments", "kind", "said"),
    [
        ((0, 4), ValueError, "input_size must be greater than zero, got 0"),
        ((3, -1), ValueError, "hidden_size must be greater than zero, got -1"),
        ((3.0, 4), TypeError, "input_size should be of type int, got: float"),
        ((3, True), TypeError, "hidden_size should be of type int, got: bool"),
        ((3, 4, True, "sigmoid"), ValueError, "Unknown nonlinearity 'sigmoid'"),
    ],
)
def test_bad_arguments_are_refused_at_once(arguments, kind, said):
    # torch.nn's cell takes some of these and fails, or computes nothing, when it is called.
    with pytest.raises(kind, match=said):
        cells.RNNCell(*arguments)


@pytest.mark.parametrize("bias", [True, False])
def test_the_properties_are_the_letters_of_the_equation(bias):
    cell = cells.RNNCell(D, H, bias=bias, dtype=torch.float64)
    assert cell.W_xh.shape == (D, H) and cell.W_hh.shape == (H, H) and cell.b_h.shape == (H,)
    assert cell.b_h.any() == bias
    x_t, h = torch.randn(N, D, dtype=torch.float64), torch.randn(N, H, dtype=torch.float64)
    h_t = torch.tanh(x_t @ cell.W_xh + h @ cell.W_hh + cell.b_h)
    torch.testing.assert_close(cell(x_t, h), h_t, rtol=0, atol=1e-14)
    # Views of the parameters: what is written there is what the cell uses.
    with torch.no_grad():
        cell.W_hh[0, 1] = 5.0
    assert cell.weight_hh[1, 0] == 5.0


def drawn(*shape):
    return torch.randn(*shape, dtype=torch.float64)


@pytest.mark.parametrize("bias", [True, False])
def test_the_gates_of_an_lstm_are_named_as_in_the_equations(bias):
    cell = cells.LSTMCell(D, H, bias=bias, dtype=torch.float64)
    for k, gate in enumerate("ifgo"):
        rows = slice(k * H, (k + 1) * H)
        assert torch.equal(getattr(cell, f"W_x{gate}"), cell.weight_ih[rows].T)
        assert torch.equal(getattr(cell, f"W_h{gate}"), cell.weight_hh[rows].T)
        b = cell.bias_ih[rows] + cell.bias_hh[rows] if bias else torch.zeros(H)
        assert torch.equal(getattr(cell, f"b_{gate}"), b.to(torch.float64))
    with torch.no_grad():
        cell.W_hf[0, 1] = 5.0  # a view: what is written there is what the cell uses
    assert cell.weight_hh[H + 1, 0] == 5.0


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("reset_after", [True, False])
def test_the_reset_gate_acts_after_the_product_or_before_it(reset_after, bias):
    cell = cells.GRUCell(D, H, bias=bias, dtype=torch.float64, reset_after=reset_after)
    x_t, h = drawn(N, D), drawn(N, H)
    x_r, x_z, x_n = nn.functional.linear(x_t, cell.weight_ih, cell.bias_ih).chunk(3, 1)
    h_r, h_z, h_n = nn.functional.linear(h, cell.weight_hh, cell.bias_hh).chunk(3, 1)
    r_t, z_t = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
    w_hn, b_hn = cell.weight_hh[2 * H :], cell.bias_hh[2 * H :] if bias else None
    gated = r_t * h_n if reset_after else nn.functional.linear(r_t * h, w_hn, b_hn)
    n_t = torch.tanh(x_n + gated)
    torch.testing.assert_close(cell(x_t, h), z_t * h + (1 - z_t) * n_t, rtol=0, atol=1e-14)


def test_the_original_gru_is_not_torchs_and_says_so():
    original, theirs = cells.GRUCell(D, H, reset_after=False), nn.GRUCell(D, H)
    original.load_state_dict(theirs.state_dict())
    x_t, h = torch.randn(N, D), torch.randn(N, H)
    assert (original(x_t, h) - theirs(x_t, h)).abs().max() > 1e-3
    assert repr(original) == "GRUCell(3, 4, reset_after=False)"
    with pytest.raises(TypeError, match="reset_after should be of type bool, got: int"):
        cells.GRUCell(D, H, reset_after=0)


def test_initial_weights_fill_their_range():
    torch.manual_seed(0)
    cell = cells.RNNCell(30, 100)
    for weight in cell.parameters():
        assert weight.abs().max() <= 0.1
        assert abs(weight.std().item() - 0.1 / math.sqrt(3)) < 0.01
