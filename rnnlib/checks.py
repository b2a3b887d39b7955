"""What an argument may be: the checks that every room uses.

Each names the argument, what was expected and what came. Those of sizes, states and nonlinearities
raise what torch.nn raises, since the layers and cells are its twins.
"""

from numbers import Integral, Real

import torch
from torch import Tensor


def check_size(name: str, value: int) -> int:
    """Return `value` if it is a positive int; otherwise raise as torch.nn does."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
    if value <= 0:
        raise ValueError(f"{name} must be greater than zero, got {value}")
    return value


def check_nonlinearity(name: str) -> str:
    """Return `name` if it is "tanh" or "relu"; otherwise raise as torch.nn does."""
    if name not in ("tanh", "relu"):
        raise ValueError(f"Unknown nonlinearity {name!r}. Select from 'tanh' or 'relu'.")
    return name


def check_tensor(name: str, value, error: type[Exception] = AttributeError) -> None:
    """Raise an error if `value` is not a tensor: by default AttributeError, as torch.nn does."""
    if not isinstance(value, Tensor):
        raise error(f"{name}: expected a Tensor, got {type(value).__name__}")
    if value.is_nested:
        raise RuntimeError(f"{name}: expected a Tensor, got a nested one; use a PackedSequence")


def check_pair(owner: str, hx, error: type[Exception] = TypeError) -> tuple[Tensor, Tensor]:
    """Return the state (h, c) of an LSTM if it is a pair of tensors; otherwise raise.

    For what is no tuple, torch.nn's cell and its layer raise different types, hence `error`.
    """
    if not isinstance(hx, tuple | list):
        raise error(f"{owner}: expected hx to be a tuple (h, c), got {type(hx).__name__}")
    if len(hx) != 2:
        raise RuntimeError(f"{owner}: expected hx to be a tuple (h, c), got {len(hx)} entries")
    for letter, part in zip("hc", hx, strict=True):
        check_tensor(f"{owner}: {letter}", part)
    return tuple(hx)


def check_integer(name: str, value, least: int | None = None) -> int:
    """Return a whole number, from `least` up if that is given.

    Raises
    ------
    TypeError, ValueError
        For what is none, bool included, and for a smaller one.
    """
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected an int, got {type(value).__name__}")
    if least is not None and value < least:
        raise ValueError(f"{name}: expected at least {least}, got {value}")
    return int(value)


def check_number(name: str, value) -> None:
    """Raise TypeError if `value` is no real number; a bool is none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{name}: expected a number, got {type(value).__name__}")


def check_string(name: str, value) -> None:
    """Raise TypeError if `value` is not a string."""
    if not isinstance(value, str):
        raise TypeError(f"{name}: expected a string, got {type(value).__name__}")


def check_generator(generator) -> None:
    """Check the source of random numbers; None stands for torch's global one.

    Raises
    ------
    TypeError, ValueError
        For what is no generator, and for one that is not on the CPU.
    """
    if generator is None:
        return
    if not isinstance(generator, torch.Generator):
        raise TypeError(
            f"generator: expected a torch.Generator or None, got {type(generator).__name__}; "
            "torch.Generator().manual_seed(seed) makes one from a seed"
        )
    if generator.device.type != "cpu":
        raise ValueError(
            f"generator: expected one on the CPU, got one on {generator.device}; "
            "draw on the CPU and move the batch, so that every device sees the same numbers"
        )


def check_sample(batch_size, generator) -> None:
    """Check what the `sample` of a task is given; errors as from the two checks it calls."""
    check_integer("batch_size", batch_size, least=1)
    check_generator(generator)
