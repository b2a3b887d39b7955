"""Checks for chapter 9 (How do we survive a cliff)."""

import math

import numpy as np
import torch
from torch import Tensor

from rnnlib.exercises.verdict import WrongAnswer, as_array, attempt, compare, verdict


def _gradients() -> list[Tensor]:
    """Return gradients of different lengths, so that each mistake gives numbers of its own."""
    generator = torch.Generator().manual_seed(0)
    shapes_and_scales = (((4, 3), 2.0), ((3, 3), 1.0), ((3,), 0.2))
    return [
        scale * torch.randn(shape, dtype=torch.float64, generator=generator)
        for shape, scale in shapes_and_scales
    ]


def _joined(gradients) -> Tensor:
    return torch.cat([g.flatten() for g in gradients])


@verdict("One factor for all, only where the gradient is too long, and in place.")
def check_clip_norm(clip_norm) -> None:
    """Check ``clip_norm(gradients, c)``, clipping by the norm of all gradients together.

    Parameters
    ----------
    clip_norm : callable
        Changes a list of tensors in place and returns the norm that they had together.

    Returns
    -------
    Verdict
    """
    before = _joined(_gradients())
    norms = [g.norm() for g in _gradients()]
    total = before.norm()

    short = _gradients()
    c = 2.0 * total.item()
    attempt(clip_norm, short, c)
    compare(
        f"a gradient of length {total:.2f} with the threshold {c:.2f}",
        _joined(short),
        before,
        {
            "a gradient shorter than the threshold must be left alone: yours is stretched to it.": (
                before * c / total
            ),
            "you divide by the threshold: the factor is c / norm, and at most 1.": before / c,
            "you multiply by the threshold: the factor is c / norm, and at most 1.": before * c,
            "the root is missing: you divide by the square of the norm.": before * c / total**2,
        },
    )

    long = _gradients()
    c = 0.5
    answer = attempt(clip_norm, long, c)
    separately = torch.cat(
        [(g * (c / n).clamp(max=1)).flatten() for g, n in zip(_gradients(), norms, strict=True)]
    )
    compare(
        "the gradient after clipping",
        _joined(long),
        before * c / total,
        {
            "the gradients have not changed: multiply them in place (g.mul_ or g *= …).": before,
            "every tensor is clipped by its own norm, which turns the gradient: take the norm "
            "of all of them together.": separately,
            "this is clipping by value: entries are cut off one by one.": before.clamp(-c, c),
            "you divide by the threshold: the factor is c / norm.": before / c,
            "the gradient has length 1, not c.": before / total,
            "the norms of the tensors do not add up: add their squares and take the root.": (
                before * c / sum(norms)
            ),
            "the root is missing: you divide by the square of the norm.": before * c / total**2,
        },
        tolerance=1e-5,
    )
    compare(
        "the returned norm",
        answer,
        total,
        {
            "return the norm before clipping, not the one after it.": c,
            "return the norm before clipping, not the factor.": c / total,
            "return one norm, of all gradients together.": torch.stack(norms),
            "the root is missing: this is the square of the norm.": total**2,
            "the norms of the tensors do not add up: add their squares and take the root.": (
                sum(norms)
            ),
        },
        tolerance=1e-5,
    )


@verdict("Every entry lies between -c and c, and the others are as they were.")
def check_clip_value(clip_value) -> None:
    """Check ``clip_value(g, c)``, which cuts the entries of a gradient off one by one.

    Parameters
    ----------
    clip_value : callable
        Returns a tensor of the shape of g.

    Returns
    -------
    Verdict
    """
    g = torch.tensor([[3.0, -2.0, 0.5], [-0.25, 1.5, -0.75]], dtype=torch.float64)
    c = 1.25
    compare(
        "the result",
        attempt(clip_value, g.clone(), c),
        g.clamp(-c, c),
        {
            "the gradient has not changed.": g,
            "you cut large positive entries only: -2 is too large as well.": g.clamp(max=c),
            "you cut large negative entries only: 3 is too large as well.": g.clamp(min=-c),
            "the signs are lost: an entry of -2 becomes -c.": g.abs().clamp(max=c),
            "entries that are too large become ±c, not 0.": torch.where(g.abs() > c, 0.0, g),
            "entries that are too large become c or -c, by their sign.": torch.where(
                g.abs() > c, c, g
            ),
            "every entry has size c: those that are small enough must stay.": c * g.sign(),
            "this is clipping by norm: the entries are cut off one by one here.": g * c / g.norm(),
            "you scale the whole gradient by its largest entry: cut each for itself.": (
                g * c / g.abs().max()
            ),
            "the bounds are ±1: they should be ±c.": g.clamp(-1, 1),
        },
    )


