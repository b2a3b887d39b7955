"""Padding: whether a sequence is answered the same alone, beside longer and beside shorter ones."""

import torch

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.measures import change, tolerance
from rnnlib.doctor.report import Outcome, check, note, sick, sound, untold

TOGETHER = ([0, 1], [2, 4, 1, 0, 3], [4, 2])
"""Which of five sequences stand beside each other. To sort the five by length, either way, takes
a cycle of three: an order that is made of swaps is its own inverse."""


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
    constant = _constant(s)
    company = _Company(s, 0 if constant is None else constant)
    for rows in TOGETHER:
        company.compare(rows, False, "beside sequences of other lengths")
    company.compare([1, 4], False, "beside shorter ones")
    known = company.worst <= tolerance(s)
    for rows in TOGETHER:
        company.compare(rows, True, "with other numbers in the padding")
    worst, where = company.worst, company.where
    unit = "of the answer's range, moved by company"
    if worst <= tolerance(s):
        return sound(worst, unit, "A sequence is answered the same in any company.")
    if company.reordered:
        return sick(
            worst,
            unit,
            "In company the sequences are answered in another order: each gets the answer to "
            "another one.",
            "samples that were sorted by x[order] are put back by the inverse permutation, "
            "h[order.argsort()]: h[order] sorts them once more, and h leaves them sorted",
        )
    if known and constant is not None:
        return note(
            worst,
            "of the answer's range, moved by other numbers in the padding",
            f"The model knows padding by the number {constant:g}: while padding holds it, a "
            "sequence is answered the same in any company.",
            f"keep {constant:g} for padding alone, or give forward the lengths",
        )
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
        "means and attention",
    )


def _constant(s: Subject) -> float | None:
    """Return the one number that fills the padding of the example, and no real step of it."""
    if s.read is None or bool(s.read.all()):
        return None
    padding, real = s.raw[~s.read], s.raw[s.read]
    number = padding.flatten()[0]
    if not (padding == number).all():
        return None
    alone = real.flatten(1) if real.dim() > 1 else real[:, None]
    return None if (alone == number).all(1).any() else number.item()


class _Company:
    """Five sequences, what is answered to each alone, and how far company moves that at most."""

    def __init__(self, s: Subject, constant: float):
        self.s, self.constant, self.worst, self.where = s, constant, 0.0, ""
        self.reordered = False
        self.x = s.probe(10, samples=5)
        T = self.x.size(1)
        self.lengths = torch.tensor([6, T, 4, T - 1, 2])  # unsorted, T among them, all different
        with torch.no_grad():
            self.alone = [
                s.answer(self.x[i : i + 1, :n], torch.tensor([n]))[0]
                for i, n in enumerate(self.lengths.tolist())
            ]

    def compare(self, rows: list[int], anew: bool, where: str) -> None:
        """Read some of them together, padded with the constant or with other frames."""
        lengths = self.lengths[rows]
        T = int(lengths.max())
        batch = self.x[rows, :T].clone()
        other = self.s.probe(10, number=1, samples=5)
        for row, n in enumerate(lengths.tolist()):
            batch[row, n:] = other[row, n:T] if anew else self.constant
        with torch.no_grad():
            y = self.s.answer(batch, lengths)
        for together, i in zip(y, rows, strict=True):
            moved = _change(self.s, together, self.alone[i])
            if not moved <= self.worst:
                self.worst, self.where = moved, where
        answered = [self._nearest(together, rows) for together in y]
        self.reordered = self.reordered or (set(rows) == set(answered) and answered != rows)

    def _nearest(self, together, rows: list[int]) -> int | None:
        """Which of the sequences was answered so alone, if any."""
        moved = {i: _change(self.s, together, self.alone[i]) for i in rows}
        nearest = min(moved, key=moved.get)
        return nearest if moved[nearest] <= tolerance(self.s) else None


def _change(s: Subject, y, before) -> float:
    """How far an answer moved; of steps, those of padding don't count."""
    if before.shape != y.shape:
        n = min(len(before), len(y))
        before, y = before[:n], y[:n]
    return change(s, y[None], before[None]).max().item()
