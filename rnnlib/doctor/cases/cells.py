"""Cells with a state of two parts, of which one is lost on the way."""

from torch import nn

from rnnlib.doctor.cases.case import Case, D, K


class OfCells(nn.Module):
    """An LSTM, step by step, read at the end."""

    def __init__(self, H):
        super().__init__()
        self.cell = nn.LSTMCell(D, H)
        self.readout = nn.Linear(H, K)

    def forward(self, x):
        """One answer for each sequence."""
        h = c = x.new_zeros(len(x), self.cell.hidden_size)
        for x_t in x.unbind(1):
            h, c = self.cell(x_t, (h, c))
        return self.readout(h)


class Exchanged(OfCells):
    """What is returned first is called c."""

    def forward(self, x):
        """One answer for each sequence."""
        h = c = x.new_zeros(len(x), self.cell.hidden_size)
        for x_t in x.unbind(1):
            c, h = self.cell(x_t, (h, c))
        return self.readout(h)


class ThrownAway(OfCells):
    """The second part of the state is not handed on."""

    def forward(self, x):
        """One answer for each sequence."""
        h = c = x.new_zeros(len(x), self.cell.hidden_size)
        for x_t in x.unbind(1):
            h, _ = self.cell(x_t, (h, c))
        return self.readout(h)


CASES = (
    Case(
        "h and c exchanged",
        "time",
        "It learns, and remembers less far.",
        "carried",
        Exchanged,
        OfCells,
    ),
    Case(
        "c thrown away",
        "time",
        "Chance, for all but the last few steps.",
        "carried",
        ThrownAway,
        OfCells,
    ),
)
