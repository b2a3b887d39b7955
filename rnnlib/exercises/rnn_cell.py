"""Checks for chapter 3 (Can we write nn.RNNCell ourselves)."""

import math

import torch
from torch import Tensor, nn

from rnnlib.cells import RNNCell
from rnnlib.exercises.calling import attempt
from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.verdict import WrongAnswer
from rnnlib.layers import unroll

WEIGHTS = ("W_xh", "W_hh", "b_h")


class _Cell(nn.Module):
    """The right answer; a subclass replaces `step` and makes one mistake."""

    def __init__(self, D, H):
        super().__init__()
        bound = 1 / math.sqrt(H)
        self.W_xh = nn.Parameter(torch.empty(D, H).uniform_(-bound, bound))
        self.W_hh = nn.Parameter(torch.empty(H, H).uniform_(-bound, bound))
        self.b_h = nn.Parameter(torch.empty(H).uniform_(-bound, bound))

    def forward(self, x_t, h):
        return self.step(x_t, h, self.W_xh, self.W_hh, self.b_h)

    def step(self, x_t, h, W_xh, W_hh, b_h):
        return torch.tanh(x_t @ W_xh + h @ W_hh + b_h)


def _with_step(function) -> type[_Cell]:
    """Return a class of cells whose step is this function of x_t, h, W_xh, W_hh and b_h."""
    return type("MyCell", (_Cell,), {"step": staticmethod(function)})


def _cell_at_work(cell, D, H) -> dict:
    """Look at a cell's parameters, then measure its step and the gradients of it."""
    if not isinstance(cell, nn.Module):
        raise WrongAnswer(f"expected an nn.Module, got {type(cell).__name__}.")
    for name, shape in zip(WEIGHTS, ((D, H), (H, H), (H,)), strict=True):
        _check_parameter(cell, name, shape)
        _check_start(name, getattr(cell, name).detach(), D, H)
    generator = torch.Generator().manual_seed(0)
    x_t = torch.randn(3, D, generator=generator, requires_grad=True)
    h = torch.randn(3, H, generator=generator, requires_grad=True)
    with torch.no_grad():  # the same weights for every answer, whose start was looked at above
        for name in WEIGHTS:
            weight = getattr(cell, name)
            weight.copy_(torch.randn(weight.shape, generator=generator) / 4)
    h_t, (x_t, h) = attempt(cell, x_t, h)
    if not isinstance(h_t, Tensor):
        raise WrongAnswer(f"h_t is a {type(h_t).__name__}; expected a tensor.")
    return {"h_t": h_t, **_gradients(h_t, cell, x_t, h)}


def _gradients(h_t: Tensor, cell: nn.Module, x_t: Tensor, h: Tensor) -> dict[str, Tensor]:
    if not h_t.requires_grad:
        raise WrongAnswer(
            "no gradient reaches the weights from h_t: is there a detach, .data or no_grad in "
            "forward?"
        )
    sources = {name: getattr(cell, name) for name in WEIGHTS} | {"h": h, "x_t": x_t}
    weight = torch.linspace(-1, 2, h_t.numel()).view(h_t.shape)
    gradients = torch.autograd.grad((weight * h_t).sum(), list(sources.values()), allow_unused=True)
    return {
        f"the gradient with respect to {name}": torch.zeros_like(source) if g is None else g
        for (name, source), g in zip(sources.items(), gradients, strict=True)
    }


def _check_parameter(cell: nn.Module, name: str, shape: tuple[int, ...]) -> None:
    weight = getattr(cell, name, None)
    if weight is None:
        raise WrongAnswer(f"the cell has no {name}.")
    if not isinstance(weight, nn.Parameter):
        raise WrongAnswer(f"{name} is a plain tensor, which no optimiser finds: use nn.Parameter.")
    if all(weight is not parameter for parameter in cell.parameters()):
        raise WrongAnswer(
            f"{name} is not among cell.parameters(), so that no optimiser finds it: make it in "
            "__init__, as self.…"
        )
    if tuple(weight.shape) != shape:
        raise WrongAnswer(f"{name} has shape {tuple(weight.shape)}; expected {shape}.")
    if not weight.requires_grad:
        raise WrongAnswer(f"{name} is frozen: with requires_grad=False it gets no gradient.")


