"""Checks for chapter 9 (How do we survive a cliff)."""

import math

import numpy as np
import torch

from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.numbers import as_numbers
from rnnlib.exercises.verdict import WrongAnswer

# Three tensors whose norms differ, so that each mistake gives numbers of its own.
SHAPES = (((4, 3), 2.0), ((3, 3), 1.0), ((3,), 0.4))


def _gradients(draw, dtype=None):
    return [draw.normal(*shape, scale=scale).to(dtype) for shape, scale in SHAPES]


def _joined(gradients):
    return torch.cat([g.flatten() for g in gradients])


def _norm(gradients):
    return _joined(gradients).norm().item()


def _clip(norm=_norm, factor=lambda n, c: min(1.0, c / n), returned=lambda n, c: n, place=True):
    """Return a clipping in place; each keyword puts one mistake in."""

    def clip_norm(gradients, c):
        n = norm(gradients)
        for g in gradients if place else []:
            g.mul_(factor(n, c))
        return returned(n, c)

    return clip_norm


def _each_by_its_own(gradients, c):
    n = _norm(gradients)
    for g in gradients:
        g.mul_(min(1.0, c / g.norm().item()))
    return n


def _by_value(gradients, c):
    n = _norm(gradients)
    for g in gradients:
        g.clamp_(-c, c)
    return n


def _rebinding(gradients, c):
    n = _norm(gradients)
    for i, g in enumerate(gradients):
        gradients[i] = g * min(1.0, c / n)
    return n


def _all_norms(gradients, c):
    norms = [g.norm().item() for g in gradients]
    _clip()(gradients, c)
    return norms


class _Parts(list):
    """A list that remembers the tensors it was made of, as a module holds its gradients."""

    def __init__(self, tensors):
        super().__init__(tensors)
        self.tensors = tuple(tensors)


def _clipped(answer, gradients, c) -> dict:
    return {
        "the gradient afterwards": _joined(gradients.tensors),
        "the list of gradients": _joined(gradients),
        "the returned norm": answer,
    }


def _first_only(gradients, c):
    n = _norm(gradients)
    gradients[0].mul_(min(1.0, c / n))
    return n


SQUARE = "the root is missing: add the squares of all entries, and take the root of the sum."
SUM = "the norms of the tensors do not add up: add their squares and take the root."


