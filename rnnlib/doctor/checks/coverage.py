"""Which steps reach an answer, and whether each answer has seen its own."""

import torch

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.checks.steps import is_next_step
from rnnlib.doctor.copies import copied
from rnnlib.doctor.measures import change, dependence, moved_dependence, replaced, tolerance
from rnnlib.doctor.report import Outcome, check, note, sick, sound, untold

TRIED = 20
"""More frames that are tried at a step before it is said to count for nothing: what is chosen,
as by a maximum, need not be chosen in the first."""


@check(
    "coverage",
    question="Does every step reach an answer, and each answer its own step?",
    chapter=4,
    blind="features that are not read, and numbers of a step that a view has taken to other steps",
)
def coverage(s: Subject) -> Outcome:
    """Look for steps without influence, and for answers that their own step does not move."""
    T = s.probe().size(1)
    if T < 3 or s.axes[0] is None:
        return untold("Fewer than three steps." if T < 3 else "No axis belongs to the samples.")
    steps, moved = dependence(s)
    own = [bool(moved[row, step] > tolerance(s)) for row, step in enumerate(steps) if s.per_step]
    if own and moved.max() > tolerance(s) and not any(own):
        return _behind(s)
    missing = _missing(s)
    counting = [step for step in steps if step not in missing]
    if not counting or (counting == [T - 1] and not s.per_step):
        return untold("The last step alone counts, or none: see order.")
    if missing:
        return _passed_over(s, steps, missing)
    blind = [step for step, sees in zip(steps, own, strict=False) if not sees]
    if blind:
        return sick(
            len(blind),
            f"of {len(own)} answers do not depend on their own step",
            f"The answers at {_listed(blind)} are about other steps, and the rest about their own.",
            "put the outputs in the order of time: append each as it is made, and flip back what "
            "was read backward",
        )
    anew = _begun_anew(s)
    if anew:
        return note(
            len(anew),
            f"of {T} answers see nothing before them, and others do",
            f"At {_listed(anew)} it is as if a sequence began anew.",
            "hand the state on from piece to piece: output, state = rnn(piece, state); nothing, if "
            "blocks are meant",
        )
    return sound(len(steps), "steps tried, and each reaches an answer", "No step is passed over.")


def _passed_over(s: Subject, steps: list[int], missing: list[int]) -> Outcome:
    """Tell of steps without influence: sick, unless they are the first ones, or left over."""
    T = s.probe().size(1)
    unit = f"of {len(steps)} steps reach no answer"
    n = len(missing)
    if missing == steps[:n] and not (s.per_step and n > 1):
        if not s.exact:
            return untold("What stands far back counts for less than rounding.")
        where = f"Nothing before step {steps[n]} of {T} moves an answer"
        if s.free[1] and _counts(s, steps[n], T + 6):
            cure = "nothing, if the beginning is to be left out; a loop from 0, otherwise"
            return note(n, unit, f"{where}, however long the sequence is.", cure)
        cure = "nothing, if a window is meant; otherwise more layers, a dilation, or a recurrence"
        return note(n, unit, f"{where}: the end is seen as through a window.", cure)
    if missing == steps[-n:] and s.free[1]:
        if any(_counts(s, longer - 1, longer) for longer in range(T + 1, T + 9)):
            meaning = "The last steps count only where the number of steps can be divided."
            return note(n, unit, meaning, "pad to a multiple of the stride, if the end matters")
        if _answers(s) == T - n:
            meaning = f"There are {T - n} answers to {T} steps, and the last steps are not read."
            return note(n, unit, meaning, "nothing, if they are targets alone")
    return sick(
        n,
        unit,
        f"Nothing that stands at {_listed(missing)} of steps 0 to {T - 1} moves an answer.",
        "read output[:, -1] with batch_first=True; of a loop over t, x[:, t]; look for slices such "
        "as x[:, ::2] and output[:, -2]",
    )


def _behind(s: Subject) -> Outcome:
    """Tell of answers none of which depends on its own step."""
    meaning = "No answer depends on its own step: each tells of others alone."
    cure = "append the output of a step after the state was updated"
    unit = "answers depend on their own step"
    if is_next_step(s):
        return sick(0, unit, f"{meaning} The newest input is not used to predict the next.", cure)
    return note(0, unit, meaning, f"{cure}, unless an answer must not see its own input")


def _begun_anew(s: Subject) -> list[int]:
    """Find the answers that no earlier step moves, though one before them is moved so."""
    steps, moved = dependence(s)
    if not s.per_step or len(steps) < s.probe().size(1):
        return []
    seen = [bool(moved[:t, t].max() > tolerance(s)) for t in steps[1:]]
    begun = seen.index(True) if any(seen) else len(seen)
    return [t for t, sees in zip(steps[1:], seen, strict=True) if not sees and t > begun]


def _missing(s: Subject) -> list[int]:
    """Find the steps that move no answer: not of moved weights, nor other frames, nor the example.

    A gate may begin at zero, a maximum choose other steps, and a model look for padding.
    """
    steps, moved = dependence(s)
    tol = tolerance(s)
    missing = [step for step, row in zip(steps, moved, strict=True) if row.max() <= tol]
    if missing:
        rows = zip(steps, moved_dependence(s)[1], strict=True)
        missing = [step for step, row in rows if step in missing and row.max() <= tol]
    missing = [step for step in missing if not _counts(s, step, s.probe().size(1))]
    if missing and _example_has_no_gap(s):
        missing = [step for step, k in zip(missing, steps, strict=False) if step == k]
    return missing


def _example_has_no_gap(s: Subject) -> bool:
    """Whether in the example itself, which may end in padding, all steps count from one on."""
    x = s.example[:16] if s.free[0] else s.example
    if s.lengths is not None or s.packed or x.size(1) < 3:
        return False
    read = [bool(row.max() > tolerance(s)) for row in replaced(s, s.model, x)[1]]
    return any(read) and all(read[read.index(True) :])


def _counts(s: Subject, step: int, T: int) -> bool:
    """Whether any of many frames at a step of a probe of T steps moves an answer."""
    x = s.probe(T)
    with torch.no_grad():
        before = s.answer(x, model=copied(s.model))
        for number in range(3, 3 + TRIED):
            changed = x.clone()
            changed[:, step] = s.probe(T, number)[:, step]
            moved = change(s, s.answer(changed, model=copied(s.model)), before)
            if moved.max() > tolerance(s):
                return True
    return False


def _answers(s: Subject) -> int | None:
    """Return along the axis of steps how many answers there are."""
    axis = s.output_axes[1 if s.batch_first else 0]
    return None if axis is None else s.output_shape[axis]


def _listed(steps: list[int]) -> str:
    """Name steps: all of a few, else the first and the last."""
    if len(steps) == 1:
        return f"step {steps[0]}"
    if len(steps) > 5:
        return f"steps {steps[0]}, {steps[1]}, … {steps[-1]}"
    return f"steps {', '.join(map(str, steps[:-1]))} and {steps[-1]}"
