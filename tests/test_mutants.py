"""The mutants: how they are made and tried, and that those which survive are explained."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("fcntl", reason="tries mutants in forks of a process")

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import mutants  # noqa: E402 (tools/ is no package)
import mutations  # noqa: E402


def changes(source):
    return {mutant.change for mutant in mutations.mutants("room.py", source.encode())}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a < b", {"a < b → a <= b"}),
        ("a < b == c", {"a < b == c → a <= b == c", "a < b == c → a < b != c"}),
        ("x = a + b * c", {"a + b * c → a - b * c", "b * c → b / c"}),
        ("x += y", {"x += y → pass", "x += y → x -= y"}),
        ("a and not b", {"a and not b → a or not b", "not b → (b)"}),
        ("x = -y", {"-y → +y"}),
        ("if a: b", {"a → (not (a))"}),
        ("[a for a in b if c]", {"c → (not (c))"}),
        ("x = 3, 0.5, True", {"3 → 4", "0.5 → 1.5", "True → False"}),
        ("x = 'é', ''", {"'é' → \"\"", "'' → \"XX\""}),
        ("x = f(a, b=c, **d)", {"f(a, b=c, **d) → f(a, **d)"}),
        ("x = t.zeros(n)", {"t.zeros → t.ones"}),
        ("f(a)", {"f(a) → pass"}),
        ("a.b = c", {"a.b = c → pass"}),
        ("def f():\n    return a", {"return a → return None"}),
        ("raise E(f'{a} is bad')", {"raise E(f'{a} is bad') → pass", "f'{a} is bad' → \"\""}),
        ("for a in b:\n    break", {"break → continue"}),
        ("@torch.no_grad()\ndef f(): pass", {"@torch.no_grad() → "}),
        # What no test could notice, or everything would.
        ('"""What this is."""\nimport a\nx: int | None = y\n__all__ = ["x"]', set()),
        ("@property\ndef f() -> 3: pass", set()),
    ],
)
def test_a_place_is_changed(source, expected):
    assert changes(source) == expected


def test_a_mutant_says_where_it_is_and_changes_nothing_else():
    source = (
        "class A:\n    # é\n    def f(self, x=1):\n        return (x  # why\n                < 2)\n"
    )
    found = {m.change: m for m in mutations.mutants("room.py", source.encode())}
    default, limit = found["1 → 2"], found["2 → 3"]
    assert (default.where, default.line, default.at_import) == ("A.f", "def f(self, x=1):", True)
    assert (limit.where, limit.line, limit.at_import) == ("A.f", "< 2)", False)
    assert limit.source.decode() == source.replace("< 2", "< 3")
    assert limit.lines == range(5, 6)


def test_places_that_look_the_same_have_names_of_their_own():
    found = mutations.mutants("room.py", b"def f():\n    return 1, 1\n")
    assert [m.change for m in found][-2:] == ["1 → 2", "1 → 2 (2)"]


def test_a_larger_sample_holds_the_smaller_one_and_an_edit_elsewhere_keeps_it():
    lines = "\n".join(f"a{i} = b{i} + c{i}" for i in range(30))
    every = mutations.mutants("room.py", lines.encode())
    names = [m.name for m in mutations.sample(every, 9, seed=0)]
    assert [m.name for m in mutations.sample(every, 4, seed=0)] == names[:4]
    assert [m.name for m in mutations.sample(every, 9, seed=1)] != names
    edited = mutations.mutants("room.py", f"# new\n{lines}\nx = y\n".encode())
    assert [m.name for m in mutations.sample(edited, 9, seed=0)] == names


def test_what_is_no_program_is_not_drawn():
    every = mutations.mutants("room.py", b"def f():\n    x[1] += f'{a!r}'\n    global x\n")
    assert all(map(mutations.is_program, mutations.sample(every, 99, seed=0)))


# ---------------------------------------------------------------- a run on a small project

FILES = {
    "pyproject.toml": "[tool.pytest.ini_options]\naddopts = []\n",
    "rnnlib/__init__.py": "",
    "rnnlib/room.py": """
def least(x):
    if x < 0:
        raise ValueError("negative")
    while x > 10:
        x -= 10
    return x
""",
    "rnnlib/bptt/__init__.py": "",
    "rnnlib/bptt/compiled.py": """
from numba import njit

@njit(cache=True)
def step(a, b):
    return a + b
""",
    "tests/test_room.py": """
import pytest
from rnnlib import room

def test_least():
    assert room.least(3) == 3 and room.least(25) == 5
    with pytest.raises(ValueError, match="negative"):
        room.least(-1)

def test_that_fails():
    assert room.least(3) == 4
""",
    "tests/test_compiled.py": """
from rnnlib.bptt.compiled import step

def test_step():
    assert step(1, 2) == 3
