"""Answers to the exercises of chapter 5: right ones, and wrong ones with their messages."""

import numpy as np
import torch

from rnnlib.exercises import (
    check_count_two_way,
    check_gap_matrix,
    check_gap_outputs,
    check_two_readers,
    check_two_way_summary,
)
from rnnlib.layers import unroll


def run(cell, x, state=None):
    return unroll(cell, x, state)[0]


def join(*parts):
    return torch.cat(parts, dim=-1)


def back(cell, x):
    return run(cell, x.flip(0)).flip(0)


def two_readers(x, f, b):
    return join(run(f, x), back(b, x))


def batch_first(layer):
    """Make a layer for (T, N, D) one for (N, T, D)."""
    return lambda x, f, b: layer(x.transpose(0, 1), f, b).transpose(0, 1)


def dealt(x):
    """Exchange the lengths of the first two axes without moving a number."""
    return x.reshape(x.shape[1], x.shape[0], -1)


def two_readers_by_index(x, f, b):
    steps = x.shape[1]
    outputs, h = [None] * steps, None
    for t in reversed(range(steps)):
        outputs[t] = h = b(x[:, t], h)
    forward = run(f, x.transpose(0, 1)).transpose(0, 1)
    return join(forward, torch.stack(outputs, dim=1))


def shifted(states, by):
    """Move states by one step, with zeros where nothing comes in."""
    zeros = torch.zeros_like(states[:1])
    return torch.cat([zeros, states[:-1]] if by > 0 else [states[1:], zeros])


def gap(x, f, b):
    return join(shifted(run(f, x), 1), shifted(back(b, x), -1))


def cell_count(d, h):
    return d * h + h * h + 2 * h


def count(D, H, L):
    return 2 * cell_count(D, H) + (L - 1) * 2 * cell_count(2 * H, H)


RIGHT = [
    (check_two_readers, batch_first(two_readers)),
    (check_two_readers, two_readers_by_index),
    (check_gap_matrix, lambda T: 1 - np.eye(T)),
    (check_gap_matrix, lambda T: ~torch.eye(T, dtype=torch.bool)),
    (check_gap_matrix, lambda T: [[s != t for s in range(T)] for t in range(T)]),
    (check_gap_outputs, gap),
    (check_two_way_summary, lambda h_n: join(h_n[-2], h_n[-1])),
    (check_two_way_summary, lambda h_n: h_n[-2:].transpose(0, 1).flatten(1)),
    (check_count_two_way, count),
]

