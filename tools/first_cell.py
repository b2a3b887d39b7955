"""Write the first code cell of every chapter, which says or does what a chapter alone needs.

::

    python tools/first_cell.py            # into every chapter; a second time it changes nothing

The cell is the same everywhere. Where pyproject.toml names a repository, the cell has its address;
run this after that has changed. A book that is published from a fork puts the fork's address into
its pages and its downloads (``_ext/unrolled.py``).
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
import notebooks
from address import known_address
from atomic import write_atomically

ROOT = Path(__file__).resolve().parent.parent
TAG = "first-cell"

SOURCE = """\
# rnnlib is this course's package. Opened alone, a page may have to get it.
REPOSITORY = "{address}"
try:
    import rnnlib.bptt
except ImportError as error:
    import os
    import sys

    package = f"unrolled-rnnlib[fast] @ {REPOSITORY}/archive/HEAD.zip"
    if "rnnlib" in sys.modules:
        advice = "Uninstall the other package called rnnlib, and restart."
    elif not REPOSITORY:
        advice = "Write the course's address above, and run this again."
    elif {"COLAB_RELEASE_TAG", "KAGGLE_KERNEL_RUN_TYPE"} & set(os.environ):
        advice = None
        %pip install -q "{package}"
    else:
        advice = f'Run `%pip install "{package}"`, and restart.'
    if advice:
        raise ImportError(f"{error}. {advice}") from None"""


def source(address: str) -> str:
    """Return the code of the cell for a repository at ``address``, "" where there is none."""
    return SOURCE.replace("{address}", address)


def is_first_cell(cell: dict) -> bool:
    """Return whether this tool wrote ``cell``."""
    return TAG in cell["metadata"].get("tags", [])


def with_first_cell(notebook: nbformat.NotebookNode, address: str) -> nbformat.NotebookNode:
    """Return a normalised copy of ``notebook`` whose first code cell is this one."""
    copy = nbformat.from_dict(notebook)
    copy.cells = [cell for cell in copy.cells if not is_first_cell(cell)]
    cell = nbformat.v4.new_code_cell(
        source(address), metadata={"tags": ["hide-input", TAG]}, execution_count=1
    )
    place = next(i for i, other in enumerate(copy.cells) if other.cell_type == "code")
    copy.cells.insert(place, cell)
    return notebooks.normalise(copy)


def main() -> int:
    """Write the cell into every chapter; return the exit status."""
    address = known_address()
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        written = notebooks.as_text(with_first_cell(nbformat.read(path, as_version=4), address))
        if written != path.read_text(encoding="utf-8"):
            write_atomically(path, written)
            print(f"{path.name}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
