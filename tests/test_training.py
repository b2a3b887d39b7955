"""The loop does what a loop written by hand does, and measures what it says."""

import functools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from rnnlib.device import seed_everything
from rnnlib.layers import RNN
from rnnlib.models import SequenceClassifier, SequenceTagger
from rnnlib.tasks import NextRandomSymbol, NextSymbol
from rnnlib.training import (
    Evaluation,
    History,
    NonFiniteLossError,
    _pairs,
    evaluate,
    fit,
    predict,
)

fit = functools.partial(fit, progress=False)

D, K = 3, 4


def linear(outputs=K, dtype=torch.float64):
    torch.manual_seed(0)
    return nn.Linear(D, outputs, dtype=dtype)


def make_batches(*sizes, steps=(), outputs=None, dtype=torch.float64):
    """Return batches of these sizes; y holds classes, or with `outputs` that many values."""
    generator = torch.Generator().manual_seed(1)
    batches = []
    for size in sizes:
        x = torch.randn(size, *steps, D, generator=generator, dtype=dtype)
        y = torch.randint(K, (size, *steps), generator=generator)
        if outputs:
            y = torch.randn(size, *steps, outputs, generator=generator, dtype=dtype)
        batches.append((x, y))
    return batches


def joined(batches):
    return tuple(torch.cat(parts) for parts in zip(*batches, strict=True))


@pytest.mark.parametrize("clip_norm", [None, 0.1, math.inf])
@pytest.mark.parametrize("outputs", [None, 2])
@pytest.mark.parametrize(
    "optimizer", [torch.optim.Adam, functools.partial(torch.optim.SGD, momentum=0.9)]
)
def test_fit_is_the_loop_written_by_hand(clip_norm, outputs, optimizer):
    batches = make_batches(5, 5, 2, outputs=outputs)
    ours, theirs = linear(outputs or K), linear(outputs or K)
    history = fit(ours, batches, epochs=3, lr=0.05, optimizer=optimizer, clip_norm=clip_norm)

    stepper = optimizer(theirs.parameters(), lr=0.05)
    norms = []
    for _ in range(3):
        for x, y in batches:
            stepper.zero_grad()
            (F.mse_loss if outputs else F.cross_entropy)(theirs(x), y).backward()
            if clip_norm is not None:
                norms.append(nn.utils.clip_grad_norm_(theirs.parameters(), clip_norm).item())
            stepper.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-12, atol=1e-12)
    expected = np.reshape(norms, (-1, 3)).mean(1) if norms else []
    np.testing.assert_allclose(history.gradient_norm, expected, rtol=1e-12)


def test_the_default_is_adam_with_a_rate_of_a_thousandth():
    ours, theirs = linear(), linear()
    batches = make_batches(5)
    fit(ours, batches, epochs=2)
    fit(theirs, batches, epochs=2, optimizer=torch.optim.Adam(theirs.parameters(), lr=0.001))
    assert torch.equal(ours.weight, theirs.weight)


def test_the_norm_is_that_before_clipping_and_the_step_that_after():
    model, batches = linear(), make_batches(5)
    before = model.weight.detach().clone(), model.bias.detach().clone()
    history = fit(model, batches, epochs=1, lr=1.0, optimizer=torch.optim.SGD, clip_norm=0.01)
    step = [a - b for a, b in zip(before, model.parameters(), strict=True)]
    assert history.gradient_norm[0] > 0.1
    assert abs(sum(s.square().sum() for s in step).sqrt().item() - 0.01) < 1e-6


def test_the_loss_of_an_epoch_is_the_mean_over_samples():
    batches = make_batches(6, 6, 1)
    model = linear()
    x, y = joined(batches)
    whole = F.cross_entropy(model(x), y).item()
    by_batch = sum(F.cross_entropy(model(x), y).item() for x, y in batches) / 3
    assert abs(whole - by_batch) > 0.01
    history = fit(model, batches, epochs=2, lr=0.0)  # measures, changes nothing
    assert history.loss == pytest.approx([whole, whole], rel=1e-12)
    right = (model(x).argmax(-1) == y).double().mean().item()
    assert 0 < right < 1
    assert history.accuracy == pytest.approx([right, right], rel=1e-12)
    measured = evaluate(model, batches)
    assert (measured.loss, measured.accuracy) == pytest.approx((whole, right), rel=1e-12)


