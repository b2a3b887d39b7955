"""Connectionist temporal classification: a loss for answers of which nobody says where they are.

At each of T steps a model gives the probabilities of K classes, one of them the *blank*. A path
takes one class a step, and reads as what is left of it when repetitions are merged and blanks
dropped. The probability of an answer is that of all paths that read as it. There are too many to
list, as `ctc_by_enumeration` does; the forward-backward recursion adds them up step by step.
"""

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from rnnlib.checks import check_integer, check_tensor
from rnnlib.data.lengths import check_lengths, mask

MOST_PATHS = 10**6
"""So many paths `ctc_by_enumeration` goes through, and no more."""


def collapse(path: Iterable[int], blank: int = 0) -> tuple[int, ...]:
    """Read a path: merge what is repeated without a break, then drop the blanks.

    Parameters
    ----------
    path : iterable of int
        One class a step; a Tensor (T,) will do.
    blank : int, default 0

    Returns
    -------
    tuple of int

    Examples
    --------
    >>> collapse([0, 3, 3, 0, 3, 7])
    (3, 3, 7)
    """
    path = path.tolist() if isinstance(path, Tensor) else path
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != blank)


def least_steps(targets: Tensor, target_lengths: Tensor) -> Tensor:
    """Count the steps that each target needs: its symbols, and a blank between equal neighbours.

    Parameters
    ----------
    targets : Tensor of int64, (N, L)
    target_lengths : Tensor of int64, (N,)

    Returns
    -------
    Tensor of int64, (N,)
        With fewer steps no path reads as the target: its probability is 0, its loss infinite.

    Raises
    ------
    TypeError, ValueError
        For other types and shapes, and lengths that do not fit.
    """
    _check_targets(targets, target_lengths, len(targets) if isinstance(targets, Tensor) else 0)
    inside = torch.arange(1, max(targets.size(1), 1), device=targets.device)
    inside = inside < target_lengths.to(targets.device)[:, None]  # (N, L - 1)
    equal = (targets[:, 1:] == targets[:, :-1]) & inside
    return target_lengths + equal.sum(dim=1).to(target_lengths.device)


def ctc_by_enumeration(log_probs: Tensor, target: Tensor, *, blank: int = 0) -> Tensor:
    """Compute the loss of one sequence by adding up all paths that read as the target.

    This is the definition, and what `ctc_loss` is compared with. There are K to the power of T
    paths, so it is for a handful of steps.

    Parameters
    ----------
    log_probs : Tensor, (T, K)
        Log-probabilities of the classes at each step.
    target : Tensor of int64, (L,)
        The answer; it may be empty.
    blank : int, default 0

    Returns
    -------
    Tensor, ()
        Minus the logarithm of the target's probability; infinite if no path reads as it.

    Raises
    ------
    TypeError, ValueError
        As `ctc_loss` raises them; and for more than a million paths.
    """
    _check_sequence(log_probs, target, blank)
    T, K = log_probs.shape
    if K**T > MOST_PATHS:
        raise ValueError(
            f"log_probs: expected at most {MOST_PATHS:,} paths, got {K} to the power of {T}"
        )
    wanted, steps = tuple(target.tolist()), torch.arange(T)
    paths = [
        path for path in itertools.product(range(K), repeat=T) if collapse(path, blank) == wanted
    ]
    if not paths:
        return log_probs.new_tensor(math.inf)
    return -torch.stack([log_probs[steps, list(path)].sum() for path in paths]).logsumexp(dim=0)


@dataclass(frozen=True)
class Lattice:
    """The states of a target at every step, and how likely a path is to be in each.

    Parameters
    ----------
    states : Tensor of int64, (S,)
        The target with a blank before, between and after its symbols; S = 2 L + 1.
    log_alpha : Tensor, (T, S)
        Log-probability of all beginnings that are in state s at step t.
    log_beta : Tensor, (T, S)
        Log-probability of all ends from there, step t itself left out.
    log_probability : Tensor, ()
        Of the target: the logsumexp of log_alpha + log_beta over the states, at any step.
    """

    states: Tensor
    log_alpha: Tensor
    log_beta: Tensor
    log_probability: Tensor

    @property
    def occupancy(self) -> Tensor:
        """The probability of each state at each step, given the target, (T, S); rows add up to 1.

        Raises
        ------
        ValueError
            If no path reads as the target.
        """
        if self.log_probability.isinf():
            raise ValueError(
                f"occupancy: expected a target that some path reads as, got one of "
                f"{len(self.states) // 2} symbols in {len(self.log_alpha)} steps"
            )
        return (self.log_alpha + self.log_beta - self.log_probability).exp()


