"""Errors as torch and rnnlib really raise them, and what they are said to mean."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

import rnnlib
from rnnlib.doctor.messages import KNOWN, diagnose, raised

X = torch.zeros(5, 7, 3)


class Slip(nn.Module):
    def init(self, size):
        super().__init__()
        self.layer = nn.Linear(size, size)


class NoSuper(nn.Module):
    def __init__(self):
        self.layer = nn.Linear(3, 3)


class Forwar(nn.Module):
    def forwar(self, x):
        return x


def second_backward():
    loss = torch.ones(1, requires_grad=True).exp().sum()
    loss.backward()
    loss.backward()


def in_place():
    h = torch.tanh(torch.ones(2, requires_grad=True))
    h += 1
    h.sum().backward()


def unpack_three():
    output, h, c = nn.RNN(3, 8)(X)
    return output, h, c


def two_devices():
    # As torch says it on a machine with a GPU.
    raise RuntimeError(
        "Expected all tensors to be on the same device, but found at least two devices, "
        "cuda:0 and cpu!"
    )


def empty():
    return pack_padded_sequence(X, torch.tensor([7, 7, 7, 7, 0]), batch_first=True)


RAISE = {
    "no method called forward": lambda: Forwar()(X),
    "does not call the constructor of nn.Module": NoSuper,
    "not called __init__": lambda: Slip(3),
    "never set": lambda: nn.RNN(3, 8).run,
    "take h_0 alone": lambda: nn.RNN(3, 8)(X, (X, X)),
    "return (output, state)": lambda: nn.Linear(8, 2)(nn.RNN(3, 8)(X)),
    "wrong number of parts": unpack_three,
    "inputs of another size": lambda: nn.RNN(10, 8)(X),
    "the samples second": lambda: nn.RNN(3, 8)(X, torch.zeros(7, 1, 8)),
    "reads three axes": lambda: nn.RNN(3, 8)(X[None]),
    "graph of the last update": second_backward,
    "was overwritten": in_place,
    "some on another": two_devices,
    "two dtypes": lambda: nn.RNN(3, 8)(torch.from_numpy(np.zeros((5, 7, 3)))),
    "lengths on the CPU": lambda: pack_padded_sequence(X, torch.ones(5, device="meta").long()),
    "they are not": lambda: pack_padded_sequence(X, torch.tensor([1, 2, 3, 4, 5]), True),
    "without a step": empty,
    "indices 0 to V - 1": lambda: nn.Embedding(3, 2)(torch.tensor([3])),
    "is number n - 1": lambda: X[torch.tensor([0]), torch.tensor([7])],
    "does not have": lambda: X[0].argmax(2),
    "different shapes": lambda: X + torch.zeros(4),
    "vectors of another size": lambda: nn.Linear(4, 2)(X),
    "other arguments": lambda: nn.Flatten().forward(X, X),
    "Whole numbers": lambda: torch.ones(3).long().softmax(0).item() and F.tanh(X.long()).mean(),
    "nothing can be trained": lambda: X.sum().backward(),
}
TWINS = {
    "take h_0 alone": lambda: rnnlib.RNN(3, 8)(X, (X, X)),
    "inputs of another size": lambda: rnnlib.RNN(10, 8)(X),
    "the samples second": lambda: rnnlib.RNN(3, 8)(X, torch.zeros(7, 1, 8)),
    "reads three axes": lambda: rnnlib.RNN(3, 8)(X[None]),
    "two dtypes": lambda: rnnlib.RNN(3, 8)(X.double()),
    "indices 0 to V - 1": lambda: F.cross_entropy(torch.zeros(2, 3), torch.tensor([0, 3])),
    "two dtypes ": lambda: nn.Embedding(3, 2)(torch.zeros(2)),
    "different shapes": lambda: torch.stack([torch.zeros(2), torch.zeros(3)]),
}


@pytest.mark.parametrize(("says", "code"), [*RAISE.items(), *TWINS.items()])
def test_what_is_raised_is_known(says, code):
    with pytest.raises(Exception) as caught:
        code()
    found = diagnose(caught.value)
    assert found is not None, repr(caught.value)
    assert says.strip() in found.meaning, (repr(caught.value), found.meaning)


def test_every_message_is_tried():
    tried = {says for says in RAISE} | {"returns nothing", "through argmax"}
    for _, meaning, cure, chapter in KNOWN:
        assert any(says in meaning for says in tried), meaning
        assert meaning.endswith(".") and cure and 1 <= chapter <= 17


def test_what_older_torch_says_is_known_too():
    said = diagnose(ValueError("input must have the type torch.float32, got type torch.float64"))
    assert "two dtypes" in said.meaning


def test_the_unknown_stays_unknown():
    assert diagnose(RuntimeError("the printer is on fire")) is None
    assert raised(ValueError("first.\nsecond")) == "It raised ValueError: first."
