"""``python -m studies``: run the studies, or those named, and keep what they measure."""

import argparse
import importlib
import pkgutil
import sys
import time
from pathlib import Path

import torch

import rnnlib
import studies
from studies.record import Record

RESULTS = Path(rnnlib.__file__).parent / "results"
NAMES = sorted(
    module.name
    for module in pkgutil.iter_modules(studies.__path__)
    if module.name not in ("__main__", "record")
)


def downloads(name: str) -> bool:
    """Say whether a study needs a download: it then runs only when it is named."""
    return getattr(importlib.import_module(f"studies.{name}"), "DOWNLOADS", False)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    command = argparse.ArgumentParser(
        prog="python -m studies",
        description="Run the studies behind the book's claims; what is there already is kept.",
    )
    command.add_argument(
        "names", nargs="*", help=f"which (default all that need no download): {', '.join(NAMES)}"
    )
    command.add_argument("--list", action="store_true", help="say how far each one is, and stop")
    command.add_argument("--again", action="store_true", help="forget the results there are")
    command.add_argument(
        "--results", type=Path, default=RESULTS, help="the folder to keep them in (the package's)"
    )
    return command


def main(arguments: list[str] | None = None) -> int:
    """Run what the arguments ask for; return the exit status."""
    command = parser()
    options = command.parse_args(arguments)
    if unknown := sorted({*options.names} - {*NAMES}):
        command.error(f"expected some of {', '.join(NAMES)}, got {', '.join(unknown)}")
    torch.set_num_threads(1)
    for name in options.names or [name for name in NAMES if not downloads(name)]:
        study = importlib.import_module(f"studies.{name}")
        record = Record(options.results / f"{name}.json", study, again=options.again)
        waiting = record.waiting()
        print(f"{name}: {len(study.SETTINGS) - len(waiting)} of {len(study.SETTINGS)} runs there")
        if options.list:
            continue
        begin = time.monotonic()
        for number, setting in enumerate(waiting, start=1):
            record.add(setting, study.run(**setting))
            taken = time.monotonic() - begin
            left = taken / number * (len(waiting) - number)
            print(f"  {number} of {len(waiting)}, {left:4.0f} s left: {setting}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
