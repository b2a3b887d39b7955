"""Compiled code on disk: kept, announced, made anew, and never in the way.

Most tests compile one small function in a scratch copy of the two modules concerned, each time in a
process of its own.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnnlib import bptt

SOURCE = Path(bptt.__file__).parent
USE = """
import sys, threading
import numpy as np
from rnnlib.bptt import compiled

def use(dtype):
    a = np.ones((1, 3), dtype)
    compiled.rnn_step(a, False)  # tanh
    print(dtype, round(float(a[0, 0]), 6))

threads = [threading.Thread(target=use, args=[dtype]) for dtype in sys.argv[1:]]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""
SAID = "rnnlib: compiling its passes"
posix = pytest.mark.skipif(
    sys.platform == "win32", reason="numba's own folder, and a limit on files, are another's there"
)
TANH = {"float32": "float32 0.761594", "float64": "float64 0.761594"}


@pytest.fixture
def package(tmp_path):
    """A scratch copy of what is compiled, without anything that needs PyTorch."""
    folder = tmp_path / "rnnlib" / "bptt"
    folder.mkdir(parents=True)
    for name in ("compiled.py", "keeping.py"):
        shutil.copy(SOURCE / name, folder)
    (folder / "__init__.py").touch()
    (tmp_path / "rnnlib" / "__init__.py").touch()
    return folder


def start(folder, *dtypes, code=USE, **env):
    """Run `code` in the scratch copy."""
    root = folder.parents[1]
    no_bytecode = {"PYTHONDONTWRITEBYTECODE": "1"}
    system = {k: os.environ[k] for k in ("SYSTEMROOT",) if k in os.environ}  # Windows wants it
    env = {"PATH": "", "HOME": str(root), "PYTHONPATH": str(root), **system, **no_bytecode, **env}
    command = [sys.executable, "-c", code, *dtypes]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env=env, cwd=root, **pipes)


def finish(process, *expected):
    """Return how often it has said that it compiles; its answers must be as expected."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert sorted(out.split("\n")) == sorted(["", *expected])
    assert err.count("\n") == err.count(SAID), err  # nothing else is said
    return err.count(SAID)


def use(folder, *dtypes, expected=None, **env):
    return finish(start(folder, *dtypes, **env), *(expected or [TANH[d] for d in dtypes]))


def files(folder, suffix):
    return sorted((folder / "__pycache__").glob(f"compiled.rnn_step-*{suffix}"))


def test_compiling_is_announced_once_and_kept_code_is_silent(package):
    assert use(package, "float32", "float64") == 1
    assert use(package, "float32", "float64") == 0
    assert len(files(package, ".nbc")) == 2


def test_damaged_files_are_made_anew(package):
    """Cut short, empty, or written by another process for the other float type."""
    assert use(package, "float32", "float64") == 1
    (index,), (one, other) = files(package, ".nbi"), files(package, ".nbc")
    whole = {path: path.read_bytes() for path in (index, one, other)}
    damages = [
        {one: whole[one][:3000], other: b""},
        {one: whole[other], other: whole[one]},
        {index: whole[index][:100]},
    ]
    for damage in damages:
        for path, content in (whole | damage).items():
            path.write_bytes(content)
        assert use(package, "float32", "float64") == 1
    assert use(package, "float32", "float64") == 0


def test_an_edit_of_what_is_called_is_noticed(package):
    """Even of the same size, within the same second, of a function that others have inlined."""
    assert use(package, "float32") == 1
    path = package / "compiled.py"
    source = path.read_text()
    edited = re.sub(r"e / \(e \+ two\)", "e / (e + one)", source)
    assert edited != source and len(edited) == len(source)
    path.write_text(edited)
    assert use(package, "float32", expected=["float32 0.864665"]) == 1


def test_processes_and_threads_that_compile_at_once(package):
    processes = [
        start(package, "float32", "float64", "float32"),
        start(package, "float64", "float32", "float64"),
    ]
    assert finish(processes[0], TANH["float32"], TANH["float64"], TANH["float32"]) <= 1
    assert finish(processes[1], TANH["float64"], TANH["float32"], TANH["float64"]) <= 1
    use(package, "float32", "float64")
    assert use(package, "float32", "float64") == 0


@posix
def test_without_a_folder_to_write_to_it_compiles_anew(package):
    (package / "__pycache__").touch()  # no folder, and the home has none either
    (package.parents[1] / ".cache").touch()
    process = start(package, "float32")
    out, err = process.communicate(timeout=300)
    assert out.strip() == TANH["float32"]
    assert SAID in err and "in every process" in err


@posix
def test_a_full_disk_is_as_good_as_none(package):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (2000, 2000))"
    assert use(package, "float32", code=f"{limit}\n{USE}") == 1
    assert use(package, "float32") == 1


LAYERS = """
import sys
{before}
import torch, rnnlib
torch.manual_seed(0)
print(rnnlib.bptt.compiled is None)
for kind in (rnnlib.RNN, rnnlib.GRU, rnnlib.LSTM):
    module = kind(3, 4, bidirectional=True, dtype=torch.float64)
    out = module(torch.randn(5, 2, 3, dtype=torch.float64))[0]
    out.sin().sum().backward()
    print(*(round(v.item(), 9) for v in (out.sum(), *(p.grad.sum() for p in module.parameters()))))
"""
WITHOUT = {
    "missing": "sys.modules['numba'] = None",
    "refuses this numpy": "import numpy; numpy.__version__ = '99.0'",
    "switched off": "import os; os.environ['NUMBA_DISABLE_JIT'] = '1'",
}


def results(before):
    code = LAYERS.format(before=before)
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    first, *rest = run.stdout.split("\n")
    return first, rest


def test_without_numba_the_loops_serve():
    missing, with_numba = results("")
    assert missing == "False"
    for why, before in WITHOUT.items():
        missing, without = results(before)
        assert missing == "True" and without == with_numba, why
