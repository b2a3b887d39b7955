"""Data: numbers that can't be learned from, and targets that don't fit."""

import torch
from torch import nn

from rnnlib.doctor.cases.case import Case, Told, classes, features, plain
from rnnlib.doctor.cases.networks import Classifier


def _one_hot(symbols: list[str]):
    index = {symbol: i for i, symbol in enumerate(symbols)}

    def told(generator: torch.Generator) -> Told:
        x = torch.eye(len(symbols))[torch.tensor([[index[c] for c in "hello"]])]
        return {"example": x, "batch_first": True}

    return told


class OfOneHot(nn.Module):
    """Reads one-hot rows of five or of four symbols."""

    def __init__(self, H):
        super().__init__()
        self.rnn = nn.LazyLinear(H) if H == 0 else nn.RNN(5, H, batch_first=True)

    def forward(self, x):
        """Answer at every step."""
        return self.rnn(nn.functional.pad(x, (0, 5 - x.size(-1))))[0]


def _pixels(most: float):
    def told(generator: torch.Generator) -> Told:
        x = torch.randint(256, (6, 10, 28), generator=generator) * (most / 255)
        return {
            "example": x - most / 2 if most == 1 else x,
            "batch_first": True,
        }

    return told


def _gap(generator: torch.Generator) -> Told:
    x = features(generator)
    x[2, 3, 1] = float("nan")
    return {"example": x, "batch_first": True}


class OfRows(nn.Module):
    """Reads an image row by row."""

    def __init__(self, H):
        super().__init__()
        self.rnn = nn.RNN(28, H, batch_first=True)
        self.readout = nn.Linear(H, 10)

    def forward(self, x):
        """Answer from the last row."""
        return self.readout(self.rnn(x)[0][:, -1])


CASES = (
    Case(
        "a symbol counted twice",
        "data",
        "One class is never right, and never wrong.",
        "data",
        OfOneHot,
        OfOneHot,
        _one_hot(list("hello")),
        _one_hot(sorted(set("hello"))),
        "note",
    ),
    Case(
        "a gap in the data",
        "data",
        "The loss is nan from the first update on.",
        "data",
        Classifier,
        Classifier,
        _gap,
        plain,
    ),
    Case(
        "pixels from 0 to 255",
        "data",
        "The loss falls a little, and stays.",
        "saturation",
        OfRows,
        OfRows,
        _pixels(255),
        _pixels(1),
    ),
    Case(
        "five scores for ten classes",
        "data",
        "Some batches raise, some pass.",
        "targets",
        lambda H: Classifier(H, 5),
        lambda H: Classifier(H, 10),
        lambda generator: classes(10, generator),
    ),
)
