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


def leak(model, x, other):
    changed = torch.cat([other[None], x[1:]])
    return (model(changed) - model(x)).abs()


def last(marks):
    return int(marks.nonzero()[-1])


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


class Sets(nn.Module):
    """A mean over all steps."""

    def __init__(self, D, H, K):
        super().__init__()
        self.layer, self.readout = nn.Linear(D, H), nn.Linear(H, K)

    def forward(self, x):
        return self.readout(torch.tanh(self.layer(x)).mean(dim=1))


class Frozen(OneDirection):
    """A recurrence that is not trained."""

    def __init__(self, D, H, K):
        super().__init__(D, H, K)
        self.rnn.requires_grad_(False)


def headed(head):
    return lambda D, H, K: nn.Sequential(OneDirection(D, H, K), head)


def flat(D, H, K):
    return nn.Sequential(nn.Flatten(), nn.Linear(9 * D, H), nn.Tanh(), nn.Linear(H, K))


def read_at(one, other):
    class Reads(ByTranspose):
        def forward(self, x):
            forward, backward = self.rnn(x.transpose(0, 1))[0].chunk(2, dim=-1)
            T = len(forward)
            return self.readout(torch.cat([forward[one(T)], backward[other(T)]], dim=-1))

    return Reads


def middle(T):
    return T // 2


RIGHT = [
    (check_leak, by_cat),
    (check_reach, by_list),
    (check_reach, lambda norms: torch.tensor([by_list(norms)])),
    (check_patient, read_at(lambda T: -1, lambda T: 0)),
    (check_patient, ByTranspose),
    (check_patient, OneDirection),
    (check_patient, MeanOfOutputs),
]

WRONG = [
    (check_leak, spoils_x, "x itself was changed"),
    (check_leak, lambda model, x, other: ..., "returns nothing yet"),
    (check_leak, lambda model, x, other: (model(x) - model(x)).abs().max(), "you gave 0, it is"),
    (check_leak, lambda model, x, other: leak(model, x, other)[2:].max(), "sample 1 is left out"),
    (check_reach, lambda norms: len(norms) - 1, "the last lag there is"),
    (check_reach, lambda norms: int((norms > 0).nonzero()[-1]), "you gave 14, it is 6"),
    (check_reach, lambda norms: by_list(norms) - 1, "you gave 5, it is 6"),
    (check_reach, lambda norms: last(norms >= norms.mean() / 100), "you gave 11, it is 6"),
    (check_reach, lambda norms: last(norms[1:] >= norms[:-1] / 100), "it is 6"),
    (check_reach, lambda norms: last(norms[1:] >= norms[:-1] / 100) + 1, "it is 6"),
    (check_reach, lambda norms: 3, "you gave 3, it is 6"),
    (check_reach, lambda norms: ..., "returns nothing yet"),
    (check_patient, lambda D, H, K: Patient, "call it with D, H and K"),
    (check_patient, lambda D, H, K: nn.GRU(D, H), "the doctor names"),
    (check_patient, lambda D, H, K: OneDirection(D, H, K + 1), "the doctor names targets"),
    (check_patient, HalfCured, "the backward half of output[:, -1] has read one step"),
    (check_patient, Frozen, "a new fault is in, in trainable"),
    (check_patient, headed(nn.Sigmoid()), "A sigmoid narrows the scores"),
    (check_patient, headed(nn.ReLU()), "A ReLU stands after the read-out"),
    (check_patient, flat, "and of 2 it raises RuntimeError"),
    (check_patient, read_at(lambda T: -2, lambda T: 1), "no gradient reaches rnn.weight_hh_l0"),
    (check_patient, read_at(middle, middle), "no gradient reaches rnn.weight_hh_l0_reverse"),
    (check_patient, Patient(3, 4, 5), "hand over Patient itself"),
    (check_patient, Bag, "the doctor names readout"),
    (check_patient, Sets, "a new fault is in, in order"),
    (check_patient, lambda D, H, K: ..., "returns nothing yet"),
]
