"""How cost grows with the number of steps, and with the number of hidden units."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence

from benchmarks.cases import CONTESTANTS, STEPS, WIDTHS, Case
from benchmarks.memory import saved_by
from benchmarks.race import race

SERIES = {"T": STEPS, "H": WIDTHS}


def measure(kinds: Iterable[str], options: dict, tell: Callable[[str], None]) -> list[dict]:
    """Return a row for each kind and each of T and H, the other sizes held fixed.

    `options` are those of `race`; `tell` hears of each size as it is done.

    A row has, for every contestant, seconds forward and backward (medians) and bytes saved, one
    for each entry of ``values``, and the exponents of their growth.
    """
    rows = []
    for kind in kinds:
        for letter, shapes in SERIES.items():
            values = [getattr(shape, letter) for shape in shapes]
            seconds: dict[str, list] = {name: [] for name in CONTESTANTS}
            saved: dict[str, list] = {name: [] for name in CONTESTANTS}
            for shape in shapes:
                case = Case(kind, shape)
                times = race(case.runners("forward+backward"), **options)
                for name in CONTESTANTS:
                    seconds[name].append(statistics.median(times[name]))
                    saved[name].append(saved_by(case, name))
                tell(f"{kind:5}{letter} = {getattr(shape, letter)}")
            row = {"kind": kind, "letter": letter, "values": values}
            row["fixed"] = {k: v for k, v in shapes[0]._asdict().items() if k != letter}
            row["seconds"], row["saved"] = seconds, saved
            for name, by_contestant in (("time", seconds), ("memory", saved)):
                row[f"exponent of {name}"] = {
                    k: exponent(values, v) for k, v in by_contestant.items()
                }
            rows.append(row)
            tell(_line(row))
    return rows


def _line(row: dict) -> str:
    letter, values = row["letter"], row["values"]
    powers = (
        f"{name} {letter}^{row['exponent of time'][name]:.2f}, "
        f"{letter}^{row['exponent of memory'][name]:.2f}"
        for name in CONTESTANTS
    )
    text = f"{row['kind']:5}{letter} from {values[0]} to {values[-1]}: time, saved memory as "
    return text + "; ".join(powers)


def exponent(x: Sequence[float], y: Sequence[float]) -> float:
    """Return the p of y = constant · x^p that fits best: the slope on logarithmic axes.

    1 is linear, 2 quadratic.

    Raises
    ------
    ValueError
        For numbers that are not positive, or fewer than two different x.
    """
    if min(*x, *y) <= 0 or len(set(x)) < 2:
        raise ValueError(f"expected positive numbers and at least two different x, got {x}, {y}")
    return statistics.linear_regression([math.log(v) for v in x], [math.log(v) for v in y]).slope
