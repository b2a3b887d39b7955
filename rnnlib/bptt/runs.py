"""What the three passes share: runs of steps, gradients that wait for the end of a run, checks.

The steps fall into *runs*, stretches in which the batch size stays the same, so that within a run
every step is a view of the same shape. Between runs the state waits in a buffer of N rows, of
which a run of n sequences reads and writes the first n. Rows that have not entered yet hold their
initial state, rows that have ended their final state. That is true in both directions of time,
and of dh in the backward pass as of h in the forward pass.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import groupby, pairwise
from math import ceil
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

# The backward pass takes about this many numbers at a time (half a megabyte in float32), so that
# its buffers stay in the processor's cache and serve again, however long the sequence is.
CHUNK = 2**17
MOST_STEPS = 128  # in one run of the backward pass: its views, too, serve again


class Run(NamedTuple):
    """Neighbouring steps that have the same batch size."""

    rows: slice  # of the flat data
    n: int  # batch size
    k: int  # number of steps
    m: int  # batch size of the step that the forward pass took just before; 0 if there is none


def forward_runs(batch_sizes: list[int], reverse: bool) -> list[Run]:
    """Return the runs in the order in which the forward pass takes them, as long as they can be."""
    runs = _cut(batch_sizes, lambda n: len(batch_sizes), reverse)
    return runs[::-1] if reverse else runs


def backward_runs(batch_sizes: list[int], columns: int, reverse: bool) -> list[Run]:
    """Return runs of about `CHUNK` numbers in rows of `columns`, in the backward pass's order."""
    rows = CHUNK // columns
    runs = _cut(batch_sizes, lambda n: min(MOST_STEPS, max(1, rows // max(n, 1))), reverse)
    return runs if reverse else runs[::-1]


def _cut(batch_sizes, most_steps, reverse):
    """Return runs of at most ``most_steps(n)`` steps each, in the order of time."""
    runs, start, step = [], 0, 0
    for n, group in groupby(batch_sizes):
        left = len(list(group))
        for pieces in range(ceil(left / most_steps(n)), 0, -1):
            k = ceil(left / pieces)  # pieces of equal length, or one apart
            before = step + k if reverse else step - 1
            m = batch_sizes[before] if 0 <= before < len(batch_sizes) else 0
            runs.append(Run(slice(start, start + n * k), n, k, m))
            start, step, left = start + n * k, step + k, left - k
    return runs


def most_rows(runs: list[Run]) -> int:
    """Return the number of rows that a buffer needs to serve every run."""
    return max(run.n * run.k for run in runs)


def steps_of(rows, n: int, k: int, backwards: bool) -> Sequence:
    """Return views (n, ...) of a run's k steps, in the order of time or backwards.

    `rows` may be a tensor or a NumPy array; in `split` one call makes all views.
    """
    if isinstance(rows, np.ndarray):
        views = tuple(rows.reshape(k, n, *rows.shape[1:]))
    else:
        views = rows.split([n] * k)
    return views[::-1] if backwards else views


def previous(h: Tensor, h_0: Tensor, rows: slice, n: int, m: int, reverse: bool) -> Tensor:
    """Return h_{t-1} for every row of a run: the state that the forward pass came with."""
    if reverse:
        # The step before lies behind the run, and has m <= n rows: the others enter with h_0.
        return torch.cat([h[rows.start + n : rows.stop + m], h_0[m:n]])
    # The step before has m >= n rows, of which the first n go on.
    first = h[rows.start - m :][:n] if m else h_0[:n]
    return torch.cat([first, h[rows.start : rows.stop - n]])


def receive(dh_run: Tensor, dh_steps: Sequence, dout: Tensor, dh: Tensor) -> tuple:
    """Fill a run's dh_t with dout_t, hand ``dh`` (n, H) to the first step met and empty it.

    Returns where each step adds what it sends back: the dh of the step it came from, and for the
    last one ``dh``, which takes it on to the next run.
    """
    dh_run.copy_(dout)
    dh_steps[0].add_(dh)
    dh.zero_()
    return *dh_steps[1:], dh


class WeightGradients:
    """The gradients of input, weights and biases: one product each a run, only those needed."""

    def __init__(self, ctx, data, w_ih, w_hh, columns=None):
        dx, dw_ih, dw_hh, db_ih, db_hh = ctx.needs_input_grad[:5]
        self.data, self.w_ih = data, w_ih
        self.dx = data.new_empty(data.shape) if dx else None
        self.dw_ih = w_ih.new_zeros(w_ih.shape) if dw_ih else None
        self.dw_hh = w_hh.new_zeros(w_hh.shape) if dw_hh else None
        self.db = w_ih.new_zeros(columns or len(w_ih)) if db_ih or db_hh else None

    def add(self, rows, da, da_ih, da_hh, h_prev):
        """Add a run: of the columns of ``da``, w_ih meets ``da_ih`` and w_hh meets ``da_hh``."""
        if self.dx is not None:
            torch.mm(da_ih, self.w_ih, out=self.dx[rows])  # dx = da W_xh^T
        if self.dw_ih is not None:
            self.dw_ih.addmm_(da_ih.t(), self.data[rows])  # dW_xh = sum_t x_t^T da_t, transposed
        if self.dw_hh is not None:
            self.dw_hh.addmm_(da_hh.t(), h_prev)  # dW_hh = sum_t h_{t-1}^T da_t, transposed
        if self.db is not None:
            self.db += da.sum(0)

    def result(self):
        """Return dx, dw_ih, dw_hh, db_ih, db_hh, with None for what is not needed."""
        # Two tensors for the two biases: each may be changed in place.
        db_hh = None if self.db is None else self.db.clone()
        return self.dx, self.dw_ih, self.dw_hh, self.db, db_hh


def by_autograd(loop: Callable, ctx, inputs: list[Tensor], grad_outputs: tuple) -> tuple:
    """Take the gradients from the differentiable form, so that they can be differentiated."""
    # An alias for each argument: one tensor given as two arguments has a gradient for each.
    inputs = [v.view_as(v) for v in inputs]
    with torch.autocast(inputs[0].device.type, enabled=False):
        outputs = _call(loop, inputs, *ctx.how)
        needed = [v for v, need in zip(inputs, ctx.needs_input_grad, strict=False) if need]
        grads = iter(torch.autograd.grad(outputs, needed, grad_outputs, create_graph=True))
    return tuple(next(grads) if need else None for need in ctx.needs_input_grad)


def _call(loop, tensors, batch_sizes, reverse, *options):
    """Call a loop with what its pass was given, in the order in which the pass takes it."""
    data, w_ih, w_hh, b_ih, b_hh, *states = tensors
    return loop(data, batch_sizes, *states, w_ih, w_hh, b_ih, b_hh, *options, reverse)


def loop_over_steps(
    step: Callable, data: Tensor, batch_sizes: list[int], states: tuple, reverse: bool
) -> tuple[Tensor, ...]:
    """Take every step, in either direction; rows that are not there keep their state."""
    outputs = []
    pairs = list(zip(data.split(batch_sizes), batch_sizes, strict=True))
    for x_t, n in reversed(pairs) if reverse else pairs:
        new = step(x_t, *(s[:n] for s in states))
        states = [torch.cat([v, s[n:]]) for v, s in zip(new, states, strict=True)]
        outputs.append(new[0])
    return torch.cat(outputs[::-1] if reverse else outputs), *states


def fast_tanh(like: Tensor) -> tuple[Callable, Callable]:
    """Return (tanh, array), so that ``tanh(array(v), out=array(v))`` is tanh in place, and fast.

    On the CPU that is NumPy's tanh, which writes into the tensor's own memory. It is as accurate
    at every scale as torch's (both within two units in the last place), several times faster, and
    cheaper to call. (2 sigmoid(2 v) - 1 would be fast as well, but is only right to 1e-7 or so:
    it loses a state of 1e-8 altogether.) Elsewhere it is torch's own.
    """
    if numpy_can_write_to(like):
        return np.tanh, Tensor.numpy
    return torch.tanh, same


def numpy_can_write_to(v: Tensor) -> bool:
    """Tell whether NumPy knows the dtype, and there is memory: not on a GPU or while tracing."""
    known = v.dtype in (torch.float32, torch.float64)
    return known and v.device.type == "cpu" and type(v) is Tensor


def same(v):
    """Return v."""
    return v


def contiguous_copy(v: Tensor) -> Tensor:
    """Return a copy to write to, even where `v` repeats one row by a stride of 0."""
    return v.clone(memory_format=torch.contiguous_format)


def apply_pass(
    function, loop, data, batch_sizes, states, weights, reverse, *options
) -> tuple[Tensor, ...]:
    """Check the arguments and run the pass, or its loop where only a loop can be transformed."""
    batch_sizes = list(batch_sizes)
    _check(data, batch_sizes, states, *weights)
    w_ih, w_hh, *biases = weights
    biases = [w_ih.new_zeros(len(w_ih)) if b is None else b for b in biases]
    tensors = [data, w_ih, w_hh, *biases, *states]
    how = batch_sizes, reverse, *options
    device = data.device.type
    autocast = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    if autocast:  # All in one dtype from here on. As autocast does it, float64 is left alone.
        dtype = torch.get_autocast_dtype(device)
        tensors = [v if v.dtype == torch.float64 else v.to(dtype) for v in tensors]
    with torch.autocast(device, enabled=False) if autocast else nullcontext():
        # torch.func's grad, vmap and so on transform operations one by one. They cannot look into
        # a pass, and Function.apply, which asks the same question, would refuse.
        if torch._C._are_functorch_transforms_active():
            return _call(loop, tensors, *how)
        return function.apply(*tensors, *how)


def _check(data, batch_sizes, states, w_ih, w_hh, b_ih, b_hh):
    if not batch_sizes:
        raise RuntimeError("Expected sequence length to be larger than 0, but received 0 steps")
    if any(later > earlier for earlier, later in pairwise(batch_sizes)):
        raise RuntimeError(f"batch_sizes must never grow, but received {batch_sizes}")
    rows, (GH, D), H = sum(batch_sizes), w_ih.shape, w_hh.shape[-1]
    expected = [("data", data, (rows, D)), ("w_hh", w_hh, (GH, H))]
    expected += [("b_ih", b_ih, (GH,)), ("b_hh", b_hh, (GH,))]
    expected += [
        (name, s, (batch_sizes[0], H)) for name, s in zip(("h_0", "c_0"), states, strict=False)
    ]
    for name, tensor, shape in expected:
        if tensor is not None and tensor.shape != shape:
            raise RuntimeError(f"Expected {name} of shape {shape}, got {tuple(tensor.shape)}")
