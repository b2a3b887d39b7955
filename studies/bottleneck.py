"""Chapter 14: how many bits come through one state, and how many with attention?

The chapter's encoder and decoder on dates: batches of 48, Adam with 0.015, clipped at 1; after
`updates` less 50, a copy is trained for the last 50 with 0.003, and measured on the chapter's 600
sources: the bits that have come through for a month, a date and a time (of 10.5, 15.4 and 23.6),
the bits that dates of more than 40 symbols lose against other dates, and the share of symbols and
of whole answers that are right. At each count of updates: one number.
"""

import copy
import math

import torch

import rnnlib
from rnnlib.data.dates import kind_of_answer
from rnnlib.data.lengths import IGNORE_INDEX
from rnnlib.models import EncoderDecoder
from rnnlib.training import fit

_CHAPTER = {"attention": False, "layer": "GRU", "units": 64, "lr": 0.015}
_FIRST, _ALL = [200], [200, 600, 2000]
SETTINGS = [
    _CHAPTER | changed | {"updates": updates, "seed": seed}
    for changed, updates in (
        ({}, _ALL),
        ({"lr": 0.005}, _ALL),
        ({"lr": 0.03}, _ALL),
        ({"attention": True}, [200, 600]),
        ({"attention": True, "lr": 0.005}, [200, 600]),
        ({"attention": True, "lr": 0.03}, [200, 600]),
        ({"units": 32}, _FIRST),
        ({"units": 128}, _ALL),
        ({"units": 128, "lr": 0.005}, _ALL),
        ({"layer": "LSTM"}, _FIRST),
    )
    for seed in range(3)
]


def run(
    attention: bool, layer: str, units: int, lr: float, updates: list[int], seed: int
) -> dict[str, list[float]]:
    """Train one model, and measure it on the way."""
    task, kind = rnnlib.Dates(), getattr(rnnlib, layer)
    batches = task.batches(max(updates), 48, torch.Generator().manual_seed(seed))
    rnnlib.seed_everything(seed)
    model = EncoderDecoder(
        kind(32, units // 2, batch_first=True, bidirectional=True),
        kind(32, units, batch_first=True),
        len(task.source_vocabulary),
        len(task.target_vocabulary),
        rnnlib.AdditiveAttention(units, units, 16) if attention else None,
    )
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    options = {"epochs": 1, "clip_norm": 1.0, "progress": False}
    found, done = [], 0
    for until in updates:
        fit(model, batches[done : until - 50], optimizer=optimizer, **options)
        measured = copy.deepcopy(model)
        fit(measured, batches[until - 50 : until], lr=lr / 5, **options)
        found.append(_measure(measured, task))
        done = until - 50
    return {name: [row[name] for row in found] for name in found[0]}


def _measure(model: EncoderDecoder, task: rnnlib.Dates) -> dict[str, float]:
    pairs = task.pairs(600, torch.Generator().manual_seed(99), part="test")
    inputs, z = task.encode(pairs)
    kinds = torch.tensor([task.kinds.index(kind_of_answer(answer)) for _, answer in pairs])
    needed = torch.tensor(
        [task.num_answers(kind) + task.num_answers(kind, "test") for kind in task.kinds]
    ).log2()
    counted = z != IGNORE_INDEX
    with torch.no_grad():
        log_p = model(*inputs).log_softmax(dim=-1)
    right = (log_p.argmax(dim=-1) == z) | ~counted
    log_p = log_p.gather(2, z.clamp(min=0)[..., None])[..., 0]
    bits = needed[kinds] + (log_p * counted).sum(dim=1) / math.log(2)
    dates, long = kinds == task.kinds.index("date"), inputs[1] > 40
    found = {f"{kind} bits": bits[kinds == i].mean().item() for i, kind in enumerate(task.kinds)}
    return found | {
        "lost by long dates": (bits[dates & ~long].mean() - bits[dates & long].mean()).item(),
        "symbols right": right[counted].float().mean().item(),
        "whole": right.all(dim=1).float().mean().item(),
    }
