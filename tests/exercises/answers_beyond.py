"""Answers to the exercises of chapter 19: right ones, and wrong ones with their messages."""

import functools
import itertools
from itertools import accumulate

import numpy as np
import torch

from rnnlib.exercises import (
    check_all_at_once,
    check_join,
    check_linear_backward,
    check_parity_pair,
)


def last_by_products(a, b):
    powers = np.concatenate([np.cumprod(np.tile(a, (len(b) - 1, 1)), axis=0)[::-1], [a**0]])
    return np.einsum("th,th->h", powers, b)


def last_by_a_loop(a, b):
    h = np.zeros_like(a)
    for b_t in b:
        h = a * h + b_t
    return h


def last_by_accumulating(a, b):
    return list(accumulate(b, lambda h, b_t: a * h + b_t))[-1]


def last_by_numpys_accumulate(a, b):
    powers = np.multiply.accumulate(np.concatenate([a[None] ** 0, np.tile(a, (len(b) - 1, 1))]))
    return np.add.reduce(powers[::-1] * b)


def by_autograd(a, h, g):
    """Let PyTorch differentiate the recurrence, whose b_t are what is missing to each h_t."""
    a, h, g = (torch.as_tensor(value) for value in (a, h, g))
    a, b = a.requires_grad_(), (h[1:] - a.detach() * h[:-1]).requires_grad_()
    state, total = h[0], 0
    for t in range(len(g)):
        state = a[t] * state + b[t]
        total = total + (g[t] * state).sum()
    total.backward()
    return a.grad, b.grad


def step_by_step(a, h, g):
    dh, da, db = 0, [], []
    for a_t, h_before, g_t in zip(a[::-1], h[-2::-1], g[::-1], strict=True):
        dh = dh + g_t
        db.insert(0, dh)
        da.insert(0, dh * h_before)
        dh = dh * a_t
    return da, db


def forgetting_the_last(a, h, g):
    da, db = step_by_step(a, h, g)
    return da, [*db[:-1], 0 * db[-1]]


RIGHT = [
    (check_join, lambda a_1, b_1, a_2, b_2: (a_1 * a_2, torch.addcmul(b_2, a_2, b_1))),
    (check_join, lambda a_1, b_1, a_2, b_2: torch.stack([a_1 * a_2, a_2 * b_1 + b_2])),
    (check_all_at_once, last_by_products),
    (check_all_at_once, last_by_numpys_accumulate),
    (check_linear_backward, by_autograd),
    (check_linear_backward, step_by_step),
    (check_parity_pair, lambda bit: torch.stack([torch.tensor(1 - 2 * bit), torch.tensor(bit)])),
    (check_parity_pair, lambda bit: {0: (1.0, 0.0), 1: (-1.0, 1.0)}[bit]),
]

WRONG = [
    (check_join, lambda a_1, b_1, a_2, b_2: (a_1 * a_2, a_1 * b_2 + b_1), "changed places"),
    (check_join, lambda a_1, b_1, a_2, b_2: (a_1 * a_2, b_1 + b_2), "goes through the second"),
    (check_join, lambda a_1, b_1, a_2, b_2: (a_1 + a_2, a_2 * b_1 + b_2), "the factors multiply"),
    (check_join, lambda a_1, b_1, a_2, b_2: (a_1 * a_2, b_1 - b_2), "at [0] b is"),
    (check_join, lambda a_1, b_1, a_2, b_2: a_1 * a_2, "expected two results"),
    (check_join, lambda *given: ..., "returns nothing yet"),
    (check_all_at_once, lambda a, b: last_by_a_loop(a, b[::-1]), "run the wrong way"),
    (check_all_at_once, lambda a, b: a * last_by_a_loop(a, b), "one too high"),
    (check_all_at_once, lambda a, b: b.sum(axis=0), "the powers are missing"),
    (check_all_at_once, lambda a, b: b[-1], "the newest b_t alone"),
    (check_all_at_once, last_by_a_loop, "without a loop"),
    (check_all_at_once, last_by_accumulating, "without a loop"),
    (
        check_all_at_once,
        lambda a, b: functools.reduce(lambda h, b_t: a * h + b_t, b, 0 * a),
        "without a loop",
    ),
    (
        check_all_at_once,
        lambda a, b: [*itertools.accumulate(b, lambda h, b_t: a * h + b_t)][-1],
        "without a loop",
    ),
    (check_all_at_once, lambda a, b: ..., "returns nothing yet"),
    (check_linear_backward, lambda a, h, g: (g * h[:-1], g), "the later steps are missing"),
    (
        check_linear_backward,
        lambda a, h, g: step_by_step(np.concatenate([a[:1], a[:-1]]), h, g),
        "not a_t",
    ),
    (
        check_linear_backward,
        lambda a, h, g: (step_by_step(a, h, g)[1] * h[1:], step_by_step(a, h, g)[1]),
        "h[:-1], not h[1:]",
    ),
    (check_linear_backward, forgetting_the_last, "db"),
    (check_linear_backward, lambda a, h, g: ..., "returns nothing yet"),
    (check_parity_pair, lambda bit: (1, bit), "adds the ones up"),
    (check_parity_pair, lambda bit: (0, bit), "keeps the last bit"),
    (check_parity_pair, lambda bit: ((-1) ** bit, 0), "from h = 0 nothing comes"),
    (check_parity_pair, lambda bit: (0.5, bit), "with bit = 0"),
    (check_parity_pair, lambda bit: ..., "returns nothing yet"),
]
