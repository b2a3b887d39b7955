"""Checks for chapter 4 (What does memory buy)."""

import math
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rnnlib.data.vocabulary import Vocabulary
from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.verdict import WrongAnswer


def _encode(text):
    symbols = sorted(set(text))
    return symbols, torch.tensor([symbols.index(letter) for letter in text])


def _symbols_and_indices(answer, text) -> dict:
    if not (isinstance(answer, tuple | list) and len(answer) == 2):
        raise WrongAnswer("expected two results: the symbols and the indices.")
    symbols, indices = answer
    _check_symbols(text, symbols, Vocabulary.from_text(text))
    if not isinstance(indices, Tensor):
        raise WrongAnswer(f"the indices are a {type(indices).__name__}; expected a tensor.")
    return {"the tensor of indices": indices}


def _check_symbols(text: str, symbols, right: Vocabulary) -> None:
    if isinstance(symbols, set | frozenset):
        raise WrongAnswer("a set has no fixed order: sort the symbols into a list.")
    if not isinstance(symbols, list | tuple | str):
        raise WrongAnswer(
            f"the symbols are a {type(symbols).__name__}; expected a list of letters."
        )
    symbols = list(symbols)
    if not all(isinstance(symbol, str) for symbol in symbols):
        raise WrongAnswer("the symbols are not all letters: expected a list of letters.")
    twice = [symbol for symbol, count in Counter(symbols).items() if count > 1]
    if twice:
        raise WrongAnswer(
            f"{twice[0]!r} stands in the vocabulary {symbols.count(twice[0])} times: one of its "
            "classes would never occur."
        )
    if set(symbols) != set(right.symbols):
        raise WrongAnswer(f"the symbols of {text!r} are {right.symbols}; got {tuple(symbols)}.")
    if tuple(symbols) != right.symbols:
        raise WrongAnswer(
            "the symbols are not sorted: another order than the alphabet's must be saved with "
            "every model."
        )


def _indices(change: Callable[[str, Tensor], Tensor]):
    """Return an answer with the right symbols, whose indices were changed."""

    def answer(text):
        symbols, indices = _encode(text)
        return symbols, change(text, indices)

    return answer


@exercise(
    "Every symbol once, in sorted order, and every letter by its index.",
    cases=({"text": "hello"}, {"text": "unrolled"}, {"text": "banana!"}),
    right=_encode,
    measure=_symbols_and_indices,
    dtypes={"the tensor of indices": "int64"},
    mistakes={
        "these are one-hot rows: the index of each letter is asked for.": _indices(
            lambda text, z: nn.functional.one_hot(z)
        ),
        "these are the positions in the text: look each letter up in the vocabulary.": _indices(
            lambda text, z: torch.arange(len(text))
        ),
        "indices begin at 0, not at 1.": _indices(lambda text, z: z + 1),
        "these are the indices of the symbols: one for each letter of the text is asked for.": (
            _indices(lambda text, z: torch.arange(int(z.max()) + 1))
        ),
        "these are the codes of the letters: their indices in the vocabulary are asked for.": (
            _indices(lambda text, z: torch.tensor([ord(letter) for letter in text]))
        ),
        "these are places in the text: look each letter up in the symbols, not in the text.": (
            _indices(lambda text, z: torch.tensor([text.index(letter) for letter in text]))
        ),
        "these are the letters in sorted order: the text's own order is asked for.": _indices(
            lambda text, z: z.sort().values
        ),
        "every letter is named by how often it occurs: look up its index.": _indices(
            lambda text, z: torch.tensor([text.count(letter) for letter in text])
        ),
        "the text is read backwards.": _indices(lambda text, z: z.flip(0)),
    },
    hints=(
        "Two things come back. Which letters are there, each once, and in which order?",
        "sorted(set(text)) is the vocabulary. A dictionary from each symbol to its place turns "
        "letters into indices.",
        "torch.tensor([index[letter] for letter in text])",
    ),
)
def check_encode(draw, text):
    """Check ``encode(text)``, the vocabulary of a text and the text as indices.

    Parameters
    ----------
    encode : callable
        Returns the list of symbols, length V, and the indices as a tensor of int64, (T,).

    Returns
    -------
    Verdict
    """
    return text


def _entropy(counts: Counter) -> float:
    return sum(n / counts.total() * math.log(counts.total() / n) for n in counts.values())


def _followers(text: str, ring: bool = True) -> dict[str, Counter]:
    """Count what follows each letter."""
    followers: dict[str, Counter] = {}
    for letter, following in zip(text, text[1:] + text[0] * ring, strict=ring):
        followers.setdefault(letter, Counter())[following] += 1
    return followers


def _mean(cost: Callable[[Counter], float], ring: bool = True, weighted: bool = True):
    """Return an answer that averages a cost of the followers, over steps or over letters."""

    def answer(text):
        counts = _followers(text, ring).values()
        weights = [n.total() if weighted else 1 for n in counts]
        return sum(w * cost(n) for w, n in zip(weights, counts, strict=True)) / sum(weights)

    return answer


_floor = _mean(_entropy)


