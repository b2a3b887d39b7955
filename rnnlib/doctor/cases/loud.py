"""Mistakes that raise an error as soon as the model is called."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnnlib.doctor.cases.data import OfRows
from rnnlib.doctor.cases.networks import Characters, Classifier


@dataclass(frozen=True)
class Loud:
    """A mistake that raises.

    Attributes
    ----------
    name : str
    model : callable
        From the hidden size to a model.
    example : callable
        From a generator to a batch that makes it raise.
    says : str
        A part of what the doctor says it means.
    """

    name: str
    model: Callable[[int], nn.Module]
    example: Callable[[torch.Generator], Tensor]
    says: str


class Forwar(Classifier):
    """A slip of the pen in the name of forward."""

    forward = nn.Module.forward

    def forwar(self, x):
        """Answer from the last step."""
        return self.readout(self.rnn(x)[0][:, -1])


class WrongName(Classifier):
    """One name in __init__, another in forward."""

    def forward(self, x):
        """Answer from the last step."""
        return self.readout(self.run(x)[0][:, -1])


class StateOfLSTM(Classifier):
    """(h_0, c_0) for a layer that has no c."""

    def forward(self, x):
        """Answer from the last step."""
        h_0 = x.new_zeros(1, len(x), self.rnn.hidden_size)
        return self.readout(self.rnn(x, (h_0, h_0))[0][:, -1])


class TupleToLayer(Classifier):
    """What the recurrent layer returned is handed on whole."""

    def forward(self, x):
        """Answer at every step."""
        return self.readout(self.rnn(x))


class ThreeParts(Classifier):
    """Output and two states, of a layer that has one."""

    def forward(self, x):
        """Answer from the last step."""
        output, h, c = self.rnn(x)
        return self.readout(output[:, -1] + h + c)


class BatchFirstState(Classifier):
    """A first state with samples first."""

    def forward(self, x):
        """Answer from the last step."""
        h_0 = x.new_zeros(len(x), 1, self.rnn.hidden_size)
        return self.readout(self.rnn(x, h_0)[0][:, -1])


class WrongAxis(Classifier):
    """An axis that a tensor of two has not."""

    def forward(self, x):
        """Answer from the last step."""
        return super().forward(x).softmax(dim=2)


class Chooses(Classifier):
    """The answer is a choice, and no score."""

    def forward(self, x):
        """Answer from the last step."""
        return super().forward(x).argmax(dim=-1)


class HalfReadout(nn.Module):
    """A read-out of H features after a layer in two directions."""

    def __init__(self, H):
        super().__init__()
        self.rnn = nn.RNN(3, H, batch_first=True, bidirectional=True)
        self.readout = nn.Linear(H, 4)

    def forward(self, x):
        """Answer at every step."""
        return self.readout(self.rnn(x)[0])


class StacksStep(Classifier):
    """A step by hand that stacks input and state where it should join them."""

    def __init__(self, H):
        super().__init__(H)
        self.step = nn.Linear(3 + H, H)

    def forward(self, x):
        """Answer from the last step."""
        h = x.new_zeros(len(x), self.step.out_features)
        for x_t in x.unbind(1):
            h = torch.tanh(self.step(torch.stack([x_t, h], dim=-1)))
        return self.readout(h)


def _features(*shape: int):
    return lambda generator: torch.randn(shape, generator=generator)


LOUD = (
    Loud(
        "forwar for forward",
        Forwar,
        _features(6, 10, 3),
        "no method called forward",
    ),
    Loud(
        "self.run for self.rnn",
        WrongName,
        _features(6, 10, 3),
        "spelt in two ways",
    ),
    Loud(
        "(h_0, c_0) given to an RNN",
        StateOfLSTM,
        _features(6, 10, 3),
        "take h_0 alone",
    ),
    Loud(
        "a tuple given to a layer",
        TupleToLayer,
        _features(6, 10, 3),
        "return (output, state)",
    ),
    Loud(
        "three parts for two",
        ThreeParts,
        _features(6, 10, 3),
        "wrong number of parts",
    ),
    Loud(
        "a state with samples first",
        BatchFirstState,
        _features(6, 10, 3),
        "samples second",
    ),
    Loud(
        "an axis that is not there",
        WrongAxis,
        _features(6, 10, 3),
        "does not have",
    ),
    Loud(
        "a choice for scores",
        Chooses,
        _features(6, 10, 3),
        "through argmax",
    ),
    Loud(
        "a read-out of one direction",
        HalfReadout,
        _features(6, 10, 3),
        "another size than",
    ),
    Loud("stack for cat", StacksStep, _features(6, 10, 3), "different shapes"),
    Loud(
        "images with a channel",
        OfRows,
        _features(6, 1, 28, 28),
        "reads three axes",
    ),
    Loud(
        "input_size of another size",
        Classifier,
        _features(6, 10, 28),
        "inputs of another size",
    ),
    Loud(
        "numbers of NumPy",
        Classifier,
        lambda generator: torch.randn(6, 10, 3, generator=generator, dtype=torch.float64),
        "two dtypes",
    ),
    Loud(
        "a symbol too many",
        Characters,
        lambda generator: torch.full((6, 10), 7),
        "has indices 0 to V - 1",
    ),
)
