"""Nothing of the caller's changes: copies of a model, and the state of the world put back."""

import copy
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode


class _Seen(TorchFunctionMode):
    """Change nothing; while something looks on, rnnlib's layers run as loops.

    Otherwise the first examination of each would wait for its passes to be compiled in float64.
    """

    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put back, at the end, the state of every global source of random numbers.

    Inside, gradients are recorded whatever the caller's mode.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        with torch.random.fork_rng(), torch.inference_mode(False), torch.enable_grad(), _Seen():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002


def seed(number: int) -> None:
    """Seed what a model may draw from; only to be called inside `undisturbed`."""
    random.seed(number)
    np.random.seed(number)  # noqa: NPY002
    torch.default_generator.manual_seed(number)  # manual_seed would line up calls for each GPU
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(number)


def held(model: nn.Module) -> Iterator[tuple[str, Tensor, str]]:
    """Walk through all tensors that a model holds: name, tensor, and how it is held.

    How is "parameter", "buffer", or "plain": an attribute, or in a list, tuple or dict that is
    one, or in a module that is kept in such a list; of none of these `state_dict` knows.
    """
    known = {id(p): (name, p, "parameter") for name, p in model.named_parameters()}
    known |= {id(b): (name, b, "buffer") for name, b in model.named_buffers()}
    yield from known.values()
    registered = {id(module) for module in model.modules()}
    seen = set(known)

    def walk(name: str, value) -> Iterator[tuple[str, Tensor, str]]:
        if isinstance(value, Tensor | nn.Module | list | tuple | dict):
            if id(value) in seen:
                return
            seen.add(id(value))
        if isinstance(value, Tensor):
            yield name, value, "plain"
        elif isinstance(value, list | tuple):
            for i, part in enumerate(value):
                yield from walk(f"{name}[{i}]", part)
        elif isinstance(value, dict):
            for key, part in value.items():
                yield from walk(f"{name}[{key!r}]", part)
        elif isinstance(value, nn.Module) and id(value) not in registered:
            for key, tensor in (*value.named_parameters(), *value.named_buffers()):
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    yield f"{name}.{key}", tensor, "plain"

    for prefix, module in model.named_modules():
        for name, value in vars(module).items():
            # What torch keeps for itself starts with an underscore: parameters, hooks.
            if not name.startswith(("_parameters", "_buffers", "_modules", "_flat", "_non_")):
                yield from walk(f"{prefix}.{name}".lstrip("."), value)


def copied(model: nn.Module) -> nn.Module:
    """Copy a model with all that it holds.

    A tensor that is still part of a graph, such as a state kept from the last call, can't be
    copied by `copy.deepcopy`; its values are.
    """
    memo = {}
    for _, tensor, how in held(model):
        if how == "plain" and not tensor.is_leaf:
            memo[id(tensor)] = tensor.detach().clone()
        elif tensor.is_inference():
            clone = tensor.detach().clone()
            is_weight = isinstance(tensor, nn.Parameter)
            memo[id(tensor)] = nn.Parameter(clone, tensor.requires_grad) if is_weight else clone
    return copy.deepcopy(model, memo)


def stirred(model: nn.Module, number: int, size: float, *, plain: bool = False) -> nn.Module:
    """Copy a model and add noise to its weights, `size` times their own standard deviation.

    With `plain`, to what it holds outside parameters and buffers instead.
    """
    model = copied(model)
    generator = torch.Generator().manual_seed(number)
    for _, tensor, how in held(model):
        if not tensor.is_floating_point() or (how == "plain") != plain or how == "buffer":
            continue
        noise = torch.randn(tensor.shape, generator=generator).to(tensor)
        spread = tensor.detach().std().item() if tensor.numel() > 1 else 0.0
        with torch.no_grad():
            tensor.data.add_(noise, alpha=size * (spread or 1.0))
    return model
