"""The layers are torch.nn's: values, gradients, initial weights, packing, refusals."""

import copy
import pickle
import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence
from twins import (
    accurate_twins,
    assert_accurate,
    assert_refused_alike,
    assert_same,
    error,
    make_state,
    results,
    tensors,
    twins,
)

from rnnlib import cells, layers
from rnnlib.layers import RNN, BiRNN, set_memory_bias, unroll

T, N, D, H = 5, 3, 2, 4

LAYERS = [
    ("RNN", {"nonlinearity": "tanh"}),
    ("RNN", {"nonlinearity": "relu"}),
    ("GRU", {}),
    ("LSTM", {}),
]
every_layer = pytest.mark.parametrize(("name", "options"), LAYERS)

LENGTHS = {"packed": [5, 3, 3, 1], "packed unsorted": [2, 5, 1, 3]}
LAYOUTS = ["time first", "batch first", "unbatched", *LENGTHS]


def make_input(layout, device="cpu", dtype=torch.float64, steps=T):
    """Return an input, and the shape of its batch."""
    if layout in LENGTHS:
        lengths = LENGTHS[layout]
        x = torch.randn(T, len(lengths), D, dtype=dtype)
        packed = pack_padded_sequence(x, lengths, enforce_sorted=layout == "packed")
        return packed.to(device), (len(lengths),)
    shape = {"time first": (steps, N, D), "batch first": (N, steps, D), "unbatched": (steps, D)}
    return torch.randn(shape[layout], dtype=dtype).to(device), () if layout == "unbatched" else (N,)


