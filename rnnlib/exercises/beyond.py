"""Checks for chapter 19 (What came after, and why)."""

import numpy as np
from torch import Tensor

from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.looks import without_loops


def _unstacked(dimensions):
    """Return a measure that takes a pair apart which came stacked, with so many dimensions."""

    def measure(answer, *given):
        stacked = isinstance(answer, np.ndarray | Tensor) and answer.ndim == dimensions
        return tuple(answer) if stacked else answer

    return measure


@exercise(
    "Two maps in one: whatever h they are given, the pair does what they do.",
    result=("a", "b"),
    measure=_unstacked(2),
    cases=({"H": 2}, {"H": 5}, {"H": 7}),
    right=lambda a_1, b_1, a_2, b_2: (a_2 * a_1, a_2 * b_1 + b_2),
    mistakes={
        "the two maps have changed places: the second is applied to what the first gives.": (
            lambda a_1, b_1, a_2, b_2: (a_1 * a_2, a_1 * b_2 + b_1)
        ),
        "b: what the first map added goes through the second, too: a_2 * b_1.": (
            lambda a_1, b_1, a_2, b_2: (a_1 * a_2, b_1 + b_2)
        ),
        "b: it is a_2 that acts on b_1; a_1 acted before b_1 was added.": (
            lambda a_1, b_1, a_2, b_2: (a_1 * a_2, a_1 * b_1 + b_2)
        ),
        "b: only a_2 acts on b_1; a_1 acted before b_1 was added.": (
            lambda a_1, b_1, a_2, b_2: (a_1 * a_2, a_1 * a_2 * b_1 + b_2)
        ),
        "b: what the second map adds is missing.": (
            lambda a_1, b_1, a_2, b_2: (a_1 * a_2, a_2 * b_1)
        ),
        "b: what the first map added is missing.": lambda a_1, b_1, a_2, b_2: (a_1 * a_2, b_2),
        "b: nothing acts on b_2, which comes last.": (
            lambda a_1, b_1, a_2, b_2: (a_1 * a_2, a_2 * (b_1 + b_2))
        ),
        "a: the factors multiply.": lambda a_1, b_1, a_2, b_2: (a_1 + a_2, a_2 * b_1 + b_2),
        "a: the first map's factor is missing.": (
            lambda a_1, b_1, a_2, b_2: (a_2, a_2 * b_1 + b_2)
        ),
        "a: the second map's factor is missing.": (
            lambda a_1, b_1, a_2, b_2: (a_1, a_2 * b_1 + b_2)
        ),
        "this is the second map alone.": lambda a_1, b_1, a_2, b_2: (a_2, b_2),
        "this is the first map alone.": lambda a_1, b_1, a_2, b_2: (a_1, b_1),
        "the two results have changed places: a comes first.": (
            lambda a_1, b_1, a_2, b_2: (a_2 * b_1 + b_2, a_2 * a_1)
        ),
    },
    hints=(
        "Write down what the first map makes of h, and give that to the second.",
        "a_2 * (a_1 * h + b_1) + b_2. Multiply out: what stands before h is the new a, and the "
        "rest is the new b.",
        "return a_2 * a_1, a_2 * b_1 + b_2",
    ),
)
def check_join(draw, H):
    """Check ``join(a_1, b_1, a_2, b_2)``, two maps h → a * h + b made one.

    Parameters
    ----------
    join : callable
        Returns a and b, (H,) each, of the map that applies the first and then the second.

    Returns
    -------
    Verdict
    """
    return tuple(draw.normal(H) for _ in range(4))


def _weighted(a, b, powers):
    return (a ** powers[:, None] * b).sum(0)


