"""Say ten symbols again, long after they were shown."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from rnnlib.checks import check_integer, check_sample


@dataclass(frozen=True, kw_only=True)
class Copying:
    """Say ten symbols again, after a pause of T steps.

    A sequence has T + 20 steps: ten symbols, each one of eight; T - 1 blanks; a sign; and ten
    blanks, while the ten symbols are asked for in their order. Before that, blanks are asked for.
    The loss is the cross-entropy in nats, averaged over all T + 20 steps.

    Parameters
    ----------
    delay : int
        T, at least 1.

    Attributes
    ----------
    num_symbols : int
        10, the V of inputs and classes: eight symbols, the blank (8) and the sign (9).
    length : int
        10, how many symbols are to be kept.

    Raises
    ------
    TypeError
        If `delay` is not an integer.
    ValueError
        If it is below 1.

    Notes
    -----
    The copying problem of Hochreiter and Schmidhuber, as Arjovsky et al. [1]_ set it.

    .. [1] M. Arjovsky, A. Shah and Y. Bengio, "Unitary evolution recurrent neural networks",
       ICML 2016.
    """

    delay: int

    num_symbols, length = 10, 10

    def __post_init__(self):
        check_integer("delay", self.delay, least=1)

    @property
    def chance(self) -> float:
        """Cross-entropy of knowing when to speak, and guessing the symbols: 10 ln 8 / (T + 20)."""
        return self.length * math.log(8) / (self.delay + 2 * self.length)

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
        x : Tensor, (N, T + 20, 10)
            One-hot.
        y : Tensor of int64, (N, T + 20)

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        check_sample(batch_size, generator)
        shown = torch.randint(8, (batch_size, self.length), generator=generator, device="cpu")
        x = torch.full((batch_size, self.delay + 2 * self.length), 8, device="cpu")
        y = x.clone()
        x[:, : self.length], y[:, -self.length :] = shown, shown
        x[:, -self.length - 1] = 9
        return one_hot(x, self.num_symbols).to(torch.get_default_dtype()), y
