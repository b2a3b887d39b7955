"""Answers to the exercises of chapter 4: right ones, and wrong ones with their messages."""

import math
from collections import Counter

import torch
from torch.nn.functional import cross_entropy, one_hot

from rnnlib.exercises import (
    check_carry,
    check_encode,
    check_memoryless_floor,
    check_train_step,
)


def encode(text, symbols=None):
    symbols = sorted(set(text)) if symbols is None else symbols
    return symbols, torch.tensor([list(symbols).index(letter) for letter in text])


def encode_one_hot(text):
    symbols, indices = encode(text)
    return symbols, one_hot(indices)


def floor(text, following=None, log=math.log, weighted=True, even=False):
    following = text[1:] + text[0] if following is None else following
    pairs = list(zip(text, following, strict=False))
    total = 0.0
    letters = Counter(letter for letter, _ in pairs)
    for letter, n in letters.items():
        counts = Counter(b for a, b in pairs if a == letter)
        if even:
            entropy = log(len(counts))
        else:
            entropy = sum(c / n * log(n / c) for c in counts.values())
        total += entropy * (n / len(pairs) if weighted else 1 / len(letters))
    return total


def flat_loss(scores, target):
    return cross_entropy(scores.flatten(0, 1), target.flatten())


def train_step(network, optimiser, x, target, loss_of=flat_loss, order="zbs"):
    loss = loss_of(network(x), target)
    for letter in order:
        {"z": optimiser.zero_grad, "b": loss.backward, "s": optimiser.step}[letter]()
    return loss.item()


def with_loss(loss_of):
    return lambda n, o, x, y: train_step(n, o, x, y, loss_of=loss_of)


def in_order(order):
    return lambda n, o, x, y: train_step(n, o, x, y, order=order)


def returns_graph(network, optimiser, x, target):
    loss = flat_loss(network(x), target)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss


def returns_later_loss(network, optimiser, x, target):
    train_step(network, optimiser, x, target)
    return flat_loss(network(x), target).item()


def carry(rnn, first, second):
    _, state = rnn(first)
    return rnn(second, state.detach())[0]


def carry_without_gradient(rnn, first, second):
    with torch.no_grad():
        _, state = rnn(first)
    return rnn(second, state)[0]


RIGHT = [
    (check_encode, encode),
    (check_memoryless_floor, floor),
    (check_train_step, train_step),
    (check_train_step, lambda n, o, x, y: torch.tensor(train_step(n, o, x, y))),
    (
        check_train_step,
        with_loss(lambda scores, target: cross_entropy(scores.transpose(1, 2), target)),
    ),
    (check_carry, carry),
    (check_carry, carry_without_gradient),
]

WRONG = [
    (check_encode, lambda text: ..., "returns nothing yet"),
    (check_encode, lambda text: sorted(set(text)), "expected two results"),
    (check_encode, lambda text: (set(text), 0), "a set has no fixed order"),
    (check_encode, lambda text: (4, 0), "expected a list of letters"),
    (check_encode, lambda text: encode(text, list(text)), "would never occur"),
    (check_encode, lambda text: encode(text, list(dict.fromkeys(text))), "not sorted"),
    (check_encode, lambda text: (sorted(set(text))[1:], 0), "the symbols of 'hello' are"),
    (check_encode, lambda text: (encode(text)[0], encode(text)[1].tolist()), "are a list"),
    (
        check_encode,
        lambda text: (encode(text)[0], encode(text)[1].float()),
        "int64 is asked for; this is float32",
    ),
    (check_encode, encode_one_hot, "these are one-hot rows"),
    (check_encode, lambda text: (encode(text)[0], torch.arange(len(text))), "positions in the"),
    (check_encode, lambda text: (encode(text)[0], encode(text)[1] + 1), "begin at 0"),
    (
        check_encode,
        lambda text: (encode(text)[0], torch.arange(len(set(text)))),
        "indices of the symbols",
    ),
    (check_memoryless_floor, lambda text: ..., "returns nothing yet"),
    (
        check_memoryless_floor,
        lambda text: 2 * math.log(2) / 5,
        "the floor of 'hello', for whatever",
    ),
    (check_memoryless_floor, lambda text: floor(text, log=math.log2), "in bits"),
    (check_memoryless_floor, lambda text: len(text) * floor(text), "sum over all steps"),
    (check_memoryless_floor, lambda text: -floor(text), "sign is wrong"),
    (check_memoryless_floor, lambda text: floor(text, text[1:]), "the text is a ring"),
    (
        check_memoryless_floor,
        lambda text: floor("-" * len(text), text),
        "without reading the letter",
    ),
    (check_memoryless_floor, lambda text: floor(text, weighted=False), "weight its entropy"),
    (check_memoryless_floor, lambda text: floor(text, even=True), "not equally likely"),
    (check_memoryless_floor, lambda text: 1 / 5, "you gave 0.2, it is 0.318"),
    (check_memoryless_floor, lambda text: 0.0, "you gave 0, it is 0.318"),
    (check_train_step, lambda n, o, x, y: ..., "returns nothing yet"),
    (check_train_step, with_loss(cross_entropy), "raises"),
    (check_train_step, in_order("bs"), "has to clear them"),
    (check_train_step, in_order("sb"), "backward comes first"),
    (check_train_step, in_order("zb"), "step() is missing"),
    (check_train_step, in_order("zsb"), "step() is missing, or comes before"),
    (check_train_step, in_order("bzs"), "there is no gradient"),
    (check_train_step, in_order("zs"), "there is no gradient"),
    (
        check_train_step,
        with_loss(
            lambda scores, target: cross_entropy(
                scores.reshape(len(scores), scores.shape[2], -1), target
            )
        ),
        "mixes steps with classes",
    ),
    (
        check_train_step,
        with_loss(lambda scores, target: flat_loss(scores.softmax(-1), target)),
        "applies the softmax itself",
    ),
    (
        check_train_step,
        with_loss(lambda scores, target: target.numel() * flat_loss(scores, target)),
        "summed over the steps",
    ),
    (
        check_train_step,
        with_loss(lambda scores, target: cross_entropy(scores[:, -1], target[:, -1])),
        "only the last step",
    ),
    (
        check_train_step,
        with_loss(lambda s, y: 2 * flat_loss(s, y)),
        "at [0] the change of the weights",
    ),
    (check_train_step, returns_graph, "return loss.item()"),
    (check_train_step, returns_later_loss, "the loss after the step"),
    (check_carry, lambda rnn, a, b: ..., "returns nothing yet"),
    (check_carry, lambda rnn, a, b: rnn(b, rnn(a)[1].detach()), "the output alone"),
    (check_carry, lambda rnn, a, b: rnn(b)[0], "starts from zeros"),
    (check_carry, lambda rnn, a, b: rnn(a)[0], "output for the first piece"),
    (check_carry, lambda rnn, a, b: rnn(torch.cat([a, b], 1))[0], "for both pieces"),
    (check_carry, lambda rnn, a, b: rnn(b, rnn(a)[1])[1], "the last state"),
    (check_carry, lambda rnn, a, b: rnn(b, rnn(a)[1])[0][:, -1], "the last step"),
    (check_carry, lambda rnn, a, b: rnn(b, rnn(a)[1])[0], "still runs back"),
    (check_carry, lambda rnn, a, b: rnn(b, rnn(a.detach())[1])[0], "still runs back"),
    (check_carry, lambda rnn, a, b: carry(rnn, a, b).detach(), "nothing can be learned"),
]
