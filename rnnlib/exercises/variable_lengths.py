"""Checks for chapter 13 (How do we batch sequences of different length)."""

import torch
import torch.nn.functional as F

from rnnlib.data.lengths import mask
from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.looks import without_names, without_selecting


def _counting(relation, first=1, more=0):
    """Count, for each step, the lengths that stand in this relation to it."""
    return lambda lengths: [
        int(relation(lengths, t).sum()) for t in range(first, int(lengths.max()) + 1 + more)
    ]


_sizes = _counting(torch.ge)


@exercise(
    "So many sequences are still running at each step.",
    result="the list",
    cases=(
        {"lengths": (3, 1, 5, 3, 2)},
        {"lengths": (2, 2, 2)},
        {"lengths": (1, 4, 2, 4, 1, 6, 4)},
        {"lengths": (7,)},
    ),
    right=_sizes,
    mistakes={
        "the steps begin with 1: range(T) begins with 0, where all sequences are running.": (
            _counting(torch.ge, first=0, more=-1)
        ),
        "one step late: a sequence of length 3 is still running at step 3.": _counting(torch.gt),
        "the steps begin with 1, and end with T: range(T + 1) begins with 0.": _counting(
            torch.ge, first=0
        ),
        "the last step is missing: the longest sequence has it.": _counting(torch.ge, more=-1),
        "this counts the sequences that end at each step, not those that run.": _counting(torch.eq),
        "these are the lengths, longest first: count by step, not by sequence.": (
            lambda lengths: lengths.sort(descending=True).values
        ),
        "these are the lengths themselves: count by step, not by sequence.": lambda lengths: (
            lengths
        ),
        "this runs from the last step to the first.": lambda lengths: _sizes(lengths)[::-1],
        "this is the number of sequences that have ended by each step.": _counting(torch.le),
        "this is the number of sequences that ended before each step.": _counting(torch.lt),
        "one step too many: nothing is left after the longest sequence.": _counting(
            torch.ge, more=1
        ),
        "these are sums from the first step on: how many rows each step adds is asked.": (
            lambda lengths: torch.tensor(_sizes(lengths)).cumsum(0)
        ),
        "every step is given all the sequences: the short ones have ended.": (
            lambda lengths: [len(lengths)] * int(lengths.max())
        ),
        "this is how often each length occurs, from 0 on: count those at least as long.": (
            lambda lengths: torch.bincount(lengths)
        ),
    },
    looks=(
        without_names(
            "pack_padded_sequence",
            "pack_sequence",
            "pack",
            message="the sizes are right, and the task asks for them without packing anything: "
            "compare the lengths with the steps 1 … T.",
        ),
    ),
    hints=(
        "Take step t. Which sequences still have it, by their lengths?",
        "A sequence of length n has the steps 1 to n: it runs at step t if n >= t. Count these for "
        "t = 1 … T, where T is the largest length.",
        "[int((lengths >= t).sum()) for t in range(1, …)]",
    ),
)
def check_batch_sizes(draw, lengths):
    """Check ``batch_sizes(lengths)``, the rows of each step in a packed sequence.

    Parameters
    ----------
    batch_sizes : callable
        Returns T numbers, as a tensor or list, from lengths (N,): for each step, how many
        sequences have it.

    Returns
    -------
    Verdict
    """
    return torch.tensor(lengths)


def _unsorted(answers, order):
    restored = torch.empty_like(answers)
    restored[order] = answers
    return restored


def _rank_placed(answers, order):
    return _unsorted(answers, order.argsort())


@exercise(
    "Every answer is back in the place of its question.",
    # No order is its own inverse, or undone by turning it round.
    cases=({"order": (2, 0, 1, 4, 3, 5), "K": 4}, {"order": (2, 0, 3, 4, 1), "K": 2}),
    right=_unsorted,
    mistakes={
        "the answers are as they came, still sorted.": lambda answers, order: answers,
        "this sorts a second time: row i is that of sequence order[i], not the reverse.": (
            lambda answers, order: answers[order]
        ),
        "the order is inverted by argsort from small to large.": (
            lambda answers, order: answers[order.argsort(descending=True)]
        ),
        "the order is undone from the wrong end: it was turned round.": (
            lambda answers, order: _unsorted(answers, order.flip(0))
        ),
        "this turns the rows round: only a special order is undone by that.": (
            lambda answers, order: answers.flip(0)
        ),
        "these are the places, not the answers in them.": lambda answers, order: order.argsort(),
        "the rows were sorted by their own numbers: what counts is order.": (
            lambda answers, order: answers[answers[:, 0].argsort()]
        ),
        "the sum of what came and what belongs there: begin with an empty tensor.": (
            lambda answers, order: answers + _unsorted(answers, order)
        ),
    },
    looks=(
        without_names(
            "argsort",
            message="the rows are right, and this time the task asks for them without argsort: "
            "write row i to the place order[i].",
        ),
    ),
    hints=(
        "Row i of the answers belongs to sequence order[i]. Which place does it have to go to?",
        "Make an empty tensor of the same shape. An index tensor may also stand on the left of =.",
        "restored[order] = answers",
    ),
)
def check_unsorted(draw, order, K):
    """Check ``unsorted(answers, order)``, which takes the sorting back.

    Parameters
    ----------
    unsorted : callable
        Takes answers (N, K), whose row i belongs to sequence ``order[i]``, and order (N,);
        returns them in the order of the sequences.

    Returns
    -------
    Verdict
    """
    return draw.normal(len(order), K), torch.tensor(order)


