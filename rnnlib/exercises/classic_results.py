"""Checks for chapter 18 (Does it come out again)."""

import math

import torch

from rnnlib.data.tasks import EmbeddedReber
from rnnlib.exercises.exercise import exercise


def _wrong(error=lambda outputs, targets: (outputs - targets).abs(), count=torch.sum):
    """Return a count of wrong sequences; each keyword puts one mistake in."""
    return lambda outputs, targets, bound: count(error(outputs, targets) >= bound)


@exercise(
    "As the paper counts: by the absolute error.",
    result="the number of wrong sequences",
    cases=({"N": 40, "bound": 0.04}, {"N": 60, "bound": 0.3}, {"N": 25, "bound": 0.15}),
    right=_wrong(),
    mistakes={
        "these are the right sequences: count those that are off by the bound or more.": (
            lambda outputs, targets, bound: ((outputs - targets).abs() < bound).sum()
        ),
        "this squares the error: the criterion is on the absolute error.": _wrong(
            lambda outputs, targets: (outputs - targets).square()
        ),
        "an answer may be too small as well: take the absolute value of the error.": _wrong(
            lambda outputs, targets: outputs - targets
        ),
        "an answer may be too large as well: take the absolute value of the error.": _wrong(
            lambda outputs, targets: targets - outputs
        ),
        "this is the share of wrong sequences: their number is asked for.": _wrong(
            count=lambda wrong: wrong.double().mean()
        ),
        "this says of each sequence whether it is wrong: count them.": _wrong(
            count=lambda wrong: wrong
        ),
        "the bound is on the root of the error: the criterion is on the error itself.": _wrong(
            lambda outputs, targets: (outputs - targets).abs().sqrt()
        ),
        "the error is no share of the target: it is the difference.": _wrong(
            lambda outputs, targets: ((outputs - targets) / targets).abs()
        ),
    },
    hints=(
        "Read the criterion again: which error is below 0.04, and of what?",
        "Take the absolute difference of each output and its target, compare with the bound, and "
        "count those that are not below it.",
        "((outputs - targets).abs() >= bound).…",
    ),
)
def check_wrong_sequences(draw, N, bound):
    """Check ``wrong_sequences(outputs, targets, bound)``, a count by the paper's criterion.

    Parameters
    ----------
    wrong_sequences : callable
        Takes outputs and targets, (N,) each, and a bound; returns the number of sequences whose
        absolute error is not below it.

    Returns
    -------
    Verdict
    """
    targets = draw.uniform(N, low=0.1, high=0.9)
    return targets + draw.normal(N, scale=1.2 * bound), targets, bound


def _first_choice(scores, possible):
    return possible.gather(1, scores.argmax(dim=1, keepdim=True))[:, 0]


def _last_choice(scores, possible):
    return ~possible.gather(1, scores.argmin(dim=1, keepdim=True))[:, 0]


def _impossible_lead(scores, possible):
    return EmbeddedReber.leading(scores, ~possible)


def _top_two(scores, possible):
    return possible.gather(1, scores.topk(2, dim=1).indices).all(dim=1)


def _above_mean(scores, possible):
    least = scores.masked_fill(~possible, math.inf).amin(dim=1)
    return least > scores.mean(dim=1)


def _mass(scores, possible):
    return (scores.softmax(dim=1) * possible).sum(dim=1) > 0.5


@exercise(
    "Every possible symbol before every impossible one.",
    result="whether a step is right",
    cases=({"T": 30, "V": 4}, {"T": 40, "V": 5}, {"T": 35, "V": 6}),
    right=EmbeddedReber.leading,
    mistakes={
        "this looks at the largest score alone: where two symbols may follow, both must lead.": (
            _first_choice
        ),
        "this looks at the smallest score alone: no impossible symbol may be among the leaders.": (
            _last_choice
        ),
        "it is the other way round: the possible symbols must have the larger scores.": (
            _impossible_lead
        ),
        "this asks that the two largest be possible: at some steps only one symbol may follow.": (
            _top_two
        ),
        "the mean is no rival: each possible symbol must be above the largest impossible one.": (
            _above_mean
        ),
        "this compares how much falls to the possible symbols together: each of them must lead.": (
            _mass
        ),
        "this counts the right steps: say of each whether it is right.": (
            lambda scores, possible: EmbeddedReber.leading(scores, possible).sum()
        ),
        "this is one answer for the whole string: say it of each step.": (
            lambda scores, possible: EmbeddedReber.leading(scores, possible).all()
        ),
        "these are the wrong steps: say of each whether it is right.": (
            lambda scores, possible: ~EmbeddedReber.leading(scores, possible)
        ),
    },
    hints=(
        "Of the possible symbols, which one is hardest to satisfy? And which impossible one is the "
        "most dangerous?",
        "A step is right if the smallest score of a possible symbol is above the largest score of "
        "an impossible one.",
        "scores.masked_fill(~possible, math.inf).amin(dim=1) > scores.masked_fill(possible, "
        "…).amax(dim=1)",
    ),
)
def check_leading_symbols(draw, T, V):
    """Check ``leading(scores, possible)``, the criterion of the embedded Reber grammar.

    Parameters
    ----------
    leading : callable
        Takes scores (T, V) and bool (T, V), which symbols may follow, one or two at each step;
        returns bool (T,), whether every possible symbol has a larger score than every other.

    Returns
    -------
    Verdict
    """
    order = draw.normal(T, V).argsort(dim=1)
    possible = order < 1 + draw.integers(T, 1, high=2)
    return draw.normal(T, V) + 1.5 * possible, possible


