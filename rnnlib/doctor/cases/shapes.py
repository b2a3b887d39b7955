"""Data and shapes: numbers that don't fit, and axes that are taken for one another."""

import torch
from torch import nn

from rnnlib.doctor.cases.case import Case, D, K, Told, V, features, next_symbol, plain


class Classifier(nn.Module):
    """One answer for each sequence."""

    def __init__(self, H, K=K):
        super().__init__()
        self.rnn = nn.RNN(D, H, batch_first=True)
        self.readout = nn.Linear(H, K)

    def forward(self, x):
        """Read all steps, answer from the last."""
        output, _ = self.rnn(x)
        return self.readout(output[:, -1])


class Tagger(nn.Module):
    """One answer for each step."""

    def __init__(self, H):
        super().__init__()
        self.rnn = nn.RNN(D, H, batch_first=True)
        self.readout = nn.Linear(H, K)

    def forward(self, x):
        """Answer at every step."""
        return self.readout(self.rnn(x)[0])


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


class TenLayers(nn.Module):
    """The number of outputs stands where the number of layers belongs."""

    def __init__(self, H, outputs=10):
        super().__init__()
        self.rnn = nn.LSTM(D, H, outputs, batch_first=True)
        self.readout = nn.Linear(H, outputs)

    def forward(self, x):
        """Answer at every step."""
        return self.readout(self.rnn(x)[0])


class OneLayer(TenLayers):
    """One layer."""

    def __init__(self, H, outputs=10):
        super().__init__(H, outputs)
        self.rnn = nn.LSTM(D, H, batch_first=True)


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


class Characters(nn.Module):
    """Symbols in, scores of the next symbol out."""

    def __init__(self, H):
        super().__init__()
        self.embedding = nn.Embedding(V, 5)
        self.rnn = nn.RNN(5, H, batch_first=True)
        self.readout = nn.Linear(H, V)

    def forward(self, x):
        """Score what follows each symbol."""
        return self.readout(self.rnn(self.embedding(x))[0])


class TimeFirstCharacters(Characters):
    """A layer that reads time first, given samples first."""

    def __init__(self, H):
        super().__init__(H)
        self.rnn = nn.RNN(5, H)


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


def _classes(K: int, generator: torch.Generator) -> Told:
    y = torch.randint(K, (6,), generator=generator)
    y[0] = K - 1
    return {"example": features(generator), "targets": y, "batch_first": True}


def _values(shape: tuple[int, ...]):
    def told(generator: torch.Generator) -> Told:
        y = torch.randn(shape, generator=generator)
        return {"example": features(generator), "targets": y, "batch_first": True}

    return told


def _pixels(most: float):
    def told(generator: torch.Generator) -> Told:
        x = torch.randint(256, (6, 10, 28), generator=generator) * (most / 255)
        return {"example": x - most / 2 if most == 1 else x, "batch_first": True}

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
        lambda generator: _classes(10, generator),
    ),
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
        lambda generator: _classes(K, generator),
    ),
    Case(
        "samples taken for steps",
        "shapes",
        "Chance, with features or symbols at each step.",
        "mixing",
        TimeFirstTagger,
        Tagger,
        plain,
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
        plain,
    ),
    Case(
        "the last sample for the last step",
        "shapes",
        "The loss raises, or a batch of T sequences is answered.",
        "mixing",
        LastSample,
        Classifier,
        plain,
    ),
    Case(
        "two last states by view",
        "shapes",
        "Accuracy changes with the size of the batch.",
        "mixing",
        TwoWayByView,
        TwoWayByCat,
        plain,
    ),
    Case(
        "softmax over the samples",
        "shapes",
        "Accuracy changes with the size of the batch.",
        "mixing",
        OverSamples,
        Classifier,
        lambda generator: _classes(K, generator),
    ),
    Case(
        "outputs given as layers",
        "shapes",
        "Chance, and many more parameters than expected.",
        "input",
        TenLayers,
        OneLayer,
        plain,
    ),
    Case(
        "a state for one size of batch",
        "shapes",
        "It raises at the last batch of the epoch.",
        "sizes",
        FixedBatch,
        AnyBatch,
        plain,
    ),
    Case(
        "squeeze without an axis",
        "shapes",
        "It raises, or broadcasts, for a batch of one.",
        "sizes",
        Squeezed,
        SqueezedLast,
        plain,
    ),
)
