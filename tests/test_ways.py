"""Every way that PyTorch can put a layer through: as torch.nn's goes, or refused by name.

Each way is a small function of a layer and an input. It is run on torch.nn's layer and on ours,
with the same weights, and the answers are compared. A spy tells which form our layer took: the
compiled pass, or the loop. ``python tests/test_ways.py`` prints the table of outcomes.
"""

import contextlib
import copy
import io
import os
import pickle
import re
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from typing import NamedTuple

import pytest
import torch
from torch import nn
from torch.autograd import forward_ad, functional
from torch.func import functional_call
from torch.fx.experimental.proxy_tensor import make_fx
from torch.nn.utils import parametrizations, parametrize, prune
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint
from twins import tensors

from rnnlib import bptt, cells, layers, unroll
from rnnlib.bptt import choice

T, N, D, H = 4, 3, 2, 3
F64 = torch.float64

LAYERS = ("RNN", "relu", "GRU", "LSTM", "BiRNN")
CELLS = ("RNNCell", "GRUCell", "LSTMCell")
ALL = LAYERS + CELLS
SOME = ("LSTM", "BiRNN", "LSTMCell")  # where a way takes seconds
CELL_TYPES = (cells.RecurrentCell, nn.RNNCellBase)


def module(kind, library, **options):
    """Return a module in float64, ours or torch.nn's, with the same weights."""
    name = {"relu": "RNN", "BiRNN": "RNN"}.get(kind, kind)
    options |= {"relu": {"nonlinearity": "relu"}, "BiRNN": {"bidirectional": True}}.get(kind, {})
    torch.manual_seed(0)
    theirs = getattr(nn, name)(D, H, dtype=F64, **options)
    if library == "torch":
        return theirs
    if kind == "BiRNN":
        name = kind
        options.pop("bidirectional")
    ours = getattr(cells if "Cell" in name else layers, name)(D, H, dtype=F64, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours


def another(layer, **options):
    """Make a new layer of the same kind, as a user would."""
    if type(layer) is nn.RNN and layer.bidirectional:
        options["bidirectional"] = True
    if getattr(layer, "nonlinearity", "tanh") == "relu":
        options["nonlinearity"] = "relu"
    return type(layer)(D, H, **options)


class Way(NamedTuple):
    """A way, and what is expected of it."""

    run: Callable
    kinds: tuple = LAYERS
    # Which form a layer takes (BiRNN and the cells have one only): "pass", "loop", or both.
    form: str = "pass"
    # What torch.nn says where it refuses; ours is then compared with what `instead` says of it.
    torch_says: str = ""
    instead: Callable | None = None
    # What ours says where it refuses.
    we_say: str = ""


WAYS: dict[str, Way] = {}


def way(name, kinds=ALL, **expected):
    def register(run):
        assert name not in WAYS
        WAYS[name] = Way(run, kinds, **expected)
        return run

    return register


# ---------------------------------------------------------------------- what the ways are made of


def loss(outputs):
    return sum((y.abs() if y.is_complex() else y).sin().sum() for y in tensors(outputs))


def everything(layer, x):
    """Return the outputs, and the gradients by name."""
    x = x.detach().clone().requires_grad_()
    leaves = {k: p for k, p in layer.named_parameters() if p.requires_grad} | {"x": x}
    outputs = layer(x)
    gradients = torch.autograd.grad(loss(outputs), leaves.values())
    return outputs, dict(zip(leaves, gradients, strict=True))


def weights(layer):
    return {name: p.detach() for name, p in layer.named_parameters()}


def gradients(layer, x, **options):
    return torch.autograd.grad(loss(layer(x)), list(layer.parameters()), **options)


def first(outputs):
    return outputs[0] if isinstance(outputs, tuple) else outputs


def output(layer):
    """Return the function from the input to the first output."""
    return lambda x: first(layer(x))


def recurrent(layer):
    """Return the name of the recurrent matrix."""
    return "weight_hh_l0" if hasattr(layer, "weight_hh_l0") else "weight_hh"


def other(x):
    return 0.5 * x.flip(0)


class Model(nn.Module):
    def __init__(self, layer):
        super().__init__()
        torch.manual_seed(0)
        self.embed, self.rnn = nn.Linear(D, D, dtype=F64), layer
        self.readout = nn.Linear(H * (1 + getattr(layer, "bidirectional", False)), 2, dtype=F64)

    def forward(self, x):
        h, _ = self.rnn(self.embed(x))
        return self.readout(h.tanh())


class ModelOfOneState(Model):
    def forward(self, x):
        return self.readout(self.rnn(self.embed(x)).tanh())


def model_of(layer):
    single = isinstance(layer, CELL_TYPES) and "LSTM" not in type(layer).__name__
    return (ModelOfOneState if single else Model)(layer)


@way("forward and backward")
def plain(layer, x):
    return everything(layer, x)


# ------------------------------------------------------------------------------------- derivatives


@way("double backward", form="pass loop")
def double_backward(layer, x):
    x = x.requires_grad_()
    leaves = [x, *layer.parameters()]
    once = torch.autograd.grad(loss(layer(x)), leaves, create_graph=True)
    return torch.autograd.grad(loss(once), leaves)


@way("gradcheck, gradgradcheck, batched and forward-mode", form="pass loop")
def gradcheck(layer, x):
    def call(x):
        return tuple(tensors(layer(x)))

    x = x[:2].requires_grad_()
    options = {"check_forward_ad": True, "check_batched_grad": True}
    assert torch.autograd.gradcheck(call, (x,), **options)
    assert torch.autograd.gradgradcheck(call, (x,))


@way("forward_ad.make_dual of the input", form="loop")
def dual_input(layer, x):
    with forward_ad.dual_level():
        y = layer(forward_ad.make_dual(x, torch.ones_like(x)))
        return [tuple(forward_ad.unpack_dual(v)) for v in tensors(y)]


@way("forward_ad.make_dual of the weights", form="loop")
def dual_weights(layer, x):
    with forward_ad.dual_level():
        duals = {k: forward_ad.make_dual(w, torch.ones_like(w)) for k, w in weights(layer).items()}
        y = functional_call(layer, duals, (x,))
        return [tuple(forward_ad.unpack_dual(v)) for v in tensors(y)]


@way("torch.func.jvp", form="loop")
def jvp(layer, x):
    return torch.func.jvp(output(layer), (x,), (torch.ones_like(x),))


@way(
    "torch.func.linearize",
    SOME[:2],
    form="pass loop",
    torch_says="a leaf Variable that requires grad is being used in an in-place operation",
    instead=jvp,
)
def linearize(layer, x):
    y, tangent = torch.func.linearize(output(layer), x)
    return y, tangent(torch.ones_like(x))


@way("functional.jacobian(vectorize=True)", form="pass loop")
def jacobian_vectorized(layer, x):
    return functional.jacobian(output(layer), x, vectorize=True)


def jacobian(layer, x):
    return functional.jacobian(output(layer), x)


@way("functional.jacobian(strategy='forward-mode'): RNN", ("RNN", "relu", "BiRNN"), form="loop")
def jacobian_forward(layer, x):
    return functional.jacobian(output(layer), x, vectorize=True, strategy="forward-mode")


WAYS["functional.jacobian(strategy='forward-mode'): gates"] = Way(
    jacobian_forward,
    ("GRU", "LSTM"),
    form="loop",
    torch_says="Batching rule not implemented for aten::unsafe_split",
    instead=jacobian,
)


@way("functional.hessian(vectorize=True)", form="pass loop")
def hessian_vectorized(layer, x):
    return functional.hessian(lambda x: loss(layer(x)), x, vectorize=True)


@way("autograd.grad(is_grads_batched=True)", form="pass loop")
def is_grads_batched(layer, x):
    y = first(layer(x))
    vectors = torch.stack([torch.ones_like(y), y.detach()])
    leaves = list(layer.parameters())
    once = torch.autograd.grad(y, leaves, vectors, is_grads_batched=True, create_graph=True)
    again = torch.autograd.grad(y, leaves, vectors, is_grads_batched=True, retain_graph=True)
    return once, again, torch.autograd.grad(loss(once), leaves)


@way("torch.func.grad of the weights", form="loop")
def func_grad(layer, x):
    return torch.func.grad(lambda w: loss(functional_call(layer, w, (x,))))(weights(layer))


@way("torch.func.vjp, jacrev, jacfwd", form="loop")
def jacobians(layer, x):
    y, pull = torch.func.vjp(output(layer), x)
    return y, pull(y), torch.func.jacrev(output(layer))(x), torch.func.jacfwd(output(layer))(x)


@way("torch.func.hessian", form="loop")
def hessian(layer, x):
    return torch.func.hessian(lambda x: loss(layer(x)))(x)


def one_by_one(layer, x):
    return [torch.stack(ys) for ys in zip(*(tensors(layer(v)) for v in (x, other(x))), strict=True)]


@way(
    "torch.func.vmap",
    LAYERS,
    form="loop",
    torch_says="Batching rule not implemented for aten::",
    instead=one_by_one,
)
def vmap(layer, x):
    return torch.func.vmap(layer)(torch.stack([x, other(x)]))


WAYS["torch.func.vmap: RNNCell, GRUCell"] = Way(vmap, CELLS[:2])
WAYS["torch.func.vmap: LSTMCell"] = WAYS["torch.func.vmap"]._replace(kinds=CELLS[2:])


@way("torch.func.vmap over a backward pass", form="pass loop")
def vmap_over_backward(layer, x):
    y = first(layer(x))
    leaves = list(layer.parameters())
    pull = torch.func.vmap(lambda v: torch.autograd.grad(y, leaves, v, retain_graph=True))
    return pull(torch.stack([torch.ones_like(y), y.detach()]))


def sample_by_sample(layer, x):
    found = [func_grad(layer, x[:, n : n + 1]) for n in range(N)]
    return {name: torch.stack([g[name] for g in found]) for name in found[0]}


@way(
    "per-sample gradients: vmap of grad",
    LAYERS,
    form="loop",
    torch_says="doesn't match the broadcast shape",
    instead=sample_by_sample,
)
def per_sample(layer, x):
    def of_sample(w, x):
        return loss(functional_call(layer, w, (x.unsqueeze(1),)))

    return torch.func.vmap(torch.func.grad(of_sample), (None, 1))(weights(layer), x)


@way("torch.func.functional_call")
def call_functional(layer, x):
    return functional_call(layer, {k: 2 * w for k, w in weights(layer).items()}, (x,), strict=True)


def halved(layer):
    halved = copy.deepcopy(layer)
    for p in halved.parameters():
        p.data.mul_(0.5)
    return halved


def both_models(layer, x):
    pairs = zip(tensors(layer(x)), tensors(halved(layer)(x)), strict=True)
    return [torch.stack(pair) for pair in pairs]


@way(
    "ensemble: stack_module_state and vmap",
    LAYERS,
    form="loop",
    torch_says="Batching rule not implemented for aten::",
    instead=both_models,
)
def ensemble(layer, x):
    stacked = torch.func.stack_module_state([layer, halved(layer)])
    return torch.func.vmap(lambda p, b: functional_call(layer, (p, b), (x,)))(*stacked)


# ----------------------------------------------------------------------------- dtypes and devices


COMPLEX = tuple(kind for kind in ALL if kind != "relu")


@way("complex64 weights", COMPLEX, form="loop")
def complex64(layer, x):
    return everything(layer.to(torch.complex64), x.to(torch.complex64) * (1 + 1j))


@way("complex128 weights", COMPLEX, form="loop")
def complex128(layer, x):
    return everything(layer.to(torch.complex128), x.to(torch.complex128) * (1 + 1j))


NOT_FOR_COMPLEX = "clamp is not supported for complex types"
WAYS["complex128 weights: relu"] = Way(
    complex128, ("relu",), torch_says=NOT_FOR_COMPLEX, we_say=NOT_FOR_COMPLEX
)


@way("complex weights from the start", COMPLEX, form="loop")
def complex_from_the_start(layer, x):
    torch.manual_seed(0)
    made = another(layer, dtype=torch.complex128)
    return list(made.parameters()), made(x.to(torch.complex128))


@way("float16", form="loop")
def float16(layer, x):
    return layer.half()(x.half())


@way("bfloat16", form="loop")
def bfloat16(layer, x):
    return everything(layer.bfloat16(), x.bfloat16())


def under_autocast(layer, x, dtype):
    with torch.autocast("cpu", dtype=dtype):
        found = everything(layer.float(), x.float())
    return [v.to(dtype) for v in tensors([found[0], *found[1].values()])]


# A cell's sum with a bias in float32 is in float32, as GRUCell's and LSTMCell's are in torch.nn;
# hence the comparison of values, all in autocast's dtype.
@way("autocast to bfloat16", form="loop")
def autocast_bfloat16(layer, x):
    return under_autocast(layer, x, torch.bfloat16)


@way("autocast to float16", ("RNN", "relu", "GRU", "BiRNN", *CELLS), form="loop")
def autocast_float16(layer, x):
    return under_autocast(layer, x, torch.float16)


@way("set_default_dtype(float64)")
def default_dtype(layer, x):
    torch.set_default_dtype(F64)
    try:
        torch.manual_seed(0)
        return everything(another(layer), x)
    finally:
        torch.set_default_dtype(torch.float32)


@way("set_default_device('meta')", form="pass loop")
def default_device(layer, x):
    torch.set_default_device("meta")
    try:
        y = another(layer)(torch.ones(x.shape))
        assert all(v.is_meta for v in tensors(y))
        return everything(layer, x)
    finally:
        torch.set_default_device(None)


@way("under torch.device('meta')")
def device_context(layer, x):
    with torch.device("meta"):
        return everything(layer, x)


@way("meta device, then to_empty", form="pass loop")
def meta_then_empty(layer, x):
    made = another(layer, device="meta", dtype=F64)
    shapes = [torch.tensor(y.shape) for y in tensors(made(x.to("meta")))]
    made.to_empty(device="cpu").load_state_dict(layer.state_dict())
    return shapes, everything(made, x)


# ------------------------------------------------------------------------------ tracing, exporting


@way("make_fx, real", form="loop")
def make_fx_real(layer, x):
    return make_fx(layer)(x)(other(x))


@way("make_fx, fake", SOME, form="loop")
def make_fx_fake(layer, x):
    traced = make_fx(layer, tracing_mode="fake", _allow_non_fake_inputs=True)(x)
    return traced(other(x))


@way("make_fx, symbolic, another batch size", SOME, form="loop")
def make_fx_symbolic(layer, x):
    traced = make_fx(layer, tracing_mode="symbolic", _allow_non_fake_inputs=True)(x)
    return traced(torch.cat([x, x], dim=-2))


@way("make_fx of gradients", SOME, form="loop")
def make_fx_of_gradients(layer, x):
    return make_fx(lambda x: gradients(layer, x))(x)(other(x))


def exported(layer, x, **options):
    program = torch.export.export(model_of(layer), (x,), **options).module()
    return everything(program, other(x))


@way("torch.export with gradients", SOME, form="loop")
def export(layer, x):
    return exported(layer, x, strict=False)


@way("torch.export(strict=True)", ("LSTM", "LSTMCell"), form="")  # the spy is not traced
def export_strict(layer, x):
    return exported(layer, x, strict=True)


@way("torch.export(strict=True) of a BiRNN", ("BiRNN",), we_say="strict=False")
def export_strict_of_birnn(layer, x):
    return exported(layer, x, strict=True)


@way("torch.export, dynamic batch", SOME, form="loop")
def export_dynamic(layer, x):
    shapes = ({x.dim() - 2: torch.export.Dim("N")},)
    program = torch.export.export(model_of(layer), (x,), dynamic_shapes=shapes).module()
    return program(torch.cat([x, x], dim=-2))


STEPS_ARE_FIXED = re.escape("You marked T as dynamic but your code specialized it to be a constant")


@way("torch.export, dynamic time", SOME[:2], torch_says=STEPS_ARE_FIXED, we_say=STEPS_ARE_FIXED)
def export_dynamic_time(layer, x):
    torch.export.export(model_of(layer), (x,), dynamic_shapes=({0: torch.export.Dim("T")},))


@way("torch.jit.trace, another batch size", form="pass loop")
def jit_trace(layer, x):
    traced = torch.jit.trace(model_of(layer), (x,))
    file = io.BytesIO()
    torch.jit.save(traced, file)
    file.seek(0)
    loaded = torch.jit.load(file)
    return everything(traced, other(x)), loaded(torch.cat([x, x], dim=-2))


@way(
    "torch.jit.trace, another number of steps",
    LAYERS,
    we_say="to sum exactly to 24|Expected 4 elements in a list but found 8",
)
def jit_trace_other_length(layer, x):
    return torch.jit.trace(model_of(layer), (x,))(torch.cat([x, x]))


@way("torch.jit.script", we_say=r"torch\.jit\.script cannot read rnnlib's \w+: use torch\.export")
def jit_script(layer, x):
    return torch.jit.script(model_of(layer))(x)


@way("torch.fx.symbolic_trace", we_say=r": input: expected a Tensor, got Proxy")
def symbolic_trace(layer, x):
    return torch.fx.symbolic_trace(model_of(layer))(x)


def compiled(layer, x, **options):
    import torch._dynamo

    graphs = []

    def backend(graph, _):
        graphs.append([node.name for node in graph.graph.nodes if node.op == "call_function"])
        return graph.forward

    torch._dynamo.reset()
    model = model_of(layer)
    fast = torch.compile(model, backend=backend, **options)
    # The loop over time is in no graph.
    found = everything(fast, x), everything(fast, other(x))
    assert all(len(graph) <= 2 for graph in graphs) or isinstance(layer, CELL_TYPES)
    return [(y, list(g.values())) for y, g in found]


@way("torch.compile", SOME)
def compile_model(layer, x):
    return compiled(layer, x)


@way("torch.compile(dynamic=True)", SOME)
def compile_dynamic(layer, x):
    return compiled(layer, x, dynamic=True)


WAYS["torch.compile(fullgraph=True)"] = Way(
    lambda layer, x: compiled(layer, x, fullgraph=True),
    SOME[:2],
    torch_says="Dynamo does not support RNN, GRU, or LSTM",
    we_say=r"torch\.compiler\.disable\(function\).*# outside of the compiled graph",
)
WAYS["torch.compile(fullgraph=True) of a cell"] = Way(
    lambda layer, x: compiled(layer, x, fullgraph=True), CELLS
)


# --------------------------------------------------------------------------------- modes and hooks


class Watch(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.seen = set()

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        self.seen.add(function.overloadpacket.__name__)
        return function(*args, **(kwargs or {}))


@way("TorchDispatchMode", form="loop")
def dispatch_mode(layer, x):
    with Watch() as watch:
        found = everything(layer, x)
    assert watch.seen & {"tanh", "tanh_", "relu", "lstm"}, watch.seen
    return found


@way("TorchDispatchMode round the backward pass alone", form="pass loop")
def dispatch_mode_backward(layer, x):
    total = loss(layer(x))
    with Watch() as watch:
        found = torch.autograd.grad(total, list(layer.parameters()))
    assert len(watch.seen) > 3
    return found


@way("FlopCounterMode", form="loop")
def flop_counter(layer, x):
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        y = layer(x)
    if not isinstance(layer, CELL_TYPES):  # torch.nn's are one operation, which is not counted
        return y, torch.tensor(counter.get_total_flops())
    return y


@way("FakeTensorMode", form="loop")
def fake_tensors(layer, x):
    from torch._subclasses import FakeTensorMode

    with FakeTensorMode(allow_non_fake_inputs=True) as mode:
        found = tensors(layer(mode.from_tensor(x)))
        shapes = [list(v.shape) for v in found]
    assert all(type(v).__name__ == "FakeTensor" for v in found)
    return [torch.tensor(shape) for shape in shapes]


@way("torch.func.functionalize", form="loop")
def functionalize(layer, x):
    return torch.func.functionalize(layer)(x)


@way("TorchFunctionMode", form="loop")
def function_mode(layer, x):
    seen = set()

    class Names(TorchFunctionMode):
        def __torch_function__(self, function, types, args=(), kwargs=None):
            seen.add(getattr(function, "__name__", ""))
            return function(*args, **(kwargs or {}))

    with Names():
        y = layer(x)
    equations = ("tanh", "relu", "lstm", "gru", "rnn_")
    assert any(name.startswith(equations) for name in seen), seen
    return y


@way("forward hooks")
def forward_hooks(layer, x):
    layer.register_forward_pre_hook(lambda module, args: (2 * args[0],))
    layer.register_forward_hook(lambda module, args, y: 3 * first(y))
    return everything(layer, x)


def double_those_there(grads):
    return tuple(None if g is None else 2 * g for g in grads)


@way("full backward hooks")
def full_backward_hooks(layer, x):
    seen = []
    layer.register_full_backward_pre_hook(lambda module, after: double_those_there(after))
    layer.register_full_backward_hook(
        lambda module, before, after: seen.append((before, after)) or double_those_there(before)
    )
    return everything(layer, x), seen


@way("hooks on parameters")
def parameter_hooks(layer, x):
    seen = []
    for p in layer.parameters():
        p.register_hook(lambda g: 2 * g)
        p.register_post_accumulate_grad_hook(lambda p: seen.append(p.grad.clone()))
    loss(layer(x)).backward()
    return [p.grad for p in layer.parameters()], len(seen)


@way("saved tensors through NumPy: saved_tensors_hooks")
def saved_tensors_hooks(layer, x):
    def pack(v):
        return v.numpy(force=True).copy()

    with torch.autograd.graph.saved_tensors_hooks(pack, torch.from_numpy):
        return everything(layer, x)


@way("save_on_cpu")
def save_on_cpu(layer, x):
    with torch.autograd.graph.save_on_cpu():
        return everything(layer, x)


# Not of BiRNN: PyTorch's own mode loses a change to x where x[t] was saved.
@way("allow_mutation_on_saved_tensors", ("RNN", "relu", "GRU", "LSTM", "RNNCell"), form="loop")
def mutation_allowed(layer, x):
    x = x.clone()
    with torch.autograd.graph.allow_mutation_on_saved_tensors(), torch.no_grad():
        with torch.enable_grad():
            total = loss(layer(x))
        x.mul_(2)
        for p in layer.parameters():
            p.mul_(2)
        return torch.autograd.grad(total, list(layer.parameters()))


@way("detect_anomaly")
def anomaly(layer, x):
    with torch.autograd.detect_anomaly():
        return everything(layer, x)


NAN = "returned nan values in its 0th output"


@way("detect_anomaly finds NaN", torch_says=NAN, we_say=NAN)
def anomaly_nan(layer, x):
    with torch.autograd.detect_anomaly():
        return everything(layer, x * torch.nan)


@way("profiler")
def profiler(layer, x):
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]):
        return everything(layer, x)


