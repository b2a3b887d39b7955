"""Add two marked numbers among many, long after they were shown."""

from dataclasses import dataclass

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_sample, check_tensor


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
