"""Checks for chapter 11 (Which gates are needed)."""

import math

import numpy as np
import torch

from rnnlib.cells import GRUCell
from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.numbers import as_numbers
from rnnlib.exercises.verdict import WrongAnswer

PARAMETERS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class _Matrices(GRUCell):
    """A cell that is looked into, and not called."""

    def forward(self, *given):
        raise WrongAnswer(
            "the cell is here for its matrices and biases: write the step out, without calling it."
        )


def _gru(
    *,
    candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + b_xn + r * (a_h + b_hn)),
    mix=lambda n, z, h: (1 - z) * n + z * h,
    gate=torch.sigmoid,
    swap=False,
):
    """Return a step of a GRU; each keyword puts one mistake in."""

    def step(cell, x_t, h):
        r = gate(x_t @ cell.W_xr + h @ cell.W_hr + cell.b_r)
        z = gate(x_t @ cell.W_xz + h @ cell.W_hz + cell.b_z)
        r, z = (z, r) if swap else (r, z)
        n = candidate(x_t @ cell.W_xn, cell.b_xn, h @ cell.W_hn, cell.b_hn, r)
        return mix(n, z, h)

    return step


def _reset_before(cell, x_t, h):
    r = torch.sigmoid(x_t @ cell.W_xr + h @ cell.W_hr + cell.b_r)
    z = torch.sigmoid(x_t @ cell.W_xz + h @ cell.W_hz + cell.b_z)
    n = torch.tanh(x_t @ cell.W_xn + cell.b_xn + (r * h) @ cell.W_hn + cell.b_hn)
    return (1 - z) * n + z * h


def _without_gate_biases(cell, x_t, h):
    r = torch.sigmoid(x_t @ cell.W_xr + h @ cell.W_hr)
    z = torch.sigmoid(x_t @ cell.W_xz + h @ cell.W_hz)
    n = torch.tanh(x_t @ cell.W_xn + cell.b_xn + r * (h @ cell.W_hn + cell.b_hn))
    return (1 - z) * n + z * h


def _gates_blind(cell, x_t, h):
    """Let the gates see the input alone."""
    r = torch.sigmoid(x_t @ cell.W_xr + cell.b_r)
    z = torch.sigmoid(x_t @ cell.W_xz + cell.b_z)
    n = torch.tanh(x_t @ cell.W_xn + cell.b_xn + r * (h @ cell.W_hn + cell.b_hn))
    return (1 - z) * n + z * h