def _check_start(name: str, weight: Tensor, D: int, H: int) -> None:
    """Refuse weights that were not drawn from U(-1/√H, 1/√H)."""
    bound = 1 / math.sqrt(H)
    reaches = f"where U(-1/√H, 1/√H) reaches {bound:.2f} for H = {H}."
    largest, std = weight.abs().max().item(), weight.std().item()
    if not torch.isfinite(weight).all():
        raise WrongAnswer(f"{name} holds numbers that are not finite: torch.empty draws nothing.")
    if largest == 0:
        raise WrongAnswer(f"{name} starts at zero: draw it from U(-1/√H, 1/√H), as the others.")
    if std < 1e-6 * largest:
        raise WrongAnswer(f"all entries of {name} are equal: units that start alike stay alike.")
    if (weight >= 0).all() or (weight <= 0).all():
        raise WrongAnswer(f"{name} starts with one sign: U(-1/√H, 1/√H) has both.")
    if math.isclose(largest, 1 / math.sqrt(D), rel_tol=0.05):
        raise WrongAnswer(f"the bound of {name} comes from D: it is 1/√H for all three.")
    if math.isclose(largest, 1 / H, rel_tol=0.05):
        raise WrongAnswer(f"the root is missing in the bound of {name}: it is 1/√H.")
    if largest > 1.0001 * bound:
        raise WrongAnswer(f"{name} starts too large: |w| up to {largest:.2f}, {reaches}")
    if largest < 0.8 * bound:
        raise WrongAnswer(f"{name} starts too small: |w| up to {largest:.2g}, {reaches}")
    # Eight standard errors of the standard deviation, and of the mean.
    share = 8 * math.sqrt(0.2 / weight.numel())
    uniform = bound / math.sqrt(3)
    if abs(weight.mean().item()) > 8 * uniform / math.sqrt(weight.numel()):
        raise WrongAnswer(f"{name} starts with a mean of {weight.mean().item():.2g}; expected 0.")
    if abs(std / uniform - 1) > share:
        raise WrongAnswer(
            f"{name} starts with a standard deviation of {std:.2g}; U(-1/√H, 1/√H) has "
            f"{uniform:.2g} for H = {H}."
        )


def _drawn_anew(make_cell, arguments: tuple) -> None:
    """Refuse a class whose cells all have the same weights."""
    one, other = (attempt(make_cell, *arguments)[0] for _ in range(2))
    for name in WEIGHTS:
        if torch.equal(getattr(one, name), getattr(other, name)):
            raise WrongAnswer(
                f"two cells start with the same {name}: draw it anew for every cell, without a "
                "seed of its own."
            )


@exercise(
    "The weights are parameters at the right scale, and the step is right.",
    cases=({"D": 13, "H": 100}, {"D": 29, "H": 144}),
    right=_Cell,
    measure=_cell_at_work,
    looks=(_drawn_anew,),
    mistakes={
        "your cell ignores h: the term h @ W_hh is missing.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t @ W_xh + b_h)
        ),
        "your cell ignores x_t: the term x_t @ W_xh is missing.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(h @ W_hh + b_h)
        ),
        "the bias is missing in forward.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t @ W_xh + h @ W_hh)
        ),
        "the tanh is missing.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: x_t @ W_xh + h @ W_hh + b_h
        ),
        "W_hh is transposed: it is h @ W_hh.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t @ W_xh + h @ W_hh.T + b_h)
        ),
        "a sign is wrong: the recurrent term is added.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t @ W_xh - h @ W_hh + b_h)
        ),
        "no gradient reaches W_xh: it is detached in forward.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t @ W_xh.detach() + h @ W_hh + b_h)
        ),
        "no gradient reaches W_hh: it is detached in forward.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t @ W_xh + h @ W_hh.detach() + b_h)
        ),
        "no gradient reaches b_h: it is detached in forward.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t @ W_xh + h @ W_hh + b_h.detach())
        ),
        "h is detached in forward: no gradient can go back to the step before.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t @ W_xh + h.detach() @ W_hh + b_h)
        ),
        "x_t is detached in forward: no gradient can reach a layer below.": _with_step(
            lambda x_t, h, W_xh, W_hh, b_h: torch.tanh(x_t.detach() @ W_xh + h @ W_hh + b_h)
        ),
    },
    hints=(
        "forward is right. Look at how the three weights are made: who finds them, and how large "
        "are they?",
        "nn.Parameter registers a tensor with the module. Its entries come from U(-1/√H, 1/√H), "
        "the bias's too.",
        "self.W_xh = nn.Parameter(torch.empty(D, H).uniform_(-bound, bound))",
    ),
)
def check_cell(draw, D, H):
    """Check a class ``MyCell(D, H)``: a module with parameters W_xh, W_hh and b_h.

    Parameters
    ----------
    make_cell : callable
        Returns a module that is called as ``cell(x_t, h)``.

    Returns
    -------
    Verdict
    """
    return D, H