@exercise(
    "All steps at once: each b_t times the power of a that has passed since.",
    result="h_T",
    cases=({"T": 3, "H": 2}, {"T": 5, "H": 4}, {"T": 9, "H": 3}),
    right=lambda a, b: _weighted(a, b, np.arange(len(b))[::-1]),
    looks=(without_loops("the numbers are right, but the task asks for one without a loop."),),
    mistakes={
        "the powers run the wrong way: the newest, b[-1], has been multiplied by no a yet.": (
            lambda a, b: _weighted(a, b, np.arange(len(b)))
        ),
        "each power is one too high: b_t itself is added after the product.": (
            lambda a, b: _weighted(a, b, np.arange(len(b))[::-1] + 1)
        ),
        "the powers run the wrong way, and are one too high.": (
            lambda a, b: _weighted(a, b, np.arange(len(b)) + 1)
        ),
        "the powers are missing: an old b_t has been multiplied by a at every step since.": (
            lambda a, b: b.sum(0)
        ),
        "every b_t is multiplied by a once: it is once for each step since.": (
            lambda a, b: (a * b).sum(0)
        ),
        "divide by nothing: what is left of each b_t adds up.": (
            lambda a, b: _weighted(a, b, np.arange(len(b))[::-1]) / len(b)
        ),
        "this is the newest b_t alone.": lambda a, b: b[-1],
        "k steps multiply by a k times: it is a to the power k, not a times k.": (
            lambda a, b: (a * np.arange(len(b))[::-1, None] * b).sum(0)
        ),
        "sum over the steps as well.": (lambda a, b: a ** np.arange(len(b))[::-1, None] * b),
        "sum over the steps, not over the units.": (
            lambda a, b: (a ** np.arange(len(b))[::-1, None] * b).sum(1)
        ),
    },
    hints=(
        "Write h_3 out: h_3 = a h_2 + b_3, and put h_2 and h_1 in. What stands before each b?",
        "h_3 = b_3 + a b_2 + a² b_1. The power of a is the number of steps that have passed. "
        "np.arange(T)[::-1] counts them, from the oldest to the newest.",
        "(a ** np.arange(T)[::-1, None] * b).sum(0)",
    ),
)
def check_all_at_once(draw, T, H):
    """Check ``all_at_once(a, b)``, h_T of a recurrence with the same a at every step.

    Parameters
    ----------
    all_at_once : callable
        Returns h_T, (H,), with h_0 = 0, from the arrays a, (H,), and b, (T, H); without a loop.

    Returns
    -------
    Verdict
    """
    return draw.rng.uniform(0.3, 0.9, size=H), draw.array(T, H)


def _backward(a, h, g, *, after=1, before=slice(None, -1)):
    """Return da and db; `after` says whose factor the later gradient is multiplied by."""
    db = np.array(g)
    for t in range(len(g) - 2, -1, -1):
        db[t] = g[t] + a[t + after] * db[t + 1]
    return db * h[before], db


def _forward_in_time(a, h, g):
    db = np.array(g)
    for t in range(1, len(g)):
        db[t] = g[t] + a[t] * db[t - 1]
    return db * h[:-1], db


