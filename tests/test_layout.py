"""The package's wings: short rooms, imports that run one way, nothing left out of a wheel."""

import ast
import graphlib
import os
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import rnnlib

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import alone  # noqa: E402 (tools/ is no package)

PACKAGE = ROOT / "rnnlib"

# From the ground up. A wing imports from itself and from those that stand before it.
WINGS = (
    "checks",
    "device",
    "cells",
    "bptt",
    "layers",
    "gradients",
    "data",
    "models",
    "losses",
    "training",
    "doctor",
    "results",
    "page",
    "exercises",
)

LONGEST = 430  # lines of a room: about 400
LONGER = {"cells.py"}
"""Rooms that are longer for now. One that has become shorter must leave this list."""

ROOMS = {
    ".".join(("rnnlib", *path.relative_to(PACKAGE).with_suffix("").parts)): path
    for path in sorted(PACKAGE.rglob("*.py"))
}
ROOMS = {name.removesuffix(".__init__"): path for name, path in ROOMS.items()}


def imports(name: str, source: str, rooms=frozenset(ROOMS)) -> set[str]:
    """Return the rooms of rnnlib that a room imports, also inside functions."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name}: expected an absolute import, got a relative one"
            for alias in node.names:
                inside = f"{node.module}.{alias.name}"
                found.add(inside if inside in rooms else node.module)
    return {target for target in found if target.split(".")[0] == "rnnlib"}


def wing(room: str) -> str:
    return room.split(".")[1]


def upward(name: str, source: str) -> list[str]:
    """Return the imports that do not lead to an earlier wing, or to the room's own."""
    return [
        target
        for target in sorted(imports(name, source))
        if target == "rnnlib" or WINGS.index(wing(target)) > WINGS.index(wing(name))
    ]


@pytest.mark.parametrize("name", sorted(ROOMS.keys() - {"rnnlib"}))
def test_imports_run_one_way(name):
    assert wing(name) in WINGS, f"{name}: a wing needs its place in the order"
    assert upward(name, ROOMS[name].read_text(encoding="utf-8")) == []


def test_no_rooms_import_each_other():
    """Also within a wing, whose __init__ may import its rooms, but not be imported by them."""
    graph = {name: imports(name, path.read_text("utf-8")) for name, path in ROOMS.items()}
    assert set().union(*graph.values()) <= set(ROOMS)
    tuple(graphlib.TopologicalSorter(graph).static_order())


@pytest.mark.parametrize(
    ("name", "line", "expected"),
    [
        ("rnnlib.cells", "from rnnlib.layers import RNN", ["rnnlib.layers"]),
        ("rnnlib.cells", "from rnnlib import layers", ["rnnlib.layers"]),
        ("rnnlib.cells", "import rnnlib.layers as l", ["rnnlib.layers"]),
        ("rnnlib.cells", "from rnnlib import RNN", ["rnnlib"]),
        ("rnnlib.data.text", "def f():\n    import rnnlib.models", ["rnnlib.models"]),
        ("rnnlib.data.lengths", "from rnnlib.data import text\nimport torch.nn", []),
        ("rnnlib.layers", "from rnnlib import bptt\nfrom rnnlib.bptt.rnn import rnn", []),
        ("rnnlib.training", "from rnnlib.models.common import in_mode", []),
    ],
)
def test_an_upward_import_is_seen(name, line, expected):
    assert upward(name, line) == expected


def test_rooms_are_short():
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in ROOMS.values()}
    long = {path.relative_to(PACKAGE).as_posix() for path, n in lines.items() if n > LONGEST}
    assert long - LONGER == set(), "part these by purpose"
    assert LONGER - long == set(), "take these off the list"


def files(folder: Path) -> set[Path]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    # What ends in .new was left by a run that was killed while it wrote.
    return {path for path in found if "__pycache__" not in path.parts and path.suffix != ".new"}


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder into which a wheel was unpacked that was built from a copy of the project."""
    wheel = alone.build_wheel(tmp_path_factory.mktemp("built"))
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder)
    return folder


def test_a_wheel_holds_what_the_package_reads(installed):
    """Read elsewhere what is read from files."""
    assert files(installed / "rnnlib") == files(PACKAGE)
    assert (installed / "rnnlib" / "py.typed").is_file()
    read = (
        "import rnnlib; print(rnnlib.__file__, len(rnnlib.load_text().train), "
        "rnnlib.results.read('benchmarks')['version'])"
    )
    run = subprocess.run(
        [sys.executable, "-c", read],
        cwd=installed,
        env=os.environ | {"PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
    )
    expected = [str(installed / "rnnlib" / "__init__.py"), "161079", "3"]
    assert run.stdout.split() == expected, run.stderr


def test_a_wheel_says_what_it_is(installed):
    """Its name is not the import's, so that nobody else's package is installed for it."""
    (told,) = metadata.distributions(path=[str(installed)])
    assert told.name == "unrolled-rnnlib"
    assert told.version == rnnlib.__version__
    about = told.metadata
    assert about["Summary"].startswith("The recurrent networks of the Unrolled course")
    assert about["License-Expression"] == "BSD-3-Clause"
    assert about["Requires-Python"] == ">=3.11"
    assert about["Description-Content-Type"] == "text/markdown"
    assert "# Unrolled" in told.read_text("METADATA")
    assert [path for path in told.files if path.name == "LICENSE"]
    assert set(about.get_all("Provides-Extra")) == {"fast"}
    assert "Typing :: Typed" in about.get_all("Classifier")
    assert not [url for url in about.get_all("Project-URL", []) if "OWNER" in url]
