"""Running rnnlib's tests in a copy of this folder, with one place of one file changed.

Each run is a fork of this process, which has imported what takes long; of the package it has
nothing. The copy and all that is kept between runs lie in ``.mutants``.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import json
import math
import os
import resource
import shutil
import signal
import sys
import threading
import time
import traceback
from pathlib import Path

import coverage
import pytest
from alone import PINNED_ALONE
from atomic import write_atomically
from mutations import Mutant

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / ".mutants"
COPY = WORK / "copy"
LEFT_OUT = shutil.ignore_patterns(".git", ".venv*", ".mutants", "_build", "build", "*.egg-info")

# Tests of something else than the package.
NAMES = ("mutants", "killed", "benchmarks", "comparison", "layout", "studies")
BESIDE = [f"tests/{name}" for name in (*PINNED_ALONE, *(f"test_{name}.py" for name in NAMES))]
# Coverage does not see compiled code run.
UNSEEN = {
    "bptt/compiled.py": ("tests/test_compiled.py", "tests/test_bptt.py"),
    "bptt/keeping.py": ("tests/test_cache.py",),
}


def write(path: Path, value: object) -> None:
    """Write JSON, whole or not at all."""
    write_atomically(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def read(path: Path) -> dict:
    """Return what a JSON file holds, {} where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def preload() -> None:
    """Import once what every child needs, but nothing of the package."""
    for name in ("anyio", "matplotlib.pyplot", "nbval.plugin", "numba", "pdb", "pooch", "requests"):
        importlib.import_module(name)
    importlib.import_module("sklearn.datasets")
    torch = importlib.import_module("torch")
    torch.set_num_threads(1)
    assert not any(name.split(".")[0] == "rnnlib" for name in sys.modules)


# ---------------------------------------------------------------- running tests in the copy


def in_child(task, seconds: float) -> int | None:
    """Run ``task`` in a forked process, in the copy; return its exit status, None if it is late.

    The seconds are the processor's, because the machine may be busy with other work. A process that
    waits for ever is stopped after ten times as many.
    """
    pid = os.fork()
    if pid == 0:
        status = 70
        try:
            os.setpgid(0, 0)
            threading.Thread(target=_end_with, args=[os.getppid()], daemon=True).start()
            settle()
            resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds),) * 2)
            status = task()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(status)
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)
    end = time.monotonic() + 10 * seconds
    try:
        while time.monotonic() < end:
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                code = os.waitstatus_to_exitcode(status)
                return None if code in (-signal.SIGXCPU, -signal.SIGKILL) else code
            time.sleep(0.02)
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)


def _end_with(parent: int) -> None:
    """End this process, and those it has started, when its parent has gone."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os.killpg(0, signal.SIGKILL)


def settle() -> None:
    """Make the copy this process's project: its folder, its imports, its temporary files."""
    with open(WORK / "log", "w") as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    shutil.rmtree(WORK / "tmp", ignore_errors=True)
    (WORK / "tmp").mkdir()
    os.environ["TMPDIR"] = str(WORK / "tmp")
    os.chdir(COPY)
    sys.path[:0] = [str(COPY), str(COPY / "tools")]
    for name in ("alone", "atomic", "clean_env", "mutations", "trial"):  # the copy has its own
        sys.modules.pop(name, None)


class Only:
    """A plugin of pytest's: run these tests, in this order, and note the first that fails."""

    def __init__(self, tests: list[str]):
        self.order = {test: i for i, test in enumerate(tests)}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Choose and order."""
        items[:] = [item for item in items if item.nodeid in self.order]
        items.sort(key=lambda item: self.order[item.nodeid])

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed:
            (WORK / "failed").write_text(report.nodeid, encoding="utf-8")


class Watch:
    """A plugin of pytest's: note what each test takes, and which lines of the package it runs."""

    def __init__(self):
        self.seconds: dict[str, float] = {}
        self.failed: set[str] = set()
        self.test = ""
        self.coverage = coverage.Coverage(
            data_file=None, config_file=False, source=[str(COPY / "rnnlib")]
        )

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item):
        """Let what runs from here on be this test's."""
        self.test = item.nodeid
        self.coverage.switch_context(self.test)
        begin = time.process_time()
        try:
            return (yield)
        finally:
            self.seconds[self.test] = round(time.process_time() - begin, 3)

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef):
        """Let what tests share belong to all tests of the file, not to the one that comes first."""
        if fixturedef.scope == "function":
            return (yield)
        self.coverage.switch_context(self.test.split("::")[0])
        try:
            return (yield)
        finally:
            self.coverage.switch_context(self.test)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed:
            self.failed.add(report.nodeid)

    def found(self) -> dict:
        """Return the tests and their seconds, and which of them run which line of which room.

        A file among the tests stands for all tests in it.
        """
        data = self.coverage.get_data()
        tests = sorted({*self.seconds, *(test.split("::")[0] for test in self.seconds)})
        number = {test: i for i, test in enumerate(tests)}
        rooms = {
            Path(file).relative_to(COPY / "rnnlib").as_posix(): {
                line: sorted(number[name] for name in names if name)
                for line, names in data.contexts_by_lineno(file).items()
                if any(names)
            }
            for file in data.measured_files()
        }
        seconds = [self.seconds.get(test, 0.0) for test in tests]
        failed = sorted(self.failed)
        return {"tests": tests, "seconds": seconds, "failed": failed, "rooms": rooms}


