"""What several checks look at: how far an answer moves, what it depends on, what its gradient sees.

Each is measured once for a `Subject`. Changes are told relative to how far the answer moves when
the whole input is replaced, so that neither the size of the weights nor that of the read-out
matters.
"""

import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnnlib.doctor.calling import STEPS, Subject
from rnnlib.doctor.copies import copied, stirred
from rnnlib.doctor.returned import NotFiniteError, RaisedError, blamed

FAR = 64
"""Steps of a long probe: gradients are followed over the last half of it."""

CHAOS = 50
"""A growth beyond it is chaos. 20 seeds each, hidden 8 to 64: a network by hand with weights of
1/sqrt(H) has at most 1.1; with W_hh of standard deviation 1 at least 380 for 24 units."""


def once(measure: Callable) -> Callable:
    """Keep what was measured for each subject."""

    @functools.wraps(measure)
    def kept(s: Subject):
        store = s.__dict__.setdefault("measured", {})
        if measure not in store:
            store[measure] = measure(s)
        return store[measure]

    return kept


@once
def scale(s: Subject) -> tuple[float, float]:
    """How far the answer moves when all of the input is replaced, and how large it is."""
    with torch.no_grad():
        first = s.answer(s.probe())
        moved = max((s.answer(s.probe(number=n)) - first).abs().max().item() for n in (1, 2))
    if not math.isfinite(moved):
        raise NotFiniteError
    return moved, first.abs().max().item()


@once
def tolerance(s: Subject) -> float:
    """Say what rounding alone may move the answer by, relative to `scale`."""
    moved, size = scale(s)
    unit = torch.finfo(torch.float64 if s.exact else torch.float32).eps
    # Chaos makes of rounding what it makes of a nudge.
    unit *= amplified(s)
    # In float64 company and padding moved the answers of 76 healthy networks, with 8, 16 and 32
    # hidden units, by at most 1.1e-14 of their range, where this allows 4e-13.
    return 30 * unit * max(size, moved) / max(moved, 1e-300)


def change(s: Subject, y: Tensor, before: Tensor) -> Tensor:
    """How far each answer moved, (N, T) or (N,), relative to `scale`."""
    moved = (y - before).detach().abs() / max(scale(s)[0], 1e-300)
    return moved.flatten(len(s.kept)).amax(-1) if moved.dim() > len(s.kept) else moved


@once
def dependence(s: Subject) -> tuple[list[int], Tensor]:
    """See which answers move with which step; see `replaced`."""
    return replaced(s, s.model)


@once
def moved_dependence(s: Subject) -> tuple[list[int], Tensor]:
    """See the same of weights that were moved a little: a gate may begin at zero."""
    return replaced(s, stirred(s.model, 0, 0.05))


def replaced(s: Subject, model: nn.Module, x: Tensor | None = None) -> tuple[list[int], Tensor]:
    """Replace one step at a time, in all samples of a probe, or of x; see which answers move.

    Returns
    -------
    steps : list of int
        Those that were replaced: all, or nine of them spread over a fixed number of steps.
    moved : Tensor, (steps, T) or (steps,)
        The largest change of each answer.
    """
    x = s.probe() if x is None else x
    N, T = x.shape[:2]
    # Even and odd ones.
    spread = {min(T - 1, round(i * (T - 1) / 8) + i % 2) for i in range(9)}
    steps = list(range(T)) if T <= 12 else sorted(spread)
    with torch.no_grad():
        before = s.answer(x, model=copied(model))
        rows = []
        for step in steps:
            row = []
            for number in (1, 2):
                changed = x.clone()
                changed[:, step] = s.probe(T, number, N)[:, step]
                row.append(change(s, s.answer(changed, model=copied(model)), before).amax(0))
            rows.append(torch.stack(row).amax(0))
    return steps, torch.stack(rows)


@once
def exchanged(s: Subject) -> tuple[list[int], Tensor]:
    """Let two neighbours change places; see how far the answers move that are not theirs.

    Returns
    -------
    steps : list of int
        The first of each two.
    moved : Tensor, (steps,)
        The largest change of any other answer.
    """
    T = s.probe().size(1)
    steps = [step for step in dependence(s)[0] if step + 1 < T]
    moved = torch.zeros(len(steps))
    with torch.no_grad():
        for number in (0, 3):
            x = s.probe(number=number)
            before = s.answer(x)
            for row, step in enumerate(steps):
                order = list(range(T))
                order[step : step + 2] = step + 1, step
                apart = change(s, s.answer(x[:, order]), before)
                if s.per_step:
                    apart[:, step : step + 2] = 0
                moved[row] = max(moved[row], apart.max().cpu())
    return steps, moved


