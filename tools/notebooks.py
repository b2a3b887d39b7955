"""Execute chapters in place, so that executing them again changes nothing.

::

    python tools/notebooks.py chapters/*.ipynb            # execute and write
    python tools/notebooks.py --check chapters/*.ipynb    # execute and compare, write nothing
    python tools/notebooks.py --time-limit 30 …           # and fail where one takes longer

A notebook is written only after all of its cells have run. What would differ from run to run, or
from machine to machine, is either removed (times, ids, progress bars) or refused with the cell's
number (memory addresses, paths, errors, widgets). Refused as well is a run in which a cell that
nobody edited shows less than it did: something on this machine may have swallowed an output. Where
less is meant, clear the cell's outputs first, or add ``--accept-losses``.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import sys
import time
from collections import Counter
from pathlib import Path

import clean_env
import nbformat
from atomic import write_atomically
from ipykernel.kernelspec import make_ipkernel_cmd
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

ROOT = Path(__file__).resolve().parent.parent
CELL_TIMEOUT = 300  # seconds

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
# Without the version: it says which machine a chapter was last executed on, and nothing else.
LANGUAGE_INFO = {
    "codemirror_mode": {"name": "ipython", "version": 3},
    "file_extension": ".py",
    "mimetype": "text/x-python",
    "name": "python",
    "pygments_lexer": "ipython3",
}
NOTEBOOK_METADATA = ("mystnb",)
CELL_METADATA = ("mystnb", "tags", "unrolled")

ADDRESS = re.compile(r"\b0x[0-9a-f]{6,}\b", re.IGNORECASE)
ANSI = re.compile(r"\x1b\[[0-9;]*m")
IMAGES = ("image/png", "image/jpeg", "image/svg+xml")


class NotebookError(Exception):
    """A chapter that cannot be written; the message names the chapter and the cell."""


# --------------------------------------------------------------------------- normalising


def cell_ids(cells: list[NotebookNode]) -> list[str]:
    """Return an id for each cell: a hash of its source, counted up where sources repeat."""
    seen: dict[str, int] = {}
    ids = []
    for cell in cells:
        text = f"{cell.cell_type}\n{cell.source}"
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()[:8]
        seen[digest] = seen.get(digest, 0) + 1
        ids.append(digest if seen[digest] == 1 else f"{digest}-{seen[digest]}")
    return ids


def _normal_outputs(outputs: list[NotebookNode], count: int | None) -> list[NotebookNode]:
    """Return ``outputs`` without stderr, neighbouring pieces of stdout joined."""
    kept: list[NotebookNode] = []
    for output in outputs:
        if output.output_type == "stream":
            if output.name == "stderr":
                continue
            if kept and kept[-1].output_type == "stream":
                kept[-1].text += output.text
                continue
        if output.output_type == "execute_result":
            output.execution_count = count
        output.pop("transient", None)
        kept.append(output)
    return kept


def normalise(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of ``notebook`` without anything that varies between equal executions."""
    source = nbformat.from_dict(notebook)
    cells = []
    count = 0
    for cell in source.cells:
        kept = {k: cell.metadata[k] for k in CELL_METADATA if cell.metadata.get(k)}
        fresh = {"cell_type": cell.cell_type, "metadata": kept, "source": cell.source.strip("\n")}
        if cell.cell_type == "code":
            ran = bool(cell.source.strip()) and cell.get("execution_count") is not None
            count += ran
            number = count if ran else None
            outputs = [nbformat.from_dict(dict(output)) for output in cell.outputs]
            fresh["execution_count"] = number
            fresh["outputs"] = _normal_outputs(outputs, number)
        elif cell.get("attachments"):
            fresh["attachments"] = cell.attachments
        cells.append(nbformat.from_dict(fresh))
    for cell, cell_id in zip(cells, cell_ids(cells), strict=True):
        cell.id = cell_id
    metadata = {k: source.metadata[k] for k in NOTEBOOK_METADATA if source.metadata.get(k)}
    metadata |= {"kernelspec": KERNELSPEC, "language_info": LANGUAGE_INFO}
    return nbformat.from_dict(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )


