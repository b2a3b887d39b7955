"""Gradient, scale and evaluation: weights that nobody trains, saves, moves or keeps in bounds."""

import torch
import torch.nn.functional as F
from torch import nn

from rnnlib.doctor.cases.case import Case, D, K, plain
from rnnlib.doctor.cases.shapes import Classifier, Tagger


class ByHand(nn.Module):
    """A recurrent network by hand, its weights scaled by 1/sqrt(H)."""

    def __init__(self, H):
        super().__init__()
        self.W_xh = nn.Parameter(torch.randn(D, H) / H**0.5)
        self.W_hh = nn.Parameter(torch.randn(H, H) / H**0.5)
        self.b_h = nn.Parameter(torch.zeros(H))

    def step(self, x_t, h):
        """Compute the next state."""
        return torch.tanh(x_t @ self.W_xh + h @ self.W_hh + self.b_h)

    def forward(self, x):
        """Return the states of all steps."""
        h = x.new_zeros(len(x), self.b_h.numel())
        states = []
        for x_t in x.unbind(1):
            h = self.step(x_t, h)
            states.append(h)
        return torch.stack(states, dim=1)


class PlainTensors(ByHand):
    """Weights that are tensors, and no parameters."""

    def __init__(self, H):
        nn.Module.__init__(self)
        self.W_xh = torch.randn(D, H) / H**0.5
        self.W_hh = torch.randn(H, H) / H**0.5
        self.b_h = torch.zeros(H)


class PlainRecurrence(ByHand):
    """A recurrent weight that is a tensor, beside parameters."""

    def __init__(self, H):
        super().__init__(H)
        del self.W_hh
        self.W_hh = torch.randn(H, H) / H**0.5


class PlainList(nn.Module):
    """Layers in a list of Python's."""

    def __init__(self, H):
        super().__init__()
        self.layers = [nn.RNN(D, H, batch_first=True), nn.RNN(H, H, batch_first=True)]
        self.readout = nn.Linear(H, K)

    def forward(self, x):
        """Answer at every step."""
        for layer in self.layers:
            x = layer(x)[0]
        return self.readout(x)


class ModuleList(PlainList):
    """Layers in a list of torch's."""

    def __init__(self, H):
        super().__init__(H)
        self.layers = nn.ModuleList(self.layers)


class Frozen(Tagger):
    """All of it frozen."""

    def __init__(self, H):
        super().__init__(H)
        self.requires_grad_(False)


class Detached(Tagger):
    """The answer is cut off from all weights."""

    def forward(self, x):
        """Answer at every step."""
        return super().forward(x).detach()


class HalfDetached(Tagger):
    """The states are cut off, and the read-out alone is trained."""

    def forward(self, x):
        """Answer at every step."""
        return self.readout(self.rnn(x)[0].data)


class Unused(Tagger):
    """A layer that is made, and not used."""

    def __init__(self, H):
        super().__init__(H)
        self.second = nn.RNN(H, H, batch_first=True)


class Used(Unused):
    """Both layers are used."""

    def forward(self, x):
        """Answer at every step."""
        return self.readout(self.second(self.rnn(x)[0])[0])


class CutSteps(ByHand):
    """The state is detached at every step."""

    def step(self, x_t, h):
        """Compute the next state."""
        return super().step(x_t, h.detach())


class Overwritten(ByHand):
    """The state is changed in place, and the backward pass needs what was there."""

    def step(self, x_t, h):
        """Compute the next state."""
        h = super().step(x_t, h)
        h += 0.1
        return h


class NotOverwritten(ByHand):
    """A new state is made."""

    def step(self, x_t, h):
        """Compute the next state."""
        return super().step(x_t, h) + 0.1


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


class Carried(Tagger):
    """The last state of a batch is the first of the next, detached."""

    def __init__(self, H):
        super().__init__(H)
        self.h = None

    def forward(self, x):
        """Answer at every step, from where the last call ended."""
        output, h = self.rnn(x, self.h)
        self.h = h.detach()
        return self.readout(output)


