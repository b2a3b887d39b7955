"""The example and the targets: numbers to learn from, classes that fit, a loss to beat."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.checks.losses import answers, of_classes
from rnnlib.doctor.report import Outcome, check, note, sick, sound, untold


@check(
    "data",
    question="Is the example something to learn from?",
    chapter=6,
    blind="labels that belong to other samples, and a test set that was trained on",
)
def data(s: Subject) -> Outcome:
    """Look at the example's numbers."""
    x = s.raw
    if not x.is_floating_point():
        values = x.unique()
        if len(values) == 1:
            return note(1, "index in the whole example", "Every step holds the same index.")
        return sound(len(values), "different indices", "The example holds indices.")
    wrong = int((~x.isfinite()).sum())
    if wrong:
        return sick(
            wrong,
            f"of {x.numel()} numbers are nan or infinite",
            "The example is not finite.",
            "fill gaps, and divide by no standard deviation of 0",
        )
    frames = x.flatten(0, 1).flatten(1) if x.dim() > 2 else x.flatten()[:, None]
    if frames.numel() == 1 or not (frames != frames[0]).any():
        return note(0, "is the spread of the example", "Every step of the example is the same.")
    size = frames.abs().max().item()
    if size > 30:
        return note(
            size,
            "is the largest number",
            "The inputs are large: sums of them drive tanh and gates to their ends.",
            "subtract the mean and divide by the standard deviation, both of the training part",
        )
    dead = int((frames == frames[0]).all(0).sum())
    if dead:
        return note(
            dead,
            f"of {frames.size(1)} features never change",
            "Some features say nothing: of one-hot vectors, symbols that never occur.",
            "number sorted(set(text)), so that every symbol has one index",
        )
    return sound(size, "is the largest number", "The inputs change, and are of moderate size.")


@check(
    "targets",
    question="Do the targets fit the answers?",
    chapter=4,
    blind="targets of the right shape in the wrong order",
)
def sizes_of_targets(s: Subject) -> Outcome | None:
    """Compare shapes, and classes with scores."""
    shape = tuple(answers(s).shape)
    K = shape[-1]
    y = s.targets
    if s.num_classes is not None and K != s.num_classes:
        return sick(
            K,
            f"scores for {s.num_classes} classes",
            f"The last axis of the answer has {K} entries.",
            "give the read-out as many outputs as there are classes",
        )
    if y is None:
        return sound(K, "scores, as told", "Each class has its score.") if s.num_classes else None
    if not y.is_floating_point():
        real = y[y != -100]
        if real.numel() and (real.max() >= K or real.min() < 0):
            return sick(
                K,
                f"scores, and targets from {int(real.min())} to {int(real.max())}",
                "There are classes without a score.",
                "K outputs for classes 0 to K - 1: count the classes before the model is made",
            )
        if tuple(y.shape) != shape[:-1]:
            return sick(
                None,
                "",
                f"Answers {shape} and classes {tuple(y.shape)}: expected classes {shape[:-1]}.",
                "one class for each answer: read the last step for one answer a sequence",
            )
        return sound(K, "scores for each target", "Each target has its score.")
    if tuple(y.shape) != shape:
        return sick(
            None,
            "",
            f"Answers {shape} and targets {tuple(y.shape)}: they are broadcast against each "
            "other, or refused.",
            "give both one shape: y[..., None], or answer.squeeze(-1)",
        )
    return sound(None, "", "Answers and targets have one shape.")


@check(
    "floor",
    question="Is the loss below what the current input alone allows?",
    chapter=4,
    blind="inputs that never come twice: there only a constant answer is compared",
)
def floor(s: Subject) -> Outcome | None:
    """Compare the loss on the example with the best that a network without memory could do."""
    y = s.targets
    if y is None or (s.loss is not None and not of_classes(s)):
        return None
    y_hat = answers(s).double()
    classes = not y.is_floating_point()
    if y.shape != (y_hat.shape[:-1] if classes else y_hat.shape):
        return untold("Answers and targets do not fit together.")
    if not classes and y.dim() == len(s.kept):  # one number for each sample, or step
        y, y_hat = y[..., None], y_hat[..., None]
    flat = y_hat.flatten(0, -2)
    targets = y.flatten() if classes else y.flatten(0, -2).double()
    keep = targets != -100 if classes else torch.ones(len(targets), dtype=torch.bool)
    flat, targets = flat[keep], targets[keep]
    loss = (F.cross_entropy(flat, targets) if classes else F.mse_loss(flat, targets)).item()
    constant = _best(torch.zeros(len(targets), dtype=torch.long), targets)
    unit = "is the loss on the example"
    known = constant
    if s.per_step:
        frames = s.raw.flatten(0, 1).reshape(len(keep), -1)[keep]
        kinds, at = frames.unique(dim=0, return_inverse=True)
        # Real numbers rarely come twice: to know each would be to know its target.
        if not s.is_real or len(kinds) <= len(frames) / 4:
            known = _best(at, targets) or constant
    best = f"without memory {known:.3g} is the best, with a constant answer {constant:.3g}"
    # An untrained network answers near a constant, hence 0.9. A character network that takes
    # samples for steps stops at 0.523 on 18 pairs of symbols, their table at 0.520: hence 3 %.
    if known < 0.9 * constant and abs(loss - known) < 0.03 * known:
        return sick(
            loss,
            unit,
            f"It has learned what the current input tells, and nothing of the past: {best}.",
            "look at mixing, order and horizon: does the past reach the answer?",
        )
    if loss < 0.97 * known:
        return sound(loss, unit, f"It is below what needs no memory: {best}.")
    if math.isclose(loss, constant, rel_tol=0.03):
        return note(loss, unit, f"A constant answer does as well: {best}.", "train it")
    return note(loss, unit, f"Not below what needs no memory: {best}.", "train it")


def _best(kinds: Tensor, targets: Tensor) -> float:
    """Return the least mean loss of an answer that knows the kind alone."""
    total = 0.0
    for kind in kinds.unique():
        of_kind = targets[kinds == kind]
        if targets.is_floating_point():
            total += (of_kind - of_kind.mean(0)).square().mean(-1).sum().item()
        else:
            share = of_kind.unique(return_counts=True)[1] / len(of_kind)
            total -= len(of_kind) * (share * share.log()).sum().item()
    return total / len(targets)
