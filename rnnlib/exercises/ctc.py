"""Checks for chapter 16 (What if nobody says where)."""

import itertools

import torch

from rnnlib.exercises.exercise import exercise


def _merged(path):
    return [symbol for symbol, _ in itertools.groupby(path)]


def _without(path, blank):
    return [symbol for symbol in path if symbol != blank]


def _changes(path, blank):
    """Write a symbol where it differs from the last one written."""
    written = []
    for symbol in path:
        if symbol != blank and written[-1:] != [symbol]:
            written.append(symbol)
    return written


def _pairs_merged(path, blank):
    """Merge each symbol with the next, once."""
    merged = []
    for symbol in path:
        if merged and merged[-1] == symbol:
            merged[-1] = None
        else:
            merged.append(symbol)
    return [s for s in merged if s not in (None, blank)]


@exercise(
    "First merged, then without blanks.",
    result="the answer",
    cases=(
        {"path": (0, 2, 2, 0, 2, 1), "blank": 0},
        {"path": (3, 3, 3, 1, 0, 1, 1, 3, 3), "blank": 1},
        {"path": (4, 0, 0, 4, 4, 2, 0, 0, 4), "blank": 4},
    ),
    right=lambda path, blank: _without(_merged(path), blank),
    mistakes={
        "the blanks are dropped too early: they keep equal symbols apart while you merge.": (
            lambda path, blank: _merged(_without(path, blank))
        ),
        "a symbol said over several steps counts once: merge the repetitions.": _without,
        "the blanks are still there: they mean no symbol.": lambda path, blank: _merged(path),
        "the blank is an argument: it need not be 0.": (
            lambda path, blank: _without(_merged(path), 0)
        ),
        "these are the different symbols: one may come again later.": (
            lambda path, blank: list(dict.fromkeys(_without(path, blank)))
        ),
        "the different symbols, sorted: their order is the answer's.": (
            lambda path, blank: sorted({*path} - {blank})
        ),
        "the first symbol is missing.": lambda path, blank: _without(_merged(path), blank)[1:],
        "the last symbol is missing.": lambda path, blank: _without(_merged(path), blank)[:-1],
        "this runs from the last step to the first.": (
            lambda path, blank: _without(_merged(path), blank)[::-1]
        ),
        "a run of equal symbols leaves one of them, whether it is even or odd.": _pairs_merged,
        "nothing has been merged or dropped.": lambda path, blank: list(path),
    },
    hints=(
        "Which of the two comes first: merging, or dropping the blanks?",
        "Keep a symbol if it differs from the one at the step before, blank or not; of what is "
        "kept, drop the blanks.",
        "[s for s, before in zip(path, [None, *path]) if …]",
    ),
)
def check_collapse(draw, path, blank):
    """Check ``collapse(path, blank)``, which reads a path.

    Parameters
    ----------
    collapse : callable
        Takes a list of T classes, one a step, and the blank; returns the symbols it reads as.

    Returns
    -------
    Verdict
    """
    return list(path), blank


def _neighbours(target):
    return sum(a == b for a, b in itertools.pairwise(target))


@exercise(
    "One step for each symbol, and one for the blank between equal neighbours.",
    result="the number of steps",
    cases=(
        {"target": (4, 4, 4, 1, 4, 4)},
        {"target": (2, 5, 2, 7, 3)},
        {"target": (6, 6, 3, 3, 9, 8, 6, 6)},
        {"target": (2, 5, 2, 5, 3)},
    ),
    right=lambda target: len(target) + _neighbours(target),
    mistakes={
        "equal neighbours need a blank between them, else they are merged.": len,
        "a blank is needed only between equal neighbours.": lambda target: 2 * len(target) - 1,
        "this is the number of states, 2 L + 1: a path may leave blanks out.": (
            lambda target: 2 * len(target) + 1
        ),
        "only neighbours count: equal symbols further apart are not merged.": (
            lambda target: 2 * len(target) - len({*target})
        ),
        "these are the blanks alone: each symbol needs a step, too.": _neighbours,
        "equal neighbours have been merged: each needs a step, and a blank between.": (
            lambda target: len(target) - _neighbours(target)
        ),
        "the shortest path begins and ends with a symbol, not with a blank.": (
            lambda target: len(target) + _neighbours(target) + 1
        ),
        "equal neighbours need the blank, not unequal ones.": (
            lambda target: 2 * len(target) - 1 - _neighbours(target)
        ),
        "this counts the different symbols: each occurrence needs a step.": (
            lambda target: len({*target})
        ),
        "one blank for each pair of equal neighbours: two would be one too many.": (
            lambda target: len(target) + 2 * _neighbours(target)
        ),
        "the last and the first symbol are no neighbours.": (
            lambda target: len(target) + _neighbours((*target, *target[:1]))
        ),
    },
    hints=(
        "Write down the shortest path that reads as 4 4 1.",
        "Count the symbols, and add one for each symbol that equals the one before it.",
        "len(target) + sum(a == b for a, b in zip(target, …))",
    ),
)
def check_least_steps(draw, target):
    """Check ``least_steps(target)``, the steps of the shortest path that reads as the target.

    Parameters
    ----------
    least_steps : callable
        Takes a list of symbols, none of them the blank; returns a number.

    Returns
    -------
    Verdict
    """
    return (list(target),)


