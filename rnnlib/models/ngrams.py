"""Tables of counts that predict the next symbol: what a network that reads text must beat."""

import math
from collections import Counter, defaultdict

import numpy as np

from rnnlib.checks import check_size, check_string
from rnnlib.data.vocabulary import Vocabulary


class NGram:
    r"""Predict a symbol from the n - 1 symbols before it, by counting.

    The longer a context, the more it says, and the rarer it is. So the counts of all orders are
    interpolated, from the longest context down. With c a context, c' the same without its first
    symbol, and u(c) the number of different symbols that were seen after c,

    .. math::

       P_n(s \mid c) &= \frac{\mathrm{count}(c s) + u(c)\, P_{n-1}(s \mid c')}
                             {\mathrm{count}(c) + u(c)}, \\
       P_0(s) &= \frac{1}{V}.

    A context that has led to many different symbols may well lead to another, so more is left to
    the shorter one. Every symbol of the vocabulary has a positive probability everywhere, and the
    probabilities add up to 1.

    Parameters
    ----------
    text : str
        What is counted: the training part.
    order : int
        n: 1 counts single symbols, 2 pairs, 3 triples.
    vocabulary : Vocabulary
        The symbols that may come, V of them; also those that `text` does not hold.

    Raises
    ------
    TypeError, ValueError
        For an order that is no positive integer, or a text that is empty or holds other symbols.

    Notes
    -----
    The weights u(c) are method C of [1]_, interpolated.

    .. [1] I. H. Witten and T. C. Bell, "The zero-frequency problem", IEEE Transactions on
       Information Theory 37 (1991), 1085-1094.
    """

    def __init__(self, text: str, order: int, vocabulary: Vocabulary):
        self.order = check_size("order", order)
        self.vocabulary = vocabulary
        _check_text(text, vocabulary, least=1)
        # For each context, of 0 to n - 1 symbols, the counts of the symbols that followed it.
        self._followers: dict[str, Counter[str]] = defaultdict(Counter)
        for n in range(1, self.order + 1):
            pieces = Counter(text[i : i + n] for i in range(len(text) - n + 1))
            for piece, count in pieces.items():
                self._followers[piece[:-1]][piece[-1]] = count
        self._totals = {c: sum(counts.values()) for c, counts in self._followers.items()}

    def __repr__(self) -> str:
        return f"NGram(order {self.order}, {self.num_counts:,} counts)"

    @property
    def num_counts(self) -> int:
        """How many numbers the tables of all orders hold."""
        return sum(map(len, self._followers.values()))

    def probability(self, symbol: str, context: str, order: int | None = None) -> float:
        """Return P_n(symbol | context).

        Parameters
        ----------
        symbol : str
            A single symbol.
        context : str
            What stands before it, of any length; the last n - 1 symbols count.
        order : int, optional
            A smaller n than that of the tables.

        Returns
        -------
        float

        Raises
        ------
        ValueError
            If `symbol` is not in the vocabulary, or `order` is larger than that of the tables.
        """
        if symbol not in self.vocabulary.symbols:
            raise ValueError(f"symbol: expected one of the vocabulary's, got {symbol!r}")
        return self._probability(symbol, context, self._checked(order))

    def probabilities(self, context: str, order: int | None = None) -> np.ndarray:
        """Return P_n(s | context) for all symbols s, in their order, (V,). As `probability`."""
        order = self._checked(order)
        return np.array([self._probability(s, context, order) for s in self.vocabulary.symbols])

    def bits_per_symbol(self, text: str, order: int | None = None) -> float:
        """Measure what the predictions cost on a text: the mean of -log2 P.

        Parameters
        ----------
        text : str
            The first symbol is only a context; all others are predicted, each from those before.
        order : int, optional
            A smaller n than that of the tables.

        Returns
        -------
        float

        Raises
        ------
        TypeError, ValueError
            If `text` has fewer than two symbols or holds unknown ones, or for `order` as above.
        """
        order = self._checked(order)
        _check_text(text, self.vocabulary, least=2)
        bits = 0.0
        for t in range(1, len(text)):
            context = text[max(0, t - order + 1) : t]
            bits -= math.log2(self._probability(text[t], context, order))
        return bits / (len(text) - 1)

    def _probability(self, symbol: str, context: str, order: int) -> float:
        p = 1 / len(self.vocabulary)
        for n in range(1, order + 1):
            if n - 1 > len(context):
                break
            c = context[len(context) - (n - 1) :]
            followers = self._followers.get(c)
            if followers is None:
                # A context that was never seen: longer ones that end in it were not either.
                break
            u = len(followers)
            p = (followers[symbol] + u * p) / (self._totals[c] + u)
        return p

    def _checked(self, order: int | None) -> int:
        if order is None:
            return self.order
        if check_size("order", order) > self.order:
            raise ValueError(f"order: expected at most {self.order}, got {order}")
        return order


def _check_text(text: str, vocabulary: Vocabulary, least: int) -> None:
    check_string("text", text)
    if len(text) < least:
        raise ValueError(f"text: expected at least {least} symbols, got {len(text)}")
    if unknown := sorted(set(text) - set(vocabulary.symbols)):
        raise ValueError(
            f"text: expected symbols of the vocabulary, got {''.join(unknown)!r} besides"
        )
