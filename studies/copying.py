"""Chapter 18: who says ten symbols again after a hundred steps?

The copying problem with T = 100 (Arjovsky, Shah and Bengio 2016): batches of 20 fresh sequences,
RMSprop with a decay of 0.9, clipped at 1. An LSTM of 40 units with forget bias 5, and their
unitary network of 64 complex units. The best without memory is 0.173 (the task's `chance`).
Measured: the mean loss of each tenth of the updates, and over the last tenth the share of the ten
symbols said right (guessing: 0.125).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import rnnlib
from rnnlib.data.tasks import Copying
from rnnlib.gradients import clip_grad_norm_
from rnnlib.models import SequenceTagger

UPDATES = 500
SETTINGS = [
    {"cell": cell, "lr": lr, "seed": seed}
    for cell, lr in (("LSTM, bias 5", 0.003), ("unitary", 0.003), ("LSTM, bias 5", 0.01))
    for seed in range(5)
]


class Unitary(nn.Module):
    """The recurrence of the paper: W = D_3 R_2 F⁻¹ D_2 Π R_1 F D_1 and modReLU, in complex numbers.

    D are rotations of each unit, R reflections, F the Fourier transform, Π a fixed permutation.
    """

    batch_first, bidirectional = True, False

    def __init__(self, inputs: int, units: int):
        super().__init__()
        self.units, self.hidden_size = units, 2 * units
        self.phases = nn.Parameter(torch.empty(3, units).uniform_(-math.pi, math.pi))
        self.reflections = nn.Parameter(torch.empty(2, units, 2).uniform_(-1, 1))
        self.input = nn.Linear(inputs, 2 * units, bias=False)
        self.bias = nn.Parameter(torch.zeros(units))
        self.first = nn.Parameter(torch.empty(units, 2).uniform_(-1, 1) * (1.5 / units) ** 0.5)
        self.register_buffer("order", torch.randperm(units))

    def forward(self, x):
        """Return real and imaginary parts of all states, (N, T, 2 units)."""
        d_1, d_2, d_3 = torch.polar(torch.ones_like(self.phases), self.phases)
        mirrors = torch.view_as_complex(self.reflections)
        mirrors = mirrors / mirrors.abs().square().sum(1, keepdim=True).sqrt()
        mirrors = torch.eye(self.units) - 2 * mirrors[:, :, None] * mirrors[:, None].conj()
        # The product's matrix, made once for all steps: rows are samples.
        W = torch.fft.fft(torch.diag(d_1), dim=1, norm="ortho") @ mirrors[0]
        W = torch.fft.ifft(W[:, self.order] * d_2, dim=1, norm="ortho") @ mirrors[1] * d_3
        from_x = torch.view_as_complex(self.input(x).unflatten(-1, (self.units, 2)))
        h, states = torch.view_as_complex(self.first).expand(len(x), -1), []
        for a in from_x.unbind(1):
            z = h @ W + a
            size = z.abs() + 1e-6
            h = z / size * F.relu(size + self.bias)
            states.append(h)
        return torch.view_as_real(torch.stack(states, dim=1)).flatten(2), None


def run(cell: str, lr: float, seed: int) -> dict:
    """Train one network, and watch it."""
    rnnlib.seed_everything(seed)
    task, generator = Copying(delay=100), torch.Generator().manual_seed(seed)
    if cell == "unitary":
        rnn = Unitary(10, 64)
    else:
        rnn = rnnlib.LSTM(10, 40, batch_first=True)
        rnnlib.set_memory_bias(rnn, float(cell.split()[-1]))
    model = SequenceTagger(rnn, 10)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=lr, alpha=0.9)
    losses, right = [], []
    for _ in range(UPDATES):
        x, y = task.sample(20, generator)
        scores = model(x)
        loss = F.cross_entropy(scores.flatten(0, 1), y.flatten())
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        right.append((scores[:, -10:].argmax(-1) == y[:, -10:]).double().mean().item())
    tenth = UPDATES // 10
    means = [sum(losses[i : i + tenth]) / tenth for i in range(0, UPDATES, tenth)]
    return {"loss": means, "right": sum(right[-tenth:]) / tenth}
