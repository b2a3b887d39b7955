"""Chapter 19: do linear recurrences learn to count, as LSTM and GRU in chapter 11?

a^n b^n up to n = 10, the ten strings at once, then longer ones up to 50; 16 units, 400 updates or
three times as many, Adam with three learning rates, clipped at norm 1. Every layer answers through
one hidden layer of 32 ReLU units. Every gate that remembers starts at 0.98. "MinGRU, untied" has
one change: what is added is the candidate n_t, whole, and not (1 - z_t) of it. Measured: `reach`,
the n up to which every string is answered without a mistake, and the loss at the end.
"""

import types

import torch
from torch import Tensor

import rnnlib
from rnnlib.data.tasks import AnBn
from rnnlib.layers import MinGRU
from rnnlib.training import fit
from studies.counting import reach
from studies.cups import tagger
from studies.linear_adding import layer_that_remembers

SETTINGS = [
    {"layer": layer, "updates": updates, "lr": lr, "seed": seed}
    for updates in (400, 1200)
    for layer in ("GRU", "LSTM", "MinGRU", "MinLSTM", "DiagonalSSM", "MinGRU, untied")
    for lr in (0.003, 0.01, 0.03)
    for seed in range(5)
]


def untied(layer: MinGRU, x: Tensor) -> tuple[Tensor, Tensor]:
    """Return a and b of every step: all of the candidate is added, however much is kept."""
    z, n = layer.from_x(x).chunk(2, dim=-1)
    return torch.sigmoid(z), n


def run(layer: str, updates: int, lr: float, seed: int) -> dict[str, float]:
    """Train one network, and see how far it counts."""
    rnnlib.seed_everything(seed)
    rnn = layer_that_remembers(layer.removesuffix(", untied"), 4, 16, 4.0)
    if layer.endswith("untied"):
        rnn.pairs = types.MethodType(untied, rnn)
    model, task = tagger(rnn, 4), AnBn(max_n=10)
    batches = [task.encode(range(1, 11))]
    history = fit(model, batches, epochs=updates, lr=lr, clip_norm=1.0, progress=False)
    return {"reach": reach(model, task), "loss": history.loss[-1]}
