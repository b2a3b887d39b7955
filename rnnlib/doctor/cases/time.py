"""Time: history that is not read, a future that is, and readers read at the wrong step."""

import torch
from torch import nn

from rnnlib.doctor.cases.case import (
    Case,
    D,
    K,
    Told,
    V,
    features,
    next_symbol,
)
from rnnlib.doctor.cases.networks import (
    ByHand,
    Characters,
    Classifier,
    TwoWayClassifier,
    run,
)


class TwoCells(nn.Module):
    """Two cells; the outputs of the one reading backward are not turned."""

    def __init__(self, H):
        super().__init__()
        self.ahead = nn.RNNCell(D, H)
        self.back = nn.RNNCell(D, H)

    def forward(self, x):
        """Return both readers' states, (N, T, 2H)."""
        ahead = run(self.ahead, x.unbind(1))
        back = run(self.back, x.flip(1).unbind(1))
        return torch.cat([ahead, back], dim=-1)


class TwoCellsAligned(TwoCells):
    """The backward outputs are put back into the order of time."""

    def forward(self, x):
        """Return both readers' states, (N, T, 2H)."""
        ahead = run(self.ahead, x.unbind(1))
        back = run(self.back, x.flip(1).unbind(1)).flip(1)
        return torch.cat([ahead, back], dim=-1)


class Forgets(ByHand):
    """Every step begins from the first state."""

    def forward(self, x):
        """Return the states of all steps."""
        h_0 = x.new_zeros(len(x), self.b_h.numel())
        states = [self.step(x_t, h_0) for x_t in x.unbind(1)]
        return torch.stack(states, dim=1)


class Bag(nn.Module):
    """The mean of all steps, each looked at by itself."""

    def __init__(self, H):
        super().__init__()
        self.layer = nn.Linear(D, H)
        self.readout = nn.Linear(H, K)

    def forward(self, x):
        """One answer for each sequence."""
        return self.readout(torch.tanh(self.layer(x)).mean(dim=1))


class Attends(nn.Module):
    """Attention, told of positions or not, with a mask or without."""

    def __init__(self, H, positions=False, mask=False):
        super().__init__()
        H += H % 2
        self.positions, self.mask = positions, mask
        self.embedding = nn.Embedding(V, H)
        layer = nn.TransformerEncoderLayer(H, 2, 2 * H, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, 1)
        self.readout = nn.Linear(H, V)

    def forward(self, x):
        """Score what follows each symbol."""
        T = x.size(1)
        h = self.embedding(x)
        if self.positions:
            t = torch.arange(T, device=h.device).to(h.dtype)[:, None]
            k = torch.arange(h.size(2), device=h.device)
            phase = torch.pi / 2 * (k % 2)
            h = h + torch.sin(t / 100 ** (k / h.size(2)) + phase)
        seen = torch.ones(T, T, dtype=torch.bool, device=h.device).tril()
        mask = ~seen if self.mask else None
        return self.readout(self.encoder(h, mask=mask))


class ReadsFirst(Classifier):
    """The answer is read at the first step."""

    def forward(self, x):
        """One answer for each sequence."""
        return self.readout(self.rnn(x)[0][:, 0])


class ReadsEarly(Classifier):
    """The answer is read one step before the last."""

    def forward(self, x):
        """One answer for each sequence."""
        return self.readout(self.rnn(x)[0][:, -2])


class EveryOther(Classifier):
    """Every other step is left out."""

    def forward(self, x):
        """One answer for each sequence."""
        return super().forward(x[:, ::2])


class FirstAgain(ByHand):
    """The first input is read at every step."""

    def forward(self, x):
        """Return the states of all steps."""
        return super().forward(x[:, :1].expand_as(x))


class LastFirst(ByHand):
    """The states stand in the order from the last to the first."""

    def forward(self, x):
        """Return the states of all steps."""
        return super().forward(x).flip(1)


class FirstAsks(Attends):
    """The first step asks the others; told of positions or not."""

    def forward(self, x):
        """One answer for each sequence."""
        return super().forward(x)[:, 0]


class TwoWayCharacters(Characters):
    """Predicts what its second direction has read."""

    def __init__(self, H):
        super().__init__(H)
        self.rnn = nn.RNN(5, H, batch_first=True, bidirectional=True)
        self.readout = nn.Linear(2 * H, V)


class Convolution(nn.Module):
    """A temporal convolution of three steps."""

    def __init__(self, H, left=1, right=1):
        super().__init__()
        self.pad = nn.ConstantPad1d((left, right), 0.0)
        layers = nn.Conv1d(D, H, 3), nn.Tanh(), nn.Conv1d(H, K, 1)
        self.layers = nn.Sequential(*layers)

    def forward(self, x):
        """Answer at every step."""
        return self.layers(self.pad(x.transpose(1, 2))).transpose(1, 2)


