"""Checks for chapter 5, on reading a sequence from both ends."""

import numpy as np
import torch
from torch import nn

from rnnlib.cells import RNNCell
from rnnlib.exercises.exercise import exercise
from rnnlib.layers import unroll


def _run(cell, x, state=None):
    return unroll(cell, x, state)[0]


def _back(cell, x):
    return _run(cell, x.flip(0)).flip(0)


def _join(*parts):
    return torch.cat(parts, dim=-1)


def _aligned(x, f, b):
    return _join(_run(f, x), _back(b, x))


def _batch_first(layer):
    """Make a layer for (T, N, D) one for (N, T, D)."""
    return lambda x, f, b: layer(x.transpose(0, 1), f, b).transpose(0, 1)


def _dealt(x):
    """Give x the shape (T, N, D) without moving a number."""
    return x.reshape(x.size(1), x.size(0), x.size(2))


def _wrong_way_in(x, f, b):
    return _join(_run(f, x), _run(b, x.flip(1)))


ALONG_BATCH = (
    "this reads along the batch: unroll takes the first axis for time, so bring time there."
)
DEALT = (
    "reshape deals the numbers out in their old order, and steps mix the samples: exchange the "
    "axes with transpose."
)


@exercise(
    "Both readers, aligned: row t holds what each of them knows at step t.",
    result="the output",
    cases=(
        {"N": 2, "T": 3, "D": 5, "H": 4},
        {"N": 5, "T": 4, "D": 3, "H": 7},
        {"N": 3, "T": 7, "D": 2, "H": 5},
    ),
    right=_batch_first(_aligned),
    mistakes={
        "the backward outputs are not flipped back: the first of them belongs to step T.": (
            _batch_first(lambda x, f, b: _join(_run(f, x), _run(b, x.flip(0))))
        ),
        "the input of the backward cell is not flipped: both read from left to right.": (
            _batch_first(lambda x, f, b: _join(_run(f, x), _run(b, x)))
        ),
        "the outputs are flipped, the input is not: the backward cell must read x_T first.": (
            _batch_first(lambda x, f, b: _join(_run(f, x), _run(b, x).flip(0)))
        ),
        "you flip the batch in place of time on the way in.": _batch_first(
            lambda x, f, b: _join(_run(f, x), _run(b, x.flip(1)).flip(0))
        ),
        "you flip the batch in place of time.": _batch_first(_wrong_way_in),
        "you flip the features in place of time.": _batch_first(
            lambda x, f, b: _join(_run(f, x), _run(b, x.flip(2)))
        ),
        "you flip the backward outputs along the batch: flip them along time.": _batch_first(
            lambda x, f, b: _join(_run(f, x), _run(b, x.flip(0)).flip(1))
        ),
        "you flip the backward outputs along the units: flip them along time.": _batch_first(
            lambda x, f, b: _join(_run(f, x), _run(b, x.flip(0)).flip(2))
        ),
        "everything is flipped at the end: the forward half is in order already.": _batch_first(
            lambda x, f, b: _join(_run(f, x), _run(b, x.flip(0))).flip(0)
        ),
        "the halves are swapped: the forward reader comes first.": _batch_first(
            lambda x, f, b: _join(_back(b, x), _run(f, x))
        ),
        "the two cells have changed places: the first one reads forwards.": _batch_first(
            lambda x, f, b: _aligned(x, b, f)
        ),
        "the two are added: join them side by side, 2H numbers a step.": _batch_first(
            lambda x, f, b: _run(f, x) + _back(b, x)
        ),
        "the two are joined along time: join the units, the last axis.": _batch_first(
            lambda x, f, b: torch.cat([_run(f, x), _back(b, x)])
        ),
        "the two are joined along the batch: join the units, the last axis.": _batch_first(
            lambda x, f, b: torch.cat([_run(f, x), _back(b, x)], dim=1)
        ),
        "only the backward half came back.": _batch_first(lambda x, f, b: _back(b, x)),
        "only the forward half came back.": _batch_first(lambda x, f, b: _run(f, x)),
        "the backward reader starts from the forward one's last state: start it from zeros.": (
            _batch_first(
                lambda x, f, b: _join(_run(f, x), _run(b, x.flip(0), unroll(f, x)[1]).flip(0))
            )
        ),
        "one cell serves both directions: the backward reader has weights of its own.": (
            _batch_first(lambda x, f, b: _aligned(x, f, f))
        ),
        ALONG_BATCH: _aligned,
        f"{ALONG_BATCH} Flip the outputs back, too.": (
            lambda x, f, b: _join(_run(f, x), _run(b, x.flip(0)))
        ),
        "time is flipped, but both cells walk along the batch: unroll takes the first axis for "
        "time, so bring time there.": (
            lambda x, f, b: _join(_run(f, x), _run(b, x.flip(1)).flip(1))
        ),
        "the output is time first, (T, N, 2H): exchange the axes once more.": (
            lambda x, f, b: _aligned(x.transpose(0, 1), f, b)
        ),
        "the output is time first, (T, N, 2H), and the backward half is not flipped back.": (
            lambda x, f, b: _join(_run(f, x.transpose(0, 1)), _run(b, x.transpose(0, 1).flip(0)))
        ),
        DEALT: lambda x, f, b: _dealt(_aligned(_dealt(x), f, b)),
        f"{DEALT} That holds on the way in, too.": (
            lambda x, f, b: _aligned(_dealt(x), f, b).transpose(0, 1)
        ),
        f"{DEALT} The way in is right.": (
            lambda x, f, b: _dealt(_aligned(x.transpose(0, 1), f, b))
        ),
    },
    hints=(
        "unroll takes the first axis for time. Which axis is time in x? And in what order do the "
        "backward cell's outputs come?",
        "Bring time first. The backward cell reads x flipped along time, and its outputs are "
        "flipped back before they are joined; then bring the batch first again.",
        "backward = unroll(backward_cell, x.flip(0))[0].flip(0), with time first",
    ),
)
def check_two_readers(draw, N, T, D, H):
    """Check ``two_readers(x, forward_cell, backward_cell)``, a batch-first bidirectional layer.

    Parameters
    ----------
    two_readers : callable
        Returns the output, (N, T, 2H), from x (N, T, D) and two cells.

    Returns
    -------
    Verdict
    """
    return draw.normal(N, T, D), draw.weights(RNNCell(D, H)), draw.weights(RNNCell(D, H))


