"""``python tools/date_weights.py``: train the network of the live figure of dates, and keep it.

The network is chapter 14's, smaller, and without biases in its GRUs. It reads the book's formats
and those of `rnnlib.page.live.dates` besides. Three minutes on one core; the file is committed, so
that every machine shows the same figure.
"""

import argparse
import time

import torch

import rnnlib
from rnnlib.page.live.dates import TASK, WEIGHTS, make, quantised
from rnnlib.training import fit

SEED, SIZE = 14, 64
RATES = {0.01: 6000, 0.003: 5000, 0.001: 3000, 0.0003: 2000}
"""So many updates with each learning rate."""


def train(model: torch.nn.Module, rates: dict[float, int] = RATES) -> None:
    """Train a model in place, always the same way."""
    generator = torch.Generator().manual_seed(SEED)
    begin = time.monotonic()
    for lr, updates in rates.items():
        batches = TASK.batches(updates, SIZE, generator)
        history = fit(model, batches, epochs=1, lr=lr, clip_norm=1.0, progress=False)
        print(f"rate {lr}: {history}, {time.monotonic() - begin:.0f} s", flush=True)


def main() -> None:
    """Train, and write the weights where the package keeps them."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    rnnlib.seed_everything(SEED)
    model = make()
    train(model)
    WEIGHTS.write_text(quantised(model), encoding="utf-8")


if __name__ == "__main__":
    main()
