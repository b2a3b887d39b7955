"""Say again what was heard some steps ago, or what will be heard some steps ahead."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_sample


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
