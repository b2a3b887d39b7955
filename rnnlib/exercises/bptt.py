"""Checks for chapter 7 (Where does the gradient come from)."""

import numpy as np
import torch

from rnnlib.exercises.verdict import WrongAnswer, attempt, compare, verdict
from rnnlib.layers import RNN

T, N, D, H = 5, 3, 2, 4


def _numbers() -> dict[str, np.ndarray]:
    """Return inputs, weights, direct gradients and states (from h_0) of a small tanh RNN."""
    rng = np.random.default_rng(0)
    x, h = rng.normal(size=(T, N, D)), [rng.normal(size=(N, H)) / 2]
    W_xh, W_hh = rng.normal(size=(D, H)), rng.normal(size=(H, H)) / 2
    for x_t in x:
        h.append(np.tanh(x_t @ W_xh + h[-1] @ W_hh))
    g = rng.normal(size=(T, N, H))
    return {"x": x, "h": np.stack(h), "W_xh": W_xh, "W_hh": W_hh, "g": g}


@verdict("One step of backpropagation through time.")
def check_step_backward(step_backward) -> None:
    """Check ``step_backward(dh_t, h_t, W_xh, W_hh)``, one step of the backward pass.

    Parameters
    ----------
    step_backward : callable
        Returns dx_t, (N, D), and dh_{t-1}, (N, H), as NumPy arrays.

    Returns
    -------
    Verdict
    """
    n = _numbers()
    dh, h_t, W_xh, W_hh = n["g"][0], n["h"][1], n["W_xh"], n["W_hh"]
    answer = attempt(step_backward, dh, h_t, W_xh, W_hh)
    if not (isinstance(answer, tuple) and len(answer) == 2):
        raise WrongAnswer("expected two results: dx_t and dh_prev.")
    slope = 1 - h_t**2
    da = dh * slope
    for name, got, W in (("dx_t", answer[0], W_xh), ("dh_prev", answer[1], W_hh)):
        mistakes = {
            f"{name}: the slope of tanh is missing: da_t = dh_t * (1 - h_t²).": dh @ W.T,
            f"{name}: the slope is 1 - h_t², not 1 - h_t.": (dh * (1 - h_t)) @ W.T,
            f"{name}: h_t is tanh(a_t) already: do not take the tanh again.": (
                (dh * (1 - np.tanh(h_t) ** 2)) @ W.T
            ),
        }
        if W is W_hh:
            mistakes[f"{name}: going back, the matrix is transposed: da_t @ W_hh.T."] = da @ W
            mistakes[f"{name}: the slope comes before the product: it belongs to a_t."] = (
                dh @ W.T
            ) * slope
        compare(name, got, da @ W.T, mistakes)


@verdict("One product for all steps and all samples.")
def check_weight_gradient(weight_gradient) -> None:
    """Check ``weight_gradient(da, h)``, the gradient by W_hh from all da_t and all states.

    Parameters
    ----------
    weight_gradient : callable
        Returns (H, H) from da (T, N, H) and h (T + 1, N, H), which begins with h_0.

    Returns
    -------
    Verdict
    """
    n = _numbers()
    da, h = n["g"], n["h"]
    right = np.einsum("tni,tnj->ij", h[:-1], da)
    compare(
        "dW_hh",
        attempt(weight_gradient, da, h),
        right,
        {
            "each da_t goes with the state before it: use h[:-1], not h[1:].": np.einsum(
                "tni,tnj->ij", h[1:], da
            ),
            "this is the transpose: W_hh leads from h_{t-1} to a_t, so it is h.T @ da.": right.T,
            "divide by nothing: the contributions add up.": right / T,
            "divide by nothing: the contributions of the samples add up.": right / N,
            "divide by nothing: the contributions add up over steps and samples.": right / (T * N),
            "this is the last step alone: sum over all steps.": h[-2].T @ da[-1],
            "this is the first step alone: sum over all steps.": h[0].T @ da[0],
            "sum over the steps as well.": np.einsum("tni,tnj->tij", h[:-1], da),
        },
    )


