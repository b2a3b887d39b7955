"""Chapter 3: what makes unscaled weights fail, saturated units or the recurrent gain?

A plain RNN of 20 units learns to echo what it heard 3 steps ago. Its weights are normal numbers
with the standard deviation 1 / sqrt(20) times `input_gain` (W_xh) or `recurrent_gain` (W_hh).
Adam 0.01 on fresh batches of 32 sequences of 30 steps. Measured: the error at the end on 512 fresh
sequences (guessing costs 1); and before training the share of units beyond 0.99, the norm of the
gradient with respect to W_hh, and what becomes of a nudge of 1e-6 of h_0 in 30 steps.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import rnnlib
from rnnlib.data.tasks import Echo

SETTINGS = [
    {"input_gain": input_gain, "recurrent_gain": recurrent_gain, "updates": updates, "seed": seed}
    for input_gain in (1.0, 8.0)
    for recurrent_gain in (1.0, 2.0, 4.5)
    for updates in (300, 900)
    for seed in range(5)
]


def run(input_gain: float, recurrent_gain: float, updates: int, seed: int) -> dict[str, float]:
    """Train one network, and measure it before and after."""
    rnnlib.seed_everything(seed)
    task, H = Echo(num_steps=30, delay=3), 20
    rnn, readout = rnnlib.RNN(1, H), nn.Linear(H, 1)
    nn.init.normal_(rnn.weight_ih_l0, std=input_gain / math.sqrt(H))
    nn.init.normal_(rnn.weight_hh_l0, std=recurrent_gain / math.sqrt(H))
    parameters = [*rnn.parameters(), *readout.parameters()]

    def error(batch_size):
        x, z = task.sample(batch_size)
        h, _ = rnn(x.transpose(0, 1))
        y = readout(h).transpose(0, 1)
        return F.mse_loss(y[:, task.mask], z[:, task.mask]), x, h

    loss, x, h = error(512)
    (first,) = torch.autograd.grad(loss, rnn.weight_hh_l0)
    found = {"saturated": (h.abs() > 0.99).float().mean().item(), "gradient": first.norm().item()}
    # In float64: in float32 the nudge would be rounding.
    exact, x = rnn.double(), x.double().transpose(0, 1)
    h_0 = torch.zeros(1, x.shape[1], H, dtype=torch.float64)
    with torch.no_grad():
        moved = exact(x, h_0 + 1e-6 / math.sqrt(H))[0][-1] - exact(x, h_0)[0][-1]
    found["nudge"] = moved.norm(dim=1).median().item()
    rnn.float()
    optimizer = torch.optim.Adam(parameters, lr=0.01)
    for _ in range(updates):
        optimizer.zero_grad()
        error(32)[0].backward()
        optimizer.step()
    with torch.no_grad():
        found["error"] = error(512)[0].item()
    return found
