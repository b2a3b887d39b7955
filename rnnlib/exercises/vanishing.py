"""Checks for chapter 8, on what repeated multiplication does to a gradient."""

import math

import torch
from torch import Tensor

from rnnlib.exercises.verdict import WrongAnswer, as_array, attempt, compare, verdict
from rnnlib.gradients import largest_singular_value, spectral_radius

H = 5


@verdict("The Jacobian of a step: column j of W_hh times the slope of unit j.")
def check_step_jacobian(step_jacobian) -> None:
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
    W_hh = torch.randn(H, H, dtype=torch.float64)
    h_t = torch.tanh(torch.randn(H, dtype=torch.float64))
    got = attempt(step_jacobian, h_t.clone(), W_hh.clone())
    slope = 1 - h_t**2
    compare(
        "the Jacobian",
        got,
        W_hh * slope,
        {
            "this is the transpose: rows belong to h_{t-1}, columns to h_t.": (W_hh * slope).T,
            "the slopes are on the wrong side: they belong to h_t, and scale the columns.": (
                slope[:, None] * W_hh
            ),
            "W_hh is transposed: the step computes h_{t-1} @ W_hh.": W_hh.T * slope,
            "this applies tanh once more: h_t is its value already, and the slope is 1 - h_t².": (
                W_hh * (1 - torch.tanh(h_t) ** 2)
            ),
            "the slopes are missing: this is W_hh alone, right only where h_t = 0.": W_hh,
            "the slope of tanh is 1 - h_t², with a square.": W_hh * (1 - h_t),
            "W_hh is missing: these are the slopes alone.": torch.diag(slope),
            "the slopes and W_hh are multiplied as a matrix and a vector: expected (H, H).": (
                W_hh @ slope
            ),
        },
    )


@verdict("The first step at which the factor is below the threshold.")
def check_steps_until(steps_until) -> None:
    """Check ``steps_until(w, threshold)``, the smallest n with w^n below the threshold.

    Parameters
    ----------
    steps_until : callable
        Returns an integer from w and threshold, both between 0 and 1.

    Returns
    -------
    Verdict
    """
    # The last case meets its threshold exactly, which is not yet below it.
    for w, threshold, right in ((0.9, 0.01, 44), (0.58, 1e-6, 26), (0.5, 0.125, 4)):
        got = as_array(attempt(steps_until, w, threshold))
        n = math.log(threshold) / math.log(w)
        name = f"the answer for w = {w}, threshold = {threshold:g}"
        if got.shape == () and abs(got - right) > 1e-9 and abs(got - n) < 1e-9 and n % 1:
            raise WrongAnswer(f"{name} is {n:.2f}: steps are whole, so round up.")
        if w == 0.5 and got.shape == () and got == 3:
            raise WrongAnswer("0.5³ is 0.125: that is equal to the threshold, not below it.")
        compare(
            name,
            got,
            right,
            {
                f"{name} is one step too early: w^{right - 1} is still above.": right - 1,
                f"{name} is one step too late: w^{right} is below already.": right + 1,
                f"{name} is negative: both logarithms are, and so their ratio is not.": -right,
                "divide by log(w): every step multiplies by w.": math.log(threshold),
                "the ratio is upside down: n log(w) = log(threshold).": 1 / n,
                "this subtracts 1 - w at each step; a factor multiplies.": (
                    math.ceil((1 - threshold) / (1 - w))
                ),
            },
            tolerance=1e-9,
        )


@verdict("The largest absolute value of an eigenvalue.")
def check_spectral_radius(radius) -> None:
    """Check ``radius(W)``, the spectral radius of a square matrix.

    Parameters
    ----------
    radius : callable
        Returns a number from W, (H, H).

    Returns
    -------
    Verdict
    """
    # A turn by 60 degrees with a growth of 1.2, and a third axis that flips and decays, sheared.
    turn = torch.zeros(3, 3, dtype=torch.float64)
    turn[:2, :2] = 1.2 * torch.tensor([[0.5, -(0.75**0.5)], [0.75**0.5, 0.5]])
    turn[2] = torch.tensor([1.0, 2.0, -0.7])
    # Its eigenvalues are 0.5 and -0.8.
    flip = torch.tensor([[0.5, 3.0], [0.0, -0.8]], dtype=torch.float64)
    for name, W in (("a matrix with complex eigenvalues", turn), ("a shear with a flip", flip)):
        got = attempt(radius, W.clone())
        if isinstance(got, Tensor) and got.is_complex():
            raise WrongAnswer("the result is complex: take the absolute value.")
        if isinstance(got, complex):
            raise WrongAnswer("the result is complex: take the absolute value.")
        eigenvalues = torch.linalg.eigvals(W)
        compare(
            f"the radius of {name}",
            got,
            spectral_radius(W),
            {
                "this is the norm: the largest singular value, not an eigenvalue.": (
                    largest_singular_value(W)
                ),
                "this is the largest real part: take the absolute value of each eigenvalue.": (
                    eigenvalues.real.max()
                ),
                "an eigenvalue may be complex: its size is √(re² + im²), not |re|.": (
                    eigenvalues.real.abs().max()
                ),
                "this is the trace, the sum of the eigenvalues.": W.trace(),
                "this is the Frobenius norm, the root of the sum of all squares.": (
                    torch.linalg.matrix_norm(W)
                ),
                "this is the largest entry of W, not an eigenvalue.": W.abs().max(),
                "these are all the eigenvalues' sizes: take the largest.": eigenvalues.abs(),
            },
        )


@verdict("The bound: the steepest slope times the norm, to the power of the lag.")
def check_gradient_bound(bound) -> None:
    """Check ``bound(W_hh, lag, gamma)``, the most that a gradient can grow over so many steps.

    Parameters
    ----------
    bound : callable
        Returns (γ σ)^lag, with σ the largest singular value of W_hh.

    Returns
    -------
    Verdict
    """
    W_hh = torch.randn(H, H, dtype=torch.float64) / 2
    sigma = largest_singular_value(W_hh)
    lag = 3
    for gamma in (1.0, 0.25):
        compare(
            f"the bound for γ = {gamma}",
            attempt(bound, W_hh.clone(), lag, gamma),
            (gamma * sigma) ** lag,
            {
                "this takes the spectral radius: the norm of W_hh is what bounds one step.": (
                    (gamma * spectral_radius(W_hh)) ** lag
                ),
                "this takes the Frobenius norm: a bound as well, but a looser one.": (
                    (gamma * torch.linalg.matrix_norm(W_hh)) ** lag
                ),
                "gamma is missing: every step has a slope as well.": sigma**lag,
                "gamma counts once for each step: it belongs inside the power.": gamma * sigma**lag,
                "the factors of the steps are multiplied, not added.": gamma * sigma * lag,
                "this is the bound of one step: raise it to the power of the lag.": gamma * sigma,
                "this is the norm of a power of W_hh: with slopes in between, no bound.": (
                    gamma**lag * largest_singular_value(torch.linalg.matrix_power(W_hh, lag))
                ),
            },
            tolerance=1e-9,
        )