def _each(logits, z):
    return F.cross_entropy(logits.flatten(0, 1), z.flatten(), reduction="none").view(z.shape)


def _with_mask(reduce):
    """Return a loss that is told the loss of every step, and which steps are real."""
    return lambda logits, z, lengths: reduce(
        _each(logits, z), mask(lengths, z.size(1)).to(logits.dtype)
    )


def _reshaped(logits, z, lengths):
    N, T, K = logits.shape
    e = F.cross_entropy(logits.reshape(N, K, T), z, reduction="none")
    m = mask(lengths, T)
    return (m * e).sum() / m.sum()


def _one_early(logits, z, lengths):
    m = torch.arange(z.size(1)) < lengths[:, None] - 1
    return (m * _each(logits, z)).sum() / m.sum()


def _one_late(logits, z, lengths):
    m = torch.arange(z.size(1)) <= lengths[:, None]
    return (m * _each(logits, z)).sum() / m.sum()


def _masked_logits(logits, z, lengths):
    return _each(logits * mask(lengths, z.size(1))[..., None], z).mean()


@exercise(
    "The mean over the steps that were asked for, and no others.",
    result="the loss",
    cases=(
        {"lengths": (3, 1, 5, 2), "K": 3},
        {"lengths": (2, 4, 7), "K": 5},
        {"lengths": (6, 1, 2, 6, 3), "K": 4},
    ),
    right=_with_mask(lambda e, m: (e * m).sum() / m.sum()),
    mistakes={
        "this counts the padding as well.": _with_mask(lambda e, m: e.mean()),
        "the padding's losses are 0 here, but its steps still count in the mean.": _with_mask(
            lambda e, m: (e * m).mean()
        ),
        "the sum is over all steps, the padding's too: only the number is right.": _with_mask(
            lambda e, m: e.sum() / m.sum()
        ),
        "this is the mean of the sequences' means: a step of a short one weighs more.": _with_mask(
            lambda e, m: ((e * m).sum(1) / m.sum(1)).mean()
        ),
        "this is one loss for each sequence: take one mean over all real steps.": _with_mask(
            lambda e, m: (e * m).sum(1) / m.sum(1)
        ),
        "this is a sum: divide by the number of real steps.": _with_mask(
            lambda e, m: (e * m).sum()
        ),
        "divide by the number of real steps, not of sequences.": _with_mask(
            lambda e, m: (e * m).sum() / len(m)
        ),
        "divide by the number of real steps, not by T.": _with_mask(
            lambda e, m: (e * m).sum() / m.size(1)
        ),
        "class 0 is a class, and not only in the padding: the lengths say what is real.": (
            lambda logits, z, lengths: F.cross_entropy(logits.transpose(1, 2), z, ignore_index=0)
        ),
        "the logits were masked, but not the losses: padding then costs ln K a step.": (
            _masked_logits
        ),
        "reshaping (N, T, K) to (N, K, T) mixes steps with classes: transpose, or flatten.": (
            _reshaped
        ),
        "the mask ends one step early: a sequence of length n has n real steps.": _one_early,
        "the mask ends one step late: index n is the first step of the padding.": _one_late,
        "this is the loss of each step, 0 in the padding: add them up, and divide.": _with_mask(
            lambda e, m: e * m
        ),
        "this is one loss for each step: take the mean.": _with_mask(lambda e, m: e[m.bool()]),
        "the mask keeps the padding and drops the real steps.": _with_mask(
            lambda e, m: (e * (1 - m)).sum() / (1 - m).sum()
        ),
        "the padding is kept, and divided by the number of real steps: turn the mask round.": (
            _with_mask(lambda e, m: (e * (1 - m)).sum() / m.sum())
        ),
        "the sign is wrong: cross_entropy is minus a logarithm already.": _with_mask(
            lambda e, m: -(e * m).sum() / m.sum()
        ),
        "cross_entropy takes scores: it applies the softmax itself, and yours is applied before.": (
            lambda logits, z, lengths: _with_mask(lambda e, m: (e * m).sum() / m.sum())(
                logits.softmax(-1), z, lengths
            )
        ),
    },
    looks=(
        without_selecting(
            "the loss is right, and the task asks for it without selecting: multiply all losses "
            "by the mask, and divide their sum by the mask's."
        ),
    ),
    hints=(
        "How many numbers enter the mean? Not N T.",
        "cross_entropy with reduction='none' gives (N, T) losses; it wants the classes on axis 1. "
        "Multiply by the mask, add up, and divide by the number of real steps.",
        "(m * e).sum() / …",
    ),
)
def check_masked_loss(draw, lengths, K):
    """Check ``masked_loss(logits, z, lengths)``, the cross-entropy of the real steps.

    Parameters
    ----------
    masked_loss : callable
        Takes logits (N, T, K), targets z (N, T), which are 0 in the padding, and lengths (N,);
        returns the mean over all real steps.

    Returns
    -------
    Verdict
    """
    N, T = len(lengths), max(lengths)
    lengths = torch.tensor(lengths)
    z = draw.integers(N, T, high=K) * mask(lengths, T)
    z[0, 0] = 0  # a real step of class 0
    return draw.normal(N, T, K, scale=2.0), z, lengths


