"""Name the symbol that follows, along one fixed sequence."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from rnnlib.checks import check_integer, check_sample
from rnnlib.data.tasks.chance import entropy


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
        return entropy(Counter(self.targets).values())

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
        return sum(n.total() / T * entropy(n.values()) for n in followers.values())

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
