"""Weights: whether there are any, whether each is reached by a gradient, whether all are saved."""

import torch
from torch import Tensor

from rnnlib.doctor.calling import Subject
from rnnlib.doctor.checks.places import device
from rnnlib.doctor.copies import copied, held, seed, stirred
from rnnlib.doctor.measures import change, tolerance
from rnnlib.doctor.report import Outcome, check, note, sick, sound, untold
from rnnlib.doctor.returned import blamed


def _named(names: list[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


@check(
    "trainable",
    question="Is there anything to train?",
    chapter=3,
    blind="whether an optimizer was given these parameters, or others",
)
def trainable(s: Subject) -> Outcome:
    """Count the parameters, and those that are frozen."""
    parameters = dict(s.model.named_parameters())
    numbers = sum(p.numel() for p in parameters.values() if p.requires_grad)
    frozen = [name for name, p in parameters.items() if not p.requires_grad]
    if numbers == 0:
        what = "The model has no parameters" if not parameters else "All parameters are frozen"
        return sick(
            0,
            "numbers to train",
            f"{what}: an optimizer has nothing to change.",
            "make weights nn.Parameter(…), keep layers in attributes or nn.ModuleList, and set "
            "requires_grad_(True)",
        )
    if frozen:
        return note(
            len(frozen),
            f"of {len(parameters)} parameters are frozen",
            f"Not trained: {_named(frozen)}.",
            "requires_grad_(True), unless it is meant",
        )
    return sound(numbers, "numbers to train", "All parameters can be trained.")


def _gradients(
    s: Subject, number: int, training: bool = False
) -> tuple[list[tuple[str, Tensor | None]], Tensor]:
    """Differentiate all that the model returns; of weights that were moved a little."""
    model = stirred(s.model, number, 0.05).train(training)
    named = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    x = s.probe(number=number)
    seed(0)
    returned = s.call(x if s.batch_first else x.transpose(0, 1), model=model)
    tensors = list(_tensors(returned))
    main = tensors[0]
    generator = torch.Generator().manual_seed(number)
    total = sum(
        (t * torch.randn(t.shape, generator=generator).to(t)).sum()
        for t in tensors[: 1 if main.requires_grad else None]
        if t.requires_grad
    )
    weights = [p for _, p in named]
    with blamed():
        found = torch.autograd.grad(total, weights, allow_unused=True, retain_graph=True)
    if any(g is None for g in found):  # What else it returns may train the rest.
        rest = sum(t.sum() for t in tensors if t.requires_grad)
        more = torch.autograd.grad(rest, weights, allow_unused=True)
        found = [m if g is None else g for g, m in zip(found, more, strict=True)]
    return [(name, g) for (name, _), g in zip(named, found, strict=True)], main


def _tensors(returned):
    if isinstance(returned, Tensor):
        if returned.is_floating_point():
            yield returned
    elif isinstance(returned, dict):
        for part in returned.values():
            yield from _tensors(part)
    elif isinstance(returned, tuple | list):
        for part in returned:
            yield from _tensors(part)


@check(
    "gradient",
    question="Does a gradient reach every parameter?",
    chapter=7,
    blind="a gradient that is there, and too small or too large to be of use",
)
def gradient(s: Subject) -> Outcome | None:
    """Differentiate the answer with respect to every parameter."""
    if not any(p.requires_grad for p in s.model.parameters()):
        return None
    if not _answer_is_attached(s):
        return sick(
            0,
            "parameters get a gradient",
            "The answer is cut off from the parameters: nothing can be trained through it.",
            "drop no_grad, .detach(), .data, .numpy() and torch.tensor(…) from forward",
        )
    found, _ = _gradients(s, 0)
    missing = [name for name, g in found if g is None]
    if missing:  # A head may be there for training alone.
        missing = [n for n, g in _gradients(s, 0, training=True)[0] if g is None and n in missing]
    if missing:
        unit = f"of {len(found)} parameters get none"
        if _idle(s, missing):
            return sick(
                len(missing),
                unit,
                f"No answer hangs on {_named(missing)}: forward does not use them, or drops what "
                "they make.",
                "hand on what they make, or take them out; fine if your loss, or another method, "
                "uses them",
            )
        return sick(
            len(missing),
            unit,
            f"No gradient reaches {_named(missing)}.",
            "these are not used in forward, or what they make is cut off by no_grad, .detach() "
            "or .data",
        )
    return sound(len(found), "parameters get one", "A gradient reaches every parameter.")


def _idle(s: Subject, names: list[str]) -> bool:
    """Whether other numbers in these parameters leave every answer as it was."""
    model = copied(s.model)
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        before = s.answer(s.probe(), model=copied(s.model))
        for name in names:
            parameters[name].uniform_(-1, 1)
        return torch.equal(s.answer(s.probe(), model=model), before)


def _answer_is_attached(s: Subject) -> bool:
    return s.answer(s.probe(), model=copied(s.model)).requires_grad


@check(
    "readout",
    question="Is every part of the network read where it has seen the sequence?",
    chapter=5,
    blind="a part that is read at the wrong step, but not at its first one",
)
def readout(s: Subject) -> Outcome | None:
    """Look for weights that stand in the graph and get a gradient of exactly zero."""
    if not any(p.requires_grad for p in s.model.parameters()) or not _answer_is_attached(s):
        return None
    if s.probe().size(1) < 2:
        return untold("Fewer than two steps.")
    zero = None
    for number in (0, 1):
        found, _ = _gradients(s, number)
        names = {name for name, g in found if g is not None and not g.any()}
        zero = names if zero is None else zero & names
    if not zero:
        return sound(0, "parameters with a gradient of exactly 0", "Every part is read.")
    names = sorted(zero)
    unit = f"of {len(found)} parameters have a gradient of exactly 0"
    every = {name for name, _ in found}
    if any("_reverse" in name or f"{name}_reverse" in every for name in names):
        return sick(
            len(names),
            unit,
            f"{_named(names)}: a recurrent weight that only ever meets the zero state, or a half "
            "that is not read, or a weight whose effect cancels.",
            "of a bidirectional layer take the forward state after the last step and the backward "
            "state after the first, torch.cat([h_n[-2], h_n[-1]], dim=-1), never output[:, -1] or "
            "h_n[-1] alone",
        )
    return sick(
        len(names),
        unit,
        f"{_named(names)}: what these weights make is not read, or always multiplied by 0, or its "
        "effect cancels.",
        "read the last layer, h_n[-1], after the last step; look for a ReLU that is never above "
        "0, a softmax over one entry, and a second reader that is read where it has seen one step",
    )


@check(
    "saving",
    question="Does state_dict hold all that the answer hangs on?",
    chapter=3,
    blind="what is not in the model: a vocabulary, the scale of the data",
)
def saving(s: Subject) -> Outcome:
    """Change all weights, load those of before, and compare; then change what is held elsewhere."""
    x, tol = s.probe(), tolerance(s)
    with torch.no_grad():
        before = s.answer(x, model=copied(s.model))
        other = stirred(s.model, 0, 1.0)
        other.load_state_dict(copied(s.model).state_dict())
        lost = change(s, s.answer(x, model=other), before).max().item()
        loose = {}
        if s.steady:
            loose = {n: g for n, g in _loose(s).items() if _counts(s, n, x, before, tol)}
    unit = "tensors outside the state_dict change the answer"
    if loose and device.answer(s).verdict == "sound" and not any(loose.values()):
        return note(
            len(loose),
            unit,
            f"{_named([*loose])}: neither trained nor saved, though another device would be no "
            "hindrance. That is right for what the constructor makes alike each time.",
            "register_buffer for what is drawn, or measured on the data",
        )
    if loose:
        return sick(
            len(loose),
            unit,
            f"{_named([*loose])}: neither trained nor saved, and left behind by .to(device) "
            "unless forward moves it.",
            "nn.Parameter(…) for what is learned, register_buffer for what is fixed, "
            "nn.ModuleList for layers in a list",
        )
    unit = "of the answer's range, moved by saving and loading"
    if lost > tol:
        return sick(
            lost,
            unit,
            "After saving and loading the model answers differently.",
            "keep every weight in an nn.Parameter, and all else in register_buffer",
        )
    return sound(lost, unit, "What is loaded answers as what was saved.")


def _loose(s: Subject) -> dict[str, bool]:
    """Name what is held outside the state_dict, and whether it is to be learned."""
    # What a call makes and keeps needs no saving; before the first call it is not there.
    plain = ((n, t) for n, t, how in held(s.uncalled) if how == "plain")
    return {n: t.requires_grad for n, t in plain if t.is_floating_point()}


def _counts(s: Subject, name: str, x, before, tol: float) -> bool:
    model = copied(s.model)
    tensor = {n: t for n, t, _ in held(model)}[name]
    if tensor.numel() == 0 or not tensor.isfinite().all():
        return False
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(tensor.shape, generator=generator).to(tensor)
    tensor.data.add_(noise * max(tensor.abs().max().item(), 1e-3))
    return change(s, s.answer(x, model=model), before).max().item() > tol
