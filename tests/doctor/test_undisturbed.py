"""Nothing of the caller's changes."""

import copy
import random

import numpy as np
import pytest
import torch
from torch import nn

from rnnlib.doctor import examine
from rnnlib.doctor.copies import copied, held, stirred


class Everything(nn.Module):
    """Batch normalization, dropout, a kept state, a frozen weight, something plain."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.rnn = nn.GRU(3, 8, 2, batch_first=True, dropout=0.5)
        self.readout = nn.Linear(8, 4)
        self.readout.bias.requires_grad_(False)
        self.scale = torch.ones(3)
        self.kept = [torch.zeros(8)]
        self.h = None
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        x = self.norm(x.transpose(1, 2)).transpose(1, 2) * self.scale
        x = x + 0 * random.random() + 0 * np.random.random()  # noqa: NPY002
        output, self.h = self.rnn(x, None if self.h is None else self.h[:, : len(x)])
        return self.readout(output)


def snapshot(model: nn.Module) -> dict:
    return {
        "weights": {name: t.detach().clone() for name, t, _ in held(model)},
        "ids": {name: id(t) for name, t, _ in held(model)},
        "gradients": {
            name: None if p.grad is None else p.grad.clone() for name, p in model.named_parameters()
        },
        "trained": {name: p.requires_grad for name, p in model.named_parameters()},
        "modes": {name: m.training for name, m in model.named_modules()},
        "hooks": {name: len(m._forward_hooks) for name, m in model.named_modules()},
        "random": (random.getstate(), torch.get_rng_state(), str(np.random.get_state())),  # noqa: NPY002
    }


def assert_same(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for key in one:
            assert_same(one[key], other[key])
    elif isinstance(one, tuple):
        for a, b in zip(one, other, strict=True):
            assert_same(a, b)
    elif isinstance(one, torch.Tensor):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
    else:
        assert one == other


@pytest.mark.parametrize("training", [True, False])
def test_the_model_its_gradients_and_all_random_states_are_as_before(training):
    torch.manual_seed(0)
    model = Everything().train(training)
    x, y = torch.randn(5, 8, 3), torch.randint(4, (5, 8))
    model(x).square().sum().backward()  # it keeps a state that is part of a graph
    model.norm.training = not training
    before, calls, inputs = snapshot(model), model.calls, (x.clone(), y.clone())
    report = examine(model, x, targets=y, lengths=torch.tensor([8, 3, 5, 8, 1]))
    assert len(report.findings) > 15
    assert_same(before, snapshot(model))
    assert model.calls == calls and model.h.grad_fn is not None
    assert_same(inputs, (x, y))


def test_also_when_the_model_raises():
    class Raises(Everything):
        def forward(self, x):
            super().forward(x)
            raise RuntimeError("halfway")

    model = Raises()
    before = snapshot(model)
    assert examine(model, torch.randn(5, 8, 3)).sick == ["call"]
    assert_same(before["weights"], snapshot(model)["weights"])


@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode])
def test_the_report_is_the_same_in_every_mode_and_under_every_seed(mode):
    torch.manual_seed(0)
    model, x = nn.LSTM(3, 8, batch_first=True), torch.randn(5, 8, 3)
    expected = str(examine(model, x, batch_first=True))
    torch.manual_seed(1)
    with mode():
        assert str(examine(model, x, batch_first=True)) == expected
        assert not torch.is_grad_enabled()
    with mode():
        made_inside = copy.deepcopy(nn.LSTM(3, 8, batch_first=True))
        assert examine(made_inside, x.clone(), batch_first=True).healthy


def test_what_a_model_holds_is_found_wherever_it_is():
    model = nn.Module()
    model.weight = nn.Parameter(torch.ones(2))
    model.register_buffer("mean", torch.ones(2))
    model.plain = torch.ones(2)
    model.several = [torch.ones(2), {"deep": (torch.ones(2),)}]
    model.hidden = [nn.Linear(2, 2)]
    found = {name: how for name, _, how in held(model)}
    assert found == {
        "weight": "parameter",
        "mean": "buffer",
        "plain": "plain",
        "several[0]": "plain",
        "several[1]['deep'][0]": "plain",
        "hidden[0].weight": "plain",
        "hidden[0].bias": "plain",
    }
    other = copied(model)
    assert {name for name, _, _ in held(other)} == set(found)
    moved = stirred(model, 0, 0.1)
    assert not torch.equal(moved.weight, model.weight) and torch.equal(moved.mean, model.mean)
    assert torch.equal(moved.plain, model.plain) and torch.equal(model.weight, torch.ones(2))
