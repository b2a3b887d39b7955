"""Where the book's tensors live, how its random numbers are fixed, in which mode a model runs.

A chapter asks for its device once, and every number it draws comes from the CPU's generator: a
GPU then trains the same weights on the same data, and prints the same rounded results.
"""

import os
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from rnnlib.checks import check_integer

DEVICE_NAMES = ("cpu", "cuda", "mps", "auto")


def get_device(name: str | None = None) -> torch.device:
    """Choose the device that a chapter runs on.

    Parameters
    ----------
    name : {"cpu", "cuda", "mps", "auto"}, optional
        The device. ``"cuda:1"`` and the like name one of several GPUs; ``"auto"`` takes the first
        of cuda, mps and cpu that is there. By default the environment variable
        ``RNNLIB_DEVICE`` decides, and without it the CPU, on which the book was written.

    Returns
    -------
    torch.device

    Raises
    ------
    TypeError
        If `name` is not a string.
    ValueError
        If `name` is none of the four.
    RuntimeError
        If this machine, or this build of PyTorch, does not have the device.
    """
    source = "name"
    if name is None:
        source = "RNNLIB_DEVICE"
        name = os.environ.get("RNNLIB_DEVICE") or "cpu"
    if not isinstance(name, str):
        raise TypeError(f"{source}: expected a str, got {type(name).__name__}")
    kind, _, index = name.partition(":")
    if kind not in DEVICE_NAMES or not re.fullmatch("[a-z]+|cuda:[0-9]+", name):
        raise ValueError(
            f"{source}: expected one of {', '.join(DEVICE_NAMES)} (or cuda:0, cuda:1, …), "
            f"got {name!r}"
        )
    there = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if kind == "auto":
        name = kind = next(kind for kind, present in there.items() if present)
    if not there[kind]:
        raise RuntimeError(
            f"{source}: expected a machine with the device {name!r}, but PyTorch "
            f"{torch.__version__} finds none here; choose cpu or auto"
        )
    if index and int(index) >= torch.cuda.device_count():
        raise RuntimeError(
            f"{source}: expected a GPU with index below {torch.cuda.device_count()}, got {name!r}"
        )
    return torch.device(name)


def seed_everything(seed: int) -> None:
    """Fix every random number that follows, and ask for full float32 accuracy.

    Python's, NumPy's and PyTorch's generators are seeded. Matrix products on an NVIDIA GPU are
    kept in true float32: its TF32 format carries about three decimal digits, which would be lost
    from every comparison in the book.

    Parameters
    ----------
    seed : int
        Between 0 and 2**32 - 1, the range that NumPy takes.

    Raises
    ------
    TypeError
        If `seed` is not an integer.
    ValueError
        If it is outside the range.
    """
    seed = check_integer("seed", seed)
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed: expected 0 <= seed < 2**32, got {seed}")
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (scikit-learn and others draw from this one)
    torch.manual_seed(seed)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = False


@contextmanager
def in_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Put a model in training or evaluation mode; leave each of its modules as it was.

    Parameters
    ----------
    model : Module
    training : bool
        Whether dropout drops, as ``model.train(training)`` has it.
    """
    before = {module: module.training for module in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for module, mode in before.items():
            module.training = mode
