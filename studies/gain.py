"""Chapter 3: what makes unscaled weights fail, saturated units or the recurrent gain?

A plain RNN of 20 units learns to echo what it heard 3 steps ago. Its weights are normal numbers
with the standard deviation 1 / sqrt(20) times `input_gain` (W_xh) or `recurrent_gain` (W_hh): 4.5
is what randn gives, 36 eight times as much. Adam on fresh batches of 32 sequences of 30 steps; in
some runs the gradient is shortened to `max_norm`.
Measured: the error on 512 fresh sequences after a third of the updates and after all (guessing
costs 1); and before training the share of units beyond 0.99, the norm of the gradient with respect
to W_hh, and what becomes of a nudge of 1e-6 of h_0 in 30 steps.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import rnnlib
from rnnlib.data.tasks import Echo

SCALED, LOUD, RECURRENT, RANDN = (1.0, 1.0), (36.0, 1.0), (1.0, 4.5), (4.5, 4.5)
SETTINGS = [
    {"input_gain": gains[0], "recurrent_gain": gains[1], "lr": lr, "updates": updates, "seed": seed}
    for lr, updates, variants in (
        (0.01, 900, (SCALED, LOUD, (1.0, 2.0), (1.0, 3.0), RECURRENT, RANDN)),
        (0.001, 900, (SCALED, LOUD, RECURRENT, RANDN)),
        (0.03, 900, (SCALED, LOUD, RECURRENT, RANDN)),
        (0.01, 6000, (RECURRENT, RANDN)),
    )
    for gains in variants
    for seed in range(5)
]
SETTINGS += [row | {"max_norm": 1.0} for row in SETTINGS if row["updates"] == 6000]


def run(
    input_gain: float,
    recurrent_gain: float,
    lr: float,
    updates: int,
    seed: int,
    max_norm: float = math.inf,
) -> dict[str, float | list[float]]:
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
    optimizer = torch.optim.Adam(parameters, lr=lr)
    found["error"] = []
    for update in range(1, updates + 1):
        optimizer.zero_grad()
        error(32)[0].backward()
        nn.utils.clip_grad_norm_(parameters, max_norm)
        optimizer.step()
        if update in (updates // 3, updates):
            with torch.no_grad():
                found["error"].append(error(512)[0].item())
    return found
