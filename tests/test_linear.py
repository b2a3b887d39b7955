"""Linear recurrences: three forms of one thing, and the layers that are made of it."""

import functools
import math
import re

import pytest
import torch
from torch.overrides import TorchFunctionMode

from rnnlib.layers import (
    DiagonalSSM,
    MinGRU,
    MinLSTM,
    linear_convolution,
    linear_loop,
    linear_scan,
    scan_rounds,
)

N, D, H = 3, 2, 4
FORMS = (linear_loop, linear_scan, linear_convolution)
LAYERS = {
    "MinGRU": MinGRU,
    "MinGRU, signed": lambda *sizes, **how: MinGRU(*sizes, **how, signed=True),
    "MinLSTM": MinLSTM,
    "DiagonalSSM": DiagonalSSM,
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
LENGTHS = (1, 2, 3, 7, 8, 9, 37)


def drawn(*shape, complex_numbers=False):
    dtype = torch.complex128 if complex_numbers else torch.float64
    return torch.randn(shape, dtype=dtype)


def by_hand(a, b, h_0):
    """h_t as the sum of all that went in, each with the product of the factors since."""
    states = []
    for t in range(len(b)):
        h = a[: t + 1].prod(0) * h_0
        for s in range(t + 1):
            h = h + a[s + 1 : t + 1].prod(0) * b[s]
        states.append(h)
    return torch.stack(states)


def with_gradients(form, *given):
    """Return a form's states, and the gradients of all that is given."""
    given = [value.detach().clone().requires_grad_() for value in given]
    h = form(*given)
    weights = torch.randn(h.shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    (weights.to(h.device) * h).abs().square().sum().backward()
    return [h.detach(), *(value.grad for value in given)]


def same(one, other):
    for a, b in zip(one, other, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)


# The three forms


@pytest.mark.parametrize("T", LENGTHS)
@pytest.mark.parametrize("complex_numbers", [False, True])
def test_loop_and_scan_are_the_sum_of_all_that_went_in(T, complex_numbers, device):
    torch.manual_seed(T)
    a, b, h_0 = (
        drawn(*shape, complex_numbers=complex_numbers).to(device)
        for shape in ((T, N, H), (T, N, H), (N, H))
    )
    expected = with_gradients(by_hand, a, b, h_0)
    for form in (linear_loop, linear_scan):
        same(with_gradients(form, a, b, h_0), expected)
        same([form(a, b)], [form(a, b, torch.zeros_like(h_0))])


@pytest.mark.parametrize("T", LENGTHS)
@pytest.mark.parametrize("complex_numbers", [False, True])
@pytest.mark.parametrize("shape", [(H,), (N, H), ()])
def test_with_one_factor_for_all_steps_all_three_are_the_same(T, complex_numbers, shape, device):
    torch.manual_seed(T)
    a = drawn(*shape, complex_numbers=complex_numbers).to(device)
    a = a / (1 + a.abs())
    b, h_0 = (
        drawn(*size, complex_numbers=complex_numbers).to(device) for size in ((T, N, H), (N, H))
    )
    expected = with_gradients(lambda a, b, h: by_hand(a.expand_as(b), b, h), a, b, h_0)
    for form in FORMS:
        same(with_gradients(form, a, b, h_0), expected)
        same([form(a, b)], [form(a, b, torch.zeros_like(h_0))])


def test_real_factors_and_complex_inputs_or_the_other_way_round():
    a, b = drawn(H).tanh(), drawn(9, N, H, complex_numbers=True)
    for one, other in ((a, b), (a.to(b.dtype), b.real)):
        states = [form(one, other) for form in FORMS]
        same(states[1:], states[:1] * 2)


def test_the_scan_divides_by_nothing():
    """In float32 the product of 400 factors of 0.5 is 0, and a scan that divides by it fails."""
    a, b = torch.full((400, 1), 0.5), torch.ones(400, 1)
    assert a.prod() == 0
    torch.testing.assert_close(linear_scan(a, b)[-1], torch.tensor([2.0]))


class _Cats(TorchFunctionMode):
    count = 0

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.cat
        return func(*args, **(kwargs or {}))


@pytest.mark.parametrize("T", [*LENGTHS, 64, 65])
def test_the_scan_takes_as_many_rounds_as_it_says(T):
    with _Cats() as cats:
        linear_scan(torch.ones(T, 1), torch.ones(T, 1))
    assert cats.count == 2 * scan_rounds(T)
    assert scan_rounds(T) == math.ceil(math.log2(T))


# The layers


@every_layer
@pytest.mark.parametrize("T", [1, 6, 9])
def test_a_layer_s_forms_agree_in_outputs_and_gradients(make, T, device):
    torch.manual_seed(0)
    layer = make(D, H, dtype=torch.float64).to(device)
    x = drawn(T, N, D).to(device)
    forms = FORMS if isinstance(layer, DiagonalSSM) else FORMS[:2]
    assert layer.recurrence is forms[-1]
    found = []
    for form in forms:
        layer.recurrence = form
        layer.zero_grad()
        output, h_n = layer(x)
        (output.square().sum() + h_n.abs().square().sum()).backward()
        found.append([output.detach(), h_n.detach(), *(p.grad.clone() for p in layer.parameters())])
        assert all(p.grad.abs().sum() > 0 for p in layer.parameters()) or T == 1
    for other in found[1:]:
        same(other, found[0])


@every_layer
def test_piece_by_piece_is_as_whole(make):
    torch.manual_seed(0)
    layer = make(D, H, dtype=torch.float64, batch_first=True)
    x = drawn(N, 23, D)
    whole, last = layer(x)
    pieces, h = [], None
    for piece in x.split([1, 7, 10, 5], dim=1):
        output, h = layer(piece, h)
        pieces.append(output)
    same([torch.cat(pieces, dim=1), h], [whole, last])
    assert h.shape == (1, N, H)


@every_layer
def test_layouts_are_one_layer(make):
    torch.manual_seed(0)
    first, then = make(D, H, dtype=torch.float64), make(D, H, batch_first=True, dtype=torch.float64)
    then.load_state_dict(first.state_dict())
    x, h = drawn(5, N, D), first(drawn(2, N, D))[1]
    output, h_n = first(x, h)
    same(then(x.transpose(0, 1), h), (output.transpose(0, 1), h_n))
    alone, h_alone = first(x[:, 1], h[:, 1])
    same([alone, h_alone], [output[:, 1], h_n[:, 1]])
    assert output.shape == (5, N, H)


def test_min_gru_is_its_equations():
    torch.manual_seed(0)
    layer = MinGRU(D, H, dtype=torch.float64)
    W, b = layer.from_x.weight.T, layer.from_x.bias
    x, h = drawn(4, N, D), drawn(1, N, H)
    expected, state = [], h[0]
    for x_t in x:
        z = torch.sigmoid(x_t @ W[:, :H] + b[:H])
        n = x_t @ W[:, H:] + b[H:]
        state = (1 - z) * n + z * state
        expected.append(state)
    same([layer(x, h)[0]], [torch.stack(expected)])


def test_signed_changes_the_factor_alone():
    torch.manual_seed(0)
    plain, signed = (MinGRU(D, H, signed=choice, dtype=torch.float64) for choice in (False, True))
    signed.load_state_dict(plain.state_dict())
    x = 9 * drawn(500, D)
    (a, b), (a_signed, b_signed) = plain.pairs(x), signed.pairs(x)
    same([a_signed, b_signed], [2 * a - 1, b])
    assert 0 < a.min() < 0.01 and a_signed.min() < -0.98 and a_signed.max() > 0.98


def test_min_lstm_is_its_equations():
    torch.manual_seed(0)
    layer = MinLSTM(D, H, dtype=torch.float64)
    W, b = layer.from_x.weight.T, layer.from_x.bias
    x, state = drawn(4, N, D), torch.zeros(N, H).double()
    expected = []
    for x_t in x:
        f, i, n = (x_t @ W + b).chunk(3, dim=-1)
        f, i = torch.sigmoid(f), torch.sigmoid(i)
        state = (f * state + i * n) / (f + i)
        expected.append(state)
    same([layer(x)[0]], [torch.stack(expected)])


def test_min_lstm_shares_out_one_whole_where_both_gates_round_to_nothing():
    layer = MinLSTM(D, H)
    a, b = layer.pairs(torch.full((1, D), 1e4))
    assert a.isfinite().all() and b.isfinite().all() and ((a >= 0) & (a <= 1)).all()
    with torch.no_grad():
        layer.from_x.weight.zero_()
        layer.from_x.bias[: 2 * H] = -200.0
    torch.testing.assert_close(layer.pairs(torch.ones(1, D))[0], torch.full((1, H), 0.5))


def test_batch_first_is_given_by_name():
    for make in (MinGRU, MinLSTM, DiagonalSSM):
        with pytest.raises(TypeError, match="positional"):
            make(D, H, True)


@every_layer
def test_an_input_of_another_dtype_is_told(make):
    with pytest.raises(ValueError, match=r"input: expected torch.float64.*got torch.float32"):
        make(D, H, dtype=torch.float64)(torch.ones(3, D))


@every_layer
def test_a_state_of_another_shape_or_dtype_is_told(make):
    layer, x = make(D, H, dtype=torch.float64, batch_first=True), drawn(N, 5, D)
    _, h = layer(x)
    other = {torch.float64: torch.float32, torch.complex128: torch.float64}[h.dtype]
    with pytest.raises(ValueError, match=rf"hx: expected {h.dtype}, .*, got {other}"):
        layer(x, h.real.to(other))
    for wrong in (h[0], h[:, :2], h.expand(2, N, H), h.transpose(0, 1)):
        expected = re.escape(f"hx: expected (1, {N}, {H}), got {tuple(wrong.shape)}")
        with pytest.raises(ValueError, match=expected):
            layer(x, wrong)
    with pytest.raises(ValueError, match=re.escape(f"hx: expected (1, {H}), got (1, {N}, {H})")):
        layer(x[0], h)
    with pytest.raises(TypeError, match="hx: expected a Tensor, got tuple"):
        layer(x, (h, h))


@pytest.mark.parametrize("make", [MinGRU, MinLSTM])
def test_under_autocast_pieces_hand_on_their_state(make):
    layer, x = make(D, H), torch.randn(6, N, D)
    with torch.autocast("cpu", torch.bfloat16):
        _, h = layer(x[:3])
        assert h.dtype == torch.bfloat16
        again, whole = layer(x[3:], h)[0], layer(x)[0][3:]
        layer(x, torch.zeros(1, N, H))
    torch.testing.assert_close(again, whole, rtol=0.05, atol=0.05)


def test_what_goes_into_the_minimal_ones_does_not_depend_on_the_state():
    """Jacobian of h_2 with respect to h_1: diagonal, and the same wherever h_1 is."""
    for make in (MinGRU, MinLSTM):
        layer, x = make(D, H, dtype=torch.float64), drawn(1, D)
        step = functools.partial(layer, x)
        one, other = (
            torch.autograd.functional.jacobian(lambda h, step=step: step(h)[0][0], drawn(1, H))
            for _ in range(2)
        )
        same([one], [other])
        assert (one[:, 0] - one[:, 0].diag().diag()).abs().max() == 0


def test_the_state_space_layer_is_its_equations():
    torch.manual_seed(0)
    layer = DiagonalSSM(D, H, dtype=torch.float64)
    x, h = drawn(6, N, D), torch.zeros(N, H, dtype=torch.complex128)
    mu = -torch.exp(layer.log_decay) + 1j * layer.frequency
    factor, B = torch.exp(torch.exp(layer.log_step) * mu), torch.view_as_complex(layer.B)
    C, c = layer.readout.weight.T, layer.readout.bias
    for x_t, y_t in zip(x, layer(x)[0], strict=True):
        h = factor * h + (factor - 1) / mu * (x_t.to(B.dtype) @ B)
        y = h.real @ C[:H] + h.imag @ C[H:] + c + x_t @ layer.skip.weight.T
        same([y_t], [y])
    assert (layer.factor.abs() < 1).all()


def test_the_state_space_layer_starts_as_s4d_lin():
    torch.manual_seed(0)
    layer = DiagonalSSM(D, 200)
    mu = torch.complex(torch.full((200,), -0.5), math.pi * torch.arange(200.0))
    torch.testing.assert_close(layer.mu, mu)
    step = torch.exp(layer.log_step)
    assert 0.001 <= step.min() < 0.0015 and 0.07 < step.max() <= 0.1
    assert abs(torch.exp(layer.log_step.mean()).item() - 0.01) < 0.002
    assert torch.view_as_complex(layer.B).abs().square().mean().item() == pytest.approx(1 / D, 0.2)


def test_sampled_twice_as_often_with_half_the_step_it_is_the_same_system():
    """The input holds still between two samples, and the equation is solved exactly."""
    torch.manual_seed(0)
    layer = DiagonalSSM(D, H, dtype=torch.float64)
    x = drawn(6, N, D)
    once, h_once = layer(x)
    with torch.no_grad():
        layer.log_step -= math.log(2)
    twice, h_twice = layer(x.repeat_interleave(2, dim=0))
    same([h_twice, twice[1::2]], [h_once, once])


def test_the_layers_say_what_they_are():
    assert repr(MinGRU(2, 3, signed=True)).startswith("MinGRU(\n  2, 3, signed=True")
    assert repr(MinLSTM(2, 3, batch_first=True)).startswith("MinLSTM(\n  2, 3, batch_first=True\n")
    assert MinGRU(2, 3).num_layers == 1 and not MinGRU(2, 3).bidirectional
    assert {p.dtype for p in DiagonalSSM(2, 3, dtype=torch.float64).parameters()} == {torch.float64}


A, B = torch.rand(5, N, H), torch.rand(5, N, H)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: linear_loop([1.0], B), TypeError, "a: expected a Tensor, got list"),
        (lambda: linear_scan(A, None), TypeError, "b: expected a Tensor, got NoneType"),
        (lambda: linear_scan(A, B[:0]), ValueError, "with at least one step, got (0, 3, 4)"),
        (lambda: linear_loop(A[:4], B), ValueError, "a: expected the shape of b, (5, 3, 4), or"),
        (lambda: linear_scan(A[0, 0, :2], B), ValueError, "got (2,)"),
        (lambda: linear_scan(A, B, A[0, 0]), ValueError, "h_0: expected (3, 4), got (4,)"),
        (lambda: linear_scan(A, B, 0.0), TypeError, "h_0: expected a Tensor, got float"),
        (lambda: linear_convolution(A, B), ValueError, "a: expected the same at every step"),
        (lambda: linear_convolution(1, B), TypeError, "a: expected a Tensor, got int"),
        (lambda: scan_rounds(0), ValueError, "num_steps: expected at least 1, got 0"),
        (lambda: scan_rounds(2.0), TypeError, "num_steps: expected an int, got float"),
        (lambda: MinGRU(0, 3), ValueError, "input_size must be greater than zero, got 0"),
        (lambda: MinLSTM(2, "3"), TypeError, "hidden_size should be of type int, got: str"),
        (lambda: MinGRU(2, 3)(B), ValueError, "the last of size 2, got (5, 3, 4)"),
        (lambda: MinGRU(4, 3)(B[0, 0]), ValueError, "two or three dimensions"),
        (lambda: MinGRU(4, 3)([1.0]), TypeError, "input: expected a Tensor, got list"),
        (lambda: MinGRU(4, 3)(B, 0), TypeError, "hx: expected a Tensor, got int"),
        (lambda: MinGRU(4, 3)(B, A[0]), ValueError, "hx: expected (1, 3, 3), got (3, 4)"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(call, error, message):
    with pytest.raises(error) as raised:
        call()
    assert message in str(raised.value)