@way("use_deterministic_algorithms")
def deterministic(layer, x):
    torch.use_deterministic_algorithms(True)
    try:
        return everything(layer, x)
    finally:
        torch.use_deterministic_algorithms(False)


@way("checkpoint(use_reentrant=True)")
def checkpoint_reentrant(layer, x):
    loss(checkpoint(layer, x.requires_grad_(), use_reentrant=True)).backward()
    return x.grad, [p.grad for p in layer.parameters()]


@way("checkpoint(use_reentrant=False)")
def checkpoint_not_reentrant(layer, x):
    loss(checkpoint(layer, x.requires_grad_(), use_reentrant=False)).backward()
    return x.grad, [p.grad for p in layer.parameters()]


@way("threads")
def threads(layer, x):
    found = [None] * 4

    def work(i):
        found[i] = everything(layer, (i + 1) * x)

    all_threads = [threading.Thread(target=work, args=(i,)) for i in range(len(found))]
    for thread in all_threads:
        thread.start()
    for thread in all_threads:
        thread.join()
    return found


@way("a replica of DataParallel")
def replica(layer, x):
    replica = layer._replicate_for_data_parallel()
    for name, p in layer.named_parameters():
        setattr(replica, name, 2 * p)
    return torch.autograd.grad(loss(replica(x)), list(layer.parameters()))


