"""Chapter 16: how well does one read a line of digits who cuts it first?

Opponents of the readers in the study of handwriting, without CTC: a line is cut into pieces, each
piece is set in a frame of 12 columns, and a network says which digit it is: the same convolutions,
with batch normalization, and a layer of 96 units. It is trained on digits that stand alone, in the
same noise: 400 updates with 64 new ones, Adam with 0.01, falling in a straight line to a twentieth.
A line is cut where no ink is: where the sum of a column, averaged with its neighbours', is below a
threshold. Or evenly, into pieces of a given width, from the first ink to the last. Or both: where
no ink is, and what is wider than one digit evenly. Threshold and width are those with the lowest
error on 500 lines of the validation. Measured, for the three: the share of wrong digits on 500
lines of the test; and that of 500 digits alone of the test.
"""

import itertools
import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import rnnlib
from rnnlib.data import Lines
from rnnlib.data.transcripts import error_rate
from rnnlib.models import ImageConvolutions

SETTINGS = [{"seed": seed} for seed in range(5)]

CUTS = ("where no ink is", "evenly", "both")
THRESHOLDS = (0.5, 0.8, 1.1, 1.4, 2.0)
WIDTHS = (4.5, 5.0, 5.5, 6.0, 6.5, 7.0)
FRAME = 12


def run(seed: int) -> dict[str, float]:
    """Train a network to tell digits, and read lines with it."""
    rnnlib.seed_everything(seed)
    model = Classifier()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, 400)
    x, y = alone(400 * 64, seed, "train")
    for i in torch.arange(400 * 64).split(64):
        optimizer.zero_grad()
        F.cross_entropy(model(x[i]), y[i]).backward()
        optimizer.step()
        falling.step()
    model.eval()
    found = {}
    for cut in CUTS:
        grid = itertools.product(THRESHOLDS, (math.inf,) if cut == "where no ink is" else WIDTHS)
        best = min(grid, key=lambda setting: error(model, cut, *setting, "validation"))
        found[cut] = error(model, cut, *best, "test")
    x, y = alone(500, 99, "test")
    with torch.no_grad():
        return found | {"alone": (model(x).argmax(1) != y).float().mean().item()}


class Classifier(nn.Module):
    """Say which digit is in a frame, (N, 12, 12)."""

    def __init__(self):
        super().__init__()
        self.convolutions = ImageConvolutions(12)
        size = FRAME // 2 * self.convolutions.num_features
        self.readout = nn.Sequential(nn.Linear(size, 96), nn.ReLU(), nn.Linear(96, 10))

    def forward(self, x: Tensor) -> Tensor:
        """Compute logits, (N, 10)."""
        features, _ = self.convolutions(x, torch.full((len(x),), FRAME))
        return self.readout(features.flatten(1))


def error(model: Classifier, cut: str, threshold: float, width: float, part: str) -> float:
    """Cut 500 lines, read the pieces, and return the share of wrong digits."""
    frames, counts, answers = [], [], []
    batches = Lines().batches(10, 50, torch.Generator().manual_seed(99), part=part)
    for (x, lengths), (targets, _) in batches:
        answers += map(Lines().text, targets)
        for line, columns in zip(x, lengths.tolist(), strict=True):
            found = pieces(line[:columns], cut, threshold, width)
            frames += [frame(line, *piece) for piece in found]
            counts.append(len(found))
    with torch.no_grad():
        named = "".join(map(str, model(torch.stack(frames)).argmax(1).tolist()))
    ends = [0, *itertools.accumulate(counts)]
    return error_rate([named[a:b] for a, b in itertools.pairwise(ends)], answers)


def pieces(line: Tensor, cut: str, threshold: float, width: float) -> list[tuple[int, int]]:
    """Return where each piece of a line begins and ends."""
    column = line.sum(1)
    ink = F.avg_pool1d(F.pad(column, (1, 1))[None], 3, 1)[0] > threshold
    edges = F.pad(ink.int(), (1, 1)).diff()
    starts, stops = ((edges == sign).nonzero()[:, 0].tolist() for sign in (1, -1))
    # One column of ink is noise.
    runs = [(a, b) for a, b in zip(starts, stops, strict=True) if b - a > 1]
    if cut == "evenly" and runs:
        runs = [(runs[0][0], runs[-1][1])]
    found = []
    for a, b in runs:
        count = max(1, round((b - a) / width))
        found += [(a + (b - a) * i // count, a + (b - a) * (i + 1) // count) for i in range(count)]
    return found


def frame(line: Tensor, start: int, stop: int) -> Tensor:
    """Set a piece in the middle of a frame, without what stands beside it: (12, 12)."""
    piece = line[start:stop][:FRAME]
    before = (FRAME - len(piece)) // 2
    return F.pad(piece, (0, 0, before, FRAME - len(piece) - before))


def alone(count: int, seed: int, part: str) -> tuple[Tensor, Tensor]:
    """Write digits, each in a line of its own, and return their frames and which they are."""
    task, generator = Lines(shortest=1, longest=1), torch.Generator().manual_seed(seed)
    answers = task.answers(count, generator)
    frames = []
    for line in task.write(answers, generator, part=part):
        ((start, stop),) = pieces(line, "evenly", 0.8, math.inf) or [(0, len(line))]
        frames.append(frame(line, start, stop))
    return torch.stack(frames), torch.tensor([int(digit) for digit in answers])