def output_texts(output: NotebookNode) -> list[str]:
    """Return what a reader can read in ``output``: its text, but not the data of images."""
    if output.output_type == "stream":
        return [output.text]
    data = output.get("data", {})
    return [value for kind, value in data.items() if kind not in IMAGES and isinstance(value, str)]


def problems(notebook: NotebookNode) -> list[str]:
    """Return what in the outputs must not be committed, one line each, with the cell's number."""
    found = []
    paths = {str(ROOT): "this folder's path"}
    if len(str(Path.home())) > 1:
        paths[str(Path.home()) + os.sep] = "a path of the home folder"
    for number, cell in enumerate(notebook.cells):
        place = where(number, cell)
        for output in cell.get("outputs", []):
            if output.output_type == "error":
                found.append(f"{place}: ends in {output.ename}: {output.evalue}")
                continue
            if any("widget" in kind for kind in output.get("data", {})):
                found.append(f"{place}: shows a widget, which a static page cannot")
            for text in output_texts(output):
                if match := ADDRESS.search(text):
                    line = next(s for s in text.splitlines() if match.group() in s)
                    found.append(
                        f"{place}: shows the memory address {match.group()} in "
                        f"{line.strip()[:80]!r}; end the cell with a semicolon or plt.show(), or "
                        "print something else"
                    )
                found += [
                    f"{place}: shows {name}: {path}" for path, name in paths.items() if path in text
                ]
    return found


def what_is_shown(cell: NotebookNode) -> Counter:
    """Count what a cell of a normalised notebook shows, by kind."""
    shown: Counter = Counter()
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        if output.output_type == "stream":
            shown["printed text"] = 1  # in how many pieces it arrives is chance
        elif any(kind in data for kind in IMAGES):
            shown["picture"] += 1
        elif "text/html" in data:
            shown["HTML output"] += 1
        elif data:
            shown["result"] += 1
    return shown


def losses(before: NotebookNode, after: NotebookNode) -> list[str]:
    """Return which cells show less ``after`` than ``before``, one line each.

    Not the cells edited since they were last executed here: the id of those is still that of their
    old source.
    """
    normal = normalise(before).cells
    stored = {
        new.id: new
        for new, old in zip(normal, before.cells, strict=True)
        if new.id == old.get("id")
    }
    found = []
    for number, cell in enumerate(after.cells):
        if cell.id in stored:
            lost = what_is_shown(stored[cell.id]) - what_is_shown(cell)
            what = ", ".join(f"{count} {kind}" for kind, count in lost.items())
            if lost:
                found.append(f"{where(number, cell)}: shows less than is stored, by {what}")
    return found


def where(number: int, cell: NotebookNode) -> str:
    """Return a cell's number and the beginning of its source."""
    first = (cell.source.splitlines() or [""])[0]
    return f"cell {number} ({first[:60]!r})"


def as_text(notebook: NotebookNode) -> str:
    """Return the file's text for ``notebook``."""
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


# --------------------------------------------------------------------------- executing


