"""Chapter 16: what does a recurrent layer add to convolutions that read a line of digits?

Convolutions over the image, with batch normalization after each of them or without, then along the
steps a bidirectional GRU of 48 units or a convolution of 96 channels, 3 wide; or that GRU alone, on
the columns themselves. Adam with three learning rates, falling in a straight line to a twentieth,
the gradient's norm clipped at 1; batches of 32 new lines. The same processor time for all: 300
updates with convolutions and a GRU, 400 of convolutions only, 600 of the GRU alone; or three times
as many. Measured: the share of wrong digits, as the greedy path reads them, on 500 lines of the
validation, by which a rate is chosen, and on 500 of the test.
"""

from functools import lru_cache

import torch

import rnnlib
from rnnlib.data import Lines
from rnnlib.data.transcripts import error_rate
from rnnlib.models import ImageConvolutions, LineReader, StepConvolutions
from rnnlib.models.ctc import ctc_loss
from rnnlib.models.reading import greedy

READERS = [
    ("GRU", False, 3),
    ("convolution", False, 3),
    ("GRU", True, 3),
    ("convolution", True, 3),
    ("GRU alone", False, 3),
    ("GRU", True, 1),
    ("convolution", True, 1),
    ("GRU", False, 1),
    ("convolution", False, 1),
]

SETTINGS = [
    {"layer": layer, "batch_norm": batch_norm, "times": times, "lr": lr, "seed": seed}
    for seed in range(5)
    for layer, batch_norm, times in READERS
    for lr in (0.003, 0.01, 0.03)
]

UPDATES = {"GRU": 300, "convolution": 400, "GRU alone": 600}


def run(layer: str, batch_norm: bool, times: int, lr: float, seed: int) -> dict[str, float]:
    """Train one reader, and count what it reads wrong."""
    rnnlib.seed_everything(seed)
    model = reader(layer, batch_norm)
    train(model, drawn(seed)[: times * UPDATES[layer]], lr)
    return {f"{part} error": errors(model, Lines(), part)[0] for part in ("validation", "test")}


@lru_cache(maxsize=1)
def drawn(seed: int) -> list:
    """Draw batches, the same for every reader."""
    return Lines().batches(1800, 32, torch.Generator().manual_seed(seed))


def reader(layer: str, batch_norm: bool = True) -> LineReader:
    """Make a reader with convolutions over the image, if not alone, and this layer along steps."""
    if layer == "GRU alone":
        return LineReader(rnnlib.GRU(12, 48, batch_first=True, bidirectional=True), 11)
    features = ImageConvolutions(12, batch_norm=batch_norm)
    size = features.num_features
    if layer == "GRU":
        context = rnnlib.GRU(size, 48, batch_first=True, bidirectional=True)
    elif layer == "wide convolution":
        context = StepConvolutions(size, 96, width=9, num_layers=2, batch_norm=batch_norm)
    else:
        context = StepConvolutions(size, 96, batch_norm=batch_norm)
    return LineReader(context, 11, features)


def train(model: LineReader, batches: list, lr: float) -> None:
    """Train on the batches, once."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, len(batches))
    for (x, lengths), (targets, target_lengths) in batches:
        log_probs, steps = model(x, lengths)
        # A line of many equal digits close together may have too few steps.
        loss = ctc_loss(log_probs, targets, steps, target_lengths, zero_infinity=True)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        falling.step()


def errors(model: LineReader, task: Lines, part: str) -> tuple[float, list[str]]:
    """Return the share of wrong digits, and what was read."""
    model.eval()
    texts, right = [], []
    for (x, lengths), (targets, _) in task.batches(
        10, 50, torch.Generator().manual_seed(99), part=part
    ):
        with torch.no_grad():
            texts += map(task.text, greedy(*model(x, lengths)))
        right += map(task.text, targets)
    return error_rate(texts, right), texts
