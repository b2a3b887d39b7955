"""Chapter 16: are equal neighbours harder to read, and is it because a blank has to fit between?

The convolutions of the study of handwriting, with batch normalization, 400 updates with a learning
rate of 0.01. On lines as they are; or with every column doubled, in training and after: the picture
is the same, but there are twice as many steps in which a blank may stand. The convolution along the
steps is 3 wide, or 7, which on doubled columns sees as much as 3 on single ones: each width with
each number of steps. Measured on 400 lines of four digits, all gaps the same, from -2 to 3 columns:
the share misread if all neighbours differ, and that of lines which lack one of the middle two and
are otherwise right; and both again after the third digit was made equal to the second.
"""

from functools import lru_cache

import torch

import rnnlib
from rnnlib.data import Lines
from rnnlib.data.lengths import pad
from rnnlib.models import ImageConvolutions, LineReader, StepConvolutions
from rnnlib.models.reading import greedy
from studies.handwriting import train

SETTINGS = [
    {"doubled": doubled, "width": width, "seed": seed}
    for seed in range(5)
    for doubled in (1, 2)
    for width in (3, 7)
]

GAPS = range(-2, 4)


def run(doubled: int, width: int, seed: int) -> dict[str, list[float]]:
    """Train one reader, and see how it reads neighbours at each gap."""
    rnnlib.seed_everything(seed)
    features = ImageConvolutions(12)
    context = StepConvolutions(features.num_features, 96, width=width)
    model = LineReader(context, 11, features)
    batches = [
        ((x.repeat_interleave(doubled, dim=1), doubled * lengths), answers)
        for (x, lengths), answers in drawn(seed)
    ]
    train(model, batches, lr=0.01)
    found = {}
    for kind in ("different", "equal"):
        shares = [neighbours(model, doubled, *written(gap, kind)) for gap in GAPS]
        found[f"{kind} misread"], found[f"{kind}, one lost"] = map(list, zip(*shares, strict=True))
    return found


def neighbours(model, doubled, answers, x, lengths) -> tuple[float, float]:
    """Return the share of lines misread, and of those that lack one of the middle two."""
    with torch.no_grad():
        read = greedy(*model.eval()(x.repeat_interleave(doubled, dim=1), doubled * lengths))
    texts = list(map(Lines().text, read))
    misread = sum(map(str.__ne__, texts, answers))
    lost = sum(
        text in (z[0] + z[1] + z[3], z[0] + z[2:]) for text, z in zip(texts, answers, strict=True)
    )
    return misread / len(answers), lost / len(answers)


@lru_cache(maxsize=1)
def drawn(seed: int) -> list:
    """Draw batches, the same with doubled columns and without."""
    return Lines().batches(400, 32, torch.Generator().manual_seed(seed))


@lru_cache
def written(gap: int, kind: str) -> tuple:
    """Write 400 lines a b c d in which neighbours differ, or with the same digits a b b d."""
    generator, answers = torch.Generator().manual_seed(7), []
    while len(answers) < 400:
        a, b, c, d = torch.randint(10, (4,), generator=generator).tolist()
        if a != b and b not in (c, d) and c != d:
            answers.append(f"{a}{b}{c if kind == 'different' else b}{d}")
    task = Lines(gaps=(gap, gap))
    return answers, *pad(task.write(answers, generator.manual_seed(8), part="test"))