@exercise(
    "Everything but the letter itself.",
    result="the matrix",
    cases=({"T": 4}, {"T": 5}, {"T": 7}),
    right=lambda T: 1 - np.eye(T),
    mistakes={
        "this is the ordinary bidirectional layer: here neither reader reaches x_t.": (
            lambda T: np.ones((T, T))
        ),
        "this is the complement: true means that the output sees the input.": np.eye,
        "nothing is seen here: the readers are there on both sides.": lambda T: np.zeros((T, T)),
        "this is the forward reader alone: the other has read x_T … x_{t+1}.": (
            lambda T: np.tri(T, k=-1)
        ),
        "this is a forward reader at step t: the backward reader is missing, and x_t is not to be "
        "seen.": np.tri,
        "this is the backward reader alone: the other has read x_1 … x_{t-1}.": (
            lambda T: np.tri(T, k=-1).T
        ),
        "this is a backward reader at step t: the forward reader is missing, and x_t is not to be "
        "seen.": lambda T: np.tri(T).T,
        "these are the two neighbours only: a state has read everything before them too.": (
            lambda T: np.eye(T, k=1) + np.eye(T, k=-1)
        ),
        "the neighbours are missing: h_{t-1} has read x_{t-1}, and x_{t+1} was read from the other "
        "side.": lambda T: 1 - np.eye(T) - np.eye(T, k=1) - np.eye(T, k=-1),
        "the hole is on the other diagonal: row t must not see column t.": (
            lambda T: 1 - np.eye(T)[::-1]
        ),
    },
    hints=(
        "Take row t. Which inputs has the forward reader read at step t - 1?",
        "The forward state at t - 1 has read x_1 … x_{t-1}, the backward state at t + 1 has read "
        "x_T … x_{t+1}. What is left out?",
        "1 - torch.eye(…)",
    ),
)
def check_gap_matrix(draw, T):
    """Check ``gap_matrix(T)``: what a network for a hidden letter may see at each step.

    Parameters
    ----------
    gap_matrix : callable
        Returns (T, T), true or 1 in row t and column s where y_t, read from the forward state at
        t - 1 and the backward state at t + 1, depends on x_s.

    Returns
    -------
    Verdict
    """
    return T


def _shifted(states, by):
    """Move states by one step, with zeros where nothing comes in."""
    zeros = torch.zeros_like(states[:1])
    return torch.cat([zeros, states[:-1]] if by > 0 else [states[1:], zeros])


def _gap(x, f, b):
    return _join(_shifted(_run(f, x), 1), _shifted(_back(b, x), -1))