def _moved(alpha, by):
    return torch.cat([alpha.new_zeros(by), alpha])[: len(alpha)]


def _arriving(leaps, *, stay=1.0, step=1.0, leap=1.0):
    """Return a step of the recursion in which `leaps` says where two states may be jumped."""

    def answer(alpha, y, states):
        allowed = leaps(states).to(alpha.dtype)
        arriving = stay * alpha + step * _moved(alpha, 1) + leap * allowed * _moved(alpha, 2)
        return arriving * y[states]

    return answer


def _differ(states):
    before = torch.cat([states.new_full((2,), -1), states])[: len(states)]
    return (states != 0) & (states != before)


def _rolled(alpha, y, states):
    arriving = alpha + alpha.roll(1) + _differ(states) * alpha.roll(2)
    return arriving * y[states]


def _in_order(alpha, y, states):
    """Change one state after the other, so that each sees what the one before has become."""
    after, leaps = alpha.clone(), _differ(states)
    for s in range(len(alpha)):
        arriving = after[s]
        if s >= 1:
            arriving = arriving + after[s - 1]
        if s >= 2 and leaps[s]:
            arriving = arriving + after[s - 2]
        after[s] = arriving * y[states[s]]
    return after


def _from_the_end(alpha, y, states):
    """Let the first state be reached from index -1, which is the last."""
    after = _step(alpha, y, states)
    after[0] += alpha[-1] * y[states[0]]
    return after


def _largest(alpha, y, states):
    ways = alpha, _moved(alpha, 1), _differ(states) * _moved(alpha, 2)
    return torch.stack(ways).amax(dim=0) * y[states]


def _backward(alpha, y, states):
    leaps = _differ(states)
    leave = torch.cat([(leaps * alpha)[2:], alpha.new_zeros(2)])
    return (alpha + torch.cat([alpha[1:], alpha.new_zeros(1)]) + leave) * y[states]


def _late(alpha, y, states):
    spread = alpha * y[states]
    return spread + _moved(spread, 1) + _differ(states) * _moved(spread, 2)


_step = _arriving(_differ)


@exercise(
    "Stay, step, or leap over a blank, and then the symbol's probability.",
    result="the next alpha",
    cases=(
        {"target": (1, 2, 2), "K": 4},
        {"target": (3, 3, 1, 3), "K": 5},
        {"target": (2,), "K": 3},
    ),
    right=_step,
    untouched={0: "alpha itself was changed: it is that of the step before."},
    mistakes={
        "a symbol can also be reached from the symbol before, over the blank between.": _arriving(
            lambda states: torch.zeros_like(states)
        ),
        "between equal symbols the blank may not be left out.": _arriving(
            lambda states: states != 0
        ),
        "a path leaps over blanks, never over a symbol: it lands in no blank.": _arriving(
            lambda states: torch.ones_like(states)
        ),
        "a path may also stay in its state.": _arriving(_differ, stay=0.0),
        "a path may also come from the state before.": _arriving(_differ, step=0.0),
        "this is the sum of what arrives: multiply by the probability of each state's class.": (
            lambda alpha, y, states: _step(alpha, torch.ones_like(y), states)
        ),
        "nothing leads from the last state to the first: roll moves in a circle.": _rolled,
        "index -1 is the last state: nothing comes before the first.": _from_the_end,
        "alpha is changed while it is read: a state takes in what the one before has become.": (
            _in_order
        ),
        "this is the largest of what arrives: paths are added up.": _largest,
        "paths move from the first state to the last; this goes the other way.": _backward,
        "the probability is that of the state a path arrives in, not that it leaves.": _late,
        "these are shares: alpha need not add up to 1.": (
            lambda alpha, y, states: _step(alpha, y, states) / _step(alpha, y, states).sum()
        ),
        "these are logarithms: alpha is asked for itself.": (
            lambda alpha, y, states: _step(alpha, y, states).log()
        ),
        "this is alpha as it was.": lambda alpha, y, states: alpha.clone(),
        "this is the probability of each state's class alone.": lambda alpha, y, states: y[states],
    },
    hints=(
        "From which states can a path come to state s: itself, the one before, and which other?",
        "Add alpha, alpha moved on by one, and alpha moved on by two where states[s] is no blank "
        "and differs from states[s - 2]. Multiply by y[states].",
        "arriving[2:] += torch.where(states[2:] != states[:-2], alpha[:-2], 0)",
    ),
)
def check_alpha_step(draw, target, K):
    """Check ``alpha_step(alpha, y, states)``, one step of the forward recursion.

    Parameters
    ----------
    alpha_step : callable
        Takes alpha (S,) of the step before, probabilities y (K,) of the classes at this step, and
        states (S,), int64, the class of each state, 0 being the blank; returns alpha (S,).

    Returns
    -------
    Verdict
    """
    states = torch.zeros(2 * len(target) + 1, dtype=torch.int64)
    states[1::2] = torch.tensor(target)
    alpha = draw.uniform(len(states), low=0.1, high=0.9)
    return alpha, draw.normal(K).softmax(dim=0), states


