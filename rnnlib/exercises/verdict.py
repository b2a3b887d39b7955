"""What a check answers: right, or what to look at."""

from collections.abc import Callable


class WrongAnswer(Exception):
    """Raised inside a check to end it with a message for the reader."""


class Verdict:
    """What a check found; true if the answer is right, and shown as one line by a notebook.

    Parameters
    ----------
    passed : bool
    message : str
        What is right, or what to look at.
    note : callable, optional
        Called when a verdict that passed is shown. A verdict that was asked for its truth before
        is a program's, such as a committed solution's assert, and is not noted.
    """

    def __init__(self, passed: bool, message: str, note: Callable[[], None] | None = None):
        self.passed = passed
        self.message = message
        self._note = note if passed else None

    def __bool__(self) -> bool:
        self._note = None
        return self.passed

    def __repr__(self) -> str:
        note, self._note = self._note, None
        if note is not None:
            note()
        return f"✓ {self.message}" if self.passed else f"✗ Not yet: {self.message}"
