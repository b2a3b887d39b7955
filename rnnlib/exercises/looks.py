"""What a task asks besides the right numbers: without a loop, without a certain function.

Each look is a function of the reader's answer and of arguments to call it with, and raises
`WrongAnswer`. It is used only where the numbers are right already.
"""

import dis
import functools
import itertools
import types
from collections.abc import Callable, Iterator

import torch
from torch.overrides import TorchFunctionMode

from rnnlib.exercises.calling import attempt, code_of
from rnnlib.exercises.verdict import WrongAnswer

Look = Callable[[Callable, tuple], None]


def own_codes(function: Callable) -> Iterator[types.CodeType]:
    """Yield the code of a function, of what is nested in it, and of helpers beside it.

    A helper is a function of the same notebook or module that the code names.
    """
    function = getattr(function, "func", function)
    names = getattr(function, "__globals__", {})
    todo, seen = [code_of(function)], set()
    for cell in getattr(function, "__closure__", None) or ():
        todo.append(getattr(_content(cell), "__code__", None))
    while todo:
        code = todo.pop()
        if not isinstance(code, types.CodeType) or code in seen:
            continue
        seen.add(code)
        yield code
        todo += [part for part in code.co_consts if isinstance(part, types.CodeType)]
        for name in code.co_names:
            helper = names.get(name)
            if isinstance(helper, types.FunctionType) and helper.__globals__ is names:
                todo.append(helper.__code__)


def _content(cell):
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


def has_loop(function: Callable) -> bool:
    """Say whether a function's own code holds a for, a while or a comprehension."""
    return any(
        step.opname == "FOR_ITER" or "JUMP_BACKWARD" in step.opname
        for code in own_codes(function)
        for step in dis.get_instructions(code)
    )


def loops_by_another(function: Callable) -> bool:
    """Say whether a function leaves its loop to `functools.reduce` or `itertools.accumulate`."""
    loops = functools.reduce, itertools.accumulate
    names = getattr(getattr(function, "func", function), "__globals__", {})
    for code in own_codes(function):
        steps = [step for step in dis.get_instructions(code) if "LOAD_GLOBAL" in step.opname]
        found = [names.get(step.argval) for step in steps]
        if any(value is loop for value in found for loop in loops):
            return True
        # NumPy's ufuncs have a reduce and an accumulate of their own, which are no loops.
        for module, name in ((functools, "reduce"), (itertools, "accumulate")):
            named = module.__name__ in code.co_names or any(value is module for value in found)
            if named and name in code.co_names:
                return True
    return False


def without_loops(message: str) -> Look:
    """Refuse an answer whose own code loops, or has `reduce` or `accumulate` loop for it."""

    def look(function: Callable, arguments: tuple) -> None:
        if has_loop(function) or loops_by_another(function):
            raise WrongAnswer(message)

    return look


def without_names(*names: str, message: str) -> Look:
    """Refuse an answer whose own code uses one of these functions or methods."""

    def look(function: Callable, arguments: tuple) -> None:
        if any(name in code.co_names for code in own_codes(function) for name in names):
            raise WrongAnswer(message)

    return look


class _Selections(TorchFunctionMode):
    """Notes whether a part of a tensor is picked out, by a mask or by a slice with bounds."""

    def __init__(self):
        self.found = False

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func is torch.Tensor.__getitem__ and not _counts(args[0]) and _picks(args[1]):
            self.found = True
        if getattr(func, "__name__", "") in ("masked_select", "nonzero", "narrow", "index_select"):
            self.found = True
        return func(*args, **(kwargs or {}))


def _counts(tensor) -> bool:
    """Say whether this is a row of whole numbers, such as of steps, and nothing to weight."""
    return tensor.dim() == 1 and not tensor.is_floating_point()


def _picks(index) -> bool:
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, torch.Tensor) and part.dtype == torch.bool:
            return True
        if isinstance(part, slice) and (part.start, part.stop) != (None, None):
            return True
    return False


def without_selecting(message: str) -> Look:
    """Refuse an answer that picks entries of a tensor instead of weighting all of them."""

    def look(function: Callable, arguments: tuple) -> None:
        selections = _Selections()
        with selections:
            attempt(function, *arguments)
        if selections.found:
            raise WrongAnswer(message)

    return look
