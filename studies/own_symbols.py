"""Chapter 14: what does an error cost a model that reads what it has written?

The chapter's model without attention; Adam with 0.015 and, for the last quarter of the updates,
0.003. With `own` above 0 this share of the symbols read in training is the model's own: a first
pass without gradient says what it would have written, a second one is trained. Measured on the
chapter's 600 sources: the share of wrong symbols after the first error, told the true ones and
alone, in the rest of the same field and in later fields; and the share of whole answers.
"""

import torch
import torch.nn.functional as F

import rnnlib
from rnnlib.data.lengths import IGNORE_INDEX
from rnnlib.models import EncoderDecoder
from rnnlib.models.search import best_symbols

SETTINGS = [
    {"own": own, "updates": updates, "seed": seed}
    for updates in (200, 600)
    for own in (0.0, 0.25)
    for seed in range(5 if updates == 200 else 3)
]


def run(own: float, updates: int, seed: int) -> dict[str, float]:
    """Train one model, and count what is wrong after its first errors."""
    task = rnnlib.Dates()
    rnnlib.seed_everything(seed)
    model = EncoderDecoder(
        rnnlib.GRU(32, 32, batch_first=True, bidirectional=True),
        rnnlib.GRU(32, 64, batch_first=True),
        len(task.source_vocabulary),
        len(task.target_vocabulary),
    )
    batches = task.batches(updates, 48, torch.Generator().manual_seed(seed))
    draws = torch.Generator().manual_seed(seed)
    most = 3 * updates // 4
    for part, lr in ((batches[:most], 0.015), (batches[most:], 0.003)):
        optimizer = torch.optim.Adam(model.parameters(), lr=lr)
        for (source, lengths, previous), z in part:
            if own:
                with torch.no_grad():
                    written = model(source, lengths, previous).argmax(dim=-1)
                mine = torch.rand(previous.shape, generator=draws) < own
                previous = previous.clone()
                previous[:, 1:] = torch.where(mine[:, 1:], written[:, :-1], previous[:, 1:])
            optimizer.zero_grad()
            y = model(source, lengths, previous)
            F.cross_entropy(y.flatten(0, 1), z.flatten(), ignore_index=IGNORE_INDEX).backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
    return _measure(model, task)


def _measure(model: EncoderDecoder, task: rnnlib.Dates) -> dict[str, float]:
    pairs = task.pairs(600, torch.Generator().manual_seed(99), part="test")
    (source, lengths, previous), z = task.encode(pairs)
    counted, place = z != IGNORE_INDEX, torch.arange(z.size(1))
    with torch.no_grad():
        told = model(source, lengths, previous).argmax(dim=-1)
    options = {"start": task.start, "end": task.end, "max_steps": task.max_steps}
    alone = best_symbols(model.answer(source, lengths, **options), z.size(1))
    wrong = torch.stack([told != z, alone != z])
    first = (wrong[0] & counted).int().argmax(dim=1, keepdim=True)
    after = counted & (place > first) & wrong[0].gather(1, first)
    field = torch.bucketize(place, torch.tensor([0, 4, 7, 10, 13, 16]), right=True)
    same = field == field[first]
    found = {"whole": ((told == z) | ~counted).all(dim=1).float().mean().item()}
    for name, where in (("same field", after & same), ("later fields", after & ~same)):
        found[f"{name}, told"], found[f"{name}, alone"] = (
            part[where].float().mean().item() for part in wrong
        )
    return found
