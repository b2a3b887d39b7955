"""The reader's desk: a copy of the book to work in, opened in JupyterLab.

::

    python tools/desk.py                              # lay out what is new, open JupyterLab
    python tools/desk.py --port 9000 --no-browser     # what is not ours goes to JupyterLab
    python tools/desk.py --desk ~/unrolled            # in a folder of your own

The desk is kept from call to call, and what a reader has written there is never overwritten. When
the book changes, a page whose text and code are as they were laid out is renewed; beside one that
was edited the new one is laid, once, as ``05_bidirectional.new.ipynb``. A page that was deleted or
renamed is laid out again. Every file appears whole or not at all, so a call may end anywhere.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import nbformat
from atomic import BEING_WRITTEN, write_atomically
from nbformat import NotebookNode
from nbformat.sign import NotebookNotary
from notebooks import as_text
from readable import Book

ROOT = Path(__file__).resolve().parent.parent
DESK = ROOT / "desk"
SETTINGS = ROOT / "tools" / "lab"  # JupyterLab's defaults: no question about news before page one
RECORD = ".laid-out.json"
STALE = 60  # seconds after which a file that is being written has been given up

LAID_OUT = "Laid out"
RENEWED = "Renewed, for the book has changed and you had edited nothing there"
OFFERED = "Laid beside yours, which stays as it is, for the book has changed"

WELCOME = """\
> **This is your desk:** a copy of the book, to run and to change as you like. *Run All Cells*, in
> the menu *Run*, runs a page from top to bottom. What is folded, the solutions among it, opens with
> a click on its line of dots. The next cell counts what you have solved.
>
> The desk is kept, and the book itself is never touched from here. When the book changes, pages
> that you have not edited are renewed, and beside the others the new one is laid, as
> `….new.ipynb`. To start a page afresh, rename or delete yours and call `make lab` again."""
PROGRESS = "from rnnlib import exercises\n\nexercises.progress()"


def pages(book: Book) -> Iterator[tuple[str, NotebookNode]]:
    """Yield the name and the notebook of each page of the desk, the front page first."""
    for name in book.pages:
        notebook = book.readable(name)
        if name == next(iter(book.pages)):
            notebook.cells[1:1] = [
                nbformat.v4.new_markdown_cell(WELCOME, id="desk"),
                nbformat.v4.new_code_cell(PROGRESS, id="progress"),
            ]
        yield name, notebook


def words(notebook: NotebookNode) -> str:
    """Return a digest of what a reader writes: text and code, not what running a page changes."""
    return digest(json.dumps([[cell.cell_type, cell.source] for cell in notebook.cells]))


def digest(text: str) -> str:
    """Return a short name for a text that no other has."""
    return hashlib.sha256(text.encode("utf-8")).hexdigest()


def words_at(path: Path) -> str:
    """Return the digest of a notebook on the desk; of one that cannot be read, none of ours."""
    try:
        return words(nbformat.read(path, as_version=4))
    except Exception:  # whatever is wrong with it, it is not ours to replace
        return "unreadable"


def lay_out(folder: Path, book: Book) -> Iterator[tuple[str, str]]:
    """Bring a desk up to date; yield what was done, and the name of the file, for each change."""
    folder.mkdir(parents=True, exist_ok=True)
    for leftover in folder.glob(BEING_WRITTEN):
        with suppress(FileNotFoundError):  # another call has just finished it
            if time.time() - leftover.stat().st_mtime > STALE:
                leftover.unlink()
    if not (folder / ".gitignore").exists():
        write_atomically(folder / ".gitignore", "*\n")
    record = read_record(folder)
    notary = NotebookNotary()
    for name, notebook in pages(book):
        text = as_text(notebook)
        notary.sign(nbformat.reads(text, as_version=4))  # by content: figures show before a run
        new = {"text": digest(text), "words": words(notebook)}
        place = place_for(folder, name, new, record.get(name, {}))
        if place:
            done, path = place
            write_atomically(path, text)
            yield done, path.name
        if record.get(name) != new:
            record[name] = new
            write_atomically(folder / RECORD, json.dumps(record, indent=1) + "\n")


def read_record(folder: Path) -> dict[str, dict[str, str]]:
    """Return the digests of the pages that were last laid out; none where they cannot be read."""
    try:
        record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        return {name: dict(digests) for name, digests in dict(record).items()}
    except (OSError, TypeError, ValueError):
        return {}


def place_for(folder: Path, name: str, new: dict, before: dict) -> tuple[str, Path] | None:
    """Return why a page is to be laid out, and where; None if the desk has it already.

    ``new`` holds the digests of the page, ``before`` those of its version that was last laid out.
    """
    path = folder / f"{name}.ipynb"
    if not path.exists():
        return LAID_OUT, path
    there = words_at(path)
    if there == before.get("words"):
        return None if new == before else (RENEWED, path)
    if new["words"] in (there, before.get("words")):
        return None
    for number in count(1):
        beside = folder / f"{name}.new{'' if number == 1 else number}.ipynb"
        there = words_at(beside) if beside.exists() else None
        if there == new["words"]:
            return None
        if there in (None, before.get("words")):
            return OFFERED, beside
    raise AssertionError("unreachable: there is always another number")


def lab_arguments(folder: Path, arguments: list[str], *, root: bool) -> list[str]:
    """Return the arguments with which JupyterLab opens a desk on its front page."""
    return [
        f"--ServerApp.root_dir={folder}",
        f"--LabApp.app_settings_dir={SETTINGS}",
        # A workspace of its own, so that no tabs of other work are opened with it.
        "--LabApp.default_url=/lab/workspaces/unrolled/tree/index.ipynb",
        *(["--allow-root"] if root else []),
        *arguments,
    ]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n")[0],
        epilog="All other arguments go to JupyterLab; `jupyter lab --help` lists them.",
        allow_abbrev=False,
    )
    parser.add_argument("--desk", type=Path, default=DESK, help="the folder to work in")
    options, rest = parser.parse_known_args(arguments)
    folder = options.desk.expanduser().resolve()
    print(f"Your desk is {folder}: a copy of the book, kept from call to call.")
    done = defaultdict(list)
    try:
        for what, name in lay_out(folder, Book(ROOT)):
            done[what].append(name)
    except OSError as error:
        print(
            f"It cannot be laid out: {error}.\n"
            'Choose a folder that you may write in: make lab ARGS="--desk ~/unrolled"',
            file=sys.stderr,
        )
        return 1
    for what, names in done.items():
        print(f"{what}: {', '.join(names)}")
    from jupyterlab.labapp import main as lab  # takes a second

    root = hasattr(os, "geteuid") and os.geteuid() == 0
    return lab(lab_arguments(folder, rest, root=root)) or 0


if __name__ == "__main__":
    sys.exit(main())