@exercise(
    "One step of a GRU, as PyTorch computes it.",
    result="h_t",
    cases=({"N": 2, "D": 5, "H": 3}, {"N": 7, "D": 3, "H": 5}, {"N": 3, "D": 4, "H": 7}),
    right=_gru(),
    mistakes={
        "z and 1 - z are swapped: here z_t is the share of the old state.": _gru(
            mix=lambda n, z, h: z * n + (1 - z) * h
        ),
        "r acts on the state before the product, as in the original form; PyTorch's acts after "
        "it.": _reset_before,
        "b_hn stands outside r: the reset gate multiplies it too.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + b_xn + r * a_h + b_hn)
        ),
        "b_hn is missing.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + b_xn + r * a_h)
        ),
        "b_xn is missing.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + r * (a_h + b_hn))
        ),
        "b_xn is inside r: the reset gate acts on what comes from the state alone.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + r * (b_xn + a_h + b_hn))
        ),
        "the two biases have changed places: b_hn is the one inside r.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + b_hn + r * (a_h + b_xn))
        ),
        "r acts on the input as well: it belongs to the part from the state.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(r * (a_x + b_xn + a_h + b_hn))
        ),
        "r acts on the input: it belongs to the part from the state.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(r * (a_x + b_xn) + a_h + b_hn)
        ),
        "the part from the state is missing in n_t.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + b_xn)
        ),
        "the part from the input is missing in n_t.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(r * (a_h + b_hn))
        ),
        "r is added: it multiplies the part from the state.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + b_xn + r + a_h + b_hn)
        ),
        "1 - r stands where r should: r_t is the share of the state that is let through.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(
                a_x + b_xn + (1 - r) * (a_h + b_hn)
            )
        ),
        "a sign is wrong: the part from the state is added.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + b_xn - r * (a_h + b_hn))
        ),
        "the tanh of n_t is missing.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: a_x + b_xn + r * (a_h + b_hn)
        ),
        "n_t goes through tanh, not through the sigmoid.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.sigmoid(a_x + b_xn + r * (a_h + b_hn))
        ),
        "the reset gate is missing.": _gru(
            candidate=lambda a_x, b_xn, a_h, b_hn, r: torch.tanh(a_x + b_xn + a_h + b_hn)
        ),
        "r and z have changed places.": _gru(swap=True),
        "the gates' sigmoid is missing.": _gru(gate=lambda a: a),
        "the gates go through the sigmoid, not through tanh.": _gru(gate=torch.tanh),
        "the gates' biases are missing.": _without_gate_biases,
        "the gates read the state as well: h @ W_hr and h @ W_hz are missing.": _gates_blind,
        "this is n_t alone: mix it with h by z.": _gru(mix=lambda n, z, h: n),
        "the old state is missing: add z_t * h.": _gru(mix=lambda n, z, h: (1 - z) * n),
        "n_t is taken whole: its share is 1 - z_t.": _gru(mix=lambda n, z, h: n + z * h),
        "the old state is taken whole: its share is z_t.": _gru(
            mix=lambda n, z, h: (1 - z) * n + h
        ),
        "a sign is wrong: z_t * h is added.": _gru(mix=lambda n, z, h: (1 - z) * n - z * h),
        "h_t is squashed once more: a mixture of n_t and h needs no tanh.": _gru(
            mix=lambda n, z, h: torch.tanh((1 - z) * n + z * h)
        ),
    },
    hints=(
        "Compute r_t and z_t first: both are sigmoids of the same two things. Then n_t, then the "
        "mixture.",
        "In n_t the reset gate multiplies all that comes from the state, b_hn included. In h_t, "
        "z_t is the share of the old state.",
        "n_t = torch.tanh(x_t @ cell.W_xn + cell.b_xn + r_t * (h @ cell.W_hn + cell.b_hn))",
    ),
)
def check_gru_step(draw, N, D, H):
    """Check ``step(cell, x_t, h)``, one step of a GRU written out.

    Parameters
    ----------
    step : callable
        Returns h_t, (N, H), from a `GRUCell`, which holds the matrices and biases under the names
        of the equations, x_t, (N, D), and h_{t-1}, (N, H).

    Returns
    -------
    Verdict
    """
    return draw.weights(_Matrices(D, H), scale=0.7), draw.normal(N, D), draw.normal(N, H)


def _largest(D, H, blocks=3, biases=2):
    """Count the units that a cell of so many blocks may have within the parameters of another."""
    allowed = 4 * (D * H + H * H + biases * H)
    units = 0
    while blocks * (units + 1) * (D + units + 1 + biases) <= allowed:
        units += 1
    return units


def _exact(D, H):
    """Solve for the number of units, no integer, at which the parameters are equal."""
    p, q = D + 2, 4 * H * (D + H + 2) / 3
    return (-p + math.sqrt(p * p + 4 * q)) / 2


@exercise(
    "As many units as the LSTM's parameters allow, and not one more.",
    result="the number of units",
    cases=(
        {"D": 6, "H": 10},
        {"D": 32, "H": 64},
        {"D": 3, "H": 40},
        {"D": 100, "H": 20},
        {"D": 1, "H": 90},
        {"D": 2, "H": 5},
        {"D": 1, "H": 12},
    ),
    right=_largest,
    mistakes={
        "this is the LSTM's H: with three blocks for four there is room for more.": lambda D, H: H,
        "a GRU has fewer parameters for a unit, so it may have more units.": (
            lambda D, H: 3 * H // 4
        ),
        "4/3 of the units is too many: the recurrent weights grow with the square of H.": (
            lambda D, H: 4 * H // 3
        ),
        "√(4/3) of the units would be right without inputs: the input weights count as well.": (
            lambda D, H: int(math.sqrt(4 / 3) * H)
        ),
        "one unit too many: this GRU has more parameters than the LSTM.": (
            lambda D, H: _largest(D, H) + 1
        ),
        "one more unit would fit.": lambda D, H: _largest(D, H) - 1,
        "this rounds to the nearest: one unit too many is more parameters than the LSTM has.": (
            lambda D, H: round(_exact(D, H))
        ),
        "this rounds up: the GRU then has more parameters than the LSTM.": (
            lambda D, H: math.ceil(_exact(D, H))
        ),
        "every block has two biases: you count one.": lambda D, H: _largest(D, H, biases=1),
        "every block has two biases: you count none.": lambda D, H: _largest(D, H, biases=0),
        "a GRU has three blocks: r, z and n.": lambda D, H: _largest(D, H, blocks=2),
        "a GRU has three blocks, not four: r, z and n.": lambda D, H: _largest(D, H, blocks=1),
        "expected a whole number of units: round down.": _exact,
    },
    hints=(
        "Write down the parameters of both cells first: how many blocks has each, and what is in "
        "a block?",
        "A block of u units has u D + u² + 2u parameters. The GRU has three, the LSTM four. The "
        "largest u comes from a loop, or from a quadratic equation, rounded down.",
        "while 3 * (u + 1) * (D + u + 1 + 2) <= 4 * H * (D + H + 2): u += 1",
    ),
)
def check_same_budget(draw, D, H):
    """Check ``units(D, H)``, how large a GRU may be for the parameters of an LSTM.

    Parameters
    ----------
    units : callable
        Returns the largest int with which ``nn.GRUCell(D, units)`` has no more parameters than
        ``nn.LSTMCell(D, H)``.

    Returns
    -------
    Verdict
    """
    return D, H


