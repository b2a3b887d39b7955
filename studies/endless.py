"""Chapter 18: what can read embedded Reber strings without end?

16 streams at a time, 48 times 2,000 symbols, the state handed on from window to window of 40 (Gers,
Schmidhuber and Cummins 2000), the last 12 with a fifth of the rate; then 10 new streams of 10,000
symbols, each until its first mistake. 8 units, Adam, clipped at 1. In "LSTM, f = 1" the forget
gate is held open. Measured: the mean number of symbols until the first mistake (`until`), the
share of steps that is wrong, how many streams have no mistake, and the largest |c_t| at the end.
"""

import torch
from torch import nn

import rnnlib
from rnnlib.data.tasks import ContinualReber
from rnnlib.training import fit
from studies.grammar import layer

SYMBOLS, STREAMS = 10_000, 10
SETTINGS = [
    {"cell": cell, "lr": lr, "seed": seed}
    for cell, lr, seeds in (("LSTM", 0.01, 2), ("LSTM, f = 1", 0.01, 1))
    for seed in range(seeds)
]


class Reader(nn.Module):
    """A layer and a read-out that hand the state on."""

    def __init__(self, rnn: nn.Module):
        super().__init__()
        self.rnn, self.readout = rnn, nn.Linear(rnn.hidden_size, 7)

    def forward(self, x, state=None):
        """Return scores (N, T, 7), and the state after the last step."""
        states, state = self.rnn(x, state)
        return self.readout(states), state


def run(cell: str, lr: float, seed: int) -> dict:
    """Train on streams without end, and read new ones until the first mistake."""
    rnnlib.seed_everything(seed)
    generator = torch.Generator().manual_seed(seed)
    task, model = ContinualReber(num_steps=2_000), Reader(layer(cell, 8))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    options = {"epochs": 1, "carry_state": True, "clip_norm": 1.0, "progress": False}
    for number in range(48):
        x, y = task.sample(16, generator)
        windows = list(zip(x.split(40, dim=1), y.split(40, dim=1), strict=True))
        optimizer.param_groups[0]["lr"] = lr if number < 36 else lr / 5
        fit(model, windows, optimizer=optimizer, **options)
    test = ContinualReber(num_steps=SYMBOLS)
    streams = test.streams(STREAMS, generator)
    with torch.no_grad():
        scores, state = model(test.batch(streams)[0])
    right = [test.grammar.right(s, text[:-1]) for s, text in zip(scores, streams, strict=True)]
    until = [SYMBOLS if r.all() else int((~r).nonzero()[0]) for r in right]
    kept = state[1] if isinstance(state, tuple) else state
    return {
        "until": sum(until) / STREAMS,
        "errors": 1 - torch.cat(right).double().mean().item(),
        "flawless": until.count(SYMBOLS),
        "state": kept.abs().max().item(),
    }
