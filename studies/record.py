"""The file that a study's results are kept in, one run at a time."""

import datetime
import inspect
import json
import math
import os
import platform
from pathlib import Path
from types import ModuleType

import torch


class Record:
    """A study's results on disk: what was measured, with which settings, versions and when.

    Parameters
    ----------
    path : Path
        A JSON file; made by the first result.
    study : module
        Its docstring says what is asked, ``SETTINGS`` which runs there are.
    again : bool
        Forget what the file holds.

    Raises
    ------
    ValueError
        If the file holds something else, or a setting occurs twice.
    """

    def __init__(self, path: Path, study: ModuleType, again: bool = False):
        self.path, self.settings = path, [dict(setting) for setting in study.SETTINGS]
        for i, setting in enumerate(self.settings):
            if setting in self.settings[:i]:
                raise ValueError(f"{study.__name__}: expected each setting once, got {setting}")
        self.question = inspect.cleandoc(study.__doc__ or "")
        self.rows = [] if again else self._read()

    def _read(self) -> list[dict]:
        if not self.path.exists():
            return []
        try:
            rows = json.loads(self.path.read_text(encoding="utf-8"))["rows"]
            return [row for row in rows if row["setting"] in self.settings]
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{self.path}: expected a study's results ({error!r})") from error

    def waiting(self) -> list[dict]:
        """Return the settings that have not been run."""
        there = [row["setting"] for row in self.rows]
        return [setting for setting in self.settings if setting not in there]

    def add(self, setting: dict, found: dict[str, float]) -> None:
        """Keep the result of one run, on disk, at once.

        Raises
        ------
        ValueError
            For a result that is not a dict of numbers and lists of numbers, or has a name that the
            file uses itself.
        """
        if taken := {"setting", "date"} & {*found}:
            raise ValueError(f"expected names of its own, got {', '.join(sorted(taken))}")
        row = {"setting": dict(setting), **{name: _rounded(value) for name, value in found.items()}}
        self.rows.append(row | {"date": datetime.date.today().isoformat()})
        self.rows.sort(key=lambda row: self.settings.index(row["setting"]))
        whole = {
            "question": self.question,
            "versions": {
                "python": platform.python_version(),
                "torch": torch.__version__,
                "instructions": torch.backends.cpu.get_cpu_capability(),
            },
            "rows": self.rows,
        }
        lines = ",\n".join("  " + json.dumps(row, ensure_ascii=False) for row in whole.pop("rows"))
        head = json.dumps(whole, ensure_ascii=False, indent=1).removesuffix("\n}")
        self.path.parent.mkdir(parents=True, exist_ok=True)
        new = self.path.with_suffix(".new")
        new.write_text(f'{head},\n "rows": [\n{lines}\n ]\n}}\n', encoding="utf-8")
        os.replace(new, self.path)


def _rounded(value):
    """Keep four digits: the others would not come again on another machine."""
    if isinstance(value, list | tuple):
        return [_rounded(v) for v in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number or a list of numbers, got {type(value).__name__}")
    if isinstance(value, int):
        return value
    return float(f"{value:.4g}") if math.isfinite(value) else str(value)