@verdict("The slope of ReLU is 1 where h_t is positive, and 0 elsewhere.")
def check_relu_backward(relu_backward) -> None:
    """Check ``relu_backward(g, h, W_hh)``, the backward pass of an RNN with ReLU.

    Parameters
    ----------
    relu_backward : callable
        Returns dW_hh, (H, H), from the direct gradients g (T, N, H) and the states (T + 1, N, H).

    Returns
    -------
    Verdict
    """
    n = _numbers()
    g, W_hh, x, W_xh = n["g"], n["W_hh"], n["x"], n["W_xh"]
    h = [np.abs(n["h"][0])]
    for x_t in x:
        h.append(np.maximum(x_t @ W_xh + h[-1] @ W_hh, 0))
    h = np.stack(h)

    def dW(slope, *, carry=True, direct=True, transpose=True):
        total, dh = np.zeros_like(W_hh), np.zeros((N, H))
        for t in reversed(range(T)):
            dh = dh + g[t] if direct or t == T - 1 else dh
            da = dh * slope(h[t + 1])
            total += h[t].T @ da
            dh = da @ (W_hh.T if transpose else W_hh) if carry else np.zeros((N, H))
        return total

    compare(
        "dW_hh",
        attempt(relu_backward, g, h, W_hh),
        dW(lambda h_t: h_t > 0),
        {
            "this is the slope of tanh, 1 - h_t²: ReLU's is 1 where h_t > 0.": dW(
                lambda h_t: 1 - h_t**2
            ),
            "the slope is missing: where h_t = 0, nothing passes.": dW(lambda h_t: 1.0),
            "the slope is 1 or 0, not h_t itself.": dW(lambda h_t: h_t),
            "nothing is handed to the step before: dh = da @ W_hh.T.": dW(
                lambda h_t: h_t > 0, carry=False
            ),
            "the direct gradients g[t] of the earlier steps are missing.": dW(
                lambda h_t: h_t > 0, direct=False
            ),
            "going back, the matrix is transposed: dh = da @ W_hh.T.": dW(
                lambda h_t: h_t > 0, transpose=False
            ),
        },
    )


@verdict("The state goes on, and the gradient stops at every border.")
def check_truncated(truncated) -> None:
    """Check ``truncated(layer, x, k)``: all outputs, with the gradient cut every k steps.

    Parameters
    ----------
    truncated : callable
        Returns outputs (T, N, H) of a layer that is called as ``layer(x, h)``.

    Returns
    -------
    Verdict
    """
    steps, k = 7, 3
    layer = RNN(D, H)
    x = torch.randn(steps, N, D, requires_grad=True)
    got = attempt(truncated, layer, x, k)
    whole = layer(x)[0]
    fresh = torch.cat([layer(piece)[0] for piece in x.split(k)])
    kept = steps // k * k
    compare(
        "the output",
        got,
        whole,
        {
            "every piece starts from zeros: hand the state on.": fresh,
            "the last, shorter piece is missing.": whole[:kept],
            "only the last piece came back: collect the outputs of all.": whole[kept:],
        },
        tolerance=1e-5,
    )
    if not got.requires_grad:
        raise WrongAnswer("the outputs have no graph at all: detach the state, not the output.")
    reached = []  # for every output, the inputs that its gradient reaches
    for t in range(steps):
        (dx,) = torch.autograd.grad(got[t].sum(), x, retain_graph=True)
        reached.append([s for s in range(steps) if dx[s].any()])
    if reached == [list(range(t + 1)) for t in range(steps)]:
        raise WrongAnswer("the gradient crosses the borders: detach the state between pieces.")
    if reached == [[t] for t in range(steps)]:
        raise WrongAnswer("the gradient is cut at every step: cut it every k steps only.")
    for t in range(steps):
        expected = list(range(t // k * k, t + 1))
        if reached[t] != expected:
            raise WrongAnswer(
                f"with k = {k}, the gradient of output {t} reaches inputs {reached[t]}; "
                f"expected {expected}."
            )
