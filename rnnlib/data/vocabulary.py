"""The symbols of a text, and the numbers that stand for them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from rnnlib.checks import check_string


@dataclass(frozen=True)
class Vocabulary:
    """The symbols of a text, sorted, each with its index.

    Sorting by code point makes the indices the same in every process: the order of a ``set`` of
    strings is not, and a model saved with one order writes nonsense when read with another.

    Parameters
    ----------
    symbols : iterable of str
        Single characters, each once, in any order; kept sorted, as a tuple.

    Raises
    ------
    TypeError
        If a symbol is not a string.
    ValueError
        If there is none, one is longer than a character, or one occurs twice.

    Examples
    --------
    >>> vocabulary = Vocabulary.from_text("hello")
    >>> vocabulary.symbols
    ('e', 'h', 'l', 'o')
    >>> vocabulary.encode("hello")
    tensor([1, 0, 2, 2, 3])
    """

    symbols: tuple[str, ...]

    def __post_init__(self):
        symbols = tuple(self.symbols)
        for symbol in symbols:
            if not isinstance(symbol, str):
                raise TypeError(f"symbols: expected strings, got {type(symbol).__name__}")
            if len(symbol) != 1:
                raise ValueError(f"symbols: expected single characters, got {symbol!r}")
        if not symbols:
            raise ValueError("symbols: expected at least one, got none")
        twice = sorted(symbol for symbol, n in Counter(symbols).items() if n > 1)
        if twice:
            raise ValueError(
                f"symbols: expected each symbol once, got {', '.join(map(repr, twice))} more than "
                "once; Vocabulary.from_text collects the symbols of a text"
            )
        object.__setattr__(self, "symbols", tuple(sorted(symbols)))

    @classmethod
    def from_text(cls, text: str) -> "Vocabulary":
        """Collect the symbols that occur in a text.

        Parameters
        ----------
        text : str

        Returns
        -------
        Vocabulary

        Raises
        ------
        TypeError
            If `text` is not a string.
        ValueError
            If it is empty.
        """
        check_string("text", text)
        return cls(tuple(set(text)))

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def _index(self) -> dict[str, int]:
        return {symbol: index for index, symbol in enumerate(self.symbols)}

    def encode(self, text: str) -> Tensor:
        """Turn text into indices.

        Parameters
        ----------
        text : str
            T characters.

        Returns
        -------
        Tensor of int64, (T,)

        Raises
        ------
        TypeError
            If `text` is not a string.
        ValueError
            If it holds a symbol that the vocabulary does not know.
        """
        check_string("text", text)
        for position, symbol in enumerate(text):
            if symbol not in self._index:
                raise ValueError(
                    f"text: expected one of the {len(self)} symbols {''.join(self.symbols)!r}, "
                    f"got {symbol!r} at position {position}"
                )
        return torch.tensor([self._index[symbol] for symbol in text], dtype=torch.int64)

    def decode(self, indices: Tensor | Sequence[int]) -> str:
        """Turn indices back into text.

        Parameters
        ----------
        indices : Tensor (T,) or sequence of int

        Returns
        -------
        str
            T characters.

        Raises
        ------
        TypeError
            If the indices are not integers.
        ValueError
            If a tensor has more or fewer than one dimension.
        IndexError
            If one lies outside 0 … V-1.
        """
        indices = self._checked(indices)
        if indices.dim() != 1:
            raise ValueError(f"indices: expected shape (T,), got {tuple(indices.shape)}")
        return "".join(self.symbols[index] for index in indices.tolist())

    def one_hot(self, indices: Tensor | Sequence[int]) -> Tensor:
        """Write each index as a vector of zeros with a single 1.

        Parameters
        ----------
        indices : Tensor (T,), of any other shape, or sequence of int

        Returns
        -------
        Tensor, (T, V)
            In torch's default floating-point type; V is added as the last dimension.

        Raises
        ------
        TypeError
            If the indices are not integers.
        IndexError
            If one lies outside 0 … V-1.
        """
        vectors = torch.nn.functional.one_hot(self._checked(indices), len(self))
        return vectors.to(torch.get_default_dtype())

    def _checked(self, indices) -> Tensor:
        if not isinstance(indices, Tensor):
            try:
                # torch makes an empty list a tensor of floats
                indices = torch.as_tensor(indices, dtype=None if len(indices) else torch.int64)
            except (TypeError, ValueError, RuntimeError) as error:
                raise TypeError(
                    f"indices: expected a tensor or a sequence of int, got {indices!r}"
                ) from error
        if indices.is_floating_point() or indices.is_complex() or indices.dtype == torch.bool:
            raise TypeError(f"indices: expected integers, got {indices.dtype}")
        outside = indices[(indices < 0) | (indices >= len(self))]
        if outside.numel():
            raise IndexError(
                f"indices: expected 0 to {len(self) - 1} for {len(self)} symbols, "
                f"got {outside[0].item()}"
            )
        return indices.to(torch.int64)