class _ThisPython(AsyncKernelManager):
    """Starts kernels in this Python, whatever kernels are installed on the machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        return KernelSpec(
            argv=make_ipkernel_cmd(extra_arguments=["--log-level=ERROR"]),
            display_name=KERNELSPEC["display_name"],
            language="python",
        )


def execute(notebook: NotebookNode, folder: Path, name: str, *, progress=None) -> NotebookNode:
    """Return ``notebook`` executed in a fresh kernel with ``folder`` as working folder, normalised.

    Raises
    ------
    NotebookError
        If a cell fails, takes too long, or prints what must not be committed.
    """
    fresh = nbformat.from_dict(notebook)
    for cell in fresh.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    running = {"cell": -1}

    def on_start(cell, cell_index):
        running["cell"] = cell_index
        if progress:
            progress()

    client = NotebookClient(
        fresh,
        kernel_manager_class=_ThisPython,
        timeout=CELL_TIMEOUT,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
        on_cell_execute=on_start,
    )
    try:
        client.execute()
    except CellExecutionError as error:
        trace = ANSI.sub("", error.traceback)
        raise NotebookError(f"{name}: cell {running['cell']} failed\n{trace}") from None
    except CellTimeoutError:
        raise NotebookError(
            f"{name}: cell {running['cell']} still ran after {CELL_TIMEOUT} s"
        ) from None
    except DeadKernelError:
        raise NotebookError(f"{name}: the kernel died in cell {running['cell']}") from None
    result = normalise(fresh)
    if found := problems(result):
        raise NotebookError(f"{name}: outputs that cannot be kept\n  " + "\n  ".join(found))
    return result


def run(
    notebook: NotebookNode, path: Path, *, check: bool = False, accept_losses: bool = False
) -> float:
    """Execute ``notebook``, write it to ``path`` (or compare with it), return the seconds taken.

    Prints the name, a dot for each cell as it starts, and the time.

    Raises
    ------
    NotebookError
        If it cannot be executed, differs (``check``), or would lose outputs (``accept_losses``).
    """
    cells = sum(cell.cell_type == "code" for cell in notebook.cells)
    print(f"{path.stem}: {cells} cells ", end="", flush=True)
    start = time.perf_counter()
    try:
        result = execute(
            notebook,
            path.resolve().parent,
            path.name,
            progress=lambda: print(".", end="", flush=True),
        )
    finally:
        seconds = time.perf_counter() - start
        print(f" {seconds:.1f} s", flush=True)
    text = as_text(result)
    same = path.exists() and path.read_text(encoding="utf-8") == text
    if check and not same:
        raise NotebookError(
            f"{path.name}: executing changes {_first_difference(path, result)}; "
            "`make notebooks` writes the new outputs"
        )
    if not accept_losses and (lost := losses(notebook, result)):
        raise NotebookError(
            f"{path.name}: "
            + "\n  ".join(lost)
            + "\n  The notebook is left as it was. Where less is meant, clear these outputs"
            "\n  first, or add --accept-losses: make notebooks ARGS=--accept-losses"
        )
    if not check and not same:
        write_atomically(path, text)
    return seconds


def _first_difference(path: Path, result: NotebookNode) -> str:
    """Name the first cell in which the stored notebook and ``result`` differ."""
    stored = nbformat.read(path, as_version=4)
    if len(stored.cells) != len(result.cells):
        return "the number of cells"
    for number, (old, new) in enumerate(zip(stored.cells, result.cells, strict=True)):
        if old != new:
            return where(number, new)
    return "the notebook's metadata"


def refuse_other_devices() -> None:
    """Raise `NotebookError` unless the chapters would run on the CPU."""
    device = os.environ.get("RNNLIB_DEVICE", "").strip().lower() or "cpu"
    if device != "cpu":
        raise NotebookError(
            f"RNNLIB_DEVICE is {device!r}, but the committed outputs are those of the CPU. "
            "Unset it to execute the chapters in place; to prove them on another device, use "
            f"`RNNLIB_DEVICE={device} make test`, which writes nothing."
        )


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("notebooks", nargs="+", type=Path)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument(
        "--accept-losses", action="store_true", help="write even if cells show less"
    )
    parser.add_argument("--time-limit", type=float, metavar="S", help="seconds a chapter may take")
    options = parser.parse_args(arguments)
    clean_env.enter()
    if missing := [str(path) for path in options.notebooks if not path.is_file()]:
        parser.error(f"no such notebook: {', '.join(missing)}")
    failures = []
    total = 0.0
    try:
        refuse_other_devices()
        for path in options.notebooks:
            try:
                seconds = run(
                    nbformat.read(path, as_version=4),
                    path,
                    check=options.check,
                    accept_losses=options.accept_losses,
                )
            except NotebookError as error:
                failures.append(str(error))
                print(f"  ✗ {error}", flush=True)
                continue
            total += seconds
            if options.time_limit and seconds > options.time_limit:
                failures.append(f"{path.name} took {seconds:.1f} s, over {options.time_limit:g} s")
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted; the chapter that was running is as it was before.", file=sys.stderr)
        return 130
    print(f"{len(options.notebooks)} chapters, {total:.1f} s")
    if failures:
        print(f"\n{len(failures)} problem(s):", file=sys.stderr)
        for failure in failures:
            print("  " + failure.split("\n")[0], file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
