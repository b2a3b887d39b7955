"""Count: as many b as there were a."""

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_sample
from rnnlib.data.lengths import IGNORE_INDEX
from rnnlib.data.tasks.chance import entropy


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
        return entropy(count for count in ((self.min_n + self.max_n) / 2 - 1, 1) if count)

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
