"""Break rnnlib on purpose, in one small place at a time, and see whether a test goes red.

::

    python tools/mutants.py                          # some mutants of every room
    python tools/mutants.py --sample 40 bptt cells   # of a wing, of a room
    python tools/mutants.py --survivors cells        # once more those that no test has noticed
    python tools/mutants.py --report                 # what tests/mutants.json says

All happens in ``.mutants``, in a copy of this folder; nothing here is ever changed but the file of
results, tests/mutants.json. There each survivor gets a verdict by hand: "equivalent" (no test could
tell it from the original) or "not worth killing", and why. A run can be stopped at any moment: the
next one goes on where it was.

First each test is run with coverage, to learn which lines it runs. A mutant is tried with the tests
that run its line until one fails: the file of the room's own tests first, then the fastest file; in
a file the fastest test. The other tests of these files follow, because what one test has made, the
next may find in a cache. A mutant that outlives a number of seconds has survived, though a slower
test might have noticed it: the score is a lower bound.

mutmut does not change a function that has a decorator, hence none of the compiled passes, and
its extra frame on the stack makes tests fail. Needs ``os.fork``: Linux or macOS.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import fcntl
import json
import math
import os
import platform
import sys
import time
from collections import Counter
from importlib import metadata

import mutations
from mutations import Mutant
from trial import ROOT, WORK, Map, attempt, make_copy, preload, read, write

PACKAGE = ROOT / "rnnlib"
RESULTS = ROOT / "tests" / "mutants.json"
VERDICTS = ("equivalent", "not worth killing")
ENOUGH = 20.0  # seconds of tests after which a mutant has survived
LATE = 60.0  # seconds, beside five times those of its tests, after which it is stopped


class Diary:
    """What was found so far, one line a mutant; a line that was cut off counts as not written."""

    def __init__(self, again: bool):
        self.path = WORK / "found.jsonl"
        if again:
            self.path.unlink(missing_ok=True)
        self.found: dict[str, dict] = {}
        text = self.path.read_text(encoding="utf-8") if self.path.exists() else ""
        for line in text.splitlines():
            with contextlib.suppress(ValueError):
                self.found |= {(row := json.loads(line))["name"]: row}
        self.cut_off = not text.endswith("\n") and bool(text)

    def add(self, row: dict) -> None:
        """Keep a row, on disk, at once."""
        self.found[row["name"]] = row
        with open(self.path, "a", encoding="utf-8") as file:
            file.write("\n" * self.cut_off + json.dumps(row, ensure_ascii=False) + "\n")
        self.cut_off = False


# ---------------------------------------------------------------- results


def summary(drawn: list[Mutant], every: int, found: dict[str, dict]) -> dict:
    """Return the numbers of a room."""
    outcomes = Counter(found[mutant.name]["outcome"] for mutant in drawn)
    numbers = {"mutants": every, "tried": len(drawn), "killed": outcomes["killed"]}
    return numbers | {"timed out": outcomes["timed out"], "survived": outcomes["survived"]}


def record(results: dict, room: str, numbers: dict, survivors: list[Mutant]) -> dict:
    """Return results with a room's numbers and survivors anew; what was said of those is kept."""
    said = {entry["mutant"]: entry for entry in results.get("survivors", [])}
    kept = [entry for name, entry in said.items() if name.split(" | ")[0] != room]
    new = [{"mutant": m.name, "verdict": "", "why": ""} | said.get(m.name, {}) for m in survivors]
    return {
        "date": datetime.date.today().isoformat(),
        "versions": {"python": platform.python_version()}
        | {name: metadata.version(name) for name in ("torch", "numba", "pytest")},
        "rooms": dict(sorted((results.get("rooms", {}) | {room: numbers}).items())),
        "survivors": sorted(kept + new, key=lambda entry: entry["mutant"]),
    }


def interval(killed: int, tried: int) -> tuple[float, float]:
    """Return Wilson's 95 % interval for a share."""
    if not tried:
        return 0.0, 1.0
    z, p = 1.96, killed / tried
    middle, scale = p + z * z / (2 * tried), 1 + z * z / tried
    half = z * math.sqrt(p * (1 - p) / tried + (z / 2 / tried) ** 2)
    return (middle - half) / scale, (middle + half) / scale


