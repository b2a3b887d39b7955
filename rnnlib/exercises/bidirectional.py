"""Checks for chapter 5, on reading a sequence from both ends."""

import numpy as np
import torch
from torch import Tensor

from rnnlib.cells import RNNCell
from rnnlib.exercises.verdict import attempt, compare, verdict
from rnnlib.layers import RNN, unroll

# All different, so that no two axes can be taken for each other.
N, T, D, H = 3, 5, 4, 6


def _readers() -> tuple[Tensor, RNNCell, RNNCell]:
    return torch.randn(T, N, D), RNNCell(D, H), RNNCell(D, H)


def _join(forward: Tensor, backward: Tensor) -> Tensor:
    return torch.cat([forward, backward], dim=-1)


@verdict("Both readers, aligned: row t holds what each of them knows at step t.")
def check_two_readers(two_readers) -> None:
    """Check ``two_readers(x, forward_cell, backward_cell)``, a batch-first bidirectional layer.

    Parameters
    ----------
    two_readers : callable
        Returns the output, (N, T, 2H), from x (N, T, D) and two cells.

    Returns
    -------
    Verdict
    """
    time_first, forward_cell, backward_cell = _readers()
    x = time_first.transpose(0, 1).contiguous()
    got = attempt(two_readers, x, forward_cell, backward_cell)
    with torch.no_grad():
        forward, h_T = unroll(forward_cell, time_first)
        flipped, _ = unroll(backward_cell, time_first.flip(0))
        backward = flipped.flip(0)
        unturned, _ = unroll(backward_cell, time_first)
        other_samples, _ = unroll(backward_cell, time_first.flip(1))
        continued, _ = unroll(backward_cell, time_first.flip(0), h_T)
        shared, _ = unroll(forward_cell, time_first.flip(0))
        # The batch taken for time: (N, T, H).
        along, _ = unroll(forward_cell, x)
        along_back, _ = unroll(backward_cell, x.flip(0))
        along_time_flipped, _ = unroll(backward_cell, x.flip(1))
        dealt = x.reshape(T, N, D)
        dealt_forward, _ = unroll(forward_cell, dealt)
        dealt_back, _ = unroll(backward_cell, dealt.flip(0))
    dealt_output = _join(dealt_forward, dealt_back.flip(0))
    along_batch = (
        "this reads along the batch: unroll takes the first axis for time, so bring time there."
    )
    dealing = (
        "reshape deals the numbers out in their old order, and steps mix the samples: exchange the "
        "axes with transpose."
    )
    # Each of these is time first, and is brought to (N, T, …) below.
    mistakes = {
        "the backward outputs are not flipped back: the first of them belongs to step T.": (
            _join(forward, flipped)
        ),
        "the input of the backward cell is not flipped: both read from left to right.": (
            _join(forward, unturned)
        ),
        "the outputs are flipped, the input is not: the backward cell must read x_T first.": (
            _join(forward, unturned.flip(0))
        ),
        "you flip the batch in place of time on the way in.": _join(forward, other_samples.flip(0)),
        "you flip the batch in place of time.": _join(forward, other_samples),
        "you flip the backward outputs along the batch: flip them along time.": (
            _join(forward, flipped.flip(1))
        ),
        "you flip the backward outputs along the units: flip them along time.": (
            _join(forward, flipped.flip(2))
        ),
        "everything is flipped at the end: the forward half is in order already.": (
            _join(forward, flipped).flip(0)
        ),
        "the halves are swapped: the forward reader comes first.": _join(backward, forward),
        "the two are added: join them side by side, 2H numbers a step.": forward + backward,
        "the two are joined along time: join the units, the last axis.": torch.cat(
            [forward, backward]
        ),
        "the two are joined along the batch: join the units, the last axis.": torch.cat(
            [forward, backward], dim=1
        ),
        "only the backward half came back.": backward,
        "only the forward half came back.": forward,
        "the backward reader starts from the forward one's last state: start it from zeros.": (
            _join(forward, continued.flip(0))
        ),
        "one cell serves both directions: the backward reader has weights of its own.": (
            _join(forward, shared.flip(0))
        ),
    }
    mistakes = {message: value.transpose(0, 1) for message, value in mistakes.items()}
    mistakes |= {
        along_batch: _join(along, along_back.flip(0)),
        f"{along_batch} Flip the outputs back, too.": _join(along, along_back),
        "time is flipped, but both cells walk along the batch: unroll takes the first axis for "
        "time, so bring time there.": _join(along, along_time_flipped.flip(1)),
        "the output is time first, (T, N, 2H): exchange the axes once more.": (
            _join(forward, backward)
        ),
        "the output is time first, (T, N, 2H), and the backward half is not flipped back.": (
            _join(forward, flipped)
        ),
        dealing: dealt_output.reshape(N, T, 2 * H),
        f"{dealing} That holds on the way in, too.": dealt_output.transpose(0, 1),
        f"{dealing} The way in is right.": _join(forward, backward).reshape(N, T, 2 * H),
    }
    compare("output", got, _join(forward, backward).transpose(0, 1), mistakes, tolerance=1e-5)


