"""Sequence tasks made on the spot, each with the loss that an answer without the input would get.

A task is a frozen dataclass. ``sample(batch_size, generator)`` draws a batch on the CPU, batch
first: inputs x (N, T, D) and targets y. ``chance`` is the line to draw in a plot of the loss: a
model above it has learnt nothing, one well below it has read its input.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Integral

import torch
from torch import Tensor
from torch.nn.functional import one_hot

IGNORE_INDEX = -100
"""The target of a step without an answer: what ``cross_entropy`` leaves out unless told not to."""


def _integer(name: str, value, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise TypeError(f"{name}: expected an int, got {type(value).__name__}")
    if value < least:
        raise ValueError(f"{name}: expected at least {least}, got {value}")
    return int(value)


def _check_sample(batch_size, generator) -> None:
    _integer("batch_size", batch_size, least=1)
    if generator is not None and not isinstance(generator, torch.Generator):
        raise TypeError(
            f"generator: expected a torch.Generator or None, got {type(generator).__name__}; "
            "torch.Generator().manual_seed(seed) makes one from a seed"
        )
    if generator is not None and generator.device.type != "cpu":
        raise ValueError(
            f"generator: expected one on the CPU, got one on {generator.device}; "
            "draw on the CPU and move the batch, so that every device sees the same numbers"
        )


def _entropy(counts: Iterable[int]) -> float:
    """Entropy in nats of the distribution that has these counts, zeros left out."""
    counts = list(counts)
    total = sum(counts)
    return sum(n / total * math.log(total / n) for n in counts)


@dataclass(frozen=True, kw_only=True)
class Echo:
    """Say again what was heard `delay` steps ago: y_t = x_{t - delay}.

    The inputs are independent standard normal numbers, so nothing but memory helps. With a
    negative delay the answer lies in the future (``delay=-1`` asks for y_t = x_{t+1}), and only a
    model that also reads backwards can give it. The loss is the mean squared error.

    Parameters
    ----------
    num_steps : int
        T, the length of every sequence.
    delay : int
        How far back the answer lies; between -(T - 1) and T - 1.

    Raises
    ------
    TypeError
        If a field is not an integer.
    ValueError
        If `num_steps` is below 1, or no step would have an answer.
    """

    num_steps: int
    delay: int

    def __post_init__(self):
        T = _integer("num_steps", self.num_steps, least=1)
        if isinstance(self.delay, bool) or not isinstance(self.delay, Integral):
            raise TypeError(f"delay: expected an int, got {type(self.delay).__name__}")
        if abs(self.delay) >= T:
            raise ValueError(
                f"delay: expected between {1 - T} and {T - 1} for {T} steps, got {self.delay}"
            )

    @property
    def mask(self) -> Tensor:
        """Which steps have an answer: bool, (T,). The others have the target 0."""
        source = torch.arange(self.num_steps, device="cpu") - self.delay
        return (source >= 0) & (source < self.num_steps)

    @property
    def chance(self) -> float:
        """Mean squared error, over all T steps, of the best constant, 0.

        Each of the T - abs(delay) steps of `mask` costs 1, the variance of the inputs, and the
        others nothing. Over the steps of `mask` alone, chance is therefore 1.
        """
        return (self.num_steps - abs(self.delay)) / self.num_steps

    def sample(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw a batch.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        x : Tensor, (N, T, 1)
        y : Tensor, (N, T, 1)
            0 at the steps without an answer.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        _check_sample(batch_size, generator)
        x = torch.randn(batch_size, self.num_steps, 1, generator=generator, device="cpu")
        t = torch.arange(self.num_steps, device="cpu")[self.mask]
        y = torch.zeros_like(x)
        y[:, t] = x[:, t - self.delay]
        return x, y


@dataclass(frozen=True, kw_only=True)
class NextSymbol:
    """Name the symbol that follows, along one fixed sequence.

    Read as a ring, the sequence is followed by its own beginning: *hello* asks for *elloh*, five
    answers to five symbols. The loss is the cross-entropy in nats, averaged over the steps.

    Parameters
    ----------
    symbols : Tensor (T,) or sequence of int
        The sequence as indices 0 … V-1; kept as a tuple.
    num_symbols : int
        V.
    cyclic : bool, default True
        Whether the last symbol is followed by the first. If not, the last one is only a target:
        inputs and targets are then one shorter than the sequence.

    Raises
    ------
    TypeError
        If the symbols are not integers.
    ValueError
        If a symbol lies outside 0 … V-1, or there are too few to ask for a next one.
    """

    symbols: tuple[int, ...]
    num_symbols: int
    cyclic: bool = True

    def __post_init__(self):
        V = _integer("num_symbols", self.num_symbols, least=1)
        symbols = self.symbols
        if isinstance(symbols, Tensor):
            if symbols.dim() != 1:
                raise ValueError(f"symbols: expected shape (T,), got {tuple(symbols.shape)}")
            symbols = symbols.tolist()
        if isinstance(symbols, str) or not isinstance(symbols, Iterable):
            raise TypeError(
                f"symbols: expected a sequence of int, got {type(self.symbols).__name__}; "
                "a Vocabulary turns text into indices"
            )
        symbols = tuple(_integer(f"symbols[{i}]", n, least=0) for i, n in enumerate(symbols))
        if symbols and max(symbols) >= V:
            raise ValueError(f"symbols: expected indices below {V}, got {max(symbols)}")
        least = 1 if self.cyclic else 2
        if len(symbols) < least:
            raise ValueError(f"symbols: expected {least} of them or more, got {len(symbols)}")
        object.__setattr__(self, "symbols", symbols)

    @property
    def inputs(self) -> tuple[int, ...]:
        """The symbols that are shown, in order: T of them."""
        return self.symbols if self.cyclic else self.symbols[:-1]

    @property
    def targets(self) -> tuple[int, ...]:
        """The symbols that are asked for: T of them."""
        return self.symbols[1:] + (self.symbols[:1] if self.cyclic else ())

    @property
    def chance(self) -> float:
        """Cross-entropy of the best answer that ignores the input: the targets' entropy."""
        return _entropy(Counter(self.targets).values())

    @property
    def memoryless_floor(self) -> float:
        """Cross-entropy of the best answer that sees the present symbol and nothing before it.

        It is the entropy of the next symbol given the present one, for *hello* 2 ln 2 / 5: after
        an *l* comes an *l* or an *o*, and two of the five steps show an *l*.
        """
        T = len(self.inputs)
        followers: dict[int, Counter] = {}
        for symbol, target in zip(self.inputs, self.targets, strict=True):
            followers.setdefault(symbol, Counter())[target] += 1
        return sum(n.total() / T * _entropy(n.values()) for n in followers.values())

    def sample(
        self, batch_size: int = 1, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Give the sequence, `batch_size` times over: nothing here is random.

        Parameters
        ----------
        batch_size : int, default 1
            N.
        generator : torch.Generator, optional
            Taken so that all tasks are called alike; not used.

        Returns
        -------
        x : Tensor, (N, T, V)
            One-hot.
        y : Tensor of int64, (N, T)

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        _check_sample(batch_size, generator)
        x = one_hot(torch.tensor(self.inputs, device="cpu"), self.num_symbols)
        y = torch.tensor(self.targets, device="cpu")
        x = x.to(torch.get_default_dtype())
        return x.repeat(batch_size, 1, 1), y.repeat(batch_size, 1)


@dataclass(frozen=True, kw_only=True)
class NextRandomSymbol:
    """Name the symbol that follows, where every symbol is drawn at random: y_t = x_{t+1}.

    The past says nothing about the answer. A model that reads from left to right stays at chance;
    one that also reads from right to left can be right at every step but the last, which has no
    answer. The loss is the cross-entropy in nats over the steps that have one.

    Parameters
    ----------
    num_symbols : int
        V, at least 2.
    num_steps : int
        T, at least 2.

    Raises
    ------
    TypeError
        If a field is not an integer.
    ValueError
        If it is below 2.
    """

    num_symbols: int
    num_steps: int

    def __post_init__(self):
        _integer("num_symbols", self.num_symbols, least=2)
        _integer("num_steps", self.num_steps, least=2)

    @property
    def chance(self) -> float:
        """Cross-entropy of the uniform distribution: ln V."""
        return math.log(self.num_symbols)

    @property
    def chance_accuracy(self) -> float:
        """Share of right answers among blind guesses: 1 / V."""
        return 1 / self.num_symbols

    def sample(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw a batch.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        x : Tensor, (N, T, V)
            One-hot.
        y : Tensor of int64, (N, T)
            -100 at the last step, which ``cross_entropy`` leaves out.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        _check_sample(batch_size, generator)
        shape = (batch_size, self.num_steps)
        symbols = torch.randint(self.num_symbols, shape, generator=generator, device="cpu")
        y = torch.full_like(symbols, IGNORE_INDEX)
        y[:, :-1] = symbols[:, 1:]
        return one_hot(symbols, self.num_symbols).to(torch.get_default_dtype()), y


@dataclass(frozen=True, kw_only=True)
class TemporalOrder:
    """Say in which order two rare symbols came, long after the first of them.

    A sequence is made of the distractors c, d, e and f, drawn at random, except for two steps: each
    of these shows an A or a B. The first stands at a step between T/10 and 2T/10, the second at
    one between 4T/10 and 5T/10, ends included. After step T, and only then, the class is asked
    for: AA, AB, BA or BB. The loss is the cross-entropy in nats.

    Parameters
    ----------
    num_steps : int
        T, at least 10.

    Attributes
    ----------
    symbols : str
        The six symbols in the order of the inputs' D = 6 features.
    classes : tuple of str
        The four classes in the order of the targets.

    Raises
    ------
    TypeError
        If `num_steps` is not an integer.
    ValueError
        If it is below 10.

    Notes
    -----
    Task 6a of Hochreiter and Schmidhuber [1]_, in the form of Pascanu et al. [2]_, which has no
    symbols for the beginning and the end.

    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9
       (1997), 1735-1780.
    .. [2] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013.
    """

    num_steps: int

    symbols = "ABcdef"
    classes = ("AA", "AB", "BA", "BB")

    def __post_init__(self):
        _integer("num_steps", self.num_steps, least=10)

    @property
    def windows(self) -> tuple[range, range]:
        """The steps, counted from 1, among which the first and the second A or B are drawn."""
        T = self.num_steps
        # -(-a // b) rounds a / b up.
        return range(-(-T // 10), 2 * T // 10 + 1), range(-(-4 * T // 10), 5 * T // 10 + 1)

    @property
    def chance(self) -> float:
        """Cross-entropy of the uniform distribution over the four classes: ln 4."""
        return math.log(len(self.classes))

    @property
    def chance_accuracy(self) -> float:
        """Share of right answers among blind guesses: 1/4."""
        return 1 / len(self.classes)

    def sample(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor]:
        """Draw a batch.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        x : Tensor, (N, T, 6)
            One-hot.
        y : Tensor of int64, (N,)
            The class, to be read from the last step: twice the first symbol plus the second, with
            A as 0 and B as 1.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        _check_sample(batch_size, generator)
        made = {"generator": generator, "device": "cpu"}
        symbols = torch.randint(2, 6, (batch_size, self.num_steps), **made)
        pair = torch.randint(2, (batch_size, 2), **made)
        for i, window in enumerate(self.windows):
            t = torch.randint(window.start, window.stop, (batch_size, 1), **made)
            symbols.scatter_(1, t - 1, pair[:, i : i + 1])
        y = 2 * pair[:, 0] + pair[:, 1]
        return one_hot(symbols, len(self.symbols)).to(torch.get_default_dtype()), y
