"""Answers to the exercises of chapter 12: right ones, and wrong ones with their messages."""

import math

import torch

from rnnlib.data.text import TextStream, load_text
from rnnlib.data.vocabulary import Vocabulary
from rnnlib.exercises.text_generation import (
    check_best_order,
    check_bits,
    check_probabilities,
    check_windows,
)
from rnnlib.models.ngrams import NGram
from rnnlib.models.sampling import probabilities


def kept(y, k, fill=-torch.inf, largest=True):
    """The scores with all but k of them replaced."""
    others = y.sort(descending=largest).indices[k:]
    y = y.clone()
    y[others] = fill
    return y


def by_hand(y, temperature, k):
    e = torch.exp((kept(y, k) - y.max()) / temperature)
    return e / e.sum()


def not_scaled_again(y, temperature, k):
    p = torch.softmax(y / temperature, 0)
    return torch.where(kept(y, k).isfinite(), p, 0.0)


def after_the_softmax(y, temperature, k):
    p = torch.softmax(y, 0)
    return torch.where(kept(y, k).isfinite(), p, 0.0) / temperature


def top_only(y, temperature, k):
    return torch.softmax(y.topk(k).values / temperature, 0)


def overflowing(y, temperature, k):
    e = torch.exp(kept(y, k) / temperature)
    return e / e.sum()


def windows(indices, N, T):
    x, z = indices[:-1].view(N, -1), indices[1:].view(N, -1)
    return [(x[:, t : t + T], z[:, t : t + T]) for t in range(0, x.size(1), T)]


def by_stream(indices, N, T):
    """The package's own, on a text with one symbol for each index."""
    symbols = "".join(chr(0x4E00 + i) for i in indices.tolist())
    vocabulary = Vocabulary.from_text(symbols)
    stream = TextStream(symbols, vocabulary, N, T)
    names = torch.tensor([ord(s) - 0x4E00 for s in vocabulary.symbols])
    return [(names[x], names[z]) for x, z in stream]


def cut(inputs, targets, T):
    return list(zip(inputs.split(T, dim=1), targets.split(T, dim=1), strict=True))


def one_after_another(indices, N, T):
    return [
        (
            indices[i : i + N * T].view(N, T),
            indices[i + 1 : i + 1 + N * T].view(N, T),
        )
        for i in range(0, len(indices) - 1, N * T)
    ]


def interleaved(indices, N, T):
    return cut(indices[:-1].view(-1, N).T, indices[1:].view(-1, N).T, T)


def wrong_targets(targets):
    return lambda indices, N, T: [(x, targets(x, z)) for x, z in windows(indices, N, T)]


def stream_ends_in_itself(indices, N, T):
    x = indices[:-1].view(N, -1)
    return cut(x, x.roll(-1, dims=1), T)


def looking_back(indices, N, T):
    x = indices[:-1]
    return cut(x.view(N, -1), x.roll(1).view(N, -1), T)


def time_first(indices, N, T):
    return [(x.T, z.T) for x, z in windows(indices, N, T)]


def bits_of_orders(path, judged="validation", counted="train"):
    text = load_text(path)
    parts = {
        "train": text.train,
        "validation": text.validation,
        "all": text.train + text.validation,
    }
    tables = NGram(parts[counted], 6, text.vocabulary)
    return [tables.bits_per_symbol(parts[judged], n) for n in range(1, 7)]


def best_order(path):
    bits = bits_of_orders(path)
    return bits.index(min(bits)) + 1


def on_the_training_part(path):
    bits = bits_of_orders(path, judged="train")
    return bits.index(min(bits)) + 1


def counted_on_everything(path):
    bits = bits_of_orders(path, counted="all")
    return bits.index(min(bits)) + 1


def worst_order(path):
    bits = bits_of_orders(path)
    return bits.index(max(bits)) + 1


RIGHT = [
    (check_bits, lambda p: -p.log2().mean()),
    (check_bits, lambda p: sum(-math.log2(value) for value in p.tolist()) / len(p)),
    (check_probabilities, by_hand),
    (check_probabilities, lambda y, temperature, k: torch.softmax(kept(y, k) / temperature, 0)),
    (
        check_probabilities,
        lambda y, temperature, k: probabilities(y, temperature=temperature, top_k=k).tolist(),
    ),
    (check_windows, windows),
    (check_windows, by_stream),
    (check_best_order, best_order),
]

