"""Chapter 16: which network writes down key tones best, and what does the decoder change?

Two convolutions of 64 channels, 5 steps wide, or a bidirectional GRU of 32 units; Adam with 0.01,
falling in a straight line to a twentieth, the gradient's norm clipped at 1; batches of 32 new
recordings at noise from -8 to 8 dB. Measured on the chapter's 200 recordings at each of 8, 0, -4
and -8 dB: the share of wrong keys, by the best path and by a prefix beam of 8; and on those at
0 dB the share of the steps whose most probable class is the blank.
"""

import torch

import rnnlib
from rnnlib.data import Tones
from rnnlib.data.lengths import mask, pad
from rnnlib.data.tones import spectrogram
from rnnlib.data.transcripts import error_rate
from rnnlib.models import LineReader, StepConvolutions
from rnnlib.models.reading import greedy, prefix_beam
from studies.handwriting import train

SETTINGS = [
    {"layer": layer, "updates": updates, "seed": seed}
    for layer in ("convolutions", "GRU")
    for updates in (200, 600)
    for seed in range(5)
]

SNRS = (8.0, 0.0, -4.0, -8.0)


def run(layer: str, updates: int, seed: int) -> dict:
    """Train one network, and count what it hears wrong."""
    rnnlib.seed_everything(seed)
    model = network(layer)
    task = Tones(snr=(-8.0, 8.0))
    train(model, task.batches(updates, 32, torch.Generator().manual_seed(seed)), lr=0.01)
    model.eval()
    found = {"best path": [], "beam": []}
    for snr in SNRS:
        recordings = Tones(snr=snr).recordings(200, torch.Generator().manual_seed(2))
        frames = [spectrogram(r.wave) for r in recordings]
        with torch.no_grad():
            log_probs, steps = model(*pad(frames))
        keys = [r.keys for r in recordings]
        read = [task.text(answer) for answer in greedy(log_probs, steps)]
        found["best path"].append(error_rate(read, keys))
        beam = prefix_beam(log_probs, steps, width=8)
        found["beam"].append(error_rate([task.text(best.symbols) for best, *_ in beam], keys))
        if snr == 0:
            real = mask(steps, log_probs.size(1))
            found["blank"] = (log_probs.argmax(2) == 0)[real].float().mean().item()
    return found


def network(layer: str) -> LineReader:
    """Make a network that reads a spectrogram."""
    if layer == "GRU":
        context = rnnlib.GRU(32, 32, batch_first=True, bidirectional=True)
    else:
        context = StepConvolutions(32, 64, width=5, num_layers=2)
    return LineReader(context, 13)
