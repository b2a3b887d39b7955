"""Chapter 18: what can read embedded Reber strings without end?

16 streams at a time, 48 times 2,000 symbols, the state handed on from window to window of 40 (Gers,
Schmidhuber and Cummins 2000), the last 12 with a fifth of the rate; then 10 other streams of
100,000 symbols, a million in all, each until its first mistake. 8 units, Adam, clipped at 1. In
"LSTM, f = 1" the forget gate is held open; the RNN has 15 units. Four rates for each, five seeds.
Measured: the mean number of symbols until the first mistake (`until`), and how many streams have no
mistake (`flawless`); in the first 10,000 symbols of each, the share of steps that is wrong
(`errors`); behind them the largest |c_t|, or of the RNN the largest |h_t| (`state`), and in how
many units the state is beyond 10 in every stream (`grown`): there tanh(c_t) is 1 or -1 to the last
digit of float32, and h_t is the output gate and its sign, whatever c_t is.
"""

from functools import cache

import torch
from torch import nn

import rnnlib
from rnnlib.data.tasks import ContinualReber
from rnnlib.training import fit
from studies.long_lags import layer

SYMBOLS, STREAMS, PART = 100_000, 10, 10_000
SETTINGS = [
    {"cell": cell, "lr": lr, "seed": seed}
    for cell in ("LSTM", "LSTM, f = 1", "RNN")
    for lr in (0.003, 0.01, 0.03, 0.1)
    for seed in range(5)
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


@cache
def others():
    """Return the streams of the test, and what may follow each of their symbols."""
    task = ContinualReber(num_steps=SYMBOLS)
    streams = task.streams(STREAMS, torch.Generator().manual_seed(1_000_000))
    possible = torch.stack([task.grammar.possible(text[:-1]) for text in streams])
    return task.batch(streams)[0], possible


def read(model: Reader) -> dict:
    """Read the streams of the test, in parts, until each has had its first mistake."""
    x, possible = others()
    until, state, measured = torch.full((STREAMS,), SYMBOLS), None, {}
    for begin in range(0, SYMBOLS, PART):
        part = slice(begin, begin + PART)
        with torch.no_grad():
            scores, state = model(x[:, part], state)
        right = ContinualReber.grammar.leading(scores, possible[:, part])
        first = ~right.all(dim=1) & (until == SYMBOLS)
        until[first] = begin + right[first].int().argmin(dim=1)
        if not measured:
            sizes = (state[1] if isinstance(state, tuple) else state)[0].abs()
            measured["errors"] = (~right).double().mean().item()
            measured["state"] = sizes.max().item()
            measured["grown"] = int((sizes > 10).all(dim=0).sum())
        if until.max() < SYMBOLS:
            break
    flawless = int((until == SYMBOLS).sum())
    return {"until": until.double().mean().item(), "flawless": flawless, **measured}


def run(cell: str, lr: float, seed: int) -> dict:
    """Train on streams without end, and read others until the first mistake."""
    rnnlib.seed_everything(seed)
    generator = torch.Generator().manual_seed(seed)
    units = 15 if cell == "RNN" else 8
    task, model = ContinualReber(num_steps=2_000), Reader(layer(cell, 7, units))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    options = {"epochs": 1, "carry_state": True, "clip_norm": 1.0, "progress": False}
    for number in range(48):
        x, y = task.sample(16, generator)
        windows = list(zip(x.split(40, dim=1), y.split(40, dim=1), strict=True))
        optimizer.param_groups[0]["lr"] = lr if number < 36 else lr / 5
        fit(model, windows, optimizer=optimizer, **options)
    return read(model)
