"""Which way a sequence goes: through the compiled pass, or through the loop."""

import functools
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.overrides import _get_current_function_mode_stack
from torch.utils._device import DeviceContext
from torch.utils._python_dispatch import _get_current_dispatch_mode

from rnnlib.bptt import compiled

_is_exporting = getattr(torch.compiler, "is_exporting", lambda: False)  # new in torch 2.7


def eagerly(function: Callable) -> Callable:
    """Let ``torch.compile`` step over a function, as it does over torch.nn's recurrent layers.

    It would unroll the loop over time, which takes minutes and makes a slower network.
    ``torch.compiler.disable`` does the same, but loads the compiler, a second, unasked.
    """

    @functools.wraps(function)
    def run(*args, **kwargs):
        if "torch._dynamo" not in sys.modules or _is_exporting():
            return function(*args, **kwargs)
        return torch.compiler.disable(function)(*args, **kwargs)  # outside of the compiled graph

    return run


def can_be_compiled(*tensors: Tensor) -> bool:
    """Tell whether a compiled pass may stand for the loop: plain numbers in the CPU's memory.

    Everything else needs operations that PyTorch can see: other devices and dtypes, tensors that
    stand for others, and whatever watches or transforms operations while they run.
    """
    dtype = tensors[0].dtype
    return (
        compiled is not None
        and not is_watched()
        and dtype in (torch.float32, torch.float64)
        and all(v.dtype == dtype and _is_plain(v) for v in tensors)
    )


def is_watched() -> bool:
    """Tell whether something transforms, records or traces operations while they run."""
    return (
        torch.compiler.is_compiling()
        or torch.jit.is_tracing()
        or torch._C._are_functorch_transforms_active()
        or forward_ad._current_level >= 0
        or _get_current_dispatch_mode() is not None
        or not all(isinstance(m, DeviceContext) for m in _get_current_function_mode_stack())
    )


def _is_plain(v: Tensor) -> bool:
    """Tell whether a tensor is what it says it is: numbers in memory, row by row or strided."""
    return (
        type(v) in (Tensor, nn.Parameter)
        and v.device.type == "cpu"
        and v.layout == torch.strided
        and not v.is_nested
        and not v.is_neg()
        and not torch._C._functorch.is_legacy_batchedtensor(v)  # is_grads_batched=True
    )


@eagerly
def run_pass(
    function: Callable,
    loop: Callable,
    gates: int,
    data: Tensor,
    batch_sizes: Sequence[int],
    states: tuple[Tensor, ...],
    weights: tuple[Tensor | None, ...],
    reverse: bool,
    *options,
) -> tuple[Tensor, ...]:
    """Check the arguments of a pass, and give them to it or to its loop.

    Parameters
    ----------
    function : autograd Function
        The compiled pass.
    loop : callable
        The same as a loop.
    gates : int
        How many matrices stand one below the other in each weight.
    data, batch_sizes, states, weights, reverse
        As `rnn` takes them; `weights` are w_ih, w_hh, b_ih, b_hh.
    *options
        What only one kind takes, such as the nonlinearity.

    Returns
    -------
    tuple of Tensor
        The outputs, and each sequence's last states.

    Raises
    ------
    RuntimeError
        If there are no steps, or batch sizes and shapes do not agree.
    """
    sizes = list(batch_sizes)
    _check(gates, data, sizes, states, *weights)
    w_ih, w_hh, *biases = weights
    biases = [w_ih.new_zeros(len(w_ih)) if b is None else b for b in biases]
    tensors = [data, w_ih, w_hh, *biases, *states]
    device = data.device.type
    autocast = torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device)
    if autocast:  # All in one dtype from here on. As autocast does it, float64 is left alone.
        dtype = torch.get_autocast_dtype(device)
        tensors = [v if v.dtype == torch.float64 else v.to(dtype) for v in tensors]
    if can_be_compiled(*tensors):
        keep = torch.is_grad_enabled() and any(v.requires_grad for v in tensors)
        sizes = np.asarray(sizes, dtype=np.int64)
        return function.apply(*tensors, sizes, reverse, keep, *options)
    with torch.autocast(device, enabled=False) if autocast else nullcontext():
        return call_loop(loop, tensors, sizes, reverse, *options)


def call_loop(loop, tensors, sizes, reverse, *options):
    """Call a loop with what its pass is given, in the order in which the pass takes it."""
    data, w_ih, w_hh, b_ih, b_hh, *states = tensors
    return loop(data, sizes, *states, w_ih, w_hh, b_ih, b_hh, *options, reverse)


def wants_loop(*grad_outputs: Tensor) -> bool:
    """Tell whether a backward pass is itself to be differentiated, batched or traced."""
    return torch.is_grad_enabled() or not can_be_compiled(*grad_outputs)


def by_autograd(loop: Callable, ctx, inputs: list[Tensor], grad_outputs: tuple) -> tuple:
    """Take a pass's gradients from its loop: to be differentiated again, batched, or traced."""
    again = torch.is_grad_enabled()  # create_graph=True
    with torch.enable_grad(), torch.autocast(inputs[0].device.type, enabled=False):
        # An alias for each argument: one tensor given as two arguments has a gradient for each.
        inputs = [v.view_as(v) for v in inputs]
        sizes, *options = ctx.how
        outputs = call_loop(loop, inputs, sizes.tolist(), *options)
    needed = [v for v, need in zip(inputs, ctx.needs_input_grad, strict=False) if need]
    grads = iter(torch.autograd.grad(outputs, needed, grad_outputs, create_graph=again))
    # None for what is not needed, and for all that is no tensor.
    return tuple(next(grads) if need else None for need in ctx.needs_input_grad)


def _check(gates, data, sizes, states, w_ih, w_hh, b_ih, b_hh):
    if len(sizes) == 0:
        raise RuntimeError("Expected sequence length to be larger than 0, but received 0 steps")
    if any(later > earlier for earlier, later in pairwise(sizes)):
        raise RuntimeError(f"batch_sizes must never grow, but received {sizes}")
    if sizes[-1] < 0:
        raise RuntimeError(f"batch_sizes must not be negative, but received {sizes}")
    rows, D, H = sum(sizes), w_ih.shape[-1], w_hh.shape[-1]
    GH = gates * H
    expected = [("data", data, (rows, D)), ("w_ih", w_ih, (GH, D)), ("w_hh", w_hh, (GH, H))]
    expected += [("b_ih", b_ih, (GH,)), ("b_hh", b_hh, (GH,))]
    expected += [(name, s, (sizes[0], H)) for name, s in zip(("h_0", "c_0"), states, strict=False)]
    for name, tensor, shape in expected:
        if tensor is not None and tensor.shape != shape:
            shape = tuple(map(int, shape))
            raise RuntimeError(f"Expected {name} of shape {shape}, got {tuple(tensor.shape)}")
