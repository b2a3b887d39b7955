"""Follow a ball under cups that change places."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from rnnlib.checks import check_integer, check_sample
from rnnlib.data.tasks.chance import entropy


@dataclass(frozen=True, kw_only=True)
class Cups:
    """Follow a ball under cups that change places: state tracking.

    The ball begins under the first of K cups. At every step nothing happens (move 0), or cup k and
    its right neighbour change places (move k), each as likely. After every step it is asked where
    the ball is. With two cups that is the parity of the swaps. The loss is the cross-entropy in
    nats over the steps.

    Parameters
    ----------
    num_cups : int
        K, at least 2: as many moves, and as many classes.
    num_steps : int
        T.

    Raises
    ------
    TypeError, ValueError
        For what are no such integers.
    """

    num_cups: int
    num_steps: int

    def __post_init__(self):
        check_integer("num_cups", self.num_cups, least=2)
        check_integer("num_steps", self.num_steps, least=1)

    @property
    def chance(self) -> float:
        """Cross-entropy of the best constant answer: the entropy of where the ball is, on average.

        It begins on the left, and it takes some steps until all places are as likely.
        """
        K = self.num_cups
        share = [1.0] + [0.0] * (K - 1)
        total = [0.0] * K
        for _ in range(self.num_steps):
            # From its place a ball is moved to each neighbour by one move of K; the rest leave it.
            beside = [[j for j in (k - 1, k + 1) if 0 <= j < K] for k in range(K)]
            share = [
                (share[k] * (K - len(near)) + sum(share[j] for j in near)) / K
                for k, near in enumerate(beside)
            ]
            total = [sum(pair) for pair in zip(total, share, strict=True)]
        return entropy(filter(None, total))

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
        x : Tensor, (N, T, K)
            The moves, one-hot.
        y : Tensor of int64, (N, T)
            The ball's place after each move, 0 … K-1.

        Raises
        ------
        TypeError, ValueError
            For a batch size that is no positive integer, or an unsuitable generator.
        """
        check_sample(batch_size, generator)
        K, drawn = self.num_cups, (batch_size, self.num_steps)
        moves = torch.randint(K, drawn, generator=generator, device="cpu")
        place, places = torch.zeros(batch_size, dtype=torch.int64, device="cpu"), []
        for move in moves.unbind(1):
            # Move k takes the ball from place k - 1 to k, and from k to k - 1.
            place = place + (move == place + 1).long() - ((move == place) & (move > 0)).long()
            places.append(place)
        return one_hot(moves, K).to(torch.get_default_dtype()), torch.stack(places, dim=1)
