"""From scores to a symbol: a softmax with temperature, top-k, and a draw that every device repeats.

Scores may lie on any device. The probabilities are computed and the numbers drawn on the CPU, in
float64, so that equal scores lead to equal symbols everywhere.
"""

import math

import torch
from torch import Tensor

from rnnlib.checks import check_generator, check_number, check_size


def probabilities(y: Tensor, *, temperature: float = 1.0, top_k: int | None = None) -> Tensor:
    r"""Turn scores into probabilities.

    .. math:: p_i = \frac{e^{y_i / \tau}}{\sum_j e^{y_j / \tau}}

    where the sum is over the symbols that `top_k` leaves, and p is 0 for all others.

    Parameters
    ----------
    y : Tensor, (V,) or (…, V)
        One score for each symbol. That of a symbol that must not come may be -inf.
    temperature : float, default 1
        τ. Below 1 the likely symbols gain, above 1 the unlikely ones. At 0 the largest score takes
        all; of several, the first.
    top_k : int, optional
        How many symbols may come: those with the largest scores. Of equal ones, the first.

    Returns
    -------
    Tensor of float64, of the shape of `y`
        On the CPU.

    Raises
    ------
    TypeError, ValueError
        For scores that are none, a negative temperature, or a `top_k` outside 1 … V.
    """
    if not isinstance(y, Tensor) or not y.is_floating_point():
        got = y.dtype if isinstance(y, Tensor) else type(y).__name__
        raise TypeError(f"y: expected a tensor of floating-point scores, got {got}")
    if y.dim() == 0 or y.size(-1) == 0:
        raise ValueError(f"y: expected scores of shape (…, V), got {tuple(y.shape)}")
    check_number("temperature", temperature)
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature: expected a number from 0 up, got {temperature}")
    y = y.detach().to("cpu", torch.float64)
    if y.isnan().any() or y.isposinf().any() or y.isneginf().all(dim=-1).any():
        raise ValueError("y: expected finite scores, or -inf for some, got nan, inf or -inf alone")
    V = y.size(-1)
    k = V if top_k is None else check_size("top_k", top_k)
    if k > V:
        raise ValueError(f"top_k: expected between 1 and {V}, the number of symbols, got {top_k}")
    if temperature == 0:
        k = 1
    if k < V:
        # A stable sort, because torch.topk does not say which of equal scores it takes.
        order = y.sort(dim=-1, descending=True, stable=True).indices
        y = y.scatter(-1, order[..., k:], -math.inf)
    # The largest score is taken off first: the ratio is the same, and no exponential overflows.
    y = y - y.amax(dim=-1, keepdim=True)
    e = torch.exp(y / temperature if temperature > 0 else y)
    return e / e.sum(dim=-1, keepdim=True)


def draw(p: Tensor, generator: torch.Generator | None = None) -> Tensor:
    """Draw a symbol from each distribution, by one uniform number u each.

    The intervals of length p_i, laid end to end, fill the line from 0 to 1. The symbol drawn is
    the one in whose interval u falls; one of probability 0 has none and is never drawn.

    Parameters
    ----------
    p : Tensor, (…, V)
        Probabilities, or weights that need not add up to 1.
    generator : torch.Generator, optional
        On the CPU; by default torch's global one.

    Returns
    -------
    Tensor of int64, (…)
        On the CPU.

    Raises
    ------
    TypeError, ValueError
        For what is no such weights, or a generator of another device.
    """
    if not isinstance(p, Tensor) or not p.is_floating_point():
        got = p.dtype if isinstance(p, Tensor) else type(p).__name__
        raise TypeError(f"p: expected a tensor of floating-point probabilities, got {got}")
    if p.dim() == 0 or p.size(-1) == 0:
        raise ValueError(f"p: expected probabilities of shape (…, V), got {tuple(p.shape)}")
    check_generator(generator)
    p = p.detach().to("cpu", torch.float64)
    ends = p.cumsum(dim=-1)
    total = ends[..., -1:]
    if not (p >= 0).all() or not total.isfinite().all() or not (total > 0).all():
        raise ValueError("p: expected numbers from 0 up with a positive sum in each row")
    u = torch.rand(total.shape, dtype=torch.float64, generator=generator, device="cpu")
    # Dividing the ends makes the last one exactly 1, which u never reaches.
    return torch.searchsorted(ends / total, u, right=True).squeeze(-1)


def sample(
    y: Tensor,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Draw a symbol for each row of scores. Parameters and errors as for the two functions above.

    Returns
    -------
    Tensor of int64, (…)
        On the CPU. At temperature 0 no random number is used up.
    """
    p = probabilities(y, temperature=temperature, top_k=top_k)
    return p.argmax(dim=-1) if temperature == 0 else draw(p, generator)