@exercise(
    "One factor for all, only where the gradient is too long, and in place.",
    # The gradient is about 8 long: clipped, left alone, and clipped to less than 1.
    cases=({"c": 2.0}, {"c": 17.0}, {"c": 0.5}),
    right=_clip(),
    measure=_clipped,
    mistakes={
        "a gradient shorter than the threshold must be left alone: yours is stretched to it.": (
            _clip(factor=lambda n, c: c / n)
        ),
        "you divide by the threshold: the factor is c / norm, and at most 1.": _clip(
            factor=lambda n, c: min(1.0, 1 / c)
        ),
        "every gradient is divided by the threshold: the factor is c / norm, and at most 1.": (
            _clip(factor=lambda n, c: 1 / c)
        ),
        "you multiply by the threshold: the factor is c / norm, and at most 1.": _clip(
            factor=lambda n, c: c
        ),
        "the condition is the wrong way round: shorten what is longer than c.": _clip(
            factor=lambda n, c: max(1.0, c / n)
        ),
        "the factor is upside down: it is c / norm.": _clip(
            factor=lambda n, c: n / c if n > c else 1.0
        ),
        "the root is missing in the factor: it divides by the norm, not by its square.": _clip(
            factor=lambda n, c: min(1.0, c / n**2)
        ),
        "the gradients have not changed: multiply them in place (g.mul_ or g *= …).": _clip(
            place=False
        ),
        "new tensors stand in the list, and the old ones, which a module holds, have not changed: "
        "multiply in place (g.mul_ or g *= …).": _rebinding,
        "every tensor is clipped by its own norm, which turns the gradient: take the norm of all "
        "of them together.": _each_by_its_own,
        "this is clipping by value: entries are cut off one by one.": _by_value,
        "only the first tensor has changed: all get the same factor.": _first_only,
        "the gradient has length 1, not c.": _clip(factor=lambda n, c: 1 / n if n > c else 1.0),
        SUM: _clip(norm=lambda gradients: sum(g.norm().item() for g in gradients)),
        SQUARE: _clip(norm=lambda gradients: _norm(gradients) ** 2),
        "this takes the largest entry for the norm: it is the root of the sum of all squares.": (
            _clip(norm=lambda gradients: _joined(gradients).abs().max().item())
        ),
        "this adds the sizes of all entries: the norm is the root of the sum of their squares.": (
            _clip(norm=lambda gradients: _joined(gradients).abs().sum().item())
        ),
        "this takes the norm of the first tensor: all of them together have one.": _clip(
            norm=lambda gradients: gradients[0].norm().item()
        ),
        "return the norm before clipping, not the one after it.": _clip(
            returned=lambda n, c: min(n, c)
        ),
        "return the norm before clipping, not c.": _clip(returned=lambda n, c: c),
        "return the norm before clipping, not the factor.": _clip(returned=lambda n, c: c / n),
        "return the norm before clipping, not the factor that was used.": _clip(
            returned=lambda n, c: min(1.0, c / n)
        ),
        "return one norm, of all gradients together.": _all_norms,
        "the returned number is the square of the norm.": _clip(returned=lambda n, c: n**2),
    },
    hints=(
        "Equation (9.2) has one norm for all tensors together, and a factor that is at most 1.",
        "Add the squares of all entries of all tensors and take the root. If that is more than c, "
        "multiply every tensor by c / norm, in place.",
        "norm = math.sqrt(sum(g.square().sum().item() for g in gradients)), then g.mul_(…)",
    ),
)
def check_clip_norm(draw, c):
    """Check ``clip_norm(gradients, c)``, clipping by the norm of all gradients together.

    Parameters
    ----------
    clip_norm : callable
        Changes a list of tensors in place and returns the norm that they had together.

    Returns
    -------
    Verdict
    """
    return _Parts(_gradients(draw)), c


@exercise(
    "Every entry lies between -c and c, and the others are as they were.",
    cases=({"c": 1.25}, {"c": 0.6}, {"c": 9.0}),
    right=lambda g, c: g.clamp(-c, c),
    mistakes={
        "the gradient has not changed.": lambda g, c: g,
        "you cut large positive entries only: large negative ones are too large as well.": (
            lambda g, c: g.clamp(max=c)
        ),
        "you cut large negative entries only: large positive ones are too large as well.": (
            lambda g, c: g.clamp(min=-c)
        ),
        "the signs are lost: an entry below -c becomes -c.": lambda g, c: g.abs().clamp(max=c),
        "entries that are too large become ±c, not 0.": (
            lambda g, c: torch.where(g.abs() > c, 0.0, g)
        ),
        "entries that are too large become c or -c, by their sign.": (
            lambda g, c: torch.where(g.abs() > c, c, g)
        ),
        "the wrong ones are cut: entries between -c and c must stay.": (
            lambda g, c: torch.where(g.abs() < c, c * g.sign(), g)
        ),
        "entries below 0 become 0: the lower bound is -c.": lambda g, c: g.clamp(0, c),
        "every entry has size c: those that are small enough must stay.": (
            lambda g, c: c * g.sign()
        ),
        "this is clipping by norm: the entries are cut off one by one here.": (
            lambda g, c: g * min(1.0, c / g.norm().item())
        ),
        "this scales the gradient to length c: the entries are cut off one by one here.": (
            lambda g, c: g * c / g.norm()
        ),
        "you scale the whole gradient by its largest entry: cut each for itself.": (
            lambda g, c: g * c / g.abs().max()
        ),
        "the bounds are ±1: they should be ±c.": lambda g, c: g.clamp(-1, 1),
        "the bounds have changed places: -c is the lower one.": lambda g, c: g.clamp(c, -c),
        "this is what was cut off: return what is left.": lambda g, c: g - g.clamp(-c, c),
    },
    hints=(
        "What becomes of an entry of 3, of -3 and of 0.1, if c is 1?",
        "Too large becomes c, too small becomes -c, and whatever lies between stays. torch has one "
        "function for that.",
        "torch.clamp(g, …, …)",
    ),
)
def check_clip_value(draw, c):
    """Check ``clip_value(g, c)``, which cuts the entries of a gradient off one by one.

    Parameters
    ----------
    clip_value : callable
        Returns a tensor of the shape of g.

    Returns
    -------
    Verdict
    """
    # Some entries are far above c, some far below -c, and some in between; for c = 9 all are.
    return min(c, 2.0) * torch.tensor([[2.4, -1.6, 0.4], [-0.2, 1.2, -0.6]]) + draw.uniform(
        2, 3, high=0.1
    ), c


