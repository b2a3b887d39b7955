"""Answers to the exercises of chapter 16: right ones, and wrong ones with their messages."""

import itertools

import torch

from rnnlib.exercises.ctc import (
    check_alpha_step,
    check_collapse,
    check_ctc_gradient,
    check_least_steps,
)
from rnnlib.models.ctc import collapse, least_steps


def by_loop(path, blank):
    answer, before = [], None
    for symbol in path:
        if symbol not in (before, blank):
            answer.append(symbol)
        before = symbol
    return answer


def by_unique(path, blank):
    merged = torch.unique_consecutive(torch.tensor(path))
    return merged[merged != blank]


def blanks_first(path, blank):
    kept = [symbol for symbol in path if symbol != blank]
    return torch.unique_consecutive(torch.tensor(kept))


def by_rnnlib(target):
    return least_steps(torch.tensor([target]), torch.tensor([len(target)]))[0]


def alpha_by_loop(alpha, y, states):
    after = torch.zeros_like(alpha)
    for s in range(len(alpha)):
        arriving = alpha[s].clone()
        if s >= 1:
            arriving += alpha[s - 1]
        if s >= 2 and states[s] != states[s - 2]:
            arriving += alpha[s - 2]
        after[s] = y[states[s]] * arriving
    return after


def no_leap(alpha, y, states):
    arriving = alpha.clone()
    arriving[1:] += alpha[:-1]
    return arriving * y[states]


def always_leap(alpha, y, states):
    arriving = alpha.clone()
    arriving[1:] += alpha[:-1]
    arriving[2:] += alpha[:-2]
    return arriving * y[states]


def repeats(target):
    return sum(a == b for a, b in itertools.pairwise(target))


def changed_while_read(alpha, y, states):
    after = alpha.clone()
    for s, k in enumerate(states.tolist()):
        arriving = after[s].clone()
        if s > 0:
            arriving += after[s - 1]
        if s > 1 and k != states[s - 2]:
            arriving += after[s - 2]
        after[s] = y[k] * arriving
    return after


def negative_index(alpha, y, states):
    after = torch.zeros_like(alpha)
    for s, k in enumerate(states.tolist()):
        after[s] = y[k] * (alpha[s] + alpha[s - 1])
        if s > 1 and k != states[s - 2]:
            after[s] += y[k] * alpha[s - 2]
    return after


def the_best_way(alpha, y, states):
    after = torch.zeros_like(alpha)
    for s, k in enumerate(states.tolist()):
        ways = [alpha[s]] + [alpha[s - 1]] * (s > 0)
        ways += [alpha[s - 2]] * (s > 1 and k != states[s - 2].item())
        after[s] = y[k] * max(ways)
    return after


def in_place(alpha, y, states):
    alpha *= y[states]
    return alpha_by_loop(alpha, y, states)


def gradient_by_loop(y, occupancy, states):
    gradient = y.clone()
    for s, k in enumerate(states.tolist()):
        gradient[:, k] -= occupancy[:, s]
    return gradient


def gradient_by_one_hot(y, occupancy, states):
    return y - occupancy @ torch.nn.functional.one_hot(states, y.size(1)).to(y)


def the_last_wins(y, occupancy, states):
    gradient = y.clone()
    for s, k in enumerate(states.tolist()):
        gradient[:, k] = y[:, k] - occupancy[:, s]
    return gradient


RIGHT = [
    (check_collapse, by_loop),
    (check_collapse, by_unique),
    (check_collapse, collapse),
    (
        check_least_steps,
        lambda target: sum(a == b for a, b in itertools.pairwise(target)) + len(target),
    ),
    (check_least_steps, by_rnnlib),
    (check_alpha_step, alpha_by_loop),
    (check_ctc_gradient, gradient_by_loop),
    (check_ctc_gradient, gradient_by_one_hot),
]

WRONG = [
    (check_collapse, blanks_first, "dropped too early"),
    (check_collapse, lambda path, blank: [s for s in path if s != blank], "counts once"),
    (check_collapse, lambda path, blank: by_loop(path, 0), "need not be 0"),
    (check_collapse, lambda path, blank: by_loop(path, blank)[1:], "first symbol is missing"),
    (check_collapse, lambda path, blank: ..., "returns nothing yet"),
    (check_least_steps, lambda target: len(target), "need a blank between them"),
    (check_least_steps, lambda target: 2 * len(target) + 1, "the number of states"),
    (check_least_steps, lambda target: 2 * len(target) - len(set(target)), "only neighbours"),
    (check_least_steps, lambda target: len(target) + 1 + repeats(target), "not with a blank"),
    (check_least_steps, lambda target: len(list(itertools.groupby(target))), "have been merged"),
    (check_least_steps, lambda target: ..., "returns nothing yet"),
    (check_alpha_step, no_leap, "over the blank between"),
    (check_alpha_step, always_leap, "lands in no blank"),
    (check_alpha_step, in_place, "alpha itself was changed"),
    (check_alpha_step, lambda alpha, y, states: alpha, "alpha as it was"),
    (check_alpha_step, changed_while_read, "while it is read"),
    (check_alpha_step, negative_index, "index -1 is the last"),
    (check_alpha_step, the_best_way, "paths are added up"),
    (check_alpha_step, lambda alpha, y, states: ..., "returns nothing yet"),
    (check_ctc_gradient, the_last_wins, "the last must not win"),
    (check_ctc_gradient, lambda y, occupancy, states: y, "this is y"),
    (check_ctc_gradient, lambda y, o, states: -gradient_by_loop(y, o, states), "sign is turned"),
    (check_ctc_gradient, lambda y, occupancy, states: ..., "returns nothing yet"),
]
