"""``python tools/tone_weights.py``: train the network of the live figure of dialled numbers.

It is chapter 16's listener, with half its channels, trained on louder and on fainter recordings
besides. Five minutes on one core; the file is committed, so that every machine shows the same
figure. tests/test_live_dialled.py says what it is worth.
"""

import argparse
import json
import time

import torch
from torch import nn

import rnnlib
from rnnlib.data import Tones
from rnnlib.models import LineReader
from rnnlib.models.ctc import ctc_loss
from rnnlib.page.live.dialled import WEIGHTS, make
from rnnlib.page.live.weights import pack_model

SEED, SIZE, UPDATES, RATE = 16, 32, 3000, 0.01
TASK = Tones(snr=(-10.0, 20.0), shortest=1)


def train(model: LineReader, updates: int = UPDATES) -> None:
    """Train a model in place, always the same way."""
    generator = torch.Generator().manual_seed(SEED)
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, updates)
    begin, paid = time.monotonic(), 0.0
    model.train()
    for n in range(1, updates + 1):
        (x, lengths), (targets, target_lengths) = TASK.sample(SIZE, generator)
        log_y, steps = model(x, lengths)
        loss = ctc_loss(log_y, targets, steps, target_lengths, zero_infinity=True)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        falling.step()
        paid += loss.item()
        if n % 500 == 0:
            print(f"{n} updates: {paid / 500:.4f}, {time.monotonic() - begin:.0f} s", flush=True)
            paid = 0.0


@torch.no_grad()
def folded(model: LineReader) -> LineReader:
    """Return the same network without batch normalization: it is part of the convolutions."""
    plain, context = make(batch_norm=False), model.context
    for into, convolution, norm in zip(
        plain.context.convolutions, context.convolutions, context.norms, strict=True
    ):
        factor = norm.weight / (norm.running_var + norm.eps).sqrt()
        into.weight.copy_(factor[:, None, None] * convolution.weight)
        into.bias.copy_(factor * (convolution.bias - norm.running_mean) + norm.bias)
    plain.readout.load_state_dict(model.readout.state_dict())
    return plain.eval()


def main() -> None:
    """Train, and write the weights where the package keeps them."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    rnnlib.seed_everything(SEED)
    model = make(batch_norm=True)
    train(model)
    packed = pack_model(folded(model))
    WEIGHTS.write_text(json.dumps(packed, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
