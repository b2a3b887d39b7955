"""Checks for chapter 1 (What does an RNN compute)."""

import numpy as np

from rnnlib.exercises.exercise import Draw, exercise

STEP_SIZES = ({"N": 2, "D": 5, "H": 3}, {"N": 7, "D": 3, "H": 5}, {"N": 4, "D": 9, "H": 7})
SEQUENCE_SIZES = (
    {"T": 3, "N": 2, "D": 5, "H": 4},
    {"T": 5, "N": 7, "D": 2, "H": 3},
    {"T": 4, "N": 3, "D": 5, "H": 7},
)


def _weights(draw: Draw, D: int, H: int) -> tuple[np.ndarray, ...]:
    return draw.array(D, H, scale=0.5), draw.array(H, H, scale=0.5), draw.array(H)


def _step(x_t, h_prev, W_xh, W_hh, b_h):
    return np.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)


def _sequence(x, h_0, W_xh, W_hh, b_h):
    h, states = h_0, []
    for x_t in x:
        h = np.tanh(x_t @ W_xh + h @ W_hh + b_h)
        states.append(h)
    return np.stack(states)


@exercise(
    "One step of an RNN, as the equation has it.",
    result="h_t",
    cases=STEP_SIZES,
    right=_step,
    mistakes={
        "your step ignores h_prev: without h_prev @ W_hh nothing is remembered.": (
            lambda x_t, h, W_xh, W_hh, b_h: np.tanh(x_t @ W_xh + b_h)
        ),
        "your step ignores x_t: the term x_t @ W_xh is missing.": (
            lambda x_t, h, W_xh, W_hh, b_h: np.tanh(h @ W_hh + b_h)
        ),
        "the bias is missing: add b_h before the tanh.": (
            lambda x_t, h, W_xh, W_hh, b_h: np.tanh(x_t @ W_xh + h @ W_hh)
        ),
        "the bias belongs inside the tanh, with the two products.": (
            lambda x_t, h, W_xh, W_hh, b_h: np.tanh(x_t @ W_xh + h @ W_hh) + b_h
        ),
        "the bias is added: its sign is wrong.": (
            lambda x_t, h, W_xh, W_hh, b_h: np.tanh(x_t @ W_xh + h @ W_hh - b_h)
        ),
        "the tanh is missing: this is the sum that goes into it.": (
            lambda x_t, h, W_xh, W_hh, b_h: x_t @ W_xh + h @ W_hh + b_h
        ),
        "only one of the products is inside the tanh: all three terms belong there.": (
            lambda x_t, h, W_xh, W_hh, b_h: np.tanh(x_t @ W_xh) + h @ W_hh + b_h
        ),
        "W_hh is transposed: rows are samples, so it is h_prev @ W_hh.": (
            lambda x_t, h, W_xh, W_hh, b_h: np.tanh(x_t @ W_xh + h @ W_hh.T + b_h)
        ),
        "a sign is wrong: the recurrent term is added.": (
            lambda x_t, h, W_xh, W_hh, b_h: np.tanh(x_t @ W_xh - h @ W_hh + b_h)
        ),
        "a sign is wrong: the term x_t @ W_xh is added.": (
            lambda x_t, h, W_xh, W_hh, b_h: np.tanh(-x_t @ W_xh + h @ W_hh + b_h)
        ),
    },
    hints=(
        "Equation (1.1) has three terms inside the tanh. Which of them does yours have?",
        "Rows are samples: (N, D) @ (D, H) and (N, H) @ (H, H) both give (N, H), and b_h, (H,), is "
        "added to every row.",
        "np.tanh(x_t @ W_xh + … @ W_hh + b_h)",
    ),
)
def check_rnn_step(draw, N, D, H):
    """Check ``rnn_step(x_t, h_prev, W_xh, W_hh, b_h)``, one step in NumPy.

    Parameters
    ----------
    rnn_step : callable
        Returns h_t, (N, H), from x_t (N, D), h_prev (N, H) and the weights.

    Returns
    -------
    Verdict
    """
    return draw.array(N, D), draw.array(N, H), *_weights(draw, D, H)


@exercise(
    "Every step reads the state that the one before it left.",
    result="the array of states",
    cases=SEQUENCE_SIZES,
    right=_sequence,
    mistakes={
        "every step starts from h_0: carry the new state to the next step.": (
            lambda x, h_0, *weights: np.stack([_step(x_t, h_0, *weights) for x_t in x])
        ),
        "only the last state came back: collect the state of every step.": (
            lambda *given: _sequence(*given)[-1]
        ),
        "the first state must come from x_1: you start from zeros instead of h_0.": (
            lambda x, h_0, *weights: _sequence(x, 0 * h_0, *weights)
        ),
        "h_0 is in the result: return h_1 to h_T only.": (
            lambda x, h_0, *weights: np.stack([h_0, *_sequence(x, h_0, *weights)])
        ),
        "the last step is missing: h_0 stands in front of T - 1 states.": (
            lambda x, h_0, *weights: np.stack([h_0, *_sequence(x, h_0, *weights)[:-1]])
        ),
        "the last step is missing: T states are asked for.": (
            lambda *given: _sequence(*given)[:-1]
        ),
        "the first step is missing: h_1 reads x_1, which is x[0].": (
            lambda x, *rest: _sequence(x[1:], *rest)
        ),
        "every state is the last one: does your list hold one array T times, changed in place?": (
            lambda x, *rest: np.stack([_sequence(x, *rest)[-1]] * len(x))
        ),
        "the sequence is read backwards.": lambda x, *rest: _sequence(x[::-1], *rest),
        "the states come in the reverse order.": lambda *given: _sequence(*given)[::-1],
        "the bias is missing: every step adds b_h.": (
            lambda x, h_0, W_xh, W_hh, b_h: _sequence(x, h_0, W_xh, W_hh, 0 * b_h)
        ),
        "W_hh is transposed: rows are samples, so it is h @ W_hh.": (
            lambda x, h_0, W_xh, W_hh, b_h: _sequence(x, h_0, W_xh, W_hh.T, b_h)
        ),
        "time must be the first axis: (T, N, H).": (
            lambda *given: _sequence(*given).transpose(1, 0, 2)
        ),
    },
    hints=(
        "Follow one variable through the loop: what does the second step read as its h_prev?",
        "Start with h = h_0. Each step replaces h by the new state, and puts it into a list.",
        "h = np.tanh(x_t @ W_xh + h @ W_hh + b_h); states.append(h); at the end np.stack(states)",
    ),
)
def check_rnn_sequence(draw, T, N, D, H):
    """Check ``rnn_sequence(x, h_0, W_xh, W_hh, b_h)``, the loop over time.

    Parameters
    ----------
    rnn_sequence : callable
        Returns all states, (T, N, H), from x (T, N, D), h_0 (N, H) and the weights.

    Returns
    -------
    Verdict
    """
    return draw.array(T, N, D), draw.array(N, H), *_weights(draw, D, H)


