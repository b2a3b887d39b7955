"""Run each chapter as one who has nothing but it: in an empty folder, with rnnlib from a wheel.

::

    python tools/alone.py chapters/*.ipynb                  # on the oldest and on the newest
    python tools/alone.py --on newest chapters/01*.ipynb
    python tools/alone.py --on next --tests                 # the unit tests, on pre-releases

For each end of the ranges in pyproject.toml a new environment gets the wheel, what the wheel itself
asks for, and what a notebook's kernel and nbval need; nothing of this folder can be imported there.
nbval then runs the chapter, and compares it as ``make test`` does. The unit tests run here, in the
same environments, without those that concern the book and its tools. uv installs, from where its
settings say; PyTorch comes for the CPU, unless ``UV_TORCH_BACKEND`` says otherwise ("" leaves the
choice to the index).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "unrolled-rnnlib[fast]"  # with numba, as the chapters' first cell asks for it

# What uv is told about the versions of what the wheel asks for.
ENDS = {
    "oldest": ["--resolution", "lowest-direct"],
    "newest": ["--resolution", "highest"],
    "next": ["--resolution", "highest", "--prerelease", "allow"],
}
# What runs and compares a notebook: these, as pinned, and the files that say how.
RUNNERS = ("ipykernel", "ipytest", "nbval", "pytest")
# What some unit tests need besides: they run a figure's script, and build a wheel.
TESTERS = ("quickjs-ng", "setuptools", "uv", "wheel")
# Unit tests of what comes with the pins alone.
PINNED_ALONE = (
    "test_back_matter.py",
    "test_book.py",
    "test_citation.py",
    "test_desk.py",
    "test_extensions.py",
    "test_tools.py",
    "test_workflows.py",
)
COMPARISON = ("conftest.py", "tools/clean_env.py", "tools/comparison.py", "tools/matplotlibrc")

FAILED = re.compile(r"(\d+) (?:failed|errors?)")
PASSED = re.compile(r"(\d+) passed")


class AloneError(Exception):
    """An environment could not be made; the message says why."""


@contextlib.contextmanager
def work_folder(prefix: str = "unrolled-alone-") -> Iterator[Path]:
    """Make a folder for the environments, and remove those of runs that were killed.

    They are large. A run holds a lock in its folder, and so does the uv that it has started.
    """
    for left in Path(tempfile.gettempdir()).glob(f"{prefix}*") if fcntl else ():
        with contextlib.suppress(OSError), open(left / "lock") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(left)
    with tempfile.TemporaryDirectory(prefix=prefix, ignore_cleanup_errors=True) as name:
        folder = Path(name).resolve()
        with open(folder / "lock", "w") as lock:
            if fcntl:
                os.set_inheritable(lock.fileno(), True)
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder


def uv(*arguments: str) -> None:
    """Run uv, or raise `AloneError` with what it said."""
    environment = {"UV_TORCH_BACKEND": "cpu"} | os.environ
    if not environment["UV_TORCH_BACKEND"]:
        del environment["UV_TORCH_BACKEND"]
    command = [sys.executable, "-m", "uv", "--no-progress", *arguments]
    run = subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        close_fds=False,
    )
    if run.returncode:
        raise AloneError(f"uv {' '.join(arguments)} failed:\n{run.stdout}{run.stderr}")


def pinned(names: tuple[str, ...]) -> list[str]:
    """Return the pins of ``names`` in requirements.txt."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return [re.search(rf"^{name}==\S+", text, re.MULTILINE).group() for name in names]


def ranges() -> list[str]:
    """Return what the wheel asks for, with its extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project["dependencies"] + project["optional-dependencies"]["fast"]


def build_wheel(folder: Path) -> Path:
    """Build rnnlib's wheel in ``folder`` from a copy, so that no build folder is left here."""
    copy = folder / "source"
    copy.mkdir()
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, copy)
    shutil.copytree(ROOT / "rnnlib", copy / "rnnlib")
    uv("build", "--wheel", "--quiet", "--no-build-isolation", "--out-dir", str(folder), str(copy))
    (wheel,) = folder.glob("*.whl")
    return wheel


def make_environment(folder: Path, wheel: Path, end: str, runners: tuple[str, ...]) -> Path:
    """Make an environment with the wheel at one end of its ranges, and pinned ``runners``.

    Returns its Python.

    Raises
    ------
    AloneError
        If something cannot be installed, or rnnlib is not the wheel's.
    """
    uv("venv", "--quiet", "--python", sys.executable, str(folder))
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    # The ranges once more, because uv takes the lowest only of what it is asked for directly.
    packages = [f"{PACKAGE} @ {wheel.as_uri()}", *ranges(), *pinned(runners)]
    uv("pip", "install", "--quiet", "--python", str(python), *ENDS[end], *packages)
    check_origin(python, folder)
    return python


