"""Chapter 16: does it hang on the learning rate or the budget which network hears best, and how?

The networks of the study of listening, Adam with three learning rates, 200 or 600 updates; an
update of either takes about the same processor time. Measured with one seed on the 100 recordings,
at 0 dB and at -8 dB, on which the chapter tunes Goertzel's filter: the share of wrong keys, by the
best path and by a prefix beam of 8.
"""

from functools import lru_cache

import torch

import rnnlib
from rnnlib.data import Tones
from rnnlib.data.lengths import pad
from rnnlib.data.tones import spectrogram
from rnnlib.data.transcripts import error_rate
from rnnlib.models.reading import greedy, prefix_beam
from studies.handwriting import train
from studies.listening import network

SETTINGS = [
    {"layer": layer, "updates": updates, "lr": lr}
    for layer in ("GRU", "convolutions")
    for updates in (200, 600)
    for lr in (0.003, 0.01, 0.03)
]


SNRS = (0.0, -8.0)


def run(layer: str, updates: int, lr: float) -> dict[str, list[float]]:
    """Train one network, and count what it hears wrong."""
    rnnlib.seed_everything(0)
    model = network(layer)
    train(model, drawn()[:updates], lr)
    found = {"best path": [], "beam": []}
    task = Tones()
    for snr in SNRS:
        x, keys = recorded(snr)
        with torch.no_grad():
            log_probs, steps = model.eval()(*x)
        beam = [best.symbols for best, *_ in prefix_beam(log_probs, steps, width=8)]
        for name, answers in {"best path": greedy(log_probs, steps), "beam": beam}.items():
            found[name].append(error_rate(list(map(task.text, answers)), keys))
    return found


@lru_cache(maxsize=1)
def drawn() -> list:
    """Draw batches, the same for both layers."""
    return Tones(snr=(-8.0, 8.0)).batches(600, 32, torch.Generator().manual_seed(0))


@lru_cache
def recorded(snr: float) -> tuple[tuple, list[str]]:
    """Return recordings, padded, and the keys."""
    recordings = Tones(snr=snr).recordings(100, torch.Generator().manual_seed(1))
    return pad([spectrogram(r.wave) for r in recordings]), [r.keys for r in recordings]