@exercise(
    "Every step is told by its neighbours on both sides, and never by itself.",
    cases=(
        {"T": 3, "N": 2, "D": 5, "H": 4},
        {"T": 5, "N": 4, "D": 3, "H": 7},
        {"T": 4, "N": 3, "D": 2, "H": 5},
    ),
    right=_gap,
    mistakes={
        "nothing is shifted: every output sees its own input.": _aligned,
        "the forward half is not shifted: at step t it has read x_t.": (
            lambda x, f, b: _join(_run(f, x), _shifted(_back(b, x), -1))
        ),
        "the backward half is not shifted: at step t it has read x_t.": (
            lambda x, f, b: _join(_shifted(_run(f, x), 1), _back(b, x))
        ),
        "both halves are shifted the wrong way: this is step t + 1 of the forward reader and t - 1 "
        "of the backward one.": (
            lambda x, f, b: _join(_shifted(_run(f, x), -1), _shifted(_back(b, x), 1))
        ),
        "both halves are shifted to the right: the backward one goes to the left.": (
            lambda x, f, b: _shifted(_aligned(x, f, b), 1)
        ),
        "both halves are shifted to the left: the forward one goes to the right.": (
            lambda x, f, b: _shifted(_aligned(x, f, b), -1)
        ),
        "roll brings the far end round: step 1 then holds the state after x_T, which has read x_1. "
        "Put zeros there.": (lambda x, f, b: _join(_run(f, x).roll(1, 0), _back(b, x).roll(-1, 0))),
        "the backward outputs are not flipped back before the shift.": (
            lambda x, f, b: _join(_shifted(_run(f, x), 1), _shifted(_run(b, x.flip(0)), -1))
        ),
        "the backward outputs are not flipped back: row t is then about step T + 1 - t.": (
            lambda x, f, b: _join(_shifted(_run(f, x), 1), _shifted(_run(b, x.flip(0)), 1))
        ),
        "the backward cell reads x forwards: flip its input, and its outputs back.": (
            lambda x, f, b: _join(_shifted(_run(f, x), 1), _shifted(_run(b, x), -1))
        ),
        "the halves are swapped: the forward reader comes first.": (
            lambda x, f, b: _join(_shifted(_back(b, x), -1), _shifted(_run(f, x), 1))
        ),
        "the two cells have changed places: the first one reads forwards.": (
            lambda x, f, b: _gap(x, b, f)
        ),
        "the first and the last step are missing: put zeros where there is no neighbour.": (
            lambda x, f, b: _join(_run(f, x)[:-2], _back(b, x)[2:])
        ),
        "the two are added: join them side by side, 2H numbers a step.": (
            lambda x, f, b: _shifted(_run(f, x), 1) + _shifted(_back(b, x), -1)
        ),
    },
    hints=(
        "Compute both halves in their usual alignment first. In which direction must each move?",
        "The forward half moves one step later, the backward half one step earlier. A step of "
        "zeros comes in at the free end, and one falls off at the other.",
        "before = torch.cat([nothing, forward[:-1]]), with nothing of shape (1, N, H)",
    ),
)
def check_gap_outputs(draw, T, N, D, H):
    """Check ``gap_outputs(x, forward_cell, backward_cell)``, outputs that do not see their input.

    Parameters
    ----------
    gap_outputs : callable
        Returns (T, N, 2H): at step t the forward state at t - 1 and the backward state at t + 1,
        zeros where there is none.

    Returns
    -------
    Verdict
    """
    return draw.normal(T, N, D), draw.weights(RNNCell(D, H)), draw.weights(RNNCell(D, H))


