"""Chapter 18: does a plain network that begins as the identity add over 150 steps?

Le, Jaitly and Hinton (2015): 150 numbers between 0 and 1, one in each half marked with a 1, their
sum asked for at the end; always to say 1 has a mean squared error of 1/6. 100 units, batches of 16
fresh sequences, Adam, clipped at 1, at most 15,000 updates. "IRNN" has ReLU, W_hh the identity,
W_xh drawn with a standard deviation of 0.001 and no biases at first; "RNN, ReLU" and "RNN, tanh"
begin as PyTorch's; "LSTM" has a forget bias of 1. The paper gives curves and no threshold. Ours: a
run is through when the mean squared error of the last 100 batches is below 0.01. Measured: the
updates made (`updates`), whether it got through (`met`), the least such mean on the way (`least`),
and the error on 2,560 new sequences at the end (`error`).
"""

import torch
import torch.nn.functional as F
from torch import nn

import rnnlib
from rnnlib.gradients import clip_grad_norm_
from rnnlib.models import SequenceClassifier

T, BATCH, BUDGET, BOUND = 150, 16, 15_000, 0.01
RATES = {
    "IRNN": (0.0001, 0.0003, 0.001),
    "LSTM": (0.001, 0.003, 0.01),
    "RNN, tanh": (0.0001, 0.0003, 0.001),
    "RNN, ReLU": (0.0001, 0.0003, 0.001),
}
SETTINGS = [
    {"cell": cell, "lr": lr, "seed": seed}
    for seed in range(3)
    for cell, rates in RATES.items()
    for lr in rates
]


def sample(count: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Draw sequences of numbers and marks, (N, T, 2), and the sums of the two marked, (N, 1)."""
    numbers = torch.rand(count, T, generator=generator)
    halves = [torch.randint(T // 2, (count, 1), generator=generator) for _ in range(2)]
    marked = torch.cat([halves[0], T // 2 + halves[1]], dim=1)
    marks = torch.zeros(count, T).scatter_(1, marked, 1.0)
    return torch.stack([numbers, marks], dim=2), numbers.gather(1, marked).sum(1, keepdim=True)


def layer(cell: str, units: int = 100) -> nn.Module:
    """Return the recurrent layer of this name."""
    if cell == "LSTM":
        rnn = rnnlib.LSTM(2, units, batch_first=True)
        rnnlib.set_memory_bias(rnn, 1.0)
        return rnn
    nonlinearity = "tanh" if cell == "RNN, tanh" else "relu"
    rnn = rnnlib.RNN(2, units, batch_first=True, nonlinearity=nonlinearity)
    if cell == "IRNN":
        nn.init.eye_(rnn.weight_hh_l0)
        nn.init.normal_(rnn.weight_ih_l0, std=0.001)
        nn.init.zeros_(rnn.bias_ih_l0)
        nn.init.zeros_(rnn.bias_hh_l0)
    return rnn


def run(cell: str, lr: float, seed: int) -> dict:
    """Train one network until it is through or the budget is spent, and test it."""
    rnnlib.seed_everything(seed)
    generator = torch.Generator().manual_seed(seed)
    model = SequenceClassifier(layer(cell), 1)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    losses, least = [], 1.0
    while len(losses) < BUDGET and least >= BOUND:
        x, y = sample(BATCH, generator)
        loss = F.mse_loss(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        losses.append(loss.item())
        if len(losses) >= 100:
            least = min(least, sum(losses[-100:]) / 100)
    x, y = sample(2_560, generator)
    with torch.no_grad():
        error = F.mse_loss(model(x), y).item()
    return {
        "updates": len(losses),
        "met": int(least < BOUND),
        "least": least,
        "error": error,
    }
