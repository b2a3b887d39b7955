"""Steps: whether history and order count, whether the future is seen, how halves are joined."""

from torch import Tensor

from rnnlib.doctor.calling import Subject, follows
from rnnlib.doctor.measures import dependence, exchanged, moved_dependence, tolerance
from rnnlib.doctor.report import Outcome, check, note, sick, sound, untold


@check(
    "order",
    question="Do the steps before, and their order, count?",
    chapter=1,
    blind="how far back the model sees, and whether it uses what it sees",
)
def order(s: Subject) -> Outcome:
    """See whether answers move with earlier steps, and when two steps change places."""
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
    return _arranged(s, steps, moved)


def _arranged(s: Subject, steps: list[int], moved: Tensor) -> Outcome:
    """See whether anything changes where two neighbours change places."""
    tol = tolerance(s)
    at, apart = exchanged(s)
    unit = "of the answer's range, moved by two steps that change places"
    cure = "read them one after the other, or add what tells positions to the inputs"
    if not s.per_step:
        # Only of steps that count beyond doubt can it be said that their order does not.
        strong = {step for step, row in zip(steps, moved, strict=True) if row > 30 * tol}
        pairs = [
            (step, far.item() > tol)
            for step, far in zip(at, apart, strict=True)
            if {step, step + 1} <= strong or len(steps) < s.probe().size(1)
        ]
        if not pairs:
            return untold("No two neighbours count: see coverage.")
        if not any(counts for _, counts in pairs):
            return note(
                apart.max().item(),
                unit,
                "Any two steps may change places: the answer is that of a bag, and knows what "
                "came, not when.",
                f"nothing, if a bag is meant; otherwise {cure}",
            )
        # All that counts is which step stands at one place: the rest are a bag.
        last = s.probe().size(1) - 1
        for place in (0, last, *range(1, last)):
            rest = [counts for step, counts in pairs if place not in (step, step + 1)]
            if len(rest) > 1 and not any(rest):
                meaning = f"Which step is number {place} counts; the order of all others does not."
                return sick(0, unit, f"{meaning} They are a bag.", cure)
    elif apart.max() <= tol:
        meaning = "Other steps count, but not their order: they are a bag."
        return sick(apart.max().item(), unit, meaning, cure)
    return sound(apart.max().item(), unit, "The history and its order are read.")


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
    if causal is None and is_next_step(s):
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


def is_next_step(s: Subject) -> bool:
    """Say whether the targets are the inputs one step later."""
    return follows(s.targets, s.raw, 1 if s.batch_first else 0)


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
    if first[0] and last and not middle.any():
        return sick(
            steps[-1] - 1,
            "steps between it and the last that the first answer does not see",
            "The first answer moves with the first step and with the last, and with none "
            "between: the backward outputs stand in the order in which they were read.",
            "flip the backward outputs in time before joining: torch.cat([forward, "
            "backward.flip(1)], dim=-1)",
        )
    return sound(None, "", "Both readers' outputs belong to the same step.")
