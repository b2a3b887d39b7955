"""Time and padding: history that is not read, a future that is, and steps that are none."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlib.doctor.cases.case import Case, D, K, Told, V, features, next_symbol, padded, plain
from rnnlib.doctor.cases.shapes import Characters, Classifier, Tagger
from rnnlib.doctor.cases.weights import ByHand


class Forgets(ByHand):
    """Every step begins from the first state."""

    def forward(self, x):
        """Return the states of all steps."""
        h_0 = x.new_zeros(len(x), self.b_h.numel())
        return torch.stack([self.step(x_t, h_0) for x_t in x.unbind(1)], dim=1)


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
            h = h + torch.sin(t / 100 ** (k / h.size(2)) + torch.pi / 2 * (k % 2))
        seen = torch.ones(T, T, dtype=torch.bool, device=h.device).tril()
        return self.readout(self.encoder(h, mask=~seen if self.mask else None))


class ReadsFirst(Classifier):
    """The answer is read at the first step."""

    def forward(self, x):
        """One answer for each sequence."""
        return self.readout(self.rnn(x)[0][:, 0])


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
        self.layers = nn.Sequential(nn.Conv1d(D, H, 3), nn.Tanh(), nn.Conv1d(H, K, 1))

    def forward(self, x):
        """Answer at every step."""
        return self.layers(self.pad(x.transpose(1, 2))).transpose(1, 2)


class TwoCells(nn.Module):
    """Two cells, one of which reads backward; its outputs stay in the order of reading."""

    def __init__(self, H):
        super().__init__()
        self.ahead = nn.RNNCell(D, H)
        self.back = nn.RNNCell(D, H)

    def run(self, cell, steps):
        """Run a cell over the steps in the order given."""
        h, states = None, []
        for x_t in steps:
            h = cell(x_t, h)
            states.append(h)
        return torch.stack(states, dim=1)

    def forward(self, x):
        """Return both readers' states, (N, T, 2H)."""
        ahead = self.run(self.ahead, x.unbind(1))
        back = self.run(self.back, x.flip(1).unbind(1))
        return torch.cat([ahead, back], dim=-1)


class TwoCellsAligned(TwoCells):
    """The backward outputs are put back into the order of time."""

    def forward(self, x):
        """Return both readers' states, (N, T, 2H)."""
        ahead = self.run(self.ahead, x.unbind(1))
        back = self.run(self.back, x.flip(1).unbind(1)).flip(1)
        return torch.cat([ahead, back], dim=-1)


class TwoWayClassifier(nn.Module):
    """Each direction is read where it has seen the whole sequence."""

    def __init__(self, H, layers=2):
        super().__init__()
        self.rnn = nn.GRU(D, H, layers, batch_first=True, bidirectional=True)
        self.readout = nn.Linear(2 * H, K)

    def forward(self, x):
        """One answer for each sequence."""
        _, h_n = self.rnn(x)
        return self.readout(torch.cat([h_n[-2], h_n[-1]], dim=-1))


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


class LastColumn(Classifier):
    """The last column of a padded batch, for every length."""

    def forward(self, x, lengths):
        """One answer for each sequence."""
        return super().forward(x)


class LastStep(Classifier):
    """Each sequence's own last step."""

    def forward(self, x, lengths):
        """One answer for each sequence."""
        rows = torch.arange(len(x), device=x.device)
        return self.readout(self.rnn(x)[0][rows, lengths.to(x.device) - 1])


class MeanOfAll(Classifier):
    """The mean over all columns, those of padding too."""

    def forward(self, x, lengths):
        """One answer for each sequence."""
        return self.readout(self.rnn(x)[0].mean(dim=1))


class MeanOfReal(Classifier):
    """The mean over each sequence's own steps."""

    def forward(self, x, lengths):
        """One answer for each sequence."""
        output, lengths = self.rnn(x)[0], lengths.to(x.device)
        real = torch.arange(x.size(1), device=x.device) < lengths[:, None]
        output = output * real[..., None]
        return self.readout(output.sum(dim=1) / lengths[:, None])


class NoLengths(TwoWayClassifier):
    """The backward reader begins in the padding."""

    def forward(self, x, lengths=None):
        """One answer for each sequence."""
        return super().forward(x)


