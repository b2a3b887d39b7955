"""Checks for chapter 13 (How do we batch sequences of different length)."""

import torch
import torch.nn.functional as F

from rnnlib.exercises.verdict import attempt, compare, verdict

LENGTHS = (3, 1, 5, 3)


@verdict("So many sequences are still running at each step.")
def check_batch_sizes(batch_sizes) -> None:
    """Check ``batch_sizes(lengths)``, the rows of each step in a packed sequence.

    Parameters
    ----------
    batch_sizes : callable
        Returns T numbers, as a tensor or list, from lengths (N,): for each step, how many
        sequences have it.

    Returns
    -------
    Verdict
    """
    for given in ((3, 1, 5, 3, 2), (2, 2), (1, 4, 2, 4, 1)):
        lengths = torch.tensor(given)
        T = max(given)
        right = [sum(n >= t for n in given) for t in range(1, T + 1)]
        compare(
            f"the list for the lengths {list(given)}",
            attempt(batch_sizes, lengths.clone()),
            right,
            {
                "one step late: a sequence of length 3 is still running at step 3.": [
                    sum(n > t for n in given) for t in range(1, T + 1)
                ],
                "this counts the sequences that end at each step, not those that run.": [
                    sum(n == t for n in given) for t in range(1, T + 1)
                ],
                "these are the lengths, longest first: count by step, not by sequence.": sorted(
                    given, reverse=True
                ),
                "these are the lengths themselves: count by step, not by sequence.": given,
                "this runs from the last step to the first.": right[::-1],
                "this is the number of sequences that have ended by each step.": [
                    sum(n <= t for n in given) for t in range(1, T + 1)
                ],
                "one step too many: nothing is left after the longest sequence.": [*right, 0],
                "these are sums from the first step on: how many rows each step adds is asked.": (
                    torch.tensor(right).cumsum(0)
                ),
            },
        )


@verdict("Every answer is back in the place of its question.")
def check_unsorted(unsorted) -> None:
    """Check ``unsorted(answers, order)``, which takes the sorting back.

    Parameters
    ----------
    unsorted : callable
        Takes answers (N, K), whose row i belongs to sequence ``order[i]``, and order (N,);
        returns them in the order of the sequences.

    Returns
    -------
    Verdict
    """
    order = torch.tensor([2, 0, 3, 4, 1])
    right = torch.randn(len(order), 2, dtype=torch.float64)
    answers = right[order]
    compare(
        "the result",
        attempt(unsorted, answers.clone(), order.clone()),
        right,
        {
            "the answers are as they came, still sorted.": answers,
            "this sorts a second time: row i is that of sequence order[i], not the reverse.": (
                answers[order]
            ),
            "the order is inverted by argsort from small to large.": (
                answers[order.argsort(descending=True)]
            ),
            "this turns the rows round: only a special order is undone by that.": answers.flip(0),
            "these are the places, not the answers in them.": order.argsort(),
        },
    )


@verdict("The mean over the steps that were asked for, and no others.")
def check_masked_loss(masked_loss) -> None:
    """Check ``masked_loss(logits, z, lengths)``, the cross-entropy of the real steps.

    Parameters
    ----------
    masked_loss : callable
        Takes logits (N, T, K), targets z (N, T), which are 0 in the padding, and lengths (N,);
        returns the mean over all real steps.

    Returns
    -------
    Verdict
    """
    lengths = torch.tensor(LENGTHS)
    N, T, K = len(LENGTHS), max(LENGTHS), 3
    logits = 2 * torch.randn(N, T, K, dtype=torch.float64)
    real = torch.arange(T) < lengths[:, None]
    z = torch.randint(K, (N, T)) * real
    each = F.cross_entropy(logits.flatten(0, 1), z.flatten(), reduction="none").view(N, T)
    means = (each * real).sum(1) / lengths
    compare(
        "the loss",
        attempt(masked_loss, logits.clone(), z.clone(), lengths.clone()),
        each[real].mean(),
        {
            "this counts the padding as well.": each.mean(),
            "the padding's losses are 0 here, but its steps still count in the mean.": (
                (each * real).mean()
            ),
            "this is the mean of the sequences' means: a step of a short one weighs more.": (
                means.mean()
            ),
            "this is a sum: divide by the number of real steps.": (each * real).sum(),
            "divide by the number of real steps, not of sequences.": (each * real).sum() / N,
            "class 0 is a class, and not only in the padding: the lengths say what is real.": (
                each[z != 0].mean() if (z != 0).any() else torch.tensor(0.0)
            ),
            "the logits were masked, but not the losses: padding then costs ln K a step.": (
                F.cross_entropy((logits * real[..., None]).flatten(0, 1), z.flatten())
            ),
            "this is one loss for each step: take the mean.": each[real],
            "the mask keeps the padding and drops the real steps.": each[~real].mean(),
        },
    )


@verdict("Each sequence is turned round within its own length.")
def check_reversed(reversed_in_length) -> None:
    """Check ``reversed_in_length(x, lengths)``, for a reader that begins at the real end.

    Parameters
    ----------
    reversed_in_length : callable
        Takes a padded batch x (N, T, D) and lengths (N,); returns (N, T, D) with the real steps
        of each row in reverse order, and the padding, 0, still behind them.

    Returns
    -------
    Verdict
    """
    lengths = torch.tensor(LENGTHS)
    N, T = len(LENGTHS), max(LENGTHS)
    x = torch.randn(N, T, 2, dtype=torch.float64)
    x[torch.arange(T) >= lengths[:, None]] = 0
    right = torch.zeros_like(x)
    for i, n in enumerate(LENGTHS):
        right[i, :n] = x[i, :n].flip(0)
    compare(
        "the result",
        attempt(reversed_in_length, x.clone(), lengths.clone()),
        right,
        {
            "x is as it was.": x,
            "the padding comes first now: flip turns all T steps round.": x.flip(1),
            "this turns the batch round, not time.": x.flip(0),
            "this turns the features round, not time.": x.flip(2),
            "one step off: the first step of the result must be the last real one.": _rolled(
                right, lengths, 1
            ),
            "one step too far: the last real step is missing at the beginning.": _rolled(
                right, lengths, -1
            ),
        },
    )
    kept = x.clone()
    attempt(reversed_in_length, kept, lengths)
    compare("x", kept, x, {"x itself was changed: turn a copy round.": right})


def _rolled(x: torch.Tensor, lengths: torch.Tensor, by: int) -> torch.Tensor:
    """Move the real steps of each row by so many places; what leaves the row is lost."""
    result = torch.zeros_like(x)
    for i, n in enumerate(lengths.tolist()):
        if by > 0:
            result[i, by : n + by] = x[i, : min(n, x.size(1) - by)]
        else:
            result[i, : n + by] = x[i, -by:n]
    return result