def check_origin(python: Path, folder: Path) -> None:
    """Raise `AloneError` unless rnnlib comes from ``folder``."""
    code = "import importlib.util; print(importlib.util.find_spec('rnnlib').origin)"
    found = subprocess.check_output([python, "-I", "-c", code], cwd=folder, text=True).strip()
    if not Path(found).is_relative_to(folder):
        raise AloneError(f"rnnlib should come from the wheel in {folder}, not from {found}")


def versions(python: Path) -> str:
    """Return Python's version and those of what the wheel asks for, in one line."""
    code = (
        "import platform, re; from importlib import metadata as m; "
        "names = [re.match(r'[\\w-]+', r).group() for r in m.requires('unrolled-rnnlib')]; "
        "print('Python', platform.python_version(), *(f'{n} {m.version(n)}' for n in names), "
        "sep=', ')"
    )
    return subprocess.check_output([python, "-I", "-c", code], text=True).strip()


def run_chapter(python: Path, comparison: Path, chapter: Path) -> tuple[str, str]:
    """Run a copy of ``chapter`` in a folder of its own; return a few words, and what nbval said.

    The words are "12 ok" or begin with "✗".
    """
    with tempfile.TemporaryDirectory(prefix="alone-") as folder:
        shutil.copy(chapter, folder)
        options = ["-p", "conftest", "-c", os.devnull, "--rootdir", folder]
        options += ["--nbval", "--nbval-current-env", "--nbval-cell-timeout", "300"]
        return run_pytest(python, Path(folder), *options, chapter.name, PYTHONPATH=str(comparison))


def run_tests(python: Path) -> tuple[str, str]:
    """Run the unit tests; return a few words as `run_chapter` does, and what pytest said."""
    return run_pytest(python, ROOT, "tests", *(f"--ignore=tests/{name}" for name in PINNED_ALONE))


def run_pytest(python: Path, folder: Path, *arguments: str, **variables: str) -> tuple[str, str]:
    """Run pytest in ``folder`` with environment ``variables``; return as `run_chapter` does."""
    started = time.perf_counter()
    run = subprocess.run(
        [python, "-m", "pytest", "-p", "no:cacheprovider", "--color=no", "-q", *arguments],
        cwd=folder,
        env=os.environ | variables | {"PYTHONUTF8": "1"},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    seconds = time.perf_counter() - started
    said = run.stdout + run.stderr
    passed, failed = PASSED.search(said), FAILED.search(said)
    if run.returncode == 0 and passed:
        return f"{passed.group(1)} ok, {seconds:.0f} s", said
    return f"✗ {failed.group(1) if failed else 'all'} failed", said


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("chapters", nargs="*", type=Path)
    parser.add_argument("--tests", action="store_true", help="run the unit tests as well")
    parser.add_argument(
        "--on", action="append", choices=ENDS, help="which end of the ranges (oldest and newest)"
    )
    options = parser.parse_args(arguments)
    runners = RUNNERS + TESTERS if options.tests else RUNNERS
    table: dict[str, list[str]] = {}
    ends = options.on or ["oldest", "newest"]
    with work_folder() as folder:
        comparison = folder / "comparison"
        for file in COMPARISON:
            (comparison / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / file, comparison / file)
        try:
            wheel = build_wheel(folder)
            print(wheel.name)
            for end in ends:
                print(f"\n{end}: installing", flush=True)
                python = make_environment(folder / end, wheel, end, runners)
                print(versions(python))
                runs = {
                    chapter.stem: partial(run_chapter, python, comparison, chapter)
                    for chapter in options.chapters
                }
                if options.tests:
                    runs = {"unit tests": partial(run_tests, python)} | runs
                for name, run in runs.items():
                    words, said = run()
                    table.setdefault(name, []).append(words)
                    print(f"  {name}: {words}", flush=True)
                    if words.startswith("✗"):
                        print(said, flush=True)
        except AloneError as error:
            print(error, file=sys.stderr)
            return 1
    print(f"\n{'':28}" + "".join(f"{end:20}" for end in ends))
    for name, cells in table.items():
        print(f"{name:28}" + "".join(f"{cell:20}" for cell in cells))
    return int(any(cell.startswith("✗") for cells in table.values() for cell in cells))


if __name__ == "__main__":
    sys.exit(main())
