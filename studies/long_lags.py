"""Chapter 18: who bridges a hundred steps, and after how many sequences?

Fresh sequences in batches of 16, Adam, clipped at 1, until the paper's own criterion is met, or
the paper's own number of sequences is read. "adding", T = 100 (Hochreiter and Schmidhuber 1997,
Table 7; 74,000): the mean squared error of the last 2,000 sequences below 0.01, and each of them
off by less than 0.04; "order", T = 100 (Table 9; 31,390): the same with 0.1, and every output off
by less than 0.3. 8 units. "LSTM, 1997" is the cell of that year, its forget gate held open, and
begins with input gates nearly shut, their biases lower by 2 to 6; "f = 1" leaves those as they
are; "bias 5" is the LSTM of today, its forget gate free, and begins with it nearly open; in
"bias 5, shut" the input gates begin nearly shut, too. Five rates for each, a sixth for the cell of
1997, five seeds. Measured: the sequences read (`read`), whether the criterion was met in time
(`met`), and then of 2,560 new sequences how many are wrong and the error: squared, in "order" the
share that is wrong by the largest score.
"""

import torch
import torch.nn.functional as F

import rnnlib
from rnnlib.data.tasks import Adding, TemporalOrder
from rnnlib.gradients import clip_grad_norm_
from rnnlib.models import SequenceClassifier

BATCH = 16
BUDGET = {"adding": 74_000, "order": 31_390}
SETTINGS = [
    {"task": task, "cell": cell, "lr": lr, "seed": seed}
    for task in BUDGET
    for cell in ("LSTM, 1997", "LSTM, f = 1", "LSTM, bias 5", "LSTM, bias 5, shut")
    for lr in (0.001, 0.003, 0.01, 0.03, 0.1, 0.3)
    if lr < 0.3 or "bias" not in cell
    for seed in range(5)
]


def layer(cell: str, inputs: int, units: int = 8):
    """Return the recurrent layer of this name."""
    kind, _, how = cell.partition(", ")
    rnn = getattr(rnnlib, kind)(inputs, units, batch_first=True)
    if how:
        rnnlib.set_memory_bias(rnn, 5.0 if "bias 5" in how else 100.0)
    if how == "1997" or "shut" in how:
        with torch.no_grad():
            rnn.bias_ih_l0[:units] -= torch.linspace(2.0, 6.0, units)
    return rnn


def judge(task: str, outputs, y):
    """Return each sequence's error, and whether it counts as right."""
    if task == "order":
        off = (outputs.softmax(dim=1) - F.one_hot(y, 4)).abs()
        return off.square().mean(dim=1), off.amax(dim=1) < 0.3
    off = (outputs - y).abs()[:, 0]
    return off.square(), off < Adding.criterion


def run(task: str, cell: str, lr: float, seed: int) -> dict:
    """Train one network until the criterion is met, and test it."""
    rnnlib.seed_everything(seed)
    generator = torch.Generator().manual_seed(seed)
    tasks = {"adding": Adding(num_steps=100), "order": TemporalOrder(num_steps=100)}
    sample, (inputs, outputs) = tasks[task].sample, (6, 4) if task == "order" else (2, 1)
    model = SequenceClassifier(layer(cell, inputs), outputs)
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    criterion = F.cross_entropy if task == "order" else F.mse_loss
    bound = 0.1 if task == "order" else 0.01
    errors, right, met = torch.ones(2_000), torch.zeros(2_000, dtype=torch.bool), False
    read = 0
    while read < BUDGET[task] and not met:
        x, y = sample(BATCH, generator)
        answer = model(x)
        optimizer.zero_grad()
        criterion(answer, y).backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        place = slice(read % 2_000, read % 2_000 + BATCH)
        errors[place], right[place] = judge(task, answer.detach(), y)
        read += BATCH
        met = bool(right.all()) and errors.mean().item() < bound
    x, y = sample(2_560, generator)
    with torch.no_grad():
        answer = model(x)
    error, good = judge(task, answer, y)
    if task == "order":
        error = (answer.argmax(dim=1) != y).double()
    return {
        "read": read,
        "met": int(met),
        "wrong": int((~good).sum()),
        "error": error.mean().item(),
    }