@way("inference_mode")
def inference_mode(layer, x):
    with torch.inference_mode():
        y = layer(x)
    return [v.clone() for v in tensors(y)]


@way("an inference tensor as input, without gradients")
def inference_input(layer, x):
    with torch.inference_mode():
        x, frozen = x.clone(), copy.deepcopy(layer)
    with torch.no_grad():
        return [v.clone() for v in tensors([layer(x), frozen(x)])]


SAVED = "Inference tensors cannot be saved for backward"


@way("an inference tensor as input, with gradients", torch_says=SAVED, we_say=SAVED)
def inference_input_with_gradients(layer, x):
    with torch.inference_mode():
        x = x.clone()
    return layer(x)


# -------------------------------------------------------------------------------- copies, weights


@way("copy.deepcopy")
def deepcopy(layer, x):
    return everything(copy.deepcopy(layer), x)


@way("pickle")
def pickled(layer, x):
    return everything(pickle.loads(pickle.dumps(layer)), x)


@way("torch.save of the whole module")
def saved(layer, x):
    file = io.BytesIO()
    torch.save(layer, file)
    file.seek(0)
    return everything(torch.load(file, weights_only=False), x)


@way("load_state_dict(assign=True)")
def load_assign(layer, x):
    layer.load_state_dict({k: 2 * v for k, v in layer.state_dict().items()}, assign=True)
    return everything(layer, x)


