"""Answers to the exercises of chapter 9: right ones, and wrong ones with their messages."""

import math
import statistics

import numpy as np
import torch

from rnnlib.exercises import (
    check_angle,
    check_clip_norm,
    check_clip_value,
    check_threshold,
)


def joined(gradients):
    return torch.cat([g.flatten() for g in gradients])


def total_norm(gradients):
    return joined(gradients).norm().item()


def clip_norm(gradients, c, *, norm=total_norm, factor=None, answer=lambda n, c: n):
    """Clip in place; the keywords put one mistake in at a time."""
    factor = factor or (lambda n, c: min(1.0, c / n))
    n = norm(gradients)
    for g in gradients:
        g.mul_(factor(n, c))
    return answer(n, c)


def clip_each(gradients, c):
    n = total_norm(gradients)
    for g in gradients:
        g.mul_(min(1.0, c / g.norm().item()))
    return n


def clip_entries(gradients, c):
    n = total_norm(gradients)
    for g in gradients:
        g.clamp_(-c, c)
    return n


def clip_copies(gradients, c):
    n = total_norm(gradients)
    gradients = [g * min(1.0, c / n) for g in gradients]
    return n


def clip_and_give_norms(gradients, c):
    norms = torch.stack([g.norm() for g in gradients])
    clip_norm(gradients, c)
    return norms


def clip_value_in_place(g, c):
    return g.clamp_(-c, c)


def angle(before, after, *, of=lambda cosine: math.degrees(math.acos(cosine))):
    a, b = joined(before), joined(after)
    return of(min(1.0, (a @ b / (a.norm() * b.norm())).item()))


def angles(before, after):
    return torch.tensor([angle([u], [v]) for u, v in zip(before, after, strict=True)])


def angle_unclamped(before, after):
    """Rounding carries the cosine of parallel gradients above 1 here."""
    a, b = joined(before), joined(after)
    return torch.rad2deg(torch.arccos((1 + 1e-15) * (a @ b) / (a.norm() * b.norm())))


def threshold(norms):
    norms = np.asarray(norms)
    return np.percentile(norms[np.isfinite(norms)], 90)


RIGHT = [
    (check_clip_norm, clip_norm),
    (check_clip_norm, lambda g, c: torch.nn.utils.clip_grad_norm_(as_parameters(g), c)),
    (check_clip_value, lambda g, c: g.clamp(-c, c)),
    (check_clip_value, clip_value_in_place),
    (check_angle, angle),
    (check_threshold, threshold),
    (check_threshold, lambda n: np.percentile(finite(n), 90, method="weibull")),
    (check_threshold, lambda n: statistics.quantiles(finite(n).tolist(), n=10)[-1]),
]


def as_parameters(gradients):
    parameters = [torch.zeros_like(g) for g in gradients]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = g
    return parameters


def finite(norms):
    norms = np.asarray(norms)
    return norms[np.isfinite(norms)]


