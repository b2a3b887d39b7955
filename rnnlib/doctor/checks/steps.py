"""Steps: whether history and order count, whether the future is seen, how halves are joined."""

import torch
from torch import Tensor

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.measures import change, dependence, moved_dependence, tolerance
from rnnlib.doctor.report import Outcome, check, note, sick, sound, untold


@check(
    "order",
    question="Do the steps before, and their order, count?",
    chapter=1,
    blind="how far back the model sees, and whether it uses what it sees",
)
def order(s: Subject) -> Outcome:
    """See whether the last answer moves with earlier steps, and when they change places."""
    x = s.probe()
    T = x.size(1)
    if T < 3 or s.axes[0] is None:
        return untold("Fewer than three steps." if T < 3 else "No axis belongs to the samples.")
    steps, moved = dependence(s)
    past = _past(s, steps, moved)
    tol = tolerance(s)
    if past <= tol:
        unit = "of the answer's range, moved by earlier steps"
        if s.per_step and any(
            row[:step].max() > tol for step, row in zip(steps, moved, strict=True) if step
        ):
            return note(past, unit, "Answers depend on later steps alone: it reads backward.")
        begun = _past(s, *moved_dependence(s))
        if begun > tol:
            return note(
                begun,
                f"{unit}, once the weights were moved a little",
                "No earlier step counts as the weights stand: what reads the history begins at "
                "zero.",
                "nothing, if a gate, a skip or a read-out is meant to begin there",
            )
        return sick(
            past,
            unit,
            "Earlier steps do not change the answer: the history is not read.",
            "hand the state on from step to step: h = cell(x_t, h); with batch_first wrong, "
            "the steps are taken for samples; of output, read the last step",
        )
    late = [row.max().item() for step, row in zip(steps, moved, strict=True) if step > T // 2]
    if not s.per_step and max(late) <= tol:
        return sick(
            max(late),
            "of the answer's range, moved by the last steps",
            "The last steps do not change the answer: it is read too early.",
            "with batch_first=True read output[:, -1]",
        )
    flipped = 0.0
    with torch.no_grad():
        for number in (0, 3):
            x = s.probe(number=number)
            turned = torch.cat([x[:, :-1].flip(1), x[:, -1:]], dim=1)
            apart = change(s, s.answer(turned), s.answer(x))
            flipped = max(flipped, (apart[:, -1] if s.per_step else apart).max().item())
    unit = "of the answer's range, moved by turning earlier steps round"
    if flipped <= tol:
        return sick(
            flipped,
            unit,
            "The earlier steps count, but not their order: they are a bag.",
            "read them one after the other, or add what tells positions to the inputs",
        )
    return sound(flipped, unit, "The history and its order are read.")


def _past(s: Subject, steps: list[int], moved: Tensor) -> float:
    """How far the answers move, at most, with a step before them."""
    rows = [
        row[step + 1 :].max() if s.per_step else row
        for step, row in zip(steps, moved, strict=True)
        if step < s.probe().size(1) - 1
    ]
    return max((row.item() for row in rows), default=0.0)


@check(
    "causality",
    question="Does an answer depend on later steps?",
    chapter=5,
    blind="an answer that is part of its own input: whether a step's input holds its target",
)
def causality(s: Subject) -> Outcome | None:
    """Replace each step; see whether answers before it move."""
    if not s.per_step:
        return None
    causal = s.causal
    told = "causal=True was told"
    if causal is None and _is_next_step(s):
        causal, told = True, "the targets are the inputs one step later"
    steps, moved = dependence(s)
    leak = max(
        (row[:step].max().item() for step, row in zip(steps, moved, strict=True) if step),
        default=0.0,
    )
    unit = "of the answer's range, moved by later steps"
    if leak <= tolerance(s):
        if s.causal is False:
            return sick(
                leak,
                unit,
                "No answer depends on a later step, and causal=False was told.",
                "read in two directions, and flip the backward outputs back before joining",
            )
        return sound(leak, unit, "No answer depends on a later step.")
    if causal:
        return sick(
            leak,
            unit,
            f"Answers depend on later steps, and {told}: in training it reads what it is to "
            "predict, and in use it is not there.",
            "one direction only; a mask in attention; padding on the left alone in a convolution",
        )
    if causal is None:
        return note(
            leak,
            unit,
            "Answers depend on later steps: right for tagging a whole sequence, wrong for "
            "predicting what comes next.",
            "say causal=True if later steps must not be seen",
        )
    return sound(leak, unit, "Answers depend on later steps, as told.")


def _is_next_step(s: Subject) -> bool:
    y = s.targets
    if y is None or y.shape != s.raw.shape:
        return False
    axis = 1 if s.batch_first else 0
    T = s.raw.size(axis)
    if T < 2:
        return False
    earlier, later = y.narrow(axis, 0, T - 1), s.raw.narrow(axis, 1, T - 1)
    return bool((earlier == later).all())


@check(
    "halves",
    question="Are the outputs of two readers aligned in time?",
    chapter=5,
    blind="a second layer that reads misaligned outputs, which then reach everywhere",
)
def halves(s: Subject) -> Outcome | None:
    """See whether the first answer moves with all later steps, or with the last alone."""
    steps, moved = dependence(s)
    if not s.per_step or len(steps) < 5:
        return None
    tol = tolerance(s)
    first = moved[:, 0] > tol
    if not first[1:].any():
        return None
    middle, last = first[1:-1], first[-1]
    if last and not middle.any():
        return sick(
            steps[-1] - 1,
            "steps between it and the last that the first answer does not see",
            "The first answer moves with the first step and with the last, and with none "
            "between: the backward outputs stand in the order in which they were read.",
            "flip the backward outputs in time before joining: torch.cat([forward, "
            "backward.flip(1)], dim=-1)",
        )
    return sound(None, "", "Both readers' outputs belong to the same step.")
