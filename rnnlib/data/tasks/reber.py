"""Predict the next symbol of a grammar that asks for its second symbol again at the end."""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from rnnlib.checks import check_integer, check_sample, check_string
from rnnlib.data.lengths import IGNORE_INDEX, pad
from rnnlib.data.tasks.chance import entropy

# Reber's graph: at each node the symbols that may follow, and the nodes they lead to.
_INNER = {
    0: {"B": 1},
    1: {"T": 2, "P": 3},
    2: {"S": 2, "X": 4},
    3: {"T": 3, "V": 5},
    4: {"X": 3, "S": 6},
    5: {"P": 4, "V": 6},
    6: {"E": 7},
}


def _embedded() -> dict:
    """Return the whole graph: a node is a name, or Reber's number with the outer symbol."""
    graph = {"start": {"B": "fork"}, "fork": {"T": ("T", 0), "P": ("P", 0)}}
    for outer in "TP":
        for node, edges in _INNER.items():
            graph[outer, node] = {symbol: (outer, to) for symbol, to in edges.items()}
        graph[outer, 7] = {outer: "last"}
    return graph | {"last": {"E": "end"}}


_GRAPH = _embedded()


def _visits() -> dict:
    """Return how often each node is left on the way through, in the mean."""
    nodes = list(_GRAPH)
    step = torch.zeros(len(nodes), len(nodes), dtype=torch.float64, device="cpu")
    for node, edges in _GRAPH.items():
        for to in edges.values():
            if to in _GRAPH:
                step[nodes.index(node), nodes.index(to)] += 1 / len(edges)
    start = torch.zeros(len(nodes), dtype=torch.float64, device="cpu")
    start[0] = 1.0
    whole = torch.eye(len(nodes), dtype=torch.float64, device="cpu") - step.T
    return dict(zip(nodes, torch.linalg.solve(whole, start).tolist(), strict=True))


def _coins(generator: torch.Generator | None) -> Iterator[int]:
    """Yield 0 or 1 without end; 64 at a time, which is faster than one by one."""
    while True:
        yield from torch.randint(2, (64,), generator=generator, device="cpu").tolist()


