"""Chapter 9: what does a threshold buy, and what can't it?

A plain RNN of 50 units learns the temporal order of 20 steps by plain gradient descent, each
batch 20 fresh sequences. Changed: how W_hh starts, the learning rate, the threshold, the penalty
λ; and in some runs the first W_hh is multiplied by 1 + `nudge`, a rounding. Measured: the error
(guessing errs in 0.75) over the 50 updates before each of `at`; the share of the first 500 losses
above ln 4 + 0.1; the median of the first 100 gradients' norms, before clipping, the longest of
all, and how many of the first 500 were shortened; the gradient 15 steps back before and after
training; how far W_hh moved as a share of its norm, and its norm (largest singular value) at the
end.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn

import rnnlib
from rnnlib.data.tasks import TemporalOrder
from rnnlib.gradients import clip_grad_norm_, gradient_by_lag, largest_singular_value
from rnnlib.models import SequenceClassifier

AT = (250, 500, 1500)
PLAIN = {"start": "orthogonal", "lr": 0.1, "max_norm": 1.0, "decay": 0.0}
NEVER = 1e9  # a threshold that no gradient of these runs reaches

CHANGES = [
    *({"lr": lr, "max_norm": c} for lr in (0.01, 0.03, 0.1, 0.3) for c in (1.0, NEVER)),
    *({"max_norm": c} for c in (0.01, 0.1, 0.3, 1.7, 3.0, 5.3, 10.0)),
    *({"lr": 0.03, "max_norm": c} for c in (3.0, 10.0, 30.0)),
    *({"lr": 0.3, "max_norm": c} for c in (0.1, 0.3, 3.0)),
    *({"lr": 1.0, "max_norm": c} for c in (0.03, 0.1, 0.3, 1.0, 3.0)),
    *({"start": s, "max_norm": c} for s in ("default", "identity") for c in (1.0, NEVER)),
    {"start": "identity", "lr": 0.01, "max_norm": NEVER},
    *({"decay": decay, "max_norm": c} for decay in (0.01, 0.1) for c in (1.0, NEVER)),
    *({"decay": decay, "max_norm": NEVER} for decay in (0.001, 0.003, 0.03)),
]
SLOW = [{"lr": lr, "max_norm": c} for lr in (0.01, 0.03) for c in (1.0, NEVER)]
SETTINGS = [
    PLAIN | change | {"seed": seed}
    for change in CHANGES
    for seed in range(10 if change in SLOW else 5)
]


SETTINGS += [
    PLAIN | {"lr": 0.03, "max_norm": NEVER, "seed": seed, "nudge": 1e-7} for seed in range(10)
]


def run(
    start: str, lr: float, max_norm: float, decay: float, seed: int, nudge: float = 0.0
) -> dict:
    """Train one network, and measure it on the way."""
    rnnlib.seed_everything(seed)
    task = TemporalOrder(num_steps=20)
    f = "relu" if start == "identity" else "tanh"
    rnn = rnnlib.RNN(6, 50, nonlinearity=f, batch_first=True)
    if start != "default":
        init = nn.init.eye_ if start == "identity" else nn.init.orthogonal_
        init(rnn.weight_hh_l0)
    rnn.weight_hh_l0.data *= 1 + nudge
    network = SequenceClassifier(rnn, 4)
    W_start = rnn.weight_hh_l0.detach().clone()
    seen, _ = task.sample(20, torch.Generator().manual_seed(0))
    before = gradient_by_lag(rnn, seen)[15].item()
    optimizer = torch.optim.SGD(network.parameters(), lr=lr, weight_decay=decay)
    generator = torch.Generator().manual_seed(100 + seed)
    errors, losses, norms = [], [], []
    for _ in range(AT[-1]):
        x, y = task.sample(20, generator)
        scores = network(x)
        optimizer.zero_grad()
        loss = F.cross_entropy(scores, y)
        loss.backward()
        norms.append(clip_grad_norm_(network.parameters(), max_norm).item())
        optimizer.step()
        errors.append((scores.argmax(dim=1) != y).float().mean().item())
        losses.append(loss.item())
    W_hh = rnn.weight_hh_l0.detach()
    finite = bool(W_hh.isfinite().all())
    share = [sum(errors[n - 50 : n]) / 50 for n in AT]
    return {
        "error": share,
        "above": sum(not loss <= math.log(4) + 0.1 for loss in losses[:500]) / 500,
        "median": sorted(norms[:100])[50],
        "longest": max(norms),
        "shortened": sum(norm > max_norm for norm in norms[:500]),
        "reach": [before, gradient_by_lag(rnn, seen)[15].item()],
        "moved": ((W_hh - W_start).norm() / W_start.norm()).item(),
        "norm": largest_singular_value(W_hh).item() if finite else math.nan,
    }
