"""What the tasks share: the cost of an answer that is given without reading the input."""

import math
from collections.abc import Iterable


def entropy(counts: Iterable[int]) -> float:
    """Entropy in nats of the distribution that has these counts, zeros left out."""
    counts = list(counts)
    total = sum(counts)
    return sum(n / total * math.log(total / n) for n in counts)