def score(results: dict, rooms: list[str]) -> tuple[int, int, int, int]:
    """Return for some rooms how many were tried, killed or timed out, equivalent; timed out."""
    numbers = [results["rooms"][room] for room in rooms]
    equivalent = sum(
        entry["verdict"] == "equivalent" and entry["mutant"].split(" | ")[0] in rooms
        for entry in results["survivors"]
    )
    late = sum(n["timed out"] for n in numbers)
    dead = sum(n["killed"] for n in numbers) + late
    return sum(n["tried"] for n in numbers), dead, equivalent, late


def table(results: dict) -> str:
    """Return the score of each room, and of all."""
    lines = [f"{'':36}{'tried':>6}{'killed':>8}{'late':>6}{'same':>6}{'left':>6}{'score':>9}"]

    def row(title: str, rooms: list[str]) -> str:
        tried, dead, equivalent, late = score(results, rooms)
        left = tried - dead - equivalent
        low, high = interval(dead, tried - equivalent)
        share = f"{100 * dead / (tried - equivalent):7.1f} %" if tried > equivalent else ""
        shown = f"{title:36}{tried:6}{dead - late:8}{late:6}{equivalent:6}{left:6}{share:>9}"
        return f"{shown}  ({100 * low:.0f} to {100 * high:.0f})"

    rooms = list(results["rooms"])
    lines += [row(room, [room]) for room in rooms if results["rooms"][room]["tried"]]
    lines += ["", row("all", rooms), ""]
    lines += ["late: stopped by the clock, which counts as killed. same: equivalent, not counted."]
    lines += ["score: of those that a test could kill, with its 95 % interval."]
    return "\n".join(lines)


def chosen(names: list[str]) -> list[str]:
    """Return the rooms named, or in the wings named; all of them, pages last, for no name."""
    rooms = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))
    for name in names:
        if not any(_is_in(room, name) for room in rooms):
            raise SystemExit(f"expected rooms of rnnlib such as cells or bptt/choice, got {name}")
    if names:  # in their order
        return list(dict.fromkeys(r for name in names for r in rooms if _is_in(r, name)))
    return sorted(rooms, key=lambda room: room.split("/")[0] in ("page", "exercises"))


def _is_in(room: str, name: str) -> bool:
    return room == name or room.removesuffix(".py") == name or room.startswith(name + "/")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("rooms", nargs="*", help="which rooms or wings (all)")
    parser.add_argument("--sample", type=int, default=15, help="how many of each room (15)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (0)")
    parser.add_argument("--enough", type=float, default=ENOUGH, help="processor's seconds of tests")
    parser.add_argument("--late", type=float, default=LATE, help="seconds it may take besides")
    parser.add_argument("--survivors", action="store_true", help="try survivors once more")
    parser.add_argument("--again", action="store_true", help="forget what was found")
    parser.add_argument("--report", action="store_true", help="print the results, and stop")
    options = parser.parse_args(arguments)
    rooms = chosen(options.rooms)
    if options.report:
        print(table(read(RESULTS)))
        return 0
    WORK.mkdir(exist_ok=True)
    # A child of a run that was killed holds the lock as well, until it has seen that.
    with open(WORK / "lock", "w") as lock:
        os.set_inheritable(lock.fileno(), True)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("Another run is at work in this folder; waiting for it.", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        return search(rooms, options)


def search(rooms: list[str], options: argparse.Namespace) -> int:
    """Try the mutants of these rooms; return the exit status."""
    preload()
    make_copy()
    lines, diary = Map(), Diary(options.again)
    for room in rooms:
        every = mutations.mutants(room, (PACKAGE / room).read_bytes())
        drawn = mutations.sample(every, options.sample, options.seed)
        for mutant in drawn:
            row = diary.found.get(mutant.name)
            if row and not (options.survivors and row["outcome"] == "survived"):
                continue
            files = lines.tests(mutant, options.enough)
            tests = [test for some in files.values() for test in some]
            begin = time.monotonic()
            outcome, by = attempt(mutant, files, options.late + 5 * lines.duration(tests))
            taken = round(time.monotonic() - begin, 1)
            row = {"name": mutant.name, "outcome": outcome, "by": by, "seconds": taken}
            diary.add(row | {"tests": len(tests)})
            print(f"{outcome:9} {taken:5.1f} s  {mutant.name}", flush=True)
        survivors = [m for m in drawn if diary.found[m.name]["outcome"] == "survived"]
        numbers = summary(drawn, len(every), diary.found)
        write(RESULTS, record(read(RESULTS), room, numbers, survivors))
    print(table(read(RESULTS)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
