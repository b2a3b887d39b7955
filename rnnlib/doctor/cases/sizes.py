"""Sizes: numbers in the wrong place, and batches of one size only."""

import torch
from torch import nn

from rnnlib.doctor.cases.case import Case, D, Told, features
from rnnlib.doctor.cases.networks import Classifier, OneLayer


class TenLayers(OneLayer):
    """The number of outputs stands where the number of layers belongs."""

    def __init__(self, H, outputs=10):
        super().__init__(H, outputs)
        self.rnn = nn.LSTM(D, H, outputs, batch_first=True)


class FixedBatch(Classifier):
    """A first state made for the batch that was at hand."""

    def __init__(self, H):
        super().__init__(H)
        self.register_buffer("h_0", torch.zeros(1, 6, H))

    def forward(self, x):
        """Read all steps from h_0."""
        output, _ = self.rnn(x, self.h_0)
        return self.readout(output[:, -1])


class AnyBatch(Classifier):
    """A first state made of the input."""

    def forward(self, x):
        """Read all steps from zeros."""
        h_0 = x.new_zeros(1, len(x), self.rnn.hidden_size)
        output, _ = self.rnn(x, h_0)
        return self.readout(output[:, -1])


class Squeezed(Classifier):
    """Every axis of size 1 is thrown away, that of a single sample too."""

    def __init__(self, H):
        super().__init__(H, K=1)

    def forward(self, x):
        """One number for each sequence."""
        return super().forward(x).squeeze()


class SqueezedLast(Squeezed):
    """The last axis is thrown away, and no other."""

    def forward(self, x):
        """One number for each sequence."""
        return Classifier.forward(self, x).squeeze(-1)


def _values(shape: tuple[int, ...]):
    def told(generator: torch.Generator) -> Told:
        y = torch.randn(shape, generator=generator)
        return {
            "example": features(generator),
            "targets": y,
            "batch_first": True,
        }

    return told


CASES = (
    Case(
        "targets of another shape",
        "shapes",
        "The loss stops at the variance of the targets.",
        "targets",
        lambda H: Classifier(H, 1),
        lambda H: Classifier(H, 1),
        _values((6,)),
        _values((6, 1)),
    ),
    Case(
        "outputs given as layers",
        "shapes",
        "Chance, and many more parameters than expected.",
        "input",
        TenLayers,
        OneLayer,
    ),
    Case(
        "a state for one size of batch",
        "shapes",
        "It raises at the last batch of the epoch.",
        "sizes",
        FixedBatch,
        AnyBatch,
    ),
    Case(
        "squeeze without an axis",
        "shapes",
        "It raises, or broadcasts, for a batch of one.",
        "sizes",
        Squeezed,
        SqueezedLast,
    ),
)
