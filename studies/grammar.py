"""Chapter 18: what learns the embedded Reber grammar, and what its endless form?

Embedded: 256 training and 256 other strings, the state begun anew with each string, batches of 4,
at most 24,000 strings (Hochreiter and Schmidhuber 1997, Table 1). Every 1,000 strings it is tried
whether the possible next symbols have the largest scores at every step of all 512. Continual: 16
streams at a time, 48 times 2,000 symbols, the state handed on from window to window of 40 (Gers,
Schmidhuber and Cummins 2000), the last 12 with a fifth of the rate; then 10 new streams of 10,000
symbols, each until its first mistake.
"LSTM, f = 1" is the cell of 1997, its forget gate held open. 6 units, the RNN 15; continual 8.
Adam, clipped at 1. Measured: the strings until all are right (`presented`, all of them if never);
how many of the 512 are wrong at the end, and the share of all steps that is; or the mean number
of symbols until the first mistake (`until`), the share of steps that is wrong, how many streams
have no mistake, and the largest |c_t| (an RNN: |h_t|) at the end of the streams.
"""

import torch
from torch import nn

import rnnlib
from rnnlib.data.tasks import ContinualReber, EmbeddedReber
from rnnlib.models import SequenceTagger
from rnnlib.training import fit

SYMBOLS, STREAMS = 10_000, 10
SETTINGS = [
    {"task": task, "cell": cell, "lr": lr, "seed": seed}
    for task, cell, lr, seeds in (("continual", "LSTM", 0.01, 2),)
    for seed in range(seeds)
]


def layer(cell: str, units: int):
    """Return the recurrent layer of this name."""
    kind, _, held = cell.partition(", ")
    rnn = getattr(rnnlib, kind)(7, units, batch_first=True)
    if held:
        rnnlib.set_memory_bias(rnn, 100.0)
    return rnn


class Reader(nn.Module):
    """A layer and a read-out that hand the state on."""

    def __init__(self, rnn: nn.Module):
        super().__init__()
        self.rnn, self.readout = rnn, nn.Linear(rnn.hidden_size, 7)

    def forward(self, x, state=None):
        """Return scores (N, T, 7), and the state after the last step."""
        states, state = self.rnn(x, state)
        return self.readout(states), state


def embedded(cell: str, lr: float, seed: int) -> dict:
    """Present strings until all are right."""
    task, generator = EmbeddedReber(), torch.Generator().manual_seed(seed)
    strings = list(dict.fromkeys(task.strings(4_000, generator)))[:512]
    text, (x, _, _) = "".join(strings), task.batch([s + "B" for s in strings])
    real = x.any(dim=-1)
    asked = torch.tensor([t < len(s) - 1 for s in strings for t in range(len(s))])
    model = SequenceTagger(layer(cell, 15 if cell == "RNN" else 6), 7)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    presented, right = 0, ~asked
    while presented < 24_000 and not right.all():
        presented += 1_000
        order = torch.randint(256, (250, 4), generator=generator).tolist()
        batches = [task.batch([strings[i] for i in four])[:2] for four in order]
        fit(model, batches, epochs=1, optimizer=optimizer, clip_norm=1.0, progress=False)
        with torch.no_grad():
            right = task.right(model(x)[real], text) | ~asked
    whole = [part.all().item() for part in right.split([len(s) for s in strings])]
    wrong = 1 - (right & asked).sum().item() / asked.sum().item()
    return {"presented": presented, "wrong": whole.count(False), "errors": wrong}


def continual(cell: str, lr: float, seed: int) -> dict:
    """Train on streams without end, and read new ones until the first mistake."""
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


def run(task: str, cell: str, lr: float, seed: int) -> dict:
    """Train one network, and test it."""
    rnnlib.seed_everything(seed)
    return {"embedded": embedded, "continual": continual}[task](cell, lr, seed)
