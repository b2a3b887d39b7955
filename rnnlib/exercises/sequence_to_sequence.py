"""Checks for chapter 14 (How does it answer in another length)."""

import math

import torch

from rnnlib.data.lengths import IGNORE_INDEX
from rnnlib.exercises.verdict import WrongAnswer, as_array, attempt, compare, verdict

N, S, K = 3, 5, 6
START, END = 4, 5


def _targets() -> torch.Tensor:
    """Answers of 4, 2 and 3 symbols among 0 … 3, each with its end symbol."""
    end, past = END, IGNORE_INDEX
    return torch.tensor([[0, 3, 1, 2, end], [2, 1, end, past, past], [3, 3, 0, end, past]])


@verdict("The start symbol, and the answer one step later.")
def check_previous(shift) -> None:
    """Check ``shift(z, start, end)``, what a decoder reads under teacher forcing.

    Parameters
    ----------
    shift : callable
        Returns int64 (N, S): the start symbol, then z without its last column, with `end` in the
        place of -100.

    Returns
    -------
    Verdict
    """
    z = _targets()
    got = attempt(shift, z.clone(), START, END)
    first = torch.full((N, 1), START)
    filled = z.masked_fill(z == IGNORE_INDEX, END)
    left = torch.cat([filled[:, 1:], torch.full((N, 1), END)], dim=1)
    compare(
        "previous",
        got,
        torch.cat([first, filled[:, :-1]], dim=1),
        {
            "this is z itself: the decoder would be shown the symbol that it has to name.": filled,
            "this is z itself, -100 included: move it one step to the right.": z,
            "it moves to the left: the decoder would read the future.": left,
            "-100 is left, which no embedding takes: put end in its place.": (
                torch.cat([first, z[:, :-1]], dim=1)
            ),
            "the start symbol is in front, but the last column of z is still there.": (
                torch.cat([first, filled], dim=1)
            ),
            "end stands in front, where the start symbol belongs; did the columns go round?": (
                torch.cat([torch.full((N, 1), END), filled[:, :-1]], dim=1)
            ),
            "the start symbol stands in the place of -100: that is end's.": (
                torch.cat([first, z.masked_fill(z == IGNORE_INDEX, START)[:, :-1]], dim=1)
            ),
        },
    )
    if isinstance(got, torch.Tensor) and got.dtype != torch.int64:
        raise WrongAnswer(f"an embedding takes int64, got {got.dtype}.")


@verdict("The context is a weighted mean of the real states.")
def check_attention(context) -> None:
    """Check ``context(s, h, real, W_q, W_k, v)``, additive attention with one query a sequence.

    Parameters
    ----------
    context : callable
        Returns (N, H) from s (N, H), h (N, T, H), real, bool (N, T), and the three parameters.

    Returns
    -------
    Verdict
    """
    H, T, A = 4, 3, 2  # T = N, so that a softmax over the wrong one runs
    s = torch.randn(N, H, dtype=torch.float64)
    h = torch.randn(N, T, H, dtype=torch.float64)
    W_q, W_k = (2 * torch.randn(H, A, dtype=torch.float64) for _ in range(2))
    v = 2 * torch.randn(A, dtype=torch.float64)
    real = torch.arange(T) < torch.tensor([[3], [1], [2]])
    arguments = (s, h, real, W_q, W_k, v)
    got = attempt(context, *(value.clone() for value in arguments))

    before = (s @ W_q)[:, None] + h @ W_k
    e = torch.tanh(before) @ v

    def mean(alpha: torch.Tensor) -> torch.Tensor:
        return (alpha[..., None] * h).sum(dim=1)

    def masked(scores: torch.Tensor, keep: torch.Tensor = real) -> torch.Tensor:
        return scores.masked_fill(~keep, -math.inf)

    alpha = masked(e).softmax(dim=1)
    compare(
        "the context",
        got,
        mean(alpha),
        {
            "padding takes part: its scores must be -inf before the softmax.": mean(e.softmax(1)),
            "the weights of padding are set to 0 after the softmax, so that the others no longer "
            "add up to 1.": mean(e.softmax(1) * real),
            "a score of 0 is no mask: padding still gets exp(0).": (
                mean(e.masked_fill(~real, 0.0).softmax(1))
            ),
            "the mask is the wrong way round: real is True where a step counts.": (
                mean(masked(e, ~real).softmax(1))
            ),
            "the softmax goes over the sequences: it belongs over the steps j.": (
                mean(masked(e).softmax(0))
            ),
            "the softmax is missing.": mean(e * real),
            "the tanh is missing.": mean(masked(before @ v).softmax(1)),
            "these are the weights: the context is their sum with the h_j.": alpha,
            "the question is missing: s @ W_q.": mean(masked(torch.tanh(h @ W_k) @ v).softmax(1)),
            "the states are averaged as if all weights were equal.": (
                mean(real.double() / real.sum(dim=1, keepdim=True))
            ),
        },
        tolerance=1e-9,
    )