class CarriedGraph(Carried):
    """The same with the graph of the last batch."""

    def forward(self, x):
        """Answer at every step, from where the last call ended."""
        output, self.h = self.rnn(x, self.h)
        return self.readout(output)


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
        self.rnn.dropout = 0.5  # nn.GRU(D, H, dropout=0.5) says the same, and warns
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


def _case(name, group, symptom, check, faulty, repaired, verdict="sick") -> Case:
    return Case(name, group, symptom, check, faulty, repaired, plain, verdict=verdict)


CASES = (
    _case(
        "weights that are no parameters",
        "gradient",
        "The optimizer raises, or nothing changes.",
        "trainable",
        PlainTensors,
        ByHand,
    ),
    _case(
        "one weight that is no parameter",
        "gradient",
        "It learns a little, and is another model after loading.",
        "saving",
        PlainRecurrence,
        ByHand,
    ),
    _case(
        "layers in a Python list",
        "gradient",
        "Only the read-out is trained, and saved.",
        "saving",
        PlainList,
        ModuleList,
    ),
    _case("frozen", "gradient", "The loss does not change.", "trainable", Frozen, Tagger),
    _case(
        "an answer that is detached",
        "gradient",
        "backward raises.",
        "gradient",
        Detached,
        Tagger,
    ),
    _case(
        "states that are detached",
        "gradient",
        "The loss falls as far as random states allow.",
        "gradient",
        HalfDetached,
        Tagger,
    ),
    _case(
        "a layer that is not used",
        "gradient",
        "Nothing, until a clip or a weight decay meets a gradient that is None.",
        "gradient",
        Unused,
        Used,
    ),
    _case(
        "a state that is cut at every step",
        "gradient",
        "What lies more than a step back is learned badly or not at all.",
        "horizon",
        CutSteps,
        ByHand,
    ),
    _case(
        "a state that is overwritten",
        "gradient",
        "backward raises.",
        "gradient",
        Overwritten,
        NotOverwritten,
    ),
    _case(
        "a state carried from call to call",
        "gradient",
        "The same input is answered in different ways.",
        "state",
        Carried,
        Tagger,
    ),
    _case(
        "a graph carried from call to call",
        "gradient",
        "The second backward raises.",
        "state",
        CarriedGraph,
        Tagger,
    ),
    _case(
        "unscaled weights",
        "scale",
        "The loss hardly falls.",
        "gain",
        Unscaled,
        ByHand,
    ),
    _case(
        "no nonlinearity",
        "scale",
        "It learns what sums can tell.",
        "nonlinearity",
        NoTanh,
        ByHand,
        "note",
    ),
    _case(
        "dropout after eval()",
        "evaluation",
        "Every evaluation gives another accuracy.",
        "evaluation",
        AlwaysDrops,
        Drops,
    ),
    _case(
        "a random first state",
        "evaluation",
        "Every evaluation gives another accuracy.",
        "evaluation",
        RandomStart,
        ZerosOfInput,
    ),
    _case(
        "dropout on one layer",
        "evaluation",
        "Any dropout gives the same training.",
        "evaluation",
        LazyDropout,
        ActiveDropout,
        "note",
    ),
    _case(
        "zeros in float32",
        "evaluation",
        "It raises in double precision.",
        "dtype",
        ZerosOfTorch,
        ZerosOfInput,
    ),
    _case(
        "zeros on the CPU",
        "evaluation",
        "It raises on a GPU.",
        "device",
        ZerosOnTheCPU,
        ZerosOfInput,
    ),
    _case(
        "a constant that is no buffer",
        "evaluation",
        "After loading, or on a GPU, it is missing.",
        "saving",
        LooseConstant,
        Buffer,
    ),
    _case(
        "statistics of the batch",
        "evaluation",
        "Accuracy changes with the company.",
        "mixing",
        BatchStatistics,
        lambda H: BatchStatistics(H, track=True),
    ),
)
