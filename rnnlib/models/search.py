"""Beam search: which sequence is the most probable, when each symbol depends on those before it.

A model gives the probabilities of the next symbol. The probability of a whole answer is their
product, and the most probable symbol at every step need not lead to the most probable answer.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from rnnlib.checks import check_size
from rnnlib.layers import State

Step = Callable[[Tensor, Any], tuple[Tensor, Any]]


@dataclass(frozen=True)
class Hypothesis:
    """An answer that a search has found.

    Parameters
    ----------
    symbols : tuple of int
        The end symbol, if it was reached, is the last.
    log_probability : float
        The sum of the symbols' log-probabilities, in nats, the end symbol included.
    finished : bool
        Whether the end symbol was reached.
    """

    symbols: tuple[int, ...]
    log_probability: float
    finished: bool

    @property
    def probability(self) -> float:
        """Probability of the whole answer, if it is finished, or of all that begin like it."""
        return math.exp(self.log_probability)


def beam_search(
    step: Step,
    state: State | None = None,
    *,
    start: int,
    end: int,
    width: int,
    max_steps: int,
    num_sequences: int = 1,
    length_penalty: float = 0.0,
    device: torch.device | str | None = None,
) -> list[list[Hypothesis]]:
    """Search for the most probable sequences, several prefixes at a time.

    At every step each of the `width` prefixes kept is continued by every symbol, and the `width`
    best of all these are kept. A prefix that ends with the end symbol is an answer; it stays in
    its place, unchanged, until `width` others are better. The search ends when all are answers.

    With a width of 1 this is the greedy search. A greater width looks at more, but is no guarantee:
    the prefixes of the greedy answer may be dropped for others that end badly. Only a width that
    never drops anything is certain to find the best.

    Parameters
    ----------
    step : callable
        ``step(symbols, state)`` takes the last symbol of each prefix, int64 (R,), and returns
        ``(log_probabilities, state)``: (R, K), and the state after it. R is num_sequences x width;
        the rows of one sequence stand together.
    state : Tensor, or tuple of these, nested or not, optional
        The state before the first step, one row for each sequence: (num_sequences, …). It is
        repeated for the prefixes, and its rows follow them.
    start, end : int
        The symbol that is read first, and the one that ends an answer.
    width : int
        How many prefixes are kept for each sequence.
    max_steps : int
        The most symbols an answer may have. What has not ended by then is returned unfinished.
    num_sequences : int, default 1
        N, searched for at the same time.
    length_penalty : float, default 0
        Hypotheses are compared by their log-probability divided by the number of their symbols to
        this power. With 0 the more probable one is better, and short answers have an advantage:
        each symbol more is a factor below 1. With 1 it is the mean log-probability of a symbol.
    device : optional
        Where the symbols are made, the CPU by default; the log-probabilities must be there too.

    Returns
    -------
    list of list of Hypothesis
        For each sequence at most `width`, best first.

    Raises
    ------
    TypeError, ValueError
        For arguments out of their range, and if `step` returns other shapes, or NaN.
    """
    for name, size in (("width", width), ("max_steps", max_steps)):
        check_size(name, size)
    N, W = check_size("num_sequences", num_sequences), width
    if not (math.isfinite(length_penalty) and length_penalty >= 0):
        raise ValueError(f"length_penalty: expected at least 0, got {length_penalty}")
    state = _rows(state, torch.arange(N, device=device).repeat_interleave(W), N)
    last = torch.full((N * W,), start, dtype=torch.int64, device=device)
    symbols = last.new_empty(N, W, 0)
    ended = torch.zeros(N, W, dtype=torch.bool, device=device)
    count = last.new_zeros(N, W)
    # All prefixes are the same at first; only one of them may be continued.
    total = torch.full((N, W), -math.inf, device=device)
    total[:, 0] = 0.0
    first_row = torch.arange(N, device=device).unsqueeze(1) * W

    for _ in range(max_steps):
        log_p, state = step(last, state)
        K = _check_log_probabilities(log_p, N * W, start, end)
        log_p = log_p.view(N, W, K).to(total.dtype)
        # What has ended goes on by one more end symbol that costs nothing.
        stay = torch.full_like(log_p[0, 0], -math.inf)
        stay[end] = 0.0
        log_p = torch.where(ended.unsqueeze(2), stay, log_p)
        candidates = (total.unsqueeze(2) + log_p).view(N, W * K)
        counts = (count + ~ended).repeat_interleave(K, dim=1)
        best = (candidates / counts**length_penalty).topk(W, dim=1).indices
        parent, symbol = best // K, best % K

        total, count = candidates.gather(1, best), counts.gather(1, best)
        symbols = torch.cat(
            [
                symbols.gather(1, parent.unsqueeze(2).expand(-1, -1, symbols.size(2))),
                symbol[..., None],
            ],
            dim=2,
        )
        ended = symbol == end
        if ended.all():
            break
        state = _rows(state, (first_row + parent).view(-1), N * W)
        last = symbol.view(-1)

    found = zip(symbols.tolist(), count.tolist(), total.tolist(), ended.tolist(), strict=True)
    return [
        [
            Hypothesis(tuple(row[:n]), log_probability, finished)
            for row, n, log_probability, finished in zip(*beam, strict=True)
            if log_probability > -math.inf
        ]
        for beam in found
    ]


def best_symbols(found: list[list[Hypothesis]], num_steps: int, *, fill: int = -1) -> Tensor:
    """Put the best answer to each sequence into one tensor, to compare it with targets.

    Parameters
    ----------
    found : list of list of Hypothesis
        As from `beam_search`, best first, with at least one for each sequence.
    num_steps : int
        S. No answer may have more symbols.
    fill : int, default -1
        What stands after the end of an answer.

    Returns
    -------
    Tensor of int64, (N, S)

    Raises
    ------
    TypeError, ValueError
        If `num_steps` is no positive integer, a sequence has no answer, or one is too long.
    """
    check_size("num_steps", num_steps)
    if not found or not all(found):
        raise ValueError("found: expected one answer or more to each sequence, got none to some")
    rows = [hypotheses[0].symbols for hypotheses in found]
    longest = max(map(len, rows))
    if longest > num_steps:
        raise ValueError(f"num_steps: expected at least {longest}, got {num_steps}")
    return torch.tensor([[*row, *[fill] * (num_steps - len(row))] for row in rows])


def _rows(state: State | None, rows: Tensor, size: int) -> State | None:
    """Take these rows of every tensor in a state."""
    if state is None:
        return None
    if isinstance(state, tuple):
        return tuple(_rows(part, rows, size) for part in state)
    if not isinstance(state, Tensor):
        raise TypeError(f"state: expected a Tensor or a tuple of them, got {type(state).__name__}")
    if state.dim() == 0 or len(state) != size:
        raise ValueError(f"state: expected {size} rows, got shape {tuple(state.shape)}")
    return state.index_select(0, rows)


def _check_log_probabilities(log_p: Tensor, rows: int, start: int, end: int) -> int:
    """Return K, the number of symbols, if the shape is right."""
    if not isinstance(log_p, Tensor):
        raise TypeError(f"step: expected a Tensor first, got {type(log_p).__name__}")
    if log_p.dim() != 2 or len(log_p) != rows:
        raise ValueError(
            f"step: expected log-probabilities of shape ({rows}, K), got {tuple(log_p.shape)}"
        )
    K = log_p.size(1)
    if not (0 <= start < K and 0 <= end < K):
        raise ValueError(f"start, end: expected symbols below {K}, got {start} and {end}")
    # NaN is not at most 0 either.
    if not (log_p <= 1e-4).all():
        worst = log_p.max().item()
        raise ValueError(f"step: expected log-probabilities, none above 0, got {worst}")
    return K