def _cosine(a, b):
    return a @ b / (a.norm() * b.norm())


def _degrees(a, b):
    return math.degrees(math.acos(_cosine(a, b).clamp(-1, 1).item()))


def _angle(before, after):
    return _degrees(_joined(before), _joined(after))


def _angles(before, after):
    return [_degrees(a.flatten(), b.flatten()) for a, b in zip(before, after, strict=True)]


def _finite_angle(answer, before, after):
    got = as_numbers("the angle", answer)
    if got.array.shape == () and not np.isfinite(got.array):
        raise WrongAnswer(
            "for two parallel gradients it is not finite: rounding can carry the cosine above 1, "
            "so clamp it before the arccos."
        )
    return got


def _unclamped_in_math(before, after):
    return math.degrees(math.acos(_cosine(_joined(before), _joined(after))))


@exercise(
    "That is the angle between the two long vectors.",
    result="the angle",
    # Of the usual ways to write the cosine, each is carried above 1 in one of the last three.
    cases=(
        {"change": "cut at 0.3"},
        {"change": "noise"},
        {"change": 2.3},
        {"change": 2.2},
        {"change": 2.9},
    ),
    right=_angle,
    measure=_finite_angle,
    floor=0.02,  # of a degree: near 0 the arccos makes much of rounding
    mistakes={
        "this is the angle in radians: math.degrees turns it into degrees.": (
            lambda *given: math.radians(_angle(*given))
        ),
        "this is the cosine of the angle: take its arccos.": (
            lambda *given: math.cos(math.radians(_angle(*given)))
        ),
        "this is the sine's angle: the scalar product gives the cosine, so take the arccos.": (
            lambda *given: 90 - _angle(*given)
        ),
        "this is the scalar product: divide by both lengths and take the arccos.": (
            lambda before, after: _joined(before) @ _joined(after)
        ),
        "you average the angles of the tensors: join them into one vector first.": (
            lambda *given: sum(_angles(*given)) / len(_angles(*given))
        ),
        "you add the angles of the tensors: join them into one vector first.": (
            lambda *given: sum(_angles(*given))
        ),
        "this is one angle for each tensor: join them into one vector first.": _angles,
        "this is the largest of the tensors' angles: join them into one vector first.": (
            lambda *given: max(_angles(*given))
        ),
        "you compare the first tensor only.": lambda *given: _angles(*given)[0],
        "this is the distance between the two, not the angle.": (
            lambda before, after: (_joined(before) - _joined(after)).norm()
        ),
        "for two parallel gradients math.acos raises an error: rounding can carry the cosine above "
        "1, so clamp it first.": _unclamped_in_math,
    },
    hints=(
        "Each list is one long vector. Which formula gives the angle between two vectors?",
        "The cosine is the scalar product over the product of the lengths. Clamp it to [-1, 1], "
        "take the arccos, and turn it into degrees.",
        "a = torch.cat([g.flatten() for g in before]), the same for b; then a @ b / (…)",
    ),
)
def check_angle(draw, change):
    """Check ``angle(before, after)``, the angle in degrees between two lists of gradients.

    Parameters
    ----------
    angle : callable
        Returns a number from two lists of tensors of the same shapes.

    Returns
    -------
    Verdict
    """
    before = _gradients(draw, torch.float64)
    if change == "cut at 0.3":
        return before, [g.clamp(-0.3, 0.3) for g in before]
    if not isinstance(change, str):
        return before, [change * g for g in before]
    noise = _gradients(draw, torch.float64)
    return before, [n - 0.3 * g for g, n in zip(before, noise, strict=True)]


