"""Padding: steps that are none, and count."""

import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnlib.doctor.cases.case import Case, D, Told, padded
from rnnlib.doctor.cases.networks import (
    Classifier,
    Tagger,
    TwoWayClassifier,
    run,
)


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

    def forward(self, x, lengths):
        """Return the backward reader's states."""
        return run(self.back, x.flip(1).unbind(1)).flip(1)


class FlipsEach(FlipsAll):
    """A backward reader that flips each sequence within its own length."""

    def forward(self, x, lengths):
        """Return the backward reader's states."""
        t = torch.arange(x.size(1), device=x.device)
        at = lengths.to(x.device)[:, None] - 1 - t
        at = torch.where(at >= 0, at, t)[..., None]  # (N, T, 1)
        states = run(self.back, x.gather(1, at.expand_as(x)).unbind(1))
        return states.gather(1, at.expand_as(states))


class SortedAway(Classifier):
    """Sorted by length to be packed, and left in that order."""

    def forward(self, x, lengths):
        """One answer for each sequence."""
        order = lengths.argsort(descending=True)
        steps = lengths[order].cpu()
        packed = pack_padded_sequence(x[order], steps, batch_first=True)
        return self.readout(self.rnn(packed)[1][-1])


class SortedBack(Classifier):
    """Sorted by length to be packed, and put back."""

    def forward(self, x, lengths):
        """One answer for each sequence."""
        order = lengths.argsort(descending=True)
        steps = lengths[order].cpu()
        packed = pack_padded_sequence(x[order], steps, batch_first=True)
        return self.readout(self.rnn(packed)[1][-1][order.argsort()])


class WantsSorted(Tagger):
    """Packing that is told the lengths are sorted."""

    def forward(self, x, lengths):
        """Answer at every step."""
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True)
        states, _ = self.rnn(packed)
        output, _ = pad_packed_sequence(states, batch_first=True)
        return self.readout(output)


class TakesAny(Tagger):
    """Packing that sorts by itself."""

    def forward(self, x, lengths):
        """Answer at every step."""
        packed = pack_padded_sequence(x, lengths.cpu(), batch_first=True, enforce_sorted=False)
        states, _ = self.rnn(packed)
        output, _ = pad_packed_sequence(states, batch_first=True)
        return self.readout(output)


def _sorted_padded(generator: torch.Generator) -> Told:
    told = padded(generator)
    order = told["lengths"].argsort(descending=True)
    return told | {
        "example": told["example"][order],
        "lengths": told["lengths"][order],
    }


CASES = (
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
