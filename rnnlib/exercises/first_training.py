"""Checks for chapter 4 (What does memory buy)."""

import copy
import math
from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from rnnlib.data.tasks import NextSymbol
from rnnlib.data.vocabulary import Vocabulary
from rnnlib.exercises.verdict import WrongAnswer, as_array, attempt, compare, verdict

N, T, V, H = 2, 5, 4, 6


@verdict("Every symbol once, in sorted order, and every letter by its index.")
def check_encode(encode) -> None:
    """Check ``encode(text)``, the vocabulary of a text and the text as indices.

    Parameters
    ----------
    encode : callable
        Returns the list of symbols, length V, and the indices as a tensor of int64, (T,).

    Returns
    -------
    Verdict
    """
    for text in ("hello", "unrolled"):
        answer = attempt(encode, text)
        if not (isinstance(answer, tuple) and len(answer) == 2):
            raise WrongAnswer("expected two results: the symbols and the indices.")
        symbols, indices = answer
        right = Vocabulary.from_text(text)
        _compare_symbols(text, symbols, right)
        if not isinstance(indices, Tensor):
            raise WrongAnswer(f"the indices are a {type(indices).__name__}; expected a tensor.")
        if indices.is_floating_point():
            raise WrongAnswer(f"the indices are {indices.dtype}: a class is named by an integer.")
        expected = right.encode(text)
        compare(
            f"the tensor of indices of {text!r}",
            indices,
            expected,
            {
                "these are one-hot rows: the index of each letter is asked for.": right.one_hot(
                    expected
                ),
                "these are the positions in the text: look each letter up in the vocabulary.": (
                    torch.arange(len(text))
                ),
                "indices begin at 0, not at 1.": expected + 1,
                "these are the indices of the symbols: one for each letter of the text is asked "
                "for.": torch.arange(len(right)),
            },
        )


def _compare_symbols(text: str, symbols, right: Vocabulary) -> None:
    if isinstance(symbols, (set, frozenset)):
        raise WrongAnswer("a set has no fixed order: sort the symbols into a list.")
    try:
        symbols = list(symbols)
    except TypeError:
        raise WrongAnswer(
            f"the symbols are a {type(symbols).__name__}; expected a list of letters."
        ) from None
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


@verdict("That is what the best network without memory pays.")
def check_memoryless_floor(memoryless_floor) -> None:
    """Check ``memoryless_floor(text)``, the least loss without memory on a text read as a ring.

    Parameters
    ----------
    memoryless_floor : callable
        Returns a float, in nats, from a string.

    Returns
    -------
    Verdict
    """
    for text in ("hello", "banana", "mississippi"):
        right = _floor(text)
        got = attempt(memoryless_floor, text)
        if text != "hello":
            # Before the mistakes: one of them may come near to this number on another text.
            _compare_not(got, _floor("hello"), f"{text!r} got the number of 'hello'.")
        letters = len(text)
        chance = _entropy(Counter(text))
        compare(
            f"the floor of {text!r}",
            got,
            right,
            {
                "this is in bits: take the natural logarithm.": right / math.log(2),
                "this is the sum over all steps: divide by their number.": right * letters,
                "the sign is wrong: a probability below 1 has a negative logarithm.": -right,
                "after the last letter comes the first: the text is a ring.": _floor(
                    text, cyclic=False
                ),
                "this is the best without reading the letter: count what follows each letter "
                "separately.": chance,
                "each letter counts as often as it occurs: weight its entropy by its share.": (
                    _by_letter(text, lambda n: _entropy(n), weighted=False)
                ),
                "followers are not equally likely: count how often each one comes.": _by_letter(
                    text, lambda n: math.log(len(n))
                ),
                "the best answer is a probability for each follower: this is the cost of "
                "naming the commonest one, in wrong letters.": _by_letter(
                    text, lambda n: 1 - max(n.values()) / n.total()
                ),
            },
            tolerance=1e-5,
        )


def _compare_not(got, value: float, message: str) -> None:
    """Raise `WrongAnswer` with the message if the answer is this value."""
    got = as_array(got)
    if got.shape == () and abs(float(got) - value) < 1e-6:
        raise WrongAnswer(message)


def _floor(text: str, cyclic: bool = True) -> float:
    vocabulary = Vocabulary.from_text(text)
    return NextSymbol(
        symbols=vocabulary.encode(text), num_symbols=len(vocabulary), cyclic=cyclic
    ).memoryless_floor


def _entropy(counts: Counter) -> float:
    return sum(n / counts.total() * math.log(counts.total() / n) for n in counts.values())


def _by_letter(text: str, cost: Callable[[Counter], float], weighted: bool = True) -> float:
    """Average a cost of the followers over the letters: over the text's, or over the distinct."""
    followers: dict[str, Counter] = {}
    for letter, following in zip(text, text[1:] + text[0], strict=True):
        followers.setdefault(letter, Counter())[following] += 1
    if not weighted:
        return sum(map(cost, followers.values())) / len(followers)
    return sum(n.total() * cost(n) for n in followers.values()) / len(text)