@exercise(
    "The two distributions have the same variance.",
    result="the value",
    cases=({"H": 20}, {"H": 7}, {"H": 48}),
    right=lambda H: 1 / math.sqrt(3 * H),
    mistakes={
        "this is the bound itself: a uniform variable is spread inside it.": (
            lambda H: 1 / math.sqrt(H)
        ),
        "this is the variance: take its square root.": lambda H: 1 / (3 * H),
        "U(-b, b) is 2b wide: its variance is (2b)²/12 = b²/3.": lambda H: 1 / math.sqrt(12 * H),
        "H is inside the root: b is 1/√H.": lambda H: 1 / (math.sqrt(3) * H),
        "the 3 is inside the root: the variance is b²/3.": lambda H: 1 / (3 * math.sqrt(H)),
        "a variance of b²/2 belongs to a sine; a uniform one has b²/3.": (
            lambda H: 1 / math.sqrt(2 * H)
        ),
        "it is upside down: more units, smaller weights.": lambda H: math.sqrt(3 * H),
        "this divides by 3: the variance, not the root of it, is divided.": (
            lambda H: math.sqrt(3 / H)
        ),
    },
    hints=(
        "What is the variance of U(-b, b), and what is b here?",
        "The variance of U(-b, b) is b²/3, and b² is 1/H. A standard deviation is its root.",
        "1 / math.sqrt(… * H)",
    ),
)
def check_initial_std(draw, H):
    """Check ``std(H)``, the standard deviation of U(-1/sqrt(H), 1/sqrt(H)).

    Parameters
    ----------
    std : callable
        Returns a float from the number of hidden units.

    Returns
    -------
    Verdict
    """
    return H


def _steps(output, h_n):
    """Guess the axis of time, and bring it first: where output holds the top layer's last state."""
    last_first = torch.allclose(output[-1], h_n[-1]) if output[-1].shape == h_n[-1].shape else False
    return output if last_first else output.transpose(0, 1)


@exercise(
    "The top layer's last state, in both layouts.",
    cases=tuple(
        {"layers": layers, "T": T, "N": N, "H": H, "batch_first": batch_first}
        for layers, T, N, H in ((2, 3, 5, 4), (3, 4, 7, 5), (1, 5, 3, 7))
        for batch_first in (False, True)
    ),
    right=lambda output, h_n: h_n[-1],
    mistakes={
        "you read the bottom layer: the top one is h_n[-1].": lambda output, h_n: h_n[0],
        "h_n[1] is the second layer, the top one only if there are two.": (
            lambda output, h_n: h_n[min(1, len(h_n) - 1)]
        ),
        "h_n[1] is the second layer, and a network may have one: the top one is h_n[-1].": (
            lambda output, h_n: h_n[1]
        ),
        "the layer below the top one: the top one is h_n[-1].": (
            lambda output, h_n: h_n[max(-2, -len(h_n))]
        ),
        "output[-1] is the last step only if time comes first, and else the last sequence.": (
            lambda output, h_n: output[-1]
        ),
        "output[:, -1] is the last step only with batch_first=True, and else the last sequence.": (
            lambda output, h_n: output[:, -1]
        ),
        "this is the first step, not the last.": lambda output, h_n: _steps(output, h_n)[0],
        "output[0] is the first step if time comes first, and else the first sequence.": (
            lambda output, h_n: output[0]
        ),
        "output[:, 0] is the first step with batch_first=True, and else the first sequence.": (
            lambda output, h_n: output[:, 0]
        ),
        "this is h_n with all its layers: take the top one.": lambda output, h_n: h_n,
        "the axis of the layers is still there: (N, H) is asked for.": (
            lambda output, h_n: h_n[-1:]
        ),
        "h_n[:, -1] is the last sequence of every layer: the layers come first.": (
            lambda output, h_n: h_n[:, -1]
        ),
        "the layers are averaged: take the top one.": lambda output, h_n: h_n.mean(0),
        "the layers are added: take the top one.": lambda output, h_n: h_n.sum(0),
        "this is the state of every step: the last one is asked for.": (lambda output, h_n: output),
    },
    hints=(
        "The layout of output depends on batch_first. Does that of h_n?",
        "h_n is (layers, N, H) in both layouts, with the first layer first.",
        "return h_n[…]",
    ),
)
def check_summary(draw, layers, T, N, H, batch_first):
    """Check ``summary(output, h_n)``, the top layer's last state of every sequence.

    Parameters
    ----------
    summary : callable
        Returns (N, H) from what nn.RNN returned, with ``batch_first`` or without.

    Returns
    -------
    Verdict
    """
    layer = draw.weights(nn.RNN(2, H, num_layers=layers))
    with torch.no_grad():
        output, h_n = layer(draw.normal(T, N, 2))
    return output.transpose(0, 1).contiguous() if batch_first else output, h_n


