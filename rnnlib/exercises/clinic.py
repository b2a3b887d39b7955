"""Checks for chapter 17 (Why does it run and not learn)."""

import functools
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnnlib.doctor import examine
from rnnlib.exercises.exercise import exercise
from rnnlib.exercises.verdict import Verdict, WrongAnswer


class Stranger(nn.Module):
    """A layer that takes samples for steps, the first and then the others in either direction."""

    def __init__(self, D: int, H: int, direction: int):
        super().__init__()
        self.rnn, self.direction = nn.RNN(D, H), direction

    def forward(self, x: Tensor) -> Tensor:
        """Answer (N, T, H)."""
        turn = self.direction * torch.arange(len(x)) % len(x)  # 0, 1, … or 0, N - 1, …, 1
        return self.rnn(x[turn])[0][turn]


def _moved(model, x, other, replaced=0, kept=slice(1, None)):
    changed = x.clone()
    changed[replaced] = other
    return (model(changed) - model(x))[kept]


def _leak(model, x, other):
    return _moved(model, x, other).abs().max()


@exercise(
    "Whatever is not 0 here has leaked.",
    result="the change",
    cases=(
        {"N": 4, "T": 3, "D": 2, "H": 5, "direction": -1},
        {"N": 3, "T": 5, "D": 4, "H": 2, "direction": 1},
        {"N": 5, "T": 4, "D": 3, "H": 6, "direction": -1},
        {"N": 4, "T": 2, "D": 5, "H": 3, "direction": -1},
        {"N": 6, "T": 2, "D": 3, "H": 2, "direction": -1},
    ),
    right=_leak,
    mistakes={
        "the answer to the sample that was replaced counts, too: look at the others alone.": (
            lambda model, x, other: _moved(model, x, other, kept=slice(None)).abs().max()
        ),
        "this is the mean: a leak into one sample hides in it. Take the largest change.": (
            lambda model, x, other: _moved(model, x, other).abs().mean()
        ),
        "a change downwards is a change: take the absolute value.": (
            lambda model, x, other: _moved(model, x, other).max()
        ),
        "this is a sum: take the largest change.": (
            lambda model, x, other: _moved(model, x, other).abs().sum()
        ),
        "the last sample was replaced: the first is asked for.": (
            lambda model, x, other: _moved(model, x, other, -1, slice(-1)).abs().max()
        ),
        "the answers at the last step alone are compared: take all.": (
            lambda model, x, other: _moved(model, x, other)[:, -1].abs().max()
        ),
        "one neighbour alone is looked at: take all other samples.": (
            lambda model, x, other: _moved(model, x, other, kept=slice(1, 2)).abs().max()
        ),
        "sample 1 is left out: it, too, must not move.": (
            lambda model, x, other: _moved(model, x, other, kept=slice(2, None)).abs().max()
        ),
        "this is the smallest change: take the largest.": (
            lambda model, x, other: _moved(model, x, other).abs().min()
        ),
        "this is squared: take the absolute value.": (
            lambda model, x, other: _moved(model, x, other).square().max()
        ),
        "this is one number for each sample: take the largest of all.": (
            lambda model, x, other: _moved(model, x, other).abs().amax(dim=(1, 2))
        ),
        "this is a norm: take the largest change of a single number.": (
            lambda model, x, other: _moved(model, x, other).norm()
        ),
        "one step of the first sample was replaced: replace all of it.": (
            lambda model, x, other: _moved(model, x, other[0], (0, 0)).abs().max()
        ),
    },
    untouched={1: "x itself was changed: replace the sample in a copy, x.clone()."},
    hints=(
        "Which answers may move when sample 0 is another one, and which must not?",
        "Call the model on x, and on a copy in which sample 0 is `other`. Compare what comes out "
        "for samples 1 to N - 1.",
        "(model(changed) - model(x))[…].abs().max()",
    ),
)
def check_leak(draw, N, T, D, H, direction):
    """Check ``leak(model, x, other)``, what one sample moves the answers to others by.

    Parameters
    ----------
    leak : callable
        Takes a model from (N, T, D) to (N, T, K), a batch x (N, T, D), and another sample (T, D);
        returns the largest change of an answer to samples 1 to N - 1 when sample 0 is `other`.

    Returns
    -------
    Verdict
    """
    return draw.weights(Stranger(D, H, direction)), draw.normal(N, T, D), draw.normal(T, D)


def _reach(norms):
    return int((norms >= norms.max() / 100).nonzero()[-1])


def _first_below(norms, bound):
    return int((norms < bound).nonzero()[0])


