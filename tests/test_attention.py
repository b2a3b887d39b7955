"""Additive attention computes its equations, leaves padding out, and has the right gradients."""

import copy
import math

import pytest
import torch

from rnnlib.models.attention import AdditiveAttention

N, S, T, Q, D, A = 3, 4, 5, 2, 6, 7
LENGTHS = torch.tensor([5, 1, 3])


def make(device="cpu"):
    torch.manual_seed(0)
    attention = AdditiveAttention(Q, D, A, dtype=torch.float64)
    with torch.no_grad():
        for parameter in attention.parameters():
            parameter.mul_(3)  # weights far from equal
    queries = torch.randn(N, S, Q, dtype=torch.float64)
    annotations = torch.randn(N, T, D, dtype=torch.float64)
    mask = torch.arange(T) < LENGTHS[:, None]
    return attention.to(device), queries.to(device), annotations.to(device), mask.to(device)


def test_equal_to_a_loop_over_its_equations(device):
    attention, queries, annotations, mask = make(device)
    context, weights = attention(queries, annotations, mask)
    assert context.shape == (N, S, D) and weights.shape == (N, S, T)
    for n in range(N):
        for t in range(S):
            e = [
                (torch.tanh(queries[n, t] @ attention.W_q + h_j @ attention.W_k) @ attention.v)
                for h_j in annotations[n, : LENGTHS[n]]
            ]
            total = sum(math.exp(e_j.item()) for e_j in e)
            alpha = [math.exp(e_j.item()) / total for e_j in e]
            c = sum(a * h_j for a, h_j in zip(alpha, annotations[n], strict=False))
            torch.testing.assert_close(context[n, t], c, rtol=0, atol=1e-12)
            for j in range(T):
                expected = alpha[j] if j < LENGTHS[n] else 0.0
                assert abs(weights[n, t, j].item() - expected) < 1e-12


def test_weights_add_up_to_one_and_are_zero_on_padding(device):
    attention, queries, annotations, mask = make(device)
    _, weights = attention(queries, annotations, mask)
    assert (weights >= 0).all()
    torch.testing.assert_close(weights.sum(-1), torch.ones_like(weights[..., 0]))
    assert (weights.masked_select(~mask.unsqueeze(1)) == 0).all()
    assert (weights.masked_select(mask.unsqueeze(1)) > 0).all()


def test_what_stands_in_the_padding_changes_nothing():
    attention, queries, annotations, mask = make()
    other = annotations.clone()
    other[~mask] = 1e6
    for one, two in zip(
        attention(queries, annotations, mask), attention(queries, other, mask), strict=True
    ):
        assert torch.equal(one, two)


def test_without_a_mask_every_step_counts():
    attention, queries, annotations, _ = make()
    everything = torch.ones(N, T, dtype=torch.bool)
    for one, two in zip(
        attention(queries, annotations), attention(queries, annotations, everything), strict=True
    ):
        assert torch.equal(one, two)
    assert (attention(queries, annotations)[1] > 0).all()


def test_keys_may_be_computed_once():
    attention, queries, annotations, mask = make()
    keys = attention.keys(annotations)
    torch.testing.assert_close(keys, annotations @ attention.W_k)
    for one, two in zip(
        attention(queries, annotations, mask, keys),
        attention(queries, annotations, mask),
        strict=True,
    ):
        assert torch.equal(one, two)
    # They are used, and not computed again.
    assert not torch.equal(
        attention(queries, annotations, mask, keys + annotations[..., :1])[1],
        attention(queries, annotations, mask)[1],
    )


def test_all_queries_at_once_equal_one_at_a_time():
    attention, queries, annotations, mask = make()
    context, _ = attention(queries, annotations, mask)
    for t in range(S):
        one, _ = attention(queries[:, t : t + 1], annotations, mask)
        torch.testing.assert_close(one[:, 0], context[:, t], rtol=0, atol=1e-12)


def test_large_scores_do_not_overflow():
    attention, queries, annotations, mask = make()
    with torch.no_grad():
        attention.v.fill_(1e4)
    context, weights = attention(queries, annotations, mask)
    assert context.isfinite().all() and weights.isfinite().all()


def test_gradients_are_right():
    attention, queries, annotations, mask = make()

    def run(queries, annotations, W_q, W_k, v):
        weights = {"W_q": W_q, "W_k": W_k, "v": v}
        return torch.func.functional_call(attention, weights, (queries, annotations, mask))

    inputs = (queries, annotations, *(p.detach() for p in attention.parameters()))
    assert torch.autograd.gradcheck(run, tuple(x.clone().requires_grad_() for x in inputs))


def test_parameters_start_within_their_bounds_and_reset_draws_anew():
    torch.manual_seed(0)
    attention = AdditiveAttention(100, 64, 16)
    for parameter, size in ((attention.W_q, 100), (attention.W_k, 64), (attention.v, 16)):
        assert 0.7 / math.sqrt(size) < parameter.abs().max() <= 1 / math.sqrt(size)
    before = copy.deepcopy(attention.state_dict())
    attention.reset_parameters()
    assert not any(torch.equal(before[k], v) for k, v in attention.state_dict().items())
    assert repr(attention) == "AdditiveAttention(100, 64, 16)"


ONE_OUT = torch.tensor([[False], [True], [True]])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda a, q, h, m: a(q[0], h, m), ValueError, "queries: expected shape (N, S, 2)"),
        (lambda a, q, h, m: a(q[..., :1], h, m), ValueError, "got (3, 4, 1)"),
        (lambda a, q, h, m: a([1.0], h, m), TypeError, "queries: expected a Tensor, got list"),
        (lambda a, q, h, m: a(q, h[..., 1:], m), ValueError, "expected shape (N, T, 6)"),
        (lambda a, q, h, m: a(q[:1], h, m), ValueError, "expected those of 3 sequences"),
        (lambda a, q, h, m: a(q, h, m.float()), TypeError, "got torch.float32"),
        (lambda a, q, h, m: a(q, h, [True]), TypeError, "a Tensor of bool, got list"),
        (lambda a, q, h, m: a(q, h, m[:, 1:]), ValueError, "expected shape (3, 5), got (3, 4)"),
        (lambda a, q, h, m: a(q, h, m & ONE_OUT), ValueError, "at least one real step"),
        (lambda a, q, h, m: a(q, h, m, h), ValueError, "expected shape (3, 5, 7), got (3, 5, 6)"),
        (lambda a, q, h, m: a.keys(h[0]), ValueError, "annotations: expected shape (N, T, 6)"),
        (lambda *_: AdditiveAttention(0, 2, 3), ValueError, "query_size must be greater than zero"),
        (lambda *_: AdditiveAttention(1, 2.0, 3), TypeError, "annotation_size should be of type"),
        (lambda *_: AdditiveAttention(1, 2, -3), ValueError, "hidden_size must be greater"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(call, error, message):
    with pytest.raises(error) as raised:
        call(*make())
    assert message in str(raised.value)
