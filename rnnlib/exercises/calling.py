"""How a check calls the reader's function: on copies, and with every failure put into words."""

import copy
import inspect
import linecache
import random
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import torch

from rnnlib.exercises.verdict import WrongAnswer

LONGEST = 240  # letters of a foreign error that a message repeats


class Raised(WrongAnswer):
    """The reader's function raised an exception; `kind` is its type and how it begins."""

    def __init__(self, message: str, kind: tuple[str, str]):
        super().__init__(message)
        self.kind = kind


@contextmanager
def undisturbed() -> Iterator[None]:
    """Run a check the same way in every session, and leave the session as it was.

    Random numbers start from a fixed seed; dtype, device and gradient mode are the usual ones.
    """
    python, numpy, torch_state = (
        random.getstate(),
        np.random.get_state(),  # noqa: NPY002 (the reader's own generator)
        torch.default_generator.get_state(),
    )
    dtype, device = torch.get_default_dtype(), torch.get_default_device()
    try:
        torch.set_default_dtype(torch.float32)
        seed_all(0)
        with torch.device("cpu"), torch.inference_mode(False), torch.enable_grad():
            yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
        torch.default_generator.set_state(torch_state)
        torch.set_default_dtype(dtype)
        if torch.get_default_device() != device:
            torch.set_default_device(device)


def seed_all(seed: int) -> None:
    """Seed Python's, NumPy's and torch's own random numbers on the CPU."""
    random.seed(seed)
    np.random.seed(seed)  # noqa: NPY002 (what the reader's function may draw from)
    torch.default_generator.manual_seed(seed)


def attempt(function: Callable, *arguments, returns: bool = True) -> tuple[object, tuple]:
    """Call the reader's function on copies, and turn what commonly goes wrong into words.

    Parameters
    ----------
    function : callable
        The reader's answer.
    *arguments
        What to call it with. It gets copies: whatever it does to them, these stay.
    returns : bool, default True
        Whether None is refused.

    Returns
    -------
    answer : object
        What the function returned.
    given : tuple
        The copies, as the function has left them.

    Raises
    ------
    WrongAnswer
        If `function` is not callable, takes other arguments, raises, or returns nothing.
    """
    if not callable(function):
        raise WrongAnswer(f"expected a function, got {type(function).__name__}.")
    name = name_of(function)
    given = _copies(arguments)
    _check_signature(function, name, given)
    try:
        answer = function(*given)
    except WrongAnswer:
        raise  # from something that we handed out
    except Exception as error:
        raise _raised(name, error, function) from None
    if returns and (answer is None or answer is Ellipsis):
        raise WrongAnswer(f"{name} returns nothing yet.")
    return answer, given


def _copies(arguments: tuple) -> tuple:
    copied = copy.deepcopy(arguments)
    for old, new in zip(arguments, copied, strict=True):
        if isinstance(old, torch.nn.Module):  # deepcopy leaves the gradients behind
            for p, q in zip(old.parameters(), new.parameters(), strict=True):
                q.grad = None if p.grad is None else p.grad.clone()
    return copied


def name_of(function) -> str:
    """Return what a message should call a function."""
    if isinstance(function, torch.nn.Module):
        function = type(function)
    name = getattr(function, "__name__", None)
    return name if isinstance(name, str) and name.isidentifier() else "your function"


def _check_signature(function: Callable, name: str, arguments: tuple) -> None:
    try:
        signature = inspect.signature(function)
    except Exception:
        return  # a builtin without a signature: the call itself will tell
    try:
        signature.bind(*arguments)
    except TypeError as error:
        raise WrongAnswer(f"{name} does not take the arguments asked for: {error}.") from None


def _raised(name: str, error: Exception, function: Callable) -> Raised:
    """Put an exception into words, with the line of the reader's own code that it came from."""
    kind = type(error).__name__
    text = one_line(error)
    message = f"{name} raises {kind}" + (f": {text}" if text else "")
    place = _place(error, function)
    return Raised(f"{message} ({place})" if place else message, (kind, text[:60]))


def one_line(value) -> str:
    """Return a text, or an error's, in one line of bounded length."""
    try:
        text = " ".join(str(value).split())
    except Exception:
        return ""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def code_of(function):
    """Return the code object of a function, method, partial, class or module; None without one."""
    function = getattr(function, "func", function)  # functools.partial
    if isinstance(function, type):
        function = function.__init__
    elif isinstance(function, torch.nn.Module):
        function = function.forward
    elif not hasattr(function, "__code__") and not inspect.ismethod(function):
        function = getattr(type(function), "__call__", None)  # noqa: B004 (its code is wanted)
    code = getattr(function, "__code__", None)
    return code if inspect.iscode(code) else None


def _place(error: Exception, function: Callable) -> str:
    code = code_of(function)
    if code is None:
        return ""
    own = [
        (frame.f_code, line)
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_code.co_filename == code.co_filename and line
    ]
    if not own:
        return ""
    inner, line = own[-1]
    where = inner.co_name if inner.co_name.isidentifier() else "your function"
    text = one_line(linecache.getline(inner.co_filename, line))
    place = f"line {line - inner.co_firstlineno + 1} of {where}"
    return f"{place}: {text}" if text else place