@way("load_state_dict's errors", torch_says="Missing key.*weight", we_say="Missing key.*weight")
def load_errors(layer, x):
    state = layer.state_dict()
    state["unknown"] = state.pop(recurrent(layer))
    layer.load_state_dict(state)


class Tanh(nn.Module):
    def forward(self, w):
        return w.tanh()


@way("a parametrization")
def parametrized(layer, x):
    parametrize.register_parametrization(layer, recurrent(layer), Tanh())
    with parametrize.cached():
        inside = everything(layer, x)
    return inside, everything(layer, x)


@way("parametrizations.weight_norm")
def weight_norm(layer, x):
    return everything(parametrizations.weight_norm(layer, recurrent(layer)), x)


@way("nn.utils.weight_norm")
def old_weight_norm(layer, x):
    return everything(nn.utils.weight_norm(layer, recurrent(layer)), x)


# In training torch.nn's layer reads its weight, and so iterates, more than once a call.
@way("parametrizations.spectral_norm")
def spectral_norm(layer, x):
    torch.manual_seed(0)
    return everything(parametrizations.spectral_norm(layer, recurrent(layer)).eval(), x)


@way("nn.utils.spectral_norm")
def old_spectral_norm(layer, x):
    torch.manual_seed(0)
    return everything(nn.utils.spectral_norm(layer, recurrent(layer)), x)