def run_pytest(plugin: object, *arguments: str) -> int:
    """Run tests in this process, without traces in the copy."""
    options = ["-q", "-p", "no:cacheprovider", "-p", "no:nbval", "--rootdir", str(COPY)]
    return int(pytest.main([*options, "-c", str(COPY / "pyproject.toml"), *arguments], [plugin]))


# ---------------------------------------------------------------- which test runs which line


class Map:
    """For each line of the package the tests that run it, and what they take."""

    def __init__(self):
        self.folder = WORK / "map"
        self.folder.mkdir(exist_ok=True)
        files = sorted((COPY / "tests").rglob("test_*.py"))
        names = [file.relative_to(COPY).as_posix() for file in files]
        names = [name for name in names if name not in BESIDE]
        shared = [path for path in sorted((COPY / "tests").rglob("*.py")) if path not in files]
        package = digest(*sorted((COPY / "rnnlib").rglob("*.py")), *shared)
        self.seconds, self.rooms = {}, {}
        for name in names:
            found = self._of(name, f"{package} {digest(COPY / name)}")
            for test in found["failed"]:
                print(f"{test} fails without a mutant, and is left out", flush=True)
            healthy = {test for test in found["tests"] if test not in found["failed"]}
            seconds = dict(zip(found["tests"], found["seconds"], strict=True))
            self.seconds |= {test: seconds[test] for test in healthy if "::" in test}
            for room, lines in found["rooms"].items():
                for line, numbers in lines.items():
                    tests = {found["tests"][i] for i in numbers} & healthy
                    self.rooms.setdefault(room, {}).setdefault(int(line), set()).update(tests)

    def _of(self, name: str, key: str) -> dict:
        path = self.folder / (name.replace("/", "-") + ".json")
        found = read(path)
        if found.get("key") == key:
            return found
        print(f"coverage of {name}", flush=True)
        watch = Watch()

        def task() -> int:
            watch.coverage.start()
            status = run_pytest(watch, name)
            watch.coverage.stop()
            write(path, watch.found() | {"key": key})
            return status

        if in_child(task, 900) not in (0, 1):
            raise SystemExit(f"{name} can't be run:\n{(WORK / 'log').read_text()}")
        return read(path)

    def tests(self, mutant: Mutant, enough: float) -> dict[str, list[str]]:
        """Return the tests that run a mutant's line, file by file, as many as are enough."""
        room = self.rooms.get(mutant.room, {})
        lines = room if mutant.at_import else [line for line in mutant.lines if line in room]
        found = set().union(*(room[line] for line in lines)) or {*UNSEEN.get(mutant.room, ())}
        found |= {test for test in self.seconds if test.split("::")[0] in found}
        files: dict[str, list[str]] = {}
        for test in sorted(self.seconds, key=lambda test: (test not in found, self.seconds[test])):
            if test in found or test.split("::")[0] in files:
                files.setdefault(test.split("::")[0], []).append(test)

        def order(name: str) -> tuple[bool, float]:
            own = Path(name).stem.removeprefix("test_") in Path(mutant.room).with_suffix("").parts
            return not own, self.duration(files[name])

        kept, left = {}, enough
        for name in sorted(files, key=order):
            tests = [t for t in files[name] if (left := left - self.seconds[t]) > 0 or not kept]
            kept |= {name: tests} if tests else {}
        return kept

    def duration(self, tests: list[str]) -> float:
        """Return the seconds of these tests."""
        return sum(map(self.seconds.__getitem__, tests))


def digest(*paths: Path) -> str:
    """Return a hash of files' contents."""
    whole = hashlib.sha256()
    for path in paths:
        whole.update(path.read_bytes() + b"\0")
    return whole.hexdigest()


# ---------------------------------------------------------------- trying a mutant


def attempt(mutant: Mutant, files: dict[str, list[str]], seconds: float) -> tuple[str, str]:
    """Put a mutant in the copy, run tests until one fails, and put the original back.

    Returns "killed", "timed out" or "survived", and the test that failed.
    """
    if not files:
        return "survived", "no test runs it"
    place = COPY / "rnnlib" / mutant.room
    original = ROOT / "rnnlib" / mutant.room
    (WORK / "failed").unlink(missing_ok=True)

    def task() -> int:
        # Nothing compiled from this mutant is there for the next, nor from the original for it.
        sys.dont_write_bytecode = True
        os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
        if mutant.room in UNSEEN:
            import numba

            numba.config.CACHE_DIR = os.environ["NUMBA_CACHE_DIR"] = str(WORK / "tmp")
        runs = (run_pytest(Only(tests), "-x", name) for name, tests in files.items())
        return next(filter(None, runs), 0)

    try:
        place.write_bytes(mutant.source)
        status = in_child(task, seconds)
    finally:
        shutil.copy2(original, place)
    if status is None:
        return "timed out", ""
    if status == pytest.ExitCode.OK:
        return "survived", ""
    failed = WORK / "failed"
    return "killed", failed.read_text(encoding="utf-8") if failed.exists() else "the import"


def make_copy() -> None:
    """Make the copy afresh, whatever a run that was stopped has left of it."""
    shutil.rmtree(COPY, ignore_errors=True)
    shutil.copytree(ROOT, COPY, ignore=LEFT_OUT)
