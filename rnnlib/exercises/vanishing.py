"""Checks for chapter 8, on what repeated multiplication does to a gradient."""

import math

import torch

from rnnlib.exercises.exercise import exercise
from rnnlib.gradients import largest_singular_value, spectral_radius


@exercise(
    "The Jacobian of a step: column j of W_hh times the slope of unit j.",
    result="the Jacobian",
    cases=({"H": 2}, {"H": 3}, {"H": 5}),
    right=lambda h_t, W_hh: W_hh * (1 - h_t**2),
    mistakes={
        "this is the transpose: rows belong to h_{t-1}, columns to h_t.": (
            lambda h_t, W_hh: (W_hh * (1 - h_t**2)).T
        ),
        "the slopes are on the wrong side: they belong to h_t, and scale the columns.": (
            lambda h_t, W_hh: (1 - h_t**2)[:, None] * W_hh
        ),
        "W_hh is transposed: the step computes h_{t-1} @ W_hh.": (
            lambda h_t, W_hh: W_hh.T * (1 - h_t**2)
        ),
        "this applies tanh once more: h_t is its value already, and the slope is 1 - h_t².": (
            lambda h_t, W_hh: W_hh * (1 - torch.tanh(h_t) ** 2)
        ),
        "the slopes are missing: this is W_hh alone, right only where h_t = 0.": (
            lambda h_t, W_hh: W_hh
        ),
        "the slope of tanh is 1 - h_t², with a square.": lambda h_t, W_hh: W_hh * (1 - h_t),
        "the slope of tanh is 1 - h_t²: a sign is wrong.": lambda h_t, W_hh: W_hh * (1 + h_t**2),
        "the slope of tanh is 1 - h_t², not h_t².": lambda h_t, W_hh: W_hh * h_t**2,
        "this multiplies by the state, not by the slope 1 - h_t².": lambda h_t, W_hh: W_hh * h_t,
        "W_hh is missing: these are the slopes alone.": lambda h_t, W_hh: torch.diag(1 - h_t**2),
        "the slopes and W_hh are multiplied as a matrix and a vector: expected (H, H).": (
            lambda h_t, W_hh: W_hh @ (1 - h_t**2)
        ),
        "the slopes and W_hh are multiplied as a vector and a matrix: expected (H, H).": (
            lambda h_t, W_hh: (1 - h_t**2) @ W_hh
        ),
    },
    hints=(
        "a_t = x_t W_xh + h_{t-1} W_hh + b_h. How does a_t[j] depend on h_{t-1}[i]? And h_t[j] on "
        "a_t[j]?",
        "The first is W_hh[i, j]; the second is the slope of tanh, 1 - h_t[j]². So each column is "
        "scaled by the slope of its unit.",
        "W_hh @ torch.diag(…), or W_hh times a vector that broadcasts over the rows",
    ),
)
def check_step_jacobian(draw, H):
    """Check ``step_jacobian(h_t, W_hh)``, how h_t depends on h_{t-1} in one step of a tanh RNN.

    Parameters
    ----------
    step_jacobian : callable
        Returns (H, H), with ∂h_t[j] / ∂h_{t-1}[i] at [i, j], from the state h_t of one sequence,
        (H,), and W_hh, (H, H).

    Returns
    -------
    Verdict
    """
    return torch.tanh(draw.normal(H)), draw.normal(H, H)


def _steps_until(w, threshold):
    n = 0
    while w**n >= threshold:
        n += 1
    return n


def _ratio(w, threshold):
    return math.log(threshold) / math.log(w)