def _convert(change=lambda r, z, n: (r, -z, n), names=PARAMETERS, change_others=lambda *r: r):
    """Return a conversion whose blocks are changed in these parameters, otherwise in the others."""

    def convert(weights):
        return {
            name: torch.cat((change if name in names else change_others)(*value.chunk(3)))
            for name, value in weights.items()
        }

    return convert


def _four(answer, weights) -> dict:
    if not isinstance(answer, dict):
        raise WrongAnswer(f"expected a dict of the four parameters, got {type(answer).__name__}.")
    missing = [name for name in PARAMETERS if name not in answer]
    if missing:
        raise WrongAnswer(f"the dict has no {missing[0]}.")
    return {name: answer[name] for name in PARAMETERS}


@exercise(
    "The same network, in PyTorch's convention.",
    cases=({"D": 3, "H": 2}, {"D": 5, "H": 4}, {"D": 4, "H": 7}),
    right=_convert(),
    measure=_four,
    mistakes={
        "nothing has changed: all of what enters the σ of z must change its sign.": (
            lambda weights: weights
        ),
        "the weights have changed their sign, the biases not: all of what enters σ must.": _convert(
            names=("weight_ih", "weight_hh")
        ),
        "the biases have changed their sign, the weights not: all of what enters σ must.": _convert(
            names=("bias_ih", "bias_hh")
        ),
        "the input's weights alone have changed: what comes from the state enters σ as well.": (
            _convert(names=("weight_ih", "bias_ih"))
        ),
        "the state's weights alone have changed: what comes from the input enters σ as well.": (
            _convert(names=("weight_hh", "bias_hh"))
        ),
        **{
            f"{name} is as it was: all of what enters σ must change its sign.": _convert(
                names=tuple(other for other in PARAMETERS if other != name)
            )
            for name in PARAMETERS
        },
        "the rows of r have changed: PyTorch's order is r, z, n.": _convert(
            lambda r, z, n: (-r, z, n)
        ),
        "the rows of n have changed: PyTorch's order is r, z, n.": _convert(
            lambda r, z, n: (r, z, -n)
        ),
        "r and z have changed their sign: only z is meant.": _convert(lambda r, z, n: (-r, -z, n)),
        "all gates have changed their sign: only z is meant.": _convert(
            lambda r, z, n: (-r, -z, -n)
        ),
        "the rows of z and n have changed places: the order stays r, z, n.": _convert(
            lambda r, z, n: (r, n, z)
        ),
        "the rows of r and z have changed places: the order stays r, z, n.": _convert(
            lambda r, z, n: (z, r, n)
        ),
        "1 - w is not it: 1 - σ(a) = σ(-a), so w becomes -w.": _convert(
            lambda r, z, n: (r, 1 - z, n)
        ),
        "1 - w is right for a gate, not for its weights: w becomes -w, and so does a bias.": (
            _convert(names=("weight_ih", "weight_hh"), change_others=lambda r, z, n: (r, 1 - z, n))
        ),
        "the inverse 1 / w is not it: 1 - σ(a) = σ(-a), so w becomes -w.": _convert(
            lambda r, z, n: (r, 1 / z, n)
        ),
        "the rows of z are put to 0: they change their sign.": _convert(
            lambda r, z, n: (r, 0 * z, n)
        ),
    },
    hints=(
        "What turns z_t into 1 - z_t? Think of what the sigmoid does to -a.",
        "1 - σ(a) = σ(-a): everything that is added up inside the σ of z changes its sign, in all "
        "four parameters. The blocks are r, z, n.",
        "r, z, n = value.chunk(3); torch.cat([r, …, n])",
    ),
)
def check_convert(draw, D, H):
    """Check ``convert(weights)``, from a GRU whose z is the share of the new candidate.

    Parameters
    ----------
    convert : callable
        Takes a dict of weight_ih (3 H, D), weight_hh (3 H, H), bias_ih and bias_hh (3 H,), gates
        r, z, n, for h_t = (1 - z_t) h_{t-1} + z_t n_t, and returns such a dict for PyTorch.

    Returns
    -------
    Verdict
    """
    cell = draw.weights(GRUCell(D, H))
    return {name: value.detach() for name, value in cell.state_dict().items()}