@every_layer
@pytest.mark.parametrize("num_layers", [1, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("with_state", [True, False])
def test_parity(name, options, num_layers, bidirectional, bias, layout, with_state, device):
    options = {**options, "bidirectional": bidirectional, "bias": bias}
    # Only what comes as a 3-D tensor has a batch to put first.
    options["batch_first"] = layout not in ("time first", "packed")
    ours, theirs = twins(name, D, H, num_layers, device=device, **options)
    x, batch = make_input(layout, device)
    rows = num_layers * (1 + bidirectional)
    state = make_state(name, rows, *batch, H, device=device) if with_state else None
    assert_same(results(ours, x, state), results(theirs, x, state))
    assert tensors(ours(x)[0])[0].shape == tensors(theirs(x)[0])[0].shape


@every_layer
@pytest.mark.parametrize("layout", LENGTHS)
def test_packed_output_keeps_the_packing_and_each_sequence_its_state(name, options, layout, device):
    layer, _ = twins(name, D, H, 2, bidirectional=True, device=device, **options)
    packed, _ = make_input(layout, device)
    output, state = layer(packed)
    for field in PackedSequence._fields[1:]:
        assert getattr(output, field) is getattr(packed, field)
    x, lengths = pad_packed_sequence(packed)
    y, _ = pad_packed_sequence(output)
    for i, length in enumerate(lengths):
        alone, alone_state = layer(x[:length, i])
        torch.testing.assert_close(y[:length, i], alone, rtol=0, atol=1e-12)
        for ours, theirs in zip(tensors(state), tensors(alone_state), strict=True):
            torch.testing.assert_close(ours[:, i], theirs, rtol=0, atol=1e-12)


@every_layer
@pytest.mark.parametrize("shape", [(T, 0, D), (1, N, D), (1, 1, D)])
def test_odd_sizes(name, options, shape, device):
    ours, theirs = twins(name, D, H, 2, bidirectional=True, device=device, **options)
    x = torch.randn(shape, dtype=torch.float64).to(device)
    assert_same(results(ours, x), results(theirs, x))


@every_layer
def test_strided_input_and_expanded_gradients(name, options, device):
    ours, theirs = twins(name, D, H, device=device, **options)
    x = torch.randn(D, N, 2 * T, dtype=torch.float64).to(device).permute(2, 1, 0)[::2]
    found = []
    for layer in (ours, theirs):
        layer(x)[0].sum().backward()  # the gradient of a sum is one number, expanded
        found.append({key: p.grad for key, p in layer.named_parameters()})
    assert_same(*found)


@every_layer
def test_results_may_be_changed_in_place(name, options, device):
    ours, theirs = twins(name, D, H, device=device, **options)
    x, _ = make_input("time first", device)
    found = []
    for layer in (ours, theirs):
        output, state = layer(x)
        before = [s.clone() for s in tensors(state)]
        output.mul_(2)
        for s, b in zip(tensors(state), before, strict=True):
            assert torch.equal(s, b)
        output.square().sum().backward()
        found.append({key: p.grad for key, p in layer.named_parameters()})
    assert_same(*found)


@every_layer
@pytest.mark.parametrize("scale", [1e-30, 1e-8, 1e-4, 1.0])
def test_float32_is_accurate_at_every_scale(name, options, scale, device):
    options = {**options, "bidirectional": True}
    ours, exact = accurate_twins(name, D, H, 2, scale=scale, device=device, **options)
    x, h = scale * torch.rand(20, N, D).to(device), scale * torch.rand(4, N, H).to(device)
    output = ours(x)[0]
    assert name != "RNN" or scale / 10 < output.max() < 10 * scale
    state = (h, h) if name == "LSTM" else h
    assert_accurate(ours, exact, x, state, ulps=8, each_entry=name == "RNN")


@every_layer
@pytest.mark.parametrize("num_layers", [1, 2])
@pytest.mark.parametrize("extra", [{}, {"bias": False}, {"bidirectional": True}])
def test_the_same_seed_gives_the_same_weights(name, options, num_layers, extra):
    states = []
    for room in (layers, nn):
        torch.manual_seed(3)
        layer = getattr(room, name)(D, H, num_layers, **extra, **options)
        states.append(layer.state_dict())
        assert [len(group) for group in layer.all_weights] == [
            2 if "bias" in extra else 4
        ] * num_layers * (1 + ("bidirectional" in extra))
    ours, theirs = states
    assert list(ours) == list(theirs)
    assert_same(ours, theirs, rtol=0, atol=0)


@every_layer
@pytest.mark.parametrize(
    "extra",
    [
        {},
        {"num_layers": 2, "bias": False, "batch_first": True},
        {"num_layers": 2, "bidirectional": True, "dropout": 0.25},
    ],
)
def test_state_dict_loads_both_ways_and_repr_tells_the_options(name, options, extra):
    ours, theirs = twins(name, D, H, **extra, **options)
    ours.reset_parameters()
    theirs.load_state_dict(ours.state_dict())
    assert_same(ours.state_dict(), theirs.state_dict(), rtol=0, atol=0)
    said = repr(theirs)
    if options.get("nonlinearity") == "relu":  # which torch.nn does not show
        said = said[:-1] + ", nonlinearity=relu)"
    assert repr(ours) == said


@every_layer
def test_positional_arguments_stand_in_the_same_order(name, options):
    values = list(options.values())
    rest = (False, True, 0.5, True)  # bias, batch_first, dropout, bidirectional
    ours = getattr(layers, name)(D, H, 2, *values, *rest)
    theirs = getattr(nn, name)(D, H, 2, *values, *rest)
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    for field in ("bias", "batch_first", "dropout", "bidirectional", "num_layers", *options):
        assert getattr(ours, field) == getattr(theirs, field), field


@every_layer
@pytest.mark.parametrize("layout", ["time first", "batch first", "packed"])
@pytest.mark.parametrize("dropout", [0.5, 1])
def test_dropout_drops_what_torch_drops(name, options, layout, dropout):
    # On the CPU only: there the two draw the same numbers.
    options = {**options, "batch_first": layout == "batch first", "dropout": dropout}
    ours, theirs = twins(name, D, H, 3, bidirectional=True, **options)
    x, _ = make_input(layout)
    found = []
    for layer in (ours, theirs):
        torch.manual_seed(5)
        found.append(results(layer, x))
    assert_same(*found)
    trained = tensors(ours(x))[0]
    assert_same(results(ours.eval(), x), results(theirs.eval(), x))
    assert not torch.allclose(tensors(ours(x))[0], trained)


@every_layer
def test_dropout_without_a_layer_to_drop_from_warns_the_caller(name, options):
    with pytest.warns(UserWarning, match=r"dropout=0\.5 and num_layers=1") as caught:
        getattr(layers, name)(D, H, dropout=0.5, **options)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        getattr(layers, name)(D, H, 2, dropout=0.5, **options)


@every_layer
def test_copies_compute_the_same(name, options):
    ours, _ = twins(name, D, H, 2, bidirectional=True, **options)
    x, _ = make_input("time first")
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        assert_same(results(other, x), results(ours, x), rtol=0, atol=0)


@every_layer
def test_functional_call_uses_the_weights_it_is_given(name, options):
    ours, theirs = twins(name, D, H, 2, **options)
    x, _ = make_input("time first")
    weights = {key: 2 * p.detach() for key, p in ours.named_parameters()}
    a, b = (torch.func.functional_call(layer, weights, (x,))[0] for layer in (ours, theirs))
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    assert not torch.allclose(ours(x)[0], a)


@every_layer
def test_torch_func_transforms_a_layer(name, options):
    ours, theirs = twins(name, D, H, 2, **options)
    x, _ = make_input("time first")
    a, b = (torch.func.jacrev(lambda x: m(x)[0].sum(2))(x) for m in (ours, theirs))  # noqa: B023
    torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    batch = torch.func.vmap(lambda x: ours(x)[0])(torch.stack([x, -x]))
    torch.testing.assert_close(batch[1], ours(-x)[0], rtol=1e-10, atol=1e-10)


@every_layer
def test_weights_may_be_replaced(name, options):
    ours, theirs = twins(name, D, H, **options)
    x, _ = make_input("time first")
    for layer in (ours, theirs):
        layer.weight_hh_l0 = nn.Parameter(torch.ones_like(layer.weight_hh_l0))
    assert_same(results(ours, x), results(theirs, x))


@every_layer
@pytest.mark.parametrize("layout", ["time first", "packed unsorted"])
def test_gradcheck_of_first_and_second_order(name, options, layout):
    layer, _ = twins(name, D, 2, 2, bidirectional=True, **options)
    x, batch = make_input(layout, steps=3)
    data = tensors(x)[0].requires_grad_()
    state = [s.requires_grad_() for s in tensors(make_state(name, 4, *batch, 2))]
    weights = layer.weight_hh_l0, layer.bias_ih_l1_reverse

    def call(data, *rest):
        hx = rest[: len(state)] if len(state) > 1 else rest[0]
        changed = dict(zip(("weight_hh_l0", "bias_ih_l1_reverse"), rest[len(state) :], strict=True))
        given = x._replace(data=data) if isinstance(x, PackedSequence) else data
        return tuple(tensors(torch.func.functional_call(layer, changed, (given, hx))))

    assert torch.autograd.gradcheck(call, (data, *state, *weights))
    assert torch.autograd.gradgradcheck(call, (data, *state, *weights), fast_mode=True)


@every_layer
@pytest.mark.parametrize("layout", ["time first", "packed unsorted"])
def test_autocast_gives_torchs_dtype(name, options, layout, device):
    layer, theirs = twins(
        name, D, H, 2, bidirectional=True, dtype=torch.float32, device=device, **options
    )
    x, batch = make_input(layout, device, torch.float32)
    h = make_state(name, 4, *batch, H, dtype=torch.float32, device=device)
    exact = tensors(layer(x, h))
    with torch.autocast(device.type, dtype=torch.bfloat16):
        found = tensors(layer(x, h))
        for arguments in [(x, h), (x,), (x.to(torch.bfloat16),)]:
            dtypes = [[y.dtype for y in tensors(m(*arguments))] for m in (layer, theirs)]
            if device.type == "cpu" and not (name == "LSTM" and layout in LENGTHS):
                assert dtypes[0] == dtypes[1]
    for y, expected in zip(found, exact, strict=True):
        torch.testing.assert_close(y.float(), expected, rtol=0.05, atol=0.05)
    found[0].float().sum().backward()
    assert all(p.grad.isfinite().all() for p in layer.parameters())


@every_layer
def test_autocast_leaves_float64_alone(name, options, device):
    layer, _ = twins(name, D, H, 2, device=device, **options)
    x, _ = make_input("time first", device)
    expected = results(layer, x)
    with torch.autocast(device.type, dtype=torch.bfloat16):
        assert_same(results(layer, x), expected, rtol=0, atol=0)


@every_layer
def test_bfloat16_layers_run(name, options, device):
    layer, _ = twins(name, D, H, dtype=torch.bfloat16, device=device, **options)
    output = layer(make_input("time first", device, torch.bfloat16)[0])[0]
    assert output.dtype == torch.bfloat16 and output.isfinite().all()


def zeros(*shape, **options):
    return torch.zeros(shape, **options)


def packed(*feature_shape, dtype=torch.float32):
    return PackedSequence(zeros(5, *feature_shape, dtype=dtype), torch.tensor([3, 2]))


x32 = zeros(T, N, D)

# Arguments of the call, and what the message has to say: expected and received.
BAD_CALLS = {
    "1-D": ((zeros(D),), "2D or 3D", "1D"),
    "4-D": ((zeros(1, T, N, D),), "2D or 3D", "4D"),
    "features": ((zeros(T, N, 7),), "Expected 2, got 7"),
    "features, packed": ((packed(7),), "Expected 2, got 7"),
    "packed numbers": ((packed(),), "2 dimensions", "got 1"),
    "no steps": ((zeros(0, N, D),), "larger than 0, got 0"),
    "no steps, unbatched": ((zeros(0, D),), "larger than 0, got 0"),
    "float64": ((x32.double(),), "torch.float64", "torch.float32"),
    "float64, packed": ((packed(D, dtype=torch.float64),), "torch.float64", "torch.float32"),
    "integers": ((x32.long(),), "torch.int64", "torch.float32"),
    "device": ((x32.to("meta"),), "cpu", "meta"),
    "list": (([0.0, 0.0],), "expected a Tensor, got list"),
    "None": ((None,), "expected a Tensor, got NoneType"),
    "state 2-D": ((x32, zeros(2, H)), "3-D", "2-D"),
    "state 3-D": ((zeros(T, D), zeros(2, 1, H)), "2-D", "3-D"),
    "state 2-D, packed": ((packed(D), zeros(2, H)), "3-D", "2-D"),
    "state batch": ((x32, zeros(2, 5, H)), "(2, 3, 4)", "(2, 5, 4)"),
    "state size": ((x32, zeros(2, N, 5)), "(2, 3, 4)", "(2, 3, 5)"),
    "state layers": ((x32, zeros(1, N, H)), "(2, 3, 4)", "(1, 3, 4)"),
    "state unbatched": ((zeros(T, D), zeros(1, H)), "(2, 4)", "(1, 4)"),
    "state batch, packed": ((packed(D), zeros(2, 5, H)), "(2, 3, 4)", "(2, 5, 4)"),
    "state float64": ((x32, zeros(2, N, H).double()), "torch.float32", "torch.float64"),
    "state device": ((x32, zeros(2, N, H).to("meta")), "cpu", "meta"),
    "state of an LSTM": ((x32, (zeros(2, N, H),) * 2), "expected a Tensor, got tuple"),
}


# Here torch.nn.LSTM raises whatever happens next; ours what it raises for an ordinary batch.
ACCIDENTS = {"state 2-D, packed": RuntimeError, "float64, packed": ValueError}


@pytest.mark.parametrize("name", ["RNN", "GRU", "LSTM"])
@pytest.mark.parametrize("case", BAD_CALLS)
def test_bad_calls_are_refused_as_torch_refuses_them(case, name):
    (x, *state), *said = BAD_CALLS[case]
    ours, theirs = twins(name, D, H, 2, dtype=torch.float32)
    if name == "LSTM" and state:
        if case == "state of an LSTM":
            return
        good = torch.zeros(2, N, H) if isinstance(x, torch.Tensor) and x.dim() == 3 else state[0]
        state = [(good, state[0])]
        said = [part.replace("expected a Tensor, got tuple", "tuple (h, c)") for part in said]
    if name == "LSTM" and case in ACCIDENTS:
        raised = error(lambda: ours(x, *state))
        assert type(raised) is ACCIDENTS[case] and all(part in str(raised) for part in said)
    else:
        assert_refused_alike(lambda: ours(x, *state), lambda: theirs(x, *state), *said)


h32 = zeros(2, N, H)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (h32, "expected hx to be a tuple (h, c), got Tensor"),
        ((h32,) * 3, "expected hx to be a tuple (h, c), got 3 entries"),
        ((h32, None), "LSTM: c: expected a Tensor, got NoneType"),
        ((h32, h32[0]), "c_0 should be 3-D, got a 2-D tensor"),
        ((h32[0], h32), "h_0 should be 3-D, got a 2-D tensor"),
        ((h32, zeros(2, N, 5)), "Expected c_0 of size (2, 3, 4), got (2, 3, 5)"),
        ((zeros(2, N, 5), h32), "Expected h_0 of size (2, 3, 4), got (2, 3, 5)"),
        ((h32, h32.double()), "c_0 of the same dtype: the input is torch.float32, got c_0"),
    ],
)
def test_bad_states_of_an_lstm_are_refused_as_torch_refuses_them(state, said):
    ours, theirs = twins("LSTM", D, H, 2, dtype=torch.float32)
    assert_refused_alike(lambda: ours(x32, state), lambda: theirs(x32, state), said)


