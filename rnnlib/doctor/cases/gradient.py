"""Gradient: weights that nobody trains or saves, and states that are cut off or kept too long."""

import torch
from torch import nn

from rnnlib.doctor.cases.case import Case, D, K
from rnnlib.doctor.cases.networks import ByHand, Tagger


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
        self.layers = [
            nn.RNN(D, H, batch_first=True),
            nn.RNN(H, H, batch_first=True),
        ]
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
    """The state is changed in place; backward needs what was there."""

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


CASES = (
    Case(
        "weights that are no parameters",
        "gradient",
        "The optimizer raises, or nothing changes.",
        "trainable",
        PlainTensors,
        ByHand,
    ),
    Case(
        "one weight that is no parameter",
        "gradient",
        "It learns a little, and is another model after loading.",
        "saving",
        PlainRecurrence,
        ByHand,
    ),
    Case(
        "layers in a Python list",
        "gradient",
        "Only the read-out is trained, and saved.",
        "saving",
        PlainList,
        ModuleList,
    ),
    Case(
        "frozen",
        "gradient",
        "The loss does not change.",
        "trainable",
        Frozen,
        Tagger,
    ),
    Case(
        "an answer that is detached",
        "gradient",
        "backward raises.",
        "gradient",
        Detached,
        Tagger,
    ),
    Case(
        "states that are detached",
        "gradient",
        "The loss falls as far as random states allow.",
        "gradient",
        HalfDetached,
        Tagger,
    ),
    Case(
        "a layer that is not used",
        "gradient",
        "Nothing, until a clip or a weight decay meets a gradient that is None.",
        "gradient",
        Unused,
        Used,
    ),
    Case(
        "a state that is cut at every step",
        "gradient",
        "What lies more than a step back is learned badly or not at all.",
        "horizon",
        CutSteps,
        ByHand,
    ),
    Case(
        "a state that is overwritten",
        "gradient",
        "backward raises.",
        "gradient",
        Overwritten,
        NotOverwritten,
    ),
    Case(
        "a state carried from call to call",
        "gradient",
        "The same input is answered in different ways.",
        "state",
        Carried,
        Tagger,
    ),
    Case(
        "a graph carried from call to call",
        "gradient",
        "The second backward raises.",
        "state",
        CarriedGraph,
        Tagger,
    ),
)
