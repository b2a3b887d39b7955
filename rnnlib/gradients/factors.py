"""What one step multiplies a gradient by: the size of a matrix, and the slope of the units."""

from collections.abc import Callable
from numbers import Real

import torch
from torch import Tensor

SLOPES: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": lambda h: (1 - h) * (1 + h),
    "relu": lambda h: (h > 0).to(h.dtype),
    "sigmoid": lambda h: h * (1 - h),
}
"""The derivative f'(z) of each nonlinearity, as a function of its value h = f(z)."""

RANGES = {"tanh": (-1.0, 1.0), "relu": (0.0, float("inf")), "sigmoid": (0.0, 1.0)}
"""The least and the greatest value of each nonlinearity."""


def spectral_radius(W: Tensor) -> Tensor:
    """Return the largest absolute value among the eigenvalues of a square matrix.

    In the long run the powers of W grow or shrink by this factor a step.

    Parameters
    ----------
    W : Tensor, (..., H, H)

    Returns
    -------
    Tensor, (...)

    Raises
    ------
    TypeError
        If W is no tensor of float32, float64, complex64 or complex128.
    ValueError
        If W is not square, has no row, or holds nan or infinity.

    Notes
    -----
    The eigenvalues of a matrix far from symmetric are sensitive to rounding: a nilpotent matrix,
    whose eigenvalues are all 0, can show a radius well above 0 unless it is triangular.
    """
    _check_matrix(W)
    if W.size(-1) != W.size(-2) or W.size(-1) == 0:
        raise ValueError(
            f"W: expected a square matrix (..., H, H) of at least one row, got {tuple(W.shape)}"
        )
    return torch.linalg.eigvals(W).abs().amax(dim=-1)


def largest_singular_value(W: Tensor) -> Tensor:
    """Return the norm of a matrix: the most by which one product with it can stretch a vector.

    Parameters
    ----------
    W : Tensor, (..., M, N)

    Returns
    -------
    Tensor, (...)

    Raises
    ------
    TypeError
        If W is no tensor of float32, float64, complex64 or complex128.
    ValueError
        If W has fewer than two dimensions, or holds nan or infinity.
    """
    _check_matrix(W)
    return torch.linalg.matrix_norm(W, ord=2)


def _check_matrix(W: Tensor) -> None:
    known = (torch.float32, torch.float64, torch.complex64, torch.complex128)
    if not isinstance(W, Tensor) or W.dtype not in known:
        got = W.dtype if isinstance(W, Tensor) else type(W).__name__
        raise TypeError(f"W: expected a Tensor of float32 or float64, real or complex, got {got}")
    if W.dim() < 2:
        raise ValueError(f"W: expected a matrix, got shape {tuple(W.shape)}")
    # LAPACK's search for eigenvalues may end the process on nan.
    if not W.isfinite().all():
        raise ValueError("W: expected finite numbers, got nan or infinity among them")


def saturation(h: Tensor, threshold: float = 0.99) -> Tensor:
    """Return the share of tanh units that are saturated: abs(h) above the threshold.

    Parameters
    ----------
    h : Tensor, any shape
        Values of tanh, all counted alike.
    threshold : float, default 0.99
        Between 0 and 1. Where abs(h) is above 0.99, the slope of tanh is below 0.02.

    Returns
    -------
    Tensor, ()
        Between 0 and 1.

    Raises
    ------
    TypeError
        If `h` is no real floating-point tensor, or `threshold` no number.
    ValueError
        If `h` is empty or holds what is no value of tanh, or the threshold lies outside 0 … 1.
    """
    _check_values(h, "tanh")
    if not isinstance(threshold, Real | Tensor):
        raise TypeError(f"threshold: expected a number, got {type(threshold).__name__}")
    if not 0 <= threshold <= 1:
        raise ValueError(f"threshold: expected between 0 and 1, got {threshold}")
    return (h.abs() > threshold).to(torch.get_default_dtype()).mean()


def mean_slope(h: Tensor, nonlinearity: str = "tanh") -> Tensor:
    """Return the mean of f'(z), the factor a unit puts on every gradient that passes through it.

    Parameters
    ----------
    h : Tensor, any shape
        The values f(z), not z; the slope follows from them: 1 - h² for tanh.
    nonlinearity : {"tanh", "relu", "sigmoid"}
        The function f.

    Returns
    -------
    Tensor, ()

    Raises
    ------
    TypeError
        If `h` is no real floating-point tensor.
    ValueError
        If `h` is empty or holds what f never gives, or the nonlinearity is unknown.
    """
    if nonlinearity not in list(SLOPES):
        raise ValueError(f"nonlinearity: expected one of {', '.join(SLOPES)}, got {nonlinearity!r}")
    _check_values(h, nonlinearity)
    return SLOPES[nonlinearity](h).mean()


def _check_values(h: Tensor, nonlinearity: str) -> None:
    if not isinstance(h, Tensor) or not h.is_floating_point():
        got = h.dtype if isinstance(h, Tensor) else type(h).__name__
        raise TypeError(f"h: expected a Tensor of floating-point numbers, got {got}")
    if h.numel() == 0:
        raise ValueError(f"h: expected at least one value, got shape {tuple(h.shape)}")
    low, high = RANGES[nonlinearity]
    # NaN lies between no two numbers.
    wrong = h[~((low <= h) & (h <= high))]
    if wrong.numel():
        raise ValueError(
            f"h: expected values of {nonlinearity}, from {low:g} to {high:g}, "
            f"got {wrong[0].item():g}; what goes into {nonlinearity} is not meant"
        )