@exercise(
    "That is what the best network without memory pays.",
    result="the floor",
    # On these texts all the mistakes below differ; on 'hello' several do not.
    cases=({"text": "banana"}, {"text": "mississippi"}, {"text": "abracadabra"}, {"text": "hello"}),
    right=_floor,
    mistakes={
        "this is in bits: take the natural logarithm.": lambda text: _floor(text) / math.log(2),
        "this is the sum over all steps: divide by their number.": (
            lambda text: _floor(text) * len(text)
        ),
        "this is the sum over all letters of the vocabulary: weight each by its share.": (
            lambda text: sum(map(_entropy, _followers(text).values()))
        ),
        "the sign is wrong: a probability below 1 has a negative logarithm.": (
            lambda text: -_floor(text)
        ),
        "after the last letter comes the first: the text is a ring.": _mean(_entropy, ring=False),
        "the last letter has no follower here, and counts among the steps: the text is a ring.": (
            lambda text: _mean(_entropy, ring=False)(text) * (len(text) - 1) / len(text)
        ),
        "this is the best without reading the letter: count what follows each letter "
        "separately.": lambda text: _entropy(Counter(text)),
        "this is the entropy of the pairs: take that of the single letters off.": (
            lambda text: _entropy(Counter(zip(text, text[1:] + text[0], strict=True)))
        ),
        "each letter counts as often as it occurs: weight its entropy by its share.": _mean(
            _entropy, weighted=False
        ),
        "followers are not equally likely: count how often each one comes.": _mean(
            lambda n: math.log(len(n))
        ),
        "the best answer is a probability for each follower: this is the cost of naming the "
        "commonest one, in wrong letters.": _mean(lambda n: 1 - max(n.values()) / n.total()),
        "this is the cost of the commonest follower alone: average over all of them.": _mean(
            lambda n: math.log(n.total() / max(n.values()))
        ),
        "this is the floor of 'hello', for whatever text.": lambda text: 2 * math.log(2) / 5,
    },
    hints=(
        "Which letters of the text have more than one follower? Only these cost anything.",
        "For each pair of a letter and its follower, take the share n(pair) / n(letter). A step "
        "costs minus its logarithm; average over all steps of the ring.",
        "total -= n * math.log(n / letters[letter]) for each pair; then total / len(text)",
    ),
)
def check_memoryless_floor(draw, text):
    """Check ``memoryless_floor(text)``, the least loss without memory on a text read as a ring.

    Parameters
    ----------
    memoryless_floor : callable
        Returns a float, in nats, from a string.

    Returns
    -------
    Verdict
    """
    return text


RATE = 0.5


class _NextLetter(nn.Module):
    def __init__(self, V, H):
        super().__init__()
        self.rnn = nn.RNN(V, H, batch_first=True)
        self.readout = nn.Linear(H, V)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.rnn(x)[0])


def _loss(scores, target):
    return cross_entropy(scores.flatten(0, 1), target.flatten())


def _train(loss_of=_loss, order=("zero_grad", "backward", "step"), answer=lambda loss, after: loss):
    """Return a step of training with another loss, other calls, or another answer."""

    def train_step(network, optimiser, x, target):
        loss = loss_of(network(x), target)
        for call in order:
            loss.backward() if call == "backward" else getattr(optimiser, call)()
        return answer(loss.item(), lambda: loss_of(network(x), target).item())

    return train_step


def _after_training(answer, network, optimiser, x, target) -> dict:
    start = network.start
    parameters = list(network.parameters())
    moved = torch.cat([(a - p.detach()).flatten() for a, p in zip(start, parameters, strict=True)])
    if not moved.any():
        if all(p.grad is None or not p.grad.any() for p in parameters):
            raise WrongAnswer(
                "no weight has moved, and there is no gradient: loss.backward() belongs after "
                "optimiser.zero_grad() and before optimiser.step()."
            )
        raise WrongAnswer(
            "no weight has moved: optimiser.step() is missing, or comes before backward."
        )
    if isinstance(answer, Tensor) and answer.requires_grad:
        raise WrongAnswer(
            "the loss came back with its graph, which keeps a whole forward pass in memory: "
            "return loss.item()."
        )
    return {"the change of the weights over the learning rate": moved / RATE, "the loss": answer}


