"""The answers beside the loss: whether it can be computed, and what it expects of them."""

import inspect
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.copies import copied, stirred
from rnnlib.doctor.messages import diagnose, raised
from rnnlib.doctor.report import Outcome, check, note, sick, sound


def answers(s: Subject) -> Tensor:
    """Return the answer to the example, in the caller's layout."""
    with torch.no_grad():
        y = s.answer(s.example, s.lengths, model=copied(s.given))
    return y.transpose(0, 1) if s.per_step and not s.batch_first else y


def of_classes(s: Subject) -> bool:
    """Say whether the answers are scores of classes, by what was told."""
    entropy = s.loss in (F.cross_entropy, F.nll_loss) or isinstance(
        s.loss, nn.CrossEntropyLoss | nn.NLLLoss
    )
    return entropy or (s.targets is not None and not s.targets.is_floating_point())


def _own(s: Subject) -> bool:
    """Whether the loss is another one than the cross-entropy."""
    return s.loss not in (None, F.cross_entropy) and not isinstance(s.loss, nn.CrossEntropyLoss)


def _told_loss(s: Subject) -> Outcome | None:
    """Compute the loss that was told, once; return what is wrong with it."""
    if s.loss is None or s.targets is None or _takes_more(s.loss):
        return None
    y, targets = answers(s).to(s.dtype), s.targets
    try:
        value = _computed(s.loss, y, targets)
    except Exception as error:
        known = diagnose(error)
        meaning = f"{known.meaning} {raised(error)}" if known else raised(error)
        cure = known.cure if known else "print the shapes and dtypes of answers and targets"
        return sick(None, "", f"The loss can't be computed. {meaning}", cure)
    return _wrong(value, of_classes(s) and targets.shape == y.shape[:-1])


def _takes_more(loss) -> bool:
    """Whether a loss takes more than answers and targets: lengths, as CTC, or a variance."""
    try:
        inspect.signature(getattr(loss, "forward", loss)).bind(None, None)
    except TypeError:
        return True
    except ValueError:
        pass  # a builtin without a signature
    return False


def _computed(loss, y: Tensor, targets: Tensor):
    """Compute a loss; of scores that end with the axis of classes, which torch wants second."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return loss(y.clone(), targets.clone())
        except Exception:
            if targets.is_floating_point() or y.dim() < 3:
                raise
            return loss(y.flatten(0, -2), targets.flatten())


def _wrong(value, classes: bool) -> Outcome | None:
    """Say what is wrong with the value of a loss."""
    if not isinstance(value, Tensor) or value.numel() != 1:
        what = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        cure = "a mean over the batch, reduction='mean'; of several terms the sum"
        return sick(None, "", f"The loss is no single number, but {what}.", cure)
    number, unit = value.item(), "is the loss on the example"
    if not value.isfinite():
        cure = "look for a logarithm of 0 (log_softmax in the place of softmax and log) and 0 / 0"
        return sick(number, unit, "The loss is not finite.", cure)
    if number < 0 and classes:
        cure = "nn.CrossEntropyLoss for scores; nn.NLLLoss wants log_softmax of them"
        return sick(number, unit, "The loss of classes is below 0: no probability is.", cure)
    return None


@check(
    "scores",
    question="Are the answers scores, or already probabilities?",
    chapter=4,
    blind="a sigmoid, unless loss is told and has its own",
)
def scores(s: Subject) -> Outcome | None:
    """Try the loss; see whether the answers are positive and sum to one."""
    told = _told_loss(s)
    if told is not None:
        return told
    with torch.no_grad():
        y = s.answer(s.probe())
    logits = isinstance(s.loss, nn.BCEWithLogitsLoss)
    if (logits or s.loss is F.binary_cross_entropy_with_logits) and 0 <= y.min() <= y.max() <= 1:
        return sick(
            y.max().item(),
            "is the largest answer, and none is below 0",
            "The answers are probabilities; this loss takes the sigmoid itself.",
            "return the scores, without sigmoid",
        )
    if y.dim() < 2 or y.size(-1) < 2:
        return None
    if not (y.min() >= 0 and (y.sum(-1) - 1).abs().max() < 1e-4):
        return _range(s) if of_classes(s) and not _own(s) else _sound(s)
    meaning = "The answers are probabilities; the cross-entropy takes the softmax itself."
    cure = "return the scores, without softmax; take it where probabilities are shown"
    if not of_classes(s) or _own(s):
        return note(1, "is the sum of each answer", meaning, cure)
    return sick(1, "is the sum of each answer", meaning, cure)


def _sound(s: Subject) -> Outcome | None:
    return sound(None, "", "The answers are scores.") if of_classes(s) else None


def _range(s: Subject) -> Outcome | None:
    """See whether scores are kept within bounds, whatever the weights."""
    with torch.no_grad():
        y = torch.stack([s.answer(s.probe(), model=stirred(s.model, n, 10.0)) for n in range(3)])
    cure = "return what the last linear layer gives: the softmax needs scores of either sign"
    zeros = (y == 0).double().mean().item()
    if y.min() >= 0 and zeros > 0.1:
        unit = "of the scores are exactly 0, and none is below, with weights moved"
        return note(zeros, unit, "A ReLU stands after the read-out: it cuts scores off.", cure)
    if 0 <= y.min() and y.max() <= 1:
        unit = "is the largest score, and none is below 0, with weights moved"
        return note(y.max().item(), unit, "A sigmoid narrows the scores to 0 to 1.", cure)
    return _sound(s)
