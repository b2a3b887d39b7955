"""Answers to the exercises of chapter 8: right ones, and wrong ones with their messages."""

import math

import numpy as np
import torch

from rnnlib.exercises import (
    check_gradient_bound,
    check_spectral_radius,
    check_step_jacobian,
    check_steps_until,
)


def jacobian(h_t, W_hh):
    return W_hh @ torch.diag(1 - h_t**2)


def steps(w, threshold):
    n = 0
    while w**n >= threshold:
        n += 1
    return n


def ratio(w, threshold):
    return math.log(threshold) / math.log(w)


def eigenvalues(W):
    return torch.linalg.eigvals(W)


def norm(W):
    return torch.linalg.matrix_norm(W, ord=2)


def bound(W, lag, gamma):
    return (gamma * norm(W)) ** lag


RIGHT = [
    (check_step_jacobian, jacobian),
    (check_step_jacobian, lambda h, W: (W * (1 - h) * (1 + h)).numpy()),
    (check_steps_until, steps),
    (check_steps_until, lambda w, t: math.floor(ratio(w, t)) + 1),
    (check_spectral_radius, lambda W: eigenvalues(W).abs().max()),
    (check_spectral_radius, lambda W: np.abs(np.linalg.eigvals(W.numpy())).max()),
    (check_gradient_bound, bound),
    (check_gradient_bound, lambda W, lag, gamma: bound(W, lag, gamma).item()),
]

WRONG = [
    (check_step_jacobian, lambda h, W: ..., "returns nothing yet"),
    (check_step_jacobian, lambda h: h, "does not take the arguments"),
    (check_step_jacobian, lambda h, W: jacobian(h, W).T, "this is the transpose"),
    (check_step_jacobian, lambda h, W: torch.diag(1 - h**2) @ W, "on the wrong side"),
    (check_step_jacobian, lambda h, W: jacobian(h, W.T), "W_hh is transposed"),
    (check_step_jacobian, lambda h, W: jacobian(h.tanh(), W), "tanh once more"),
    (check_step_jacobian, lambda h, W: W, "slopes are missing"),
    (check_step_jacobian, lambda h, W: W @ torch.diag(1 - h), "with a square"),
    (check_step_jacobian, lambda h, W: torch.diag(1 - h**2), "W_hh is missing"),
    (check_step_jacobian, lambda h, W: W @ (1 - h**2), "a matrix and a vector"),
    (check_step_jacobian, lambda h, W: jacobian(h, W)[:2], "has shape (2, 3); expected (3, 3)"),
    (check_steps_until, lambda w, t: ..., "returns nothing yet"),
    (check_steps_until, ratio, "first whole number above"),
    (check_steps_until, lambda w, t: int(ratio(w, t)), "one step too early"),
    (check_steps_until, lambda w, t: math.ceil(ratio(w, t)) + 1, "rounding up has passed"),
    (check_steps_until, lambda w, t: math.ceil(ratio(w, t)), "equal to the threshold"),
    (check_steps_until, lambda w, t: -steps(w, t), "the sign is wrong"),
    (check_steps_until, lambda w, t: math.log(t), "divide by log(w)"),
    (check_steps_until, lambda w, t: math.log(w) / math.log(t), "upside down"),
    (check_steps_until, lambda w, t: math.ceil((1 - t) / (1 - w)), "subtracts 1 - w"),
    (check_spectral_radius, lambda W: ..., "returns nothing yet"),
    (check_spectral_radius, norm, "this is the norm"),
    (check_spectral_radius, lambda W: eigenvalues(W).real.max(), "the largest real part"),
    (check_spectral_radius, lambda W: eigenvalues(W).real.abs().max(), "may be complex"),
    (check_spectral_radius, lambda W: W.trace(), "this is the trace"),
    (check_spectral_radius, torch.linalg.matrix_norm, "the Frobenius norm"),
    (check_spectral_radius, lambda W: W.abs().max(), "the largest entry"),
    (check_spectral_radius, lambda W: eigenvalues(W).abs(), "take the largest"),
    (check_spectral_radius, lambda W: eigenvalues(W)[0], "the radius is complex"),
    (check_spectral_radius, lambda W: eigenvalues(W)[0].item(), "the radius is complex"),
    (check_gradient_bound, lambda W, lag, gamma: ..., "returns nothing yet"),
    (
        check_gradient_bound,
        lambda W, lag, gamma: (gamma * eigenvalues(W).abs().max()) ** lag,
        "takes the spectral radius",
    ),
    (
        check_gradient_bound,
        lambda W, lag, gamma: (gamma * torch.linalg.matrix_norm(W)) ** lag,
        "takes the Frobenius norm",
    ),
    (check_gradient_bound, lambda W, lag, gamma: norm(W) ** lag, "gamma is missing"),
    (check_gradient_bound, lambda W, lag, gamma: gamma * norm(W) ** lag, "inside the power"),
    (check_gradient_bound, lambda W, lag, gamma: lag * gamma * norm(W), "multiplied, not added"),
    (check_gradient_bound, lambda W, lag, gamma: gamma * norm(W), "the bound of one step"),
    (
        check_gradient_bound,
        lambda W, lag, gamma: gamma**lag * norm(torch.linalg.matrix_power(W, lag)),
        "a power of W_hh",
    ),
]