@verdict("That is the angle between the two long vectors.")
def check_angle(angle) -> None:
    """Check ``angle(before, after)``, the angle in degrees between two lists of gradients.

    Parameters
    ----------
    angle : callable
        Returns a number from two lists of tensors of the same shapes.

    Returns
    -------
    Verdict
    """
    before = _gradients()
    after = [g.clamp(-0.3, 0.3) for g in before]
    a, b = _joined(before), _joined(after)

    def degrees(u: Tensor, v: Tensor) -> Tensor:
        return torch.rad2deg(torch.arccos((u.flatten() @ v.flatten()) / (u.norm() * v.norm())))

    right = degrees(a, b)
    each = [degrees(u, v) for u, v in zip(before, after, strict=True)]
    compare(
        "the angle",
        attempt(angle, before, after),
        right,
        {
            "this is the angle in radians: math.degrees turns it into degrees.": torch.deg2rad(
                right
            ),
            "this is the cosine of the angle: take its arccos.": torch.cos(torch.deg2rad(right)),
            "this is the scalar product: divide by both lengths and take the arccos.": a @ b,
            "you average the angles of the tensors: join them into one vector first.": (
                sum(each) / len(each)
            ),
            "you add the angles of the tensors: join them into one vector first.": sum(each),
            "this is one angle for each tensor: join them into one vector first.": torch.stack(
                each
            ),
            "you compare the first tensor only.": each[0],
            "this is the distance between the two, not the angle.": (a - b).norm(),
        },
        tolerance=1e-3,
    )
    same = as_array(attempt(angle, before, [0.1 * g for g in before]))
    if not np.isfinite(same).all():
        raise WrongAnswer(
            "for two parallel gradients it is not finite: rounding can carry the cosine above 1, "
            "so clamp it before the arccos."
        )
    compare("the angle between g and 0.1 g", same, 0.0, tolerance=1e-3)


@verdict("A threshold that would have acted on one update in ten.")
def check_threshold(threshold) -> None:
    """Check ``threshold(norms)``, the 90th percentile of the finite ones among recorded norms.

    Parameters
    ----------
    threshold : callable
        Returns a number from a list of numbers, in which inf and nan may occur.

    Returns
    -------
    Verdict
    """
    finite = np.random.default_rng(0).lognormal(1.0, 0.8, size=101)
    quick = {
        "this is the largest norm: nothing would be clipped.": finite.max(),
        "this is 0.9 of the largest norm, not the value that nine of ten lie below.": (
            0.9 * finite.max()
        ),
        "this is the mean.": finite.mean(),
        "this is the median: half of the gradients would be clipped.": np.median(finite),
        "this leaves one gradient of ten alone: you want nine.": np.percentile(finite, 10),
        "np.percentile counts in per cent: 90, not 0.9.": np.percentile(finite, 0.9),
        "this is 0.9 of the mean.": 0.9 * finite.mean(),
        "sort the norms first: this is the entry at 90 % of the list.": finite[90],
    }
    compare("the threshold", attempt(threshold, finite.tolist()), np.percentile(finite, 90), quick)
    record = finite.tolist()
    record[10:10] = [math.inf, math.nan]
    record += [math.inf] * 5
    got = as_array(attempt(threshold, record))
    if np.isnan(got).any():
        raise WrongAnswer("one nan in the record makes your threshold nan: leave it out.")
    compare(
        "the threshold with inf and nan in the record",
        got,
        np.percentile(finite, 90),
        {
            "the inf in the record count as gradients: leave them out.": np.nanpercentile(
                record, 90
            ),
        },
    )
