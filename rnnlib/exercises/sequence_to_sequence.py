"""Checks for chapter 14 (How does it answer in another length)."""

import math

import torch

from rnnlib.data.lengths import IGNORE_INDEX
from rnnlib.exercises.exercise import exercise


def _answers(draw, lengths, symbols):
    """Draw answers of these lengths, each with its end symbol, and IGNORE_INDEX behind it."""
    z = torch.full((len(lengths), max(lengths) + 1), IGNORE_INDEX)
    for row, n in zip(z, lengths, strict=True):
        row[:n] = draw.integers(n, high=symbols)
        row[n] = symbols + 1
    return z


def _previous(z, start, end, first=None):
    column = torch.full_like(z[:, :1], start if first is None else first)
    previous = torch.cat([column, z[:, :-1]], dim=1)
    return previous.masked_fill(previous == IGNORE_INDEX, end)


def _filled(z, symbol):
    return z.masked_fill(z == IGNORE_INDEX, symbol)


def _led_by(start, z):
    return torch.cat([torch.full_like(z[:, :1], start), z], dim=1)


@exercise(
    "The start symbol, and the answer one step later.",
    result="previous",
    cases=(
        {"lengths": (4, 2, 3), "symbols": 4},
        {"lengths": (1, 5, 2, 5), "symbols": 7},
    ),
    right=_previous,
    dtypes={"previous": "int64"},
    mistakes={
        "this is z itself: the decoder would be shown the symbol that it has to name.": (
            lambda z, start, end: _filled(z, end)
        ),
        "this is z itself, -100 included: move it one step to the right.": (
            lambda z, start, end: z
        ),
        "it moves to the left: the decoder would read the future.": (
            lambda z, start, end: torch.cat(
                [_filled(z, end)[:, 1:], torch.full_like(z[:, :1], end)], dim=1
            )
        ),
        "-100 is left, which no embedding takes: put end in its place.": (
            lambda z, start, end: _led_by(start, z[:, :-1])
        ),
        "-100 became 0, which is a symbol of its own: put end in its place.": (
            lambda z, start, end: _led_by(start, _filled(z, 0)[:, :-1])
        ),
        "the start symbol is in front, but the last column of z is still there.": (
            lambda z, start, end: _led_by(start, _filled(z, end))
        ),
        "the start symbol replaces the first column of z: move z one step to the right.": (
            lambda z, start, end: torch.cat(
                [torch.full_like(z[:, :1], start), _filled(z, end)[:, 1:]], dim=1
            )
        ),
        "the start symbol is missing: z without its last column is one step too short.": (
            lambda z, start, end: _filled(z, end)[:, :-1]
        ),
        "end stands in front, where the start symbol belongs; did the columns go round?": (
            lambda z, start, end: _previous(z, start, end, first=end)
        ),
        "0 stands in front, where the start symbol belongs.": (
            lambda z, start, end: _previous(z, start, end, first=0)
        ),
        "the start symbol stands in the place of -100: that is end's.": (
            lambda z, start, end: _led_by(start, _filled(z, start)[:, :-1])
        ),
        "start and end have changed places.": lambda z, start, end: _previous(z, end, start),
    },
    hints=(
        "At step t the decoder reads the symbol before z[:, t]. What does it read at the first?",
        "A column of start, then all columns of z but the last. -100 past the end becomes end.",
        "torch.cat([first, z[:, :-1]], dim=1).masked_fill(…)",
    ),
)
def check_previous(draw, lengths, symbols):
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
    return _answers(draw, lengths, symbols), symbols, symbols + 1


def _scores(s, h, real, W_q, W_k, v):
    return torch.tanh((s @ W_q)[:, None] + h @ W_k) @ v


def _mean(alpha, h):
    return (alpha[..., None] * h).sum(dim=1)


def _attention(
    scores=_scores,
    weights=lambda e, real: e.masked_fill(~real, -math.inf).softmax(dim=1),
    value=lambda alpha, h: _mean(alpha, h),
):
    """Return an attention; each keyword puts one mistake in."""

    def context(s, h, real, W_q, W_k, v):
        return value(weights(scores(s, h, real, W_q, W_k, v), real), h)

    return context