@exercise(
    "One answer per sequence, read from the last state.",
    result="y",
    cases=(
        {"T": 3, "N": 2, "H": 5, "K": 4},
        {"T": 5, "N": 7, "H": 3, "K": 2},
        {"T": 4, "N": 3, "H": 7, "K": 5},
    ),
    right=lambda h, W_hy, b_y: h[-1] @ W_hy + b_y,
    mistakes={
        "this is an answer for every step: read the last state only.": (
            lambda h, W_hy, b_y: h @ W_hy + b_y
        ),
        "you read the first state: it has seen one input only.": (
            lambda h, W_hy, b_y: h[0] @ W_hy + b_y
        ),
        "you read the state before the last.": lambda h, W_hy, b_y: h[-2] @ W_hy + b_y,
        "you read h[:, -1], the last sample of the batch: time is the first axis.": (
            lambda h, W_hy, b_y: h[:, -1] @ W_hy + b_y
        ),
        "you average over time: the last state alone is asked for.": (
            lambda h, W_hy, b_y: h.mean(0) @ W_hy + b_y
        ),
        "you sum over time: the last state alone is asked for.": (
            lambda h, W_hy, b_y: h.sum(0) @ W_hy + b_y
        ),
        "the bias b_y is missing.": lambda h, W_hy, b_y: h[-1] @ W_hy,
        "the bias b_y is added: its sign is wrong.": lambda h, W_hy, b_y: h[-1] @ W_hy - b_y,
        "the read-out is linear: there is no tanh after W_hy.": (
            lambda h, W_hy, b_y: np.tanh(h[-1] @ W_hy + b_y)
        ),
        "the states have been through their tanh already.": (
            lambda h, W_hy, b_y: np.tanh(h[-1]) @ W_hy + b_y
        ),
    },
    hints=(
        "h has an axis for time, and the answer has none. Which entry of that axis has read all?",
        "The last state is (N, H); the read-out is linear, with W_hy (H, K) and b_y (K,).",
        "h[…] @ W_hy + b_y",
    ),
)
def check_many_to_one(draw, T, N, H, K):
    """Check ``many_to_one(h, W_hy, b_y)``, a read-out after the last step.

    Parameters
    ----------
    many_to_one : callable
        Returns y, (N, K), from all states h (T, N, H), W_hy (H, K) and b_y (K,).

    Returns
    -------
    Verdict
    """
    return np.tanh(draw.array(T, N, H)), draw.array(H, K), draw.array(K)


@exercise(
    "That is what PyTorch counts as well.",
    result="the count",
    cases=({"D": 3, "H": 5}, {"D": 10, "H": 7}, {"D": 1, "H": 6}),
    right=lambda D, H: D * H + H * H + 2 * H,
    mistakes={
        "PyTorch keeps two biases of H numbers: you count one.": lambda D, H: D * H + H * H + H,
        "the biases are missing.": lambda D, H: D * H + H * H,
        "a bias is H numbers, not one.": lambda D, H: D * H + H * H + 2,
        "a bias belongs to the H units, not to the features.": (lambda D, H: D * H + H * H + D + H),
        "W_hh has H rows and H columns: H² numbers.": lambda D, H: D * H + H + 2 * H,
        "the weights are shared: the matrices do not multiply.": lambda D, H: D * H * H + 2 * H,
        "W_xh is missing.": lambda D, H: H * H + 2 * H,
        "W_hh is missing.": lambda D, H: D * H + 2 * H,
        "W_xh is (D, H): it has D times H numbers.": lambda D, H: D * D + H * H + 2 * H,
    },
    hints=(
        "Which matrices and vectors does one step need? T is nowhere in it.",
        "W_xh is (D, H), W_hh is (H, H), and PyTorch splits b_h into two vectors of H numbers.",
        "D * H + … + 2 * H",
    ),
)
def check_count_parameters(draw, D, H):
    """Check ``count_parameters(D, H)``, the number of parameters of ``nn.RNN(D, H)``.

    Parameters
    ----------
    count_parameters : callable
        Returns an int from the two sizes.

    Returns
    -------
    Verdict
    """
    return D, H
