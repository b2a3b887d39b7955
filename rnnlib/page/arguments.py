"""What the figures check of their arguments."""

from collections.abc import Mapping

import numpy as np

from rnnlib.checks import check_integer


def count(name: str, value, most: int | None = None) -> int:
    """Return a whole number from 1 to `most`."""
    if most is None:
        return check_integer(name, value, least=1)
    value = check_integer(name, value)
    if not 1 <= value <= most:
        raise ValueError(f"{name}: expected between 1 and {most}, got {value}")
    return value


def numbers(name: str, values, dimensions: int, *, finite=False, positive=False) -> np.ndarray:
    """Turn a sequence, array or tensor into floats with this many dimensions, none of them 0.

    What is not finite is refused on demand; so is what a logarithmic axis cannot show, where nan
    leaves a gap and is allowed.
    """
    if hasattr(values, "detach"):
        values = values.detach().cpu()
    try:
        array = np.asarray(values, dtype=float)
    except (TypeError, ValueError) as error:
        raise TypeError(f"{name}: expected numbers, got {type(values).__name__}") from error
    if array.ndim != dimensions or array.size == 0:
        raise ValueError(
            f"{name}: expected {dimensions} dimension{'s' * (dimensions > 1)} and at least one "
            f"number, got shape {array.shape}"
        )
    if finite and not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got nan or inf among them")
    if positive and not (array[~np.isnan(array)] > 0).all():
        raise ValueError(
            f"{name}: expected positive numbers for a logarithmic axis, got {np.nanmin(array):g}"
        )
    return array


def named(name: str, groups, **checks) -> dict[str, np.ndarray]:
    """Turn a dict from label to numbers into one from label to arrays, (n,) each."""
    if not isinstance(groups, Mapping):
        raise TypeError(
            f"{name}: expected a dict from label to numbers, got {type(groups).__name__}"
        )
    if not groups:
        raise ValueError(f"{name}: expected at least one entry, got none")
    return {
        label: numbers(f"{name}[{label!r}]", values, 1, **checks)
        for label, values in groups.items()
    }


def labels(name: str, given, size: int) -> list[str]:
    """Return as many labels as there must be, as strings."""
    texts = [str(label) for label in given]
    if len(texts) != size:
        raise ValueError(f"{name}: expected {size} labels, got {len(texts)}")
    return texts