@pytest.mark.parametrize(
    "loss",
    [
        None,
        F.cross_entropy,
        nn.CrossEntropyLoss(),
        nn.CrossEntropyLoss(label_smoothing=0.2),
        nn.CrossEntropyLoss(ignore_index=2),
    ],
)
def test_cross_entropy_of_steps_compares_each_step_with_its_class(loss):
    # As many steps as classes, so that mixing them up would raise no error.
    batches = make_batches(5, 3, steps=(K,))
    ignored = getattr(loss, "ignore_index", -100)
    batches[0][1][:, -1] = ignored
    model = linear()
    x, y = joined(batches)
    logits = model(x)
    counted = y != ignored
    expected = (loss or F.cross_entropy)(logits[counted], y[counted]).item()
    right = (logits.argmax(-1) == y)[counted].double().mean().item()
    found = evaluate(model, batches, loss)
    assert (found.loss, found.accuracy) == pytest.approx((expected, right), rel=1e-12)


def test_other_losses_are_called_as_they_are_and_values_have_no_accuracy():
    batches = make_batches(4, 2, outputs=2)
    model = linear(2)
    x, y = joined(batches)
    assert evaluate(model, batches).loss == pytest.approx(F.mse_loss(model(x), y).item())
    assert evaluate(model, batches, F.l1_loss).loss == pytest.approx(F.l1_loss(model(x), y).item())
    history = fit(model, batches, epochs=2, validation=batches)
    assert history.accuracy == history.validation_accuracy == []
    assert evaluate(model, batches).accuracy is None
    assert [len(history.loss), len(history.validation_loss)] == [2, 2]


def test_validation_is_measured_after_each_epoch_and_teaches_nothing():
    batches, held_out = make_batches(6), make_batches(5, 2)
    ours, theirs = linear(), linear()
    history = fit(ours, batches, epochs=3, validation=held_out)
    optimizer = torch.optim.Adam(theirs.parameters())
    for epoch in range(3):
        fit(theirs, batches, epochs=1, optimizer=optimizer)
        expected = evaluate(theirs, held_out)
        assert history.validation_loss[epoch] == pytest.approx(expected.loss, rel=1e-12)
        assert history.validation_accuracy[epoch] == expected.accuracy
    assert history.validation_loss != history.loss