def ctc_lattice(log_probs: Tensor, target: Tensor, *, blank: int = 0) -> Lattice:
    """Run the forward-backward recursion over one sequence, and keep all of it.

    Parameters
    ----------
    log_probs, target, blank
        As for `ctc_by_enumeration`.

    Returns
    -------
    Lattice

    Raises
    ------
    TypeError, ValueError
        As `ctc_loss` raises them.
    """
    _check_sequence(log_probs, target, blank)
    last = torch.tensor([len(log_probs) - 1], device=log_probs.device)
    states, skip, final = _states(target[None], torch.tensor([len(target)]), blank)
    log_y = log_probs[:, states[0]][None]
    log_alpha = _log_alpha(log_y, skip)
    log_beta = _log_beta(log_y, skip, final, last)
    return Lattice(states[0], log_alpha[0], log_beta[0], _log_end(log_alpha, final, last)[0])


def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Tensor,
    target_lengths: Tensor,
    *,
    blank: int = 0,
    reduction: str = "mean",
    zero_infinity: bool = False,
) -> Tensor:
    r"""Compute minus the log-probability of targets, whatever their place among the steps.

    With z' the target with blanks around its symbols, S = 2 L + 1 states, and y_t(k) the
    probability of class k at step t:

    .. math::

        \alpha_1(s) &= y_1(z'_s), \quad s \le 2 \\
        \alpha_t(s) &= y_t(z'_s)\,
            \bigl(\alpha_{t-1}(s) + \alpha_{t-1}(s-1) + \alpha_{t-1}(s-2)\bigr) \\
        P(z \mid x) &= \alpha_T(S) + \alpha_T(S - 1)

    where the term of s - 2 stands only if z'_s is no blank and differs from z'_{s-2}. All is
    computed in logarithms.

    Parameters
    ----------
    log_probs : Tensor, (N, T, K)
        Log-probabilities, as from ``log_softmax``, batch first; torch's function wants (T, N, K).
        What stands past a sequence's steps is never read.
    targets : Tensor of int64, (N, L)
        Classes other than the blank. What stands past a target's length is never read.
    input_lengths, target_lengths : Tensor of int64, (N,)
        Steps of each sequence, at least 1; symbols of each target, which may be 0.
    blank : int, default 0
    reduction : {"mean", "sum", "none"}, default "mean"
        As in torch: the mean divides each loss by the target's length before it takes the mean.
    zero_infinity : bool, default False
        Whether an infinite loss, of a target that has more symbols than there are steps for, is
        put to 0, and its gradient with it. Otherwise the loss is inf and its gradient NaN, as
        torch's; `least_steps` tells beforehand.

    Returns
    -------
    Tensor, () or (N,)
        The gradient with respect to the log-probability of class k at step t is minus the
        probability that a path is there, given the target. Behind a log_softmax that is softmax
        minus occupancy, the same as torch's. Torch's gradient with respect to `log_probs` itself
        is another: it takes the log_softmax for granted.

    Raises
    ------
    TypeError, ValueError
        For other types, shapes and lengths; for logits, whose exponentials do not add up to 1; for
        targets that hold the blank or no class.

    Notes
    -----
    Graves et al. [1]_. There β_t(s) holds y_t(z'_s) as well as α does, and their product is divided
    by it; here β begins with the step after t.

    .. [1] A. Graves, S. Fernández, F. Gomez and J. Schmidhuber, "Connectionist temporal
       classification: labelling unsegmented sequence data with recurrent neural networks",
       ICML 2006.
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction: expected 'mean', 'sum' or 'none', got {reduction!r}")
    real = check_log_probs(log_probs, input_lengths, blank)
    _check_targets(targets, target_lengths, len(log_probs), log_probs.size(2), blank)
    target_lengths = target_lengths.to(targets.device)
    states, skip, final = _states(targets, target_lengths, blank)
    device = log_probs.device
    steps = (input_lengths - 1).to(device)
    # Padding may hold NaN, which no later product would get rid of.
    log_probs = log_probs.masked_fill(~real[..., None], 0.0)
    loss = _CTC.apply(log_probs, states.to(device), skip.to(device), final.to(device), steps)
    if zero_infinity:
        loss = torch.where(loss.isinf(), 0.0, loss)
    if reduction == "none":
        return loss
    if reduction == "sum":
        return loss.sum()
    return (loss / target_lengths.clamp(min=1).to(device)).mean()


class _CTC(torch.autograd.Function):
    """The loss of each sequence; its gradient by the backward recursion."""

    @staticmethod
    def forward(ctx, log_probs, states, skip, final, last):
        index = states[:, None].expand(-1, log_probs.size(1), -1)  # (N, T, S)
        log_y = log_probs.gather(2, index)
        log_alpha = _log_alpha(log_y, skip)
        log_p = _log_end(log_alpha, final, last)
        ctx.save_for_backward(log_probs, index, log_y, log_alpha, log_p, skip, final, last)
        return -log_p

    @staticmethod
    @once_differentiable
    def backward(ctx, grad):
        log_probs, index, log_y, log_alpha, log_p, skip, final, last = ctx.saved_tensors
        log_beta = _log_beta(log_y, skip, final, last)
        occupancy = (log_alpha + log_beta - log_p[:, None, None]).exp()  # (N, T, S)
        by_class = torch.zeros_like(log_probs).scatter_add_(2, index, occupancy)
        grad = grad[:, None, None]
        # A loss that was put to 0 has no gradient, and 0 times NaN would be one.
        return torch.where(grad == 0, 0.0, -grad * by_class), None, None, None, None


def _states(targets: Tensor, target_lengths: Tensor, blank: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return z' (N, S), where a path may skip the blank before (N, S), and where it may end."""
    N, L = targets.shape
    lengths = target_lengths.to(targets.device)[:, None]
    states = targets.new_full((N, 2 * L + 1), blank)
    states[:, 1::2] = torch.where(torch.arange(L, device=targets.device) < lengths, targets, blank)
    skip = torch.zeros_like(states, dtype=torch.bool)
    # Never at a blank: two states before it is another.
    skip[:, 2:] = states[:, 2:] != states[:, :-2]
    s = torch.arange(2 * L + 1, device=targets.device)
    final = (s == 2 * lengths) | (s == 2 * lengths - 1)
    return states, skip, final


