"""Checks for chapter 7 (Where does the gradient come from)."""

import numpy as np
import torch
from torch import nn

from rnnlib.exercises.exercise import Draw, exercise
from rnnlib.exercises.looks import without_loops
from rnnlib.exercises.verdict import WrongAnswer


def _step_backward(dh_t, h_t, W_xh, W_hh, slope=lambda h: 1 - h**2):
    da_t = dh_t * slope(h_t)
    return da_t @ W_xh.T, da_t @ W_hh.T


@exercise(
    "One step of backpropagation through time.",
    result=("dx_t", "dh_prev"),
    cases=({"N": 2, "D": 5, "H": 3}, {"N": 7, "D": 3, "H": 5}, {"N": 3, "D": 2, "H": 7}),
    right=_step_backward,
    mistakes={
        "the slope of tanh is missing: da_t = dh_t * (1 - h_t²).": (
            lambda *given: _step_backward(*given, slope=lambda h: 1.0)
        ),
        "the slope is 1 - h_t², not 1 - h_t.": (
            lambda *given: _step_backward(*given, slope=lambda h: 1 - h)
        ),
        "the slope is 1 - h_t², not h_t².": (
            lambda *given: _step_backward(*given, slope=lambda h: h**2)
        ),
        "the slope is 1 - h_t²: a sign is wrong.": (
            lambda *given: _step_backward(*given, slope=lambda h: 1 + h**2)
        ),
        "h_t (1 - h_t) is the slope of the sigmoid: that of tanh is 1 - h_t².": (
            lambda *given: _step_backward(*given, slope=lambda h: h * (1 - h))
        ),
        "h_t is tanh(a_t) already: do not take the tanh again.": (
            lambda *given: _step_backward(*given, slope=lambda h: 1 - np.tanh(h) ** 2)
        ),
        "dh_t is missing: this is the slope alone, sent through the matrices.": (
            lambda dh_t, h_t, W_xh, W_hh: ((1 - h_t**2) @ W_xh.T, (1 - h_t**2) @ W_hh.T)
        ),
        "dh_prev: going back, the matrix is transposed: da_t @ W_hh.T.": (
            lambda dh_t, h_t, W_xh, W_hh: (
                _step_backward(dh_t, h_t, W_xh, W_hh)[0],
                dh_t * (1 - h_t**2) @ W_hh,
            )
        ),
        "dh_prev: the slope of this step comes before the product with W_hh.T, once.": (
            lambda dh_t, h_t, W_xh, W_hh: (
                _step_backward(dh_t, h_t, W_xh, W_hh)[0],
                dh_t @ W_hh.T * (1 - h_t**2),
            )
        ),
        "dh_prev: the slope is missing: it is da_t that goes back through W_hh.T.": (
            lambda dh_t, h_t, W_xh, W_hh: (
                _step_backward(dh_t, h_t, W_xh, W_hh)[0],
                dh_t @ W_hh.T,
            )
        ),
        "dx_t: the slope is missing: it is da_t that goes back through W_xh.T.": (
            lambda dh_t, h_t, W_xh, W_hh: (
                dh_t @ W_xh.T,
                _step_backward(dh_t, h_t, W_xh, W_hh)[1],
            )
        ),
        "dh_prev: only the share through this step is asked for, without dh_t itself.": (
            lambda dh_t, h_t, W_xh, W_hh: (
                _step_backward(dh_t, h_t, W_xh, W_hh)[0],
                _step_backward(dh_t, h_t, W_xh, W_hh)[1] + dh_t,
            )
        ),
        "the two results have changed places: dx_t comes first.": (
            lambda *given: _step_backward(*given)[::-1]
        ),
    },
    hints=(
        "First go from dh_t, with respect to h_t, to da_t, with respect to what enters the tanh.",
        "The slope of tanh at a_t is 1 - h_t². From da_t the gradient goes back through the "
        "transpose of each matrix: W_xh.T to the input, W_hh.T to the state.",
        "da_t = dh_t * (1 - h_t**2)",
    ),
)
def check_step_backward(draw, N, D, H):
    """Check ``step_backward(dh_t, h_t, W_xh, W_hh)``, one step of the backward pass.

    Parameters
    ----------
    step_backward : callable
        Returns dx_t, (N, D), and dh_{t-1}, (N, H), as NumPy arrays.

    Returns
    -------
    Verdict
    """
    return draw.array(N, H), np.tanh(draw.array(N, H)), draw.array(D, H), draw.array(H, H)


