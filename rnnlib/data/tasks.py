"""Sequence tasks made on the spot, each with the loss that an answer without the input would get.

A task is a frozen dataclass. ``sample(batch_size, generator)`` draws a batch on the CPU, batch
first: inputs x (N, T, D) and targets y, and lengths (N,) where sequences differ in length.
``chance`` is the line to draw in a plot of the loss: a model above it has learned nothing, one
well below it has read its input.
"""

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot
from torch.nn.utils.rnn import pad_sequence

from rnnlib.checks import check_integer, check_sample, check_tensor

IGNORE_INDEX = -100
"""The target of a step without an answer: what ``cross_entropy`` leaves out unless told not to."""


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
        T = check_integer("num_steps", self.num_steps, least=1)
        check_integer("delay", self.delay)
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
        check_sample(batch_size, generator)
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
        V = check_integer("num_symbols", self.num_symbols, least=1)
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
        symbols = tuple(check_integer(f"symbols[{i}]", n, least=0) for i, n in enumerate(symbols))
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
        check_sample(batch_size, generator)
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
        check_integer("num_symbols", self.num_symbols, least=2)
        check_integer("num_steps", self.num_steps, least=2)

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
        check_sample(batch_size, generator)
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
        check_integer("num_steps", self.num_steps, least=10)

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
        check_sample(batch_size, generator)
        made = {"generator": generator, "device": "cpu"}
        symbols = torch.randint(2, 6, (batch_size, self.num_steps), **made)
        pair = torch.randint(2, (batch_size, 2), **made)
        for i, window in enumerate(self.windows):
            t = torch.randint(window.start, window.stop, (batch_size, 1), **made)
            symbols.scatter_(1, t - 1, pair[:, i : i + 1])
        y = 2 * pair[:, 0] + pair[:, 1]
        return one_hot(symbols, len(self.symbols)).to(torch.get_default_dtype()), y