@dataclass(frozen=True, kw_only=True)
class EmbeddedReber:
    """Predict the next symbol of an embedded Reber string.

    A string is B, then T or P, then a string of Reber's grammar (from B to E, 5 symbols or more),
    then the same T or P again, and E. Where the graph forks, both ways are as likely. At every
    symbol the next one is asked for. The last T or P needs a memory of the second symbol, 6 steps
    back or more. The loss is the cross-entropy in nats over the real steps.

    Attributes
    ----------
    symbols : str
        The V = 7 symbols in the order of the inputs' features and of the classes.

    Notes
    -----
    Experiment 1 of Hochreiter and Schmidhuber [1]_. A string counts there as right if "the output
    unit(s) corresponding to the possible next symbol(s) is(are) always the most active ones".

    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9
       (1997), 1735-1780.
    """

    symbols = "BTPSXVE"

    @property
    def mean_length(self) -> float:
        """Mean number of symbols in a string: 12."""
        return sum(_visits().values())

    @property
    def chance(self) -> float:
        """Cross-entropy of the best answer that ignores the input: of the symbols' shares.

        A string's first symbol is never asked for.
        """
        shares = dict.fromkeys(self.symbols, 0.0)
        for node, times in _visits().items():
            for symbol in _GRAPH[node] if node != "start" else ():
                shares[symbol] += times / len(_GRAPH[node])
        return entropy(shares.values())

    @property
    def floor(self) -> float:
        """Cross-entropy of the best answer that knows the whole string so far."""
        visits = {node: times for node, times in _visits().items() if node != "start"}
        asked = sum(visits.values())
        return sum(n / asked * entropy([1] * len(_GRAPH[node])) for node, n in visits.items())

    def strings(self, number: int, generator: torch.Generator | None = None) -> list[str]:
        """Draw strings.

        Parameters
        ----------
        number : int
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        list of str

        Raises
        ------
        TypeError, ValueError
            For a number that is no positive integer, or an unsuitable generator.
        """
        check_sample(number, generator)
        coins, made = _coins(generator), []
        for _ in range(number):
            node, text = "start", ""
            while node in _GRAPH:
                edges = list(_GRAPH[node].items())
                symbol, node = edges[next(coins) if len(edges) > 1 else 0]
                text += symbol
            made.append(text)
        return made

    def possible(self, text: str) -> Tensor:
        """Say which symbols may follow each symbol of a text, one string after the other.

        Parameters
        ----------
        text : str
            Strings of the grammar without anything between; the last one may be cut short.

        Returns
        -------
        Tensor of bool, (T, 7)
            Behind a string's last E only the B of the next one may follow.

        Raises
        ------
        ValueError
            At the first symbol that the grammar does not allow.
        """
        rows, node = [], "start"
        for t, symbol in enumerate(text):
            if symbol not in _GRAPH[node]:
                allowed = " or ".join(_GRAPH[node])
                raise ValueError(f"text: expected {allowed} at step {t + 1}, got {symbol!r}")
            node = _GRAPH[node][symbol]
            node = "start" if node == "end" else node
            rows.append([other in _GRAPH[node] for other in self.symbols])
        return torch.tensor(rows, device="cpu").reshape(-1, len(self.symbols))

    def encode(self, text: str) -> Tensor:
        """Return the indices of a text's symbols, (T,), int64.

        Raises
        ------
        TypeError, ValueError
            For what is no string, and for a symbol that the grammar does not have.
        """
        check_string("text", text)
        for symbol in text:
            if symbol not in self.symbols:
                raise ValueError(f"text: expected symbols of {self.symbols!r}, got {symbol!r}")
        return torch.tensor(
            [self.symbols.index(symbol) for symbol in text], dtype=torch.int64, device="cpu"
        )

    def batch(self, strings: list[str]) -> tuple[Tensor, Tensor, Tensor]:
        """Write out strings as inputs and targets.

        Parameters
        ----------
        strings : list of N str

        Returns
        -------
        x : Tensor, (N, T, 7)
            One-hot, without each string's last symbol; zeros behind the end of a shorter one.
        y : Tensor of int64, (N, T)
            The next symbols; -100 in the padding, which ``cross_entropy`` leaves out.
        lengths : Tensor of int64, (N,)

        Raises
        ------
        TypeError, ValueError
            As `encode`, for each string.
        """
        indices = [self.encode(text) for text in strings]
        dtype = torch.get_default_dtype()
        x, lengths = pad([one_hot(i[:-1], len(self.symbols)).to(dtype) for i in indices])
        return x, pad([i[1:] for i in indices], IGNORE_INDEX)[0], lengths

    def sample(
        self, batch_size: int, generator: torch.Generator | None = None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw a padded batch, as `batch` writes it.

        Parameters
        ----------
        batch_size : int
            N.
        generator : torch.Generator, optional
            On the CPU; by default torch's global one.

        Returns
        -------
        x, y, lengths : Tensors, (N, T, 7), (N, T) and (N,)

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        return self.batch(self.strings(batch_size, generator))

    def right(self, scores: Tensor, text: str) -> Tensor:
        """Tell at which steps of a text the possible next symbols have the largest scores.

        Parameters
        ----------
        scores : Tensor, (T, 7)
            What a model says after each symbol; rows behind the text's are not looked at.
        text : str
            One string, or several without anything between.

        Returns
        -------
        Tensor of bool, (T,)
            Whether every possible symbol has a larger score than every impossible one. The last
            step of a string, after which nothing of it follows, asks for B.

        Raises
        ------
        ValueError
            For scores of another shape.
        """
        V = len(self.symbols)
        if scores.dim() != 2 or scores.size(0) < len(text) or scores.size(1) != V:
            raise ValueError(
                f"scores: expected ({len(text)}, {V}), or more rows, got {tuple(scores.shape)}"
            )
        return self.leading(scores[: len(text)].detach().cpu(), self.possible(text))

    @staticmethod
    def leading(scores: Tensor, possible: Tensor) -> Tensor:
        """Tell where the possible symbols have the largest scores.

        Parameters
        ----------
        scores : Tensor, (…, V)
        possible : Tensor of bool, (…, V)

        Returns
        -------
        Tensor of bool, (…)
            Whether every possible symbol has a larger score than every impossible one.
        """
        least = scores.masked_fill(~possible, torch.inf).amin(dim=-1)
        most = scores.masked_fill(possible, -torch.inf).amax(dim=-1)
        return least > most


@dataclass(frozen=True, kw_only=True)
class ContinualReber:
    """Predict the next symbol of embedded Reber strings that follow one another without end.

    Nothing marks where a string ends but its own E. The loss is the cross-entropy in nats.

    Parameters
    ----------
    num_steps : int
        T, how many symbols of a stream are drawn.

    Attributes
    ----------
    grammar : EmbeddedReber

    Raises
    ------
    TypeError
        If `num_steps` is not an integer.
    ValueError
        If it is below 1.

    Notes
    -----
    The first experiment of Gers, Schmidhuber and Cummins [1]_.

    .. [1] F. A. Gers, J. Schmidhuber and F. Cummins, "Learning to forget: continual prediction
       with LSTM", Neural Computation 12 (2000), 2451-2471.
    """

    num_steps: int

    grammar = EmbeddedReber()

    def __post_init__(self):
        check_integer("num_steps", self.num_steps, least=1)

    @property
    def chance(self) -> float:
        """Cross-entropy of the best answer that ignores the input: of the symbols' shares."""
        shares = dict.fromkeys(self.grammar.symbols, 0.0)
        for node, times in _visits().items():
            for symbol in _GRAPH[node]:
                shares[symbol] += times / len(_GRAPH[node])
        return entropy(shares.values())

    @property
    def floor(self) -> float:
        """Cross-entropy of the best answer that knows the whole stream so far."""
        visits = _visits()
        asked = sum(visits.values())
        return sum(n / asked * entropy([1] * len(_GRAPH[node])) for node, n in visits.items())

    def streams(self, number: int, generator: torch.Generator | None = None) -> list[str]:
        """Draw streams of T + 1 symbols, each from the beginning of a string.

        Raises
        ------
        TypeError, ValueError
            For a number that is no positive integer, or an unsuitable generator.
        """
        check_sample(number, generator)
        made = []
        for _ in range(number):
            text = ""
            while len(text) <= self.num_steps:
                left = self.num_steps + 1 - len(text)
                text += "".join(self.grammar.strings(left // 9 + 1, generator))
            made.append(text[: self.num_steps + 1])
        return made

    def batch(self, streams: list[str]) -> tuple[Tensor, Tensor]:
        """Write out streams of equal length as inputs, (N, T, 7), and targets, (N, T)."""
        indices = torch.stack([self.grammar.encode(text) for text in streams])
        x = one_hot(indices[:, :-1], len(self.grammar.symbols))
        return x.to(torch.get_default_dtype()), indices[:, 1:].contiguous()

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
        x : Tensor, (N, T, 7)
            One-hot.
        y : Tensor of int64, (N, T)

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        return self.batch(self.streams(batch_size, generator))
