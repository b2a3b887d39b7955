"""Chapter 18: what learns the embedded Reber grammar?

256 training and 256 other strings, the state begun anew with each string, batches of 4, at most
24,000 strings (Hochreiter and Schmidhuber 1997, Table 1). Every 1,000 strings it is tried whether
the possible next symbols have the largest scores at every step of all 512. "LSTM, f = 1" is the
cell of 1997, its forget gate held open, of 6 units; the RNN has 15. Adam, clipped at 1. Measured:
the strings until all are right (`presented`, all of them if never); how many of the 512 are wrong
at the end, and the share of all steps that is.
"""

import torch

import rnnlib
from rnnlib.data.tasks import EmbeddedReber
from rnnlib.models import SequenceTagger
from rnnlib.training import fit

SETTINGS = [
    {"cell": cell, "lr": lr, "seed": seed}
    for cell, lr, seeds in (("LSTM, f = 1", 0.03, 5), ("RNN", 0.01, 1))
    for seed in range(seeds)
]


def layer(cell: str, units: int):
    """Return the recurrent layer of this name."""
    kind, _, held = cell.partition(", ")
    rnn = getattr(rnnlib, kind)(7, units, batch_first=True)
    if held:
        rnnlib.set_memory_bias(rnn, 100.0)
    return rnn


def run(cell: str, lr: float, seed: int) -> dict:
    """Present strings until all are right."""
    rnnlib.seed_everything(seed)
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
