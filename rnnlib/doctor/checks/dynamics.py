"""What happens along time: how a nudge grows, how far a gradient reaches, what saturates."""

import torch
from torch import Tensor

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.copies import copied
from rnnlib.doctor.measures import (
    CHAOS,
    by_lag,
    change,
    dependence,
    followed,
    growth,
    of_samples,
    reach,
    tolerance,
)
from rnnlib.doctor.report import Outcome, check, note, sick, sound, untold

SAMPLES = 8
"""How many more probes are differentiated before a gradient is said to be cut off."""

NO_WAY = "The input is of indices, and nothing was found that turns them into numbers."


@check(
    "gain",
    question="Does a nudge grow from step to step?",
    chapter=3,
    blind="growth that begins only after training, or at inputs unlike the example's",
)
def gain(s: Subject) -> Outcome:
    """Compare what the last answer gets from far steps with what it gets from near ones."""
    norms, grown = by_lag(s), growth(s)
    if norms is None:
        return untold(NO_WAY)
    if grown is None:
        return untold("The sequence is too short, or no gradient comes back through time.")
    last = reach(norms)[1]
    unit = f"times as strong far back (to {last} steps) as at the last five"
    if grown > CHAOS:
        return sick(
            grown,
            unit,
            "A nudge grows from step to step: the dynamics are chaotic, and gradients explode.",
            "scale the recurrent weights to about 1/sqrt(H), or start from an orthogonal matrix; "
            "clip the norm of gradients",
        )
    return sound(grown, unit, "A nudge does not grow.")


@check(
    "horizon",
    question="How far back does a gradient reach?",
    chapter=10,
    blind="what training makes of it: a network may learn to remember longer",
)
def horizon(s: Subject) -> Outcome:
    """Follow the gradient back from the last answer, away from the start of the sequence."""
    norms = by_lag(s)
    if norms is None:
        return untold(NO_WAY)
    if s.axes[0] is None or s.probe().size(1) < 3:
        return untold("No axis of the answer belongs to the samples, or there are too few steps.")
    steps, moved = dependence(s)
    T = s.probe().size(1)
    seen = [
        T - 1 - step
        for step, row in zip(steps, moved, strict=True)
        if step < T - 1 and (row[-1] if s.per_step else row).item() > tolerance(s)
    ]
    same = followed(s, T)
    cut = [lag for lag in sorted(seen) if same is not None and same[lag] == 0]
    if cut:
        # What is chosen, as by a maximum, is chosen in some samples and not in others.
        chosen = [of_samples(s, T, number).amax(0).flip(0) for number in range(1, 1 + SAMPLES)]
        cut = [lag for lag in cut if not any(norms[lag] for norms in chosen)]
    if cut and not same.any():
        return untold(
            "No gradient comes back from any step, not even from the last: the cut lies before the "
            "recurrence, where the input is rounded, or turned into signs or indices."
        )
    if cut:
        return sick(
            cut[0],
            "steps back the gradient is exactly 0",
            "The answer changes with steps from which no gradient comes back: the state is cut "
            "off on the way, or every unit is at an end of its tanh.",
            "detach between batches, never inside the loop over time; see saturation",
        )
    steps, last = reach(norms)
    unit = f"steps back a hundredth is left ({last} were followed)"
    if not seen:
        return untold("No earlier step counts.")
    if steps < min(s.span - 1, last):
        return note(
            steps,
            unit,
            f"As it stands, what happened earlier than that is not learned from, and the example "
            f"has {s.span} steps.",
            "a gated layer with a forget bias, an orthogonal start, or shorter sequences; if it "
            "is trained and does its task, nothing",
        )
    return sound(steps, unit, "The gradient reaches across the example.")


