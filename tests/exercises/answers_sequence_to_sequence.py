"""Answers to the exercises of chapter 14: right ones, and wrong ones with their messages."""

import math

import torch

from rnnlib.exercises.sequence_to_sequence import (
    check_attention,
    check_beam_step,
    check_own_symbols,
    check_previous,
)


def shift(z, start, end):
    previous = z.roll(1, dims=1)
    previous[:, 0] = start
    return torch.where(previous < 0, end, previous)


def shifting(front=None, fill=None, last=-1):
    """A shift that puts something else in front, or in the place of -100, or keeps the end."""

    def wrong(z, start, end):
        first = torch.full_like(z[:, :1], end if front == "end" else start)
        previous = torch.cat([first, z[:, :last]], dim=1)
        return previous.masked_fill(previous < 0, start if fill == "start" else end)

    return wrong


def scores(s, h, W_q, W_k, v, f=torch.tanh):
    return f((s @ W_q)[:, None] + h @ W_k) @ v


def mean(alpha, h):
    return torch.einsum("nt,nth->nh", alpha, h)


def attending(weigh, f=torch.tanh):
    """A context whose weights are weigh(e, real)."""

    def context(s, h, real, W_q, W_k, v):
        return mean(weigh(scores(s, h, W_q, W_k, v, f), real), h)

    return context


def minus_infinity(e, real):
    return e.masked_fill(~real, -math.inf)


def looped(s, h, real, W_q, W_k, v):
    contexts = []
    for s_n, h_n, keep in zip(s, h, real, strict=True):
        h_n = h_n[keep]
        contexts.append(torch.softmax(torch.tanh(s_n @ W_q + h_n @ W_k) @ v, 0) @ h_n)
    return torch.stack(contexts)


def weights_alone(s, h, real, W_q, W_k, v):
    return minus_infinity(scores(s, h, W_q, W_k, v), real).softmax(1)


def no_question(s, h, real, W_q, W_k, v):
    return mean(minus_infinity(torch.tanh(h @ W_k) @ v, real).softmax(1), h)


def beam(total, log_p):
    every = [
        ((total[i] + log_p[i, j]).item(), i, j)
        for i in range(len(total))
        for j in range(log_p.size(1))
    ]
    return [(i, j) for _, i, j in sorted(every, reverse=True)[: len(total)]]


def only_the_best(total, log_p):
    best = int(total.argmax())
    return [(best, int(i)) for i in log_p[best].topk(len(total)).indices]