@exercise(
    "So far back a hundredth is left.",
    result="the lag",
    cases=(
        {"peak": 1, "hole": (3, 5), "last": 6, "small": 2, "first": 0.1},
        {"peak": 2, "hole": (4, 7), "last": 11, "small": 3, "first": 0.03},
        {"peak": 3, "hole": (6, 7), "last": 14, "small": 4, "first": 0.1},
    ),
    right=_reach,
    measure=lambda lag, norms: lag.reshape(()) if getattr(lag, "shape", 0) == (1,) else lag,
    mistakes={
        "this is the first lag that falls below: further back it rises again.": (
            lambda norms: _first_below(norms, norms.max() / 100)
        ),
        "this stops before the first lag that falls below: further back it rises again.": (
            lambda norms: _first_below(norms, norms.max() / 100) - 1
        ),
        "lags are counted from 0, this step itself.": lambda norms: _reach(norms) + 1,
        "this compares with lag 0: the largest need not stand there.": (
            lambda norms: int((norms >= norms[0] / 100).nonzero()[-1])
        ),
        "this is a tenth of the largest: a hundredth is asked for.": (
            lambda norms: int((norms >= norms.max() / 10).nonzero()[-1])
        ),
        "this is a thousandth of the largest: a hundredth is asked for.": (
            lambda norms: int((norms >= norms.max() / 1000).nonzero()[-1])
        ),
        "this counts the lags that have a hundredth: the last of them is asked for.": (
            lambda norms: int((norms >= norms.max() / 100).sum())
        ),
        "this compares with 0.01 itself: take a hundredth of the largest.": (
            lambda norms: int((norms >= 0.01).nonzero()[-1])
        ),
        "this is where the largest stands: how far back a hundredth is left is asked.": (
            lambda norms: int(norms.argmax())
        ),
        "this is the norm at that lag: the lag is asked for.": lambda norms: norms[_reach(norms)],
        "this is the last lag there is: the last with a hundredth is asked for.": (
            lambda norms: len(norms) - 1
        ),
        "this counts lags from the far end: norms[0] belongs to the step itself.": (
            lambda norms: _reach(norms.flip(0))
        ),
        "this is the first lag that has a hundredth: the last is asked for.": (
            lambda norms: int((norms >= norms.max() / 100).nonzero()[0])
        ),
    },
    hints=(
        "Which entry of norms is the largest? And which is the last that has a hundredth of it?",
        "Mark the lags with at least a hundredth of the largest norm, and take the last mark. The "
        "norms need not fall all the way.",
        "int((norms >= …).nonzero()[-1])",
    ),
)
def check_reach(draw, peak, hole, last, small, first):
    """Check ``reach(norms)``, the last lag at which a hundredth of the gradient is left.

    Parameters
    ----------
    reach : callable
        Takes norms (L,) of the gradient with respect to the input, norms[k] for the input k steps
        back; returns the last k at which there is at least a hundredth of the largest.

    Returns
    -------
    Verdict
    """
    norms = draw.uniform(last + 1, low=0.5, high=0.6)
    norms[0] = first
    norms[peak] = 5.0 + 0.3 * draw.uniform()
    norms[slice(*hole)] = 0.006
    norms[-1 - peak % 2 :] = 0.08
    # Each bound that is not a hundredth of the largest ends at a lag of its own.
    tail = torch.tensor([0.02, 0.0065, 0.0047, 0.002, 0.0005, 1e-6, 0.0])
    return torch.cat([norms, draw.uniform(small, low=0.02, high=0.04), tail])


class Patient(nn.Module):
    """Tells which of K kinds of sequence, (N, T, D), it has read."""

    def __init__(self, D, H, K):
        super().__init__()
        self.rnn = nn.GRU(D, H, bidirectional=True)
        self.readout = nn.Linear(2 * H, K)

    def forward(self, x):
        """Score the K kinds."""
        output, _ = self.rnn(x)
        return self.readout(output[:, -1])


class _Cured(Patient):
    def __init__(self, D, H, K):
        super().__init__(D, H, K)
        self.rnn = nn.GRU(D, H, bidirectional=True, batch_first=True)

    def read(self, x):
        _, h_n = self.rnn(x)
        return torch.cat([h_n[0], h_n[1]], dim=-1)

    def forward(self, x):
        return self.readout(self.read(x))


def _cured(**changed: Callable) -> type:
    """Return a class in which a method is another one."""
    return type("Cured", (_Cured,), changed)


class _OneWay(_Cured):
    def __init__(self, D, H, K):
        super().__init__(D, H, K)
        self.readout = nn.Linear(H, K)

    def read(self, x):
        return self.rnn(x)[1][-1]