WRONG = [
    (check_two_readers, lambda x, f, b: ..., "returns nothing yet"),
    (check_two_readers, lambda x, f: x, "does not take the arguments"),
    (check_two_readers, lambda x, f, b: f(x), "raises ValueError"),
    (check_two_readers, two_readers, "this reads along the batch"),
    (
        check_two_readers,
        lambda x, f, b: join(run(f, x), run(b, x.flip(0))),
        "Flip the outputs back, too",
    ),
    (
        check_two_readers,
        lambda x, f, b: join(run(f, x), run(b, x.flip(1)).flip(1)),
        "walk along the batch",
    ),
    (
        check_two_readers,
        lambda x, f, b: two_readers(x.transpose(0, 1), f, b),
        "exchange the axes once more",
    ),
    (
        check_two_readers,
        lambda x, f, b: join(run(f, x.transpose(0, 1)), run(b, x.transpose(0, 1).flip(0))),
        "and the backward half is not flipped back",
    ),
    (
        check_two_readers,
        lambda x, f, b: dealt(two_readers(dealt(x), f, b)),
        "exchange the axes with transpose.",
    ),
    (
        check_two_readers,
        lambda x, f, b: two_readers(dealt(x), f, b).transpose(0, 1),
        "on the way in, too",
    ),
    (
        check_two_readers,
        lambda x, f, b: dealt(two_readers(x.transpose(0, 1), f, b)),
        "The way in is right",
    ),
    *(
        (check_two_readers, batch_first(layer), message)
        for layer, message in [
            (lambda x, f, b: join(run(f, x), run(b, x.flip(0))), "the first of them belongs"),
            (lambda x, f, b: join(run(f, x), run(b, x)), "both read from left to right"),
            (lambda x, f, b: join(run(f, x), run(b, x).flip(0)), "the input is not"),
            (
                # The batch is turned and turned back: nothing happened.
                lambda x, f, b: join(run(f, x), run(b, x.flip(1)).flip(1)),
                "both read from left to right",
            ),
            (
                lambda x, f, b: join(run(f, x), run(b, x.flip(1)).flip(0)),
                "in place of time on the way in",
            ),
            (lambda x, f, b: join(run(f, x), run(b, x.flip(1))), "the batch in place of time."),
            (lambda x, f, b: join(run(f, x), run(b, x.flip(0)).flip(1)), "along the batch: flip"),
            (lambda x, f, b: join(run(f, x), run(b, x.flip(0)).flip(-1)), "along the units: flip"),
            (lambda x, f, b: join(run(f, x), run(b, x.flip(0))).flip(0), "in order already"),
            (lambda x, f, b: join(back(b, x), run(f, x)), "halves are swapped"),
            (lambda x, f, b: run(f, x) + back(b, x), "are added"),
            (lambda x, f, b: torch.cat([run(f, x), back(b, x)]), "along time"),
            (lambda x, f, b: torch.cat([run(f, x), back(b, x)], dim=1), "joined along the batch"),
            (lambda x, f, b: back(b, x), "only the backward half"),
            (lambda x, f, b: run(f, x), "only the forward half"),
            (
                lambda x, f, b: join(run(f, x), run(b, x.flip(0), run(f, x)[-1]).flip(0)),
                "start it from zeros",
            ),
            (lambda x, f, b: two_readers(x, f, f), "weights of its own"),
            (lambda x, f, b: two_readers(x, f, b)[:-1], "has shape (2, 2, 8); expected (2, 3, 8)"),
            (lambda x, f, b: two_readers(x, f, b) * 1.1, "at [0, 0, 0] the output is 0.656; exp"),
        ]
    ),
    (check_gap_matrix, lambda T: ..., "returns nothing yet"),
    (check_gap_matrix, lambda T: np.ones((T, T)), "neither reader reaches x_t"),
    (check_gap_matrix, np.eye, "the complement"),
    (check_gap_matrix, lambda T: np.tri(T, k=-1), "this is the forward reader alone"),
    (check_gap_matrix, np.tri, "a forward reader at step t"),
    (check_gap_matrix, lambda T: np.tri(T, k=-1).T, "this is the backward reader alone"),
    (check_gap_matrix, lambda T: np.tri(T).T, "a backward reader at step t"),
    (check_gap_matrix, lambda T: np.eye(T, k=1) + np.eye(T, k=-1), "two neighbours only"),
    (check_gap_matrix, lambda T: 1 - np.eye(5), "has shape (5, 5); expected (4, 4) (with T = 4)"),
    (check_gap_outputs, lambda x, f, b: ..., "returns nothing yet"),
    (check_gap_outputs, two_readers, "nothing is shifted"),
    (
        check_gap_outputs,
        lambda x, f, b: join(run(f, x), shifted(back(b, x), -1)),
        "the forward half is not shifted",
    ),
    (
        check_gap_outputs,
        lambda x, f, b: join(shifted(run(f, x), 1), back(b, x)),
        "the backward half is not shifted",
    ),
    (
        check_gap_outputs,
        lambda x, f, b: join(shifted(run(f, x), -1), shifted(back(b, x), 1)),
        "shifted the wrong way",
    ),
    (check_gap_outputs, lambda x, f, b: shifted(two_readers(x, f, b), 1), "shifted to the right"),
    (
        check_gap_outputs,
        lambda x, f, b: join(run(f, x).roll(1, 0), back(b, x).roll(-1, 0)),
        "brings the far end round",
    ),
    (
        check_gap_outputs,
        lambda x, f, b: join(shifted(run(f, x), 1), shifted(run(b, x.flip(0)), -1)),
        "flipped back before the shift",
    ),
    (
        check_gap_outputs,
        lambda x, f, b: join(shifted(run(f, x), 1), shifted(run(b, x.flip(0)), 1)),
        "not flipped back: row t is then",
    ),
    (
        check_gap_outputs,
        lambda x, f, b: join(shifted(back(b, x), -1), shifted(run(f, x), 1)),
        "halves are swapped",
    ),
    (
        check_gap_outputs,
        lambda x, f, b: join(run(f, x)[:-2], back(b, x)[2:]),
        "first and the last step are missing",
    ),
    (check_two_way_summary, lambda h_n: ..., "returns nothing yet"),
    (check_two_way_summary, lambda h_n: h_n[-1], "the backward reader alone"),
    (check_two_way_summary, lambda h_n: h_n[-2], "the forward reader alone"),
    (check_two_way_summary, lambda h_n: h_n[-2:], "are stacked"),
    (check_two_way_summary, lambda h_n: h_n[-2:].flatten(0, 1), "joined along the batch"),
    (check_two_way_summary, lambda h_n: h_n[-2:].reshape(h_n.shape[1], -1), "mix the sequences"),
    (check_two_way_summary, lambda h_n: join(h_n[-1], h_n[-2]), "halves are swapped"),
    (check_two_way_summary, lambda h_n: h_n[-1] + h_n[-2], "are added"),
    (check_two_way_summary, lambda h_n: h_n[-2:].mean(0), "are averaged"),
    (check_two_way_summary, lambda h_n: join(h_n[0], h_n[1]), "this is the bottom"),
    (check_two_way_summary, lambda h_n: join(h_n[0], h_n[-1]), "the first row and the last"),
    (
        check_two_way_summary,
        lambda h_n: join(h_n[len(h_n) // 2 - 1], h_n[-1]),
        "one direction of two layers",
    ),
    (
        check_two_way_summary,
        lambda h_n: join(*h_n[::2]),
        "the forward readers of the layers",
    ),
    (check_two_way_summary, lambda h_n: join(*h_n), "these are all layers"),
    (check_count_two_way, lambda D, H, L: ..., "returns nothing yet"),
    (
        check_count_two_way,
        lambda D, H, L: cell_count(D, H) + (L - 1) * cell_count(H, H),
        "one direction",
    ),
    (
        check_count_two_way,
        lambda D, H, L: 2 * (cell_count(D, H) + (L - 1) * cell_count(H, H)),
        "reads both directions of the layer below",
    ),
    (check_count_two_way, lambda D, H, L: count(D, H, L) - 2 * L * H, "you count one"),
    (check_count_two_way, lambda D, H, L: count(D, H, L) - 4 * L * H, "biases are missing"),
    (check_count_two_way, lambda D, H, L: 2 * L * cell_count(D, H), "only the first reads D"),
    (
        check_count_two_way,
        lambda D, H, L: cell_count(D, 2 * H) + (L - 1) * cell_count(2 * H, 2 * H),
        "neither reads the other",
    ),
    (
        check_count_two_way,
        lambda D, H, L: 2 * cell_count(D, H) + (L - 1) * cell_count(2 * H, H),
        "two cells as well",
    ),
]
