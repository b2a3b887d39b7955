"""The passes by hand against torch.nn, against autograd, and at the edges.

What users of the layers see is tested in ``test_layers.py``.
"""

import numba
import numpy as np
import pytest
import torch
from torch import nn

from rnnlib import bptt
from rnnlib.bptt import runs
from rnnlib.device import get_device

DEVICE = get_device()
KINDS = ["RNN", "relu", "GRU", "LSTM"]
PACKINGS = {
    "batch": [3] * 7,
    "packed": [5, 4, 4, 2, 2, 2, 1],
    "one step": [4],
    "one sequence": [1] * 30,
}
GATES = {"RNN": 1, "relu": 1, "GRU": 3, "LSTM": 4}


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def passes(kind):
    """(by hand, loop) with one signature: (data, batch_sizes, states, weights, reverse)."""
    name = "rnn" if kind == "relu" else kind.lower()
    extra = {"nonlinearity": "relu"} if kind == "relu" else {}

    def call(f):
        return lambda data, sizes, states, weights, reverse=False: f(
            data, sizes, *states, *weights, reverse=reverse, **extra
        )

    return call(getattr(bptt, name)), call(getattr(bptt, f"{name}_loop"))


def layer(kind, D, H, **kwargs):
    if kind == "relu":
        return nn.RNN(D, H, nonlinearity="relu", **kwargs)
    return getattr(nn, kind)(D, H, **kwargs)


def problem(kind, sizes, D=3, H=4, dtype=torch.float64, grad=True):
    """data, states, weights: random, of torch's shapes."""

    def new(*shape):
        return torch.randn(*shape, dtype=dtype).mul_(0.7).to(DEVICE).requires_grad_(grad)

    GH = GATES[kind] * H
    states = [new(sizes[0], H) for _ in range(2 if kind == "LSTM" else 1)]
    return new(sum(sizes), D), states, [new(GH, D), new(GH, H), new(GH), new(GH)]


def close(ours, theirs, tolerance=1e-10):
    for a, b in zip(ours, theirs, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        torch.testing.assert_close(a, b, rtol=0, atol=tolerance)


@pytest.mark.parametrize("chunk", [2**17, 32])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("kind", KINDS)
def test_both_directions_equal_torch_nn(kind, packing, bias, chunk, monkeypatch):
    monkeypatch.setattr(runs, "CHUNK", chunk)
    runs.Walk.of.cache_clear()
    sizes, D, H = PACKINGS[packing], 3, 4
    N = sizes[0]
    ref = layer(kind, D, H, bias=bias, bidirectional=True).double().to(DEVICE)
    weights = list(ref.parameters())
    data, states, _ = problem(kind, sizes)
    states = [torch.stack([s, torch.randn_like(s)]).detach().requires_grad_() for s in states]
    packed = nn.utils.rnn.PackedSequence(data, torch.tensor(sizes))
    out, last = ref(packed, tuple(states) if kind == "LSTM" else states[0])
    theirs = [out.data, *(last if kind == "LSTM" else [last])]

    hand, _ = passes(kind)
    half = len(weights) // 2
    there = hand(data, sizes, [s[0] for s in states], weights[:half])
    back = hand(data, sizes, [s[1] for s in states], weights[half:], reverse=True)
    ours = [torch.cat([there[0], back[0]], 1)]
    ours += [torch.stack(pair) for pair in zip(there[1:], back[1:], strict=True)]
    close(ours, theirs)
    assert ours[1].shape == (2, N, H)

    wanted = [data, *states, *weights]
    grads = [torch.randn_like(v) for v in theirs]
    close(torch.autograd.grad(ours, wanted, grads), torch.autograd.grad(theirs, wanted, grads))


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("packing", ["batch", "packed"])
@pytest.mark.parametrize("kind", KINDS)
def test_gradcheck_of_first_and_second_order(kind, packing, reverse):
    sizes = PACKINGS[packing][-3:]
    data, states, weights = problem(kind, sizes, D=2, H=2)
    hand, _ = passes(kind)

    def f(data, *others):
        return hand(data, sizes, others[: len(states)], others[len(states) :], reverse)

    assert torch.autograd.gradcheck(f, (data, *states, *weights))
    assert torch.autograd.gradgradcheck(f, (data, *states, *weights), fast_mode=True)


@pytest.mark.parametrize("kind", KINDS)
def test_create_graph_with_a_subset_and_with_shared_arguments(kind):
    sizes = [2] * 4
    data, states, (w_ih, w_hh, b, _) = problem(kind, sizes)
    data = data.detach()
    results = []
    for f in passes(kind):
        out = f(data, sizes, states, [w_ih, w_hh, b, b])[0].sin().sum()
        first = torch.autograd.grad(out, [w_hh, b], create_graph=True)
        second = torch.autograd.grad(sum((g**2).sum() for g in first), [w_ih, b, states[0]])
        results.append([*first, *second])
    close(*results)


@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e-3, 1.0, 30.0])
@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_float32_is_accurate_at_every_scale(kind, scale):
    sizes, D, H = [8] * 20, 4, 16
    data, states, weights = problem(kind, sizes, D, H, torch.float32, grad=False)
    weights = [0.3 * w for w in weights[:2]] + [None, None]
    data, states = scale * data.abs(), [scale * s.abs() for s in states]
    weights[:2] = [w.abs() / H for w in weights[:2]]  # no cancellation: every error is relative
    hand, loop = passes(kind)
    ours = hand(data, sizes, states, weights)
    double = [None if w is None else w.double() for w in weights]
    exact = loop(data.double(), sizes, [s.double() for s in states], double)
    for a, b in zip(ours, exact, strict=True):
        assert ((a - b).abs() / b.abs()).max() < 16 * 2**-23


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["sigmoid", "tanh"])
def test_activations_keep_their_digits_at_every_scale(name, dtype):
    function = getattr(bptt.compiled, name)

    @numba.njit
    def of_all(x, y):
        for i in range(len(x)):
            y[i] = function(x[i])

    def of(x):
        of_all(x.numpy(), y := np.empty_like(x.numpy()))
        return torch.from_numpy(y)

    eps, tiny = torch.finfo(dtype).eps, torch.finfo(dtype).tiny
    for scale in (1e-30, 1e-8, 1e-3, 1, 10, 18):
        x = torch.randn(10_000, dtype=dtype) * scale
        exact = getattr(np, name, lambda v: 1 / (1 + np.exp(-v)))(x.numpy().astype(np.longdouble))
        error = np.abs(of(x).numpy() - exact) / np.maximum(np.abs(exact), tiny)
        assert error.max() < 3 * eps
    edges = torch.tensor([torch.nan, torch.inf, -torch.inf, 0.0, -0.0, 1e4, -1e4], dtype=dtype)
    assert torch.equal(of(edges).nan_to_num(7), getattr(torch, name)(edges).nan_to_num(7))