@verdict("Everything but the letter itself.")
def check_gap_matrix(gap_matrix) -> None:
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
    for steps in (4, 5):
        ones = np.ones((steps, steps))
        itself = np.eye(steps)
        compare(
            f"the matrix for T = {steps}",
            attempt(gap_matrix, steps),
            ones - itself,
            {
                "this is the ordinary bidirectional layer: here neither reader reaches x_t.": ones,
                "this is the complement: true means that the output sees the input.": itself,
                "this is the forward reader alone: the other has read x_T … x_{t+1}.": (
                    np.tril(ones, -1)
                ),
                "this is a forward reader at step t: the backward reader is missing, and x_t is "
                "not to be seen.": np.tril(ones),
                "this is the backward reader alone: the other has read x_1 … x_{t-1}.": (
                    np.triu(ones, 1)
                ),
                "this is a backward reader at step t: the forward reader is missing, and x_t is "
                "not to be seen.": np.triu(ones),
                "these are the two neighbours only: a state has read everything before them too.": (
                    np.eye(steps, k=1) + np.eye(steps, k=-1)
                ),
            },
        )


@verdict("Every step is told by its neighbours on both sides, and never by itself.")
def check_gap_outputs(gap_outputs) -> None:
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
    x, forward_cell, backward_cell = _readers()
    got = attempt(gap_outputs, x, forward_cell, backward_cell)
    with torch.no_grad():
        forward, _ = unroll(forward_cell, x)
        flipped, _ = unroll(backward_cell, x.flip(0))
    backward = flipped.flip(0)
    nothing = torch.zeros(1, N, H)
    before = torch.cat([nothing, forward[:-1]])
    after = torch.cat([backward[1:], nothing])
    compare(
        "the result",
        got,
        _join(before, after),
        {
            "nothing is shifted: every output sees its own input.": _join(forward, backward),
            "the forward half is not shifted: at step t it has read x_t.": _join(forward, after),
            "the backward half is not shifted: at step t it has read x_t.": _join(before, backward),
            "both halves are shifted the wrong way: this is step t + 1 of the forward reader and "
            "t - 1 of the backward one.": _join(
                torch.cat([forward[1:], nothing]), torch.cat([nothing, backward[:-1]])
            ),
            "both halves are shifted to the right: the backward one goes to the left.": _join(
                before, torch.cat([nothing, backward[:-1]])
            ),
            "roll brings the far end round: step 1 then holds the state after x_T, which has read "
            "x_1. Put zeros there.": _join(forward.roll(1, 0), backward.roll(-1, 0)),
            "the backward outputs are not flipped back before the shift.": _join(
                before, torch.cat([flipped[1:], nothing])
            ),
            "the backward outputs are not flipped back: shifted or not, row t is about step "
            "T + 1 - t.": _join(before, torch.cat([nothing, flipped[:-1]])),
            "the halves are swapped: the forward reader comes first.": _join(after, before),
            "the first and the last step are missing: put zeros where there is no neighbour.": (
                _join(forward[:-2], backward[2:])
            ),
        },
        tolerance=1e-5,
    )


