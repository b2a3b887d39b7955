"""One call beside another: does it run, what does it keep, what does it draw, where does it go."""

import torch

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.copies import copied, seed
from rnnlib.doctor.measures import change, tolerance
from rnnlib.doctor.messages import diagnose, raised
from rnnlib.doctor.report import Outcome, check, note, sick, sound
from rnnlib.doctor.returned import RaisedError, main_part


@check(
    "call",
    question="Does the model run on the example?",
    chapter=3,
    blind="inputs of other kinds than the example",
)
def CALL(s: Subject) -> Outcome:
    """Call the model on the example as it is; raises what the model raises."""
    seed(0)
    y = main_part(s.call(s.raw, s.lengths, copied(s.model).eval()), s.batch_first)
    s.learn()
    wrong = int((~y.isfinite()).sum())
    if wrong and s.raw.isfinite().all():
        s.finite = False
        return sick(
            wrong,
            f"of {y.numel()} numbers are nan or infinite",
            "The answer is not finite.",
            "look for a division by zero, a logarithm of zero, and weights that have exploded",
        )
    return sound(None, "", f"It answers {tuple(s.raw.shape)} with {tuple(y.shape)}.")


@check(
    "state",
    question="Does a call leave something behind for the next one, or for its backward pass?",
    chapter=4,
    blind="a state that the training loop carries, outside the model",
)
def state(s: Subject) -> Outcome:
    """Call twice, in both modes; differentiate twice."""
    x = s.probe()
    with torch.no_grad():
        model = copied(s.model)
        first, second = s.answer(x, model=model), s.answer(x, model=model)
    moved = change(s, second, first).max().item()
    unit = "of the answer's range, moved by an earlier call"
    cure = (
        "begin every call with a state made of its input, or take the state as an argument and "
        "return it, detached where it is carried on"
    )
    if moved > tolerance(s):
        return sick(moved, unit, "A call changes what the next one answers.", cure)
    if s.writes:
        return sick(
            None,
            "",
            "A call writes into its input: the next epoch reads other data.",
            "make a new tensor, x = x - x.mean(), in the place of x -= …; to fill in steps, "
            "begin with x = x.clone()",
        )
    model = copied(s.model)
    weights = [p for p in model.parameters() if p.requires_grad]
    for number in (1, 2):
        y = s.answer(x, model=model, training=True)
        if not weights or not y.requires_grad:
            break
        try:
            torch.autograd.grad(y.square().sum(), weights, allow_unused=True)
        except RuntimeError as error:
            if number == 1:
                raise RaisedError(error) from error
            known = diagnose(error)
            meaning = known.meaning if known else raised(error)
            return sick(number, "is the backward pass that raises", meaning, cure)
    return sound(moved, unit, "Each call begins anew.")


@check(
    "evaluation",
    question="Does the model answer the same twice in evaluation mode?",
    chapter=5,
    blind="dropout that is switched off as it should, and too strong or too weak in training",
)
def evaluation(s: Subject) -> Outcome:
    """Answer under two seeds, in evaluation mode and in training mode."""
    x = s.probe()
    with torch.no_grad():
        one, other = (s.answer(x, model=copied(s.model), number=n) for n in (0, 1))
        moved = change(s, other, one).max().item()
        unit = "of the answer's range, moved by chance after eval()"
        if moved > tolerance(s):
            return sick(
                moved,
                unit,
                "The answer still depends on chance after eval().",
                "use nn.Dropout, or F.dropout(x, p, training=self.training); draw nothing in "
                "forward",
            )
        trained = [s.answer(x, model=copied(s.model), training=True, number=n) for n in (0, 1)]
        another = s.answer(s.probe(number=1), model=copied(s.model), training=True)
    if change(s, another, trained[0]).max().item() <= tolerance(s):
        return sick(
            0,
            "of the answer's range, moved by another input in training mode",
            "In training mode the answer depends on no input: nothing can be learned.",
            "the p of nn.Dropout is the share that is dropped: 1.0 drops all, 0.2 a fifth",
        )
    if torch.equal(*trained):
        idle = [n for n, m in s.model.named_modules() if _asks_dropout(m)]
        if idle:
            return note(
                0,
                "of the answer's range, moved by chance in training mode",
                f"Dropout was asked for in {idle[0] or 'the layer'}, and nothing is dropped: in "
                "a recurrent layer it acts between layers, and there is only one.",
                "nn.Dropout on the output, or two layers",
            )
    return sound(moved, unit, "After eval() nothing is left to chance.")


def _asks_dropout(module) -> bool:
    share = getattr(module, "dropout", None)
    return isinstance(share, float) and share > 0


@check(
    "dtype",
    question="Does the model run in double precision after .double()?",
    chapter=3,
    blind="half precision, and autocast",
)
def dtype(s: Subject) -> Outcome | None:
    """Convert model and input to float64; the answer must be of float64."""
    if s.exact or s.dtype not in (torch.float32, torch.float16, torch.bfloat16):
        return sound(None, "", "It runs in float64.") if s.exact else None
    cure = "make states of the input, x.new_zeros(…) or torch.zeros(…, dtype=x.dtype)"
    x = s.probe()
    try:
        y = s.answer(x.double() if s.is_real else x, model=copied(s.model).double())
    except RaisedError as error:
        return sick(None, "", f"It does not run in float64. {raised(error.error)}", cure)
    return sick(
        y.element_size() * 8,
        "bits in its answer, of 64",
        "In float64 something is still made in another dtype.",
        cure,
    )