@exercise(
    "The context is a weighted mean of the real states.",
    result="the context",
    # In the first case T = N, so that a softmax over the wrong axis runs to the end.
    cases=(
        {"lengths": (3, 1, 2), "H": 4, "A": 5},
        {"lengths": (2, 5), "H": 3, "A": 4},
        {"lengths": (1, 4, 3, 2, 4), "H": 7, "A": 3},
    ),
    right=_attention(),
    mistakes={
        "padding takes part: its scores must be -inf before the softmax.": _attention(
            weights=lambda e, real: e.softmax(1)
        ),
        "the weights of padding are set to 0 after the softmax, so that the others no longer add "
        "up to 1.": _attention(weights=lambda e, real: e.softmax(1) * real),
        "a score of 0 is no mask: padding still gets exp(0).": _attention(
            weights=lambda e, real: e.masked_fill(~real, 0.0).softmax(1)
        ),
        "the mask is the wrong way round: real is True where a step counts.": _attention(
            weights=lambda e, real: e.masked_fill(real, -math.inf).softmax(1)
        ),
        "the softmax goes over the sequences: it belongs over the steps j.": _attention(
            weights=lambda e, real: e.masked_fill(~real, -math.inf).softmax(0)
        ),
        "the softmax is missing.": _attention(weights=lambda e, real: e * real),
        "the scores are divided by their sum: it is the softmax that makes weights of them.": (
            _attention(weights=lambda e, real: e * real / (e * real).sum(1, keepdim=True))
        ),
        "the step of the largest score is taken alone: the context is a mean over all.": _attention(
            weights=lambda e, real: torch.nn.functional.one_hot(
                e.masked_fill(~real, -math.inf).argmax(1), e.size(1)
            ).to(e.dtype)
        ),
        "the softmax of the negative scores: a large score means a large weight.": _attention(
            weights=lambda e, real: (-e).masked_fill(~real, -math.inf).softmax(1)
        ),
        "the states are averaged as if all weights were equal.": _attention(
            weights=lambda e, real: real / real.sum(dim=1, keepdim=True)
        ),
        "the tanh is missing.": _attention(
            scores=lambda s, h, real, W_q, W_k, v: ((s @ W_q)[:, None] + h @ W_k) @ v
        ),
        "the tanh is taken of the scores: it belongs inside, before v.": _attention(
            scores=lambda s, h, real, W_q, W_k, v: torch.tanh(((s @ W_q)[:, None] + h @ W_k) @ v)
        ),
        "a sign is wrong: question and key are added.": _attention(
            scores=lambda s, h, real, W_q, W_k, v: torch.tanh((s @ W_q)[:, None] - h @ W_k) @ v
        ),
        "question and key are added, not multiplied.": _attention(
            scores=lambda s, h, real, W_q, W_k, v: torch.tanh((s @ W_q)[:, None] * (h @ W_k)) @ v
        ),
        "v is missing: the A numbers were added up.": _attention(
            scores=lambda s, h, real, W_q, W_k, v: torch.tanh((s @ W_q)[:, None] + h @ W_k).sum(-1)
        ),
        "the question makes no difference: s @ W_q is missing, or outside the tanh.": _attention(
            scores=lambda s, h, real, W_q, W_k, v: torch.tanh(h @ W_k) @ v
        ),
        "W_q and W_k have changed places: W_q belongs to s, W_k to h.": _attention(
            scores=lambda s, h, real, W_q, W_k, v: _scores(s, h, real, W_k, W_q, v)
        ),
        "every row is asked the first sequence's question.": _attention(
            scores=lambda s, h, *rest: _scores(s[:1].expand_as(s), h, *rest)
        ),
        "these are the weights: the context is their sum with the h_j.": _attention(
            value=lambda alpha, h: alpha
        ),
        "the weighted states are not added up yet: sum over the steps.": _attention(
            value=lambda alpha, h: alpha[..., None] * h
        ),
        "the weighted states are averaged: the weights add up to 1 already, so take the sum.": (
            _attention(value=lambda alpha, h: (alpha[..., None] * h).mean(1))
        ),
    },
    hints=(
        "Three steps: a score for each state, weights that add up to 1, and a sum. Which shape has "
        "each?",
        "The scores are (N, T): s @ W_q needs an axis for the steps before it is added to h @ W_k. "
        "Scores of padding become -inf, then comes the softmax over the steps.",
        "e = torch.tanh((s @ W_q)[:, None] + h @ W_k) @ v",
    ),
)
def check_attention(draw, lengths, H, A):
    """Check ``context(s, h, real, W_q, W_k, v)``, additive attention with one query a sequence.

    Parameters
    ----------
    context : callable
        Returns (N, H) from s (N, H), h (N, T, H), real, bool (N, T), and the three parameters.

    Returns
    -------
    Verdict
    """
    N, T = len(lengths), max(lengths)
    real = torch.arange(T) < torch.tensor(lengths)[:, None]
    parameters = draw.normal(H, A), draw.normal(H, A), draw.normal(A, scale=2.0)
    return draw.normal(N, H), draw.normal(N, T, H), real, *parameters


