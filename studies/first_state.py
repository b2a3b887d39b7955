"""Chapter 10: who gains from a learned first state, and at which step?

A hidden level, normal with mean 3 and standard deviation 0.5, is seen through noise of standard
deviation 1 at 8 steps, and asked for at each. A layer of 16 units begins with zeros; with zeros,
the bias of its read-out at the mean, 3, from the start (`bias`); or with a state that is a
parameter, zeros at first (`learned`). Adam on fresh batches of 64, three quarters of them with 0.01
and the rest with 0.002, clipped at 1. Measured on 20,000 fresh sequences: the mean squared error at
each step. The best possible one is 1 / (4 + t) at step t.
"""

import torch
from torch import nn

import rnnlib
from rnnlib.training import fit

SETTINGS = [
    {"layer": layer, "first": first, "updates": updates, "seed": seed}
    for layer in ("LSTM", "GRU", "RNN")
    for updates in (300, 900, 2700)
    for first in ("zeros", "bias", "learned")
    for seed in range(5)
]


def sample(batch_size, generator):
    """Return what is seen, (N, 8, 1), and the level at every step."""
    level = 3 + 0.5 * torch.randn(batch_size, 1, 1, generator=generator)
    return level + torch.randn(batch_size, 8, 1, generator=generator), level.expand(-1, 8, 1)


class Estimator(nn.Module):
    """A recurrent layer that begins as it is told, and its read-out."""

    def __init__(self, layer, first):
        super().__init__()
        self.rnn, self.readout = getattr(rnnlib, layer)(1, 16, batch_first=True), nn.Linear(16, 1)
        parts = 2 if layer == "LSTM" else 1  # h_0, and c_0
        zeros = torch.zeros(parts, 1, 1, 16)
        self.start = nn.Parameter(zeros, requires_grad=first == "learned")
        if first == "bias":
            nn.init.constant_(self.readout.bias, 3.0)

    def forward(self, x):
        """Return the estimate at every step, (N, 8, 1)."""
        state = self.start.expand(-1, -1, len(x), -1).contiguous().unbind()
        return self.readout(self.rnn(x, state if len(state) == 2 else state[0])[0])


def run(layer: str, first: str, updates: int, seed: int) -> dict[str, list[float]]:
    """Train one network, and measure its error at each step."""
    rnnlib.seed_everything(seed)
    model = Estimator(layer, first)
    generator = torch.Generator().manual_seed(seed)
    batches = [sample(64, generator) for _ in range(updates)]
    most = 3 * updates // 4
    options = {"epochs": 1, "clip_norm": 1.0, "progress": False}
    fit(model, batches[:most], lr=0.01, **options)
    fit(model, batches[most:], lr=0.002, **options)
    x, level = sample(20_000, torch.Generator().manual_seed(99))
    with torch.no_grad():
        return {"error": (model(x) - level).square().mean(dim=(0, 2)).tolist()}
