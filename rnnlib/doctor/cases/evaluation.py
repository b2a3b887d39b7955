"""Scale and evaluation: weights out of bounds, chance, and tensors in the wrong place."""

import torch
import torch.nn.functional as F
from torch import nn

from rnnlib.doctor.cases.case import Case, D, K
from rnnlib.doctor.cases.networks import ByHand, Classifier, Tagger


class Unscaled(ByHand):
    """Weights of standard deviation 1, whatever the size."""

    def __init__(self, H):
        super().__init__(max(H, 24))
        with torch.no_grad():
            self.W_hh.normal_()


class NoTanh(ByHand):
    """A step without its nonlinearity."""

    def step(self, x_t, h):
        """Compute the next state."""
        return x_t @ self.W_xh + 0.5 * h @ self.W_hh + self.b_h


class AlwaysDrops(Classifier):
    """Dropout that does not know of eval()."""

    def forward(self, x):
        """Answer from the last step."""
        return F.dropout(super().forward(x), 0.5)


class Drops(Classifier):
    """Dropout in training."""

    def forward(self, x):
        """Answer from the last step."""
        return F.dropout(super().forward(x), 0.5, training=self.training)


class RandomStart(Classifier):
    """A first state drawn at random, in every call."""

    def forward(self, x):
        """Answer from the last step."""
        h_0 = torch.randn(1, len(x), self.rnn.hidden_size).to(x)
        return self.readout(self.rnn(x, h_0)[0][:, -1])


class LazyDropout(nn.Module):
    """Dropout between layers, of which there is one."""

    def __init__(self, H):
        super().__init__()
        self.rnn = nn.GRU(D, H, batch_first=True)
        self.rnn.dropout = 0.5  # nn.GRU(…, dropout=0.5) says so, too
        self.readout = nn.Linear(H, K)

    def forward(self, x):
        """Answer at every step."""
        return self.readout(self.rnn(x)[0])


class ActiveDropout(LazyDropout):
    """Dropout between two layers."""

    def __init__(self, H):
        super().__init__(H)
        self.rnn = nn.GRU(D, H, 2, batch_first=True, dropout=0.5)


class ZerosOfTorch(Classifier):
    """A state in float32, on the CPU."""

    def forward(self, x):
        """Answer from the last step."""
        h_0 = torch.zeros(1, len(x), self.rnn.hidden_size)
        return self.readout(self.rnn(x, h_0)[0][:, -1])


class ZerosOnTheCPU(Classifier):
    """A state in the input's dtype, on the CPU."""

    def forward(self, x):
        """Answer from the last step."""
        h_0 = torch.zeros(1, len(x), self.rnn.hidden_size, dtype=x.dtype)
        return self.readout(self.rnn(x, h_0)[0][:, -1])


class ZerosOfInput(Classifier):
    """A state of the input's dtype, on its device."""

    def forward(self, x):
        """Answer from the last step."""
        h_0 = x.new_zeros(1, len(x), self.rnn.hidden_size)
        return self.readout(self.rnn(x, h_0)[0][:, -1])


class PlacesOnTheCPU(Tagger):
    """Steps are numbered on the CPU, and looked up in an embedding."""

    def __init__(self, H):
        super().__init__(H)
        self.places = nn.Embedding(100, D)

    def numbers(self, x):
        """Return the numbers of the steps."""
        return torch.arange(x.size(1))

    def forward(self, x):
        """Answer at every step."""
        return super().forward(x + self.places(self.numbers(x)))


class PlacesOfInput(PlacesOnTheCPU):
    """Steps are numbered where the input is."""

    def numbers(self, x):
        """Return the numbers of the steps."""
        return torch.arange(x.size(1), device=x.device)


class LooseConstant(Tagger):
    """The scale of the inputs, kept as a tensor."""

    def __init__(self, H):
        super().__init__(H)
        self.scale = torch.linspace(0.5, 1.5, D)

    def forward(self, x):
        """Answer at every step."""
        return super().forward(x * self.scale)


class Buffer(LooseConstant):
    """The scale of the inputs, kept as a buffer."""

    def __init__(self, H):
        super().__init__(H)
        scale = self.scale
        del self.scale
        self.register_buffer("scale", scale)


class BatchStatistics(nn.Module):
    """Batch normalization that never leaves the batch."""

    def __init__(self, H, track=False):
        super().__init__()
        self.norm = nn.BatchNorm1d(D, track_running_stats=track)
        self.rnn = nn.RNN(D, H, batch_first=True)

    def forward(self, x):
        """Return the states of all steps."""
        return self.rnn(self.norm(x.transpose(1, 2)).transpose(1, 2))[0]


SCALE = (
    Case(
        "unscaled weights",
        "scale",
        "The loss hardly falls.",
        "gain",
        Unscaled,
        ByHand,
    ),
    Case(
        "no nonlinearity",
        "scale",
        "It learns what sums can tell.",
        "nonlinearity",
        NoTanh,
        ByHand,
        verdict="note",
    ),
)

CASES = (
    Case(
        "dropout after eval()",
        "evaluation",
        "Every evaluation gives another accuracy.",
        "evaluation",
        AlwaysDrops,
        Drops,
    ),
    Case(
        "a random first state",
        "evaluation",
        "Every evaluation gives another accuracy.",
        "evaluation",
        RandomStart,
        ZerosOfInput,
    ),
    Case(
        "dropout on one layer",
        "evaluation",
        "Any dropout gives the same training.",
        "evaluation",
        LazyDropout,
        ActiveDropout,
        verdict="note",
    ),
    Case(
        "zeros in float32",
        "evaluation",
        "It raises in double precision.",
        "dtype",
        ZerosOfTorch,
        ZerosOfInput,
    ),
    Case(
        "zeros on the CPU",
        "evaluation",
        "It raises on a GPU.",
        "device",
        ZerosOnTheCPU,
        ZerosOfInput,
    ),
    Case(
        "positions on the CPU",
        "evaluation",
        "It raises on a GPU.",
        "device",
        PlacesOnTheCPU,
        PlacesOfInput,
    ),
    Case(
        "a constant that is no buffer",
        "evaluation",
        "After loading, or on a GPU, it is missing.",
        "saving",
        LooseConstant,
        Buffer,
    ),
    Case(
        "statistics of the batch",
        "evaluation",
        "Accuracy changes with the company.",
        "mixing",
        BatchStatistics,
        lambda H: BatchStatistics(H, track=True),
    ),
)