def embedded(model: nn.Module, shape: torch.Size, kept: list[Tensor]) -> list:
    """Catch what turns indices into numbers, so that it can be differentiated: return the hooks."""

    def catch(_, inputs, output):
        first = inputs[0] if inputs else None
        if not isinstance(first, Tensor) or first.is_floating_point():
            return None
        if not isinstance(output, Tensor) or not output.is_floating_point():
            return None
        if first.shape not in (shape, shape[1::-1] + shape[2:]) or output.dim() <= first.dim():
            return None
        kept.append(output.detach().requires_grad_())
        return kept[-1].clone()  # which may be written into

    leaves = (m for m in model.modules() if not list(m.children()))
    return [m.register_forward_hook(catch) for m in leaves]


@torch.enable_grad()
def input_gradient(s: Subject, x: Tensor, pick: Callable[[Tensor], Tensor]) -> Tensor | None:
    """Differentiate a number for each sample with respect to the input: norms, (N, T).

    None if the input is of indices and nothing was found that turns them into numbers; zeros if
    the answer does not hang on the input in the eyes of autograd.
    """
    model, kept, hooks = copied(s.model), [], []
    if s.is_real:
        x = x.detach().clone().requires_grad_()
    elif model.children():
        hooks = embedded(model, x.shape if s.batch_first else x.transpose(0, 1).shape, kept)
    y = s.answer(x, model=model)
    for hook in hooks:
        hook.remove()
    sources = [x] if s.is_real else kept
    if not sources:
        return None
    # Each sample with a weight of its own: a softmax over samples adds up to one.
    weights = torch.linspace(0.5, 1.5, len(y)).to(y)
    picked = (pick(y) * weights).sum()
    gradients = []
    if picked.requires_grad:
        with blamed():
            gradients = torch.autograd.grad(picked, sources, allow_unused=True)
    squares = torch.zeros(x.shape[:2], dtype=torch.float64)
    for g in (g for g in gradients if g is not None):
        turned = g.shape[:2] != x.shape[:2] or (g.size(0) == g.size(1) and not s.batch_first)
        g = g.transpose(0, 1) if turned and not s.is_real else g
        squares += g.reshape(*x.shape[:2], -1).double().square().sum(-1).cpu()
    return squares.sqrt()


@once
def by_lag(s: Subject) -> Tensor | None:
    """How strongly the last answer hangs on the input k steps before it: norms, (T,).

    Measured in the last half of a sequence of `FAR` steps, if the model reads so many: at the
    beginning of a sequence the zero state bends the curve. It is the median over the samples.
    """
    norms = followed(s, FAR)
    return followed(s, STEPS) if norms is None else norms


def followed(s: Subject, steps: int) -> Tensor | None:
    """Differentiate the last answer to a sequence of so many steps: norms by lag, (T,).

    None if there is nothing to differentiate, or the model does not read so many steps.
    """
    try:
        norms = of_samples(s, steps)
    except RaisedError:
        if steps <= STEPS:
            raise
        return None
    return None if norms is None else norms.median(dim=0).values.flip(0)


def of_samples(s: Subject, steps: int, number: int = 0) -> Tensor | None:
    """Differentiate the last answer to each sample of a probe: norms by step, (N, T)."""
    generator = torch.Generator().manual_seed(0)

    def pick(y: Tensor) -> Tensor:
        last = y[:, -1] if s.per_step else y
        last = last.reshape(len(last), -1)
        direction = torch.randn(last.size(1), generator=generator, dtype=torch.float64)
        return last @ direction.to(last)

    return input_gradient(s, s.probe(steps, number), pick)


@once
def growth(s: Subject) -> float | None:
    """How much more the last answer gets from far steps than from the last five.

    None if there is nothing to differentiate, or no gradient comes back from far steps.
    """
    norms, short = by_lag(s), followed(s, FAR // 4)
    if norms is None or short is None:
        return None
    last = reach(norms)[1]
    near, far = norms[:5].max().item(), norms[min(5, last) : last + 1].max().item()
    if last < 10 or near == 0 or short.max() == 0:
        return None
    # A reader that ends at the first step gets more from there, too, but no more if there are
    # more steps.
    return min(far / near, (norms.max() / short.max()).item())


def amplified(s: Subject) -> float:
    """By how much the dynamics may enlarge what rounding does: 1, unless they are chaotic."""
    try:
        grown = growth(s)
    except Exception:  # what can't be differentiated is told by other checks
        return 1.0
    return grown if grown is not None and grown > CHAOS else 1.0


def reach(norms: Tensor) -> tuple[int, int]:
    """Find the last lag that gets a hundredth of the most, and the last that was looked at."""
    last = max(len(norms) // 2, min(len(norms) - 1, 4))
    followed = norms[: last + 1]
    near = followed[1:].max() if last else followed.max()
    there = (followed >= 0.01 * near).nonzero().flatten()
    return (int(there[-1]) if near > 0 and len(there) else 0), last
