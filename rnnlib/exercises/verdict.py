"""How a check answers: right, or what is wrong.

A check calls the reader's function on numbers that tell the usual mistakes apart, and compares
what comes back with the right answer and with what each mistake would give.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import torch


@dataclass(frozen=True)
class Verdict:
    """What a check found; true if the answer is right, and shown as one line by a notebook.

    Parameters
    ----------
    passed : bool
    message : str
        What is right, or what to look at.
    """

    passed: bool
    message: str

    def __bool__(self) -> bool:
        return self.passed

    def __repr__(self) -> str:
        return f"✓ {self.message}" if self.passed else f"✗ Not yet: {self.message}"


class WrongAnswer(Exception):
    """Raised inside a check to end it with a message for the reader."""


def attempt(function: Callable, *arguments, **options):
    """Call the reader's function, and turn what commonly goes wrong into words.

    Parameters
    ----------
    function : callable
        The reader's answer.
    *arguments, **options
        What to call it with.

    Returns
    -------
    object
        What the function returned, which is not None.

    Raises
    ------
    WrongAnswer
        If `function` is not callable, takes other arguments, raises, or returns None.
    """
    if not callable(function):
        raise WrongAnswer(f"expected a function, got {type(function).__name__}.")
    name = getattr(function, "__name__", "your function")
    try:
        inspect.signature(function).bind(*arguments, **options)
    except TypeError as error:
        raise WrongAnswer(f"{name} does not take the arguments asked for: {error}.") from None
    except ValueError:
        pass  # a builtin without a signature: the call itself will tell
    try:
        answer = function(*arguments, **options)
    except Exception as error:
        raise WrongAnswer(f"{name} raises {type(error).__name__}: {error}") from error
    if answer is None or answer is Ellipsis:
        raise WrongAnswer(f"{name} returns nothing yet.")
    return answer


def as_array(value) -> np.ndarray:
    """Return a number, list, NumPy array or tensor as a NumPy array.

    Raises
    ------
    WrongAnswer
        If it is none of these.
    """
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise WrongAnswer(f"expected numbers, got {type(value).__name__}.") from None


def compare(
    name: str, got, expected, mistakes: Mapping[str, object] = {}, tolerance: float = 1e-6
) -> None:
    """Compare an answer with the right one and with what typical mistakes give.

    Parameters
    ----------
    name : str
        What is compared, as the message should call it.
    got, expected : array_like
    mistakes : mapping of str to array_like
        For each mistake, its message and the value it leads to. A value of another shape than
        the right one is recognised too.
    tolerance : float
        Largest absolute difference that still counts as equal.

    Raises
    ------
    WrongAnswer
        With the message of the first mistake that matches; otherwise with the shapes, if those
        differ, or with the largest difference.
    """
    got, expected = as_array(got), as_array(expected)
    if _equal(got, expected, tolerance):
        return
    for message, value in mistakes.items():
        if _equal(got, as_array(value), tolerance):
            raise WrongAnswer(message)
    if got.shape != expected.shape:
        raise WrongAnswer(f"{name} has shape {got.shape}; expected {expected.shape}.")
    if not np.isfinite(got).all():
        raise WrongAnswer(f"{name} holds a number that is not finite.")
    difference = np.abs(got - expected).max()
    raise WrongAnswer(f"{name} is off by up to {difference:.2g}.")


def _equal(a: np.ndarray, b: np.ndarray, tolerance: float) -> bool:
    return a.shape == b.shape and bool(np.all(np.abs(a - b) <= tolerance))


def verdict(message: str) -> Callable[[Callable[..., None]], Callable[..., Verdict]]:
    """Make a check of a function that raises `WrongAnswer`, or returns if all is right.

    Parameters
    ----------
    message : str
        What to say of a right answer.
    """

    def decorate(check: Callable[..., None]) -> Callable[..., Verdict]:
        def checked(answer, /) -> Verdict:
            try:
                # The reader's own random numbers go on as if nothing had been checked.
                with torch.random.fork_rng(devices=[]):
                    torch.manual_seed(0)
                    check(answer)
            except WrongAnswer as wrong:
                return Verdict(False, str(wrong))
            return Verdict(True, message)

        checked.__name__ = checked.__qualname__ = check.__name__
        checked.__module__ = check.__module__
        checked.__doc__ = check.__doc__
        return checked

    return decorate
