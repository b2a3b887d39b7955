"""``python tools/forecast_weights.py``: make what the live figure of forecasts reads, and keep it.

That is a part of chapter 15's series, a line for each width, found by least squares, and an MLP on
windows, trained for longer than the chapter's. A minute on one core; the file is committed, so that
every machine shows the same figure. tests/test_live_forecast.py says what it is worth.
"""

import argparse
import json

import torch
from torch import Tensor, nn

import rnnlib
from rnnlib.data.series import rolling_origins, windows
from rnnlib.models.forecasts import Linear
from rnnlib.page.live.forecast import (
    KEPT,
    NETWORK_WIDTH,
    NUM_TRAIN,
    WIDTHS,
    chapter_series,
    make,
    page_part,
)
from rnnlib.page.live.weights import encoded

SEED, SIZE, UPDATES, RATE = 15, 64, 12_000, 0.005


def to_train_on(series: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Cut all windows of the training part, and what follows each."""
    return windows(series, rolling_origins(NUM_TRAIN, first=width - 1), width=width)


def train(model: nn.Module, series: Tensor, updates: int = UPDATES) -> None:
    """Train a model to forecast one step ahead, always the same way."""
    generator = torch.Generator().manual_seed(SEED)
    x, y = (part.float() for part in to_train_on(series, NETWORK_WIDTH))
    optimizer = torch.optim.Adam(model.parameters(), lr=RATE)
    falling = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.01, updates)
    for rows in torch.randint(len(x), (updates, SIZE), generator=generator):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x[rows]), y[rows]).backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        falling.step()


def found(series: Tensor, model: nn.Module) -> dict:
    """Return all that the page needs, as JSON has it."""
    lines = {width: Linear.fit(*to_train_on(series, width)) for width in WIDTHS}
    return {
        "series": encoded(page_part(series), "<f4"),
        "lines": {
            width: encoded(torch.cat([line.weight[:, 0], line.bias]), "<f8")
            for width, line in lines.items()
        },
        "network": {name: encoded(part, "<f4") for name, part in model.state_dict().items()},
    }


def main() -> None:
    """Find, train, and write the file."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    rnnlib.seed_everything(SEED)
    series, model = chapter_series(), make()
    train(model, series)
    KEPT.write_text(json.dumps(found(series, model), indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