@verdict("Each row holds a whole sequence, read once from either end.")
def check_two_way_summary(two_way_summary) -> None:
    """Check ``two_way_summary(h_n)``, one row for each sequence from a bidirectional layer.

    Parameters
    ----------
    two_way_summary : callable
        Returns (N, 2H), the top layer's last state forwards and backwards, from h_n (2L, N, H).

    Returns
    -------
    Verdict
    """
    for layers in (1, 2):
        layer = RNN(D, H, num_layers=layers, bidirectional=True)
        with torch.no_grad():
            _, h_n = layer(torch.randn(T, N, D))
        top = h_n[-2:]
        where = f"with {layers} layer{'s' * (layers > 1)}: "
        mistakes = {
            "this is the backward reader alone: join the forward one's row.": top[1],
            "this is the forward reader alone: join the backward one's row.": top[0],
            "the two rows are stacked, (2, N, H): join their units.": top,
            "the two rows are joined along the batch: join their units, the last axis.": (
                torch.cat([*top])
            ),
            "reshape deals the numbers out in their old order, and rows mix the sequences: "
            "join the units with torch.cat.": top.reshape(N, 2 * H),
            "the halves are swapped: the forward reader comes first.": _join(top[1], top[0]),
            "the two are added: join them side by side.": top.sum(0),
            "the two are averaged: join them side by side.": top.mean(0),
        }
        if layers > 1:
            mistakes |= {
                "this is the bottom layer: the top one's rows are h_n[-2] and h_n[-1].": (
                    _join(h_n[0], h_n[1])
                ),
                "this joins one direction of two layers: the rows of h_n are (layer 1 forward, "
                "layer 1 backward, layer 2 forward, …).": _join(h_n[1], h_n[3]),
                "this joins the forward readers of two layers: the rows of h_n are (layer 1 "
                "forward, layer 1 backward, layer 2 forward, …).": _join(h_n[0], h_n[2]),
                "this joins the first row and the last: the top layer's rows are h_n[-2] and "
                "h_n[-1].": _join(h_n[0], h_n[-1]),
                "these are all layers: the top one alone is asked for.": torch.cat([*h_n], -1),
            }
        compare(
            f"{where}the summary",
            attempt(two_way_summary, h_n),
            _join(*top),
            {where + message: value for message, value in mistakes.items()},
            tolerance=1e-5,
        )


@verdict("That is what PyTorch counts as well.")
def check_count_two_way(count_two_way) -> None:
    """Check ``count_two_way(D, H, L)``, the parameters of a bidirectional ``nn.RNN``.

    Parameters
    ----------
    count_two_way : callable
        Returns an int for ``nn.RNN(D, H, num_layers=L, bidirectional=True)``.

    Returns
    -------
    Verdict
    """

    def cell(d: int, h: int) -> int:
        return d * h + h * h + 2 * h

    for d, h, layers in ((4, 5, 1), (7, 3, 2), (2, 6, 3)):
        right = 2 * cell(d, h) + (layers - 1) * 2 * cell(2 * h, h)
        one_bias = right - 2 * layers * h
        compare(
            f"the count for D = {d}, H = {h}, L = {layers}",
            attempt(count_two_way, d, h, layers),
            right,
            {
                "this has one direction: every layer has two cells.": (
                    cell(d, h) + (layers - 1) * cell(h, h)
                ),
                "from layer 2 on, a cell reads both directions of the layer below: 2H features.": (
                    2 * cell(d, h) + (layers - 1) * 2 * cell(h, h)
                ),
                "each cell keeps two biases of H numbers: you count one.": one_bias,
                "the biases are missing.": one_bias - 2 * layers * h,
                "the layers differ: only the first reads D features.": layers * 2 * cell(d, h),
                "two directions of H units are not one network of 2H: neither reads the other, so "
                "each recurrent matrix is (H, H).": (
                    cell(d, 2 * h) + (layers - 1) * cell(2 * h, 2 * h)
                ),
                "from layer 2 on there are two cells as well.": (
                    2 * cell(d, h) + (layers - 1) * cell(2 * h, h)
                ),
            },
        )
