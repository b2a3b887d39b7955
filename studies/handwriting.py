"""Chapter 16: what does a recurrent layer add to convolutions that read a line of digits?

Convolutions over the image, then along the steps a bidirectional GRU of 48 units or a convolution
of 96 channels, 3 wide; Adam with 0.006, falling in a straight line to a twentieth, the gradient's
norm clipped at 1; batches of 32 new lines. A step of the convolution takes about three quarters of
the GRU's processor time, so that it makes 400 updates and the GRU 300. With batch normalization
after every convolution and without. Measured: the share of wrong digits on 500 lines of the
validation and 500 of the test, as the greedy path reads them.
"""

import torch

import rnnlib
from rnnlib.data import Lines
from rnnlib.data.transcripts import error_rate
from rnnlib.models import ImageConvolutions, LineReader, StepConvolutions
from rnnlib.models.ctc import ctc_loss
from rnnlib.models.reading import greedy

SETTINGS = [
    {"layer": layer, "batch_norm": batch_norm, "seed": seed}
    for batch_norm in (True, False)
    for seed in range(5)
    for layer in ("GRU", "convolution")
]

UPDATES = {"GRU": 300, "convolution": 400, "wide convolution": 400}


def run(layer: str, batch_norm: bool, seed: int) -> dict[str, float]:
    """Train one reader, and count what it reads wrong."""
    model = trained(Lines(), layer, batch_norm, seed)
    return {f"{part} error": errors(model, Lines(), part)[0] for part in ("validation", "test")}


def trained(task: Lines, layer: str, batch_norm: bool, seed: int) -> LineReader:
    """Make one reader, and train it."""
    rnnlib.seed_everything(seed)
    model = reader(layer, batch_norm)
    train(model, task.batches(UPDATES[layer], 32, torch.Generator().manual_seed(seed)))
    return model


def reader(layer: str, batch_norm: bool = True) -> LineReader:
    """Make a reader with convolutions over the image, and this layer along the steps."""
    features = ImageConvolutions(12, batch_norm=batch_norm)
    size = features.num_features
    if layer == "GRU":
        context = rnnlib.GRU(size, 48, batch_first=True, bidirectional=True)
    elif layer == "wide convolution":
        context = StepConvolutions(size, 96, width=9, num_layers=2, batch_norm=batch_norm)
    else:
        context = StepConvolutions(size, 96, batch_norm=batch_norm)
    return LineReader(context, 11, features)


def train(model: LineReader, batches: list, lr: float = 0.006) -> None:
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