@exercise(
    "Forward, loss, zero_grad, backward, step, and the loss as a number.",
    cases=({"N": 2, "T": 5, "V": 3, "H": 7}, {"N": 5, "T": 3, "V": 4, "H": 6}),
    right=_train(),
    measure=_after_training,
    mistakes={
        "the gradients of the step before are still there: optimiser.zero_grad() has to clear them "
        "before backward.": _train(order=("backward", "step")),
        "optimiser.step() changes the weights before backward has used them: backward comes "
        "first.": _train(order=("step", "zero_grad", "backward")),
        "reshaping (N, T, K) to (N, K, T) mixes steps with classes: flatten, or transpose.": _train(
            lambda scores, target: cross_entropy(
                scores.reshape(len(scores), scores.size(2), -1), target
            )
        ),
        "cross_entropy takes scores: it applies the softmax itself, and yours is applied before.": (
            _train(lambda scores, target: _loss(scores.softmax(-1), target))
        ),
        "the loss is summed over the steps: the mean is asked for.": _train(
            lambda scores, target: _loss(scores, target) * target.numel()
        ),
        "the losses are summed over the steps of a sequence: the mean over all is asked for.": (
            _train(lambda scores, target: _loss(scores, target) * target.size(1))
        ),
        "the losses are summed over the sequences: the mean over all is asked for.": _train(
            lambda scores, target: _loss(scores, target) * target.size(0)
        ),
        "only the last step has entered the loss: every step has a target.": _train(
            lambda scores, target: cross_entropy(scores[:, -1], target[:, -1])
        ),
        "only the first step has entered the loss: every step has a target.": _train(
            lambda scores, target: cross_entropy(scores[:, 0], target[:, 0])
        ),
        "the sign of the loss is wrong: the weights go uphill.": _train(
            lambda scores, target: -_loss(scores, target)
        ),
        "this is the loss after the step: return the one you went back from.": _train(
            answer=lambda loss, after: after()
        ),
    },
    hints=(
        "Five lines: forward, loss, zero_grad, backward, step. Which one is missing, or too early?",
        "cross_entropy wants (rows, K) and (rows,): flatten the first two axes of the scores, and "
        "the targets. Gradients are cleared before backward, and used after it.",
        "loss = cross_entropy(scores.flatten(0, 1), target.flatten()); at the end loss.item()",
    ),
)
def check_train_step(draw, N, T, V, H):
    """Check ``train_step(network, optimiser, x, target)``, one step of training.

    Parameters
    ----------
    train_step : callable
        Changes the network's weights by one step and returns the loss before it, a float.
        ``network(x)`` gives scores (N, T, K), target is (N, T).

    Returns
    -------
    Verdict
    """
    network = draw.weights(_NextLetter(V, H))
    x = nn.functional.one_hot(draw.integers(N, T, high=V), V).float()
    target = draw.integers(N, T, high=V)
    network.start = [p.detach().clone() for p in network.parameters()]
    for p in network.parameters():
        p.grad = draw.normal(*p.shape, scale=0.25)  # as if a step had been made before
    return network, torch.optim.SGD(network.parameters(), lr=RATE), x, target


def _carry(rnn, first, second):
    _, h_n = rnn(first)
    return rnn(second, h_n.detach())[0]


def _both(rnn, first, second):
    return rnn(torch.cat([first, second], dim=1))[0]


def _output_and_gradient(output, rnn, first, second) -> dict:
    if isinstance(output, tuple):
        raise WrongAnswer("a layer returns output and h_n: the output alone is asked for.")
    if not isinstance(output, Tensor):
        raise WrongAnswer(f"the output is a {type(output).__name__}; expected a tensor.")
    name = "the gradient of the second piece's output"
    if not output.requires_grad:
        return {"the output": output, name: torch.zeros(1)}
    weight = torch.linspace(-1, 2, output.numel()).view(output.shape)
    sources = list(rnn.parameters())
    gradients = torch.autograd.grad((weight * output).sum(), sources, allow_unused=True)
    parts = [
        torch.zeros_like(s) if g is None else g for s, g in zip(sources, gradients, strict=True)
    ]
    return {"the output": output, name: torch.cat([part.flatten() for part in parts])}


@exercise(
    "The numbers are handed over, and the graph is cut.",
    cases=({"N": 2, "T": 3, "D": 5, "H": 4}, {"N": 5, "T": 4, "D": 3, "H": 7}),
    right=_carry,
    measure=_output_and_gradient,
    mistakes={
        "the gradient still runs back into the first piece: detach the state in between.": (
            lambda rnn, first, second: rnn(second, rnn(first)[1])[0]
        ),
        "nothing can be learned from this output: detach the state between the pieces, and nothing "
        "else.": lambda *given: _carry(*given).detach(),
        "the second piece starts from zeros: hand it the state that the first one left.": (
            lambda rnn, first, second: rnn(second)[0]
        ),
        "this is the output for the first piece.": lambda rnn, first, second: rnn(first)[0],
        "this is the output for both pieces: the second alone is asked for.": _both,
        "the pieces have changed places.": lambda rnn, first, second: _carry(rnn, second, first),
        "this is the last state: the output of every step is asked for.": (
            lambda rnn, first, second: rnn(second, rnn(first)[1].detach())[1]
        ),
        "this is the last step: the output of every step is asked for.": (
            lambda *given: _carry(*given)[:, -1]
        ),
    },
    hints=(
        "What must the second call be given, besides the second piece?",
        "rnn(first) returns output and h_n. The numbers of h_n go on; its graph must not.",
        "rnn(second, h_n.detach())",
    ),
)
def check_carry(draw, N, T, D, H):
    """Check ``carry(rnn, first, second)``, two pieces of one text, the graph cut between them.

    Parameters
    ----------
    carry : callable
        Returns the output for the second piece, (N, T, H). ``rnn(x, h_0)`` gives output and h_n.

    Returns
    -------
    Verdict
    """
    rnn = draw.weights(nn.RNN(D, H, batch_first=True))
    return rnn, draw.normal(N, T, D), draw.normal(N, T, D)
