"""Hints in steps: where to look, the idea, one line."""

from collections.abc import Callable

STEPS = ("where to look", "the idea", "one line")


class Hint:
    """One hint, shown as one line by a notebook.

    Parameters
    ----------
    text : str
    step, of : int
        Which of how many.
    """

    def __init__(self, text: str, step: int, of: int):
        self.text, self.step, self.of = text, step, of

    def __repr__(self) -> str:
        return f"Hint {self.step} of {self.of}, {STEPS[self.step - 1]}: {self.text}"


class Hints:
    """The hints of one exercise; each call shows the next, and at the end the last again."""

    def __init__(self, texts: tuple[str, ...]):
        self.texts = texts
        self.last = 0

    def __call__(self, step: int | None = None) -> Hint:
        """Return the next hint, or that of a certain step, counted from 1.

        Raises
        ------
        ValueError
            If there is no such step.
        """
        if step is None:
            step = min(self.last + 1, len(self.texts))
        elif step not in range(1, len(self.texts) + 1):
            raise ValueError(f"expected a step from 1 to {len(self.texts)}, got {step!r}")
        self.last = step
        return Hint(self.texts[step - 1], step, len(self.texts))


def hint(check: Callable, step: int | None = None) -> Hint:
    """Return the next hint for an exercise, named by its check.

    Parameters
    ----------
    check : callable
        Such as ``check_cell``. ``check_cell.hint()`` is the same.
    step : int, optional
        Which one, from 1: where to look, the idea, one line. By default the one after the last
        that was shown.

    Raises
    ------
    TypeError
        If `check` is no check of an exercise.
    ValueError
        If there is no such step.
    """
    if not isinstance(getattr(check, "hint", None), Hints):
        raise TypeError(f"expected a check, such as check_cell, got {check!r}")
    return check.hint(step)