@verdict("The best continuations of all beginnings together.")
def check_beam_step(continue_beam) -> None:
    """Check ``continue_beam(total, log_p)``, one step of a beam search.

    Parameters
    ----------
    continue_beam : callable
        Returns the k best pairs (beginning, symbol), best first, from the log-probabilities of
        the beginnings (k,) and of the next symbols (k, K).

    Returns
    -------
    Verdict
    """
    total = torch.tensor([-0.9, -1.6, -0.6], dtype=torch.float64)
    p = [[0.55, 0.21, 0.14, 0.10], [0.38, 0.33, 0.27, 0.02], [0.32, 0.47, 0.09, 0.12]]
    log_p = torch.tensor(p, dtype=torch.float64).log()
    k, symbols = log_p.shape
    got = as_array(attempt(continue_beam, total.clone(), log_p.clone()))
    if got.shape != (k, 2):
        raise WrongAnswer(f"expected {k} pairs of a beginning and a symbol, got shape {got.shape}.")

    def best(candidates: torch.Tensor, largest: bool = True) -> list[tuple[int, int]]:
        order = candidates.flatten().topk(k, largest=largest).indices.tolist()
        return [divmod(i, symbols) for i in order]

    def own(scores: torch.Tensor) -> list[tuple[int, int]]:
        """Give every beginning its own best symbol."""
        return list(enumerate(scores.argmax(dim=1).tolist()))

    right = best(total[:, None] + log_p)
    each = own(log_p)
    ranked = sorted(each, key=lambda pair: -(total[pair[0]] + log_p[pair]).item())
    compare(
        "the list",
        got,
        right,
        {
            "every beginning has kept its own best symbol: the best of all together count.": each,
            "every beginning has kept its own best symbol; one may have two places, and another "
            "none.": ranked,
            "the log-probabilities of the beginnings are missing: add total.": best(log_p),
            "these are the worst.": best(total[:, None] + log_p, largest=False),
            "the pairs are the wrong way round: first the beginning, then the symbol.": (
                [pair[::-1] for pair in right]
            ),
            "the worst stands first.": right[::-1],
            "log-probabilities are added, not multiplied.": best(total[:, None] * log_p),
            "a log-probability and a probability were added.": best(total[:, None] + log_p.exp()),
            "only the best beginning was continued.": (
                [(2, i) for i in log_p[2].topk(k).indices.tolist()]
            ),
        },
    )


@verdict("What the model would have written, where it is to read itself.")
def check_own_symbols(mix) -> None:
    """Check ``mix(previous, y, own)``, the decoder's inputs under scheduled sampling.

    Parameters
    ----------
    mix : callable
        Returns int64 (N, S): `previous`, with the symbol that the model names at the step before
        where `own`, bool (N, S), is True, except in the first column.

    Returns
    -------
    Verdict
    """
    z = _targets()
    filled = z.masked_fill(z == IGNORE_INDEX, END)
    previous = torch.cat([torch.full((N, 1), START), filled[:, :-1]], dim=1)
    written = torch.tensor([[2, 0, 3, 1, 0], [0, 3, 1, 2, 3], [1, 0, 2, 3, 1]])
    y = torch.nn.functional.one_hot(written, K) - torch.rand(N, S, K, dtype=torch.float64) / 2
    own = torch.tensor([[1, 0, 1, 0, 1], [0, 1, 1, 0, 0], [1, 1, 0, 1, 0]]).bool()
    got = attempt(mix, previous.clone(), y.clone(), own.clone())

    def mixed(symbols: torch.Tensor, where: torch.Tensor = own) -> torch.Tensor:
        return torch.where(where, symbols, previous)

    before = torch.cat([previous[:, :1], written[:, :-1]], dim=1)
    not_first = own.clone()
    not_first[:, 0] = False
    compare(
        "previous",
        got,
        mixed(before),
        {
            "one step too early: y[:, t] names what is read at step t + 1.": mixed(written),
            "one step too early: y[:, t] names what is read at step t + 1; the start symbol is "
            "right.": mixed(written, not_first),
            "the start symbol has been replaced: nothing was written before it.": (
                mixed(written.roll(1, dims=1))
            ),
            "own is the wrong way round: True means the model's own symbol.": mixed(before, ~own),
            "every symbol has been replaced: where own is False the true one stays.": before,
            "no symbol has been replaced.": previous,
            "the replaced places are off by one: own[:, t] is about the input of step t.": (
                mixed(before, own.roll(1, dims=1))
            ),
            "the least likely symbol was taken: argmax, not argmin.": mixed(
                torch.cat([previous[:, :1], y.argmin(dim=-1)[:, :-1]], dim=1)
            ),
        },
    )
