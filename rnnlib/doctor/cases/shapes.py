"""Shapes: axes that are taken for one another, and sizes in the wrong place."""

import torch
from torch import nn

from rnnlib.doctor.cases.case import Case, D, K, Told, classes, features, next_symbol
from rnnlib.doctor.cases.networks import Characters, Classifier, OneLayer, Tagger


class TenLayers(OneLayer):
    """The number of outputs stands where the number of layers belongs."""

    def __init__(self, H, outputs=10):
        super().__init__(H, outputs)
        self.rnn = nn.LSTM(D, H, outputs, batch_first=True)


class TimeFirstTagger(Tagger):
    """A layer that reads time first, given samples first."""

    def __init__(self, H):
        super().__init__(H)
        self.rnn = nn.RNN(D, H)


class Viewed(TimeFirstTagger):
    """Axes exchanged by view, which keeps the numbers in their order."""

    def forward(self, x):
        """Answer at every step."""
        N, T, D = x.shape
        output = self.rnn(x.reshape(T, N, D))[0]
        return self.readout(output).reshape(N, T, -1)


class Transposed(TimeFirstTagger):
    """Axes exchanged by transpose."""

    def forward(self, x):
        """Answer at every step."""
        output = self.rnn(x.transpose(0, 1))[0]
        return self.readout(output).transpose(0, 1)


class LastSample(Classifier):
    """The last sample, taken for the last step."""

    def forward(self, x):
        """Read all steps."""
        output, _ = self.rnn(x)
        return self.readout(output[-1])


class TwoWayByView(nn.Module):
    """Both last states, (2, N, H), put side by side by a change of shape alone."""

    def __init__(self, H):
        super().__init__()
        self.rnn = nn.RNN(D, H, batch_first=True, bidirectional=True)
        self.readout = nn.Linear(2 * H, K)

    def forward(self, x):
        """Read in both directions."""
        _, h_n = self.rnn(x)
        return self.readout(h_n.reshape(len(x), -1))


class TwoWayByCat(TwoWayByView):
    """Both last states, joined sample by sample."""

    def forward(self, x):
        """Read in both directions."""
        _, h_n = self.rnn(x)
        return self.readout(torch.cat([h_n[0], h_n[1]], dim=-1))


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


class OverSamples(Classifier):
    """Probabilities that sum to one over the samples of a batch."""

    def forward(self, x):
        """Return probabilities of the classes."""
        return super().forward(x).softmax(dim=0)


class OverClasses(Classifier):
    """Probabilities that sum to one over the classes."""

    def forward(self, x):
        """Return probabilities of the classes."""
        return super().forward(x).softmax(dim=-1)


class TimeFirstCharacters(Characters):
    """A layer that reads time first, given samples first."""

    def __init__(self, H):
        super().__init__(H)
        self.rnn = nn.RNN(5, H)


def _values(shape: tuple[int, ...]):
    def told(generator: torch.Generator) -> Told:
        y = torch.randn(shape, generator=generator)
        return {"example": features(generator), "targets": y, "batch_first": True}

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
        "softmax before the cross-entropy",
        "shapes",
        "The loss falls slowly, and never near 0.",
        "scores",
        OverClasses,
        Classifier,
        lambda generator: classes(K, generator),
    ),
    Case(
        "samples taken for steps",
        "shapes",
        "Chance, with features or symbols at each step.",
        "mixing",
        TimeFirstTagger,
        Tagger,
    ),
    Case(
        "samples taken for steps, in text",
        "shapes",
        "The loss stops at the entropy of the pairs of symbols.",
        "mixing",
        TimeFirstCharacters,
        Characters,
        next_symbol,
    ),
    Case(
        "view for transpose",
        "shapes",
        "All shapes are right, and nothing is learned.",
        "mixing",
        Viewed,
        Transposed,
    ),
    Case(
        "the last sample for the last step",
        "shapes",
        "The loss raises, or a batch of T sequences is answered.",
        "mixing",
        LastSample,
        Classifier,
    ),
    Case(
        "two last states by view",
        "shapes",
        "Accuracy changes with the size of the batch.",
        "mixing",
        TwoWayByView,
        TwoWayByCat,
    ),
    Case(
        "softmax over the samples",
        "shapes",
        "Accuracy changes with the size of the batch.",
        "mixing",
        OverSamples,
        Classifier,
        lambda generator: classes(K, generator),
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
