"""Chapter 16: is a network that learns from key tones silent at first because of its start?

The two networks of the study of listening, in their first 100 updates, Adam with a constant rate of
0.01. As they are; with 7 taken from the bias of the blank before training, which makes it a
thousand times rarer; or with every sixth frame only, which leaves two steps a key instead of
thirteen. Measured over each five updates: the share of the steps whose most probable class is the
blank, and the loss, in nats a number.
"""

from functools import lru_cache

import torch
import torch.nn.functional as F

import rnnlib
from rnnlib.data import Tones
from rnnlib.data.lengths import mask
from studies.listening import network

SETTINGS = [
    {"layer": layer, "bias": bias, "every": every, "seed": seed}
    for seed in range(5)
    for layer in ("convolutions", "GRU")
    for bias, every in ((0, 1), (-7, 1), (0, 6))
]


def run(layer: str, bias: int, every: int, seed: int) -> dict[str, list[float]]:
    """Train one network a little, and watch the blank."""
    rnnlib.seed_everything(seed)
    model = network(layer)
    with torch.no_grad():
        model.readout.bias[0] += bias
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    blanks, losses = [], []
    for (x, lengths), (targets, target_lengths) in drawn(seed)[:100]:
        log_probs, steps = model(x[:, ::every], (lengths + every - 1) // every)
        loss = F.ctc_loss(
            log_probs.transpose(0, 1),
            targets,
            steps,
            target_lengths,
            reduction="none",
            zero_infinity=True,
        )
        optimizer.zero_grad()
        (loss / target_lengths).mean().backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        real = mask(steps, log_probs.size(1))
        blanks.append((log_probs.argmax(2) == 0)[real].float().mean())
        losses.append(loss.detach().mean())
    found = {"blank": blanks, "loss": losses}
    return {name: torch.stack(v).view(-1, 5).mean(1).tolist() for name, v in found.items()}


@lru_cache(maxsize=1)
def drawn(seed: int) -> list:
    """Draw batches, the same for both layers; the last of the pools of 8 is whole."""
    return Tones(snr=(-8.0, 8.0)).batches(104, 32, torch.Generator().manual_seed(seed))
