"""The linear recurrence h_t = a_t * h_{t-1} + b_t in three forms: loop, scan and convolution.

Numbers multiply entry by entry: a unit sees no other unit's past. Time comes first, and behind it
any shape (…): (N, H) in a layer. All three give the same h; they differ in how many steps must wait
for one another. Real and complex numbers, and autograd, through each of them.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from rnnlib.checks import check_integer, check_tensor

Recurrence = Callable[[Tensor, Tensor, Tensor | None], Tensor]


def linear_loop(a: Tensor, b: Tensor, h_0: Tensor | None = None) -> Tensor:
    """Compute h_t = a_t * h_{t-1} + b_t step after step.

    Parameters
    ----------
    a : Tensor, (T, …), or (…) where it is the same at every step
    b : Tensor, (T, …)
    h_0 : Tensor, (…), optional
        Zeros by default.

    Returns
    -------
    Tensor, (T, …)
        h_1, …, h_T.

    Raises
    ------
    TypeError, ValueError
        For what is no tensor, for shapes that do not fit, and for no steps.
    """
    a, b, h = _fitting(a, b, h_0)
    states = []
    for t in range(len(b)):
        h = b[t] if h is None else a[t] * h + b[t]
        states.append(h)
    return torch.stack(states)


def linear_scan(a: Tensor, b: Tensor, h_0: Tensor | None = None) -> Tensor:
    """Compute h_t = a_t * h_{t-1} + b_t in `scan_rounds` rounds, all steps at once in each.

    A pair (a, b) stands for the map h → a * h + b. One map after another is again such a map, and
    it does not matter which two neighbours are joined first. After round k each step's pair stands
    for the last 2^k steps.

    Parameters, returns and errors as for `linear_loop`.

    Notes
    -----
    The scan of W. D. Hillis and G. L. Steele, "Data parallel algorithms", Communications of the ACM
    29 (1986), 1170-1183. It joins T log T pairs, with two products each; that of G. E. Blelloch,
    "Prefix sums and their applications" (1990), only 2 T, in twice as many rounds.
    """
    a, b, h_0 = _fitting(a, b, h_0)
    reach = 1
    while reach < len(b):
        # The piece that ends at step t takes in the piece of the same length before it.
        b = torch.cat([b[:reach], a[reach:] * b[:-reach] + b[reach:]])
        a = torch.cat([a[:reach], a[reach:] * a[:-reach]])
        reach *= 2
    return b if h_0 is None else a * h_0 + b


def linear_convolution(a: Tensor, b: Tensor, h_0: Tensor | None = None) -> Tensor:
    """Compute h_t = a * h_{t-1} + b_t for an a that is the same at every step, as a convolution.

    h_t = b_t + a b_{t-1} + a² b_{t-2} + …: the kernel 1, a, a², … slides over b. It is done by
    the fast Fourier transform, with twice the length, so that the end does not reach the beginning.

    Parameters
    ----------
    a : Tensor, (…)
        Without steps.
    b : Tensor, (T, …)
    h_0 : Tensor, (…), optional
        Zeros by default.

    Returns
    -------
    Tensor, (T, …)
        h_1, …, h_T.

    Raises
    ------
    TypeError, ValueError
        As `linear_loop`, and for an a that has steps.
    """
    for name, value in (("a", a), ("b", b)):
        check_tensor(name, value, TypeError)
    if a.dim() >= b.dim():
        raise ValueError(
            "a: expected the same at every step, without a dimension for time, got "
            f"{tuple(a.shape)} beside b {tuple(b.shape)}"
        )
    _, b, h_0 = _fitting(a, b, h_0)
    T = len(b)
    steps = torch.arange(T, device=b.device).reshape(T, *[1] * (b.dim() - 1))
    kernel = a**steps  # 1, a, …, a^(T - 1)
    if a.is_complex() or b.is_complex():
        there, back = torch.fft.fft, torch.fft.ifft
    else:
        there, back = torch.fft.rfft, torch.fft.irfft
    h = back(there(kernel, 2 * T, dim=0) * there(b, 2 * T, dim=0), 2 * T, dim=0)[:T]
    return h if h_0 is None else h + kernel * a * h_0


def scan_rounds(num_steps: int) -> int:
    """Return how many rounds `linear_scan` takes: the logarithm of T to base 2, rounded up.

    Raises
    ------
    TypeError, ValueError
        For what is no positive integer.
    """
    return (check_integer("num_steps", num_steps, least=1) - 1).bit_length()


def _fitting(a, b, h_0) -> tuple[Tensor, Tensor, Tensor | None]:
    """Check what is given, and spread a constant a over all steps."""
    for name, value in (("a", a), ("b", b)):
        check_tensor(name, value, TypeError)
    if b.dim() == 0 or len(b) == 0:
        raise ValueError(f"b: expected (T, …) with at least one step, got {tuple(b.shape)}")
    if a.shape != b.shape:
        if a.dim() >= b.dim() or a.shape != b.shape[b.dim() - a.dim() :]:
            raise ValueError(
                f"a: expected the shape of b, {tuple(b.shape)}, or that of its last dimensions, "
                f"got {tuple(a.shape)}"
            )
        a = a.expand_as(b)
    if h_0 is not None:
        check_tensor("h_0", h_0, TypeError)
        if h_0.shape != b.shape[1:]:
            raise ValueError(f"h_0: expected {tuple(b.shape[1:])}, got {tuple(h_0.shape)}")
    return a, b, h_0