def _examined(model, D, H, K):
    """Measure the answer's shape; what the doctor names is told."""
    if isinstance(model, type) and issubclass(model, nn.Module):
        raise WrongAnswer("expected a model, got a class: call it with D, H and K.")
    if not isinstance(model, nn.Module):
        raise WrongAnswer(f"expected a model, an nn.Module, got {type(model).__name__}.")
    x = torch.randn(6, 9, D, generator=torch.Generator().manual_seed(D))
    report = examine(model, x, batch_first=True, targets=torch.arange(6) % K, num_classes=K)
    if report.sick:
        worst = report[report.sick[0]]
        raise WrongAnswer(
            f"the doctor names {', '.join(report.sick)}. {worst.meaning} {worst.measured}".strip()
        )
    for fault in ("trainable", "scores", "input", "order"):  # each might be meant elsewhere
        if fault in report.notes:
            raise WrongAnswer(f"a new fault is in, in {fault}. {report[fault].meaning}")
    for T in (2, 12):
        _reads(model.eval(), torch.cat([x, x], dim=1)[:, :T], torch.arange(6) % K)
    return {"the answer's size": list(model(x).shape)}


def _reads(model, x, y):
    """Read sequences of another length: a direction that is read too early learns nothing of 2."""
    T = x.size(1)
    try:
        loss = nn.functional.cross_entropy(model(x), y)
    except Exception as error:
        raise WrongAnswer(
            f"it reads sequences of 9 steps, and of {T} it raises {type(error).__name__}: a "
            "recurrent network reads any length."
        ) from None
    names, weights = zip(*model.named_parameters(), strict=True)
    gradients = torch.autograd.grad(loss, weights, allow_unused=True)
    for name, gradient in zip(names, gradients, strict=True):
        if gradient is None or not gradient.any():
            raise WrongAnswer(
                f"on sequences of {T} steps no gradient reaches {name}: each direction is to be "
                "read at its own last step, where it has seen all."
            )


def _of_a_class(check: Callable) -> Callable:
    """Tell a model from what makes one."""

    @functools.wraps(check)
    def checked(answer, /) -> Verdict:
        if isinstance(answer, nn.Module):
            return Verdict(
                False,
                "expected a class, or a function of D, H and K; got a model that is made "
                f"already: hand over {type(answer).__name__} itself.",
            )
        return check(answer)

    return checked


@_of_a_class
@exercise(
    "Both faults are cured, and nothing new is broken: the doctor finds it sound.",
    result="the answer's size",
    cases=({"D": 3, "H": 4, "K": 5}, {"D": 5, "H": 7, "K": 3}),
    right=_Cured,
    measure=_examined,
    mistakes={
        "both faults are still there. Begin with the first that the doctor names.": Patient,
        "one fault is cured, and the doctor can now see the other: the backward half of "
        "output[:, -1] has read one step.": _cured(read=lambda self, x: self.rnn(x)[0][:, -1]),
        "one fault is cured. In output[:, 0] it is the forward half that has read one step.": (
            _cured(read=lambda self, x: self.rnn(x)[0][:, 0])
        ),
        "h_n[-1] is the backward state alone: the forward half of the layer is never read.": (
            _OneWay
        ),
        "with batch_first, output[-1] is the last sample, and not the last step.": _cured(
            read=lambda self, x: self.rnn(x)[0][-1]
        ),
        "h_n is (2, N, H): a reshape to (N, 2H) joins the states of different samples. "
        "Use torch.cat.": _cured(read=lambda self, x: self.rnn(x)[1].reshape(len(x), -1)),
        "the faults are cured, and a new one is in: the cross-entropy takes the softmax itself.": (
            _cured(forward=lambda self, x: self.readout(self.read(x)).softmax(dim=-1))
        ),
        "the answer is detached: nothing can be trained.": _cured(
            forward=lambda self, x: self.readout(self.read(x)).detach()
        ),
        "the two directions are added before they are joined: each sees all, but the read-out "
        "was made for 2H numbers.": _cured(read=lambda self, x: self.rnn(x)[1].sum(dim=0)),
    },
    hints=(
        "What does examine(Patient(…), x, batch_first=True) name? Cure that alone, and ask again.",
        "The layer takes samples for steps. And the backward reader's state that has read all "
        "steps stands in h_n, not in output[:, -1].",
        "nn.GRU(…, batch_first=True), and torch.cat([h_n[…], h_n[…]], dim=-1)",
    ),
)
def check_patient(draw, D, H, K):
    """Check ``repaired(D, H, K)``, a sound model in the place of `Patient`.

    Parameters
    ----------
    repaired : callable
        Takes the sizes; returns a module from (N, T, D) to (N, K) in which the doctor finds nothing
        wrong. A class will do.

    Returns
    -------
    Verdict
    """
    return D, H, K