@dataclass(frozen=True, kw_only=True)
class Adding:
    """Add two marked numbers among many, long after they were shown.

    Every step shows a pair: a number, uniform between -1 and 1, and a marker. Two numbers, X1 and
    X2, have the marker 1. The first stands among the first ten steps, the second anywhere among
    the first T/2 - 1. The first and the last step have the marker -1, all others 0. After step T,
    and only then, 0.5 + (X1 + X2) / 4 is asked for, a number between 0 and 1. The loss is the mean
    squared error.

    Parameters
    ----------
    num_steps : int
        T, at least 20. The last T/2 steps hold nothing that matters.

    Attributes
    ----------
    criterion : float
        0.04: a sequence is solved if the absolute error at its end is below this.

    Raises
    ------
    TypeError
        If `num_steps` is not an integer.
    ValueError
        If it is below 20.

    Notes
    -----
    Experiment 4 of Hochreiter and Schmidhuber [1]_, with two simplifications. There a sequence's
    length is drawn between T and T + T/10; here it is T. There the first step may be drawn as
    well, and X1 is then set to 0; here it is never drawn.

    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9
       (1997), 1735-1780.
    """

    num_steps: int

    criterion = 0.04

    def __post_init__(self):
        check_integer("num_steps", self.num_steps, least=20)

    @property
    def windows(self) -> tuple[range, range]:
        """The steps, counted from 1, among which X1 and X2 are drawn; never the same step."""
        return range(2, 11), range(2, self.num_steps // 2)

    @property
    def chance(self) -> float:
        """Mean squared error of the best constant, 0.5: the variance of the target, 1/24."""
        return 1 / 24

    def solved(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Tell which sequences are solved: the absolute error is below `criterion`.

        Parameters
        ----------
        outputs, targets : Tensor, of one shape
            One number for each sequence, (N, 1) or (N,).

        Returns
        -------
        Tensor of bool, of the same shape
            Its mean is the share of sequences solved.

        Raises
        ------
        TypeError
            If one of the two is not a tensor.
        ValueError
            If their shapes differ; (N, 1) and (N,) would give N² errors.
        """
        for name, value in (("outputs", outputs), ("targets", targets)):
            check_tensor(name, value, TypeError)
        if outputs.shape != targets.shape:
            raise ValueError(
                f"outputs: expected the targets' shape {tuple(targets.shape)}, "
                f"got {tuple(outputs.shape)}"
            )
        return (outputs - targets).abs() < self.criterion

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
        x : Tensor, (N, T, 2)
            The numbers, and the markers -1, 0 or 1.
        y : Tensor, (N, 1)

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        check_sample(batch_size, generator)
        made = {"generator": generator, "device": "cpu"}
        numbers = 2 * torch.rand(batch_size, self.num_steps, **made) - 1
        first, second = self.windows
        t_1 = torch.randint(first.start, first.stop, (batch_size, 1), **made)
        # One step fewer to draw from, and those from t_1 on moved up by one.
        t_2 = torch.randint(second.start, second.stop - 1, (batch_size, 1), **made)
        t_2 = t_2 + (t_2 >= t_1)
        steps = torch.cat([t_1, t_2], dim=1) - 1
        markers = torch.zeros_like(numbers).scatter_(1, steps, 1.0)
        markers[:, [0, -1]] = -1.0
        y = 0.5 + numbers.gather(1, steps).sum(dim=1, keepdim=True) / 4
        return torch.stack([numbers, markers], dim=2), y


@dataclass(frozen=True, kw_only=True)
class AnBn:
    """Count: after ``^``, n times a and the first b, the rest is n - 1 times b and the end, ``$``.

    At every symbol the next one is predicted, and an answer is asked for where there is only one:
    from the first b on. Before it nobody can know how many a will come, and the targets there are
    -100. A sequence has 2 n + 1 inputs, and n answers. The loss is the cross-entropy in nats over
    the answers.

    Parameters
    ----------
    max_n : int
        The largest n that is drawn.
    min_n : int, default 1
        The smallest; every n between the two is as likely.

    Attributes
    ----------
    symbols : str
        The V = 4 symbols in the order of the inputs' features and of the classes.

    Raises
    ------
    TypeError
        If a field is not an integer.
    ValueError
        If `min_n` is below 1, or `max_n` below `min_n`.

    Notes
    -----
    The language with which Gers and Schmidhuber [1]_ tested whether an LSTM counts, and Weiss et
    al. [2]_ an LSTM beside a GRU. Theirs is the test, too: training stops at `max_n`, and longer
    strings are tried.

    .. [1] F. A. Gers and J. Schmidhuber, "LSTM recurrent networks learn simple context-free and
       context-sensitive languages", IEEE Transactions on Neural Networks 12 (2001), 1333-1340.
    .. [2] G. Weiss, Y. Goldberg and E. Yahav, "On the practical computational power of finite
       precision RNNs for language recognition", ACL 2018.
    """

    max_n: int
    min_n: int = 1

    symbols = "^ab$"

    def __post_init__(self):
        check_integer("min_n", self.min_n, least=1)
        check_integer("max_n", self.max_n, least=self.min_n)

    @property
    def chance(self) -> float:
        """Cross-entropy of the best answer that ignores the input.

        Of n answers n - 1 are b and one is the end, so it is the entropy of the end's share, one
        answer in the mean n.
        """
        return _entropy(count for count in ((self.min_n + self.max_n) / 2 - 1, 1) if count)

    def encode(self, lengths: Iterable[int]) -> tuple[Tensor, Tensor]:
        """Write out the sequences of given n, also such as are never drawn.

        Parameters
        ----------
        lengths : iterable of int
            N values of n.

        Returns
        -------
        x : Tensor, (N, T, 4)
            One-hot. T is 2 n + 1 for the largest n; behind the last b of a shorter sequence
            stand zeros.
        y : Tensor of int64, (N, T)
            -100 where no answer is asked for, which ``cross_entropy`` leaves out.

        Raises
        ------
        TypeError, ValueError
            If there is no n, or one that is no positive integer.
        """
        lengths = [check_integer(f"lengths[{i}]", n, least=1) for i, n in enumerate(lengths)]
        if not lengths:
            raise ValueError("lengths: expected at least one n, got none")
        return self._encode(lengths, 2 * max(lengths) + 1)

    def _encode(self, lengths: list[int], T: int) -> tuple[Tensor, Tensor]:
        a, b, end = (self.symbols.index(symbol) for symbol in "ab$")
        x = torch.zeros(len(lengths), T, len(self.symbols), device="cpu")
        y = torch.full((len(lengths), T), IGNORE_INDEX, device="cpu")
        x[:, 0, self.symbols.index("^")] = 1
        for row, n in enumerate(lengths):
            x[row, 1 : n + 1, a] = 1
            x[row, n + 1 : 2 * n + 1, b] = 1
            y[row, n + 1 : 2 * n] = b
            y[row, 2 * n] = end
        return x, y

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
        x : Tensor, (N, T, 4)
            One-hot, with T = 2 max_n + 1; zeros behind the last b of a shorter sequence.
        y : Tensor of int64, (N, T)
            -100 where no answer is asked for, which ``cross_entropy`` leaves out.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        check_sample(batch_size, generator)
        n = torch.randint(
            self.min_n, self.max_n + 1, (batch_size,), generator=generator, device="cpu"
        )
        return self._encode(n.tolist(), 2 * self.max_n + 1)

    def correct(self, scores: Tensor, n: int) -> bool:
        """Tell whether a sequence was answered without a mistake.

        Parameters
        ----------
        scores : Tensor, (T, 4)
            What a model says to the sequence of this n, one row for each step; rows behind its
            2 n + 1 steps are not looked at.
        n : int

        Returns
        -------
        bool
            Whether the largest score is the right one at each of the n answers.

        Raises
        ------
        TypeError, ValueError
            For an n that is no positive integer, and for scores of another shape.
        """
        check_integer("n", n, least=1)
        steps, V = 2 * n + 1, len(self.symbols)
        if scores.dim() != 2 or scores.size(0) < steps or scores.size(1) != V:
            raise ValueError(
                f"scores: expected ({steps}, {V}), or more rows, for n = {n}, "
                f"got {tuple(scores.shape)}"
            )
        _, y = self.encode([n])
        # A score that is no number is no answer: argmax would take it for the largest.
        said = scores[n + 1 : steps]
        right = said.argmax(dim=-1).cpu() == y[0, n + 1 :]
        return bool(right.all()) and bool(said.isfinite().all())


@dataclass(frozen=True, kw_only=True)
class AboveAverage:
    """Read a trip's diary, and say which days were warmer than its average, or what that was.

    A diary holds one temperature a day, in tens of degrees Celsius. Each trip has a climate of its
    own, uniform between 0 and 3, around which the days scatter with a standard deviation of 0.5.
    The lengths are log-uniform: about as many diaries of 2 or 3 days as of 30 to 60. The padding
    is 0, which is a temperature, too.

    Parameters
    ----------
    min_steps, max_steps : int
        The shortest and the longest diary, in days.
    answer : {"step", "sequence"}
        What is asked for: of each day whether it was warmer than the average of its own diary
        (cross-entropy), or the average itself (mean squared error).

    Attributes
    ----------
    climates : tuple of float
        (0, 3), between which a trip's climate is drawn.
    scatter : float
        0.5, the standard deviation of the days around it.

    Raises
    ------
    TypeError
        If a length is not an integer.
    ValueError
        If `min_steps` is below 2, `max_steps` below `min_steps`, or `answer` none of the two.
    """

    min_steps: int = 2
    max_steps: int = 60
    answer: str = "step"

    climates = (0.0, 3.0)
    scatter = 0.5

    def __post_init__(self):
        check_integer("min_steps", self.min_steps, least=2)
        check_integer("max_steps", self.max_steps, least=self.min_steps)
        if self.answer not in ("step", "sequence"):
            raise ValueError(f"answer: expected 'step' or 'sequence', got {self.answer!r}")

    @property
    def length_shares(self) -> dict[int, float]:
        """How often each length is drawn: ln((n + 1) / n), over its sum."""
        whole = math.log((self.max_steps + 1) / self.min_steps)
        return {n: math.log((n + 1) / n) / whole for n in range(self.min_steps, self.max_steps + 1)}

    @property
    def chance(self) -> float:
        """Loss of the best answer that ignores the input.

        For the steps it is ln 2, as a day is as often below the average as above it. For the
        sequences it is the variance of the average: that of the climate, and of the mean of n days
        around it.
        """
        if self.answer == "step":
            return math.log(2)
        low, high = self.climates
        mean_inverse = sum(share / n for n, share in self.length_shares.items())
        return (high - low) ** 2 / 12 + self.scatter**2 * mean_inverse

    @property
    def chance_accuracy(self) -> float | None:
        """Share of right answers among blind guesses: 1/2, or None where the answer is a value."""
        return 0.5 if self.answer == "step" else None

    def sequences(
        self, number: int, generator: torch.Generator | None = None
    ) -> tuple[list[Tensor], list[Tensor]]:
        """Draw sequences as they are, without padding.

        Parameters
        ----------
        number : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        xs : list of N Tensors, each (T_i, 1)
        ys : list of N Tensors
            Classes, each (T_i,) of int64, 1 for a warmer day; or the averages, each (1,).

        Raises
        ------
        TypeError, ValueError
            For a number that is no positive integer, or an unsuitable generator.
        """
        check_sample(number, generator)
        made = {"generator": generator, "device": "cpu"}
        spread = torch.rand(number, **made, dtype=torch.float64)
        spread = self.min_steps * ((self.max_steps + 1) / self.min_steps) ** spread
        lengths = spread.long().clamp(max=self.max_steps)
        low, high = self.climates
        climate = low + (high - low) * torch.rand(number, **made)
        days = climate.repeat_interleave(lengths)
        days = days + self.scatter * torch.randn(len(days), **made)
        xs = list(days[:, None].split(lengths.tolist()))
        if self.answer == "sequence":
            return xs, [x.mean(dim=0) for x in xs]
        return xs, [(x > x.mean()).long()[:, 0] for x in xs]

    def sample(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a padded batch.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        x : Tensor, (N, T, 1)
            T is the longest of the batch; 0 behind the end of a shorter sequence.
        y : Tensor
            Of int64, (N, T), with -100 in the padding, which ``cross_entropy`` leaves out; or
            the averages, (N, 1).
        lengths : Tensor of int64, (N,)

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        xs, ys = self.sequences(batch_size, generator)
        lengths = torch.tensor([len(x) for x in xs], device="cpu")
        x = pad_sequence(xs, batch_first=True)
        if self.answer == "sequence":
            return x, torch.stack(ys), lengths
        return x, pad_sequence(ys, batch_first=True, padding_value=IGNORE_INDEX), lengths
