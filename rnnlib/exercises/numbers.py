"""What a reader's function gave, as numbers that can be compared and shown.

Every form counts: a number, a list, a NumPy array, a tensor with or without a graph. What is none
of these is told so.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from rnnlib.exercises.calling import one_line
from rnnlib.exercises.verdict import WrongAnswer

# Relative to the largest entry. float32 is always enough: a reader may well have added up in it.
TOLERANCE = 3e-5
SHOWN = 8  # numbers of an array that a message shows


@dataclass(frozen=True)
class Numbers:
    """An answer in float64.

    Parameters
    ----------
    array : ndarray
    whole : bool
        Whether it came as integers or booleans.
    dtype : str
        What it came in, such as ``"int64"``; empty for Python's own numbers.
    """

    array: np.ndarray
    whole: bool
    dtype: str


def as_numbers(name: str, value) -> Numbers:
    """Read a number, list, NumPy array or tensor.

    Parameters
    ----------
    name : str
        What a message should call it.
    value : object
        What the reader's function returned.

    Raises
    ------
    WrongAnswer
        If it holds no real numbers, or lists of different lengths.
    """
    if isinstance(value, Numbers):
        return value
    try:
        raw = _as_array(name, value)
        if raw.dtype.kind not in "biuf":
            raise WrongAnswer(f"expected numbers for {name}, got {_kind(value)}.")
        array = np.array(raw, dtype=np.float64)
    except WrongAnswer:
        raise
    except RecursionError:
        raise WrongAnswer(f"{name} is a list that holds itself.") from None
    except Exception as error:
        raise WrongAnswer(
            f"{name} cannot be read as numbers: {type(error).__name__}: {one_line(error)}"
        ) from None
    return Numbers(array, raw.dtype.kind in "biu", dtype_of(value))


def dtype_of(value) -> str:
    """Return the name of a tensor's or array's dtype; empty if it has none."""
    return str(getattr(value, "dtype", "")).removeprefix("torch.")


def _as_array(name: str, value) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        return _from_tensor(name, value)
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind == "O":
            return _from_list(name, value.tolist())
        if value.dtype.kind == "c":
            raise _complex(name)
        return np.asarray(value)
    if isinstance(value, bool | int | float):
        return np.asarray(value)
    if isinstance(value, complex):
        raise _complex(name)
    if isinstance(value, str | bytes | Mapping | torch.nn.Module | type) or value is None:
        raise WrongAnswer(f"expected numbers for {name}, got {_kind(value)}.")
    if isinstance(value, Sequence):
        return _from_list(name, value)
    if hasattr(value, "__array__"):
        return np.asarray(value)
    if hasattr(value, "__float__"):  # Fraction, Decimal
        return np.asarray(float(value))
    raise WrongAnswer(
        f"expected numbers for {name}, got {_kind(value)}: return an array, a tensor or a list."
    )


def _from_tensor(name: str, value: torch.Tensor) -> np.ndarray:
    if value.is_meta:
        raise WrongAnswer(f"{name} is a tensor on the meta device, which holds no numbers.")
    if value.is_complex():
        raise _complex(name)
    value = value.detach()
    if value.layout != torch.strided:
        value = value.to_dense()
    value = value.cpu()
    return (value.double() if value.is_floating_point() else value).numpy()


def _from_list(name: str, value) -> np.ndarray:
    if not isinstance(value, Sequence):  # an object array of one thing
        return _as_array(name, value)
    parts = [_as_array(name, part) for part in value]
    if not parts:
        return np.zeros(0)
    shapes = sorted({part.shape for part in parts})
    if len(shapes) > 1:
        raise WrongAnswer(
            f"the parts of {name} have different shapes, {shapes[0]} and {shapes[1]}: "
            "expected one array."
        )
    return np.stack(parts)


def _complex(name: str) -> WrongAnswer:
    return WrongAnswer(f"{name} is complex, where real numbers are expected: is an abs missing?")


def _kind(value) -> str:
    if value is None:
        return "None"
    name = type(value).__name__
    return f"an {name}" if name[0].lower() in "aeiou" else f"a {name}"


def allowed(expected: Numbers, floor: float = 0.0) -> float:
    """Return the largest difference from these numbers that is rounding."""
    finite = np.abs(expected.array[np.isfinite(expected.array)])
    largest = finite.max() if finite.size else 0.0
    return max(floor, 1e-9 if expected.whole else TOLERANCE * largest, 1e-9)


def agree(a: Numbers, b: Numbers, tolerance: float) -> bool:
    """Say whether two answers have one shape and the same numbers, inf and nan included."""
    return a.array.shape == b.array.shape and not _apart(a.array, b.array, tolerance).any()


def _apart(a: np.ndarray, b: np.ndarray, tolerance: float) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        near = np.abs(a - b) <= tolerance
    return ~(near | (a == b) | (np.isnan(a) & np.isnan(b)))


def parting(name: str, got: Numbers, expected: Numbers, tolerance: float, where: str = "") -> str:
    """Show an answer beside the right one, with the first place where they part.

    Parameters
    ----------
    name : str
    got, expected : Numbers
    tolerance : float
    where : str
        The case, such as ``"N = 2, H = 3"``.
    """
    with_where = f" (with {where})" if where else ""
    g, e = got.array, expected.array
    if g.shape != e.shape:
        return f"{name} has shape {g.shape}; expected {e.shape}{with_where}."
    if got.dtype in ("float16", "bfloat16") and np.abs(g - e).max() <= 0.02 * np.abs(e).max():
        return f"{name} is in {got.dtype}, too coarse to compare: compute in float32 or float64."
    index = tuple(int(i) for i in np.argwhere(_apart(g, e, tolerance))[0])
    mine, right = _pair(float(g[index]), float(e[index]))
    odd = "" if math.isfinite(g[index]) else ", which is not finite"
    if not index:
        return f"{name}{with_where}: you gave {mine}{odd}, it is {right}."
    if g.size <= SHOWN:
        beside = f"; yours is {_shown(g)}, expected {_shown(e)}"
    elif g.shape[-1] <= SHOWN:
        beside = f"; yours has {_shown(g[index[:-1]])} there, expected {_shown(e[index[:-1]])}"
    else:
        beside = ""
    place = ", ".join(map(str, index))
    return f"at [{place}] {name} is {mine}{odd}; expected {right}{with_where}{beside}."


def _pair(a: float, b: float) -> tuple[str, str]:
    """Write two different numbers with as few digits as tell them apart, from three on."""
    for digits in range(3, 18):
        texts = _number(a, digits), _number(b, digits)
        if texts[0] != texts[1]:
            break
    return texts


def _number(value: float, digits: int) -> str:
    if math.isfinite(value) and value == int(value) and abs(value) < 1e15:
        return str(int(value))
    return f"{value:.{digits}g}"


def _shown(array: np.ndarray) -> str:
    if array.ndim == 0:
        return _number(float(array), 3)
    return f"[{', '.join(_shown(part) for part in array)}]"
