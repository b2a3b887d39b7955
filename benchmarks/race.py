"""Time functions in turns, and compare them."""

import statistics
import time
from collections.abc import Callable, Mapping

SLICE = 0.01  # seconds a turn lasts at least, so that the clock's grain does not show


def race(
    functions: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    budget: float = float("inf"),
    fewest: int = 5,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, list[float]]:
    """Time functions in turns: what disturbs the machine for a while disturbs all of them.

    Every round runs each function once, or as often as fills a hundredth of a second. Every
    second round goes through them in reverse, so that none always follows the same other.

    Parameters
    ----------
    functions : dict from name to function without arguments
    rounds : int
        How many rounds, unless the budget ends the race before.
    budget : float
        Seconds after which no new round begins, once there were `fewest`.
    fewest : int
        Rounds that are run whatever they cost.
    clock : function
        Returns seconds.

    Returns
    -------
    dict from name to list of float
        Seconds for one call, one entry a round: the same place in two lists is the same round.

    Raises
    ------
    ValueError
        For fewer than two rounds, of which there are no quartiles.
    """
    if min(rounds, fewest) < 2:
        raise ValueError(f"expected at least 2 rounds, got rounds={rounds}, fewest={fewest}")
    names, repeats = list(functions), {}
    for name, function in functions.items():
        function()  # the first call sets things up
        start = clock()
        function()
        taken = clock() - start
        repeats[name] = max(1, int(SLICE / taken)) if taken > 0 else 1
    times: dict[str, list[float]] = {name: [] for name in functions}
    begin = clock()
    for number in range(rounds):
        if number >= fewest and clock() - begin > budget:
            break
        for name in names[::-1] if number % 2 else names:
            start = clock()
            for _ in range(repeats[name]):
                functions[name]()
            times[name].append((clock() - start) / repeats[name])
    return times


def spread(values: list[float]) -> dict[str, float]:
    """Return the median and the quartiles."""
    q1, median, q3 = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": median, "q1": q1, "q3": q3}


def ratios(times: Mapping[str, list[float]], base: str = "torch") -> dict[str, dict[str, float]]:
    """Compare every other contestant with `base`.

    ``ratio`` is the ratio of the two medians. ``q1`` and ``q3`` are the quartiles of the ratios
    within each round, where both met the same conditions: they say how far to trust it.
    """
    compared = {}
    for name, values in times.items():
        if name != base:
            within = spread([a / b for a, b in zip(values, times[base], strict=True)])
            ratio = statistics.median(values) / statistics.median(times[base])
            compared[name] = {"ratio": ratio, "q1": within["q1"], "q3": within["q3"]}
    return compared