def _log_alpha(log_y: Tensor, skip: Tensor) -> Tensor:
    """Compute log α_t(s) from log y_t(z'_s), both (N, T, S)."""
    first = torch.full_like(log_y[:, 0], -math.inf)
    first[:, :2] = log_y[:, 0, :2]
    log_alpha = [first]
    for t in range(1, log_y.size(1)):
        stay = log_alpha[-1]
        step, leap = _moved(stay, 1), _moved(stay, 2).masked_fill(~skip, -math.inf)
        arriving = torch.logaddexp(torch.logaddexp(stay, step), leap)
        log_alpha.append(arriving + log_y[:, t])
    return torch.stack(log_alpha, dim=1)


def _log_beta(log_y: Tensor, skip: Tensor, final: Tensor, last: Tensor) -> Tensor:
    """Compute log β_t(s), (N, T, S); behind a sequence's last step it is minus infinity."""
    T = log_y.size(1)
    nothing = torch.full_like(log_y[:, 0], -math.inf)
    end = nothing.masked_fill(final, 0.0)
    log_beta = [torch.where((last == T - 1)[:, None], end, nothing)]
    for t in range(T - 2, -1, -1):
        stay = log_beta[-1] + log_y[:, t + 1]
        leap = _moved(stay.masked_fill(~skip, -math.inf), -2)
        leaving = torch.logaddexp(torch.logaddexp(stay, _moved(stay, -1)), leap)
        log_beta.append(torch.where((last == t)[:, None], end, leaving))
    return torch.stack(log_beta[::-1], dim=1)


