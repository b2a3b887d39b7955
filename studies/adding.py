"""Chapter 10: which start lets a network learn to add, and does its gradient tell?

The adding problem with T = 40, 32 units, Adam on fresh batches of 32 sequences, its rate a fifth
for the last quarter of the updates, the gradient clipped at 1. `start` is how the layer begins:
an RNN with tanh or ReLU whose W_hh is PyTorch's, orthogonal or the identity (with ReLU as in Le,
Jaitly and Hinton, 2015), or an LSTM with PyTorch's or a given forget bias; all else is PyTorch's.
Measured: the norm of the gradient at lag 20 before training, as a share of that at lag 0; and at
the end the share of 2,560 sequences solved (always 0.5: 0.15) and the mean squared error (1/24).
"""

import torch
from torch import nn

import rnnlib
from rnnlib.data.tasks import Adding
from rnnlib.gradients import gradient_by_lag
from rnnlib.models import SequenceClassifier
from rnnlib.training import fit, predict

STARTS = (
    "RNN",
    "RNN, orthogonal",
    "RNN, identity",
    "RNN, ReLU",
    "RNN, ReLU identity",
    "LSTM, default",
    "LSTM, bias 1",
    "LSTM, bias 3",
)
SETTINGS = [
    {"start": start, "lr": lr, "updates": updates, "seed": seed}
    for start in STARTS
    for lr, updates, seeds in ((0.01, 650, 5), (0.01, 1950, 3), (0.003, 1950, 5), (0.001, 5850, 5))
    for seed in range(seeds)
]


def run(start: str, lr: float, updates: int, seed: int) -> dict[str, float]:
    """Train one network, and measure it before and after."""
    rnnlib.seed_everything(seed)
    kind, _, how = start.partition(", ")
    nonlinearity = {"nonlinearity": "relu"} if "ReLU" in how else {}
    rnn = getattr(rnnlib, kind)(2, 32, batch_first=True, **nonlinearity)
    if "identity" in how:
        nn.init.eye_(rnn.weight_hh_l0)
    elif how == "orthogonal":
        nn.init.orthogonal_(rnn.weight_hh_l0)
    elif how.startswith("bias"):
        rnnlib.set_memory_bias(rnn, float(how.split()[1]))
    model, task = SequenceClassifier(rnn, 1), Adding(num_steps=40)
    x, y = task.sample(2560, torch.Generator().manual_seed(99))
    found = {"lag 20": gradient_by_lag(rnn, x[:64])[20].item()}
    generator = torch.Generator().manual_seed(seed)
    batches = [task.sample(32, generator) for _ in range(updates)]
    late = updates * 3 // 4
    options = {"epochs": 1, "clip_norm": 1.0, "progress": False}
    fit(model, batches[:late], lr=lr, **options)
    fit(model, batches[late:], lr=lr / 5, **options)
    outputs, _ = predict(model, [(x, y)])
    found["solved"] = task.solved(outputs, y).float().mean().item()
    found["error"] = (outputs - y).square().mean().item()
    return found
