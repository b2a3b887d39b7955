"""Padding: whether a sequence is answered the same alone, beside longer and beside shorter ones."""

import torch

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.measures import change, tolerance
from rnnlib.doctor.report import Outcome, check, sick, sound, untold


@check(
    "padding",
    question="Does padding, or company, change the answer to a sequence?",
    chapter=13,
    blind="a loss that counts the steps of padding",
)
def padding(s: Subject) -> Outcome | None:
    """Read sequences alone, beside longer ones and beside shorter ones; fill padding anew."""
    if s.lengths is None and not s.packed:
        return untold("No lengths were given.", "pass lengths, as the model is to be given them")
    if not all(s.free) or s.axes[0] is None:
        return untold("The model reads batches, or sequences, of one size only.")
    x = s.probe(10, samples=5)
    T = x.size(1)
    of_five = torch.tensor([6, T, 4, T - 1, 2])  # unsorted, T among them, all different
    worst, where = 0.0, ""
    with torch.no_grad():
        alone = [
            s.answer(x[i : i + 1, :n], torch.tensor([n])) for i, n in enumerate(of_five.tolist())
        ]

        def compare(rows: list[int], fill: int | None, where_now: str) -> None:
            nonlocal worst, where
            lengths = of_five[rows]
            batch = x[rows, : int(lengths.max())].clone()
            for row, n in enumerate(lengths.tolist()):
                rest = s.probe(10, number=fill or 0, samples=5)[row, n : batch.size(1)]
                batch[row, n:] = torch.zeros_like(rest) if fill is None else rest
            y = s.answer(batch, lengths)
            for row, i in enumerate(rows):
                one, together = alone[i][0], y[row]
                if one.shape != together.shape:  # steps, of which those of padding don't count
                    n = min(len(one), len(together))
                    one, together = one[:n], together[:n]
                moved = _change(s, together, one)
                if not moved <= worst:
                    worst, where = moved, where_now

        for rows in ([0, 1], [2, 0, 3, 1, 4], [4, 2]):
            compare(rows, None, "beside sequences of other lengths")
            compare(rows, 1, "with other numbers in the padding")
        compare([1, 4], None, "beside shorter ones")
    unit = "of the answer's range, moved by company"
    if worst <= tolerance(s):
        return sound(worst, unit, "A sequence is answered the same in any company.")
    if s.takes_lengths == "no" and not s.packed:
        return sick(
            worst,
            unit,
            f"Padding changes the answer ({where}): forward has no argument for lengths.",
            "give forward the lengths, and pack: pack_padded_sequence(x, lengths.cpu(), "
            "batch_first, enforce_sorted=False)",
        )
    return sick(
        worst,
        unit,
        f"The answer to a sequence changes {where}.",
        "pack, or read at step lengths - 1; flip each sequence within its own length; mask "
        "means and attention; put sorted samples back into their order",
    )


def _change(s: Subject, y, before) -> float:
    return change(s, y[None], before[None]).max().item()
