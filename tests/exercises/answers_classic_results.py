"""Answers to the exercises of chapter 18: right ones, and wrong ones with their messages."""

import math

import numpy as np
import torch
from torch.nn.functional import cross_entropy

from rnnlib.data.tasks import Copying
from rnnlib.exercises.classic_results import (
    check_copying_floor,
    check_leading_symbols,
    check_tuned,
    check_wrong_sequences,
)


def by_loop(outputs, targets, bound):
    wrong = 0
    for output, target in zip(outputs.tolist(), targets.tolist(), strict=True):
        wrong += abs(output - target) >= bound
    return wrong


def by_ranks(scores, possible):
    """The k possible symbols are the k first."""
    place = scores.argsort(dim=1, descending=True).argsort(dim=1)
    return ((place < possible.sum(dim=1, keepdim=True)) == possible).all(dim=1)


def by_loss(T, K, n):
    """Measure it: scores that know when to speak, on one sequence."""
    scores, y = torch.zeros(T + 2 * n, K + 1).double(), torch.full((T + 2 * n,), K)
    scores[:-n, :K], scores[-n:, K], y[-n:] = -1e9, -1e9, 0
    return cross_entropy(scores, y)


def by_numpy(bits):
    return np.asarray(bits).mean(axis=-1).min(axis=-1)


def by_sorting(bits):
    return [min(sum(seeds) / len(seeds) for seeds in variant) for variant in bits.tolist()]


assert abs(by_loss(100, 8, 10).item() - Copying(delay=100).chance) < 1e-9

RIGHT = [
    (check_wrong_sequences, by_loop),
    (check_wrong_sequences, lambda o, t, bound: len(o) - ((o - t).abs() < bound).sum()),
    (check_leading_symbols, by_ranks),
    (
        check_leading_symbols,
        lambda s, p: [by_ranks(a[None], b[None]).item() for a, b in zip(s, p, strict=True)],
    ),
    (check_copying_floor, by_loss),
    (check_copying_floor, lambda T, K, n: np.log(K) / (T / n + 2)),
    (check_tuned, by_numpy),
    (check_tuned, by_sorting),
]

WRONG = [
    (check_wrong_sequences, lambda o, t, bound: ((o - t) ** 2 > bound).sum(), "squares the error"),
    (check_wrong_sequences, lambda o, t, bound: ((o - t) > bound).sum(), "may be too small"),
    (check_wrong_sequences, lambda o, t, bound: by_loop(o, t, bound) / len(o), "the share"),
    (check_wrong_sequences, lambda *given: ..., "returns nothing yet"),
    (check_leading_symbols, lambda s, p: p[range(len(s)), s.argmax(1)], "the largest score alone"),
    (check_leading_symbols, lambda s, p: by_ranks(s, p).all(), "for the whole string"),
    (check_leading_symbols, lambda s, p: by_ranks(-s, p), "the other way round"),
    (check_leading_symbols, lambda *given: ..., "returns nothing yet"),
    (check_copying_floor, lambda T, K, n: n * math.log(K) / T, "the pause alone"),
    (check_copying_floor, lambda T, K, n: n * math.log2(K) / (T + 2 * n), "in bits"),
    (check_copying_floor, lambda T, K, n: math.log(K), "steps that ask for a symbol"),
    (check_copying_floor, lambda *given: ..., "returns nothing yet"),
    (check_tuned, lambda bits: bits.flatten(1).min(dim=1).values, "picks the best seed"),
    (check_tuned, lambda bits: bits.mean(dim=2).min(dim=0).values, "this compares rates"),
    (check_tuned, lambda bits: bits.mean(dim=2).argmin(dim=1), "the rates' places"),
    (check_tuned, lambda *given: ..., "returns nothing yet"),
]
