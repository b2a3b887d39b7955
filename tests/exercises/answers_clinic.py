"""Answers to the exercises of chapter 17: right ones, and wrong ones with their messages."""

import torch
from torch import nn

from rnnlib.exercises.clinic import Patient, check_leak, check_patient, check_reach


def by_cat(model, x, other):
    with torch.no_grad():
        return float((model(torch.cat([other[None], x[1:]])) - model(x))[1:].abs().max())


def spoils_x(model, x, other):
    before = model(x)
    x[0] = other
    return (model(x) - before)[1:].abs().max()


def by_list(norms):
    most = max(norms.tolist())
    return max(k for k, norm in enumerate(norms.tolist()) if norm >= most / 100)


class ByTranspose(Patient):
    """Keeps the layer, and hands it what it reads."""

    def forward(self, x):
        output, _ = self.rnn(x.transpose(0, 1))
        forward, backward = output.chunk(2, dim=-1)
        return self.readout(torch.cat([forward[-1], backward[0]], dim=-1))


class OneDirection(nn.Module):
    """An LSTM that reads forward."""

    def __init__(self, D, H, K):
        super().__init__()
        self.rnn, self.readout = nn.LSTM(D, H, batch_first=True), nn.Linear(H, K)

    def forward(self, x):
        return self.readout(self.rnn(x)[0][:, -1])


class MeanOfOutputs(ByTranspose):
    """Reads both directions at every step."""

    def forward(self, x):
        return self.readout(self.rnn(x.transpose(0, 1))[0].mean(dim=0))


class HalfCured(ByTranspose):
    """The last step of both directions."""

    def forward(self, x):
        return self.readout(self.rnn(x.transpose(0, 1))[0][-1])


class Bag(ByTranspose):
    """Each step for itself."""

    def forward(self, x):
        each = torch.cat([self.rnn(x_t[None])[0][0][None] for x_t in x.unbind(1)])
        return self.readout(each.mean(dim=0))


RIGHT = [
    (check_leak, by_cat),
    (check_reach, by_list),
    (check_patient, ByTranspose),
    (check_patient, OneDirection),
    (check_patient, MeanOfOutputs),
]

WRONG = [
    (check_leak, spoils_x, "x itself was changed"),
    (check_leak, lambda model, x, other: ..., "returns nothing yet"),
    (check_leak, lambda model, x, other: (model(x) - model(x)).abs().max(), "you gave 0, it is"),
    (check_reach, lambda norms: len(norms) - 5, "you gave 7, it is 6"),
    (check_reach, lambda norms: 3, "you gave 3, it is 6"),
    (check_reach, lambda norms: ..., "returns nothing yet"),
    (check_patient, lambda D, H, K: Patient, "call it with D, H and K"),
    (check_patient, lambda D, H, K: nn.GRU(D, H), "the doctor names"),
    (check_patient, lambda D, H, K: OneDirection(D, H, K + 1), "the doctor names targets"),
    (check_patient, HalfCured, "the backward half of output[:, -1] has read one step"),
    (check_patient, Bag, "the doctor names order"),
    (check_patient, lambda D, H, K: ..., "returns nothing yet"),
]
