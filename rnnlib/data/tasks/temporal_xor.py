"""Predict the next bit where every third is the exclusive or of the two before it."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_sample


@dataclass(frozen=True, kw_only=True)
class TemporalXor:
    """Predict the next bit of a stream in which every third follows from the two before it.

    Two bits are drawn, the third is their exclusive or (XOR), and so on. At every bit the next one
    is asked for; only every third can be known. The loss is the mean squared error.

    Parameters
    ----------
    num_steps : int
        T, at least 2.

    Raises
    ------
    TypeError
        If `num_steps` is not an integer.
    ValueError
        If it is below 2.

    Notes
    -----
    The first simulation of Elman [1]_.

    .. [1] J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990), 179-211.
    """

    num_steps: int

    def __post_init__(self):
        check_integer("num_steps", self.num_steps, least=2)

    @property
    def chance(self) -> float:
        """Mean squared error of the best constant, one half: every bit is as often 0 as 1."""
        return 0.25

    @property
    def floor(self) -> float:
        """Mean squared error of the best answer that knows the stream so far and its phase."""
        return 0.25 * (1 - self.known.float().mean().item())

    @property
    def known(self) -> Tensor:
        """Say of each step whether its target can be known: bool, (T,), true at every third."""
        return torch.arange(self.num_steps, device="cpu") % 3 == 1

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
        x, y : Tensor, (N, T, 1)
            Bits, 0.0 or 1.0; y_t is x_{t+1}.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        check_sample(batch_size, generator)
        thirds = self.num_steps // 3 + 1
        pairs = torch.randint(2, (batch_size, thirds, 2), generator=generator, device="cpu")
        bits = torch.cat([pairs, pairs.sum(dim=2, keepdim=True) % 2], dim=2)
        bits = bits.flatten(1)[:, : self.num_steps + 1, None].to(torch.get_default_dtype())
        return bits[:, :-1], bits[:, 1:]
