"""The compiled passes under attack: sizes, numbers and memory at the edges, threads and processes.

What their gradients are is tested in ``test_bptt.py``, how their code is kept in ``test_cache.py``.
"""

import os
import random
import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils.data import DataLoader, Dataset

import rnnlib
from rnnlib import bptt
from rnnlib.bptt import compiled, runs
from rnnlib.bptt.__main__ import main as compile_everything

KINDS = ["RNN", "relu", "GRU", "LSTM"]
FUNCTIONS = {name: f for name, f in vars(compiled).items() if hasattr(f, "signatures")}
PART = compiled.PART
PASSES = [name for name in FUNCTIONS if name.endswith(("forward", "backward"))]


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


@pytest.fixture
def spy(monkeypatch):
    """The names of the passes that have run."""
    ran = []
    for name in PASSES:

        def run(*args, name=name, function=FUNCTIONS[name]):
            ran.append(name)
            return function(*args)

        monkeypatch.setattr(compiled, name, run)
    return ran


def layer(where, kind, *args, **kwargs):
    if kind == "relu":
        kind, kwargs["nonlinearity"] = "RNN", "relu"
    return getattr(where, kind)(*args, **kwargs)


def twins(kind, *args, **kwargs):
    """(torch's, ours) with the same weights."""
    theirs, ours = layer(nn, kind, *args, **kwargs), layer(rnnlib, kind, *args, **kwargs)
    ours.load_state_dict(theirs.state_dict())
    return theirs, ours


def flat(result):
    """Data and states of a layer's result as one list."""
    out, last = result
    out = out if isinstance(out, torch.Tensor) else out.data
    return [out, *(last if isinstance(last, tuple) else [last])]


def gradients(module, outputs, inputs, grad_outputs):
    wanted = [v for v in (*inputs, *module.parameters()) if v.requires_grad]
    if not wanted or not outputs[0].requires_grad:
        return []
    return torch.autograd.grad(outputs, wanted, grad_outputs, allow_unused=True)


# ---------------------------------------------------------------- any size, any mixture


@pytest.mark.parametrize("seeds", [range(k, k + 100) for k in (0, 100, 200, 300)], ids=str)
def test_random_problems_equal_torch_nn(seeds, spy, monkeypatch):
    for seed in seeds:
        rng = random.Random(seed)
        torch.manual_seed(seed)
        kind, dtype = rng.choice(KINDS), rng.choice([torch.float32, torch.float64])
        N = rng.choice([1, 2, 3, 4, 5, 7, 8, rng.randint(0, 40)])
        T = rng.choice([1, 2, rng.randint(1, 60)])
        D, H = (rng.choice([1, 2, 3, 4, 13, 61, rng.randint(1, 70)]) for _ in range(2))
        monkeypatch.setattr(runs, "CHUNK", rng.choice([2**17, 1000, 64, 1]))
        runs.Walk.of.cache_clear()
        options = {
            "num_layers": rng.choice([1, 1, 2]),
            "bidirectional": rng.random() < 0.5,
            "bias": rng.random() < 0.7,
            "batch_first": rng.random() < 0.3,
            "dtype": dtype,
        }
        modules = twins(kind, D, H, **options)
        x = torch.randn(*((N, T) if options["batch_first"] else (T, N)), D, dtype=dtype)
        odd = x.mT.contiguous().mT, torch.cat([x, x], -1)[..., ::2], x[..., :1].expand_as(x)
        x = rng.choice([x, x, *odd])
        x = x.detach().requires_grad_(rng.random() < 0.5)
        rows = options["num_layers"] * (1 + options["bidirectional"])
        states = [torch.randn(rows, N, H, dtype=dtype) for _ in range(1 + (kind == "LSTM"))]
        states = [s.requires_grad_(rng.random() < 0.6) for s in states]
        hx = rng.choice([None, tuple(states) if kind == "LSTM" else states[0]])
        lengths = [rng.randint(1, T) for _ in range(N)] if N and rng.random() < 0.5 else None
        for pair in zip(*(m.parameters() for m in modules), strict=True):
            needed = rng.random() < 0.7
            for p in pair:
                p.requires_grad_(needed)
        results = []
        for module in modules:
            first = options["batch_first"]
            input = x if lengths is None else pack_padded_sequence(x, lengths, first, False)
            outputs = flat(module(input, hx))
            torch.manual_seed(seed)
            grads = gradients(module, outputs, [x, *states], [torch.randn_like(v) for v in outputs])
            results.append([*outputs, *grads])
        for a, b in zip(*results, strict=True):
            assert (a is None) == (b is None), seed
            if a is not None and a.numel():
                assert a.shape == b.shape and a.dtype == b.dtype
                error = (a - b).abs().max() / a.abs().max().clamp(min=1)
                assert error < (1e-10 if dtype == torch.float64 else 1e-4), seed
        assert spy, seed
        spy.clear()


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_steps_of_one_sequence(kind):
    theirs, ours = twins(kind, 2, 3, dtype=torch.float64)
    x = torch.randn(10_000, 1, 2, dtype=torch.float64, requires_grad=True)
    results = []
    for module in (theirs, ours):
        outputs = flat(module(x))
        results.append([*outputs, *gradients(module, outputs, [x], [v.sin() for v in outputs])])
    for a, b in zip(*results, strict=True):
        assert (a - b).abs().max() < 1e-10 * max(1, a.abs().max())


