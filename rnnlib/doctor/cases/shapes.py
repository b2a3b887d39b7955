"""Shapes: axes that are taken for one another."""

import torch
from torch import nn

from rnnlib.doctor.cases.case import (
    Case,
    D,
    K,
    Told,
    classes,
    next_symbol,
    plain,
)
from rnnlib.doctor.cases.networks import Characters, Classifier, Tagger


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
    """Both last states, (2, N, H), joined by a change of shape alone."""

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


class PlacedByBatch(Tagger):
    """What tells positions is added along the samples."""

    def positions(self, x):
        """Return a ramp along the first axis."""
        places = torch.arange(x.size(0), device=x.device).to(x)
        return places[:, None, None] / 10

    def forward(self, x):
        """Answer at every step."""
        return super().forward(x + self.positions(x))


class PlacedByStep(PlacedByBatch):
    """What tells positions is added along the steps."""

    def positions(self, x):
        """Return a ramp along the second axis."""
        return torch.arange(x.size(1), device=x.device).to(x)[:, None] / 10


class StackedFirst(nn.Module):
    """The answers of all steps, stacked along a new first axis."""

    def __init__(self, H):
        super().__init__()
        self.cell = nn.RNNCell(D, H)
        self.readout = nn.Linear(H, K)

    def answers(self, x):
        """Return the answers of the steps, one after the other."""
        h = x.new_zeros(len(x), self.cell.hidden_size)
        for x_t in x.unbind(1):
            h = self.cell(x_t, h)
            yield self.readout(h)

    def forward(self, x):
        """Answer at every step."""
        return torch.stack(list(self.answers(x)))


class StackedSecond(StackedFirst):
    """The answers of all steps, stacked along the axis of steps."""

    def forward(self, x):
        """Answer at every step."""
        return torch.stack(list(self.answers(x)), dim=1)


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


def _tagged(generator: torch.Generator) -> Told:
    return plain(generator) | {"targets": torch.randint(K, (6, 10), generator=generator)}


CASES = (
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
        "answers stacked along the first axis",
        "shapes",
        "Chance; flattened for the loss, all shapes fit.",
        "layout",
        StackedFirst,
        StackedSecond,
        _tagged,
    ),
    Case(
        "positions of samples",
        "shapes",
        "A sample is answered in another way at another place in the batch.",
        "mixing",
        PlacedByBatch,
        PlacedByStep,
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
)
