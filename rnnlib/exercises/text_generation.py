"""Checks for chapter 12 (Can it write)."""

import tempfile
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from rnnlib.data.text import load_text
from rnnlib.data.vocabulary import Vocabulary
from rnnlib.exercises.verdict import WrongAnswer, as_array, attempt, compare, verdict
from rnnlib.models.ngrams import NGram


@verdict("Bits per character.")
def check_bits(bits) -> None:
    """Check ``bits(p)``, what a text costs.

    Parameters
    ----------
    bits : callable
        Returns bits per character from p, (T,): the probability that was given to the symbol that
        came, at each step.

    Returns
    -------
    Verdict
    """
    for length in (7, 12):
        p = torch.rand(length, dtype=torch.float64) * 0.9 + 0.05
        cost = -p.log2()
        compare(
            "the number",
            attempt(bits, p.clone()),
            cost.mean(),
            {
                "this is in nats: a bit is log 2 of them.": -p.log().mean(),
                "the sign: a probability below 1 has a negative logarithm, and costs something.": (
                    -cost.mean()
                ),
                "this is the whole text: divide by the number of characters.": cost.sum(),
                "this is the whole text, in nats.": -p.log().sum(),
                "this is the perplexity, 2 to the bits.": 2 ** cost.mean(),
                "the mean comes after the logarithm: this is the cost of the mean probability.": (
                    -p.mean().log2()
                ),
                "this is in decimal digits: the logarithm has base 2.": -p.log10().mean(),
                "expected one number: take the mean of the costs.": cost,
            },
        )


def _top(y: Tensor, k: int) -> Tensor:
    """Return the scores with all but the k largest at -inf."""
    order = y.argsort(descending=True)
    return y.scatter(0, order[k:], -torch.inf)


@verdict("The distribution that is drawn from.")
def check_probabilities(probabilities) -> None:
    """Check ``probabilities(y, temperature, k)``: temperature and top-k.

    Parameters
    ----------
    probabilities : callable
        Returns p, (V,), from scores y, (V,), a positive temperature and the number k of symbols
        that may come.

    Returns
    -------
    Verdict
    """
    for temperature, k in ((0.5, 3), (2.0, 4)):
        y = torch.randn(6, dtype=torch.float64)
        plain = y.softmax(0)
        kept = _top(y, k)
        right = (kept / temperature).softmax(0)
        whole = (y / temperature).softmax(0)
        cut = torch.where(kept.isfinite(), whole, 0.0)
        zeros = torch.where(kept.isfinite(), y, 0.0)
        compare(
            "p",
            attempt(probabilities, y.clone(), temperature, k),
            right,
            {
                "top-k is missing: every symbol can still come.": whole,
                "the temperature is missing.": kept.softmax(0),
                "the scores are divided by the temperature, not multiplied.": (
                    (kept * temperature).softmax(0)
                ),
                "the probabilities that are left have to add up to 1 again.": cut,
                "the temperature divides the scores, before the softmax.": (
                    torch.where(kept.isfinite(), plain, 0.0) / temperature
                ),
                "a score of 0 is not a probability of 0: put -inf in the place of the others.": (
                    (zeros / temperature).softmax(0)
                ),
                "these are the k symbols with the smallest scores.": (
                    (-_top(-y, k) / temperature).nan_to_num(neginf=-torch.inf, posinf=-torch.inf)
                ).softmax(0),
                "one symbol too few is left.": (_top(y, k - 1) / temperature).softmax(0),
                "one symbol too many is left.": (_top(y, k + 1) / temperature).softmax(0),
                "the probabilities are sorted: each has to stay in the place of its symbol.": (
                    right.sort(descending=True).values
                ),
                "expected one probability for each of the V symbols, 0 where none may come.": (
                    right[right > 0]
                ),
                "the k probabilities are sorted; each belongs in the place of its symbol, and "
                "the others are 0.": right.sort(descending=True).values[:k],
            },
        )
    y = torch.tensor([1000.0, 999.0, 0.0], dtype=torch.float64)
    got = as_array(attempt(probabilities, y.clone(), 1.0, 2))
    if not np.isfinite(got).all():
        raise WrongAnswer(
            "scores near 1000 give no number, because their exponential overflows: torch.softmax "
            "takes the largest score off first."
        )
    compare("p for scores near 1000", got, _top(y, 2).softmax(0))


