"""Chapter 16: does a reader that knows ascending lines read what stands there, or what it expects?

The two readers of the study of handwriting, with batch normalization, trained on lines in which no
digit is smaller than the one before: 300 updates with the GRU, 400 with the convolution, Adam with
0.006. And a third with two convolutions along the steps, 9 wide each, which see seventeen steps or
about five digits, 400 updates; this one trained on random lines as well.
Measured: the share of wrong digits on 500 ascending lines of the validation and 500 of the test,
and on 500 lines of random digits; and how many of these are read as ascending; 33 are.
"""

import torch

import rnnlib
from rnnlib.data import Lines
from studies.handwriting import errors, reader, train

SETTINGS = [
    {"layer": layer, "trained": lines, "seed": seed}
    for layer, lines in (
        ("GRU", "ascending"),
        ("convolution", "ascending"),
        ("wide convolution", "ascending"),
        ("wide convolution", "random"),
    )
    for seed in range(5)
]


def run(layer: str, trained: str, seed: int) -> dict[str, float]:
    """Train one reader, and count what it reads wrong, and how."""
    rnnlib.seed_everything(seed)
    model, task = reader(layer), Lines(ascending=True)
    shown = Lines(ascending=trained == "ascending")
    updates = 300 if layer == "GRU" else 400
    train(model, shown.batches(updates, 32, torch.Generator().manual_seed(seed)), lr=0.006)
    found = {f"{part} error": errors(model, task, part)[0] for part in ("validation", "test")}
    found["random error"], texts = errors(model, Lines(), "test")
    found["read as ascending"] = sum(map(task.allows, texts))
    return found