@exercise(
    "The first step at which the factor is below the threshold.",
    result="the answer",
    # The third case meets its threshold exactly, which is not yet below it.
    cases=(
        {"w": 0.9, "threshold": 0.01},
        {"w": 0.58, "threshold": 1e-6},
        {"w": 0.5, "threshold": 0.125},
        {"w": 0.25, "threshold": 0.3},
    ),
    right=_steps_until,
    mistakes={
        "steps are whole: n is the first whole number above log(threshold) / log(w).": _ratio,
        "one step too early: rounded down, w^n is still above the threshold.": (
            lambda w, threshold: math.floor(_ratio(w, threshold))
        ),
        "one step too late: at the step before, w^n is below already.": (
            lambda w, threshold: _steps_until(w, threshold) + 1
        ),
        "one step too late: rounding up has passed the threshold already, but where it is met "
        "exactly.": lambda w, threshold: math.ceil(_ratio(w, threshold)) + 1,
        "0.5³ is 0.125: that is equal to the threshold, not below it.": (
            lambda w, threshold: math.ceil(_ratio(w, threshold))
        ),
        "rounded to the nearest: w^n may then still be above the threshold.": (
            lambda w, threshold: round(_ratio(w, threshold))
        ),
        "the sign is wrong: both logarithms are negative, and so their ratio is not.": (
            lambda w, threshold: -_steps_until(w, threshold)
        ),
        "divide by log(w): every step multiplies by w.": (lambda w, threshold: math.log(threshold)),
        "the ratio is upside down: n log(w) = log(threshold).": (
            lambda w, threshold: 1 / _ratio(w, threshold)
        ),
        "this subtracts 1 - w at each step; a factor multiplies.": (
            lambda w, threshold: math.ceil((1 - threshold) / (1 - w))
        ),
        "this is what is left of the gradient, not the number of steps.": (
            lambda w, threshold: w ** _steps_until(w, threshold)
        ),
    },
    hints=(
        "What is left after n steps? Write it down, and when it is below the threshold.",
        "w^n < threshold. Take logarithms: log(w) is negative, so dividing by it turns the "
        "inequality round. At equality it is not below yet.",
        "math.floor(math.log(threshold) / math.log(w)) + …, or a loop that multiplies",
    ),
)
def check_steps_until(draw, w, threshold):
    """Check ``steps_until(w, threshold)``, the smallest n with w^n below the threshold.

    Parameters
    ----------
    steps_until : callable
        Returns an integer from w and threshold, both between 0 and 1.

    Returns
    -------
    Verdict
    """
    return w, threshold


def _first(values):
    return values.flatten()[0].real


@exercise(
    "The largest absolute value of an eigenvalue.",
    result="the radius",
    cases=({"kind": "complex"}, {"kind": "negative"}, {"kind": "any"}),
    right=spectral_radius,
    mistakes={
        "this is the norm: the largest singular value, not an eigenvalue.": largest_singular_value,
        "this is the largest real part: take the absolute value of each eigenvalue.": (
            lambda W: torch.linalg.eigvals(W).real.max()
        ),
        "an eigenvalue may be complex: its size is √(re² + im²), not |re|.": (
            lambda W: torch.linalg.eigvals(W).real.abs().max()
        ),
        "an eigenvalue may be complex: its size is √(re² + im²), not |im|.": (
            lambda W: torch.linalg.eigvals(W).imag.abs().max()
        ),
        "this is the smallest absolute value: take the largest.": (
            lambda W: torch.linalg.eigvals(W).abs().min()
        ),
        "this is the first eigenvalue's size: take the largest.": (
            lambda W: torch.linalg.eigvals(W).abs()[0]
        ),
        "this is the mean of the sizes: take the largest.": (
            lambda W: torch.linalg.eigvals(W).abs().mean()
        ),
        "this is the trace, the sum of the eigenvalues.": lambda W: W.trace(),
        "this is the determinant's size, the product of the eigenvalues'.": (
            lambda W: torch.linalg.det(W).abs()
        ),
        "this is the square: leave the root of re² + im² in.": lambda W: spectral_radius(W) ** 2,
        "eigvalsh is for symmetric matrices, and reads one triangle only: take eigvals.": (
            lambda W: torch.linalg.eigvalsh(W).abs().max()
        ),
        "this is the Frobenius norm, the root of the sum of all squares.": torch.linalg.matrix_norm,
        "this is the largest entry of W, not an eigenvalue.": lambda W: W.abs().max(),
        "these are all the eigenvalues' sizes: take the largest.": (
            lambda W: torch.linalg.eigvals(W).abs()
        ),
    },
    hints=(
        "Which function gives the eigenvalues of a matrix that is not symmetric? What kind of "
        "numbers are they?",
        "torch.linalg.eigvals gives complex numbers. The size of each is its abs, whatever its "
        "angle; a negative one has an angle of 180°.",
        "torch.linalg.eigvals(W).abs()…",
    ),
)
def check_spectral_radius(draw, kind):
    """Check ``radius(W)``, the spectral radius of a square matrix.

    Parameters
    ----------
    radius : callable
        Returns a number from W, (H, H).

    Returns
    -------
    Verdict
    """
    if kind == "negative":  # the eigenvalues are 0.5 and -0.8
        return torch.tensor([[0.5, 3.0], [0.0, -0.8]])
    if kind == "any":
        return draw.normal(5, 5, scale=0.5)
    # A turn by 60 degrees with a growth of 1.2, and a third axis that flips and decays, sheared.
    turn = torch.zeros(3, 3)
    turn[:2, :2] = 1.2 * torch.tensor([[0.5, -(0.75**0.5)], [0.75**0.5, 0.5]])
    turn[2] = torch.tensor([1.0, 2.0, -0.7])
    return turn


