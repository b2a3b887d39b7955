"""Which way a sequence goes: through the compiled pass, or through the loop."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd import forward_ad
from torch.utils._python_dispatch import _get_current_dispatch_mode

from rnnlib.bptt import compiled


def can_be_compiled(*tensors: Tensor) -> bool:
    """Tell whether a compiled pass may stand for the loop: plain numbers in the CPU's memory.

    Everything else needs operations that PyTorch can see: other devices and dtypes, tensors that
    stand for others, and whatever watches or transforms operations while they run.
    """
    first = tensors[0]
    return (
        compiled is not None
        and first.dtype in (torch.float32, torch.float64)
        and all(
            type(v) in (Tensor, nn.Parameter)
            and v.dtype == first.dtype
            and v.device.type == "cpu"
            and v.layout == torch.strided
            for v in tensors
        )
        and not torch._C._are_functorch_transforms_active()
        and forward_ad._current_level < 0
        and _get_current_dispatch_mode() is None
        and not torch.jit.is_tracing()
        and not torch.compiler.is_compiling()
    )


def run_pass(
    function: Callable,
    loop: Callable,
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
        The compiled pass, which knows how many gates it has.
    loop : callable
        The same as a loop.
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
    sizes = np.asarray(batch_sizes, dtype=np.int64)
    _check(function.gates, data, sizes, states, *weights)
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
        return function.apply(*tensors, sizes, reverse, keep, *options)
    with torch.autocast(device, enabled=False) if autocast else nullcontext():
        return call_loop(loop, tensors, sizes, reverse, *options)


def call_loop(loop, tensors, sizes, reverse, *options):
    """Call a loop with what its pass is given, in the order in which the pass takes it."""
    data, w_ih, w_hh, b_ih, b_hh, *states = tensors
    return loop(data, sizes.tolist(), *states, w_ih, w_hh, b_ih, b_hh, *options, reverse)


def wants_loop(*grad_outputs: Tensor) -> bool:
    """Tell whether a backward pass is itself to be differentiated, batched or traced."""
    return torch.is_grad_enabled() or not can_be_compiled(*grad_outputs)


def by_autograd(loop: Callable, ctx, inputs: list[Tensor], grad_outputs: tuple) -> tuple:
    """Take a pass's gradients from its loop: to be differentiated again, batched, or traced."""
    again = torch.is_grad_enabled()  # create_graph=True
    with torch.enable_grad(), torch.autocast(inputs[0].device.type, enabled=False):
        # An alias for each argument: one tensor given as two arguments has a gradient for each.
        inputs = [v.view_as(v) for v in inputs]
        outputs = call_loop(loop, inputs, *ctx.how)
    needed = [v for v, need in zip(inputs, ctx.needs_input_grad, strict=False) if need]
    grads = iter(torch.autograd.grad(outputs, needed, grad_outputs, create_graph=again))
    # None for what is not needed, and for all that is no tensor.
    return tuple(next(grads) if need else None for need in ctx.needs_input_grad)


def _check(gates, data, sizes, states, w_ih, w_hh, b_ih, b_hh):
    if len(sizes) == 0:
        raise RuntimeError("Expected sequence length to be larger than 0, but received 0 steps")
    if (np.diff(sizes) > 0).any():
        raise RuntimeError(f"batch_sizes must never grow, but received {sizes.tolist()}")
    if sizes[-1] < 0:
        raise RuntimeError(f"batch_sizes must not be negative, but received {sizes.tolist()}")
    rows, D, H = sizes.sum(), w_ih.shape[-1], w_hh.shape[-1]
    GH = gates * H
    expected = [("data", data, (rows, D)), ("w_ih", w_ih, (GH, D)), ("w_hh", w_hh, (GH, H))]
    expected += [("b_ih", b_ih, (GH,)), ("b_hh", b_hh, (GH,))]
    expected += [(name, s, (sizes[0], H)) for name, s in zip(("h_0", "c_0"), states, strict=False)]
    for name, tensor, shape in expected:
        if tensor is not None and tensor.shape != shape:
            shape = tuple(map(int, shape))
            raise RuntimeError(f"Expected {name} of shape {shape}, got {tuple(tensor.shape)}")
