"""Weights of a figure's network: whole numbers from -127 to 127, with a scale for each row.

A matrix is packed as two texts, which weights.js reads in the page: ``numbers``, int8, row by row,
and ``scales``, float32. Python and the page compute with the same numbers.
"""

import base64
from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn

from rnnlib.checks import check_tensor


def encoded(numbers: Tensor, kind: str) -> str:
    """Return numbers as base64; `kind` is NumPy's name of their type, as "<f8"."""
    data = numbers.detach().cpu().contiguous().numpy().astype(kind).tobytes()
    return base64.b64encode(data).decode("ascii")


def pack(W: Tensor) -> dict[str, str]:
    """Pack a matrix; of each row the largest number becomes 127 or -127.

    Parameters
    ----------
    W : Tensor, (rows, …) or (columns,)
        Of floating-point numbers, all finite. What has more dimensions is flattened behind the
        first, and a vector is one row.

    Returns
    -------
    dict of str to str
        "scales" and "numbers".

    Raises
    ------
    TypeError, ValueError
        For what is no such matrix.
    """
    check_tensor("W", W, TypeError)
    if W.dim() == 0 or not W.is_floating_point() or W.numel() == 0:
        raise ValueError(
            f"W: expected floating-point numbers (rows, …) or (columns,), got {W.dtype} of shape "
            f"{tuple(W.shape)}"
        )
    if not W.isfinite().all():
        raise ValueError("W: expected finite numbers, got inf or NaN")
    rows = _rows(W.detach().double())
    scales = (rows.abs().amax(dim=1, keepdim=True) / 127).float()
    scales = scales.clamp(min=torch.finfo(torch.float32).tiny)  # a row may be 0
    return {
        "scales": encoded(scales, "<f4"),
        "numbers": encoded((rows / scales).round().clamp(-127, 127), "i1"),
    }


def unpack(packed: Mapping[str, str]) -> Tensor:
    """Return a packed matrix, (rows, columns), in float64.

    Raises
    ------
    ValueError
        For what is not base64, and numbers that do not fill the rows.
    """
    scales, numbers = (
        np.frombuffer(base64.b64decode(packed[name], validate=True), kind).astype(float)
        for name, kind in (("scales", "<f4"), ("numbers", "i1"))
    )
    if len(scales) == 0 or len(numbers) == 0 or len(numbers) % len(scales):
        raise ValueError(
            f"packed: expected as many numbers in each row, got {len(numbers)} numbers and "
            f"{len(scales)} scales"
        )
    return torch.from_numpy(numbers.reshape(len(scales), -1) * scales[:, None])


def pack_model(model: nn.Module) -> dict[str, dict[str, str]]:
    """Pack each parameter of a model under its name."""
    return {name: pack(parameter) for name, parameter in model.state_dict().items()}


def load_packed(model: nn.Module, packed: Mapping[str, Mapping[str, str]]) -> nn.Module:
    """Load what `pack_model` has packed into a model of the same sizes, and return it.

    Raises
    ------
    ValueError
        If names or sizes differ, and as `unpack` raises it.
    """
    state = model.state_dict()
    if state.keys() != packed.keys():
        raise ValueError(f"packed: expected {', '.join(state)}, got {', '.join(packed)}")
    for name, parameter in state.items():
        rows, part = _rows(parameter), unpack(packed[name])
        if rows.shape != part.shape:
            raise ValueError(
                f"packed[{name!r}]: expected shape {tuple(rows.shape)}, got {tuple(part.shape)}"
            )
        parameter.copy_(part.view_as(parameter))
    return model


def _rows(W: Tensor) -> Tensor:
    return W[None] if W.dim() == 1 else W.flatten(1)
