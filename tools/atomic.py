"""Writing a file whole or not at all, so that a run may be killed at any moment."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

BEING_WRITTEN = ".*.new"  # what such files are called; a killed run leaves one


def write_atomically(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` so that ``path`` holds either the old text or all of the new."""
    # Beside it, since only within one file system can a file take another's place.
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(temporary, 0o644)  # mkstemp makes it private
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