@exercise(
    "The bound: the steepest slope times the norm, to the power of the lag.",
    result="the bound",
    cases=(
        {"H": 3, "lag": 4, "gamma": 0.25},
        {"H": 5, "lag": 3, "gamma": 1.0},
        {"H": 4, "lag": 7, "gamma": 0.5},
    ),
    right=lambda W_hh, lag, gamma: (gamma * largest_singular_value(W_hh)) ** lag,
    mistakes={
        "this takes the spectral radius: the norm of W_hh is what bounds one step.": (
            lambda W_hh, lag, gamma: (gamma * spectral_radius(W_hh)) ** lag
        ),
        "this takes the Frobenius norm: a bound as well, but a looser one.": (
            lambda W_hh, lag, gamma: (gamma * torch.linalg.matrix_norm(W_hh)) ** lag
        ),
        "this takes the smallest singular value: the largest bounds a step.": (
            lambda W_hh, lag, gamma: (gamma * torch.linalg.svdvals(W_hh)[-1]) ** lag
        ),
        "this takes ord=1, the largest column sum: the norm here is ord=2.": (
            lambda W_hh, lag, gamma: (gamma * torch.linalg.matrix_norm(W_hh, ord=1)) ** lag
        ),
        "gamma is missing: every step has a slope as well.": (
            lambda W_hh, lag, gamma: largest_singular_value(W_hh) ** lag
        ),
        "gamma counts once for each step: it belongs inside the power.": (
            lambda W_hh, lag, gamma: gamma * largest_singular_value(W_hh) ** lag
        ),
        "the norm counts once for each step: it belongs inside the power.": (
            lambda W_hh, lag, gamma: gamma**lag * largest_singular_value(W_hh)
        ),
        "the norm is missing: this is the slopes' share alone.": (
            lambda W_hh, lag, gamma: gamma**lag
        ),
        "the factors of the steps are multiplied, not added.": (
            lambda W_hh, lag, gamma: gamma * largest_singular_value(W_hh) * lag
        ),
        "this is the bound of one step: raise it to the power of the lag.": (
            lambda W_hh, lag, gamma: gamma * largest_singular_value(W_hh)
        ),
        "this divides by the norm: a step multiplies by it.": (
            lambda W_hh, lag, gamma: (gamma / largest_singular_value(W_hh)) ** lag
        ),
        "this is the norm of a power of W_hh: with slopes in between, no bound.": (
            lambda W_hh, lag, gamma: (
                gamma**lag * largest_singular_value(torch.linalg.matrix_power(W_hh, lag))
            )
        ),
    },
    hints=(
        "How much can one step back lengthen a gradient, at most?",
        "A step multiplies by W_hh's transpose, by at most σ_max, and by slopes, by at most γ. "
        "A lag has so many steps.",
        "(gamma * torch.linalg.matrix_norm(W_hh, ord=2)) ** …",
    ),
)
def check_gradient_bound(draw, H, lag, gamma):
    """Check ``bound(W_hh, lag, gamma)``, the most that a gradient can grow over so many steps.

    Parameters
    ----------
    bound : callable
        Returns (γ σ)^lag, with σ the largest singular value of W_hh.

    Returns
    -------
    Verdict
    """
    return draw.normal(H, H, scale=0.7), lag, gamma
