"""Answers to the exercises of chapter 1: right ones, and wrong ones with their messages."""

import numpy as np

from rnnlib.exercises import (
    check_count_parameters,
    check_many_to_one,
    check_rnn_sequence,
    check_rnn_step,
)


def step(x_t, h, W_xh, W_hh, b_h):
    return np.tanh(x_t @ W_xh + h @ W_hh + b_h)


def sequence(x, h_0, *weights, step=step, carry=True):
    h, states = h_0, []
    for x_t in x:
        states.append(step(x_t, h, *weights))
        h = states[-1] if carry else h_0
    return np.stack(states)


def sequence_in_place(x, h_0, *weights):
    states = sequence(x, h_0, *weights)
    x *= 0
    return states


RIGHT = [
    (check_rnn_step, step),
    (check_rnn_sequence, sequence),
    (check_rnn_sequence, sequence_in_place),
    (check_many_to_one, lambda h, W_hy, b_y: h[-1] @ W_hy + b_y),
    (check_count_parameters, lambda D, H: H * (D + H + 2)),
]

WRONG = [
    (check_rnn_step, lambda x, h, W, U, b: ..., "returns nothing yet"),
    (check_rnn_step, lambda x, h: x, "does not take the arguments"),
    (check_rnn_step, lambda x, h, W, U, b: x @ U, "raises ValueError"),
    (check_rnn_step, lambda x, h, W, U, b: np.tanh(x @ W + b), "ignores h_prev"),
    (check_rnn_step, lambda x, h, W, U, b: np.tanh(h @ U + b), "ignores x_t"),
    (check_rnn_step, lambda x, h, W, U, b: np.tanh(x @ W + h @ U), "bias is missing"),
    (check_rnn_step, lambda x, h, W, U, b: np.tanh(x @ W + h @ U) + b, "inside the tanh"),
    (check_rnn_step, lambda x, h, W, U, b: x @ W + h @ U + b, "tanh is missing"),
    (check_rnn_step, lambda x, h, W, U, b: np.tanh(x @ W + h @ U.T + b), "W_hh is transposed"),
    (check_rnn_step, lambda x, h, W, U, b: np.tanh(x @ W - h @ U + b), "a sign is wrong"),
    (
        check_rnn_step,
        lambda x, h, W, U, b: step(x, h, W, U, b)[0],
        "has shape (3,); expected (2, 3)",
    ),
    (
        check_rnn_step,
        lambda x, h, W, U, b: 1.1 * step(x, h, W, U, b),
        "at [0, 0] h_t is -0.926; expected -0.842",
    ),
    (check_rnn_sequence, lambda *a: sequence(*a, carry=False), "every step starts from h_0"),
    (check_rnn_sequence, lambda *a: sequence(*a)[-1], "only the last state"),
    (check_rnn_sequence, lambda x, h, *w: sequence(x, 0 * h, *w), "zeros instead of h_0"),
    (check_rnn_sequence, lambda x, h, *w: sequence(x[::-1], h, *w), "read backwards"),
    (check_rnn_sequence, lambda *a: sequence(*a).transpose(1, 0, 2), "time must be the first"),
    (
        check_rnn_sequence,
        lambda x, h, *w: np.concatenate([h[None], sequence(x, h, *w)]),
        "h_0 is in the result",
    ),
    (
        check_rnn_sequence,
        lambda x, h, *w: np.concatenate([h[None], sequence(x, h, *w)[:-1]]),
        "the last step is missing",
    ),
    (check_many_to_one, lambda h, W, b: h @ W + b, "an answer for every step"),
    (check_many_to_one, lambda h, W, b: h[0] @ W + b, "you read the first state"),
    (check_many_to_one, lambda h, W, b: h[:, -1] @ W + b, "last sample of the batch"),
    (check_many_to_one, lambda h, W, b: h.mean(0) @ W + b, "average over time"),
    (check_many_to_one, lambda h, W, b: h[-1] @ W, "b_y is missing"),
    (check_many_to_one, lambda h, W, b: np.tanh(h[-1] @ W + b), "no tanh after"),
    (check_count_parameters, lambda D, H: H * (D + H + 1), "two biases"),
    (check_count_parameters, lambda D, H: H * (D + H), "biases are missing"),
    (check_count_parameters, lambda D, H: D * H + 3 * H, "W_hh has H rows"),
    (check_count_parameters, lambda D, H: H * H + 2 * H, "W_xh is missing"),
]
