"""Checks for chapter 1 (What does an RNN compute)."""

import numpy as np

from rnnlib.exercises.verdict import WrongAnswer, as_array, attempt, compare, verdict

N, T, D, H, K = 2, 4, 3, 5, 2


def _numbers() -> dict[str, np.ndarray]:
    """Return inputs and weights on which every mistake below gives a number of its own."""
    rng = np.random.default_rng(0)
    return {
        "x": rng.normal(size=(T, N, D)),
        "h_0": rng.normal(size=(N, H)),
        "W_xh": rng.normal(size=(D, H)) / 2,
        "W_hh": rng.normal(size=(H, H)) / 2,
        "b_h": rng.normal(size=H),
        "W_hy": rng.normal(size=(H, K)),
        "b_y": rng.normal(size=K),
    }


def _states(x, h_0, W_xh, W_hh, b_h) -> np.ndarray:
    states = []
    h = h_0
    for x_t in x:
        h = np.tanh(x_t @ W_xh + h @ W_hh + b_h)
        states.append(h)
    return np.stack(states)


@verdict("One step of an RNN, as the equation has it.")
def check_rnn_step(rnn_step) -> None:
    """Check ``rnn_step(x_t, h_prev, W_xh, W_hh, b_h)``, one step in NumPy.

    Parameters
    ----------
    rnn_step : callable
        Returns h_t, (N, H), from x_t (N, D), h_prev (N, H) and the weights.

    Returns
    -------
    Verdict
    """
    n = _numbers()
    x_t, h, W_xh, W_hh, b_h = n["x"][0], n["h_0"], n["W_xh"], n["W_hh"], n["b_h"]
    got = attempt(rnn_step, x_t, h, W_xh, W_hh, b_h)
    a_t = x_t @ W_xh + h @ W_hh + b_h
    compare(
        "h_t",
        got,
        np.tanh(a_t),
        {
            "your step ignores h_prev: without h_prev @ W_hh nothing is remembered.": np.tanh(
                x_t @ W_xh + b_h
            ),
            "your step ignores x_t: the term x_t @ W_xh is missing.": np.tanh(h @ W_hh + b_h),
            "the bias is missing: add b_h before the tanh.": np.tanh(a_t - b_h),
            "the bias belongs inside the tanh, with the two products.": np.tanh(a_t - b_h) + b_h,
            "the tanh is missing: this is the sum that goes into it.": a_t,
            "W_hh is transposed: rows are samples, so it is h_prev @ W_hh.": np.tanh(
                a_t + h @ (W_hh.T - W_hh)
            ),
            "a sign is wrong: the recurrent term is added.": np.tanh(a_t - 2 * h @ W_hh),
        },
    )


@verdict("Every step reads the state that the one before it left.")
def check_rnn_sequence(rnn_sequence) -> None:
    """Check ``rnn_sequence(x, h_0, W_xh, W_hh, b_h)``, the loop over time.

    Parameters
    ----------
    rnn_sequence : callable
        Returns all states, (T, N, H), from x (T, N, D), h_0 (N, H) and the weights.

    Returns
    -------
    Verdict
    """
    n = _numbers()
    x, h_0, weights = n["x"], n["h_0"], (n["W_xh"], n["W_hh"], n["b_h"])
    before = x.copy()
    got = attempt(rnn_sequence, x, h_0, *weights)
    if not np.array_equal(x, before):
        raise WrongAnswer("your function changes its argument x in place.")
    right = _states(x, h_0, *weights)
    compare(
        "the array of states",
        got,
        right,
        {
            "every step starts from h_0: carry the new state to the next step.": np.stack(
                [_states(x_t[None], h_0, *weights)[0] for x_t in x]
            ),
            "only the last state came back: collect the state of every step.": right[-1],
            "the first state must come from x_1: you start from zeros instead of h_0.": _states(
                x, np.zeros_like(h_0), *weights
            ),
            "h_0 is in the result: return h_1 to h_T only.": np.concatenate([h_0[None], right]),
            "the last step is missing: h_0 stands in front of T - 1 states.": np.concatenate(
                [h_0[None], right[:-1]]
            ),
            "the sequence is read backwards.": _states(x[::-1], h_0, *weights),
            "time must be the first axis: (T, N, H).": right.transpose(1, 0, 2),
        },
    )


@verdict("One answer per sequence, read from the last state.")
def check_many_to_one(many_to_one) -> None:
    """Check ``many_to_one(h, W_hy, b_y)``, a read-out after the last step.

    Parameters
    ----------
    many_to_one : callable
        Returns y, (N, K), from all states h (T, N, H), W_hy (H, K) and b_y (K,).

    Returns
    -------
    Verdict
    """
    n = _numbers()
    W_hy, b_y = n["W_hy"], n["b_y"]
    h = _states(n["x"], n["h_0"], n["W_xh"], n["W_hh"], n["b_h"])
    got = attempt(many_to_one, h, W_hy, b_y)
    compare(
        "y",
        got,
        h[-1] @ W_hy + b_y,
        {
            "this is an answer for every step: read the last state only.": h @ W_hy + b_y,
            "you read the first state: it has seen one input only.": h[0] @ W_hy + b_y,
            "you read h[:, -1], the last sample of the batch: time is the first axis.": (
                h[:, -1] @ W_hy + b_y
            ),
            "you average over time: the last state alone is asked for.": h.mean(0) @ W_hy + b_y,
            "the bias b_y is missing.": h[-1] @ W_hy,
            "the read-out is linear: there is no tanh after W_hy.": np.tanh(h[-1] @ W_hy + b_y),
        },
    )


@verdict("That is what PyTorch counts as well.")
def check_count_parameters(count_parameters) -> None:
    """Check ``count_parameters(D, H)``, the number of parameters of ``nn.RNN(D, H)``.

    Parameters
    ----------
    count_parameters : callable
        Returns an int from the two sizes.

    Returns
    -------
    Verdict
    """
    for d, h in ((3, 5), (1, 7), (10, 4)):
        got = as_array(attempt(count_parameters, d, h))
        compare(
            f"the count for D = {d}, H = {h}",
            got,
            d * h + h * h + 2 * h,
            {
                "PyTorch keeps two biases of H numbers: you count one.": d * h + h * h + h,
                "the biases are missing.": d * h + h * h,
                "W_hh has H rows and H columns: H² numbers.": d * h + h + 2 * h,
                "the weights are shared: the matrices do not multiply.": d * h * h + 2 * h,
                "W_xh is missing.": h * h + 2 * h,
            },
        )