@pytest.mark.parametrize("T", [PART - 1, PART, PART + 1, 2 * PART + 1])
@pytest.mark.parametrize("kind", KINDS)
def test_sums_in_parts_take_every_row(kind, T):
    theirs, ours = twins(kind, 2, 3, dtype=torch.float64)
    x = torch.randn(T, 1, 2, dtype=torch.float64)
    results = []
    for module in (theirs, ours):
        out = module(x)[0]
        results.append(gradients(module, [out], [], [torch.ones_like(out)]))
    for a, b in zip(*results, strict=True):
        assert (a - b).abs().max() < 1e-10


# ---------------------------------------------------------------- which way, and what it gives


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("kind", ["rnn", "relu", "gru", "lstm"])
def test_gradcheck_of_the_compiled_pass_itself(kind, reverse, spy):
    sizes, H = [3, 3, 2, 1], 3
    gates, states = {"gru": 3, "lstm": 4}.get(kind, 1), 1 + (kind == "lstm")
    function = bptt.rnn if kind == "relu" else getattr(bptt, kind)
    options = {"nonlinearity": "relu"} if kind == "relu" else {}
    shapes = [(9, 2), *[(3, H)] * states, (gates * H, 2), (gates * H, H), *[(gates * H,)] * 2]
    inputs = [torch.randn(s, dtype=torch.float64, requires_grad=True) for s in shapes]

    def f(data, *others):
        return function(data, sizes, *others, reverse=reverse, **options)

    assert torch.autograd.gradcheck(f, inputs)
    name = function.__name__
    assert set(spy) == {f"{name}_forward", f"{name}_backward"}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_layers_take_the_pass_with_and_without_gradients(kind, dtype, spy):
    module = layer(rnnlib, kind, 3, 4, dtype=dtype)
    out = module(torch.randn(5, 2, 3, dtype=dtype))[0]
    out.sum().backward()
    with torch.no_grad():
        module(torch.randn(5, 2, 3, dtype=dtype))
    name = "rnn" if kind == "relu" else kind.lower()
    assert spy == [f"{name}_forward", f"{name}_backward", f"{name}_forward"]


