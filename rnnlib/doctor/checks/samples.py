"""Samples: which axis is theirs, whether they keep to themselves, how many there may be."""

import torch
from torch import nn

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.copies import copied, stirred
from rnnlib.doctor.measures import change, scale, tolerance
from rnnlib.doctor.messages import diagnose, raised
from rnnlib.doctor.report import Outcome, check, note, sick, sound, untold
from rnnlib.doctor.returned import RaisedError

FEATURES = 64
"""How many are tried."""


@check(
    "layout",
    question="Which axis of the example is that of samples?",
    chapter=3,
    blind="what its author means by each axis: a layer that reads time first, given samples "
    "first, does what it should do with samples first as steps",
)
def layout(s: Subject) -> Outcome | None:
    """Compare the order of axes in answer and example; tell a guess."""
    kept = s.kept if s.per_step and not s.packed else []
    if kept != (sorted(kept) if s.batch_first else sorted(kept, reverse=True)):
        orders = ("samples", "steps") if s.batch_first else ("steps", "samples")
        meaning = f"The example has {orders[0]} first, and the answer {orders[1]} first."
        if s.targets is None or isinstance(s.loss, nn.CTCLoss):
            return note(None, "", meaning, "right for CTC; otherwise transpose(0, 1)")
        cure = "torch.stack(outputs, dim=1), or transpose(0, 1): flattened, they look right"
        return sick(None, "", f"{meaning} They meet the targets of others.", cure)
    if s.told_layout is not None or s.packed:
        return sound(None, "", "Axes stand in one order in example and answer.") if kept else None
    N, T = s.raw.shape[:2] if s.batch_first else s.raw.shape[1::-1]
    if s.batch_first:
        return note(
            None, "", f"Taken as (N, T, …): {N} samples of {T} steps; batch_first was not told."
        )
    return untold(
        f"The model reads (T, N, …): of this example {N} samples of {T} steps. If the example has "
        "samples first, they leak into one another, and time is never seen.",
        "say batch_first=True or False, and mixing will be judged by it; or give what "
        "tells: targets that are the inputs one step later, or, with fewer samples than steps or "
        "more, lengths or one target for each sample",
    )


@check(
    "input",
    question="Does the answer depend on the input?",
    chapter=10,
    blind="an input that is heard but not needed; ten layers of an RNN or a GRU, which let through "
    "a thousandth",
)
def deaf(s: Subject) -> Outcome:
    """Compare how far the answer moves with how large it is."""
    moved, size = scale(s)
    share = moved / max(size, 1e-300)
    # Untrained layers of torch.nn and a linear read-out, hidden 10 to 32, 20 seeds each: an LSTM of
    # ten layers at most 5.5e-6; of five layers at least 1.1e-3, a GRU 0.042, an RNN 0.18.
    if share < 3e-5:
        return sick(
            share,
            "of the answer's size, moved by another input",
            "The input does not get through: the answer is nearly the same for every sequence.",
            "look for a size that went into num_layers (ten layers, by default weights, let "
            "nothing pass), and for weights or inputs that are all but zero",
        )
    if s.moved:
        return note(
            0,
            "of the answer's size, moved by another input",
            "The answer does not depend on the input until the weights are moved a little: the "
            "read-out begins at zero. All that follows was asked of moved weights.",
        )
    unheard = _unheard(s)
    if unheard:
        names = ", ".join(map(str, unheard[:4])) + (", …" if len(unheard) > 4 else "")
        return note(
            len(unheard),
            f"of {s.raw.size(-1)} features move no answer",
            f"Nothing that stands in feature {names} of a step counts.",
            "read all of x_t, unless the rest is to be left out",
        )
    return sound(
        share, "of the answer's size, moved by another input", "The answer depends on the input."
    )


def _unheard(s: Subject) -> list[int]:
    """Find the features that move no answer, of the first `FEATURES`."""
    if not s.is_real or s.raw.dim() != 3 or s.raw.size(-1) < 2:
        return []
    x, other = s.probe(), s.probe(number=1)
    model = stirred(s.model, 0, 0.05)  # a gate may begin at zero
    unheard = []
    with torch.no_grad():
        before = s.answer(x, model=copied(model))
        for feature in range(min(FEATURES, x.size(-1))):
            changed = x.clone()
            changed[..., feature] = other[..., feature]
            moved = change(s, s.answer(changed, model=copied(model)), before)
            unheard += [feature] * bool(moved.max() <= tolerance(s))
    return unheard