def _sum_of_products(h, da):
    return np.einsum("tni,tnj->ij", h, da)


@exercise(
    "One product for all steps and all samples.",
    result="dW_hh",
    cases=({"T": 3, "N": 2, "H": 4}, {"T": 5, "N": 7, "H": 3}, {"T": 4, "N": 3, "H": 5}),
    right=lambda da, h: _sum_of_products(h[:-1], da),
    mistakes={
        "each da_t goes with the state before it: use h[:-1], not h[1:].": (
            lambda da, h: _sum_of_products(h[1:], da)
        ),
        "this is the transpose: W_hh leads from h_{t-1} to a_t, so it is h.T @ da.": (
            lambda da, h: _sum_of_products(da, h[:-1])
        ),
        "this is the transpose, and of the wrong states: it is h.T @ da, with h[:-1].": (
            lambda da, h: _sum_of_products(da, h[1:])
        ),
        "divide by nothing: the contributions of the steps add up.": (
            lambda da, h: _sum_of_products(h[:-1], da) / len(da)
        ),
        "divide by nothing: the contributions of the samples add up.": (
            lambda da, h: _sum_of_products(h[:-1], da) / da.shape[1]
        ),
        "divide by nothing: the contributions add up over steps and samples.": (
            lambda da, h: _sum_of_products(h[:-1], da) / (len(da) * da.shape[1])
        ),
        "this is the last step alone: sum over all steps.": lambda da, h: h[-2].T @ da[-1],
        "this is the first step alone: sum over all steps.": lambda da, h: h[0].T @ da[0],
        "the first step is missing: h_0 is a state as well, and h[0] goes with da[0].": (
            lambda da, h: _sum_of_products(h[1:-1], da[1:])
        ),
        "the last step is missing.": lambda da, h: _sum_of_products(h[:-2], da[:-1]),
        "sum over the steps as well.": lambda da, h: np.einsum("tni,tnj->tij", h[:-1], da),
        "sum over the samples as well.": lambda da, h: np.einsum("tni,tnj->nij", h[:-1], da),
        "reshape to (H, …) deals the numbers out anew: reshape to (…, H), then transpose.": (
            lambda da, h: h[:-1].reshape(da.shape[-1], -1) @ da.reshape(-1, da.shape[-1])
        ),
        "the states and the da_t are summed before the product: the sum comes after it.": (
            lambda da, h: h[:-1].sum((0, 1))[:, None] * da.sum((0, 1))
        ),
    },
    looks=(
        without_loops(
            "the gradient is right, and the task asks for it without a loop: reshape both to "
            "(T N, H), and take one product."
        ),
    ),
    hints=(
        "da has T steps and h has T + 1. Which state went into step t, counted from 0?",
        "Steps and samples are summed alike, so the two axes may become one: (T, N, H) reshaped to "
        "(T N, H). Then one product sums over them all.",
        "h[:-1].reshape(-1, H).T @ …",
    ),
)
def check_weight_gradient(draw, T, N, H):
    """Check ``weight_gradient(da, h)``, the gradient with respect to W_hh from all da_t and states.

    Parameters
    ----------
    weight_gradient : callable
        Returns (H, H) from da (T, N, H) and h (T + 1, N, H), which begins with h_0.

    Returns
    -------
    Verdict
    """
    return draw.array(T, N, H), np.tanh(draw.array(T + 1, N, H))