@way("parametrizations.orthogonal")
def orthogonal(layer, x):
    torch.manual_seed(0)
    return everything(parametrizations.orthogonal(layer, recurrent(layer)), x)


@way("prune")
def pruned(layer, x):
    prune.l1_unstructured(layer, recurrent(layer), 0.3)
    before = everything(layer, x)
    return before, everything(prune.remove(layer, recurrent(layer)), x)


@way("quantize_dynamic", ("RNN", "BiRNN"))
def quantize_dynamic(layer, x):
    model = nn.Sequential(layer.float())
    return torch.ao.quantization.quantize_dynamic(model, {nn.Linear, nn.RNN})(x.float())


@way("tied weights", LAYERS)
def tied(layer, x):
    layer.bias_hh_l0 = layer.bias_ih_l0
    return everything(layer, x)


@way("requires_grad_(False) on some weights")
def frozen(layer, x):
    for p in list(layer.parameters())[1::2]:
        p.requires_grad_(False)
    return everything(layer, x)


@way("requires_grad_(False) on all weights")
def all_frozen(layer, x):
    return everything(layer.requires_grad_(False), x)


@way("set_swap_module_params_on_conversion")
def swap_parameters(layer, x):
    torch.__future__.set_swap_module_params_on_conversion(True)
    try:
        return everything(layer.to(torch.complex128).to(F64), x)
    finally:
        torch.__future__.set_swap_module_params_on_conversion(False)