def _best(candidates, count, largest=True):
    order = candidates.flatten().topk(count, largest=largest).indices.tolist()
    return [divmod(i, candidates.size(1)) for i in order]


def _beam(total, log_p):
    return _best(total[:, None] + log_p, len(total))


def _each_its_own(total, log_p):
    return list(enumerate(log_p.argmax(dim=1).tolist()))


def _each_ranked(total, log_p):
    return sorted(
        _each_its_own(total, log_p), key=lambda pair: -(total[pair[0]] + log_p[pair]).item()
    )


def _only_the_best(total, log_p):
    best = int(total.argmax())
    return [(best, i) for i in log_p[best].topk(len(total)).indices.tolist()]


@exercise(
    "The best continuations of all beginnings together.",
    result="the list of pairs",
    cases=({"case": 1}, {"case": 2}, {"case": 3}),
    right=_beam,
    mistakes={
        "every beginning has kept its own best symbol: the best of all together count.": (
            _each_its_own
        ),
        "every beginning has kept its own best symbol; one may take two places.": (_each_ranked),
        "the log-probabilities of the beginnings are missing: add total.": (
            lambda total, log_p: _best(log_p, len(total))
        ),
        "these are the worst.": (
            lambda total, log_p: _best(total[:, None] + log_p, len(total), largest=False)
        ),
        "the pairs are the wrong way round: first the beginning, then the symbol.": (
            lambda *given: [pair[::-1] for pair in _beam(*given)]
        ),
        "the worst stands first.": lambda *given: _beam(*given)[::-1],
        "log-probabilities are added, not multiplied.": (
            lambda total, log_p: _best(total[:, None] * log_p, len(total))
        ),
        "a log-probability and a probability were added.": (
            lambda total, log_p: _best(total[:, None] + log_p.exp(), len(total))
        ),
        "total is taken off: log-probabilities are added.": (
            lambda total, log_p: _best(log_p - total[:, None], len(total))
        ),
        "only the best beginning was continued.": _only_the_best,
        "an index of the flattened table is divided by K, the number of symbols, not by k.": (
            lambda total, log_p: [
                divmod(a * log_p.size(1) + b, len(total)) for a, b in _beam(total, log_p)
            ]
        ),
        "beginnings and symbols are counted from 0.": (
            lambda *given: [(a + 1, b + 1) for a, b in _beam(*given)]
        ),
        "one continuation is missing: k of them are asked for.": lambda *given: _beam(*given)[:-1],
        "only the best continuation came back: k of them are asked for.": (
            lambda *given: _beam(*given)[:1]
        ),
    },
    hints=(
        "How probable is a beginning with one more symbol? There are k K of them: how do they "
        "compare?",
        "Add total to each row of log_p, flatten, and take the k largest. An index of the "
        "flattened table is beginning * K + symbol.",
        "(total[:, None] + log_p).flatten().topk(k).indices, then divmod(i, K)",
    ),
)
def check_beam_step(draw, case):
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
    if case == 1:
        total = torch.tensor([-0.9, -1.6, -0.6])
        p = [[0.55, 0.21, 0.14, 0.10], [0.38, 0.33, 0.27, 0.02], [0.32, 0.47, 0.09, 0.12]]
        return total, torch.tensor(p).log()
    k, K = {2: (2, 5), 3: (4, 7)}[case]
    return draw.normal(k, scale=0.4) - 2, draw.normal(k, K).log_softmax(1)


