"""From the probabilities of every step to an answer: the decoders of CTC.

The most probable path and the most probable answer are two things: the answer's probability is
shared by all the paths that read as it. `greedy` takes the best path, `prefix_beam` looks for the
best answer.
"""

import math
from collections import defaultdict
from dataclasses import dataclass

from torch import Tensor

from rnnlib.checks import check_size
from rnnlib.models.ctc import check_log_probs, collapse


@dataclass(frozen=True)
class Reading:
    """An answer that a decoder has found.

    Parameters
    ----------
    symbols : tuple of int
        Classes, without blanks.
    log_probability : float
        Of all paths found that read as it. A beam that has dropped some finds less than there is.
    """

    symbols: tuple[int, ...]
    log_probability: float

    @property
    def probability(self) -> float:
        """Probability of the answer."""
        return math.exp(self.log_probability)


def greedy(log_probs: Tensor, lengths: Tensor, *, blank: int = 0) -> list[tuple[int, ...]]:
    """Take the most probable class at each step, and read that path (best path decoding).

    Parameters
    ----------
    log_probs : Tensor, (N, T, K)
        As for `ctc_loss`.
    lengths : Tensor of int64, (N,)
        Steps of each sequence.
    blank : int, default 0

    Returns
    -------
    list of tuple of int
        The answer to each sequence.

    Raises
    ------
    TypeError, ValueError
        For what is no batch of log-probabilities, and lengths that do not fit.
    """
    check_log_probs(log_probs, lengths, blank)
    paths = log_probs.argmax(dim=2).tolist()
    return [collapse(path[:n], blank) for path, n in zip(paths, lengths.tolist(), strict=True)]


def prefix_beam(
    log_probs: Tensor, lengths: Tensor, *, width: int, blank: int = 0
) -> list[list[Reading]]:
    """Search for the most probable answers, several beginnings at a time.

    For each beginning two sums are kept: over the paths that end with its last symbol, and over
    those that end with a blank. A further equal symbol is a repetition after the first kind, and a
    new symbol of the answer after the second.

    Parameters
    ----------
    log_probs, lengths, blank
        As for `greedy`.
    width : int
        How many beginnings are kept at each step. One that never drops any finds every answer,
        with its whole probability.

    Returns
    -------
    list of list of Reading
        For each sequence at most `width`, best first.

    Raises
    ------
    TypeError, ValueError
        As for `greedy`, and for a width that is no positive integer.

    Notes
    -----
    The prefix search of Graves et al. [1]_ keeps what is promising in the order of its
    probability; keeping the best few at each step is due to Hannun et al. [2]_.

    .. [1] A. Graves et al., "Connectionist temporal classification", ICML 2006.
    .. [2] A. Y. Hannun, A. L. Maas, D. Jurafsky and A. Y. Ng, "First-pass large vocabulary
       continuous speech recognition using bi-directional recurrent DNNs", arXiv:1408.2873 (2014).
    """
    check_size("width", width)
    check_log_probs(log_probs, lengths, blank)
    rows = zip(log_probs.tolist(), lengths.tolist(), strict=True)
    return [_search(steps[:n], width, blank) for steps, n in rows]


def _search(steps: list[list[float]], width: int, blank: int) -> list[Reading]:
    # To each beginning: the paths that end with a blank, and those that end with its last symbol.
    beam = {(): (0.0, -math.inf)}
    for log_y in steps:
        found = defaultdict(lambda: [-math.inf, -math.inf])
        for prefix, (with_blank, with_symbol) in beam.items():
            both = _add(with_blank, with_symbol)
            for k, log_p in enumerate(log_y):
                if k == blank:
                    same = found[prefix]
                    same[0] = _add(same[0], both + log_p)
                    continue
                longer = found[(*prefix, k)]
                if prefix and prefix[-1] == k:
                    same = found[prefix]
                    same[1] = _add(same[1], with_symbol + log_p)
                    longer[1] = _add(longer[1], with_blank + log_p)
                else:
                    longer[1] = _add(longer[1], both + log_p)
        ranked = sorted(found.items(), key=lambda item: -_add(*item[1]))
        beam = {prefix: (a, b) for prefix, (a, b) in ranked[:width]}
    readings = [Reading(prefix, _add(a, b)) for prefix, (a, b) in beam.items()]
    return [reading for reading in readings if reading.log_probability > -math.inf]


def _add(a: float, b: float) -> float:
    """Return log(e^a + e^b)."""
    if a < b:
        a, b = b, a
    return a if b == -math.inf else a + math.log1p(math.exp(b - a))