# --------------------------------------------------------------------------------- odd tensors


class Subclass(torch.Tensor):
    pass


@way("a subclass of Tensor as input", form="loop")
def subclass_input(layer, x):
    y = tensors(layer(x.as_subclass(Subclass)))
    return y, [type(v) is Subclass for v in y]


@way("a subclass of Tensor as weight", form="loop")
def subclass_weight(layer, x):
    w = getattr(layer, recurrent(layer)).detach().as_subclass(Subclass)
    setattr(layer, recurrent(layer), nn.Parameter(w))
    return [v.as_subclass(torch.Tensor) for v in tensors(layer(x))]


@way("strided input")
def strided(layer, x):
    x = torch.stack([x, -x]).permute(*range(1, x.dim()), 0, x.dim())[..., 1, :]
    return everything(layer, x.mT.contiguous().mT)


@way("expanded input and expanded gradients")
def expanded(layer, x):
    y = first(layer(x[:1].expand_as(x)))
    return y, torch.autograd.grad(y.sum(), list(layer.parameters()))


@way("a conjugate's imaginary part as input", form="loop")
def negative_bit(layer, x):
    x = torch.complex(x, x).conj().imag
    assert x.is_neg()
    return layer(x)


@way("an empty batch")
def empty_batch(layer, x):
    return everything(layer, x[..., :0, :])