@exercise(
    "The gradient of a linear recurrence is a linear recurrence, run backwards.",
    result=("da", "db"),
    cases=({"T": 3, "H": 2}, {"T": 6, "H": 4}, {"T": 5, "H": 7}),
    right=_backward,
    mistakes={
        "the later steps are missing: h_t enters h_{t+1} as well, times a_{t+1}.": (
            lambda a, h, g: (g * h[:-1], g)
        ),
        "from h_{t+1} back to h_t the factor is a_{t+1}, not a_t.": (
            lambda a, h, g: _backward(a, h, g, after=0)
        ),
        "this runs forwards: the gradient of the last step comes first.": _forward_in_time,
        "da: a_t multiplies the state before it: h[:-1], not h[1:].": (
            lambda a, h, g: _backward(a, h, g, before=slice(1, None))
        ),
        "da: it is the whole dh_t that goes to a_t, with the later steps in it, not g_t alone.": (
            lambda a, h, g: (g * h[:-1], _backward(a, h, g)[1])
        ),
        "da: the state that a_t multiplied is missing.": (
            lambda a, h, g: (_backward(a, h, g)[1],) * 2
        ),
        "the factors are missing: going back, dh_{t+1} is multiplied by a_{t+1}.": (
            lambda a, h, g: _backward(np.ones_like(a), h, g)
        ),
        "db: b_t is added, so dh_t goes to it as it is.": (
            lambda a, h, g: (_backward(a, h, g)[0], _backward(a, h, g)[1] * a)
        ),
        "db: b_t is added, and no state multiplies it.": (
            lambda a, h, g: (_backward(a, h, g)[0],) * 2
        ),
        "the two results have changed places: da comes first.": (
            lambda a, h, g: _backward(a, h, g)[::-1]
        ),
    },
    hints=(
        "As in chapter 7: dh_t has a direct part, g_t, and a part that comes back from h_{t+1}. "
        "What is h_t multiplied by on its way into h_{t+1}?",
        "dh_t = g_t + a_{t+1} dh_{t+1}, from the last step to the first. Then db_t = dh_t, and "
        "da_t = dh_t h_{t-1}.",
        "for t in reversed(range(T - 1)): db[t] = g[t] + a[t + 1] * db[t + 1]",
    ),
)
def check_linear_backward(draw, T, H):
    """Check ``linear_backward(a, h, g)``, the backward pass of h_t = a_t * h_{t-1} + b_t.

    Parameters
    ----------
    linear_backward : callable
        Returns da and db, (T, H) each, from the arrays a, (T, H), the states h, (T + 1, H), which
        begin with h_0, and g, (T, H), the direct gradient of each h_t.

    Returns
    -------
    Verdict
    """
    return draw.array(T, H), draw.array(T + 1, H), draw.array(T, H)


@exercise(
    "One unit, two pairs: a linear recurrence that knows the parity.",
    result=("a", "b"),
    measure=_unstacked(1),
    cases=({"bit": 0}, {"bit": 1}),
    right=lambda bit: (1 - 2 * bit, bit),
    mistakes={
        "this adds the ones up: a second 1 must bring the state back to 0.": (lambda bit: (1, bit)),
        "this keeps the last bit and nothing before it.": lambda bit: (0, bit),
        "this says whether there was any 1: from 1 a further 1 must lead back to 0.": (
            lambda bit: (1 - bit, bit)
        ),
        "the sign turns, but from h = 0 nothing comes: a 1 must lead from 0 to 1.": (
            lambda bit: (1 - 2 * bit, 0)
        ),
        "a 0 must leave the state as it is: nothing is added.": lambda bit: (1 - 2 * bit, 1),
        "a 0 must leave the state as it is: here it turns it, as a 1 does.": lambda bit: (-1, 1),
        "a 0 must leave the state as it is: here its sign turns.": lambda bit: (-1, bit),
        "the two bits have changed places: a 1 turns the state, a 0 keeps it.": (
            lambda bit: (2 * bit - 1, 1 - bit)
        ),
        "the state goes to -1: with odd parity it should be 1.": lambda bit: (1 - 2 * bit, -bit),
        "the two results have changed places: a comes first.": lambda bit: (bit, 1 - 2 * bit),
        "nothing is ever changed: a 1 must lead from 0 to 1, and from 1 to 0.": (
            lambda bit: (1, 0)
        ),
    },
    hints=(
        "Two conditions for each bit: where does h = 0 go, and where h = 1?",
        "From h = 0 the map leads to b, from h = 1 to a + b. A 0 keeps both, a 1 exchanges them.",
        "for bit 1: b = 1 and a + b = 0",
    ),
)
def check_parity_pair(draw, bit):
    """Check ``parity_pair(bit)``, with which h = a h + b is the parity of the bits so far.

    Parameters
    ----------
    parity_pair : callable
        Returns two numbers, a and b, for a bit 0 or 1. The state begins at 0, and is to be 1 after
        an odd number of ones, 0 after an even one.

    Returns
    -------
    Verdict
    """
    return bit
