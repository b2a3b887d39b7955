"""Chapter 18: what learns the embedded Reber grammar, and is it the cell or the training?

256 training and 256 test strings, drawn as they come, the state begun anew with each string,
batches of 4 (Hochreiter and Schmidhuber 1997, Table 1). At most 40,000 strings, about what the
slowest LSTM of the table needed. Every 1,000 strings it is tried whether the possible next symbols
have the largest scores at every step of all 512; if so, that is the end. "LSTM, f = 1" is the cell
of 1997, its forget gate held open, of 6 units; in "LSTM, 1997" the input gates begin nearly shut,
too, as in `long_lags`. The RNN has 15 units, as the table's Elman network, and is trained through
time, or with a gradient that goes back one step, as his was; the latter, at its best rate, also up
to 200,000 strings, as the table's. Adam, clipped at 1. Four rates for each, five seeds. Measured:
the strings until all are right (`presented`, all of them if never); of the 512 how many are wrong
at the end (`wrong`), and in how many the second symbol was not known again (`forgotten`); the share
of all steps that is wrong (`errors`).
"""

import torch
import torch.nn.functional as F

import rnnlib
from rnnlib.data.tasks import EmbeddedReber
from rnnlib.gradients import clip_grad_norm_
from rnnlib.models import SequenceTagger
from studies.letters import answers
from studies.long_lags import layer

BATCH, EVERY = 4, 1_000
RATES = {
    "LSTM, f = 1": (0.003, 0.01, 0.03, 0.1),
    "LSTM, 1997": (0.003, 0.01, 0.03, 0.1),
    "RNN": (0.001, 0.003, 0.01, 0.03),
    "RNN, one step": (0.001, 0.003, 0.01, 0.03),
}
SETTINGS = [
    {"cell": cell, "lr": lr, "seed": seed}
    for cell, rates in RATES.items()
    for lr in rates
    for seed in range(5)
] + [{"cell": "RNN, one step", "lr": 0.003, "seed": seed, "budget": 200_000} for seed in range(5)]


def run(cell: str, lr: float, seed: int, budget: int = 40_000) -> dict:
    """Present strings until all are right."""
    rnnlib.seed_everything(seed)
    task, generator = EmbeddedReber(), torch.Generator().manual_seed(seed)
    strings = task.strings(512, generator)
    x, y, _ = task.batch([s + "B" for s in strings])
    possible = task.possible("".join(strings))
    ends = torch.tensor([len(s) for s in strings])
    real = x.any(dim=-1)
    # The step behind a string's last E asks for nothing.
    y[torch.arange(512), ends - 1] = -100
    asked, recalled = y[real] != -100, ends.cumsum(0) - 3
    kind, one_step = cell.removesuffix(", one step"), cell.endswith("one step")
    model = SequenceTagger(layer(kind, 7, 15 if kind == "RNN" else 6), 7)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    presented, right = 0, ~asked
    while presented < budget and not right.all():
        for chosen in torch.randint(256, (EVERY // BATCH, BATCH), generator=generator):
            T = ends[chosen].max()
            x_T, y_T = x[chosen, :T], y[chosen, :T]
            scores = answers(model, x_T, None, one_step=True)[0] if one_step else model(x_T)
            optimizer.zero_grad()
            F.cross_entropy(scores.flatten(0, 1), y_T.flatten()).backward()
            clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        presented += EVERY
        with torch.no_grad():
            right = task.leading(model(x)[real], possible) | ~asked
    whole = [part.all().item() for part in right.split(ends.tolist())]
    return {
        "presented": presented,
        "wrong": whole.count(False),
        "forgotten": int((~right[recalled]).sum()),
        "errors": (~right).sum().item() / asked.sum().item(),
    }
