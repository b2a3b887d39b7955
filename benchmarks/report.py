"""The results as a file and as tables."""

import datetime
import json
import os
import platform
from pathlib import Path

import llvmlite.binding
import numba
import torch

from benchmarks.cases import CONTESTANTS, KINDS, MODES, SHAPES

VERSION = 3
CPUINFO = Path("/proc/cpuinfo")


def machine(threads: int) -> dict:
    """Describe where and when the results come from, without naming the machine."""
    return {
        "processor": f"{os.cpu_count()} cores of an {_processor()}",
        # What numba compiles for, and the vector instructions that torch and MKL then choose.
        "architecture": numba.config.CPU_NAME or llvmlite.binding.get_host_cpu_name(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numba": numba.__version__,
        "threads": threads,
        "date": datetime.date.today().isoformat(),
    }


def _processor() -> str:
    if CPUINFO.exists():
        for line in CPUINFO.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def rounded(value):
    """Keep four digits of every float: what lies beyond is noise."""
    if isinstance(value, dict):
        return {key: rounded(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(v) for v in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value


def read(path: Path) -> dict | None:
    """Return the results in a file, or None where there is no file.

    Raises
    ------
    ValueError
        For a file that holds something else, or results of another version.
    """
    if not path.exists():
        return None
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path}: expected results to add to, got no JSON ({error})") from error
    version = found.get("version") if isinstance(found, dict) else None
    if version != VERSION:
        raise ValueError(
            f"{path}: expected results of version {VERSION} to add to, got {version}; "
            "measure all parts, or write elsewhere"
        )
    return found


def merged(new: dict, before: dict | None) -> dict:
    """Return `new`, with the parts of `before` that it has not measured.

    What stands beside the parts belongs to ``speed``, and goes with it.
    """
    if before is None:
        return new
    kept = [part for part in before["measured"] if part not in new["measured"]]
    if "speed" in kept:
        kept += ["machine", "clock", "means"]
    whole = new | {name: before[name] for name in kept}
    measured = before["measured"] | new["measured"]
    return whole | {"measured": {part: measured[part] for part in whole if part in measured}}


def write(results: dict, path: Path) -> None:
    """Write results as JSON, lists of numbers on one line, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(_json(rounded(results)) + "\n", encoding="utf-8")
    os.replace(new, path)


def _json(value, indent: str = "") -> str:
    flat = json.dumps(value, ensure_ascii=False)
    if len(indent) + len(flat) <= 96 or not isinstance(value, dict | list):
        return flat
    deeper = indent + "  "
    if isinstance(value, dict):
        items = [
            f"{json.dumps(k, ensure_ascii=False)}: {_json(v, deeper)}" for k, v in value.items()
        ]
        open_, close = "{}"
    else:
        items = [_json(v, deeper) for v in value]
        open_, close = "[]"
    return f"{open_}\n" + ",\n".join(deeper + item for item in items) + f"\n{indent}{close}"


def tables(results: dict) -> str:
    """Return the results as plain text."""
    m = results["machine"]
    threads = f"{m['threads']} thread{'s' * (m['threads'] > 1)}"
    lines = [f"{m['processor']}, {threads}, torch {m['torch']}, Python {m['python']}, {m['date']}"]
    if results["speed"]:
        lines += ["", *_speed_tables(results)]
    if results["memory"]:
        lines += ["", *_memory_table(results["memory"])]
    if results["growth"]:
        lines += ["", *_growth_table(results["growth"])]
    if results["lengths"]:
        lines += ["", *_lengths_table(results["lengths"])]
    return "\n".join(lines)


def _speed_tables(results: dict) -> list[str]:
    rows = {(r["kind"], r["mode"], tuple(r["shape"])): r["ratio"] for r in results["speed"]}
    kinds = [kind for kind in KINDS if kind in results["means"]]
    lines = []
    for mode in MODES:
        lines += [f"{mode}: time as a ratio to torch.nn, rnnlib and (textbook loop)"]
        lines += [f"{'batch, steps, in, hidden':26}" + "".join(f"{kind:>16}" for kind in kinds)]
        for shape in SHAPES:
            line = f"{', '.join(map(str, shape)):26}"
            for kind in kinds:
                ratio = rows[kind, mode, tuple(shape)]
                line += _cell(ratio["rnnlib"]["ratio"], ratio["textbook"]["ratio"])
            lines.append(line)
        line = f"{'geometric mean':26}"
        for kind in kinds:
            mean = results["means"][kind][mode]
            line += _cell(mean["rnnlib"], mean["textbook"])
        lines += [line, ""]
    return lines[:-1]


def _cell(ours: float, textbook: float) -> str:
    text = f"{ours:.2f} ({textbook:.2f})"
    return f"{text:>16}"


def _memory_table(rows: list[dict]) -> list[str]:
    lines = [
        f"memory in MiB at {tuple(rows[0]['shape'])}: saved for backward / growth at the peak",
        " " * 26 + "".join(f"{name:>16}" for name in CONTESTANTS),
    ]
    for row in rows:
        line = f"{row['kind']:26}"
        for name in CONTESTANTS:
            text = f"{row['saved'][name] / 2**20:.0f} / {row['peak'][name] / 2**20:.0f}"
            line += f"{text:>16}"
        lines.append(line)
    return lines


def _growth_table(rows: list[dict]) -> list[str]:
    lines = ["growth: exponent of time / of saved memory (1 is linear)"]
    lines += [" " * 26 + "".join(f"{name:>16}" for name in CONTESTANTS)]
    for row in rows:
        what = f"{row['kind']} with {row['letter']}, {row['values'][0]} to {row['values'][-1]}"
        line = f"{what:26}"
        for name in CONTESTANTS:
            time, memory = row["exponent of time"][name], row["exponent of memory"][name]
            text = f"{time:.2f} / {memory:.2f}"
            line += f"{text:>16}"
        lines.append(line)
    return lines


def _lengths_table(rows: list[dict]) -> list[str]:
    ways = list(rows[0]["ratio"])
    lines = ["sequences of different length: time as a ratio to padded batches"]
    lines += [f"{'GRU, longest / shortest':26}" + "".join(f"{way:>17}" for way in ways)]
    for row in rows:
        line = f"{row['layer'] + ', H = ' + str(row['H']):22}{row['spread']:4}"
        lines.append(line + "".join(f"{row['ratio'][way]['ratio']:17.2f}" for way in ways))
    return lines
