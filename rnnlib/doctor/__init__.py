"""A doctor for networks that read sequences: what a model does, and where it is wired wrong.

`examine` calls a copy of the model in many ways and looks at its answers. It asks what a model
does, never what its class is called.
"""

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from rnnlib.checks import check_integer
from rnnlib.doctor.calling import Subject
from rnnlib.doctor.checks import BEFORE, CALL, CHECKS
from rnnlib.doctor.copies import copied, undisturbed
from rnnlib.doctor.messages import diagnose, raised
from rnnlib.doctor.report import Check, Finding, Report, sick, untold
from rnnlib.doctor.returned import NotFiniteError, RaisedError

__all__ = ["Finding", "Report", "examine"]


def examine(
    model: nn.Module,
    example: Tensor | PackedSequence,
    *,
    targets: Tensor | None = None,
    lengths: Tensor | None = None,
    batch_first: bool | None = None,
    causal: bool | None = None,
    loss=None,
    num_classes: int | None = None,
) -> Report:
    """Examine a model that reads sequences and answers at every step, or once.

    Some hundred small batches are drawn from the example and read in all sorts of company: alone,
    permuted, with one step or one sample replaced, twice, in training and in evaluation mode. What
    comes out is compared, and differentiated. Nothing is trained, and nothing of the caller's
    changes: the model's mode, weights, buffers and gradients, the example, the global state of
    random numbers.

    Parameters
    ----------
    model : Module
        Called as ``model(x)``; with `lengths` as ``model(x, lengths)``, if its forward has an
        argument for them. Of what it returns, the first tensor of real numbers is looked at: in
        (output, state) the output.
    example : Tensor, (N, T, …) or (T, N, …), or PackedSequence
        A batch such as the model is to read, with real values: features, or indices (N, T).
    targets : Tensor, optional
        What the model is to answer to the example: classes (int64) or values.
    lengths : Tensor of int64, (N,), optional
        How many steps of each sequence of a padded example are real.
    batch_first : bool, optional
        Whether the first axis of the example is that of samples. By default it is read off lengths
        and targets, or guessed from what the model does, and the report tells the guess. Say it: a
        model that takes samples for steps can be told from one that reads time first by its
        author's intention alone.
    causal : bool, optional
        True if an answer must not depend on later steps. Targets that are the inputs one step
        later say so, too.
    loss : callable, optional
        loss(answer, target); by default the cross-entropy for classes, and the mean squared error
        for values.
    num_classes : int, optional
        How many classes there are.

    Returns
    -------
    Report
        Its ``findings`` in the order in which one would look; ``sick`` has the names of the
        checks that found something wrong, and ``healthy`` is True where there are none.

    Raises
    ------
    TypeError, ValueError
        For a class in the place of a model, and an example that is no batch of sequences. What
        the model itself raises is a finding.

    Examples
    --------
    >>> import torch
    >>> report = examine(torch.nn.RNN(3, 8), torch.randn(5, 7, 3), batch_first=True)
    >>> report.sick
    ['mixing', 'order']
    """
    if not isinstance(model, nn.Module):
        what = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise TypeError(f"model: expected a Module, got {what}")
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError("model: expected a Module before it is scripted, got a scripted one")
    packed = isinstance(example, PackedSequence)
    if packed:
        example, lengths = pad_packed_sequence(example, batch_first=True)
        batch_first = True
    if not isinstance(example, Tensor):
        raise TypeError(f"example: expected a Tensor, got {type(example).__name__}")
    if example.dim() < 2 or example.numel() == 0:
        raise ValueError(
            "example: expected a batch of sequences, (N, T, …) or (T, N, …), "
            f"got {tuple(example.shape)}"
        )
    for name, value in (("targets", targets), ("lengths", lengths)):
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(f"{name}: expected a Tensor, got {type(value).__name__}")
    if num_classes is not None:
        check_integer("num_classes", num_classes, least=1)
    told = {"targets": targets, "causal": causal, "loss": loss, "num_classes": num_classes}
    with undisturbed():
        subject = Subject(
            copied(model), example.detach(), lengths, packed, batch_first=batch_first, **told
        )
        findings = _asked(BEFORE, subject)
        findings += _asked([CALL], subject)
        if subject.learned and subject.finite:
            findings += _asked(CHECKS, subject)
    return Report(findings)


def _asked(checks: Sequence[Check], subject: Subject) -> list[Finding]:
    """Ask each check; what the model raises is told once."""
    findings, before = [], set()
    for check in checks:
        try:
            outcome = check.answer(subject)
        except RaisedError as error:
            outcome = untold(f"{raised(error.error)} See above.")
            if str(error) not in before:
                findings.append(_raised(check, error.error))
                before.add(str(error))
                continue
        except NotFiniteError:
            outcome = untold("An answer is not finite: nothing can be compared with it.")
        except Exception as error:
            outcome = untold(f"The question failed. {raised(error)}")
        if outcome is not None:
            findings.append(check.finding(outcome))
    return findings


def _raised(check: Check, error: Exception) -> Finding:
    """Make a finding of what the model raised."""
    known = diagnose(error)
    said = raised(error)
    if known is None:
        meaning = f"{said} Asked was: {check.question}"
        return check.finding(sick(None, "", meaning, "read the message, and print the shapes"))
    outcome = sick(None, "", f"{known.meaning} {said}", known.cure)
    return replace(check.finding(outcome), chapter=known.chapter)