def _relu_backward(
    g, h, W_hh, *, slope=lambda h: h > 0, back=lambda da, W: da @ W.T, before=0, last=False
):
    """Go back through an RNN with ReLU; each keyword puts one mistake in."""
    dW_hh, dh = np.zeros_like(W_hh), np.zeros_like(h[0])
    for t in reversed(range(len(g))):
        da = (dh + g[t] * (not last or t == len(g) - 1)) * slope(h[t + 1])
        dW_hh += h[t + before].T @ da
        dh = back(da, W_hh)
    return dW_hh


@exercise(
    "The slope of ReLU is 1 where h_t is positive, and 0 elsewhere.",
    result="dW_hh",
    cases=(
        {"T": 3, "N": 2, "D": 5, "H": 4},
        {"T": 5, "N": 7, "D": 2, "H": 3},
        {"T": 4, "N": 3, "D": 2, "H": 5},
    ),
    right=_relu_backward,
    mistakes={
        "this is the slope of tanh, 1 - h_t²: ReLU's is 1 where h_t > 0.": (
            lambda *given: _relu_backward(*given, slope=lambda h: 1 - h**2)
        ),
        "the slope is missing: where h_t = 0, nothing passes.": (
            lambda *given: _relu_backward(*given, slope=lambda h: 1.0)
        ),
        "the slope is 1 or 0, not h_t itself.": (
            lambda *given: _relu_backward(*given, slope=lambda h: h)
        ),
        "the slope is upside down: it is 1 where h_t is positive.": (
            lambda *given: _relu_backward(*given, slope=lambda h: h == 0)
        ),
        "nothing is handed to the step before: dh = da @ W_hh.T.": (
            lambda *given: _relu_backward(*given, back=lambda da, W: 0 * da)
        ),
        "what is handed to the step before goes through W_hh.T: dh = da @ W_hh.T.": (
            lambda *given: _relu_backward(*given, back=lambda da, W: da)
        ),
        "the direct gradients g[t] of the earlier steps are missing.": (
            lambda *given: _relu_backward(*given, last=True)
        ),
        "going back, the matrix is transposed: dh = da @ W_hh.T.": (
            lambda *given: _relu_backward(*given, back=lambda da, W: da @ W)
        ),
        "each da_t goes with the state before its step: that is h[t], not h[t + 1].": (
            lambda *given: _relu_backward(*given, before=1)
        ),
        "this is the transpose: W_hh leads from h_{t-1} to a_t, so it is h.T @ da.": (
            lambda *given: _relu_backward(*given).T
        ),
    },
    hints=(
        "Only the slope differs from the tanh network. What is it where h_t is positive, and where "
        "it is 0?",
        "Walk from the last step to the first. Add g[t] to what comes from the step after, "
        "multiply by the slope, add to dW_hh, and hand da @ W_hh.T on.",
        "da = (dh + g[t]) * (h[t + 1] > 0)",
    ),
)
def check_relu_backward(draw: Draw, T, N, D, H):
    """Check ``relu_backward(g, h, W_hh)``, the backward pass of an RNN with ReLU.

    Parameters
    ----------
    relu_backward : callable
        Returns dW_hh, (H, H), from the direct gradients g (T, N, H) and the states (T + 1, N, H).

    Returns
    -------
    Verdict
    """
    W_xh, W_hh = draw.array(D, H), draw.array(H, H, scale=0.5)
    h = [np.abs(draw.array(N, H))]
    for x_t in draw.array(T, N, D):
        h.append(np.maximum(x_t @ W_xh + h[-1] @ W_hh, 0))
    return draw.array(T, N, H), np.stack(h), W_hh


def _truncated(layer, x, k, *, cut=torch.Tensor.detach):
    h, outputs = None, []
    for piece in x.split(k):
        output, h = layer(piece, h)
        h = cut(h)
        outputs.append(output)
    return torch.cat(outputs)


