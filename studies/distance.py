"""Chapter 8: is it the gradient that keeps a network from learning what lies far back?

A plain RNN of 32 units learns to say what it heard `delay` steps ago (0: the mean of what it heard
2 and 20 steps ago, times √2), in sequences of 40 steps, by Adam on fresh batches of 32. It starts
as PyTorch's or with an orthogonal W_hh. `fade` multiplies the gradient, and nothing else, each
time it goes from a state to the one before: 1 leaves it alone. `trained` says whether the
recurrent layer learns, or the read-out alone. Measured: the loss, as a share of what saying 0
always costs, over the 20 updates before each of `at`.
"""

import torch
import torch.nn.functional as F
from torch import nn

import rnnlib
from rnnlib.data.tasks import Echo

AT = (160, 480, 1440)
PLAIN = {"start": "default", "delay": 20, "lr": 0.005, "fade": 1.0, "trained": 1}
CHANGES = [
    *({"start": s, "lr": lr} for s in ("default", "orthogonal") for lr in (0.001, 0.005, 0.02)),
    *({"delay": delay} for delay in (5, 10, 15, 0)),
    *({"start": "orthogonal", "fade": fade} for fade in (0.9, 0.58)),
    *({"start": "orthogonal", "fade": 0.58, "lr": lr} for lr in (0.001, 0.002)),
    {"start": "orthogonal", "fade": 0.58, "delay": 5},
    *({"start": s, "trained": 0} for s in ("default", "orthogonal")),
    {"fade": 1 / 0.58},
]
SETTINGS = [PLAIN | change | {"seed": seed} for change in CHANGES for seed in range(5)]


def run(start: str, delay: int, lr: float, fade: float, trained: int, seed: int) -> dict:
    """Train one network."""
    rnnlib.seed_everything(seed)
    near, far = Echo(num_steps=40, delay=2), Echo(num_steps=40, delay=delay or 20)
    rnn, readout = rnnlib.RNN(1, 32), nn.Linear(32, 1)
    if start == "orthogonal":
        nn.init.orthogonal_(rnn.weight_hh_l0)
    learning = [*readout.parameters(), *(rnn.parameters() if trained else ())]
    optimizer = torch.optim.Adam(learning, lr=lr)
    generator = torch.Generator().manual_seed(seed)
    chance = far.chance if delay else (near.chance + far.chance) / 2
    shares = []
    for _ in range(AT[-1]):
        x, y = far.sample(32, generator)
        if not delay:
            y = (y + F.pad(x, (0, 0, 2, 0))[:, :40]) / 2**0.5
        h = states(rnn, x.transpose(0, 1), fade)
        loss = F.mse_loss(readout(h).transpose(0, 1), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        shares.append(loss.item() / chance)
    return {"share": [sum(shares[n - 20 : n]) / 20 for n in AT]}


def states(rnn: nn.Module, x: torch.Tensor, fade: float) -> torch.Tensor:
    """Return every h_t, (T, N, H), whatever `fade` does to the gradient."""
    if fade == 1.0:
        return rnn(x)[0]
    a = x @ rnn.weight_ih_l0.T + rnn.bias_ih_l0 + rnn.bias_hh_l0
    h, found = x.new_zeros(x.shape[1], 32), []
    for a_t in a:
        h = torch.tanh(a_t + (h.detach() + fade * (h - h.detach())) @ rnn.weight_hh_l0.T)
        found.append(h)
    return torch.stack(found)