WRONG = [
    (check_clip_norm, lambda g, c: ..., "returns nothing yet"),
    (check_clip_norm, lambda g: 1.0, "does not take the arguments"),
    (check_clip_norm, lambda g, c: clip_norm(g, c, factor=lambda n, c: c / n), "stretched"),
    (
        check_clip_norm,
        lambda g, c: clip_norm(g, c, factor=lambda n, c: 1 / c),
        "divided by the threshold",
    ),
    (check_clip_norm, lambda g, c: clip_norm(g, c, factor=lambda n, c: c), "multiply by the thr"),
    (
        check_clip_norm,
        lambda g, c: clip_norm(g, c, factor=lambda n, c: 1 / c if n > c else 1),
        "at [0] the gradient afterwards is",
    ),
    (
        check_clip_norm,
        lambda g, c: clip_norm(g, c, factor=lambda n, c: 1 / n if n > c else 1),
        "length 1, not c",
    ),
    (check_clip_norm, clip_each, "by its own norm"),
    (check_clip_norm, clip_entries, "clipping by value"),
    (check_clip_norm, clip_copies, "in place"),
    (
        check_clip_norm,
        lambda g, c: clip_norm(g, c, norm=lambda g: sum(x.norm().item() for x in g)),
        "do not add up",
    ),
    (
        check_clip_norm,
        lambda g, c: clip_norm(g, c, norm=lambda g: total_norm(g) ** 2),
        "root is missing",
    ),
    (check_clip_norm, lambda g, c: clip_norm(g, c, answer=lambda n, c: min(n, c)), "not the one"),
    (check_clip_norm, lambda g, c: clip_norm(g, c, answer=lambda n, c: c / n), "not the factor"),
    (check_clip_norm, lambda g, c: clip_norm(g, c, answer=lambda n, c: n**2), "the square"),
    (check_clip_norm, clip_and_give_norms, "one norm, of all"),
    (check_clip_norm, lambda g, c: clip_norm(g, 1.1 * c), "at [0] the gradient afterwards is"),
    (check_clip_value, lambda g, c: ..., "returns nothing yet"),
    (check_clip_value, lambda g, c: g, "has not changed"),
    (check_clip_value, lambda g, c: g.clamp(max=c), "positive entries only"),
    (check_clip_value, lambda g, c: g.clamp(min=-c), "negative entries only"),
    (check_clip_value, lambda g, c: g.abs().clamp(max=c), "signs are lost"),
    (check_clip_value, lambda g, c: g * (g.abs() <= c), "not 0"),
    (check_clip_value, lambda g, c: torch.where(g.abs() > c, c, g), "by their sign"),
    (check_clip_value, lambda g, c: c * g.sign(), "small enough must stay"),
    (check_clip_value, lambda g, c: g * c / g.norm(), "scales the gradient to length c"),
    (check_clip_value, lambda g, c: g * c / g.abs().max(), "largest entry"),
    (check_clip_value, lambda g, c: g.clamp(-1, 1), "should be ±c"),
    (check_clip_value, lambda g, c: g.clamp(-c, c).flatten(), "has shape (6,); expected (2, 3)"),
    (check_angle, lambda a, b: ..., "returns nothing yet"),
    (check_angle, lambda a, b: angle(a, b, of=math.acos), "radians"),
    (check_angle, lambda a, b: angle(a, b, of=float), "cosine"),
    (check_angle, lambda a, b: (joined(a) @ joined(b)).item(), "scalar product"),
    (check_angle, lambda a, b: angles(a, b).mean(), "you average"),
    (check_angle, lambda a, b: angles(a, b).sum(), "you add"),
    (check_angle, angles, "one angle for each"),
    (check_angle, lambda a, b: angle(a[:1], b[:1]), "first tensor only"),
    (check_angle, lambda a, b: (joined(a) - joined(b)).norm(), "distance"),
    (check_angle, angle_unclamped, "clamp it before the arccos"),
    (check_threshold, lambda n: ..., "returns nothing yet"),
    (check_threshold, lambda n: finite(n).max(), "the largest norm: nothing"),
    (check_threshold, lambda n: 0.9 * finite(n).max(), "0.9 of the largest"),
    (check_threshold, lambda n: finite(n).mean(), "this is the mean"),
    (check_threshold, lambda n: 0.9 * finite(n).mean(), "0.9 of the mean"),
    (check_threshold, lambda n: np.median(finite(n)), "the median"),
    (check_threshold, lambda n: np.percentile(finite(n), 10), "you want nine"),
    (check_threshold, lambda n: np.percentile(finite(n), 0.9), "90, not 0.9"),
    (check_threshold, lambda n: finite(n)[int(0.9 * len(finite(n)))], "sort the norms"),
    (check_threshold, lambda n: np.percentile(n, 90), "one nan in the record"),
    (check_threshold, lambda n: np.nanpercentile(n, 90), "the inf in the record"),
]
