"""Chapter 19: what do the three forms of a linear recurrence cost, on one core of a processor?

H = 64 units, one sequence of T steps, float32, a the same at every step so that all three forms
apply, forward only. The compiled loop is the same loop compiled by numba. Measured: the least
processor time of several calls, in microseconds.
"""

import time

import numba
import numpy as np
import torch

from rnnlib.layers import linear_convolution, linear_loop, linear_scan

H = 64
SETTINGS = [
    {"form": form, "steps": steps}
    for form in ("loop", "scan", "convolution", "compiled loop")
    for steps in (16, 64, 256, 1024, 4096, 16384)
]


@numba.njit
def compiled_loop(a, b):
    """Compute h_t = a_t h_{t-1} + b_t from arrays (T, H)."""
    T, H = b.shape
    h = np.empty_like(b)
    h[0] = b[0]
    for t in range(1, T):
        for j in range(H):
            h[t, j] = a[t, j] * h[t - 1, j] + b[t, j]
    return h


def run(form: str, steps: int) -> dict[str, float]:
    """Time one form."""
    generator = torch.Generator().manual_seed(0)
    factor = 0.5 + 0.49 * torch.rand(H, generator=generator)
    a, b = factor.expand(steps, H).contiguous(), torch.randn(steps, H, generator=generator)
    calls = {
        "loop": lambda: linear_loop(a, b),
        "scan": lambda: linear_scan(a, b),
        "convolution": lambda: linear_convolution(factor, b),
        "compiled loop": lambda: compiled_loop(a.numpy(), b.numpy()),
    }
    expected = compiled_loop(a.numpy(), b.numpy())
    assert np.abs(np.asarray(calls[form]()) - expected).max() < 1e-3
    times, begin = [], time.thread_time()
    while len(times) < 5 or time.thread_time() - begin < 2:
        before = time.thread_time()
        calls[form]()
        times.append(time.thread_time() - before)
    return {"microseconds": 1e6 * min(times)}