@check(
    "mixing",
    question="Do samples leak into one another?",
    chapter=3,
    blind="what mixes in training mode alone, as batch normalization does",
)
def mixing(s: Subject) -> Outcome:
    """Replace one sample; see whether the answers to the others move; then exchange places."""
    x = s.probe()
    if len(x) < 2:
        return untold("The model reads one sample at a time.")
    if s.axes[0] is None:
        return sick(
            None,
            "",
            f"No axis of the answer belongs to the samples: {x.size(0)} samples of {x.size(1)} "
            "steps did not give an answer each.",
            "with batch_first=True the last step is output[:, -1], and without it output[-1]",
        )
    with torch.no_grad():
        before, leak = s.answer(x), 0.0
        for at in (0, len(x) // 2, len(x) - 1):
            changed = x.clone()
            changed[at] = s.probe(number=1)[at]
            moved = change(s, s.answer(changed), before)
            moved[at] = 0
            leak = max(leak, moved.max().item())
        moved = change(s, s.answer(x.roll(1, dims=0)), before.roll(1, dims=0)).max().item()
        by_chance = not torch.equal(s.answer(x, number=1), before)
    unit = "of the answer's range, moved by another sample"
    if leak <= tolerance(s):
        if moved > tolerance(s) and not by_chance:
            return sick(
                moved,
                "of the answer's range, moved by another place in the batch",
                "A sample is answered in another way at another place in the batch.",
                "what is added by position belongs to the axis of steps, and states are made "
                "alike for all samples",
            )
        return sound(leak, unit, "Each sample is answered by itself.")
    if _by_statistics(s, x, before, leak):
        return sick(
            leak,
            unit,
            "Answers depend on statistics of the batch, in evaluation mode, too: each sample is "
            "measured by those beside it.",
            "batch normalization keeps running statistics for this: leave .train() and "
            "track_running_stats=False out of the model; or normalize each sample by itself, "
            "nn.LayerNorm",
        )
    return sick(
        leak,
        unit,
        "What one sample holds changes the answers to others: a common cause is a layer that "
        "takes samples for steps.",
        "give every recurrent layer batch_first=True if x is (N, T, …); look for a reshape or "
        "view that should be a transpose, and for a softmax or mean over axis 0",
    )


def _by_statistics(s: Subject, x, before, leak: float) -> bool:
    """Whether answers stay where the batch is doubled: its mean and variance do."""
    if not s.free[0]:
        return False
    with torch.no_grad():
        doubled = s.answer(torch.cat([x, x]))
    return change(s, doubled, torch.cat([before, before])).max().item() < 0.1 * leak


@check(
    "sizes",
    question="Does the model read batches and sequences of other sizes?",
    chapter=13,
    blind="sizes that were not tried",
)
def sizes(s: Subject) -> Outcome:
    """Try one sample, and one sample more than before, and other lengths."""
    if s.axes[0] is None:
        return untold("No axis of the answer belongs to the samples.")
    if not s.free[0]:
        error = _error(s)
        known = error and diagnose(error)
        said = f" {raised(error)}" if error else ""
        return sick(
            s.sizes[0 if s.batch_first else 1],
            "samples, and no other number",
            f"The model reads batches of one size only; the last batch of an epoch is often "
            f"smaller.{said}",
            known.cure if known else "make states of the input: x.new_zeros(…, x.size(0), …)",
        )
    try:
        with torch.no_grad():
            one = s.answer(s.probe(samples=1))
    except RaisedError as error:
        return sick(
            1,
            "sample makes it raise",
            f"A batch of one sample is not read. {raised(error.error)}",
            "name the axis in squeeze(), or do without it",
        )
    if one.dim() == 0 or len(one) != 1:
        return sick(1, "sample", "A batch of one loses its axis.", "name the axis in squeeze()")
    if not s.free[1]:
        steps = s.sizes[1 if s.batch_first else 0]
        return note(steps, "steps, and no other number", "The model reads one length only.")
    return sound(None, "", "Other numbers of samples and steps are read.")


def _error(s: Subject) -> Exception | None:
    """Return what a batch of one sample raises."""
    lengths = None if s.lengths is None else s.lengths[:1]
    try:
        s.answer(s.example[:1], lengths, model=copied(s.model))
    except RaisedError as raised:
        return raised.error
    return None
