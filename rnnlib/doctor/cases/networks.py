"""Networks that are wired right, small enough to read: what the cases break."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from rnnlib.doctor.cases.case import D, K, V


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


class OneLayer(nn.Module):
    """An LSTM of one layer, and ten outputs."""

    def __init__(self, H, outputs=10):
        super().__init__()
        self.rnn = nn.LSTM(D, H, batch_first=True)
        self.readout = nn.Linear(H, outputs)

    def forward(self, x):
        """Answer at every step."""
        return self.readout(self.rnn(x)[0])


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


class TwoWayClassifier(nn.Module):
    """Each direction is read where it has seen the whole sequence."""

    def __init__(self, H, layers=2):
        super().__init__()
        self.rnn = nn.GRU(D, H, layers, batch_first=True, bidirectional=True)
        self.readout = nn.Linear(2 * H, K)

    def forward(self, x):
        """One answer for each sequence."""
        _, h_n = self.rnn(x)
        return self.readout(torch.cat([h_n[-2], h_n[-1]], dim=-1))


def run(cell: nn.Module, steps: Sequence[Tensor]) -> Tensor:
    """Run a cell over steps in the order given: its states, (N, T, H)."""
    h, states = None, []
    for x_t in steps:
        h = cell(x_t, h)
        states.append(h)
    return torch.stack(states, dim=1)
