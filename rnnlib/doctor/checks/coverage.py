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
    blind="features that are not read, and steps whose numbers are read in the wrong order",
)
def coverage(s: Subject) -> Outcome:
    """Look for steps without influence, and for answers that their own step does not move."""
    T = s.probe().size(1)
    if T < 3 or s.axes[0] is None:
        return untold("Fewer than three steps." if T < 3 else "No axis belongs to the samples.")
    steps, moved = dependence(s)
    tol = tolerance(s)
    own = [bool(moved[row, step] > tol) for row, step in enumerate(steps) if s.per_step]
    read = _reaching(moved, tol)
    if not any(read[:-1]):
        return untold("The last step alone counts, or none: see order.")
    if own and not any(own):
        return _behind(s, steps, moved)
    if not all(read):
        read = [a or b for a, b in zip(read, _reaching(moved_dependence(s)[1], tol), strict=True)]
    first, last = read.index(True), len(read) - 1 - read[::-1].index(True)
    missing = [step for step, there in zip(steps[first:], read[first:], strict=True) if not there]
    if missing and not _counts_in_example(s):
        missing = [step for step in missing if not _counts_at_last(s, step)]
        if missing and missing == steps[last + 1 :] and _is_remainder(s):
            return note(
                len(missing),
                f"of {T} steps reach no answer",
                "The last steps count only where the number of steps can be divided: what is left "
                "over is dropped.",
                "pad to a multiple of the stride, if the end matters",
            )
        if missing:
            return sick(
                len(missing),
                f"of {len(steps)} steps reach no answer",
                f"Nothing that stands at {_listed(missing)} of steps 0 to {T - 1} moves an answer.",
                "read output[:, -1] with batch_first=True; of a loop over t, x[:, t]; look for "
                "slices such as x[:, ::2] and output[:, -2]",
            )
    own = own or read
    blind = [step for step, sees, there in zip(steps, own, read, strict=True) if there > sees]
    if blind:
        return sick(
            len(blind),
            f"of {len(own)} answers do not depend on their own step",
            f"The answers at {_listed(blind)} are about other steps, and the rest about their own.",
            "put the outputs in the order of time: append each as it is made, and flip back what "
            "was read backward",
        )
    if first and s.exact:
        return note(
            first,
            f"of {len(steps)} steps reach no answer",
            f"Nothing before step {steps[first]} of {T} moves an answer: the end of a sequence is "
            "seen as through a window.",
            "nothing, if a window is meant; otherwise more layers, a dilation, or a recurrence",
        )
    return sound(len(steps), "steps tried, and each reaches an answer", "No step is passed over.")


def _reaching(moved, tol: float) -> list[bool]:
    """Say of each step that was replaced whether any answer moved."""
    return (moved.reshape(len(moved), -1).amax(1) > tol).tolist()


def _behind(s: Subject, steps: list[int], moved) -> Outcome:
    """Tell of answers none of which depends on its own step."""
    meaning = "No answer depends on its own step: each tells of others alone."
    cure = "append the output of a step after the state was updated"
    unit = "answers depend on their own step"
    if is_next_step(s):
        return sick(0, unit, f"{meaning} The newest input is not used to predict the next.", cure)
    return note(0, unit, meaning, f"{cure}, unless an answer must not see its own input")


def _counts_in_example(s: Subject) -> bool:
    """Whether in the example itself, which may end in padding, no step is passed over."""
    x = s.example[:16] if s.free[0] else s.example
    if x.size(1) < 3 or s.lengths is not None or s.packed:
        return False
    read = _reaching(replaced(s, s.model, x)[1], tolerance(s))
    return any(read) and all(read[read.index(True) :])


def _counts_at_last(s: Subject, step: int) -> bool:
    """Whether any of many frames at a step moves an answer."""
    x = s.probe()
    with torch.no_grad():
        before = s.answer(x, model=copied(s.model))
        for number in range(3, 3 + TRIED):
            changed = x.clone()
            changed[:, step] = s.probe(number=number)[:, step]
            moved = change(s, s.answer(changed, model=copied(s.model)), before)
            if moved.max() > tolerance(s):
                return True
    return False


def _is_remainder(s: Subject) -> bool:
    """Whether the last step counts in a sequence that is a few steps longer."""
    if not s.free[1]:
        return False
    with torch.no_grad():
        for T in range(s.probe().size(1) + 1, s.probe().size(1) + 9):
            x = s.probe(T)
            changed = x.clone()
            changed[:, -1] = s.probe(T, 1)[:, -1]
            y, before = s.answer(changed, model=copied(s.model)), s.answer(x, model=copied(s.model))
            if change(s, y, before).max() > tolerance(s):
                return True
    return False


def _listed(steps: list[int]) -> str:
    """Name steps: all of a few, else the first and the last."""
    if len(steps) == 1:
        return f"step {steps[0]}"
    if len(steps) > 5:
        return f"steps {steps[0]}, {steps[1]}, … {steps[-1]}"
    return f"steps {', '.join(map(str, steps[:-1]))} and {steps[-1]}"