@pytest.mark.parametrize("kind", KINDS)
def test_any_subset_of_gradients(kind):
    sizes = PACKINGS["packed"]
    data, states, weights = problem(kind, sizes)
    everything = [data, *states, *weights]
    hand, loop = passes(kind)
    full = torch.autograd.grad(loop(data, sizes, states, weights)[0].sin().sum(), everything)
    count = len(everything)
    for which in [{i} for i in range(count)] + [set(range(count)) - {i} for i in range(count)]:
        mine = [v.detach().requires_grad_(i in which) for i, v in enumerate(everything)]
        s = 1 + len(states)
        out = hand(mine[0], sizes, mine[1:s], mine[s:])[0].sin().sum()
        out.backward()
        for i, v in enumerate(mine):
            assert (v.grad is not None) == (i in which)
            if i in which:
                torch.testing.assert_close(v.grad, full[i], rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", ["RNN", "GRU", "LSTM"])
def test_only_one_output_used(kind):
    sizes = PACKINGS["packed"]
    data, states, weights = problem(kind, sizes)
    wanted = [data, *states, *weights]
    hand, loop = passes(kind)
    for which in range(len(states) + 1):
        results = [
            torch.autograd.grad(f(data, sizes, states, weights)[which].sin().sum(), wanted)
            for f in (hand, loop)
        ]
        close(*results)


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_odd_memory_layouts(kind, reverse):
    sizes = [3] * 6
    data, states, weights = problem(kind, sizes, grad=False)
    odd = data.t().contiguous().t().requires_grad_()
    expanded = data[:1].expand(18, -1)
    hand, loop = passes(kind)
    for x in (odd, expanded, torch.cat([data, data], 1)[:, ::2]):
        x = x[:, :3] if x.shape[1] > 3 else x
        w = weights if x.shape[1] == 3 else [weights[0][:, : x.shape[1]], *weights[1:]]
        w = [v.t().contiguous().t() if v.dim() == 2 else v for v in w]
        w = [v.detach().requires_grad_() for v in w]
        s = [v[:1].expand(3, -1).detach().requires_grad_() for v in states]
        results = []
        for f in (hand, loop):
            out = f(x, sizes, s, w, reverse)
            # sum() sends an expanded gradient, of stride 0; so do the last states
            results.append([*out, *torch.autograd.grad(sum(v.sum() for v in out), [*s, *w])])
        close(*results)


@pytest.mark.parametrize("kind", KINDS)
def test_empty_batch(kind):
    data, states, weights = problem(kind, [0] * 5)
    hand, _ = passes(kind)
    out = hand(data, [0] * 5, states, weights)
    assert out[0].shape == (0, 4) and out[1].shape == (0, 4)
    for w, g in zip(weights, torch.autograd.grad(out[0].sum(), weights), strict=True):
        assert g.shape == w.shape and not g.any()


@pytest.mark.parametrize("kind", KINDS)
def test_clear_refusals(kind):
    sizes = [3] * 4
    data, states, weights = problem(kind, sizes)
    hand, _ = passes(kind)
    with pytest.raises(RuntimeError, match="larger than 0"):
        hand(data[:0], [], states, weights)
    with pytest.raises(RuntimeError, match="never grow"):
        hand(data, [2, 3, 3, 4], states, weights)
    with pytest.raises(RuntimeError, match=r"data of shape \(12, 3\), got \(11, 3\)"):
        hand(data[1:], sizes, states, weights)
    with pytest.raises(RuntimeError, match=r"h_0 of shape \(3, 4\), got \(1, 4\)"):
        hand(data, sizes, [s[:1] for s in states], weights)
    with pytest.raises(RuntimeError, match="b_hh of shape"):
        hand(data, sizes, states, [*weights[:3], weights[3][1:]])
    with pytest.raises(RuntimeError):
        hand(data.float(), sizes, states, weights)


def test_unknown_nonlinearity():
    data, states, weights = problem("RNN", [2])
    with pytest.raises(ValueError, match="'sin'"):
        bptt.rnn(data, [2], *states, *weights, nonlinearity="sin")


@pytest.mark.parametrize("kind", KINDS)
def test_outputs_changed_in_place(kind):
    sizes = [3] * 4
    data, states, weights = problem(kind, sizes)
    hand, loop = passes(kind)
    out = hand(data, sizes, states, weights)
    out[0].mul_(2)  # the backward pass needs it: detected
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out[0].sum().backward()
    results = []
    for f in (hand, loop):  # harmless: the last state is no view of the outputs
        o, *last = f(data, sizes, states, weights)
        last[-1].mul_(2)
        loss = o.sum() + sum(v.sum() for v in last)
        results.append([o, *torch.autograd.grad(loss, [data, *states, *weights])])
    close(*results)


@pytest.mark.parametrize("kind", KINDS)
def test_backward_twice_gives_the_same(kind):
    sizes = PACKINGS["packed"]
    data, states, weights = problem(kind, sizes)
    loss = passes(kind)[0](data, sizes, states, weights)[0].sin().sum()
    wanted = [data, *states, *weights]
    once = torch.autograd.grad(loss, wanted, retain_graph=True)
    close(once, torch.autograd.grad(loss, wanted), tolerance=0)
    assert len({g.data_ptr() for g in once}) == len(once)


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_saved_without_gradients(kind, mode):
    data, states, weights = problem(kind, [3] * 4)
    hand, _ = passes(kind)
    saved = []
    with mode(), torch.autograd.graph.saved_tensors_hooks(saved.append, lambda v: v):
        out = hand(data, [3] * 4, states, weights)[0]
    assert not saved and not out.requires_grad
    with_grad = hand(data, [3] * 4, states, weights)[0]
    close([out.clone()], [with_grad.detach()], tolerance=0)


@pytest.mark.parametrize("kind", KINDS)
def test_bfloat16(kind):
    sizes = PACKINGS["packed"]
    data, states, weights = problem(kind, sizes)
    hand, _ = passes(kind)
    exact = hand(data, sizes, states, weights)
    wanted = [data, *states, *weights]
    exact_grads = torch.autograd.grad(exact[0].sum(), wanted)
    low = [v.detach().bfloat16().requires_grad_() for v in wanted]
    s = 1 + len(states)
    out = hand(low[0], sizes, low[1:s], low[s:])
    grads = torch.autograd.grad(out[0].sum(), low)
    assert {v.dtype for v in (*out, *grads)} == {torch.bfloat16}
    for a, b in zip((*out, *grads), (*exact, *exact_grads), strict=True):
        assert (a - b).norm() < 0.1 * b.norm() + 0.1


@pytest.mark.parametrize("kind", KINDS)
def test_autocast(kind):
    sizes = PACKINGS["packed"]
    data, states, weights = problem(kind, sizes, dtype=torch.float32)
    wanted = [data, *states, *weights]
    hand, _ = passes(kind)
    full = torch.autograd.grad(hand(data, sizes, states, weights)[0].sum(), wanted)
    with torch.autocast(DEVICE.type, dtype=torch.bfloat16):
        out = hand(data, sizes, states, weights)
        inside = torch.autograd.grad(out[0].sum(), wanted, retain_graph=True)
        twice = torch.autograd.grad(out[0].sum(), wanted, create_graph=True)
    assert {v.dtype for v in out} == {torch.bfloat16}
    outside = torch.autograd.grad(out[0].sum(), wanted)
    for a, b, c, d in zip(inside, outside, twice, full, strict=True):
        assert a.dtype == torch.float32 and torch.equal(a, b)
        assert (a - d).norm() < 0.1 * d.norm() + 0.1
        assert (c - d).norm() < 0.1 * d.norm() + 0.1
    plain = hand(data, sizes, states, weights)[0].sum()
    with torch.autocast(DEVICE.type, dtype=torch.bfloat16):  # backward alone under autocast
        close(torch.autograd.grad(plain, wanted), full, tolerance=0)


def saved_bytes(run, parameters):
    """Bytes that a forward pass keeps for its backward pass; parameters are kept in any case."""
    kept, free = {}, {p.untyped_storage().data_ptr() for p in parameters}

    def pack(v):
        if v.untyped_storage().data_ptr() not in free:
            kept[v.untyped_storage().data_ptr()] = v.untyped_storage().nbytes()
        return v

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda v: v):
        out = run()
    return sum(kept.values()), out


