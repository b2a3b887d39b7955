"""The race over all layers and shapes."""

import math
from collections.abc import Callable, Iterable

from benchmarks.cases import MODES, SHAPES, Case
from benchmarks.race import race, ratios, spread


def measure(kinds: Iterable[str], options: dict, tell: Callable[[str], None]) -> list[dict]:
    """Return a row for each kind, mode and shape.

    `options` are those of `race`; `tell` hears of each row as it is done.
    """
    rows = []
    for kind in kinds:
        for mode in MODES:
            for shape in SHAPES:
                case = Case(kind, shape, input_grad=mode == "with dx")
                case.check()
                times = race(case.runners(mode), **options)
                row = {
                    "kind": kind,
                    "mode": mode,
                    "shape": list(shape),
                    "rounds": len(times["torch"]),
                    "seconds": {name: spread(values) for name, values in times.items()},
                    "ratio": ratios(times),
                }
                rows.append(row)
                tell(_line(row))
    return rows


def means(rows: list[dict]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the geometric mean of the ratios over the shapes, by kind, mode and contestant."""
    found: dict = {}
    for row in rows:
        modes = found.setdefault(row["kind"], {}).setdefault(row["mode"], {})
        for name, ratio in row["ratio"].items():
            modes.setdefault(name, []).append(ratio["ratio"])
    return {
        kind: {
            mode: {name: math.prod(values) ** (1 / len(values)) for name, values in names.items()}
            for mode, names in modes.items()
        }
        for kind, modes in found.items()
    }


def _line(row: dict) -> str:
    text = f"{row['kind']:5}{row['mode']:17}{tuple(row['shape'])!s:24}"
    text += f"torch.nn {1e3 * row['seconds']['torch']['median']:8.2f} ms"
    for name, ratio in row["ratio"].items():
        text += f"   {name} {ratio['ratio']:.2f} ({ratio['q1']:.2f} to {ratio['q3']:.2f})"
    return text