class Watcher(nn.Module):
    """Remembers in which mode it was called, and whether gradients were recorded."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(D, K, dtype=torch.float64))
        self.seen = []

    def forward(self, x):
        self.seen.append((self.training, torch.is_grad_enabled()))
        return x @ self.weight


@pytest.mark.parametrize("mode", [True, False])
def test_the_modes_are_set_and_given_back(mode):
    watcher, dropout = Watcher().train(mode), nn.Dropout().train(not mode)
    model = nn.Sequential(watcher, dropout)
    model.training = mode
    before = [module.training for module in model.modules()]
    batches = make_batches(2)
    fit(model, batches, epochs=2, validation=batches)
    assert watcher.seen == [(True, True), (False, False)] * 2
    evaluate(model, batches)
    predict(model, batches)
    assert watcher.seen[4:] == [(False, False)] * 2
    for call in (fit, evaluate, predict):
        with pytest.raises(ValueError, match="at least one batch"):
            call(model, [], **({"epochs": 1} if call is fit else {}))
    assert [module.training for module in model.modules()] == before


def test_evaluating_changes_nothing():
    model = linear()
    fit(model, make_batches(3), epochs=1)
    grads, weights = model.weight.grad.clone(), model.weight.detach().clone()
    evaluate(model, make_batches(4))
    predict(model, make_batches(4))
    assert torch.equal(model.weight.grad, grads) and torch.equal(model.weight, weights)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_stops_and_loses_nothing(bad):
    calls, weights = [], []

    def loss(prediction, y):
        calls.append(1)
        weights.append(model.weight.detach().clone())
        return F.cross_entropy(prediction, y) * (bad if len(calls) == 8 else 1)

    model = linear().eval()
    with pytest.raises(NonFiniteLossError, match=rf"got {bad} in epoch 3 of 5, batch 2\b") as info:
        fit(model, make_batches(4, 4, 4), epochs=5, loss=loss)
    assert len(info.value.history.loss) == len(info.value.history.accuracy) == 2
    assert torch.equal(model.weight, weights[-1]) and not torch.equal(*weights[-2:])
    assert not model.training
    assert isinstance(info.value, ArithmeticError)


x, y = make_batches(3)[0]


@pytest.mark.parametrize(
    ("batches", "kind", "said"),
    [
        ([], ValueError, "at least one batch, got none"),
        (DataLoader([]), ValueError, "at least one batch, got none"),
        (((x, y) for _ in range(2)), TypeError, "got generator, which is spent"),
        (iter([(x, y)]), TypeError, "got list_iterator"),
        ((x, y), TypeError, r"got \(Tensor\); one batch is \[\(x, y\)\]"),
        ([(x, y, y)], TypeError, r"got \(Tensor, Tensor, Tensor\)"),
        ([(x.numpy(), y.numpy())], TypeError, r"of tensors, got \(ndarray, ndarray\)"),
        ([(x, y[:2])], ValueError, r"of shape \(2,\), got \(3, 4\)"),
        ([(x, y[:, None])], ValueError, r"of shape \(3, 1\), got \(3, 4\)"),
        ([(x, y.double())], ValueError, r"values for values of shape \(3,\), got \(3, 4\)"),
        ([(x, y.double()[:, None])], ValueError, r"of shape \(3, 1\), got \(3, 4\)"),
        ([(x, torch.full_like(y, -100))], ValueError, "targets that count, got none"),
        ([(x, y + K)], IndexError, "out of bounds"),
    ],
)
@pytest.mark.parametrize("call", [functools.partial(fit, epochs=2), evaluate])
def test_bad_batches_are_refused(batches, kind, said, call):
    with pytest.raises(kind, match=said):
        call(linear(), batches)


def test_values_that_would_broadcast_are_refused():
    with pytest.raises(ValueError, match=r"of shape \(3,\), got \(3, 1\)"):
        fit(linear(1), [(x, torch.zeros(3, dtype=torch.float64))], epochs=1, loss=F.mse_loss)


def test_a_model_that_returns_a_pair_is_refused():
    with pytest.raises(TypeError, match="expected two Tensors, got tuple and Tensor"):
        fit(RNN(D, K, dtype=torch.float64), [(x, y)], epochs=1)


@pytest.mark.parametrize(
    ("options", "kind", "said"),
    [
        ({"epochs": 0}, ValueError, "epochs must be greater than zero, got 0"),
        ({"epochs": 1.5}, TypeError, "epochs should be of type int, got: float"),
        ({"clip_norm": 0}, ValueError, "clip_norm: expected a positive number or None, got 0"),
        ({"clip_norm": math.nan}, ValueError, "clip_norm: .* got nan"),
        ({"loss": nn.CrossEntropyLoss(reduction="none")}, ValueError, r"got shape \(3,\)"),
        ({"validation": []}, ValueError, "at least one batch"),
        ({"device": "tpu"}, ValueError, "expected one of cpu, cuda"),
        (
            {"optimizer": torch.optim.SGD(linear().parameters()), "lr": 0.1},
            ValueError,
            "lr: expected None .* got 0.1",
        ),
        ({"optimizer": torch.optim.SGD(linear().parameters())}, ValueError, "got another's"),
    ],
)
def test_bad_options_are_refused(options, kind, said):
    with pytest.raises(kind, match=said):
        fit(linear(), [(x, y)], **{"epochs": 1} | options)


def test_history_tells_its_epochs():
    history = History(loss=[2.0, 1.0, 0.5, 0.25, 0.125], accuracy=[0.1, 0.2, 0.3, 0.4, 0.98765])
    assert repr(history) == "History of 5 epochs, loss 2 → 0.125, accuracy 0.1 → 0.988"
    assert [row["epoch"] for row in history.rows()] == [1, 2, 3, 4, 5]
    assert history.rows(every=2) == [
        {"epoch": 2, "loss": 1.0, "accuracy": 0.2},
        {"epoch": 4, "loss": 0.25, "accuracy": 0.4},
        {"epoch": 5, "loss": 0.125, "accuracy": 0.98765},
    ]
    assert history.rows(5) == history.rows(100) == history.rows(4)[1:]
    assert History().rows() == [] and repr(History()) == "History of 0 epochs"
    with pytest.raises(ValueError, match="every must be greater than zero, got 0"):
        history.rows(0)


@pytest.mark.parametrize("batches", [make_batches(2, 2), DataLoader(TensorDataset(x, y))])
def test_progress_is_shown_on_stderr_alone(capsys, batches):
    fit(linear(), batches, epochs=2, progress=True)
    out, err = capsys.readouterr()
    assert out == "" and "epoch 2/2" in err and "loss=" in err and "100%" in err
    fit(linear(), batches, epochs=2)
    assert capsys.readouterr() == ("", "")


def test_predict_joins_answers_and_targets_in_order(device):
    batches = make_batches(3, 2, 1)
    x, y = joined(batches)
    model = linear().to(device)
    predictions, targets = predict(model, batches)
    assert torch.equal(targets, y) and not predictions.requires_grad
    assert predictions.device.type == targets.device.type == "cpu"
    torch.testing.assert_close(predictions, linear()(x).detach(), rtol=0, atol=1e-12)


def test_model_and_batches_move_to_the_device(device):
    model = linear()
    fit(model, make_batches(3), epochs=1, device=device)
    assert model.weight.device.type == device.type
    fit(model, make_batches(3), epochs=1, validation=make_batches(2))
    fit(model, make_batches(3), epochs=1, device=str(device))
    # Seen on a machine with one device too.
    for part in next(_pairs(make_batches(3), model.to("meta"))):
        assert part.device.type == "meta"


def test_a_model_without_parameters_can_be_evaluated():
    assert evaluate(nn.Identity(), [(torch.eye(3), torch.arange(3))]).accuracy == 1.0
    assert Evaluation(0.0, None) == Evaluation(loss=0.0, accuracy=None)


def test_hello_becomes_elloh_the_same_way_each_time(device):
    task = NextSymbol(symbols=(1, 0, 2, 2, 3), num_symbols=4)
    runs = []
    for _ in range(2):
        seed_everything(0)
        model = SequenceTagger(RNN(4, 8, batch_first=True), 4)
        history = fit(model, [task.sample()], epochs=40, lr=0.1, device=device)
        runs.append(history.loss)
    assert history.loss[0] > 1 and history.loss[-1] < 0.05 < task.memoryless_floor
    assert history.accuracy[-1] == 1.0
    predictions, targets = predict(model, [task.sample()])
    assert torch.equal(predictions.argmax(-1), targets)
    assert runs[0] == runs[1] or device.type != "cpu"


def test_only_reading_backwards_helps_where_the_future_is_asked_for(device):
    task = NextRandomSymbol(num_symbols=3, num_steps=6)
    batches = [task.sample(32, torch.Generator().manual_seed(i)) for i in range(2)]
    accuracy = {}
    for bidirectional in (False, True):
        seed_everything(0)
        layer = RNN(3, 8, batch_first=True, bidirectional=bidirectional)
        model = SequenceTagger(layer, 3)
        accuracy[bidirectional] = fit(model, batches, epochs=25, lr=0.1, device=device).accuracy
    assert accuracy[True][-1] > 0.99 and accuracy[False][-1] < 0.6


def test_a_classifier_learns_from_a_shuffled_loader(device):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(96, 4, 2, generator=generator)
    y = (x[:, 0, 0] > 0).long()  # the first step decides
    loader = DataLoader(TensorDataset(x, y), batch_size=32, shuffle=True, generator=generator)
    seed_everything(0)
    model = SequenceClassifier(RNN(2, 8, batch_first=True), 2)
    history = fit(model, loader, epochs=20, lr=0.05, clip_norm=1.0, device=device)
    assert history.accuracy[-1] > 0.95 > 0.8 > history.accuracy[0]
    assert len(history.gradient_norm) == 20
