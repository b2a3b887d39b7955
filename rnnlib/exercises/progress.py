"""What a reader has solved, kept in one small file.

The file is ``rnnlib/exercises.json`` in the user's data folder, or what the environment variable
``RNNLIB_PROGRESS`` names; where that is empty, nothing is kept. A file that cannot be read or
written never disturbs a check.
"""

import contextlib
import datetime
import html
import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "RNNLIB_PROGRESS"
KEY = "rnnlib exercises solved"


def place() -> Path | None:
    """Return where the file is; None if nothing is to be kept."""
    named = os.environ.get(VARIABLE)
    if named is not None:
        return Path(named) if named.strip() else None
    try:
        home = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
        return Path(home) / "rnnlib" / "exercises.json"
    except RuntimeError:  # a user without a home
        return None


def read() -> dict[str, str]:
    """Return the checks that were passed, each with its date.

    Raises
    ------
    OSError, ValueError
        If there is a file that cannot be read, or is another's.
    """
    path = place()
    if path is None:
        return {}
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    content = json.loads(text)
    solved = content.get(KEY) if isinstance(content, dict) else None
    if not isinstance(solved, dict):
        raise ValueError(f"{path} is not a record of exercises")
    return {str(name): str(date) for name, date in solved.items()}


def note(name: str) -> None:
    """Write down that a check was passed today; in silence if that cannot be done."""
    path = place()
    if path is None:
        return
    with contextlib.suppress(OSError, ValueError):
        solved = read()
        if name not in solved:
            _write(path, solved | {name: datetime.date.today().isoformat()})


def _write(path: Path, solved: Mapping[str, str]) -> None:
    """Put a new file in the place of the old one, so that no half of one is ever seen."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".new")
    try:
        with open(handle, "w", encoding="utf-8") as file:
            json.dump({KEY: dict(sorted(solved.items()))}, file, indent=1)
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


class Progress:
    """What is solved, chapter by chapter; a table in a notebook, lines of text elsewhere.

    Parameters
    ----------
    chapters : mapping of str to sequence of str
        The checks of each chapter, in order.
    solved : mapping of str to str
        The checks that were passed, each with its date.
    remark : str
        What should be said below.
    """

    def __init__(self, chapters: Mapping, solved: Mapping[str, str], remark: str = ""):
        self.chapters = {title: tuple(names) for title, names in chapters.items()}
        self.solved = dict(solved)
        self.remark = remark

    def _rows(self) -> list[tuple[str, str, str]]:
        rows = []
        for title, names in self.chapters.items():
            marks = " ".join("✓" if name in self.solved else "·" for name in names)
            left = [name for name in names if name not in self.solved]
            rows.append((title, marks, f"next: {left[0]}" if left else "all solved"))
        return rows

    def _total(self) -> str:
        names = [name for names in self.chapters.values() for name in names]
        return f"{sum(name in self.solved for name in names)} of {len(names)} exercises solved"

    def __repr__(self) -> str:
        rows = self._rows()
        widths = [max(len(row[column]) for row in rows) for column in (0, 1)]
        lines = [f"{t:{widths[0]}}  {marks:{widths[1]}}  {left}" for t, marks, left in rows]
        return "\n".join([self._total(), *lines, *filter(None, [self.remark])])

    def _repr_html_(self) -> str:
        rows = "".join(
            '<tr><td style="text-align:left">{}</td><td style="text-align:left">{}</td>'
            '<td style="text-align:left">{}</td></tr>'.format(*map(html.escape, row))
            for row in self._rows()
        )
        remark = f"<p>{html.escape(self.remark)}</p>" if self.remark else ""
        return f"<p>{self._total()}</p><table><tbody>{rows}</tbody></table>{remark}"


def report(chapters: Mapping) -> Progress:
    """Return what is solved of these chapters, from the file."""
    remark = "" if place() else f"Nothing is kept: {VARIABLE} is empty."
    try:
        solved = read()
    except (OSError, ValueError) as error:
        solved, remark = {}, f"The record cannot be read: {error}."
    return Progress(chapters, solved, remark)