@check(
    "saturation",
    question="How many units sit at the ends of tanh?",
    chapter=3,
    blind="other nonlinearities, and fused operations that hand out none of their insides",
)
def saturation(s: Subject) -> Outcome:
    """Read the example, and count what comes out of tanh beyond 0.99."""
    share = _saturated(s)
    if share is None:
        return untold("No tanh was seen.")
    unit = "of what comes out of tanh is beyond 0.99"
    cure = "bring the inputs to mean 0 and standard deviation 1, and the weights to 1/sqrt(H)"
    # 20 seeds each, hidden 8 to 64: pixels from 0 to 255 put at least 0.95 there; the same pixels
    # between -1/2 and 1/2 none.
    if share > 0.8:
        trained = _saturated(s, training=True)
        if trained is not None and trained <= 0.8:
            meaning = "Nearly every unit is at an end, but not in training mode: running statistics"
            return note(share, unit, f"{meaning} are not yet those of the data.", "train it")
        return sick(share, unit, "Nearly every unit is at an end, where its slope is 0.", cure)
    # Sound networks get far, too: a GRU of 128 units after 200 updates on text has 0.3.
    if share > 0.4:
        return note(share, unit, "Many units are at an end, where their slope is near 0.", cure)
    return sound(share, unit, "Units work where they have a slope.")


def _saturated(s: Subject, training: bool = False) -> float | None:
    """Read the example: the share of what comes out of tanh beyond 0.99, None if none is seen."""
    model, outputs = copied(s.model), []
    # A compiled layer shows nothing of its tanh in the graph, but its outputs.
    hooks = [
        m.register_forward_hook(lambda _, x, y: outputs.append(y[0] if type(y) is tuple else y))
        for m in model.modules()
        if not list(m.children())
    ]
    x, lengths = s.example, s.lengths
    if all(s.free):
        x, lengths = x[:16, :50], lengths if lengths is None else lengths[:16].clamp(max=50)
    y = s.answer(x, lengths, model=model, training=training)
    for hook in hooks:
        hook.remove()
    values = _tanhs(y) or [
        h.detach()
        for h in outputs
        if isinstance(h, Tensor) and h.is_floating_point() and -1 <= h.min() < 0 < h.max() <= 1
    ]
    if not values:
        return None
    return sum(int((h.abs() > 0.99).sum()) for h in values) / sum(h.numel() for h in values)


def _tanhs(y: Tensor) -> list[Tensor]:
    """Walk back through the graph of an answer, and collect what came out of every tanh."""
    found, seen, waiting = [], set(), [y.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if node.name().startswith("TanhBackward"):
            found.append(node._saved_result.detach())
        waiting += [following for following, _ in node.next_functions]
    return found


@check(
    "nonlinearity",
    question="Do two steps act on one another, or do their effects add up?",
    chapter=1,
    blind="a nonlinearity that stands after the recurrence alone, in the read-out",
)
def nonlinearity(s: Subject) -> Outcome:
    """Change two steps one by one and together: of a linear network the changes add up."""
    x = s.probe()
    T = x.size(1)
    if T < 3 or s.axes[0] is None:
        return untold("Too few steps." if T < 3 else "No axis belongs to the samples.")
    most, alone = 0.0, 0.0
    with torch.no_grad():
        before = s.answer(x)
        for pair in ((T - 2, T - 1), (T - 3, T - 2), (0, 1)):
            ys = []
            for steps in (pair[:1], pair[1:], pair):
                changed = x.clone()
                for step in steps:
                    new = s.probe(number=1)[:, step]
                    changed[:, step] = x[:, step] + 3 * (new - x[:, step]) if s.is_real else new
                ys.append(s.answer(changed))
            most = max(most, change(s, ys[2] + before, ys[0] + ys[1]).max().item())
            both = torch.minimum(*(change(s, y, before) for y in ys[:2]))
            alone = max(alone, both.max().item())
    unit = "of the answer's range, moved by two steps beyond what each moves"
    if alone <= tolerance(s):
        return untold("No two steps count for one answer.")
    if most <= 4 * tolerance(s):
        return note(
            most,
            unit,
            "The effects of two steps add up: no nonlinearity stands between them, and stacked "
            "steps are one linear map.",
            "torch.tanh around the sum, h = torch.tanh(x @ W_xh + h @ W_hh + b), unless a linear "
            "recurrence is meant",
        )
    return sound(most, unit, "What a step does depends on the others.")
