"""Checks for chapter 12 (Can it write)."""

import functools
import math
from pathlib import Path

import torch

from rnnlib.data.text import load_text
from rnnlib.data.vocabulary import Vocabulary
from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.numbers import as_numbers
from rnnlib.exercises.verdict import WrongAnswer
from rnnlib.models.ngrams import NGram


@exercise(
    "Bits per character.",
    result="the number",
    cases=({"T": 4}, {"T": 7}, {"T": 12}),
    right=lambda p: -p.log2().mean(),
    mistakes={
        "this is in nats: a bit is log 2 of them.": lambda p: -p.log().mean(),
        "the sign: a probability below 1 has a negative logarithm, and costs something.": (
            lambda p: p.log2().mean()
        ),
        "the sign, and the unit: this is in nats, and a cost is positive.": lambda p: (
            p.log().mean()
        ),
        "this is the whole text: divide by the number of characters.": lambda p: -p.log2().sum(),
        "this is the whole text, in nats.": lambda p: -p.log().sum(),
        "this is the perplexity, 2 to the bits.": lambda p: 2 ** -p.log2().mean(),
        "the mean comes after the logarithm: this is the cost of the mean probability.": (
            lambda p: -p.mean().log2()
        ),
        "this is in decimal digits: the logarithm has base 2.": lambda p: -p.log10().mean(),
        "multiply by 1 / log 2, not by log 2, to come from nats to bits.": (
            lambda p: -p.log().mean() * math.log(2)
        ),
        "this is an entropy, each cost weighted by p: what came has come, and counts once.": (
            lambda p: -(p * p.log2()).sum()
        ),
        "this weights each cost by p: what came has come, and counts once.": (
            lambda p: -(p * p.log2()).mean()
        ),
        "this is the median: the mean is asked for.": lambda p: (-p.log2()).median(),
        "the first character counts too: p holds what was given to the symbol that came.": (
            lambda p: -p[1:].log2().mean()
        ),
        "the last character counts too.": lambda p: -p[:-1].log2().mean(),
        "expected one number: take the mean of the costs.": lambda p: -p.log2(),
        "this is the mean probability: the costs are logarithms.": lambda p: p.mean(),
    },
    hints=(
        "What does one character cost, if the model gave it the probability p?",
        "It costs -log2 p. Bits per character are the mean of the costs.",
        "-p.log2()…",
    ),
)
def check_bits(draw, T):
    """Check ``bits(p)``, what a text costs.

    Parameters
    ----------
    bits : callable
        Returns bits per character from p, (T,): the probability that was given to the symbol that
        came, at each step.

    Returns
    -------
    Verdict
    """
    return draw.uniform(T, low=0.05, high=0.95)


def _kept(y, k):
    """Return the scores with all but the k largest at -inf."""
    return y.masked_fill(y < y.sort(descending=True).values[k - 1], -torch.inf)


def _top(y, temperature, k):
    return (_kept(y, k) / temperature).softmax(0)


def _only_top(values, y, k):
    return torch.where(_kept(y, k).isfinite(), values, 0.0)


def _smallest(y, temperature, k):
    largest = y.sort().values[k - 1]
    return (y.masked_fill(y > largest, -torch.inf) / temperature).softmax(0)


def _overflowing(y, temperature, k):
    weights = (_kept(y, k) / temperature).exp()
    return weights / weights.sum()