def _stack(x, h_0, cell_1, cell_2):
    lower, last_1 = unroll(cell_1, x, h_0[0])
    upper, last_2 = unroll(cell_2, lower, h_0[1])
    return upper, torch.stack([last_1, last_2])


def _late(x, h_0, cell_1, cell_2):
    """Let the second cell read the state that the first one had before the step."""
    lower, last_1 = unroll(cell_1, x, h_0[0])
    upper, last_2 = unroll(cell_2, torch.cat([h_0[:1], lower[:-1]]), h_0[1])
    return upper, torch.stack([last_1, last_2])


def _lower(x, h_0, cell_1, cell_2):
    return unroll(cell_1, x, h_0[0])[0], _stack(x, h_0, cell_1, cell_2)[1]


def _second_h_n(change):
    """Return the right output, with an h_n that was changed."""

    def answer(*given):
        output, h_n = _stack(*given)
        return output, change(h_n)

    return answer


def _first_output(change):
    def answer(*given):
        output, h_n = _stack(*given)
        return change(output), h_n

    return answer


@exercise(
    "Output and h_n agree with nn.RNN.",
    result=("output", "h_n"),
    cases=(
        {"T": 4, "N": 3, "D": 5, "H": 2},
        {"T": 3, "N": 5, "D": 2, "H": 7},
    ),
    right=_stack,
    mistakes={
        "output is the lower layer: the second cell must read its states.": _lower,
        "the layers start from zeros instead of h_0.": (
            lambda x, h_0, *cells: _stack(x, 0 * h_0, *cells)
        ),
        "the two rows of h_0 are swapped: h_0[0] belongs to the first cell.": (
            lambda x, h_0, *cells: _stack(x, h_0.flip(0), *cells)
        ),
        "the second cell reads the first one's state of the step before.": _late,
        "output needs every step of the top layer, not the last one.": _first_output(
            lambda output: output[-1]
        ),
        "output runs from the last step to the first.": _first_output(lambda o: o.flip(0)),
        "output is batch first: expected (T, N, H).": _first_output(lambda o: o.transpose(0, 1)),
        "h_n is upside down: the first layer comes first.": _second_h_n(lambda h_n: h_n.flip(0)),
        "h_n needs the last state of both layers; this is the second one's.": _second_h_n(
            lambda h_n: h_n[-1]
        ),
        "h_n needs the last state of both layers; this is the first one's.": _second_h_n(
            lambda h_n: h_n[0]
        ),
        "h_n needs the last state of both layers, (2, N, H).": _second_h_n(lambda h_n: h_n[-1:]),
        "the two rows of h_n are joined: stack them, (2, N, H).": _second_h_n(
            lambda h_n: torch.cat([*h_n])
        ),
        "h_n is h_0 as it came: the last states are asked for.": lambda x, h_0, *cells: (
            _stack(x, h_0, *cells)[0],
            h_0,
        ),
        "the cells have changed places.": lambda x, h_0, cell_1, cell_2: _stack(
            x, h_0, cell_2, cell_1
        ),
    },
    hints=(
        "What does the second cell read at step t, and where does its first state come from?",
        "Two states go through the loop. cell_1 reads x_t, and cell_2 reads the new state of "
        "cell_1. output collects the second state; h_n holds both at the end.",
        "h_1 = cell_1(x_t, h_1); h_2 = cell_2(h_1, h_2); outputs.append(h_2)",
    ),
)
def check_stack(draw, T, N, D, H):
    """Check ``stack(x, h_0, cell_1, cell_2)``, two recurrent layers.

    Parameters
    ----------
    stack : callable
        Returns output, (T, N, H), and h_n, (2, N, H).

    Returns
    -------
    Verdict
    """
    cells = draw.weights(RNNCell(D, H)), draw.weights(RNNCell(H, H))
    return draw.normal(T, N, D), draw.normal(2, N, H), *cells