def _log_end(log_alpha: Tensor, final: Tensor, last: Tensor) -> Tensor:
    """Add up what has arrived in the final states at each sequence's last step: (N,)."""
    arrived = log_alpha[torch.arange(len(last), device=last.device), last]
    return arrived.masked_fill(~final, -math.inf).logsumexp(dim=1)


def _moved(x: Tensor, by: int) -> Tensor:
    """Move the states, (N, S), so many places on, or back; minus infinity fills up."""
    nothing = torch.full_like(x[:, : abs(by)], -math.inf)
    if by > 0:
        return torch.cat([nothing, x], dim=1)[:, : x.size(1)]
    return torch.cat([x, nothing], dim=1)[:, -x.size(1) :]


def check_log_probs(log_probs: Tensor, lengths: Tensor, blank: int) -> Tensor:
    """Check what a loss or a decoder is given, and return which steps are real, (N, T).

    Raises
    ------
    TypeError, ValueError
        For what is no batch of log-probabilities, lengths that do not fit, and another blank.
    """
    check_tensor("log_probs", log_probs, TypeError)
    if log_probs.dim() != 3:
        raise ValueError(f"log_probs: expected (N, T, K), got shape {tuple(log_probs.shape)}")
    if log_probs.dtype not in (torch.float32, torch.float64):
        raise TypeError(f"log_probs: expected float32 or float64, got {log_probs.dtype}")
    N, T, K = log_probs.shape
    check_lengths(lengths, N, T)
    if not 0 <= check_integer("blank", blank) < K:
        raise ValueError(f"blank: expected a class from 0 to {K - 1}, got {blank}")
    real = mask(lengths.to(log_probs.device), T)
    total = log_probs.detach().exp().sum(dim=2)
    # NaN is not near 1 either.
    wrong = real & ~((total - 1).abs() < 1e-2)
    if wrong.any():
        n, t = wrong.nonzero()[0].tolist()
        raise ValueError(
            "log_probs: expected log-probabilities, whose exponentials add up to 1 at each step, "
            f"got {total[n, t].item():.4g} at [{n}, {t}]; log_softmax makes them from logits"
        )
    return real


def _check_targets(
    targets: Tensor, target_lengths: Tensor, N: int, K: int | None = None, blank: int | None = None
) -> None:
    for name, value in (("targets", targets), ("target_lengths", target_lengths)):
        check_tensor(name, value, TypeError)
        if value.dtype != torch.int64:
            raise TypeError(f"{name}: expected int64, got {value.dtype}")
    if targets.dim() != 2 or len(targets) != N:
        raise ValueError(f"targets: expected ({N}, L), got shape {tuple(targets.shape)}")
    if target_lengths.shape != (N,):
        raise ValueError(
            f"target_lengths: expected one for each of {N} targets, shape ({N},), "
            f"got {tuple(target_lengths.shape)}"
        )
    L = targets.size(1)
    if N and not (0 <= target_lengths.min() and target_lengths.max() <= L):
        raise ValueError(
            f"target_lengths: expected from 0 to {L}, the symbols there are, got "
            f"{target_lengths.min().item()} to {target_lengths.max().item()}"
        )
    if K is None:
        return
    real = torch.arange(L, device=targets.device) < target_lengths.to(targets.device)[:, None]
    wrong = real & ((targets < 0) | (targets >= K) | (targets == blank))
    if wrong.any():
        raise ValueError(
            f"targets: expected classes from 0 to {K - 1} other than the blank, {blank}, "
            f"got {targets[wrong][0].item()}"
        )


def _check_sequence(log_probs: Tensor, target: Tensor, blank: int) -> None:
    """Check one sequence, (T, K), and its target, (L,), as a batch of one."""
    for name, value, dim, shape in (
        ("log_probs", log_probs, 2, "(T, K)"),
        ("target", target, 1, "(L,)"),
    ):
        check_tensor(name, value, TypeError)
        if value.dim() != dim:
            raise ValueError(f"{name}: expected {shape}, got shape {tuple(value.shape)}")
    check_log_probs(log_probs[None], torch.tensor([len(log_probs)]), blank)
    lengths = torch.tensor([len(target)])
    _check_targets(target[None], lengths, 1, log_probs.size(1), blank)