class Packed(TwoWayClassifier):
    """Each sequence is read to its own end, in both directions."""

    def forward(self, x, lengths):
        """One answer for each sequence."""
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        return super().forward(packed)


class FlipsAll(nn.Module):
    """A backward reader that flips the padded batch as a whole."""

    def __init__(self, H):
        super().__init__()
        self.back = nn.RNNCell(D, H)

    run = TwoCells.run

    def forward(self, x, lengths):
        """Return the backward reader's states."""
        return self.run(self.back, x.flip(1).unbind(1)).flip(1)


class FlipsEach(FlipsAll):
    """A backward reader that flips each sequence within its own length."""

    def forward(self, x, lengths):
        """Return the backward reader's states."""
        t = torch.arange(x.size(1), device=x.device)
        at = lengths.to(x.device)[:, None] - 1 - t
        at = torch.where(at >= 0, at, t)[..., None]  # (N, T, 1)
        states = self.run(self.back, x.gather(1, at.expand_as(x)).unbind(1))
        return states.gather(1, at.expand_as(states))


class SortedAway(Classifier):
    """Sorted by length to be packed, and left in that order."""

    def forward(self, x, lengths):
        """One answer for each sequence."""
        order = lengths.argsort(descending=True)
        packed = pack_padded_sequence(x[order], lengths[order].cpu(), batch_first=True)
        return self.readout(self.rnn(packed)[1][-1])


class SortedBack(Classifier):
    """Sorted by length to be packed, and put back."""

    def forward(self, x, lengths):
        """One answer for each sequence."""
        order = lengths.argsort(descending=True)
        packed = pack_padded_sequence(x[order], lengths[order].cpu(), batch_first=True)
        return self.readout(self.rnn(packed)[1][-1][order.argsort()])


class WantsSorted(Tagger):
    """Packing that is told the lengths are sorted."""

    def forward(self, x, lengths):
        """Answer at every step."""
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True)
        output, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return self.readout(output)


class TakesAny(Tagger):
    """Packing that sorts by itself."""

    def forward(self, x, lengths):
        """Answer at every step."""
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        output, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True)
        return self.readout(output)


def _sorted_padded(generator: torch.Generator) -> Told:
    told = padded(generator)
    order = told["lengths"].argsort(descending=True)
    return told | {"example": told["example"][order], "lengths": told["lengths"][order]}


def _causal(generator: torch.Generator) -> Told:
    return {"example": features(generator), "batch_first": True, "causal": True}


CASES = (
    Case(
        "a state that is not handed on",
        "time",
        "As good as a network without memory.",
        "order",
        Forgets,
        ByHand,
        plain,
    ),
    Case("a bag of steps", "time", "Order makes no difference.", "order", Bag, Classifier, plain),
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
        "order",
        ReadsFirst,
        Classifier,
        plain,
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
        plain,
    ),
    Case(
        "the last output of two directions",
        "time",
        "Hardly better than one direction.",
        "readout",
        LastOutput,
        TwoWayClassifier,
        plain,
    ),
    Case(
        "the backward direction alone",
        "time",
        "No better than one direction.",
        "readout",
        BackwardOnly,
        TwoWayClassifier,
        plain,
    ),
    Case(
        "the last column of padding",
        "padding",
        "Short sequences are answered by chance.",
        "padding",
        LastColumn,
        LastStep,
        padded,
    ),
    Case(
        "a mean over padding",
        "padding",
        "The answer depends on the longest of the batch.",
        "padding",
        MeanOfAll,
        MeanOfReal,
        padded,
    ),
    Case(
        "a backward reader that begins in padding",
        "padding",
        "The answer depends on the longest of the batch.",
        "padding",
        NoLengths,
        Packed,
        padded,
    ),
    Case(
        "a padded batch flipped as a whole",
        "padding",
        "The answer depends on the longest of the batch.",
        "padding",
        FlipsAll,
        FlipsEach,
        padded,
    ),
    Case(
        "sorted, and not put back",
        "padding",
        "Right alone, and chance in a batch.",
        "padding",
        SortedAway,
        SortedBack,
        padded,
    ),
    Case(
        "packing that wants sorted lengths",
        "padding",
        "It raises as soon as a batch is shuffled.",
        "padding",
        WantsSorted,
        TakesAny,
        _sorted_padded,
    ),
)