def _reversed(x, lengths, by=0):
    """Turn round, with the source `by` columns off; what lies outside is 0."""
    result = torch.zeros_like(x)
    for i, n in enumerate(lengths.tolist()):
        for t in range(x.size(1)):
            if 0 <= n - 1 - t + by < n:
                result[i, t] = x[i, n - 1 - t + by]
    return result


def _front_padded(x, lengths):
    """Move each row's steps to its end, in their order."""
    return torch.stack(
        [row.roll(len(row) - n, 0) for row, n in zip(x, lengths.tolist(), strict=True)]
    )


def _in_place(x, lengths):
    x.copy_(_reversed(x, lengths))
    return x


@exercise(
    "Each sequence is turned round within its own length.",
    cases=(
        {"lengths": (3, 1, 4), "D": 2},
        {"lengths": (2, 5, 3, 1), "D": 3},
        {"lengths": (4, 6, 1, 5, 3), "D": 7},
    ),
    right=_reversed,
    untouched={0: "x itself was changed: turn a copy round."},
    mistakes={
        "x is as it was.": lambda x, lengths: x.clone(),
        "the padding comes first now: flip turns all T steps round.": lambda x, lengths: x.flip(1),
        "this turns the batch round, not time.": lambda x, lengths: x.flip(0),
        "this turns the features round, not time.": lambda x, lengths: x.flip(2),
        "one step off: the first step of the result must be the last real one.": (
            lambda x, lengths: _reversed(x, lengths, 1)
        ),
        "one step too far: the last real step is missing at the beginning.": (
            lambda x, lengths: _reversed(x, lengths, -1)
        ),
        "the steps were moved behind the padding, and not turned round.": _front_padded,
        "every row is turned round within the first one's length: each has its own.": (
            lambda x, lengths: _reversed(x, torch.full_like(lengths, int(lengths[0])))
        ),
        "the rows are turned round by one another's lengths: row i has lengths[i].": (
            lambda x, lengths: _reversed(x, lengths.flip(0))
        ),
        "the padding was cut off with the steps: the shape (N, T, D) stays.": (
            lambda x, lengths: _reversed(x, lengths)[:, : int(lengths.min())]
        ),
    },
    hints=(
        "What stands in column 0 of the result, for a row of length n? And in column 1?",
        "Column t takes its step from column n - 1 - t, as long as t < n; behind that the padding "
        "stays. One loop over the rows, with a flip of x[i, :n], does it.",
        "result[i, :n] = x[i, :n].flip(0), in a result that began with zeros",
    ),
)
def check_reversed(draw, lengths, D):
    """Check ``reversed_in_length(x, lengths)``, for a reader that begins at the real end.

    Parameters
    ----------
    reversed_in_length : callable
        Takes a padded batch x (N, T, D) and lengths (N,); returns (N, T, D) with the real steps
        of each row in reverse order, and the padding, 0, still behind them.

    Returns
    -------
    Verdict
    """
    N, T = len(lengths), max(lengths)
    lengths = torch.tensor(lengths)
    return draw.normal(N, T, D) * mask(lengths, T)[..., None], lengths