def _finite(norms):
    return np.array([n for n in norms if math.isfinite(n)])


def _percentile(q, norms):
    return np.percentile(_finite(norms), q)


@exercise(
    "A threshold that would have acted on one update in ten.",
    result="the threshold",
    cases=({"norms": 41}, {"norms": 201}, {"norms": 61}),
    right=lambda norms: _percentile(90, norms),
    mistakes={
        "this is the largest norm: nothing would be clipped.": lambda norms: _finite(norms).max(),
        "this is 0.9 of the largest norm, not the value that nine of ten lie below.": (
            lambda norms: 0.9 * _finite(norms).max()
        ),
        "this is the mean.": lambda norms: _finite(norms).mean(),
        "this is the median: half of the gradients would be clipped.": (
            lambda norms: _percentile(50, norms)
        ),
        "this leaves one gradient of ten alone: you want nine.": (
            lambda norms: _percentile(10, norms)
        ),
        "this leaves 99 of 100 alone: nine of ten are wanted.": (
            lambda norms: _percentile(99, norms)
        ),
        "this leaves 95 of 100 alone: nine of ten are wanted.": (
            lambda norms: _percentile(95, norms)
        ),
        "np.percentile counts in per cent: 90, not 0.9.": lambda norms: _percentile(0.9, norms),
        "this is 0.9 of the mean.": lambda norms: 0.9 * _finite(norms).mean(),
        "sort the norms first: this is the entry at 90 % of the list.": (
            lambda norms: _finite(norms)[int(0.9 * len(_finite(norms)))]
        ),
        "one nan in the record makes your threshold nan: leave it out.": (
            lambda norms: np.percentile(norms, 90)
        ),
        "the inf in the record count as gradients: leave them out.": (
            lambda norms: np.nanpercentile(norms, 90)
        ),
        "infinite norms were put to 0: leave them out.": (
            lambda norms: np.percentile(np.nan_to_num(norms, posinf=0.0), 90)
        ),
        "the result is still inf: leave the inf and nan out before you take the percentile.": (
            lambda norms: math.inf
        ),
    },
    hints=(
        "Which of the norms count? And what lies above nine of ten of them?",
        "Keep the finite ones: np.isfinite gives a mask. The value that nine of ten lie below is "
        "the 90th percentile.",
        "np.percentile(norms[np.isfinite(norms)], …)",
    ),
)
def check_threshold(draw, norms):
    """Check ``threshold(norms)``, the 90th percentile of the finite ones among recorded norms.

    Parameters
    ----------
    threshold : callable
        Returns a number from a list of numbers, in which inf and nan may occur.

    Returns
    -------
    Verdict
    """
    record = draw.rng.lognormal(1.0, 0.8, size=norms)
    # Between these two every length lies above nine of ten: let them be one to rounding, so that
    # every definition of a percentile is right.
    below, above = record.argsort()[[9 * norms // 10, 9 * norms // 10 + 1]]
    record[above] = record[below] * (1 + 1e-12)
    record = record.tolist()
    if norms > 41:  # the first record is clean
        record[10:10] = [math.inf, math.nan]
        record += [math.inf] * 5
    return record
