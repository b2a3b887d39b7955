"""Chapter 3: is it the gradient from far back that keeps unscaled weights from learning?

The networks and the task of the study `gain`: 20 units, an echo of 3 steps ago in sequences of 30
steps, Adam 0.01 on fresh batches of 32. The loss and all states stay what they are, but the
gradient of each answer goes back no more than `reach` steps; 30 is the whole gradient. Measured:
the error on 512 fresh sequences after 300 and after 900 updates (guessing costs 1).
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import rnnlib
from rnnlib.data.tasks import Echo

SETTINGS = [
    {"input_gain": input_gain, "recurrent_gain": recurrent_gain, "reach": reach, "seed": seed}
    for input_gain, recurrent_gain in ((1.0, 1.0), (1.0, 4.5), (4.5, 4.5))
    for reach in (4, 8, 30)
    for seed in range(5)
]


def run(
    input_gain: float, recurrent_gain: float, reach: int, seed: int
) -> dict[str, float | list[float]]:
    """Train one network with gradients that reach so far."""
    rnnlib.seed_everything(seed)
    T, H = 30, 20
    task = Echo(num_steps=T, delay=3)
    rnn, readout = rnnlib.RNN(1, H), nn.Linear(H, 1)
    nn.init.normal_(rnn.weight_ih_l0, std=input_gain / math.sqrt(H))
    nn.init.normal_(rnn.weight_hh_l0, std=recurrent_gain / math.sqrt(H))
    optimizer = torch.optim.Adam([*rnn.parameters(), *readout.parameters()], lr=0.01)

    def error(batch_size):
        x, z = task.sample(batch_size)
        x = x.transpose(0, 1)
        with torch.no_grad():
            before = torch.cat([torch.zeros(1, batch_size, H), rnn(x)[0]])  # h_0 … h_T
        # Every state is computed anew from the one `reach` steps before it, all of them at once.
        pieces = x.unfold(0, reach, 1).permute(3, 0, 1, 2).flatten(1, 2)
        _, h = rnn(pieces, before[: T + 1 - reach].flatten(0, 1)[None])
        # The first states have fewer steps behind them.
        first, _ = rnn(x[: reach - 1])
        h = torch.cat([first, h[0].view(-1, batch_size, H)])
        y = readout(h).transpose(0, 1)
        return F.mse_loss(y[:, task.mask], z[:, task.mask])

    found = []
    for update in range(1, 901):
        optimizer.zero_grad()
        error(32).backward()
        optimizer.step()
        if update in (300, 900):
            with torch.no_grad():
                found.append(error(512).item())
    return {"error": found}
