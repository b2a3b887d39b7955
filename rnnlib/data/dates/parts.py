"""Which days and months are kept for testing."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from functools import lru_cache


def _for_testing(n: int) -> bool:
    """Pick every tenth number, about, without a pattern of weeks, months or years.

    The multiples of the golden ratio fill the interval from 0 to 1 evenly.
    """
    return n * 0.6180339887498949 % 1 < 0.1


def _split(items: Iterable[tuple[int, date]]) -> dict[str, tuple[date, ...]]:
    parts = defaultdict(list)
    for number, item in items:
        parts["test" if _for_testing(number) else "train"].append(item)
    return {part: tuple(parts[part]) for part in ("train", "test")}


@lru_cache(maxsize=8)
def days(years: range) -> dict[str, tuple[date, ...]]:
    """Return the days of both parts, "train" and "test", in order."""
    first, last = date(years[0], 1, 1), date(years[-1], 12, 31)
    every = (first + timedelta(days=i) for i in range((last - first).days + 1))
    return _split((day.toordinal(), day) for day in every)


@lru_cache(maxsize=8)
def months(years: range) -> dict[str, tuple[date, ...]]:
    """Return the months of both parts, each as its first day, in order."""
    every = (date(y, m, 1) for y in years for m in range(1, 13))
    return _split((12 * day.year + day.month, day) for day in every)
