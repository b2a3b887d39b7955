"""Answers to the exercises of chapter 7: right ones, and wrong ones with their messages."""

import numpy as np
import torch

from rnnlib.exercises import (
    check_relu_backward,
    check_step_backward,
    check_truncated,
    check_weight_gradient,
)


def step_backward(dh, h, W, U, slope=lambda h: 1 - h**2):
    da = dh * slope(h)
    return da @ W.T, da @ U.T


def weight_gradient(da, h):
    rows = da.shape[-1]
    return h[: len(da)].reshape(-1, rows).T @ da.reshape(-1, rows)


def weight_gradient_in_a_loop(da, h):
    return sum(h_prev.T @ da_t for h_prev, da_t in zip(h, da, strict=False))


def relu_backward(g, h, U, slope=lambda h: h > 0, back=lambda da, U: da @ U.T):
    dU, dh = np.zeros_like(U), np.zeros_like(h[0])
    for t in reversed(range(len(g))):
        da = (dh + g[t]) * slope(h[t + 1])
        dU += h[t].T @ da
        dh = back(da, U)
    return dU


def truncated(layer, x, k, cut=torch.Tensor.detach, drop_last=False):
    h, outputs = None, []
    for piece in x.split(k):
        if drop_last and len(piece) < k:
            break
        output, h = layer(piece, h)
        h = cut(h)
        outputs.append(output)
    return torch.cat(outputs)


def only_last_direct(g, h, U):
    g = g.copy()
    g[:-1] = 0
    return relu_backward(g, h, U)


RIGHT = [
    (check_step_backward, step_backward),
    (check_weight_gradient, weight_gradient),
    (check_relu_backward, relu_backward),
    (check_truncated, truncated),
]

WRONG = [
    (check_step_backward, lambda dh, h, W, U: (dh @ W.T, dh @ U.T), "the slope of tanh is missing"),
    (check_step_backward, lambda *a: step_backward(*a, slope=lambda h: 1 - h), "not 1 - h_t"),
    (
        check_step_backward,
        lambda *a: step_backward(*a, slope=lambda h: 1 - np.tanh(h) ** 2),
        "do not take the tanh again",
    ),
    (
        check_step_backward,
        lambda dh, h, W, U: (step_backward(dh, h, W, U)[0], (dh * (1 - h**2)) @ U),
        "the matrix is transposed",
    ),
    (
        check_step_backward,
        lambda dh, h, W, U: (step_backward(dh, h, W, U)[0], (dh @ U.T) * (1 - h**2)),
        "comes before the product with W_hh.T",
    ),
    (check_step_backward, lambda *a: step_backward(*a)[0], "expected two results"),
    (check_step_backward, lambda *a: np.stack(step_backward(*a)[1]), "one of shape (2, 3)"),
    (check_weight_gradient, weight_gradient_in_a_loop, "asks for it without a loop"),
    (check_weight_gradient, lambda da, h: weight_gradient(da, h[1:]), "use h[:-1]"),
    (check_weight_gradient, lambda da, h: weight_gradient(da, h).T, "the transpose"),
    (check_weight_gradient, lambda da, h: weight_gradient(da, h) / len(da), "divide by nothing"),
    (check_weight_gradient, lambda da, h: h[-2].T @ da[-1], "the last step alone"),
    (
        check_weight_gradient,
        lambda da, h: np.einsum("tni,tnj->tij", h[:-1], da),
        "sum over the steps",
    ),
    (
        check_relu_backward,
        lambda *a: relu_backward(*a, slope=lambda h: 1 - h**2),
        "the slope of tanh",
    ),
    (check_relu_backward, lambda *a: relu_backward(*a, slope=lambda h: 1.0), "slope is missing"),
    (check_relu_backward, lambda *a: relu_backward(*a, slope=lambda h: h), "not h_t itself"),
    (
        check_relu_backward,
        lambda *a: relu_backward(*a, back=lambda da, U: 0 * da),
        "nothing is handed",
    ),
    (check_relu_backward, lambda *a: relu_backward(*a, back=lambda da, U: da @ U), "transposed"),
    (check_relu_backward, only_last_direct, "the direct gradients"),
    (check_truncated, lambda *a: truncated(*a, cut=lambda h: h), "reaches beyond a piece"),
    (
        check_truncated,
        lambda rnn, x, k: torch.cat([rnn(piece)[0] for piece in x.split(k, 1)], dim=1),
        "reaches beyond a piece",
    ),
    (check_truncated, lambda *a: truncated(*a, cut=lambda h: None), "starts from zeros"),
    (check_truncated, lambda layer, x, k: truncated(layer, x, 1), "cut at every step"),
    (check_truncated, lambda layer, x, k: truncated(layer, x, k + 1), "one step too long"),
    (check_truncated, lambda *a: truncated(*a, drop_last=True), "shorter piece is missing"),
    (check_truncated, lambda *a: truncated(*a).detach(), "no graph at all"),
]
