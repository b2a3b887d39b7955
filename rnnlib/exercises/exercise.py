"""An exercise: cases to try an answer on, the right answer, and the mistakes that have a name.

A module of checks declares each exercise by a function that draws one case. The right answer and
the named mistakes are functions such as a reader would write. An answer is tried on all cases,
beside them: it is right if it agrees with the right one everywhere, and it is told of a mistake
only if that mistake explains all that came. Any other answer is shown beside the right one.
"""

import contextlib
import functools
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from rnnlib.exercises import progress
from rnnlib.exercises.calling import Raised, attempt, one_line, seed_all, undisturbed
from rnnlib.exercises.hints import Hints
from rnnlib.exercises.looks import Look
from rnnlib.exercises.numbers import Numbers, agree, allowed, as_numbers, parting
from rnnlib.exercises.verdict import Verdict, WrongAnswer

Observed = dict[str, Numbers] | WrongAnswer


class Draw:
    """Draws the numbers of one case; tensors in the default dtype, arrays in float64.

    Parameters
    ----------
    seed : int
    stack : ExitStack
        Closed when the case is no longer needed.
    """

    def __init__(self, seed: int, stack: contextlib.ExitStack):
        self.rng = np.random.default_rng(seed)
        self._stack = stack

    def array(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        """Return normally distributed numbers as a NumPy array."""
        return scale * self.rng.normal(size=shape)

    def normal(self, *shape: int, scale: float = 1.0) -> Tensor:
        """Return normally distributed numbers as a tensor."""
        return torch.tensor(self.array(*shape, scale=scale), dtype=torch.get_default_dtype())

    def uniform(self, *shape: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """Return uniformly distributed numbers as a tensor."""
        values = self.rng.uniform(low, high, size=shape)
        return torch.tensor(values, dtype=torch.get_default_dtype())

    def integers(self, *shape: int, low: int = 0, high: int) -> Tensor:
        """Return integers from `low` to `high` - 1 as a tensor of int64."""
        return torch.tensor(self.rng.integers(low, high, size=shape))

    def weights(self, module: nn.Module, scale: float = 0.5) -> nn.Module:
        """Fill a module's parameters with normally distributed numbers, and return it."""
        with torch.no_grad():
            for parameter in module.parameters():
                parameter.copy_(self.normal(*parameter.shape, scale=scale))
        return module

    def file(self, text: str) -> Path:
        """Return the path of a text file that exists as long as the case does."""
        path = Path(self._stack.enter_context(tempfile.TemporaryDirectory())) / "text.txt"
        path.write_text(text, encoding="utf-8")
        return path


@dataclass(frozen=True)
class Case:
    """One question: the arguments of the reader's function, and what a message calls them."""

    arguments: tuple
    where: str
    seed: int


class Exercise:
    """A question with its answers; see `exercise`, which makes them."""

    def __init__(self, draw: Callable, praise: str, **options):
        self.draw = draw
        self.name = draw.__name__
        self.module = draw.__module__
        self.praise = praise
        self.right: Callable = options["right"]
        self.mistakes: Mapping[str, Callable] = options["mistakes"]
        self.cases: Sequence[Mapping] = options["cases"]
        self.hints = Hints(tuple(options["hints"]))
        self.result: str | tuple[str, ...] = options["result"]
        self.measure: Callable | None = options["measure"]
        self.looks: Sequence[Look] = options["looks"]
        self.dtypes: Mapping[str, str] = options["dtypes"]
        self.untouched: Mapping[int, str] = options["untouched"]
        self.floor: float = options["floor"]
        self.returns: bool = options["returns"]
        self._known: dict[str, list[Observed]] = {}

    def drawn(self, stack: contextlib.ExitStack, seed: int = 0) -> list[Case]:
        """Draw all cases; another seed draws other numbers of the same sizes."""
        cases = []
        for number, sizes in enumerate(self.cases):
            own = 100 * seed + number
            arguments = self.draw(Draw(own, stack), **sizes)
            arguments = arguments if isinstance(arguments, tuple) else (arguments,)
            where = ", ".join(f"{name} = {value!r}" for name, value in sizes.items())
            cases.append(Case(arguments, where, own))
        return cases

    def observe(self, function: Callable, case: Case) -> Observed:
        """Return what a function gives on a case, by name, or what went wrong."""
        seed_all(case.seed)
        try:
            answer, given = attempt(function, *case.arguments, returns=self.returns)
            for index, message in self.untouched.items():
                if not _equal(given[index], case.arguments[index]):
                    raise WrongAnswer(message)
            measured = self._measured(answer, given)
            return {name: as_numbers(name, value) for name, value in measured.items()}
        except WrongAnswer as wrong:
            return wrong

    def _measured(self, answer, given: tuple) -> Mapping:
        """Return what is to be compared, by name."""
        try:
            measured = answer if self.measure is None else self.measure(answer, *given)
            if isinstance(measured, dict) and measured is not answer:
                return measured
            if isinstance(self.result, str):
                return {self.result: measured}
            return _parts(measured, self.result)
        except WrongAnswer:
            raise
        except Exception as error:
            raise WrongAnswer(
                f"what came back cannot be examined: {type(error).__name__}: {one_line(error)}"
            ) from None

    def judge(self, answer: Callable) -> None:
        """Raise `WrongAnswer` unless the answer is right."""
        with contextlib.ExitStack() as stack:
            cases = self.drawn(stack)
            right = self.known("", cases)
            got: list[Observed] = []
            for case in cases:
                got.append(self.observe(answer, case))
                if isinstance(got[-1], WrongAnswer):
                    break
            if all(map(self.same, got, right)):
                self._look(answer, got, cases)
            else:
                raise WrongAnswer(self.diagnosis(got, right, cases))

    def known(self, message: str, cases: list[Case]) -> list[Observed]:
        """Return what the right answer gives, or the mistake of this message; computed once."""
        if message not in self._known:
            function = self.mistakes[message] if message else self.right
            self._known[message] = [self.observe(function, case) for case in cases]
        return self._known[message]

    def _look(self, answer: Callable, got: list[Observed], cases: list[Case]) -> None:
        for name, wanted in self.dtypes.items():
            came = got[0][name]
            if (came.dtype or ("int64" if came.whole else "float")) != wanted:
                raise WrongAnswer(
                    f"{name}: the numbers are right, and {wanted} is asked for; "
                    f"this is {came.dtype or 'float'}."
                )
        for look in self.looks:
            look(answer, cases[0].arguments)

    def same(self, a: Observed, right: Observed, only: str | None = None) -> bool:
        """Say whether what came equals something else that came, all of it or `only` one part."""
        if isinstance(a, WrongAnswer) or isinstance(right, WrongAnswer):
            if isinstance(a, Raised) and isinstance(right, Raised):
                return a.kind == right.kind
            return type(a) is type(right) and str(a) == str(right)
        return all(
            name in a and agree(a[name], right[name], allowed(right[name], self.floor))
            for name in right
            if only in (None, name)
        )

    def diagnosis(self, got: list[Observed], right: list[Observed], cases: list[Case]) -> str:
        """Name the mistake that explains all that came; otherwise show it beside what is right."""
        seen = len(got)
        wrong = {message: self.known(message, cases)[:seen] for message in self.mistakes}
        for message, values in wrong.items():
            if all(map(self.same, got, values)):
                return message
        for failed in got:
            if isinstance(failed, WrongAnswer):
                return str(failed)
        # Of several results, the first that is wrong may have an explanation of its own.
        number, name = next(
            (n, name)
            for n in range(seen)
            for name in right[n]
            if not self.same(got[n], right[n], name)
        )
        for message, values in wrong.items():
            if self._explains(values, got, right[:seen], name):
                return message
        expected = right[number][name]
        return parting(
            name, got[number][name], expected, allowed(expected, self.floor), cases[number].where
        )

    def _explains(self, values: list, got: list, right: list, name: str) -> bool:
        """Say whether a mistake gives this wrong result, and spoils nothing that came out right."""

        def alike(one: str, a: list, b: list) -> bool:
            return all(map(functools.partial(self.same, only=one), a, b))

        names = {other for observed in right for other in observed}
        return (
            not alike(name, values, right)
            and alike(name, got, values)
            and not any(
                alike(other, got, right) and not alike(other, values, right) for other in names
            )
        )


def _parts(answer, names: tuple[str, ...]) -> dict:
    """Take an answer of several results apart."""
    expected = f"expected two results: {' and '.join(names)}"
    if isinstance(answer, np.ndarray | Tensor) and (answer.ndim < 3 or len(answer) != len(names)):
        raise WrongAnswer(f"{expected}; got one of shape {tuple(answer.shape)}.")
    if not isinstance(answer, tuple | list | np.ndarray | Tensor):
        raise WrongAnswer(f"{expected}; got a {type(answer).__name__}.")
    if len(answer) != len(names):
        raise WrongAnswer(f"{expected}; got {len(answer)}.")
    return dict(zip(names, answer, strict=True))


def _equal(a, b) -> bool:
    return bool(np.array_equal(np.asarray(a), np.asarray(b)))


def exercise(
    praise: str,
    *,
    right: Callable,
    mistakes: Mapping[str, Callable],
    cases: Sequence[Mapping],
    hints: Sequence[str],
    result: str | tuple[str, ...] = "the result",
    measure: Callable | None = None,
    looks: Sequence[Look] = (),
    dtypes: Mapping[str, str] | None = None,
    untouched: Mapping[int, str] | None = None,
    floor: float = 0.0,
    returns: bool = True,
) -> Callable[[Callable], Callable[[Callable], Verdict]]:
    """Make a check of a function ``check_…(draw, **sizes)`` that draws one case.

    The function returns the arguments of the reader's function, as a tuple. Its docstring becomes
    the check's.

    Parameters
    ----------
    praise : str
        What to say of a right answer.
    right : callable
        The right answer.
    mistakes : mapping of str to callable
        For each named mistake, its message and an answer that makes it.
    cases : sequence of mapping
        The sizes of each case, the smallest first.
    hints : sequence of str
        Where to look, the idea, one line.
    result : str or tuple of str
        What a message should call what the reader's function returns, or each of its results.
    measure : callable, optional
        Called with the answer and the arguments as the reader's function left them; returns what
        is to be compared, or a dict of it. By default the answer itself is.
    looks : sequence of callable
        What else the task asks; see `rnnlib.exercises.looks`.
    dtypes : mapping of str to str, optional
        The dtype of a result, where the task asks for one.
    untouched : mapping of int to str, optional
        Arguments that must stay as they were, by their place, with a message each.
    floor : float
        A difference that is always rounding.
    returns : bool, default True
        Whether the reader's function has to return something.
    """
    options = {name: value for name, value in locals().items() if name != "praise"}
    options["dtypes"] = dtypes or {}
    options["untouched"] = untouched or {}

    def decorate(draw: Callable) -> Callable[[Callable], Verdict]:
        made = Exercise(draw, praise, **options)

        def check(answer, /) -> Verdict:
            with undisturbed():
                try:
                    made.judge(answer)
                except WrongAnswer as wrong:
                    return Verdict(False, str(wrong))
                except Exception as error:  # a fault of ours: still no trace in the reader's cell
                    kind = f"{type(error).__name__}: {one_line(error)}"
                    return Verdict(False, f"this answer could not be examined ({kind}).")
            return Verdict(True, praise, functools.partial(progress.note, made.name))

        check.__name__ = check.__qualname__ = draw.__name__
        check.__module__, check.__doc__ = draw.__module__, draw.__doc__
        check.exercise, check.hint = made, made.hints
        return check

    return decorate
