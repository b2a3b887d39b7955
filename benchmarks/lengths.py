"""What sequences of different length cost: one by one, padded, packed, and in pools."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import rnnlib
from benchmarks.race import race, ratios, spread
from rnnlib.data.lengths import mask, padded_loader
from rnnlib.data.tasks import AboveAverage
from rnnlib.models import SequenceTagger

WAYS = ("one by one", "padded", "packed", "padded in pools", "packed in pools")
LAYERS = {"rnnlib": rnnlib.GRU, "torch": nn.GRU}
WIDTHS = (16, 256)
LONGEST = 60
SPREADS = (1, 2, 10, 30)  # the longest possible length over the shortest
BATCH, POOL = 32, 4
DIARIES = BATCH * POOL


class Tagging:
    """A tagger with one GRU, and a fixed set of diaries, batched in each of the five ways.

    One direction: there padding does no harm to the real steps, so that all ways compute the same.
    """

    def __init__(self, layer: str, H: int, ratio: int):
        task = AboveAverage(min_steps=LONGEST // ratio, max_steps=LONGEST)
        xs, zs = task.sequences(DIARIES, torch.Generator().manual_seed(0))
        self.steps = sum(map(len, xs))
        as_they_come, in_pools = (list(padded_loader(xs, zs, BATCH, pool=p)) for p in (1, POOL))
        alone = list(padded_loader(xs, zs, 1))
        self.batches = dict(
            zip(WAYS, (alone, as_they_come, as_they_come, in_pools, in_pools), strict=True)
        )
        self.name = f"GRU of {layer}, H = {H}, lengths from {task.min_steps} to {LONGEST}"
        torch.manual_seed(0)
        self.model = SequenceTagger(LAYERS[layer](1, H, batch_first=True), 2)

    def gradients(self, way: str) -> list[Tensor]:
        """Go forward and backward through all diaries: gradients of the loss of a real step."""
        parameters = list(self.model.parameters())
        for p in parameters:
            p.grad = None
        for x, z, lengths in self.batches[way]:
            real = mask(lengths, x.size(1))
            logits = self.model(x, lengths) if way.startswith("packed") else self.model(x)
            (F.cross_entropy(logits[real], z[real], reduction="sum") / self.steps).backward()
        return [p.grad for p in parameters]

    def runners(self) -> dict[str, Callable[[], object]]:
        """Return what the race calls for each way."""

        def runner(way):
            return lambda: self.gradients(way)

        return {way: runner(way) for way in WAYS}

    def check(self) -> None:
        """Raise RuntimeError unless all ways compute the same gradients."""
        expected = self.gradients("one by one")
        for way in WAYS[1:]:
            for a, b in zip(self.gradients(way), expected, strict=True):
                error, scale = (a - b).abs().max().item(), b.abs().max().item()
                if not error <= 1e-3 * scale:
                    raise RuntimeError(
                        f"{self.name}: {way} differs from one by one by {error:.1e}, "
                        f"expected at most {1e-3 * scale:.1e}"
                    )


def measure(options: dict, tell: Callable[[str], None]) -> list[dict]:
    """Return a row for each layer, width and spread of the lengths.

    `options` are those of `race`; `tell` hears of each row as it is done.
    """
    rows = []
    for layer in LAYERS:
        for H in WIDTHS:
            for ratio in SPREADS:
                tagging = Tagging(layer, H, ratio)
                tagging.check()
                times = race(tagging.runners(), **options)
                row = {
                    "layer": layer,
                    "H": H,
                    "spread": ratio,
                    "rounds": len(times["padded"]),
                    "seconds": {way: spread(values) for way, values in times.items()},
                    "ratio": ratios(times, base="padded"),
                }
                rows.append(row)
                tell(_line(row))
    return rows


def _line(row: dict) -> str:
    text = f"GRU of {row['layer']:7}H = {row['H']:<4} longest/shortest {row['spread']:<3}"
    text += f"padded {1e3 * row['seconds']['padded']['median']:7.1f} ms"
    for way, ratio in row["ratio"].items():
        text += f"   {way} {ratio['ratio']:.2f} ({ratio['q1']:.2f} to {ratio['q3']:.2f})"
    return text
