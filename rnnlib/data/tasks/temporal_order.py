"""Say in which order two rare symbols came, long after they were shown."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from rnnlib.checks import check_integer, check_sample


@dataclass(frozen=True, kw_only=True)
class TemporalOrder:
    """Say in which order two rare symbols came, long after the first of them.

    A sequence is made of the distractors c, d, e and f, drawn at random, except for two steps: each
    of these shows an A or a B. The first stands at a step between T/10 and 2T/10, the second at
    one between 4T/10 and 5T/10, ends included. After step T, and only then, the class is asked
    for: AA, AB, BA or BB. The loss is the cross-entropy in nats.

    Parameters
    ----------
    num_steps : int
        T, at least 10.

    Attributes
    ----------
    symbols : str
        The six symbols in the order of the inputs' D = 6 features.
    classes : tuple of str
        The four classes in the order of the targets.

    Raises
    ------
    TypeError
        If `num_steps` is not an integer.
    ValueError
        If it is below 10.

    Notes
    -----
    Task 6a of Hochreiter and Schmidhuber [1]_, in the form of Pascanu et al. [2]_, which has no
    symbols for the beginning and the end.

    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9
       (1997), 1735-1780.
    .. [2] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013.
    """

    num_steps: int

    symbols = "ABcdef"
    classes = ("AA", "AB", "BA", "BB")

    def __post_init__(self):
        check_integer("num_steps", self.num_steps, least=10)

    @property
    def windows(self) -> tuple[range, range]:
        """The steps, counted from 1, among which the first and the second A or B are drawn."""
        T = self.num_steps
        # -(-a // b) rounds a / b up.
        return range(-(-T // 10), 2 * T // 10 + 1), range(-(-4 * T // 10), 5 * T // 10 + 1)

    @property
    def chance(self) -> float:
        """Cross-entropy of the uniform distribution over the four classes: ln 4."""
        return math.log(len(self.classes))

    @property
    def chance_accuracy(self) -> float:
        """Share of right answers among blind guesses: 1/4."""
        return 1 / len(self.classes)

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
        x : Tensor, (N, T, 6)
            One-hot.
        y : Tensor of int64, (N,)
            The class, to be read from the last step: twice the first symbol plus the second, with
            A as 0 and B as 1.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        check_sample(batch_size, generator)
        made = {"generator": generator, "device": "cpu"}
        symbols = torch.randint(2, 6, (batch_size, self.num_steps), **made)
        pair = torch.randint(2, (batch_size, 2), **made)
        for i, window in enumerate(self.windows):
            t = torch.randint(window.start, window.stop, (batch_size, 1), **made)
            symbols.scatter_(1, t - 1, pair[:, i : i + 1])
        y = 2 * pair[:, 0] + pair[:, 1]
        return one_hot(symbols, len(self.symbols)).to(torch.get_default_dtype()), y