def _in_equal_pieces(layer, x, k):
    """Cut x into k pieces, where pieces of k steps are asked for."""
    return _truncated(layer, x, -(-len(x) // k))


def _truncated_from(layer, x, k, first):
    if not first:
        return _truncated(layer, x, k)
    output, h = layer(x[:first], None)
    rest = [output]
    for piece in x[first:].split(k):
        output, h = layer(piece, h.detach())
        rest.append(output)
    return torch.cat(rest)


def _output_and_reach(output, layer, x, k) -> dict:
    """Measure the output, and how much each output's gradient depends on each input."""
    if isinstance(output, tuple):
        raise WrongAnswer("a layer returns output and h_n: the outputs alone are asked for.")
    if not isinstance(output, torch.Tensor):
        raise WrongAnswer(f"the output is a {type(output).__name__}; expected a tensor.")
    reach = torch.zeros(len(output), len(x)) if output.dim() else torch.zeros(1)
    weights = torch.zeros(1)
    if output.requires_grad and output.dim():
        for t, row in enumerate(output):
            gradient = _gradient(row, x)
            reach[t] = gradient.flatten(1).abs().sum(1) > 0
        weights = torch.cat([_gradient(output, p).flatten() for p in layer.parameters()])
    return {
        "the output": output,
        "the table of which input (column) each output's gradient (row) reaches": reach,
        "the gradient of all outputs with respect to the weights": weights,
    }


def _gradient(output, source):
    weight = torch.linspace(1, 2, output.numel()).view(output.shape)
    (gradient,) = torch.autograd.grad(
        (weight * output).sum(), source, retain_graph=True, allow_unused=True
    )
    return torch.zeros_like(source) if gradient is None else gradient


@exercise(
    "The state goes on, and the gradient stops at every border.",
    cases=(
        {"T": 5, "k": 2, "N": 3, "D": 4, "H": 7},
        {"T": 10, "k": 3, "N": 2, "D": 5, "H": 4},
        {"T": 8, "k": 4, "N": 5, "D": 2, "H": 3},
    ),
    right=_truncated,
    measure=_output_and_reach,
    mistakes={
        "the gradient reaches beyond a piece: pieces of k steps, and the state detached between "
        "them.": (lambda *given: _truncated(*given, cut=lambda h: h)),
        "every piece starts from zeros: hand the state on.": (
            lambda *given: _truncated(*given, cut=lambda h: None)
        ),
        "the outputs have no graph at all: detach the state, not the output.": (
            lambda *given: _truncated(*given).detach()
        ),
        "the gradient is cut at every step: cut it every k steps only.": (
            lambda layer, x, k: _truncated(layer, x, 1)
        ),
        "x is cut into k pieces: pieces of k steps are asked for, x.split(k) and not x.chunk(k).": (
            _in_equal_pieces
        ),
        "the pieces are one step too long.": lambda layer, x, k: _truncated(layer, x, k + 1),
        "the pieces are one step too short.": lambda layer, x, k: _truncated(layer, x, k - 1),
        "the last, shorter piece is missing.": (
            lambda layer, x, k: _truncated(layer, x[: len(x) // k * k], k)
        ),
        "the first piece is shorter: the pieces of k steps begin at step 1.": (
            lambda layer, x, k: _truncated_from(layer, x, k, len(x) % k)
        ),
        "only the last piece came back: collect the outputs of all.": (
            lambda layer, x, k: _truncated(layer, x, k)[(len(x) - 1) // k * k :]
        ),
    },
    hints=(
        "The state goes from piece to piece in any case. What must not go with it?",
        "x.split(k) gives pieces of k steps, the last perhaps shorter. Call the layer on each with "
        "the state that the one before left, detached.",
        "output, h = layer(piece, h); h = h.detach()",
    ),
)
def check_truncated(draw, T, k, N, D, H):
    """Check ``truncated(layer, x, k)``: all outputs, with the gradient cut every k steps.

    Parameters
    ----------
    truncated : callable
        Returns outputs (T, N, H) of a layer that is called as ``layer(x, h)``.

    Returns
    -------
    Verdict
    """
    return draw.weights(nn.RNN(D, H)), draw.normal(T, N, D).requires_grad_(), k
