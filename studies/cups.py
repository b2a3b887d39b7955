"""Chapter 19: which recurrence can follow a ball under two cups (parity), and under three?

Each layer answers at every step, through a read-out with one hidden layer of 32 ReLU units. Trained
on 20 steps, batches of 64 fresh sequences, Adam, clipped at norm 1, and tried on 1,000 sequences of
200 steps. MinGRU and MinLSTM have factors between 0 and 1 that depend on the input, DiagonalSSM
complex ones that do not, and "MinGRU, signed" the MinGRU's with one change, from -1 to 1. Measured:
the share of right answers at steps 1 to 20, 21 to 40 and 181 to 200. For the signed layer once more
after training with what enters σ times 4, which moves its factors towards -1 and 1.
"""

import copy

import torch
from torch import nn

import rnnlib
from rnnlib.data.tasks import Cups
from rnnlib.layers import DiagonalSSM, MinGRU, MinLSTM
from rnnlib.models import SequenceTagger
from rnnlib.training import fit

LAYERS = {
    "RNN": rnnlib.RNN,
    "GRU": rnnlib.GRU,
    "LSTM": rnnlib.LSTM,
    "MinGRU": MinGRU,
    "MinLSTM": MinLSTM,
    "DiagonalSSM": DiagonalSSM,
    "MinGRU, signed": lambda *sizes, **how: MinGRU(*sizes, **how, signed=True),
}
LINEAR = ("MinGRU", "MinLSTM", "DiagonalSSM", "MinGRU, signed")
BUDGETS = [  # cups, layer, units, updates, learning rates
    *((2, layer, 16, 500, (0.003, 0.01, 0.03)) for layer in LAYERS),
    *((2, layer, units, updates, (0.01,)) for layer in LINEAR
      for units, updates in ((16, 1500), (64, 500))),
    (2, "RNN", 16, 1500, (0.003, 0.01, 0.03)),
    *((3, layer, 32, 500, (0.003, 0.01, 0.03)) for layer in ("RNN", "GRU", "LSTM")),
    (3, "MinGRU, signed", 32, 500, (0.003, 0.01, 0.03)),
    (3, "MinGRU, signed", 32, 1500, (0.01,)),
    (3, "MinGRU, signed", 128, 500, (0.01,)),
]  # fmt: skip
SETTINGS = [
    {"cups": cups, "layer": layer, "units": units, "updates": updates, "lr": lr, "seed": seed}
    for cups, layer, units, updates, rates in BUDGETS
    for lr in rates
    for seed in range(5)
]


def tagger(rnn: nn.Module, cups: int) -> SequenceTagger:
    """Return the layer with a read-out of one hidden layer."""
    model = SequenceTagger(rnn, cups)
    model.readout = nn.Sequential(nn.Linear(rnn.hidden_size, 32), nn.ReLU(), nn.Linear(32, cups))
    return model


def right(model: nn.Module, cups: int) -> list[float]:
    """Return the share of right answers near, beyond and far beyond the length of training."""
    x, y = Cups(num_cups=cups, num_steps=200).sample(1000, torch.Generator().manual_seed(1000))
    with torch.no_grad():
        hits = (model(x).argmax(-1) == y).float()
    return [hits[:, steps].mean().item() for steps in (slice(20), slice(20, 40), slice(180, 200))]


def run(
    cups: int, layer: str, units: int, updates: int, lr: float, seed: int
) -> dict[str, list[float]]:
    """Train one network, and try it on longer sequences."""
    rnnlib.seed_everything(seed)
    model = tagger(LAYERS[layer](cups, units, batch_first=True), cups)
    generator = torch.Generator().manual_seed(seed)
    task = Cups(num_cups=cups, num_steps=20)
    batches = [task.sample(64, generator) for _ in range(updates)]
    fit(model, batches, epochs=1, lr=lr, clip_norm=1.0, progress=False)
    sharp = copy.deepcopy(model)
    if layer == "MinGRU, signed":
        with torch.no_grad():
            for parameter in sharp.rnn.from_x.parameters():
                parameter[:units] *= 4.0
    return {"right": right(model, cups), "sharp": right(sharp, cups)}
