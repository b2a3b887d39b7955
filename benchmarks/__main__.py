"""``python -m benchmarks``: measure, print, and write a JSON file."""

import argparse
import sys
import time
from pathlib import Path

import torch

from benchmarks import growth, lengths, memory, report, speed, targets
from benchmarks.cases import KINDS

PARTS = ("speed", "memory", "growth", "lengths")
# A race ends after `budget` seconds even if not all rounds are run, but not before `fewest` are.
RACE = {
    "speed": {"budget": 10.0, "fewest": 7},
    "growth": {"budget": 1.0, "fewest": 3},
    "lengths": {"budget": 3.0, "fewest": 5},
}
CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    command = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Race rnnlib's layers against torch.nn's and the textbook loop over cells.",
    )
    command.add_argument("--threads", type=int, default=1, help="torch's threads (default 1)")
    command.add_argument(
        "--kinds",
        nargs="+",
        choices=KINDS,
        default=list(KINDS),
        help="of layers (default all); lengths has GRUs in any case",
    )
    command.add_argument(
        "--parts",
        nargs="+",
        choices=PARTS,
        default=list(PARTS),
        help="what to measure (default all); the output keeps the parts it has of the others",
    )
    command.add_argument("--rounds", type=int, default=25, help="of each race (default 25)")
    command.add_argument(
        "--clock",
        choices=CLOCKS,
        default="wall",
        help="wall time (default), or processor time, which a busy machine disturbs less",
    )
    command.add_argument(
        "--output",
        type=Path,
        default=Path("build/benchmarks.json"),
        help="where to write (default build/benchmarks.json); the book's page shows "
        "rnnlib/results/benchmarks.json",
    )
    command.add_argument(
        "--check", action="store_true", help="exit with 1 if a target of targets.py is missed"
    )
    return command


def main(arguments: list[str] | None = None) -> int:
    """Measure what the arguments ask for; return the exit status."""
    command = parser()
    options = command.parse_args(arguments)
    if options.threads < 1 or options.rounds < 2:
        command.error("expected at least 1 thread and 2 rounds")
    if options.check and (
        options.threads != 1
        or not {"speed", "memory"} <= {*options.parts}
        or {*options.kinds} != {*KINDS}
    ):
        command.error("--check needs one thread, the parts speed and memory, and all kinds")
    if options.clock == "processor" and options.threads > 1:
        command.error("processor time adds up all threads: with several, expected --clock wall")
    try:
        before = None if {*options.parts} == {*PARTS} else report.read(options.output)
    except ValueError as error:
        command.error(str(error))
    torch.set_num_threads(options.threads)
    begin = time.monotonic()

    def tell(line: str) -> None:
        print(f"{time.monotonic() - begin:5.0f} s  {line}", flush=True)

    shared = {"rounds": options.rounds, "clock": CLOCKS[options.clock]}
    races = {part: chosen | shared for part, chosen in RACE.items()}
    conditions = {"machine": report.machine(options.threads), "clock": options.clock}
    results = {
        "version": report.VERSION,
        **conditions,
        "measured": {part: conditions for part in PARTS if part in options.parts},
        "means": {},
        **{part: [] for part in PARTS},
    }
    if "speed" in options.parts:
        rows = speed.measure(options.kinds, races["speed"], tell)
        results["speed"], results["means"] = rows, speed.means(rows)
    if "memory" in options.parts:
        results["memory"] = memory.measure(options.kinds, options.threads, tell)
    if "growth" in options.parts:
        results["growth"] = growth.measure(options.kinds, races["growth"], tell)
    if "lengths" in options.parts:
        results["lengths"] = lengths.measure(races["lengths"], tell)
    print(f"\n{report.tables(results)}\n")
    report.write(report.merged(results, before), options.output)
    print(f"written to {options.output} after {time.monotonic() - begin:.0f} s")
    if not options.check:
        return 0
    lines = targets.missed(results)
    print("\n".join(f"missed: {line}" for line in lines) or "all targets reached")
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