@exercise(
    "Each row holds a whole sequence, read once from either end.",
    result="the summary",
    cases=(
        {"layers": 2, "N": 3, "H": 2},
        {"layers": 1, "N": 2, "H": 5},
        {"layers": 3, "N": 5, "H": 4},
    ),
    right=lambda h_n: torch.cat([h_n[-2], h_n[-1]], dim=-1),
    mistakes={
        "this is the backward reader alone: join the forward one's row.": lambda h_n: h_n[-1],
        "this is the forward reader alone: join the backward one's row.": lambda h_n: h_n[-2],
        "the two rows are stacked, (2, N, H): join their units.": lambda h_n: h_n[-2:],
        "the two rows are joined along the batch: join their units, the last axis.": (
            lambda h_n: torch.cat([h_n[-2], h_n[-1]])
        ),
        "reshape deals the numbers out in their old order, and rows mix the sequences: join the "
        "units with torch.cat.": lambda h_n: h_n[-2:].reshape(h_n.size(1), -1),
        "the halves are swapped: the forward reader comes first.": (
            lambda h_n: _join(h_n[-1], h_n[-2])
        ),
        "the units of the two alternate: the forward reader's H come first, then the other's.": (
            lambda h_n: torch.stack([h_n[-2], h_n[-1]], dim=-1).flatten(1)
        ),
        "the two are added: join them side by side.": lambda h_n: h_n[-2] + h_n[-1],
        "the two are averaged: join them side by side.": lambda h_n: (h_n[-2] + h_n[-1]) / 2,
        "this is the bottom layer: the top one's rows are h_n[-2] and h_n[-1].": (
            lambda h_n: _join(h_n[0], h_n[1])
        ),
        "this joins one direction of two layers: the rows of h_n are (layer 1 forward, layer 1 "
        "backward, layer 2 forward, …).": lambda h_n: _join(h_n[len(h_n) // 2 - 1], h_n[-1]),
        "this joins the forward readers of the layers: the rows of h_n are (layer 1 forward, layer "
        "1 backward, layer 2 forward, …).": lambda h_n: _join(*h_n[::2]),
        "this joins the backward readers of the layers: the rows of h_n are (layer 1 forward, "
        "layer 1 backward, layer 2 forward, …).": lambda h_n: _join(*h_n[1::2]),
        "this joins the first row and the last: the top layer's rows are h_n[-2] and h_n[-1].": (
            lambda h_n: _join(h_n[0], h_n[-1])
        ),
        "h_n[2] and h_n[3] are the top layer only if there are two: count from the end.": (
            lambda h_n: _join(*h_n[min(2, len(h_n) - 2) :][:2])
        ),
        "these are all layers: the top one alone is asked for.": lambda h_n: _join(*h_n),
    },
    hints=(
        "h_n has two rows for each layer. In which order, and which two are the top layer's?",
        "The order is layer 1 forward, layer 1 backward, layer 2 forward, … Join the last two "
        "along the units.",
        "torch.cat([h_n[-2], …], dim=-1)",
    ),
)
def check_two_way_summary(draw, layers, N, H):
    """Check ``two_way_summary(h_n)``, one row for each sequence from a bidirectional layer.

    Parameters
    ----------
    two_way_summary : callable
        Returns (N, 2H), the top layer's last state forwards and backwards, from h_n (2L, N, H).

    Returns
    -------
    Verdict
    """
    layer = draw.weights(nn.RNN(3, H, num_layers=layers, bidirectional=True))
    with torch.no_grad():
        return layer(draw.normal(4, N, 3))[1]


def _cell(d, h, biases=2):
    return d * h + h * h + biases * h


def _count(D, H, L, biases=2):
    return 2 * _cell(D, H, biases) + (L - 1) * 2 * _cell(2 * H, H, biases)


@exercise(
    "That is what PyTorch counts as well.",
    result="the count",
    cases=({"D": 7, "H": 3, "L": 2}, {"D": 4, "H": 5, "L": 1}, {"D": 2, "H": 6, "L": 3}),
    right=_count,
    mistakes={
        "this has one direction: every layer has two cells.": (
            lambda D, H, L: _cell(D, H) + (L - 1) * _cell(H, H)
        ),
        "from layer 2 on, a cell reads both directions of the layer below: 2H features.": (
            lambda D, H, L: 2 * _cell(D, H) + (L - 1) * 2 * _cell(H, H)
        ),
        "each cell keeps two biases of H numbers: you count one.": (
            lambda D, H, L: _count(D, H, L, biases=1)
        ),
        "the biases are missing.": lambda D, H, L: _count(D, H, L, biases=0),
        "the layers differ: only the first reads D features.": (
            lambda D, H, L: L * 2 * _cell(D, H)
        ),
        "the layers differ: the first reads D features, not 2H.": (
            lambda D, H, L: L * 2 * _cell(2 * H, H)
        ),
        "two directions of H units are not one network of 2H: neither reads the other, so each "
        "recurrent matrix is (H, H).": (
            lambda D, H, L: _cell(D, 2 * H) + (L - 1) * _cell(2 * H, 2 * H)
        ),
        "from layer 2 on there are two cells as well.": (
            lambda D, H, L: 2 * _cell(D, H) + (L - 1) * _cell(2 * H, H)
        ),
        "the first layer has two cells as well.": (
            lambda D, H, L: _cell(D, H) + (L - 1) * 2 * _cell(2 * H, H)
        ),
        "one layer too many: after the first there are L - 1.": (
            lambda D, H, L: 2 * _cell(D, H) + L * 2 * _cell(2 * H, H)
        ),
        "only the first layer is counted.": lambda D, H, L: 2 * _cell(D, H),
        "one layer beyond the first is counted, whatever L is.": (
            lambda D, H, L: 2 * _cell(D, H) + 2 * _cell(2 * H, H)
        ),
    },
    hints=(
        "Count one cell first. Then ask what a cell of the second layer reads.",
        "A cell that reads d features has d H + H² + 2H parameters, and each layer has two. The "
        "first reads D features; every other reads both directions of the one below.",
        "2 * cell(D) + (L - 1) * 2 * cell(…)",
    ),
)
def check_count_two_way(draw, D, H, L):
    """Check ``count_two_way(D, H, L)``, the parameters of a bidirectional ``nn.RNN``.

    Parameters
    ----------
    count_two_way : callable
        Returns an int for ``nn.RNN(D, H, num_layers=L, bidirectional=True)``.

    Returns
    -------
    Verdict
    """
    return D, H, L