def test_all_that_layers_do_is_compiled_beforehand():
    compile_everything()
    before = {name: tuple(f.signatures) for name, f in FUNCTIONS.items()}
    strange = torch.frombuffer(bytearray(4 * 30 + 1), dtype=torch.float32, offset=1)  # unaligned
    for kind in KINDS:
        for dtype in (torch.float32, torch.float64):
            module = layer(rnnlib, kind, 3, 4, num_layers=2, bidirectional=True, dtype=dtype)
            x = torch.randn(5, 2, 3, dtype=dtype)
            for input in (
                x,
                x[:1],
                x[:, :1],
                x[:, :0],
                x.requires_grad_(),
                x.mT.contiguous().mT,
                x[:1, :1].expand(4, 3, 3),
                strange.view(5, 2, 3).to(dtype),
                pack_padded_sequence(x, [5, 3]),
            ):
                flat(module(input))[0].sum().backward()
            with torch.inference_mode():
                module(x)
            for p in module.parameters():
                p.requires_grad_(False)
            if x.requires_grad:
                module(x)[0].sum().backward()
    assert before == {name: tuple(f.signatures) for name, f in FUNCTIONS.items()}
    for name in PASSES:
        assert len(before[name]) == 2, name  # one for each float type


# ---------------------------------------------------------------- numbers at the edges


def whole_problem(kind, dtype, seed, poke):
    """Outputs and gradients of torch's layer and of ours, after `poke` changed one number."""
    torch.manual_seed(seed)
    theirs, ours = twins(kind, 5, 11, bidirectional=seed % 2 == 1, dtype=dtype)
    x = torch.randn(4, 3, 5, dtype=dtype)
    states = [torch.randn(1 + seed % 2, 3, 11, dtype=dtype) for _ in range(1 + (kind == "LSTM"))]
    outputs = flat(theirs(x, tuple(states) if kind == "LSTM" else states[0]))
    douts = [torch.randn_like(v) for v in outputs]
    parts = dict(zip(("x", "h_0", "c_0"), [x, *states], strict=False))
    parts |= dict(theirs.named_parameters())
    parts |= dict(zip(("dout", "dh_n", "dc_n"), douts, strict=False))
    if not poke(parts):
        return None
    ours.load_state_dict(theirs.state_dict())
    results = []
    for module in (theirs, ours):
        inputs = [v.detach().requires_grad_() for v in (x, *states)]
        outputs = flat(module(inputs[0], tuple(inputs[1:]) if kind == "LSTM" else inputs[1]))
        results.append([*outputs, *gradients(module, outputs, inputs, douts)])
    return results


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf], ids=str)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", KINDS)
def test_nan_and_infinity_travel_as_in_torch_nn(kind, dtype, value):
    places = ["x", "h_0", "c_0", "weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    for place in [*places, "dout", "dh_n", "dc_n"]:
        for seed in range(3):

            def poke(parts, place=place, seed=seed):
                if place in parts:
                    part = parts[place].detach().view(-1)
                    part[(7 * seed + 3) % len(part)] = value
                return place in parts

            for a, b in zip(*whole_problem(kind, dtype, seed, poke) or ([], []), strict=True):
                assert torch.equal(a.isfinite(), b.isfinite()), (place, seed)
                if kind == "GRU" and place[0] == "d":
                    continue  # torch's (dh - z dh) makes NaN of an infinite dh, our dh (1 - z) not
                assert torch.equal(a.isnan(), b.isnan()), (place, seed)
                assert torch.equal(a[a.isinf()], b[b.isinf()]), (place, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_zeros_and_numbers_below_all_normal_ones(kind):
    theirs, ours = twins(kind, 3, 4, bias=False)
    negative_zero = torch.full((4, 2, 3), -0.0)
    assert not ours(negative_zero)[0].any()
    tiny, outputs = torch.randn(4, 2, 3) * 1e-39, []
    try:
        for flushed in (False, True):  # torch sets the processor's flag, for our code as well
            torch.set_flush_denormal(flushed)
            a, b = theirs(tiny)[0], ours(tiny)[0]
            outputs.append((a, b))
    finally:
        torch.set_flush_denormal(False)
    for (a, b), flushed in zip(outputs, (False, True), strict=True):
        assert (a - b).abs().max() < 1e-44 and b.any() == (not flushed)


@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e-3, 1.0, 30.0])
@pytest.mark.parametrize("kind", KINDS)
def test_float32_gradients_are_as_accurate_as_torch_nn(kind, scale):
    theirs, ours = twins(kind, 4, 16, bias=False)
    exact = layer(rnnlib, kind, 4, 16, bias=False, dtype=torch.float64)
    with torch.no_grad():
        for p in (*theirs.parameters(), *ours.parameters()):  # no cancellation: errors are relative
            p.abs_().mul_(0.1)
    exact.load_state_dict(ours.state_dict())
    x = scale * torch.rand(20, 8, 4)
    results = []
    for module in (theirs, ours, exact):
        dtype = module.weight_ih_l0.dtype
        states = scale * torch.full((1, 8, 16), 0.5, dtype=dtype).requires_grad_()
        inputs = [x.to(dtype).requires_grad_(), states]
        outputs = flat(module(inputs[0], (states, states) if kind == "LSTM" else states))
        results.append(gradients(module, outputs, inputs, [torch.ones_like(v) for v in outputs]))
    for a, b, c in zip(*results, strict=True):
        errors = [((v - c).abs() / c.abs().clamp(min=1e-35)).max().item() for v in (a, b)]
        assert errors[1] < 16 * 2**-23 or errors[1] < 4 * errors[0]