def _mixed(previous, y, own, *, written=None, where=None):
    """Return `previous` with symbols that were written one step before, where `where` says so."""
    written = y.argmax(dim=-1) if written is None else written
    before = torch.cat([previous[:, :1], written[:, :-1]], dim=1)
    return torch.where(own if where is None else where, before, previous)


def _too_early(previous, y, own):
    return torch.where(own, y.argmax(dim=-1), previous)


def _not_first(own):
    own = own.clone()
    own[:, 0] = False
    return own


@exercise(
    "What the model would have written, where it is to read itself.",
    result="previous",
    cases=(
        {"lengths": (4, 2, 3), "symbols": 4},
        {"lengths": (1, 6, 3, 2), "symbols": 7},
    ),
    right=_mixed,
    dtypes={"previous": "int64"},
    mistakes={
        "one step too early: y[:, t] names what is read at step t + 1.": _too_early,
        "one step too early: y[:, t] names what is read at step t + 1; column 0 is right.": (
            lambda previous, y, own: _too_early(previous, y, _not_first(own))
        ),
        "the start symbol has been replaced: nothing was written before it.": (
            lambda previous, y, own: torch.where(own, y.argmax(-1).roll(1, dims=1), previous)
        ),
        "own is the wrong way round: True means the model's own symbol.": (
            lambda previous, y, own: _mixed(previous, y, own, where=~own)
        ),
        "every symbol has been replaced: where own is False the true one stays.": (
            lambda previous, y, own: _mixed(previous, y, own, where=torch.ones_like(own))
        ),
        "no symbol has been replaced.": lambda previous, y, own: previous,
        "the replaced places are off by one: own[:, t] is about the input of step t.": (
            lambda previous, y, own: _mixed(previous, y, own, where=own.roll(1, dims=1))
        ),
        "the replaced places are one too early: own[:, t] is about the input of step t.": (
            lambda previous, y, own: _mixed(previous, y, own, where=own.roll(-1, dims=1))
        ),
        "the symbols are two steps old: y[:, t - 1] names what is read at step t.": (
            lambda previous, y, own: _mixed(
                previous,
                y,
                own,
                written=torch.cat([previous[:, 1:2], y.argmax(-1)[:, :-1]], dim=1),
            )
        ),
        "the least likely symbol was taken: argmax, not argmin.": (
            lambda previous, y, own: _mixed(previous, y, own, written=y.argmin(dim=-1))
        ),
        "the argmax goes over the steps: it belongs over the symbols, the last axis.": (
            lambda previous, y, own: _mixed(
                previous, y, own, written=y.argmax(dim=1)[:, :1].expand_as(previous)
            )
        ),
        "the replaced symbols became 0: the model's own belong there.": (
            lambda previous, y, own: previous * ~_not_first(own)
        ),
    },
    hints=(
        "What is read at step t was written at step t - 1. Which column of y names it?",
        "The written symbols are the argmax of y over its last axis. They go one step to the "
        "right, and into previous where own is True; the first column stays.",
        "torch.where(own[:, 1:], written[:, :-1], previous[:, 1:])",
    ),
)
def check_own_symbols(draw, lengths, symbols):
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
    previous = _previous(_answers(draw, lengths, symbols), symbols, symbols + 1)
    own = draw.uniform(*previous.shape) < 0.5
    own[:2, 0] = torch.tensor([True, False])
    return previous, draw.normal(*previous.shape, symbols + 2), own