def _by_class(y, occupancy, states):
    return torch.zeros_like(y).index_add_(1, states, occupancy)


def _assigned(y, occupancy, states):
    by_class = torch.zeros_like(y)
    by_class[:, states] = occupancy
    return y - by_class


def _symbols_only(y, occupancy, states):
    symbols = states != 0
    return y - _by_class(y, occupancy[:, symbols], states[symbols])


@exercise(
    "What the model says, less what the target's paths say.",
    result="the gradient",
    cases=(
        {"target": (1, 2), "T": 3, "K": 4},
        {"target": (2, 1, 2), "T": 4, "K": 3},
        {"target": (3, 3), "T": 5, "K": 6},
    ),
    right=lambda y, occupancy, states: y - _by_class(y, occupancy, states),
    untouched={
        0: "y itself was changed: leave it as it is.",
        1: "occupancy itself was changed: leave it as it is.",
    },
    mistakes={
        "a class can be that of several states: add their occupancies, the last must not win.": (
            _assigned
        ),
        "the sign is turned: the logit of a class that is too rare must grow.": (
            lambda y, occupancy, states: _by_class(y, occupancy, states) - y
        ),
        "this is minus the occupancy: the softmax's own part, y, is missing.": (
            lambda y, occupancy, states: -_by_class(y, occupancy, states)
        ),
        "this is the occupancy of each class: the gradient is y less that.": _by_class,
        "this is y: take off the occupancy of each class.": (
            lambda y, occupancy, states: y.clone()
        ),
        "the blank's occupancy is missing: it is a class like the others.": _symbols_only,
        "the two are added: the gradient is their difference.": (
            lambda y, occupancy, states: y + _by_class(y, occupancy, states)
        ),
        "this is a mean over the steps: the loss is a sum over paths of the whole.": (
            lambda y, occupancy, states: (y - _by_class(y, occupancy, states)) / len(y)
        ),
        "these are ratios: the gradient is a difference.": (
            lambda y, occupancy, states: _by_class(y, occupancy, states) / y
        ),
        "this is the gradient of each step's sum: keep the T steps apart.": (
            lambda y, occupancy, states: (y - _by_class(y, occupancy, states)).sum(dim=0)
        ),
    },
    hints=(
        "The gradient has a row for each step and a column for each class. What do the states of "
        "one class have in common?",
        "Add up the occupancies of all states of a class, at each step; index_add_ along "
        "dimension 1 does it. The gradient is y less that.",
        "torch.zeros_like(y).index_add_(1, states, …)",
    ),
)
def check_ctc_gradient(draw, target, T, K):
    """Check ``ctc_gradient(y, occupancy, states)``, the gradient with respect to the logits.

    Parameters
    ----------
    ctc_gradient : callable
        Takes probabilities y (T, K), the occupancy (T, S) of each state given the target, and
        states (S,), int64, the class of each; returns (T, K).

    Returns
    -------
    Verdict
    """
    states = torch.zeros(2 * len(target) + 1, dtype=torch.int64)
    states[1::2] = torch.tensor(target)
    occupancy = draw.normal(T, len(states)).softmax(dim=1)
    return draw.normal(T, K).softmax(dim=1), occupancy, states