WRONG = [
    (check_bits, lambda p: -p.log().mean(), "this is in nats"),
    (check_bits, lambda p: p.log2().mean(), "the sign"),
    (check_bits, lambda p: -p.log2().sum(), "the whole text: divide"),
    (check_bits, lambda p: -p.log().sum(), "the whole text, in nats"),
    (check_bits, lambda p: 2 ** (-p.log2().mean()), "the perplexity"),
    (check_bits, lambda p: -p.mean().log2(), "the mean comes after the logarithm"),
    (check_bits, lambda p: -p.log10().mean(), "decimal digits"),
    (check_bits, lambda p: -p.log2(), "take the mean of the costs"),
    (check_bits, lambda p: ..., "returns nothing yet"),
    (
        check_probabilities,
        lambda y, temperature, k: torch.softmax(y / temperature, 0),
        "top-k is missing",
    ),
    (
        check_probabilities,
        lambda y, temperature, k: torch.softmax(kept(y, k), 0),
        "the temperature is missing",
    ),
    (
        check_probabilities,
        lambda y, temperature, k: torch.softmax(kept(y, k) * temperature, 0),
        "divided by the temperature, not multiplied",
    ),
    (check_probabilities, not_scaled_again, "have to add up to 1 again"),
    (check_probabilities, after_the_softmax, "divides the scores, before the softmax"),
    (
        check_probabilities,
        lambda y, temperature, k: torch.softmax(kept(y, k, fill=0.0) / temperature, 0),
        "a score of 0 is not a probability of 0",
    ),
    (
        check_probabilities,
        lambda y, temperature, k: torch.softmax(kept(y, k, largest=False) / temperature, 0),
        "the smallest scores",
    ),
    (
        check_probabilities,
        lambda y, temperature, k: by_hand(y, temperature, max(1, k - 1)),
        "one symbol too few",
    ),
    (
        check_probabilities,
        lambda y, temperature, k: by_hand(y, temperature, min(len(y), k + 1)),
        "one symbol too many",
    ),
    (
        check_probabilities,
        lambda y, temperature, k: by_hand(y, temperature, k).sort(descending=True).values,
        "each has to stay in the place",
    ),
    (
        check_probabilities,
        lambda y, temperature, k: (lambda p: p[p > 0])(by_hand(y, temperature, k)),
        "one probability for each of the V symbols",
    ),
    (check_probabilities, top_only, "the k probabilities are sorted"),
    (check_probabilities, overflowing, "their exponential overflows"),
    (check_probabilities, lambda y, temperature, k: ..., "returns nothing yet"),
    (check_windows, one_after_another, "no row goes on where it stopped"),
    (check_windows, interleaved, "neighbouring symbols stand in different rows"),
    (check_windows, lambda *given: windows(*given)[::-1], "the reverse order"),
    (check_windows, lambda *given: [(z, x) for x, z in windows(*given)], "changed places"),
    (check_windows, wrong_targets(lambda x, z: x), "the targets are the inputs"),
    (check_windows, wrong_targets(lambda x, z: x.roll(-1, dims=1)), "its own first symbol: the"),
    (check_windows, stream_ends_in_itself, "last target of each stream"),
    (check_windows, looking_back, "the symbols before"),
    (check_windows, time_first, "the batch comes first here"),
    (check_windows, lambda *given: windows(*given)[:-1], "expected 5 windows"),
    (check_windows, lambda *given: dict(enumerate(windows(*given))), "a list of pairs, got dict"),
    (check_windows, lambda *given: [x for x, z in windows(*given)], "expected a list of pairs"),
    (
        check_windows,
        lambda *given: [(x[:, :-1], z[:, 1:]) for x, z in windows(*given)],
        "expected windows of shape (2, 3)",
    ),
    (check_windows, lambda indices, N, T: ..., "returns nothing yet"),
    (check_best_order, on_the_training_part, "the longest context wins"),
    (check_best_order, counted_on_everything, "the longest context wins"),
    (check_best_order, worst_order, "predicts worst"),
    (check_best_order, lambda path: best_order(path) - 1, "a list that begins with 0"),
    (check_best_order, lambda path: best_order(path) + 1, "one too large"),
    (check_best_order, lambda path: min(bits_of_orders(path)), "these are the bits; the order"),
    (check_best_order, bits_of_orders, "the bits of every order"),
    (check_best_order, lambda path: ..., "returns nothing yet"),
]
