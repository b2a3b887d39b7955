"""A run that is killed at any moment leaves nothing that the next one trips over."""

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import report
from rnnlib.exercises.progress import VARIABLE, note
from studies.record import Record

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import alone  # noqa: E402 (tools/ is no package)
import atomic  # noqa: E402
import pin  # noqa: E402
import setup_env  # noqa: E402

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="kills forks of this process")


def killed_at(line: int | None, write) -> int | None:
    """Run ``write`` in a fork, and kill it at its n-th line, those of the library included.

    Returns how many lines it had, if it was not killed.
    """
    receive, send = os.pipe()
    if (pid := os.fork()) == 0:
        count = 0

        def trace(frame, event, argument):
            nonlocal count
            count += event == "line"
            if count == line:
                os.kill(os.getpid(), signal.SIGKILL)
            return trace

        gc.disable()  # a collection may call Python, at another line each time
        sys.settrace(trace)
        write()
        sys.settrace(None)
        os.write(send, str(count).encode())
        os._exit(0)
    os.close(send)
    os.waitpid(pid, 0)
    with open(receive, "rb") as pipe:
        return int(pipe.read() or -1)


STUDY = SimpleNamespace(__name__="fake", __doc__="?", SETTINGS=[{"seed": 0}, {"seed": 1}])


def write_text(path, monkeypatch):
    atomic.write_atomically(path, "first\n" * 2000)
    return lambda: atomic.write_atomically(path, "second\n" * 2000)


def write_pins(path, monkeypatch):
    monkeypatch.setattr(pin, "REQUIREMENTS", path)
    path.write_text(f"numpy=={pin.metadata.version('numpy')}\n\n{pin.MARKER}\nold==1\n")
    return pin.main


def write_study(path, monkeypatch):
    Record(path, STUDY).add({"seed": 0}, {"error": 0.5})
    return lambda: Record(path, STUDY).add({"seed": 1}, {"error": 0.25})


def write_benchmark(path, monkeypatch):
    report.write({"version": report.VERSION, "measured": {}}, path)
    return lambda: report.write({"version": report.VERSION, "measured": {"speed": "today"}}, path)


def write_progress(path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(path))
    note("check_one")
    return lambda: note("check_two")


def write_set_up(path, monkeypatch):
    setup_env.write(path.as_posix(), "first")
    return lambda: setup_env.write(path.as_posix(), "second")


@needs_fork
@pytest.mark.parametrize(
    "writer",
    [write_text, write_pins, write_study, write_benchmark, write_progress, write_set_up],
)
def test_a_file_is_whole_whenever_its_writer_is_killed(tmp_path, monkeypatch, capfd, writer):
    path = tmp_path / "file.json"
    write = writer(path, monkeypatch)
    old = path.read_bytes()
    write()  # what a first run compiles and remembers takes lines that no later run has
    path.write_bytes(old)
    lines = killed_at(None, write)
    new = path.read_bytes()
    assert lines > 10 and new != old
    moments = {*range(1, lines, max(1, lines // 4)), *range(max(1, lines - 15), lines + 1)}
    seen, killed = set(), 0
    for moment in sorted(moments):
        path.write_bytes(old)
        killed += killed_at(moment, write) == -1  # or it took fewer lines than the run counted
        seen.add(path.read_bytes())
        write()
        assert path.read_bytes() == new, "the next run went wrong"
    assert seen <= {old, new}
    assert old in seen
    assert killed > len(moments) // 2


def test_a_removal_that_was_cut_off_leaves_no_environment_to_be_trusted(tmp_path, monkeypatch):
    venv, going = tmp_path / ".venv", tmp_path / ".venv.going"
    (venv / "lib").mkdir(parents=True)
    monkeypatch.setattr(setup_env, "VENV", str(venv))
    monkeypatch.setattr(setup_env, "GOING", str(going))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(shutil, "rmtree", lambda path: (_ for _ in ()).throw(KeyboardInterrupt))
        setup_env.remove_venv()
    assert not venv.exists() and going.exists()
    (venv / "lib").mkdir(parents=True)
    monkeypatch.setattr(setup_env, "fault_of_venv", lambda chosen: None)
    monkeypatch.setattr(setup_env, "stamp_text", lambda version: "")
    setup_env.set_up(chosen=False)
    assert venv.exists() and not going.exists()


FAKE_PYTHON = """#!/bin/sh
case "$*" in
  *"pip --version"*) echo pip 26.0 ;;
  *"pip config"*) echo "global.index-url='x'" ;;
  *"pip install"*) touch "{folder}/started"; sleep 2; touch "{folder}/ended" ;;
  *) echo {version} ;;
esac
"""


@needs_fork
def test_a_set_up_waits_for_what_a_killed_one_has_started(tmp_path):
    """Else it would remove .venv while the pip of the first still writes there."""
    import fcntl

    (tmp_path / "tools").mkdir()
    tool = shutil.copy(ROOT / "tools" / "setup_env.py", tmp_path / "tools")
    venv_bin = tmp_path / ".venv" / "bin"
    venv_bin.mkdir(parents=True)
    (venv_bin / "pip").write_text(f"#!{venv_bin}/python\n")
    version = " ".join(map(str, sys.version_info[:3]))
    (venv_bin / "python").write_text(FAKE_PYTHON.format(folder=tmp_path, version=version))
    (venv_bin / "python").chmod(0o755)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "requirements.txt").write_text("one==1\n")
    first = subprocess.Popen([sys.executable, tool], stdout=subprocess.DEVNULL)
    while not (tmp_path / "started").exists():
        assert first.poll() is None
        time.sleep(0.01)
    first.kill()
    first.wait()
    with open(tmp_path / "requirements.txt") as lock:
        with pytest.raises(OSError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(lock, fcntl.LOCK_EX)  # as the next set-up waits
    assert (tmp_path / "ended").exists()


@needs_fork
def test_the_environments_of_a_killed_run_are_removed_by_the_next(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    receive, send = os.pipe()
    if (pid := os.fork()) == 0:
        with alone.work_folder() as folder:
            os.write(send, folder.name.encode())
            time.sleep(60)
    killed = tmp_path / os.read(receive, 99).decode()
    with alone.work_folder() as folder:
        assert killed.exists(), "somebody works in it"
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    with alone.work_folder() as folder:
        assert [left.name for left in tmp_path.iterdir()] == [folder.name]
    assert not list(tmp_path.iterdir())


def test_a_study_goes_on_where_it_was(tmp_path):
    """As killed while it wrote: half a new file lies beside the old."""
    path = tmp_path / "file.json"
    Record(path, STUDY).add({"seed": 0}, {"error": 0.5})
    path.with_suffix(".new").write_text('{"rows": [{"setting"')
    record = Record(path, STUDY)
    assert record.waiting() == [{"seed": 1}]
    record.add({"seed": 1}, {"error": 0.25})
    assert len(json.loads(path.read_text())["rows"]) == 2
    assert [left.name for left in tmp_path.iterdir()] == ["file.json"]