class LastOutput(TwoWayClassifier):
    """The last step's output, where the backward half has seen one step."""

    def forward(self, x):
        """One answer for each sequence."""
        return self.readout(self.rnn(x)[0][:, -1])


class BackwardOnly(TwoWayClassifier):
    """The last of the last states: the backward one."""

    def __init__(self, H):
        super().__init__(H)
        self.readout = nn.Linear(H, K)

    def forward(self, x):
        """One answer for each sequence."""
        return self.readout(self.rnn(x)[1][-1])


class TimeFirst(Characters):
    """A layer that reads time first, given samples first."""

    def __init__(self, H):
        super().__init__(H)
        self.rnn = nn.RNN(5, H)


TEXT = "badabedagebacafe"


def _text(generator: torch.Generator | None = None) -> Told:
    """Return one text, the targets being its next symbols."""
    indices = torch.tensor([["abcdefg".index(symbol) for symbol in TEXT]])
    return {
        "example": indices[:, :-1],
        "targets": indices[:, 1:],
        "batch_first": True,
    }


def _trained(model: nn.Module) -> nn.Module:
    """Train a model on the text."""
    told = _text()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.03)
    for _ in range(100):
        scores = model(told["example"])
        loss = nn.functional.cross_entropy(scores[0], told["targets"][0])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return model


def _causal(generator: torch.Generator) -> Told:
    return {
        "example": features(generator),
        "batch_first": True,
        "causal": True,
    }


CASES = (
    Case(
        "trained, and no better than a table of pairs",
        "time",
        "The loss stops at the entropy of the pairs of symbols.",
        "floor",
        lambda H: _trained(TimeFirst(H)),
        lambda H: _trained(Characters(H)),
        _text,
    ),
    Case(
        "a state that is not handed on",
        "time",
        "As good as a network without memory.",
        "order",
        Forgets,
        ByHand,
    ),
    Case(
        "a bag of steps",
        "time",
        "Order makes no difference.",
        "order",
        Bag,
        Classifier,
        verdict="note",
    ),
    Case(
        "attention that knows no positions",
        "time",
        "Order makes no difference.",
        "order",
        Attends,
        lambda H: Attends(H, positions=True),
        lambda generator: next_symbol(generator) | {"targets": None},
    ),
    Case(
        "read at the first step",
        "time",
        "Chance, unless the first step tells all.",
        "coverage",
        ReadsFirst,
        Classifier,
    ),
    Case(
        "read one step too early",
        "time",
        "Chance, where the last step matters.",
        "coverage",
        ReadsEarly,
        Classifier,
    ),
    Case(
        "every other step left out",
        "time",
        "Chance, where a step between matters.",
        "coverage",
        EveryOther,
        Classifier,
    ),
    Case(
        "the first input at every step",
        "time",
        "Chance from the second step on.",
        "coverage",
        FirstAgain,
        ByHand,
    ),
    Case(
        "states from the last to the first",
        "time",
        "Half of the steps are answered by chance.",
        "coverage",
        LastFirst,
        ByHand,
    ),
    Case(
        "a question that knows no positions",
        "time",
        "What came is learned, and not when.",
        "order",
        FirstAsks,
        lambda H: FirstAsks(H, positions=True),
        lambda generator: next_symbol(generator) | {"targets": None},
    ),
    Case(
        "two directions that predict the next symbol",
        "time",
        "A loss near 0 in training, and nonsense in use.",
        "causality",
        TwoWayCharacters,
        Characters,
        next_symbol,
    ),
    Case(
        "attention without a mask",
        "time",
        "A loss near 0 in training, and nonsense in use.",
        "causality",
        lambda H: Attends(H, positions=True),
        lambda H: Attends(H, positions=True, mask=True),
        next_symbol,
    ),
    Case(
        "a convolution padded on both sides",
        "time",
        "Forecasts that are better than they can be.",
        "causality",
        Convolution,
        lambda H: Convolution(H, left=2, right=0),
        _causal,
    ),
    Case(
        "backward outputs in the order of reading",
        "time",
        "What needs the future is learned at the end of a sequence alone.",
        "halves",
        TwoCells,
        TwoCellsAligned,
    ),
    Case(
        "the last output of two directions",
        "time",
        "Hardly better than one direction.",
        "readout",
        LastOutput,
        TwoWayClassifier,
    ),
    Case(
        "the backward direction alone",
        "time",
        "No better than one direction.",
        "readout",
        BackwardOnly,
        TwoWayClassifier,
    ),
)
