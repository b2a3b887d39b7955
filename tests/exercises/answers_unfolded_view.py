"""Answers to the exercises of chapter 2: right ones, and wrong ones with their messages."""

import torch

from rnnlib.exercises import (
    check_last_states,
    check_shared_gradient,
    check_unfolded,
    check_untied_count,
)


def unfolded(x, h_0, W, U, b):
    if len(x) == 0:
        return h_0
    return torch.tanh(x[-1] @ W + unfolded(x[:-1], h_0, W, U, b) @ U + b)


def stops_at_one(x, h_0, W, U, b):
    if len(x) == 1:
        return h_0
    return torch.tanh(x[-1] @ W + stops_at_one(x[:-1], h_0, W, U, b) @ U + b)


def last_states(h, lengths):
    return h[lengths - 1, torch.arange(h.shape[1])]


RIGHT = [
    (check_unfolded, unfolded),
    (check_untied_count, lambda T, D, H: T * H * (D + H + 1)),
    (check_shared_gradient, lambda g: sum(g)),
    (check_last_states, last_states),
]

WRONG = [
    (check_unfolded, lambda x, *a: unfolded(x[:-1], *a), "one step is missing"),
    (check_unfolded, lambda x, *a: unfolded(x.flip(0), *a), "read backwards"),
    (check_unfolded, stops_at_one, "the first step is missing"),
    (check_unfolded, lambda x, h, *w: unfolded(x, 0 * h, *w), "zeros instead of h_0"),
    (check_unfolded, lambda x, *a: unfolded(x, *a)[0], "has shape (4,); expected (2, 4)"),
    (check_untied_count, lambda T, D, H: H * (D + H + 1), "this is one copy"),
    (check_untied_count, lambda T, D, H: T * H * (D + H), "biases are missing"),
    (check_untied_count, lambda T, D, H: T * H * (D + H) + H, "bias is copied as well"),
    (check_untied_count, lambda T, D, H: T * H * (D + H + 2), "one bias"),
    (check_shared_gradient, lambda g: g.mean(0), "this is the mean"),
    (check_shared_gradient, lambda g: g[-1], "last copy alone"),
    (check_shared_gradient, lambda g: torch.linalg.multi_dot(list(g)), "added, not multiplied"),
    (check_shared_gradient, lambda g: g.sum(), "sum over everything"),
    (check_last_states, lambda h, n: h[-1], "the last step for all"),
    (
        check_last_states,
        lambda h, n: last_states(h, (n - 1).clamp(min=1)),
        "at a length of 1 the first",
    ),
    (check_last_states, lambda h, n: h[n - 1], "takes whole steps"),
    (
        check_last_states,
        lambda h, n: h[n, torch.arange(h.shape[1])],
        "h[length] is the step after the last",
    ),
]