class _NextLetter(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.RNN(V, H, batch_first=True)
        self.readout = nn.Linear(H, V)

    def forward(self, x: Tensor) -> Tensor:
        return self.readout(self.rnn(x)[0])


LOSSES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "": lambda scores, target: cross_entropy(scores.flatten(0, 1), target.flatten()),
    "reshaping (N, T, K) to (N, K, T) mixes steps with classes: flatten, or transpose.": (
        lambda scores, target: cross_entropy(scores.reshape(N, V, T), target)
    ),
    "cross_entropy takes scores: it applies the softmax itself, and yours is applied before.": (
        lambda scores, target: cross_entropy(scores.softmax(-1).flatten(0, 1), target.flatten())
    ),
    "the loss is summed over the steps: the mean is asked for.": (
        lambda scores, target: cross_entropy(
            scores.flatten(0, 1), target.flatten(), reduction="sum"
        )
    ),
    "only the last step has entered the loss: every step has a target.": (
        lambda scores, target: cross_entropy(scores[:, -1], target[:, -1])
    ),
}
"""What may be taken for the loss: the right one first, then each mistake under its message."""


@verdict("Forward, loss, zero_grad, backward, step, and the loss as a number.")
def check_train_step(train_step) -> None:
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
    rate = 0.5
    network = _NextLetter()
    x = nn.functional.one_hot(torch.randint(V, (N, T)), V).float()
    target = torch.randint(V, (N, T))
    # As if a step had been made before: who does not clear these, adds to them.
    left_over = [torch.randn_like(p) / 4 for p in network.parameters()]
    start = [p.detach().clone() for p in network.parameters()]

    def flat(tensors) -> Tensor:
        return torch.cat([t.detach().flatten() for t in tensors])

    losses, moves = {}, {}
    for message, loss_of in LOSSES.items():
        loss = loss_of(network(x), target)
        losses[message] = loss.item()
        moves[message] = flat(torch.autograd.grad(loss, list(network.parameters())))
    right_loss, right_move = losses.pop(""), moves.pop("")

    trained = copy.deepcopy(network)
    for p, gradient in zip(trained.parameters(), left_over, strict=True):
        p.grad = gradient.clone()
    optimiser = torch.optim.SGD(trained.parameters(), lr=rate)
    try:
        got = attempt(train_step, trained, optimiser, x, target)
    except WrongAnswer as wrong:
        if "inplace operation" not in str(wrong):
            raise
        raise WrongAnswer(
            "optimiser.step() changes the weights before backward has used them: backward comes "
            "first."
        ) from None

    moved = flat(start) - flat(trained.parameters())
    if not moved.any():
        gradients = [p.grad for p in trained.parameters()]
        if any(g is None or not g.any() for g in gradients):
            raise WrongAnswer(
                "no weight has moved, and there is no gradient: loss.backward() belongs after "
                "optimiser.zero_grad() and before optimiser.step()."
            )
        raise WrongAnswer(
            "no weight has moved: optimiser.step() is missing, or comes before backward."
        )
    compare(
        "the change of the weights",
        moved / rate,
        right_move,
        {
            "the gradients of the step before are still there: optimiser.zero_grad() has to clear "
            "them before backward.": right_move + flat(left_over),
            **moves,
        },
        tolerance=1e-5,
    )
    if isinstance(got, Tensor):
        if got.requires_grad:
            raise WrongAnswer(
                "the loss came back with its graph, which keeps a whole forward pass in memory: "
                "return loss.item()."
            )
        got = got.cpu()
    with torch.no_grad():
        after = LOSSES[""](trained(x), target).item()
    compare(
        "the loss",
        got,
        right_loss,
        {"this is the loss after the step: return the one you went back from.": after, **losses},
        tolerance=1e-5,
    )


@verdict("The numbers are handed over, and the graph is cut.")
def check_carry(carry) -> None:
    """Check ``carry(rnn, first, second)``, two pieces of one text, the graph cut between them.

    Parameters
    ----------
    carry : callable
        Returns the output for the second piece, (N, T, H). ``rnn(x, h_0)`` gives output and h_n.

    Returns
    -------
    Verdict
    """
    rnn = nn.RNN(V, H, batch_first=True)
    first, second = torch.randn(2, N, T, V)
    both = torch.cat([first, second], dim=1)
    got = attempt(carry, rnn, first, second)
    if isinstance(got, tuple):
        raise WrongAnswer("a layer returns output and h_n: the output alone is asked for.")
    with torch.no_grad():
        _, h_first = rnn(first)
        whole = rnn(both)[0]
        fresh = rnn(second)[0]
        h_second = rnn(second, h_first)[1]
    compare(
        "the output",
        got,
        whole[:, T:],
        {
            "the second piece starts from zeros: hand it the state that the first one left.": fresh,
            "this is the output for the first piece.": whole[:, :T],
            "this is the output for both pieces: the second alone is asked for.": whole,
            "this is the last state: the output of every step is asked for.": h_second,
            "this is the last step: the output of every step is asked for.": whole[:, -1],
        },
        tolerance=1e-5,
    )
    if not got.requires_grad:
        raise WrongAnswer(
            "nothing can be learned from this output: detach the state between the pieces, and "
            "nothing else."
        )

    def gradient(output: Tensor) -> Tensor:
        weights = [rnn.weight_ih_l0, rnn.weight_hh_l0]
        return torch.cat([g.flatten() for g in torch.autograd.grad(output.sum(), weights)])

    compare(
        "the gradient of the second piece's output",
        gradient(got),
        gradient(rnn(second, h_first)[0]),
        {
            "the gradient still runs back into the first piece: detach the state in between.": (
                gradient(rnn(both)[0][:, T:])
            )
        },
        tolerance=1e-4,
    )