""",
}
RUN = "import sys, mutants; mutants.preload = lambda: None; sys.exit(mutants.main())"


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "tools").mkdir()
    for name in ("alone", "atomic", "mutants", "mutations", "trial"):
        shutil.copy(ROOT / "tools" / f"{name}.py", folder / "tools")
    return folder


def start(project, *arguments):
    command = [sys.executable, "-u", "-c", RUN, "--sample", "99", "--late", "1", *arguments]
    environment = os.environ | {"PYTHONPATH": str(project / "tools")}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(command, cwd=project, env=environment, **pipes)


@pytest.fixture(scope="module")
def first(project):
    """What a run says that goes to its end."""
    said = start(project).communicate()[0]
    assert "all  " in said, said
    return said


def outcomes(project):
    rows = map(json.loads, (project / ".mutants" / "found.jsonl").read_text().splitlines())
    return {row["name"].split(" | ")[-1]: row["outcome"] for row in rows}


def test_a_run_finds_which_mutants_a_test_kills(project, first):
    found = outcomes(project)
    assert found["x -= 10 → pass"] == "timed out"
    assert found["x < 0 → x <= 0"] == found["x > 10 → x >= 10"] == "survived"
    assert found["x -= 10 → x += 10"] in ("killed", "timed out")
    assert found['"negative" → ""'] == found["return x → return None"] == "killed"
    assert "test_that_fails fails without a mutant" in first
    for name, text in FILES.items():
        assert (project / name).read_text() == text
    results = json.loads((project / "tests" / "mutants.json").read_text())
    assert results["rooms"]["room.py"]["tried"] == results["rooms"]["room.py"]["mutants"]
    assert "room.py | least | if x < 0: | x < 0 → x <= 0" in [
        entry["mutant"] for entry in results["survivors"]
    ]


def test_a_mutant_of_compiled_code_takes_effect(project, first):
    """Though numba keeps the original's code, and the mutant's file is as long."""
    assert outcomes(project)["a + b → a - b"] == "killed"
    assert list((project / ".mutants" / "copy").rglob("compiled.step-*.nbc"))


def test_a_second_run_has_nothing_to_do_and_keeps_what_was_said(project, first):
    path = project / "tests" / "mutants.json"
    before = path.read_text()
    said = before.replace('"verdict": ""', '"verdict": "equivalent"', 1)
    assert said != before
    path.write_text(said)
    assert " s  " not in start(project).communicate()[0]
    assert path.read_text() == said
    path.write_text(before)


def test_a_run_that_was_killed_goes_on(project, first):
    path = project / "tests" / "mutants.json"
    whole = path.read_text()
    run = start(project, "room", "--again")
    for line in run.stdout:
        if " s  " in line:
            os.kill(run.pid, signal.SIGKILL)
            break
    run.communicate()
    diary = project / ".mutants" / "found.jsonl"
    with open(diary, "a") as file:
        file.write('{"name": "a line that was cut o')
    (project / ".mutants" / "copy" / "rnnlib" / "room.py").write_text("raise SystemExit\n")
    done = len(diary.read_text().splitlines()) - 1
    said = start(project, "room").communicate()[0]
    assert said.count(" s  ") == json.loads(whole)["rooms"]["room.py"]["tried"] - done
    assert path.read_text() == whole


# ---------------------------------------------------------------- what was found in rnnlib

RESULTS = json.loads((ROOT / "tests" / "mutants.json").read_text(encoding="utf-8"))


def test_every_survivor_is_explained_and_still_there():
    rooms = {}
    for entry in RESULTS["survivors"]:
        assert set(entry) == {"mutant", "verdict", "why"}
        assert entry["verdict"] in mutants.VERDICTS, entry["mutant"]
        assert 10 < len(entry["why"]) < 200 and "\n" not in entry["why"], entry["mutant"]
        room = entry["mutant"].split(" | ")[0]
        if room not in rooms:
            source = (ROOT / "rnnlib" / room).read_bytes()
            rooms[room] = {mutant.name for mutant in mutations.mutants(room, source)}
        assert entry["mutant"] in rooms[room], "run make mutants for this room again"
    names = [entry["mutant"] for entry in RESULTS["survivors"]]
    assert len(names) == len(set(names))


def test_the_counts_agree_with_the_survivors():
    assert set(RESULTS) == {"date", "versions", "rooms", "survivors"}
    for room, numbers in RESULTS["rooms"].items():
        dead = numbers["killed"] + numbers["timed out"]
        assert dead + numbers["survived"] == numbers["tried"] <= numbers["mutants"]
        survivors = [e for e in RESULTS["survivors"] if e["mutant"].split(" | ")[0] == room]
        assert len(survivors) == numbers["survived"]


def test_the_tests_kill_what_can_be_killed():
    tried, dead, equivalent, _ = mutants.score(RESULTS, list(RESULTS["rooms"]))
    assert dead / (tried - equivalent) >= 0.95


def test_the_table_says_how_sure_a_score_is():
    low, high = mutants.interval(95, 100)
    assert 0.887 < low < 0.889 and 0.978 < high < 0.979  # Wilson's, as in tables
    assert mutants.interval(0, 0) == (0, 1)
    assert "100.0 %" in mutants.table(
        {
            "rooms": {"a.py": {"tried": 3, "killed": 1, "timed out": 1, "survived": 1}},
            "survivors": [{"mutant": "a.py | | x | y", "verdict": "equivalent", "why": ""}],
        }
    )


def test_rooms_are_chosen_by_name_or_wing():
    assert mutants.chosen(["cells", "layers"])[:2] == ["cells.py", "layers/__init__.py"]
    assert mutants.chosen([])[-1].startswith("page/")
    with pytest.raises(SystemExit, match="expected rooms of rnnlib"):
        mutants.chosen(["kitchen"])