BAD_OPTIONS = {
    "input_size=0": ({"input_size": 0}, "input_size", "got 0"),
    "input_size=2.0": ({"input_size": 2.0}, "input_size", "got: float"),
    "hidden_size=-1": ({"hidden_size": -1}, "hidden_size", "got -1"),
    "hidden_size='4'": ({"hidden_size": "4"}, "hidden_size", "got: str"),
    "num_layers=0": ({"num_layers": 0}, "num_layers", "got 0"),
    "num_layers=1.5": ({"num_layers": 1.5}, "num_layers", "got: float"),
    "bias=1": ({"bias": 1}, "bias", "got: int"),
    "batch_first=1": ({"batch_first": 1}, "batch_first", "got: int"),
    "dropout=2": ({"dropout": 2}, "dropout", "[0, 1], got 2"),
    "dropout=True": ({"dropout": True}, "dropout", "[0, 1], got True"),
    "dropout='a'": ({"dropout": "a"}, "dropout", "[0, 1], got 'a'"),
    "nonlinearity": ({"nonlinearity": "sigmoid"}, "'sigmoid'", "'tanh' or 'relu'"),
    "proj_size=2": ({"proj_size": 2}, "rnnlib.", "expected proj_size 0, got 2"),
    "proj_size=-1": ({"proj_size": -1}, "rnnlib.", "expected proj_size 0, got -1"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_bad_options_are_refused_as_torch_refuses_them(case):
    changed, *said = BAD_OPTIONS[case]
    options = {"input_size": D, "hidden_size": H} | changed
    try:
        nn.RNN(**options)
    except (TypeError, ValueError) as refused:
        expected = type(refused)
    else:  # torch took no input, and any truth for a bool, until after 2.8
        expected = ValueError if "input_size" in changed else TypeError
        assert case in ("input_size=0", "bias=1", "batch_first=1")
    for name in ("RNN",) if "nonlinearity" in changed else ("RNN", "GRU", "LSTM"):
        raised = error(lambda name=name: getattr(layers, name)(**options))
        assert type(raised) is expected
        assert all(part in str(raised) for part in said)


def test_an_lstm_with_projections_is_refused_by_name():
    with pytest.raises(ValueError, match=r"rnnlib\.LSTM has no projections: .* got 2"):
        layers.LSTM(D, H, proj_size=2)


@pytest.mark.parametrize("size", ["input_size", "hidden_size", "num_layers"])
def test_true_is_no_size(size):
    with pytest.raises(TypeError, match=f"{size} should be of type int, got: bool"):
        RNN(**({"input_size": D, "hidden_size": H} | {size: True}))


def cell_of(name, options, layer, device):
    """Return the cell with the weights of a layer's first network."""
    cell = getattr(cells, f"{name}Cell")(D, H, dtype=torch.float64, **options)
    cell.load_state_dict({k.removesuffix("_l0"): w for k, w in layer.state_dict().items()})
    return cell.to(device)


@every_layer
@pytest.mark.parametrize("layout", ["time first", "unbatched"])
@pytest.mark.parametrize("with_state", [True, False])
def test_unroll_of_a_cell_is_the_layer(name, options, layout, with_state, device):
    layer, _ = twins(name, D, H, device=device, **options)
    cell = cell_of(name, options, layer, device)
    x, batch = make_input(layout, device)
    state = make_state(name, *batch, H, device=device) if with_state else None
    outputs, last = unroll(cell, x, state)
    if with_state:
        state = state[None] if isinstance(state, torch.Tensor) else tuple(s[None] for s in state)
    for ours, theirs in zip(tensors((outputs, last)), tensors(layer(x, state)), strict=True):
        torch.testing.assert_close(ours, theirs.reshape(ours.shape), rtol=0, atol=1e-12)


def test_an_lstms_state_may_be_a_list_as_torchs(device):
    layer, _ = twins("LSTM", D, H, device=device)
    x, _ = make_input("time first", device)
    h, c = make_state("LSTM", 1, N, H, device=device)
    for a, b in zip(tensors(layer(x, [h, c])), tensors(layer(x, (h, c))), strict=True):
        assert torch.equal(a, b)


def test_unroll_takes_any_callable_and_carries_tuples():
    def add_up(x_t, state):
        total, steps = (torch.zeros_like(x_t), 0) if state is None else state
        return total + x_t, steps + 1

    x = torch.arange(6.0).view(3, 1, 2)
    outputs, (total, steps) = unroll(add_up, x)
    assert torch.equal(outputs, x.cumsum(0)) and torch.equal(total, x.sum(0)) and steps == 3
    assert unroll(add_up, x, (total, 3))[1][1] == 6


def test_unroll_refuses_bad_inputs():
    cell = cells.RNNCell(D, H)
    with pytest.raises(ValueError, match="got 4 dimensions"):
        unroll(cell, zeros(1, T, N, D))
    with pytest.raises(RuntimeError, match="got 0 steps"):
        unroll(cell, zeros(0, N, D))
    assert "got 7, expected 2" in str(error(lambda: unroll(cell, zeros(T, N, 7))))


def birnn_twins(device="cpu", dtype=torch.float64, **options):
    """Return a BiRNN, and the two layers that it equals."""
    ours = BiRNN(D, H, dtype=dtype, **options)
    others = [room.RNN(D, H, bidirectional=True, dtype=dtype, **options) for room in (layers, nn)]
    for other in others:
        other.load_state_dict(ours.state_dict())
    return [module.to(device) for module in (ours, *others)]


@pytest.mark.parametrize("nonlinearity", ["tanh", "relu"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("layout", ["time first", "batch first", "unbatched"])
@pytest.mark.parametrize("with_state", [True, False])
def test_birnn_is_a_bidirectional_layer(nonlinearity, bias, layout, with_state, device):
    options = {"nonlinearity": nonlinearity, "bias": bias, "batch_first": layout != "time first"}
    ours, *others = birnn_twins(device, **options)
    x, batch = make_input(layout, device)
    state = make_state("RNN", 2, *batch, H, device=device) if with_state else None
    for other in others:
        assert_same(results(ours, x, state), results(other, x, state))


class Holder(nn.Module):
    def __init__(self, birnn):
        super().__init__()
        self.readout, self.deep = nn.Linear(1, 1), nn.ModuleList([birnn])


@pytest.mark.parametrize("wrap", [lambda module: module, Holder], ids=["alone", "nested"])
@pytest.mark.parametrize("bias", [True, False])
def test_birnn_state_dict_loads_both_ways(wrap, bias):
    ours = wrap(BiRNN(D, H, bias=bias))
    theirs = wrap(nn.RNN(D, H, bias=bias, bidirectional=True))
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [k for k, _ in ours.named_parameters()] == [k for k, _ in theirs.named_parameters()]
    for source, target in ((theirs, ours), (ours, theirs)):
        for p in source.parameters():
            nn.init.normal_(p)
        given = source.state_dict()
        keys = list(given)
        assert str(target.load_state_dict(given)) == "<All keys matched successfully>"
        assert list(given) == keys
        assert_same(dict(source.state_dict()), dict(target.state_dict()), rtol=0, atol=0)
    for other in (copy.deepcopy(ours), pickle.loads(pickle.dumps(ours))):
        other.load_state_dict(theirs.state_dict())
        assert other.state_dict().keys() == theirs.state_dict().keys()
    missing = dict(theirs.state_dict())
    missing.popitem()
    with pytest.raises(RuntimeError, match=r"Missing key.*_l0_reverse"):
        ours.load_state_dict(missing)


def test_birnns_cells_are_on_its_weights():
    layer = BiRNN(D, H)
    for cell, suffix in ((layer.forward_cell, "_l0"), (layer.backward_cell, "_l0_reverse")):
        assert repr(cell) == repr(cells.RNNCell(D, H))
        for name, p in cell.named_parameters():
            assert p is getattr(layer, name + suffix)


def test_birnn_with_a_seed_has_torchs_weights():
    states = []
    for make in (BiRNN, lambda *sizes: nn.RNN(*sizes, bidirectional=True)):
        torch.manual_seed(3)
        states.append(dict(make(D, H).state_dict()))
    assert_same(*states, rtol=0, atol=0)


BIRNN_BAD_CALLS = {
    "1-D": ((zeros(D),), "got 1"),
    "4-D": ((zeros(1, T, N, D),), "got 4"),
    "features": ((zeros(T, N, 7),), "got 7", "expected 2"),
    "no steps": ((zeros(0, N, D),), "got 0"),
    "list": (([0.0],), "BiRNN: input: expected a Tensor, got list"),
    "state of an LSTM": ((x32, (zeros(2, N, H),) * 2), "BiRNN: hx: expected a Tensor, got tuple"),
    "one state": ((x32, zeros(1, N, H)), "two states", "(1, 3, 4)"),
    "state size": ((x32, zeros(2, N, 5)), "(3, 4)", "(3, 5)"),
    "state batch": ((x32, zeros(2, 5, H)), "(3, 4)", "(5, 4)"),
    "state unbatched": ((x32, zeros(2, H)), "(3, 4)", "(4,)"),
    "state float64": ((x32, zeros(2, N, H).double()), "torch.float32", "torch.float64"),
    "device": ((x32.to("meta"),), "cpu", "meta"),
}


@pytest.mark.parametrize("case", BIRNN_BAD_CALLS)
def test_birnn_refuses_as_torch_refuses(case):
    arguments, *said = BIRNN_BAD_CALLS[case]
    ours, _, theirs = birnn_twins(dtype=torch.float32)
    assert_refused_alike(lambda: ours(*arguments), lambda: theirs(*arguments), *said)


def test_birnn_names_the_layer_that_takes_packed_sequences():
    with pytest.raises(TypeError, match=r"PackedSequence.*use RNN"):
        BiRNN(D, H)(packed(D))


# ------------------------------------------------------------------------- the bias of memory


@pytest.mark.parametrize("name", ["GRU", "LSTM"])
@pytest.mark.parametrize("library", [layers, nn])
def test_memory_bias_decides_how_much_of_the_state_is_kept(library, name):
    layer = getattr(library, name)(D, H, num_layers=2, bidirectional=True, dtype=torch.float64)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    set_memory_bias(layer, 3.0)
    # Without weights nothing is written: a step multiplies what is kept by the gate.
    state = make_state(name, 4, N, H)
    _, last = layer(torch.randn(1, N, D, dtype=torch.float64), state)
    kept, before = (last[1], state[1]) if name == "LSTM" else (last, state)
    torch.testing.assert_close(kept, torch.tensor(3.0, dtype=torch.float64).sigmoid() * before)


@pytest.mark.parametrize("name", ["GRU", "LSTM"])
def test_memory_bias_moves_nothing_else(name):
    layer = getattr(layers, name)(D, H, num_layers=2, bidirectional=True)
    before = copy.deepcopy(layer.state_dict())
    set_memory_bias(layer, -1.5)
    for key, now in layer.state_dict().items():
        rows = torch.arange(len(now))
        spared = (rows < H) | (rows >= 2 * H) if "bias" in key else rows >= 0
        assert torch.equal(now[spared], before[key][spared]), key


def test_memory_bias_is_refused_where_there_is_no_such_gate():
    with pytest.raises(TypeError, match="expected an LSTM or a GRU, got RNN"):
        set_memory_bias(RNN(D, H), 1.0)
    with pytest.raises(
        ValueError, match=r"expected a layer with biases, got LSTM\(2, 4, bias=False"
    ):
        set_memory_bias(layers.LSTM(D, H, bias=False), 1.0)