def _floor(log=math.log, steps=lambda T, n: T + 2 * n, symbols=lambda K: K, times=lambda n: n):
    """Return the cost of guessing at the right time; each keyword puts one mistake in."""
    return lambda T, K, n: times(n) * log(symbols(K)) / steps(T, n)


@exercise(
    "What it costs to know when to speak, and nothing else.",
    result="the loss",
    cases=(
        {"T": 100, "K": 8, "n": 10},
        {"T": 37, "K": 5, "n": 3},
        {"T": 60, "K": 20, "n": 7},
        {"T": 11, "K": 3, "n": 6},
    ),
    right=_floor(),
    mistakes={
        "this is in bits: the cross-entropy is in nats, with the natural logarithm.": _floor(
            log=math.log2
        ),
        "this divides by the pause alone: the mean is over all T + 2 n steps.": _floor(
            steps=lambda T, n: T
        ),
        "the steps are T + 2 n: the symbols are shown, and asked for.": _floor(
            steps=lambda T, n: T + n
        ),
        "this is the sum over the sequence: the loss is the mean over its steps.": _floor(
            steps=lambda T, n: 1
        ),
        "this is the mean over the steps that ask for a symbol: all the others count as well.": (
            _floor(steps=lambda T, n: n)
        ),
        "one symbol only: n of them are to be guessed.": _floor(times=lambda n: 1),
        "blank and sign are never asked for then: K symbols are as likely.": _floor(
            symbols=lambda K: K + 2
        ),
        "the blank is not among the answers then: K symbols are as likely.": _floor(
            symbols=lambda K: K + 1
        ),
        "a guess among K has the cost ln K, not 1 - 1/K: that is how often it is wrong.": _floor(
            log=lambda K: 1 - 1 / K
        ),
    },
    hints=(
        "At how many of the T + 2 n steps is there anything to guess?",
        "At T + n steps a blank is asked for, which costs nothing. At n steps one of K symbols is, "
        "all as likely.",
        "n * math.log(K) / …",
    ),
)
def check_copying_floor(draw, T, K, n):
    """Check ``floor(T, K, n)``, the loss of copying without a memory.

    Parameters
    ----------
    floor : callable
        Takes the pause T, the number of symbols K and how many are shown, n, in a sequence of
        T + 2 n steps; returns the mean cross-entropy, in nats, of the best answer that knows when
        to speak and not what.

    Returns
    -------
    Verdict
    """
    return T, K, n


@exercise(
    "To each its own rate, and no seed picked out.",
    result="the figures to compare",
    cases=(
        {"variants": 4, "rates": 3, "seeds": 5},
        {"variants": 3, "rates": 5, "seeds": 4},
        {"variants": 5, "rates": 2, "seeds": 3},
    ),
    right=lambda bits: bits.mean(dim=2).amin(dim=1),
    mistakes={
        "this picks the best seed as well: average over the seeds before you choose.": (
            lambda bits: bits.amin(dim=(1, 2))
        ),
        "this averages over the rates: each variant is given its best.": (
            lambda bits: bits.mean(dim=(1, 2))
        ),
        "this chooses a rate for each seed: average over the seeds before you choose.": (
            lambda bits: bits.amin(dim=1).mean(dim=1)
        ),
        "this is each variant's worst rate: bits are a cost, less is better.": (
            lambda bits: bits.mean(dim=2).amax(dim=1)
        ),
        "this gives all the rate that is best on average: each variant has its own.": (
            lambda bits: bits.mean(dim=2)[:, bits.mean(dim=(0, 2)).argmin()]
        ),
        "this gives all the rate that suits the first: each variant has its own.": (
            lambda bits: bits.mean(dim=2)[:, bits[0].mean(dim=1).argmin()]
        ),
        "these are the rates' places: the mean bits at that rate are asked for.": (
            lambda bits: bits.mean(dim=2).argmin(dim=1)
        ),
        "this compares rates: one figure for each variant is asked for.": (
            lambda bits: bits.mean(dim=2).amin(dim=0)
        ),
        "this is each variant's worst seed at its best: take the mean of the seeds.": (
            lambda bits: bits.amax(dim=2).amin(dim=1)
        ),
        "the axes are variants, rates, seeds: the mean is over the last.": (
            lambda bits: bits.mean(dim=1).amin(dim=1)
        ),
    },
    hints=(
        "What may be chosen, and what is chance? The order of mean and minimum matters.",
        "First the mean over the seeds, (variants, rates). Then the least of each row.",
        "bits.mean(dim=2).…",
    ),
)
def check_tuned(draw, variants, rates, seeds):
    """Check ``tuned(bits)``, one fair figure for each variant.

    Parameters
    ----------
    tuned : callable
        Takes bits per character (variants, rates, seeds); returns for each variant the mean over
        the seeds at the rate where that mean is least, (variants,).

    Returns
    -------
    Verdict
    """
    return 2.5 + draw.normal(variants, rates, seeds, scale=0.3)