@exercise(
    "The distribution that is drawn from.",
    result="p",
    cases=(
        {"V": 5, "temperature": 0.5, "k": 3},
        {"V": 7, "temperature": 2.0, "k": 4},
        {"V": 3, "temperature": 1.5, "k": 1},
        {"V": 4, "temperature": 0.7, "k": 4},
        {"V": 6, "temperature": 1.25, "k": 2, "largest": 1000},
    ),
    right=_top,
    mistakes={
        "top-k is missing: every symbol can still come.": (
            lambda y, temperature, k: (y / temperature).softmax(0)
        ),
        "the temperature is missing.": lambda y, temperature, k: _top(y, 1.0, k),
        "both are missing: this is the softmax of the scores.": (
            lambda y, temperature, k: y.softmax(0)
        ),
        "the scores are divided by the temperature, not multiplied.": (
            lambda y, temperature, k: _top(y, 1 / temperature, k)
        ),
        "the probabilities that are left have to add up to 1 again.": (
            lambda y, temperature, k: _only_top((y / temperature).softmax(0), y, k)
        ),
        "the temperature divides the scores, before the softmax.": (
            lambda y, temperature, k: _only_top(y.softmax(0), y, k) / temperature
        ),
        "the temperature divides the scores, not the probabilities that are left.": (
            lambda y, temperature, k: _top(y, 1.0, k) / temperature
        ),
        "a score of 0 is not a probability of 0: put -inf in the place of the others.": (
            lambda y, temperature, k: (_only_top(y, y, k) / temperature).softmax(0)
        ),
        "these are the k symbols with the smallest scores.": _smallest,
        "one symbol too few is left.": (
            lambda y, temperature, k: _top(y, temperature, max(1, k - 1))
        ),
        "the k-th largest symbol may come too: cut what is below its score, not itself.": (
            lambda y, temperature, k: (
                y.masked_fill(y <= y.sort(descending=True).values[k - 1], -torch.inf) / temperature
            ).softmax(0)
        ),
        "one symbol too many is left.": (
            lambda y, temperature, k: _top(y, temperature, min(len(y), k + 1))
        ),
        "only the k largest may come: this keeps k, and all the same lets none of them in.": (
            lambda y, temperature, k: 1.0 - _top(y, temperature, k)
        ),
        "the probabilities are sorted: each has to stay in the place of its symbol.": (
            lambda *given: _top(*given).sort(descending=True).values
        ),
        "expected one probability for each of the V symbols, 0 where none may come.": (
            lambda y, temperature, k: _top(y, temperature, k)[_kept(y, k).isfinite()]
        ),
        "the k probabilities are sorted; each belongs in the place of its symbol, and the others "
        "are 0.": lambda y, temperature, k: (
            _top(y, temperature, k).sort(descending=True).values[:k]
        ),
        "these are the scores that are left: their softmax is asked for.": (
            lambda y, temperature, k: _kept(y, k) / temperature
        ),
        "these are logarithms: the probabilities are asked for.": lambda *given: _top(*given).log(),
        "scores near 1000 give no number, because their exponential overflows: torch.softmax takes "
        "the largest score off first.": _overflowing,
    },
    hints=(
        "Which scores may still come? What must the others be, so that their probability is 0?",
        "Put -inf in the place of all scores below the k-th largest. Divide by the temperature, "
        "then take the softmax.",
        "y.masked_fill(y < y.sort(descending=True).values[k - 1], -torch.inf)",
    ),
)
def check_probabilities(draw, V, temperature, k, largest=0):
    """Check ``probabilities(y, temperature, k)``: temperature and top-k.

    Parameters
    ----------
    probabilities : callable
        Returns p, (V,), from scores y, (V,), a positive temperature and the number k of symbols
        that may come.

    Returns
    -------
    Verdict
    """
    # Apart from each other by a good part of 1, so that no two are nearly equal; both signs.
    places = torch.tensor(draw.rng.permutation(V))
    return largest + 0.7 * (places - V / 2 + 0.3) + draw.uniform(V, high=0.2), temperature, k


def _streams(indices, N, T):
    return indices[:-1].view(N, -1), indices[1:].view(N, -1)


def _cut(x, z, T):
    return list(zip(x.split(T, dim=1), z.split(T, dim=1), strict=True))


def _windows(indices, N, T):
    return _cut(*_streams(indices, N, T), T)


def _targets(change):
    """Return the right windows with other targets, from x, z, N and T."""

    def windows(indices, N, T):
        x, z = _streams(indices, N, T)
        return _cut(x, change(x, z, T, indices), T)

    return windows


def _in_order(indices, N, T):
    return [
        (part.view(N, T), after.view(N, T))
        for part, after in zip(indices[:-1].split(N * T), indices[1:].split(N * T), strict=True)
    ]


def _across(indices, N, T):
    return _cut(indices[:-1].view(-1, N).T, indices[1:].view(-1, N).T, T)


def _pairs(answer, indices, N, T) -> dict:
    if not isinstance(answer, list | tuple):
        raise WrongAnswer(f"expected a list of pairs, got {type(answer).__name__}.")
    for pair in answer:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise WrongAnswer("expected a list of pairs: the symbols read, and the targets.")
    L = (len(indices) - 1) // N
    if len(answer) != L // T:
        raise WrongAnswer(f"expected {L // T} windows for L = {L} and T = {T}, got {len(answer)}.")
    parts = [as_numbers("a window", part) for pair in answer for part in pair]
    shapes = {part.array.shape for part in parts}
    if shapes == {(T, N)}:
        raise WrongAnswer("every window is (T, N); the batch comes first here, (N, T).")
    if shapes != {(N, T)}:
        raise WrongAnswer(f"expected windows of shape {(N, T)}, got {sorted(shapes)}.")
    return {
        "x, all windows": [part.array for part in parts[::2]],
        "z, all windows": [part.array for part in parts[1::2]],
    }