@verdict("Every row goes on where it stopped.")
def check_windows(windows) -> None:
    """Check ``windows(indices, N, T)``, a text cut into streams and windows.

    Parameters
    ----------
    windows : callable
        Returns a list of pairs (x, z), each (N, T), in the order in which they are read. The
        number of indices is N L + 1, and L is a multiple of T.

    Returns
    -------
    Verdict
    """
    N, T, count = 3, 4, 5
    L = T * count
    indices = torch.randperm(N * L + 1) + 100
    inputs, targets = indices[:-1].view(N, L), indices[1:].view(N, L)
    got = attempt(windows, indices.clone(), N, T)
    if not isinstance(got, list | tuple):
        raise WrongAnswer(f"expected a list of pairs, got {type(got).__name__}.")
    got = list(got)
    for pair in got:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise WrongAnswer("expected a list of pairs: the symbols read, and the targets.")
    if len(got) != count:
        raise WrongAnswer(f"expected {count} windows for L = {L} and T = {T}, got {len(got)}.")
    shapes = {tuple(np.shape(as_array(part))) for pair in got for part in pair}
    if shapes == {(T, N)}:
        raise WrongAnswer("every window is (T, N); the batch comes first here, (N, T).")
    if shapes != {(N, T)}:
        raise WrongAnswer(f"expected windows of shape {(N, T)}, got {sorted(shapes)}.")
    x = torch.stack([torch.as_tensor(as_array(pair[0])) for pair in got])  # (windows, N, T)
    z = torch.stack([torch.as_tensor(as_array(pair[1])) for pair in got])
    cut = [stream.view(N, count, T).transpose(0, 1) for stream in (inputs, targets)]
    compare(
        "x",
        x,
        cut[0],
        {
            "the rows of a batch follow one another, so no row goes on where it stopped: cut the "
            "text into N streams first, and the streams into windows.": (
                indices[:-1].view(count, N, T)
            ),
            "neighbouring symbols stand in different rows: each stream is a piece of the text.": (
                indices[:-1].view(L, N).T.reshape(N, count, T).transpose(0, 1)
            ),
            "the windows come in the reverse order.": cut[0].flip(0),
            "x and z have changed places.": cut[1],
        },
    )
    compare(
        "z",
        z,
        cut[1],
        {
            "the targets are the inputs: the target of a step is the symbol after it.": cut[0],
            "the last target of each window is its own first symbol: the next symbol of the text "
            "stands in the next window.": cut[0].roll(-1, dims=2),
            "the last target of each stream is its own first symbol: it is the first one of the "
            "next stream.": inputs.roll(-1, dims=1).view(N, count, T).transpose(0, 1),
            "the targets are the symbols before: shift the other way.": (
                indices[:-1].roll(1).view(N, count, T).transpose(0, 1)
            ),
        },
    )


@verdict("The order that predicts the unseen part best.")
def check_best_order(best_order) -> None:
    """Check ``best_order(path)``, which n of 1 to 6 predicts a file's last tenth best.

    Parameters
    ----------
    best_order : callable
        Returns n. The tables are counted on the first nine tenths of the file.

    Returns
    -------
    Verdict
    """
    text = load_text().train
    for length in (3_000, 60_000):
        part = text[:length]
        cut = length - round(length / 10)
        vocabulary = Vocabulary.from_text(part)
        tables = NGram(part[:cut], 6, vocabulary)
        bits = [tables.bits_per_symbol(part[cut:], n) for n in range(1, 7)]
        right = 1 + int(np.argmin(bits))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "text.txt"
            path.write_text(part, encoding="utf-8")
            got = attempt(best_order, path)
        compare(
            f"n for a file of {length} characters",
            got,
            right,
            {
                "the longest context wins if the tables have seen the text that they are judged "
                "by: count on .train and measure on .validation.": 6,
                "this is the order that predicts worst: fewer bits are better.": (
                    1 + int(np.argmax(bits))
                ),
                "this is the place in a list that begins with 0; n begins with 1.": right - 1,
                "one too large: is n the order, from 1 to 6?": right + 1,
                "these are the bits; the order was asked for.": min(bits),
                "these are the bits of every order; which is the smallest?": np.array(bits),
            },
        )
