"""Chapter 7: what does training by truncated BPTT come to, when the pieces are too short?

A plain RNN of 20 units learns to echo what it heard 3 steps ago, on fresh batches of 32 sequences
of 30 steps, with Adam or plain SGD. The state goes on from piece to piece of k steps, the gradient
does not; k = 30 cuts nothing. A frozen cell keeps its random weights, and only the read-out
learns. In a capped one W_hh is scaled down after an update that leaves it an eigenvalue beyond
0.95. Measured after a 20th, a 10th, a 5th, two 5ths and the whole of the updates, on 512 fresh
sequences: the error (guessing costs 1); the largest absolute eigenvalue of W_hh; and the cosine of
the angle between the cut gradient and the whole one, all parameters together. Below 0 the one is
uphill for the other.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import rnnlib
from rnnlib.data.tasks import Echo

T, H, CAP = 30, 20, 0.95
SETTINGS = [
    {"k": k, "cell": cell, "lr": lr, "updates": updates, "seed": seed}
    for lr, updates, seeds, kinds in (
        (0.01, 500, 5, [(k, "trained") for k in (1, 2, 3, 4, T)] + [(T, "frozen")]),
        (0.01, 500, 5, [(2, "capped"), (3, "capped")]),
        (0.003, 1500, 3, [(k, "trained") for k in (1, 2, 3)]),
        (0.01, 1500, 10, [(k, "trained") for k in (1, 4)]),
    )
    for k, cell in kinds
    for seed in range(seeds)
]
SETTINGS += [
    {"k": k, "cell": "trained", "lr": 0.03, "updates": 1500, "seed": seed, "optimizer": "SGD"}
    for k in (2, 3)
    for seed in range(5)
]


def outputs_in_pieces(rnn: nn.Module, x: Tensor, k: int) -> Tensor:
    """Return all states, (T, N, H), with the gradient cut every k steps."""
    h, outputs = None, []
    for piece in x.split(k):
        output, h = rnn(piece, h)
        h = h.detach()
        outputs.append(output)
    return torch.cat(outputs)


def radius(matrix: Tensor) -> float:
    """Return the largest absolute eigenvalue."""
    return torch.linalg.eigvals(matrix.detach()).abs().max().item()


def run(
    k: int, cell: str, lr: float, updates: int, seed: int, optimizer: str = "Adam"
) -> dict[str, list[float]]:
    """Train one network, and measure it on the way."""
    rnnlib.seed_everything(seed)
    task = Echo(num_steps=T, delay=3)
    rnn, readout = rnnlib.RNN(1, H), nn.Linear(H, 1)
    trained = [*readout.parameters()] + [*rnn.parameters()] * (cell != "frozen")
    descent = getattr(torch.optim, optimizer)(trained, lr=lr)

    def error(x, z, k):
        x, z = x.transpose(0, 1), z.transpose(0, 1)
        return F.mse_loss(readout(outputs_in_pieces(rnn, x, k))[task.mask], z[task.mask])

    found = {"error": [], "radius": [], "cosine": []}
    marks = [updates // part for part in (20, 10, 5)] + [2 * updates // 5, updates]
    for update in range(1, updates + 1):
        descent.zero_grad()
        error(*task.sample(32), k).backward()
        descent.step()
        if cell == "capped":
            W_hh = rnn.weight_hh_l0.data
            W_hh *= min(1.0, CAP / radius(W_hh))
        if update in marks:
            x, z = task.sample(512)
            loss = error(x, z, T)
            whole, cut = (
                torch.cat([g.flatten() for g in torch.autograd.grad(e, trained)])
                for e in (loss, error(x, z, k))
            )
            found["error"].append(loss.item())
            found["radius"].append(radius(rnn.weight_hh_l0))
            found["cosine"].append(F.cosine_similarity(cut, whole, dim=0).item())
    return found