@exercise(
    "Every row goes on where it stopped.",
    cases=(
        {"N": 2, "T": 3, "L": 15},
        {"N": 5, "T": 4, "L": 12},
        {"N": 3, "T": 2, "L": 14},
    ),
    right=_windows,
    measure=_pairs,
    mistakes={
        "the rows of a batch follow one another, so no row goes on where it stopped: cut the text "
        "into N streams first, and the streams into windows.": _in_order,
        "neighbouring symbols stand in different rows: each stream is a piece of the text.": (
            _across
        ),
        "the windows come in the reverse order.": lambda *given: _windows(*given)[::-1],
        "x and z have changed places.": lambda *given: [(z, x) for x, z in _windows(*given)],
        "the streams come in the reverse order: row n belongs to stream n.": lambda *given: [
            (x.flip(0), z.flip(0)) for x, z in _windows(*given)
        ],
        "the targets are the inputs: the target of a step is the symbol after it.": _targets(
            lambda x, z, T, indices: x
        ),
        "the targets are two symbols ahead: z is the next one.": _targets(
            lambda x, z, T, indices: torch.roll(indices, -2)[:-1].view(x.shape)
        ),
        "the last target of each window is its own first symbol: the next symbol of the text "
        "stands in the next window.": lambda *given: [
            (x, x.roll(-1, dims=1)) for x, z in _windows(*given)
        ],
        "the last target of each stream is its own first symbol: it is the first one of the next "
        "stream.": _targets(lambda x, z, T, indices: x.roll(-1, dims=1)),
        "the targets are the symbols before: shift the other way.": _targets(
            lambda x, z, T, indices: indices[:-1].roll(1).view(x.shape)
        ),
        "the first symbol of the text is missing: the streams begin with it.": (
            lambda indices, N, T: _windows(indices.roll(-1), N, T)
        ),
    },
    hints=(
        "Row 0 of window 1 must go on where row 0 of window 0 stopped. What is row 0 of all "
        "windows together?",
        "Lay the text out as N streams, (N, L): indices[:-1] for x, indices[1:] for z. Then cut "
        "both along time, every T steps.",
        "indices[:-1].view(N, -1).split(T, dim=1), and the same for z",
    ),
)
def check_windows(draw, N, T, L):
    """Check ``windows(indices, N, T)``, a text cut into streams and windows.

    Parameters
    ----------
    windows : callable
        Returns a list of pairs (x, z), each (N, T), in the order in which they are read. The
        number of indices is N L + 1, and L is a multiple of T.

    Returns
    -------
    Verdict
    """
    return torch.tensor(draw.rng.permutation(N * L + 1) + 100), N, T


@functools.lru_cache(maxsize=8)
def _bits_of(text: str, share: float, on: str) -> tuple[float, ...]:
    """Return bits per symbol for the orders 1 to 6, counted on a text's first part."""
    cut = len(text) - round(share * len(text))
    tables = NGram(text[:cut], 6, Vocabulary.from_text(text))
    part = {"validation": text[cut:], "train": text[:cut], "whole": text}[on]
    return tuple(tables.bits_per_symbol(part, n) for n in range(1, 7))


def _bits(path, share=0.1, on="validation"):
    return _bits_of(Path(path).read_text(encoding="utf-8"), share, on)


def _best(path, **options):
    bits = _bits(path, **options)
    return 1 + bits.index(min(bits))


@exercise(
    "The order that predicts the unseen part best.",
    result="the order n",
    cases=({"characters": 1_500}, {"characters": 30_000}),
    right=_best,
    mistakes={
        "the longest context wins if the tables have seen the text that they are judged by: count "
        "on .train and measure on .validation.": lambda path: _best(path, on="train"),
        "this is the order that predicts worst: fewer bits are better.": (
            lambda path: 1 + _bits(path).index(max(_bits(path)))
        ),
        "this is the place in a list that begins with 0; n begins with 1.": (
            lambda path: _best(path) - 1
        ),
        "one too large: is n the order, from 1 to 6?": lambda path: _best(path) + 1,
        "these are the bits; the order was asked for.": lambda path: min(_bits(path)),
        "these are the bits of every order; which is the smallest?": lambda path: _bits(path),
        "this is the order for half of the file: the tables are counted on nine tenths.": (
            lambda path: _best(path, share=0.5)
        ),
    },
    hints=(
        "Which part may the tables be counted on, and which part do they have to predict?",
        "load_text(path) splits a file at nine tenths. Count one NGram of order 6 on .train; its "
        "bits_per_symbol on .validation takes a smaller order too.",
        "min(range(1, 7), key=lambda n: tables.bits_per_symbol(text.validation, n))",
    ),
)
def check_best_order(draw, characters):
    """Check ``best_order(path)``, which n of 1 to 6 predicts a file's last tenth best.

    Parameters
    ----------
    best_order : callable
        Returns n. The tables are counted on the first nine tenths of the file.

    Returns
    -------
    Verdict
    """
    start = int(draw.rng.integers(0, 20_000))
    return draw.file(load_text().train[start : start + characters])