@way(
    "no steps", LAYERS, torch_says="larger than 0 in RNN", we_say="larger than 0|at least one step"
)
def no_steps(layer, x):
    return layer(x[:0])


@way(
    "a nested tensor",
    LAYERS,
    torch_says="Given dimension 1 is irregular",
    we_say="expected a Tensor, got a nested one; use a PackedSequence",
)
def nested(layer, x):
    return layer(torch.nested.nested_tensor([x[0], x[1][:2]]))


NOT_FOR_SPARSE = "reshape is not implemented for sparse tensors"


@way("a sparse tensor", LAYERS[:-1], torch_says=NOT_FOR_SPARSE, we_say=NOT_FOR_SPARSE)
def sparse(layer, x):
    return layer(x.to_sparse())


# ------------------------------------------------- changes in place before the way back: an error


CHANGED = "modified by an inplace operation"


def change_in_place(layer, x, pick):
    """Change one tensor between the ways there and back."""
    x = x.clone()
    h_0 = torch.zeros(2 if layer.bidirectional else 1, N, H, dtype=F64)
    state = (h_0, h_0.clone()) if type(layer).__name__ == "LSTM" else h_0
    y = layer(x, state)
    total = loss(y)
    with torch.no_grad():
        pick(layer, x, h_0, tensors(y)).mul_(2).add_(1)
    return torch.autograd.grad(total, list(layer.parameters()))


def in_place(name, pick, kinds=LAYERS, **expected):
    WAYS[name] = Way(lambda layer, x: change_in_place(layer, x, pick), kinds, **expected)


BOTH_FIND_IT = {"torch_says": CHANGED, "we_say": CHANGED}
in_place("input changed in place", lambda layer, x, h_0, y: x, **BOTH_FIND_IT)
in_place("state changed in place", lambda layer, x, h_0, y: h_0, **BOTH_FIND_IT)
in_place("recurrent weights changed in place", lambda m, x, h_0, y: m.weight_hh_l0, **BOTH_FIND_IT)
in_place("output changed in place", lambda layer, x, h_0, y: y[0], **BOTH_FIND_IT)
in_place("last state changed in place", lambda layer, x, h_0, y: y[1], **BOTH_FIND_IT)
# What a pass hands to its loop has to be as it was; torch.nn does not keep these two.
in_place(
    "input weights changed in place", lambda m, *_: m.weight_ih_l0, LAYERS[:-1], we_say=CHANGED
)
in_place("bias changed in place", lambda m, *_: m.bias_ih_l0, LAYERS[:-1], we_say=CHANGED)


@way("outputs changed in place, with gradients", LAYERS)
def outputs_in_place(layer, x):
    y = layer(x)
    for v in tensors(y):
        v.mul_(2)
    return y, torch.autograd.grad(loss(y), list(layer.parameters()))


TWICE = "Trying to backward through the graph a second time"


@way("backward twice", torch_says=TWICE, we_say=TWICE)
def backward_twice(layer, x):
    total = loss(layer(x))
    total.backward()
    total.backward()


# ------------------------------------------------------------------------------------- trying them


class Outcome(NamedTuple):
    """What came of a way: an answer or an error, and the forms that our layer took."""

    answer: object
    error: Exception | None
    forms: str


@contextlib.contextmanager
def spy():
    """List the forms that are taken: "pass" where a compiled pass ran, "loop" where a loop did."""
    forms, changed = [], []

    def watch(owner, name, form, wrap=lambda f: f):
        original = getattr(owner, name)
        changed.append((owner, name, owner.__dict__[name]))
        setattr(owner, name, wrap(lambda *args: forms.append(form) or original(*args)))

    for name in ("rnn", "gru", "lstm"):
        function = getattr(sys.modules[f"rnnlib.bptt.{name}"], f"{name.upper()}Pass")
        watch(function, "forward", "pass", staticmethod)
    watch(choice, "call_loop", "loop")
    try:
        yield forms
    finally:
        for owner, name, original in changed:
            setattr(owner, name, original)


def outcome(run, kind, library) -> Outcome:
    x = torch.randn(T, N, D, dtype=F64, generator=torch.Generator().manual_seed(1))
    layer = module(kind, library)
    answer = error = None
    with warnings.catch_warnings(), spy() as forms:
        warnings.simplefilter("ignore")
        try:
            answer = run(layer, x[0] if kind in CELLS else x)
        except Exception as raised:
            error = raised
    return Outcome(answer, error, " ".join(sorted(set(forms), reverse=True)))


def parts(answer) -> list:
    """Flatten an answer to its tensors and numbers, names included."""
    if isinstance(answer, dict):
        return [part for k, v in answer.items() for part in (k, *parts(v))]
    if isinstance(answer, list | tuple):
        return [part for v in answer for part in parts(v)]
    return [answer]


