"""Name the symbol that follows, where the past says nothing about it."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from rnnlib.checks import check_integer, check_sample
from rnnlib.data.lengths import IGNORE_INDEX


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