@pytest.mark.parametrize("kind", ["RNN", "relu", "GRU", "LSTM"])
def test_saves_no_more_than_torch(kind):
    N, T, D, H = 8, 100, 16, 32
    ref = layer(kind, D, H)
    x = torch.randn(T, N, D)
    states = [torch.zeros(N, H) for _ in range(2 if kind == "LSTM" else 1)]
    weights = list(ref.parameters())
    hand, _ = passes(kind)
    ours, out = saved_bytes(lambda: hand(x.flatten(0, 1), [N] * T, states, weights), weights)
    theirs, _ = saved_bytes(lambda: ref(x), weights)
    node = out[0].grad_fn
    assert not [v for v in vars(node).values() if isinstance(v, torch.Tensor)]
    assert ours <= theirs


def test_tracing_tensors_take_the_torch_path():
    from torch._subclasses import FakeTensorMode

    with FakeTensorMode():
        out = bptt.rnn(*problem_of_zeros("cpu"))
        assert out[0].shape == (12, 4)
    assert bptt.rnn(*problem_of_zeros("meta"))[1].shape == (3, 4)


def problem_of_zeros(device):
    return (
        torch.zeros(12, 2, device=device),
        [3] * 4,
        torch.zeros(3, 4, device=device),
        torch.zeros(4, 2, device=device),
        torch.zeros(4, 4, device=device),
    )


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_torch_func_transforms_the_loop(kind, reverse):
    sizes = [3] * 4
    data, states, weights = problem(kind, sizes, grad=False)
    hand, loop = passes(kind)

    def gradients(f):
        return torch.func.grad(
            lambda x, *s: f(x, sizes, s, weights, reverse)[0].sin().sum(),
            tuple(range(1 + len(states))),
        )(data, *states)

    close(gradients(hand), gradients(loop), tolerance=0)
    batched = torch.func.vmap(lambda x: hand(x, sizes, states, weights, reverse)[0])
    close(
        batched(torch.stack([data, -data]))[1:], [hand(-data, sizes, states, weights, reverse)[0]]
    )


@pytest.mark.parametrize(
    ("name", "gates", "states"), [("rnn", 1, 1), ("gru", 3, 1), ("lstm", 4, 2)]
)
def test_a_walk_goes_forward_in_time_unless_it_is_told_otherwise(name, gates, states):
    GH = gates * 3
    shapes = [(6, 2), *[(2, 3)] * states, (GH, 2), (GH, 3), (GH,), (GH,)]
    data, *others = (torch.randn(shape, dtype=torch.float64) for shape in shapes)
    for function in (getattr(bptt, name), getattr(bptt, f"{name}_loop")):
        found, forward, backward = (
            function(data, [2, 2, 2], *others, **options)[0]
            for options in ({}, {"reverse": False}, {"reverse": True})
        )
        assert torch.equal(found, forward) and not torch.equal(found, backward)