def assert_equal(ours, theirs):
    ours, theirs = parts(ours), parts(theirs)
    assert len(ours) == len(theirs)
    for a, b in zip(ours, theirs, strict=True):
        if not isinstance(a, torch.Tensor):
            assert a == b
            continue
        single = a.dtype in (torch.float32, torch.complex64)
        exact = a.dtype in (F64, torch.complex128) or not (a.is_floating_point() or a.is_complex())
        tolerance = 1e-10 if exact else 1e-5 if single else 2e-2
        torch.testing.assert_close(a, b, rtol=tolerance, atol=tolerance)


# On PyTorch 2.4, the oldest that rnnlib accepts, torch.nn goes these ways with other results, or
# ours cannot go them: export and compile were young.
NOT_ON_2_4 = {
    "torch.func.linearize",
    "make_fx, symbolic, another batch size",
    "torch.export(strict=True)",
    "torch.export(strict=True) of a BiRNN",
    "torch.export, dynamic batch",
    "torch.export, dynamic time",
    "torch.compile(fullgraph=True)",
}
assert NOT_ON_2_4 <= WAYS.keys()

CASES = [
    (name, kind)
    for name, way in WAYS.items()
    for kind in way.kinds
    if not (name in NOT_ON_2_4 and torch.__version__.startswith("2.4."))
]


@pytest.mark.parametrize(("name", "kind"), CASES, ids=[f"{kind}: {name}" for name, kind in CASES])
def test_way(name, kind):
    way = WAYS[name]
    theirs, ours = (outcome(way.run, kind, library) for library in ("torch", "ours"))
    if way.torch_says:
        assert re.search(way.torch_says, str(theirs.error)), theirs
    elif theirs.error:
        raise theirs.error
    if way.we_say:
        assert re.search(way.we_say, str(ours.error), re.DOTALL), ours
        return
    if ours.error:
        raise ours.error
    expected = outcome(way.instead, kind, "torch") if way.instead else theirs
    assert_equal(ours.answer, expected.answer)
    assert ours.forms == ("" if kind in ("BiRNN", *CELLS) else way.form)


def fresh_python(code):
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr


def test_no_compiler_is_loaded_unasked():
    fresh_python(
        "import sys, torch, rnnlib\n"
        "rnnlib.LSTM(2, 3)(torch.zeros(4, 1, 2))[0].sum().backward()\n"
        "rnnlib.unroll(rnnlib.RNNCell(2, 3), torch.zeros(4, 1, 2))\n"
        "assert 'torch._dynamo' not in sys.modules"
    )


@pytest.mark.parametrize("what", ["pass", "unroll"])
def test_a_compiled_function_steps_over_the_loop(what):
    import torch._dynamo

    graphs = []

    def backend(graph, _):
        graphs.append(len(graph.graph.nodes))
        return graph.forward

    cell = module("RNNCell", "ours")
    w = list(weights(cell).values())

    def function(x, h_0):
        if what == "unroll":
            return unroll(cell, 2 * x)[0] + 1
        return bptt.rnn((2 * x).flatten(0, 1), [N] * T, h_0, *w)[0].view(T, N, H) + 1

    x, h_0 = torch.randn(T, N, D, dtype=F64), torch.zeros(N, H, dtype=F64)
    torch._dynamo.reset()
    fast = torch.compile(function, backend=backend)
    assert_equal(fast(x, h_0), function(x, h_0))
    assert graphs and max(graphs) < 8


def test_a_weight_is_read_once_a_call():
    """Spectral norm iterates whenever its weight is read."""
    calls = []

    class Count(nn.Module):
        def forward(self, w):
            calls.append(w.shape)
            return w

    for kind in LAYERS:
        layer = module(kind, "ours")
        names = list(weights(layer))
        for name in names:
            parametrize.register_parametrization(layer, name, Count())
        calls.clear()
        layer(torch.zeros(T, N, D, dtype=F64))
        assert len(calls) == len(names), kind


def table():
    """Print what came of every way, torch.nn's layer beside ours."""

    def said(found, pattern):
        if found.error is None:
            return "works"
        text = str(found.error)
        match = re.search(pattern or "$", text, re.DOTALL)
        start = text.rfind("\n", 0, match.start()) + 1 if match else 0
        return f"{type(found.error).__name__}: {text[start:].splitlines()[0].strip()[:90]}"

    print("| way | of | torch.nn | ours | form |\n|---|---|---|---|---|")
    for name, way in WAYS.items():
        rows = {}
        for kind in way.kinds:
            theirs, ours = (outcome(way.run, kind, library) for library in ("torch", "ours"))
            verdict = said(ours, way.we_say)
            if ours.error is None:
                expected = outcome(way.instead, kind, "torch") if way.instead else theirs
                try:
                    assert_equal(ours.answer, expected.answer)
                    verdict = "equal"
                except AssertionError as error:
                    verdict = f"DIFFERENT: {error}"
            kinds, forms = rows.setdefault((said(theirs, way.torch_says), verdict), ([], []))
            kinds.append(kind)
            forms.append(ours.forms)
        for (theirs, ours), (kinds, forms) in rows.items():
            print(f"| {name} | {' '.join(kinds)} | {theirs} | {ours} | {max(forms)} |", flush=True)


if __name__ == "__main__":
    table()