CORNERS = {"copy": (0.0, 1.0), "rnn": (1.0, 0.0), "afresh": (0.0, 0.0)}
A_X, A_H, OLD = np.array([0.3, -1.1]), np.array([0.8, 0.5]), np.array([-0.6, 0.9])


def _state(answer, goal) -> np.ndarray:
    """Compute the state that these gates lead to."""
    values = as_numbers("r and z", answer).array
    if values.shape != (2,):
        raise WrongAnswer(f"{goal}: expected two numbers, r and z.")
    r, z = values.tolist()
    if not (0 <= r <= 1 and 0 <= z <= 1):
        raise WrongAnswer(f"{goal}: a gate lies between 0 and 1, got r = {r:g}, z = {z:g}.")
    return (1 - z) * np.tanh(A_X + r * A_H) + z * OLD


def _corners(**changed):
    return lambda goal: (CORNERS | changed)[goal]


@exercise(
    "Copy, step and start afresh: three corners of one cell.",
    result="the h_t of your gates",
    cases=({"goal": "copy"}, {"goal": "rnn"}, {"goal": "afresh"}),
    right=_corners(),
    measure=_state,
    mistakes={
        "copy: this makes a plain RNN's step: h_t = n_t, with all of the state in n_t.": _corners(
            copy=(1, 0)
        ),
        "copy: this forgets the old state: nothing of h_{t-1} is in h_t.": _corners(copy=(0, 0)),
        "rnn: this copies the old state: with z = 1 nothing of n_t is used.": _corners(rnn=(1, 1)),
        "rnn: this forgets the old state: nothing of h_{t-1} is in h_t.": _corners(rnn=(0, 0)),
        "afresh: this copies the old state: with z = 1 nothing of n_t is used.": _corners(
            afresh=(0, 1)
        ),
        "afresh: this makes a plain RNN's step: h_t = n_t, with all of the state in n_t.": _corners(
            afresh=(1, 0)
        ),
        "z is the wrong way round: with z = 1 the old state is copied.": _corners(
            copy=(0, 0), rnn=(1, 1), afresh=(0, 1)
        ),
        "the two have changed places: r comes first, then z.": _corners(
            copy=(1, 0), rnn=(0, 1), afresh=(0, 0)
        ),
        "r is the wrong way round: with r = 0 the candidate does not see the old state.": _corners(
            rnn=(0, 0), afresh=(1, 0)
        ),
    },
    hints=(
        "Look at h_t = (1 - z_t) n_t + z_t h_{t-1} first: what do z = 0 and z = 1 leave?",
        "With z = 1 the old state stays, whatever n_t is. With z = 0 the new state is n_t, and r "
        "says whether n_t sees the old one.",
        "copy has z = 1; the other two have z = 0 and differ in r",
    ),
)
def check_gate_values(draw, goal):
    """Check ``gate_values(goal)``, the values of r and z that make a GRU do three simple things.

    Parameters
    ----------
    gate_values : callable
        Returns (r, z), two numbers between 0 and 1, for the goals "copy" (h_t = h_{t-1}), "rnn"
        (a plain tanh step) and "afresh" (an h_t that does not depend on h_{t-1}).

    Returns
    -------
    Verdict
    """
    return goal
