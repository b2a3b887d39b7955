"""What a case is: a mistake in its fewest lines, its symptom and repair, the check that sees it."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

D, K, V = 3, 4, 7
"""Features, outputs and symbols of every case: sizes unlike each other."""

Told = dict[str, object]


def features(generator: torch.Generator, N: int = 6, T: int = 10) -> Tensor:
    """Draw a batch of features, (N, T, D)."""
    return torch.randn(N, T, D, generator=generator)


def plain(generator: torch.Generator) -> Told:
    """Features, samples first."""
    return {"example": features(generator), "batch_first": True}


def padded(generator: torch.Generator) -> Told:
    """Features of several lengths, padded with zeros."""
    x = features(generator)
    lengths = torch.tensor([10, 4, 7, 9, 2, 6])
    x = x * (torch.arange(10) < lengths[:, None])[..., None]
    return {"example": x, "lengths": lengths, "batch_first": True}


def next_symbol(generator: torch.Generator) -> Told:
    """Symbols, and as targets those that follow."""
    text = torch.randint(V, (6, 11), generator=generator)
    return {
        "example": text[:, :-1],
        "targets": text[:, 1:],
        "batch_first": True,
    }


def classes(K: int, generator: torch.Generator) -> Told:
    """Features, and a class for each sequence, the last among them."""
    y = torch.randint(K, (6,), generator=generator)
    y[0] = K - 1
    return {
        "example": features(generator),
        "targets": y,
        "batch_first": True,
    }


@dataclass(frozen=True)
class Case:
    """A mistake, and its repair.

    Attributes
    ----------
    name : str
    group : str
        Where one would look: "data", "shapes", "gradient", "time", "scale", "padding",
        "evaluation".
    symptom : str
        What its author sees.
    check : str
        The check that must name it.
    faulty, repaired : callable
        From the hidden size to a model; of a mistake in the data, both are the same.
    told : callable
        From a generator to what `examine` is told beside the model, the example among it.
    told_repaired : callable or None
        The same for the repaired form, where it differs.
    verdict : {"sick", "note"}
        What the check must say.
    """

    name: str
    group: str
    symptom: str
    check: str
    faulty: Callable[[int], nn.Module]
    repaired: Callable[[int], nn.Module]
    told: Callable[[torch.Generator], Told] = plain
    told_repaired: Callable[[torch.Generator], Told] | None = None
    verdict: str = "sick"

    def sick_form(self, hidden_size: int, generator: torch.Generator) -> tuple[nn.Module, Told]:
        """Make the faulty model, and what `examine` is told."""
        return self.faulty(hidden_size), self.told(generator)

    def sound_form(self, hidden_size: int, generator: torch.Generator) -> tuple[nn.Module, Told]:
        """Make the repaired model, and what `examine` is told."""
        return self.repaired(hidden_size), (self.told_repaired or self.told)(generator)