@pytest.mark.parametrize("kind", KINDS)
def test_a_sum_over_many_rows_keeps_its_digits(kind):
    """In float32, 0.1 added 60,000 times one by one is 0.05 % too large: torch sums in parts."""
    single = layer(rnnlib, kind, 2, 3)
    double = layer(rnnlib, kind, 2, 3, dtype=torch.float64)
    double.load_state_dict(single.state_dict())
    results = []
    for module in (single, double):
        x = torch.full((300, 200, 2), 0.1, dtype=module.weight_ih_l0.dtype)
        module(x)[0].sum().backward()
        results.append([p.grad for p in module.parameters()])
    for a, b in zip(*results, strict=True):
        assert (a - b).norm() < 2e-5 * b.norm()


# ---------------------------------------------------------------- memory


def problem(kind):
    H, gates = 4, {"rnn": 1, "gru": 3, "lstm": 4}[kind]
    states = [torch.randn(3, H) for _ in range(1 + (kind == "lstm"))]
    return torch.randn(15, 3), states, [torch.randn(gates * H, 3), torch.randn(gates * H, H)]


@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_what_would_read_foreign_memory_is_refused(kind):
    data, states, weights = problem(kind)
    function = getattr(bptt, kind)
    for height in (1, 4, 2 * len(weights[0])):
        if height != len(weights[0]):
            others = [w.repeat(2, 1)[:height] for w in weights]
            others += [torch.zeros(height)] * 2
            with pytest.raises(RuntimeError, match="Expected w_ih of shape"):
                function(data, [3] * 5, *states, *others)
    with pytest.raises(RuntimeError, match="negative"):
        function(data[:2], [3, -1], *states, *weights)


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("kind", ["rnn", "gru", "lstm"])
def test_memory_of_other_kinds(kind):
    data, states, weights = problem(kind)
    function = getattr(bptt, kind)
    expected = function(data, [3] * 5, *states, *weights)
    bytes_ = bytearray(1 + data.nbytes)
    bytes_[1:] = data.numpy().tobytes()
    unaligned = torch.frombuffer(bytes_, dtype=torch.float32, offset=1).view_as(data)
    negated = torch.complex(data, -data).conj().imag
    read_only = np.frombuffer(data.numpy().tobytes(), np.float32).reshape(data.shape)
    read_only = torch.from_numpy(read_only)
    within = torch.zeros(99)[7:52].view_as(data).copy_(data)
    for other in (unaligned, read_only, within):
        for a, b in zip(expected, function(other, [3] * 5, *states, *weights), strict=True):
            assert torch.equal(a, b)
    # Its memory holds the opposite numbers, so it takes the loop, which rounds otherwise.
    for a, b in zip(expected, function(negated, [3] * 5, *states, *weights), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


def test_a_single_number_may_be_kept_as_its_opposite():
    """Such a view counts as contiguous, so that no copy on the way would resolve it."""
    data, h_0, w = torch.tensor([[0.5]]), torch.zeros(1, 1), torch.ones(1, 1)
    negated = torch.complex(data, -data).conj().imag
    assert negated.is_neg() and negated.is_contiguous()
    for a, b in zip(bptt.rnn(negated, [1], h_0, w, w), bptt.rnn(data, [1], h_0, w, w), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("what", ["weight_ih_l0", "weight_hh_l0", "input"])
def test_a_change_between_forward_and_backward_is_noticed(kind, what):
    for module in twins(kind, 3, 4):
        x = torch.randn(5, 2, 3, requires_grad=True) * 1
        loss = module(x)[0].sum()
        with torch.no_grad():
            (x if what == "input" else getattr(module, what)).mul_(1)
        with pytest.raises(RuntimeError, match="modified by an inplace operation"):
            loss.backward()


@pytest.mark.parametrize("kind", KINDS)
def test_backward_twice_needs_retain_graph(kind):
    loss = layer(rnnlib, kind, 3, 4)(torch.randn(5, 2, 3))[0].sum()
    loss.backward()
    with pytest.raises(RuntimeError, match="second time"):
        loss.backward()


def test_the_caller_s_tensors_are_not_written_to():
    for kind in ("rnn", "gru", "lstm"):
        data, states, weights = problem(kind)
        weights = [w.requires_grad_() for w in weights]
        inputs = [data.requires_grad_(), *[s.requires_grad_() for s in states], *weights]
        before = [v.detach().clone() for v in inputs]
        outputs = getattr(bptt, kind)(data, [3] * 5, *states, *weights)
        grads = [torch.randn_like(v) for v in outputs]
        copies = [v.clone() for v in (*outputs, *grads)]
        torch.autograd.backward(outputs, grads)
        for a, b in zip((*inputs, *outputs, *grads), (*before, *copies), strict=True):
            assert torch.equal(a, b)


# ---------------------------------------------------------------- threads and processes


def some_gradients():
    torch.manual_seed(0)
    grads = []
    for kind in ("RNN", "GRU", "LSTM"):
        module = layer(rnnlib, kind, 5, 16)
        module(torch.randn(20, 8, 5))[0].sin().sum().backward()
        grads += [p.grad for p in module.parameters()]
    return torch.cat([g.flatten() for g in grads])


def test_several_threads_at_once():
    modules = [layer(rnnlib, kind, 5, 16) for kind in KINDS for _ in range(2)]
    inputs = [torch.randn(20, 8, 5) for _ in modules]
    found = [[] for _ in modules]

    def work(module, x, grads):
        for _ in range(10):
            loss = module(x)[0].sin().sum()
            grads.append(torch.autograd.grad(loss, list(module.parameters())))

    for threaded in (False, True):
        threads = [
            threading.Thread(target=work, args=a) for a in zip(modules, inputs, found, strict=True)
        ]
        for thread in threads:
            thread.start()
            if not threaded:
                thread.join()
        for thread in threads:
            thread.join()
    for grads in found:
        assert len(grads) == 20
        assert all(torch.equal(a, b) for g in grads for a, b in zip(g, grads[0], strict=True))


def test_torch_s_number_of_threads_changes_nothing():
    expected, before = some_gradients(), torch.get_num_threads()
    try:
        torch.set_num_threads(3)
        assert torch.equal(some_gradients(), expected)
    finally:
        torch.set_num_threads(before)


class Gradients(Dataset):
    def __len__(self):
        return 2

    def __getitem__(self, index):
        return some_gradients()


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_workers_of_a_data_loader(method):
    if method == "fork" and not hasattr(os, "fork"):
        method = "spawn"
    expected = some_gradients()  # the parent has run the passes before it forks
    loader = DataLoader(Gradients(), num_workers=1, multiprocessing_context=method)
    for found in loader:
        assert torch.equal(found[0], expected)