def best_of(combine):
    def step(total, log_p):
        best = combine(total[:, None], log_p).flatten().topk(len(total)).indices
        return torch.stack([best // log_p.size(1), best % log_p.size(1)], dim=1)

    return step


def mixing(written=None, where=None, keep_first=True):
    """Inputs mixed from what was written, at the places that `where` makes of own."""

    def mix(previous, y, own):
        z = (written or before)(previous, y)
        use = own if where is None else where(own)
        mixed = torch.where(use, z, previous)
        if keep_first:
            mixed[:, 0] = previous[:, 0]
        return mixed

    return mix


def before(previous, y):
    return torch.cat([previous[:, :1], y.argmax(-1)[:, :-1]], dim=1)


def mixed_in_a_loop(previous, y, own):
    mixed = previous.clone()
    for n in range(len(own)):
        for t in range(1, own.size(1)):
            if own[n, t]:
                mixed[n, t] = y[n, t - 1].argmax()
    return mixed


RIGHT = [
    (check_previous, shift),
    (check_previous, shifting()),
    (check_attention, attending(lambda e, real: minus_infinity(e, real).softmax(1))),
    (check_attention, looped),
    (check_beam_step, beam),
    (check_beam_step, best_of(lambda total, log_p: total + log_p)),
    (check_own_symbols, mixing()),
    (check_own_symbols, mixed_in_a_loop),
]

WRONG = [
    (check_previous, lambda z, start, end: z, "-100 included"),
    (check_previous, lambda z, start, end: z.masked_fill(z < 0, end), "has to name"),
    (
        check_previous,
        lambda z, start, end: torch.cat(
            [z[:, 1:], torch.full_like(z[:, :1], end)], dim=1
        ).masked_fill_(torch.cat([z[:, 1:] < 0, z[:, :1] < 0], dim=1), end),
        "read the future",
    ),
    (
        check_previous,
        lambda z, start, end: torch.cat([torch.full_like(z[:, :1], start), z[:, :-1]], dim=1),
        "no embedding takes",
    ),
    (check_previous, shifting(last=None), "the last column of z is still there"),
    (check_previous, shifting(front="end"), "where the start symbol belongs"),
    (check_previous, shifting(fill="start"), "that is end's"),
    (
        check_previous,
        lambda z, start, end: z.roll(1, dims=1).masked_fill(z.roll(1, dims=1) < 0, end),
        "did the columns go round",
    ),
    (
        check_previous,
        lambda z, start, end: shift(z, start, end).float(),
        "int64 is asked for; this is float32",
    ),
    (check_previous, lambda z, start, end: ..., "returns nothing yet"),
    (check_attention, attending(lambda e, real: e.softmax(1)), "padding takes part"),
    (check_attention, attending(lambda e, real: e.softmax(1) * real), "no longer add up to 1"),
    (check_attention, attending(lambda e, real: (e * real).softmax(1)), "is no mask"),
    (
        check_attention,
        attending(lambda e, real: torch.nan_to_num(minus_infinity(e, ~real).softmax(1), nan=0.0)),
        "the context is 0; expected 0.687",
    ),
    (
        check_attention,
        attending(lambda e, real: minus_infinity(e, real).softmax(0)),
        "over the sequences",
    ),
    (check_attention, attending(lambda e, real: e * real), "the softmax is missing"),
    (
        check_attention,
        attending(lambda e, real: minus_infinity(e, real).softmax(1), f=lambda a: a),
        "the tanh is missing",
    ),
    (check_attention, weights_alone, "these are the weights"),
    (check_attention, no_question, "the question makes no difference"),
    (
        check_attention,
        attending(lambda e, real: real / real.sum(1, keepdim=True)),
        "as if all weights were equal",
    ),
    (check_attention, lambda *_: ..., "returns nothing yet"),
    (
        check_beam_step,
        lambda total, log_p: list(enumerate(log_p.argmax(1).tolist())),
        "kept its own best symbol",
    ),
    (
        check_beam_step,
        lambda total, log_p: sorted(
            enumerate(log_p.argmax(1).tolist()), key=lambda p: -(total[p[0]] + log_p[p])
        ),
        "one may take two places",
    ),
    (check_beam_step, best_of(lambda total, log_p: log_p), "are missing: add total"),
    (check_beam_step, best_of(lambda total, log_p: -total - log_p), "these are the worst"),
    (check_beam_step, lambda total, log_p: beam(total, log_p)[::-1], "the worst stands first"),
    (
        check_beam_step,
        lambda total, log_p: [(j, i) for i, j in beam(total, log_p)],
        "the wrong way round",
    ),
    (check_beam_step, best_of(lambda total, log_p: total * log_p), "added, not multiplied"),
    (check_beam_step, best_of(lambda total, log_p: total + log_p.exp()), "were added"),
    (
        check_beam_step,
        only_the_best,
        "only the best beginning",
    ),
    (
        check_beam_step,
        lambda total, log_p: beam(total, log_p)[0],
        "has shape (2,); expected (3, 2)",
    ),
    (check_beam_step, lambda total, log_p: ..., "returns nothing yet"),
    (
        check_own_symbols,
        mixing(lambda previous, y: y.argmax(-1), keep_first=False),
        "one step too early",
    ),
    (check_own_symbols, mixing(lambda previous, y: y.argmax(-1)), "column 0 is right"),
    (
        check_own_symbols,
        mixing(lambda previous, y: y.argmax(-1).roll(1, dims=1), keep_first=False),
        "the start symbol has been replaced",
    ),
    (check_own_symbols, mixing(where=lambda own: ~own), "own is the wrong way round"),
    (check_own_symbols, mixing(where=torch.ones_like), "every symbol has been replaced"),
    (check_own_symbols, lambda previous, y, own: previous, "no symbol has been replaced"),
    (check_own_symbols, mixing(where=lambda own: own.roll(1, dims=1)), "off by one"),
    (check_own_symbols, mixing(lambda previous, y: before(previous, -y)), "the least likely"),
    (check_own_symbols, lambda previous, y, own: ..., "returns nothing yet"),
]
