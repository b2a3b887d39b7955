"""The loop does what a loop written by hand does, and measures what it says."""

import functools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils.data import (
    BatchSampler,
    DataLoader,
    IterableDataset,
    RandomSampler,
    SubsetRandomSampler,
    TensorDataset,
)

from rnnlib import training
from rnnlib.data.batches import served
from rnnlib.data.tasks import NextRandomSymbol, NextSymbol
from rnnlib.device import seed_everything
from rnnlib.layers import GRU, LSTM, RNN
from rnnlib.models import SequenceClassifier, SequenceTagger
from rnnlib.training import (
    Evaluation,
    History,
    NonFiniteLossError,
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
        ([(x, y, y, y)], TypeError, r"got \(Tensor, Tensor, Tensor, Tensor\)"),
        ([()], TypeError, r"got \(tuple\)"),
        ([((), y)], TypeError, r"got \(tuple, Tensor\)"),
        ([((x, 1), y)], TypeError, r"got \(tuple, Tensor\)"),
        ([[(x, y), (x, y)]], TypeError, r"got \(tuple, tuple\)"),
        ([(x.numpy(), y.numpy())], TypeError, r"of tensors, got \(ndarray, ndarray\)"),
        ([(x, y[:2])], ValueError, r"of shape \(2,\), got \(3, 4\)"),
        ([(x, y[:, None])], ValueError, r"of shape \(3, 1\), got \(3, 4\)"),
        ([(x, y.double())], ValueError, r"values for values of shape \(3,\), got \(3, 4\)"),
        ([(x, y.double()[:, None])], ValueError, r"of shape \(3, 1\), got \(3, 4\)"),
        ([(x, torch.full_like(y, -100))], ValueError, "targets that count, got none"),
        ([(x, y + K)], IndexError, "y: expected classes from 0 to 3, .*, got 5 to 6"),
        ([(x, y - K)], IndexError, "y: expected classes from 0 to 3, .*, got -3 to -2"),
        (None, TypeError, "batches: expected a DataLoader or a list of batches, got NoneType$"),
        (lambda: [(x, y)], TypeError, "got function; call it for what it makes"),
        ([(x, y), (x, torch.zeros(3, K).double())], ValueError, "or values in all, got both"),
        ([(x, torch.zeros(3, K).cfloat())], TypeError, "real numbers, .*float64 and .*complex64"),
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
    said = r"got tuple and Tensor; of a model that returns \(prediction, state\), carry_state=True"
    with pytest.raises(TypeError, match=said):
        fit(RNN(D, K, dtype=torch.float64), [(x, y)], epochs=1)


class Sum(nn.Module):
    """Takes two inputs, and maps their sum."""

    def __init__(self):
        super().__init__()
        self.map = linear()

    def forward(self, a, b):
        return self.map(a + b)


@pytest.mark.parametrize("form", [tuple, list])  # a DataLoader makes lists
def test_a_tuple_is_the_models_arguments_in_order(form):
    batches = make_batches(5, 2)
    ours, theirs = Sum(), linear()
    pairs = [(form((x - 1, torch.ones_like(x))), y) for x, y in batches]
    history = fit(ours, pairs, epochs=2, lr=0.1, validation=pairs)
    expected = fit(theirs, batches, epochs=2, lr=0.1, validation=batches)
    np.testing.assert_allclose(history.validation_loss, expected.validation_loss, rtol=1e-12)
    torch.testing.assert_close(predict(ours, pairs), predict(theirs, batches))
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        evaluate(ours, batches)


class Masked(nn.Module):
    """Answers at every step; remembers the lengths it was given."""

    def __init__(self, outputs=K, pool=False):
        super().__init__()
        self.map, self.pool, self.seen = linear(outputs), pool, []

    def forward(self, x, lengths):
        self.seen.append(lengths.tolist())
        y = self.map(x)
        return y.sum(1) if self.pool else y


LENGTHS = (torch.tensor([2, 4, 1]), torch.tensor([3, 3]))


def padded_batches(outputs=None, padding=0):
    """Return (x, y, lengths) with any nonsense in the padding, and each sequence by itself."""
    batches, alone = [], []
    for (x, y), lengths in zip(
        make_batches(3, 2, steps=(4,), outputs=outputs), LENGTHS, strict=True
    ):
        alone += [(x[i, :n], y[i, :n]) for i, n in enumerate(lengths)]
        for i, n in enumerate(lengths):
            x[i, n:], y[i, n:] = 1e6, padding
        batches.append((x, y, lengths))
    return batches, alone


@pytest.mark.parametrize("outputs", [None, 2, 4])  # 4: as many values as steps
@pytest.mark.parametrize("padding", [0, -100, 77])
@pytest.mark.parametrize("loss", [None, "given"])
def test_steps_of_padding_count_nowhere(outputs, padding, loss):
    batches, alone = padded_batches(outputs, padding)
    if loss:
        loss = F.l1_loss if outputs else nn.CrossEntropyLoss(label_smoothing=0.1)
    model = Masked(outputs or K)
    x, y = joined(alone)  # (13, D): the real steps alone
    logits = model.map(x)
    value = (loss or (F.mse_loss if outputs else F.cross_entropy))(logits, y).item()
    right = None if outputs else (logits.argmax(-1) == y).double().mean().item()

    found = evaluate(model, batches, loss)
    assert found.loss == pytest.approx(value, rel=1e-12) and found.accuracy == right
    assert model.seen == [[2, 4, 1], [3, 3]]
    history = fit(model, batches, epochs=1, lr=0.0, loss=loss)
    assert history.loss == pytest.approx([value], rel=1e-12)
    assert history.accuracy == ([] if outputs else [right])


@pytest.mark.parametrize("outputs", [None, 2])
def test_padding_teaches_nothing(outputs):
    batches, alone = padded_batches(outputs)
    x, y = joined(alone[:3])
    ours, theirs = Masked(outputs or K), linear(outputs or K)
    options = dict(epochs=3, lr=0.1, clip_norm=0.5)
    history = fit(ours, batches[:1], **options)
    expected = fit(theirs, [(x, y)], **options)
    assert history.gradient_norm == pytest.approx(expected.gradient_norm, rel=1e-12)
    torch.testing.assert_close(ours.map.weight, theirs.weight, rtol=0, atol=1e-12)


def test_classes_of_minus_100_are_left_out_of_the_real_steps_too():
    (batch, _), alone = padded_batches()
    x, y, lengths = batch
    y[1, 0] = -100
    kept, targets = joined([alone[0], (alone[1][0][1:], alone[1][1][1:]), alone[2]])
    model = Masked()
    expected = F.cross_entropy(model.map(kept), targets).item()
    assert evaluate(model, [(x, y, lengths)]).loss == pytest.approx(expected, rel=1e-12)
    y[0, :2] = y[1] = y[2, 0] = -100
    with pytest.raises(ValueError, match="targets that count, got none"):
        evaluate(model, [(x, y, lengths)])


def test_predict_gives_the_real_steps_sequence_after_sequence():
    batches, alone = padded_batches()
    model = Masked()
    predictions, targets = predict(model, batches)
    torch.testing.assert_close(predictions, model.map(joined(alone)[0]).detach())
    assert torch.equal(targets, joined(alone)[1])
    pieces = targets.split(torch.cat(LENGTHS).tolist())
    assert all(torch.equal(a, y) for a, (_, y) in zip(pieces, alone, strict=True))


@pytest.mark.parametrize("outputs", [None, 1, 2, "one number"])
def test_one_answer_a_sequence_has_no_padding(outputs):
    x, _ = make_batches(3, steps=(4,))[0]
    lengths = torch.tensor([2, 4, 1])
    if outputs is None:
        y, loss = torch.tensor([0, 3, 1]), F.cross_entropy
    else:
        shape = (3,) if outputs == "one number" else (3, outputs)
        y, loss = torch.randn(shape, dtype=torch.float64), F.mse_loss
    model = Masked({None: K, "one number": 1}.get(outputs, outputs), pool=True)
    if outputs == "one number":
        model = nn.ModuleDict({"inner": model})
        model.forward = lambda x, lengths: model["inner"](x, lengths).squeeze(-1)
    expected = loss(model(x, lengths), y).item()
    assert evaluate(model, [(x, y, lengths)]).loss == pytest.approx(expected, rel=1e-12)
    assert torch.equal(predict(model, [(x, y, lengths)])[1], y)


xs, ys = make_batches(3, steps=(4,))[0]
good = torch.tensor([2, 4, 1])


@pytest.mark.parametrize(
    ("batch", "kind", "said"),
    [
        ((xs, ys, good.int()), TypeError, "lengths: expected int64, got torch.int32"),
        ((xs, ys, good.double()), TypeError, "lengths: expected int64, got torch.float64"),
        ((xs, ys, good.tolist()), TypeError, r"got \(Tensor, Tensor, list\)"),
        ((xs, ys, good * 0), ValueError, "lengths: expected at least 1, got 0"),
        ((xs, ys, good - 2), ValueError, "lengths: expected at least 1, got -1"),
        ((xs, ys, good + 1), ValueError, "lengths: expected at most 4, the steps there are, got 5"),
        ((xs, ys, good[:2]), ValueError, r"of 3 sequences, shape \(3,\), got \(2,\)"),
        ((xs, ys, good[:, None]), ValueError, r"shape \(3,\), got \(3, 1\)"),
        ((xs, good, ys), ValueError, r"shape \(3,\), got \(3, 4\)"),
        ((xs[0, 0], ys, good), TypeError, r"x: expected a Tensor \(N, T, …\) .* got \(3,\)"),
        (((xs, xs), ys, good), TypeError, r"x: expected a Tensor .* got tuple"),
        ((xs, ys[:, :3], good), ValueError, r"of shape \(3, 3\), got \(3, 4, 4\)"),
        ((xs, ys[:, :, None], good), ValueError, r"of shape \(3, 4, 1\), got \(3, 4, 4\)"),
        ((xs, ys.double(), good), ValueError, r"of shape \(3, 4\), got \(3, 4, 4\)"),
    ],
)
@pytest.mark.parametrize("call", [functools.partial(fit, epochs=1), evaluate, predict])
def test_bad_lengths_are_refused(batch, kind, said, call):
    with pytest.raises(kind, match=said):
        call(Masked(), [batch])


@pytest.mark.parametrize(
    ("shape", "values", "said"),
    [
        # Neither is T at axis 1, so nobody could say which steps are real.
        ((3, 5), False, r"expected \(N,\) or \(N, T\) classes with N, T = \(3, 4\) .* \(3, 5\)"),
        ((4, 3), False, r"beside lengths, got \(4, 3\)"),
        ((3, 4, 2), False, r"beside lengths, got \(3, 4, 2\)"),
        ((4,), False, r"beside lengths, got \(4,\)"),
        ((4, 3, 2), True, r"\(N, K\) or \(N, T, K\) values .* got \(4, 3, 2\)"),
        ((3, 4, 2, 2), True, r"beside lengths, got \(3, 4, 2, 2\)"),
        ((2, 4), True, r"beside lengths, got \(2, 4\)"),
        (
            (3, 4),
            True,
            r"\(3, 4\) could be one a step or 4 a sequence; give the former as \(N, T, 1\)",
        ),
    ],
)
def test_targets_that_do_not_fit_the_lengths_are_refused(shape, values, said):
    class Fits(nn.Module):
        def forward(self, x, lengths):
            return torch.zeros(shape if values else (*shape, K), dtype=torch.float64)

    y = torch.zeros(shape, dtype=torch.float64 if values else torch.int64)
    with pytest.raises(ValueError, match=said):
        evaluate(Fits(), [(xs, y, good)])


def test_values_of_sequences_of_one_step_are_not_ambiguous():
    x, y = make_batches(3, steps=(1,), outputs=1)[0]
    ones = torch.ones(3, dtype=torch.int64)
    steps = evaluate(Masked(1), [(x, y, ones)])
    assert evaluate(Masked(1, pool=True), [(x, y[:, 0], ones)]) == steps


def packed(sequences, lengths, **options):
    options = {"batch_first": True, "enforce_sorted": False} | options
    return pack_padded_sequence(sequences, lengths, **options)


class EachStep(nn.Module):
    """Maps every step of a packed sequence."""

    def __init__(self, outputs=K):
        super().__init__()
        self.map = linear(outputs)

    def forward(self, x):
        return x._replace(data=self.map(x.data))


@pytest.mark.parametrize("outputs", [None, 2])
def test_packed_pairs_are_compared_row_by_row(outputs):
    batches, alone = padded_batches(outputs)
    pairs = [(packed(x, n), packed(y, n)) for x, y, n in batches]
    model = EachStep(outputs or K)
    whole = (joined(alone)[0][None], joined(alone)[1][None])
    expected = evaluate(model.map, [whole])
    found = evaluate(model, pairs)
    assert found.loss == pytest.approx(expected.loss, rel=1e-12)
    assert found.accuracy == expected.accuracy
    predictions, targets = predict(model, pairs)
    torch.testing.assert_close(predictions, model.map(whole[0][0]).detach())
    assert torch.equal(targets, whole[1][0])

    theirs = linear(outputs or K)
    fit(model, pairs[:1], epochs=2, lr=0.1)
    fit(theirs, [tuple(map(torch.cat, zip(*alone[:3], strict=True)))], epochs=2, lr=0.1)
    torch.testing.assert_close(model.map.weight, theirs.weight, rtol=0, atol=1e-12)


def test_a_packed_batch_may_ask_for_one_answer_a_sequence():
    x, lengths = xs, torch.tensor([2, 4, 1])
    y = torch.tensor([0, 3, 1])
    torch.manual_seed(0)
    model = SequenceClassifier(RNN(D, 5, batch_first=True, dtype=torch.float64), K)
    alone = torch.stack([model(x[i, :n]) for i, n in enumerate(lengths)])
    found = evaluate(model, [(packed(x, lengths), y)])
    assert found.loss == pytest.approx(F.cross_entropy(alone, y).item(), rel=1e-12)


@pytest.mark.parametrize(
    ("y", "kind", "said"),
    [
        (packed(ys, torch.tensor([2, 3, 2])), ValueError, "y: expected packed as the prediction"),
        (packed(ys, torch.tensor([4, 2, 1])), ValueError, "batch_sizes and sorted_indices"),
        (
            packed(ys, torch.tensor([4, 2, 1]), enforce_sorted=True),
            ValueError,
            "pack x and y with the same lengths",
        ),
        (ys, TypeError, "two PackedSequences, got PackedSequence and Tensor$"),
        (packed(ys.double(), good), ValueError, r"of shape \(7,\), got \(7, 4\)"),
    ],
)
def test_pairs_that_are_packed_differently_are_refused(y, kind, said):
    with pytest.raises(kind, match=said):
        fit(EachStep(), [(packed(xs, good), y)], epochs=1)


def test_packed_targets_need_a_packed_answer():
    with pytest.raises(TypeError, match=r"got Tensor and PackedSequence$"):
        evaluate(linear(), [(xs, packed(ys, good))])
    with pytest.raises(TypeError, match=r"got \(PackedSequence\); one batch is"):
        evaluate(linear(), [packed(xs, good)])
    with pytest.raises(TypeError, match=r"x: expected a Tensor .* got PackedSequence"):
        evaluate(linear(), [(packed(xs, good), ys, good)])


def test_sorted_lengths_may_be_packed_either_way():
    lengths = torch.tensor([4, 2, 1])
    x, y = packed(xs, lengths, enforce_sorted=True), packed(ys, lengths)
    assert x.sorted_indices is None and y.sorted_indices is not None
    found = evaluate(EachStep(), [(x, y)])
    assert found == evaluate(EachStep(), [(packed(xs, lengths), y)])


class Streams(nn.Module):
    """A tagger that hands its state on; remembers with which it was called."""

    def __init__(self, layer=RNN):
        super().__init__()
        torch.manual_seed(0)
        self.rnn = layer(D, 5, batch_first=True, dtype=torch.float64)
        self.map = nn.Linear(5, K, dtype=torch.float64)
        self.seen = []

    def forward(self, x, state):
        self.seen.append((self.training, state))
        output, state = self.rnn(x, state)
        self.last = state
        return self.map(output), state


WINDOWS = make_batches(2, 2, 2, steps=(4,))


@pytest.mark.parametrize("layer", [RNN, GRU, LSTM, nn.LSTM])
def test_carried_states_are_those_of_the_whole_stream(layer):
    model = Streams(layer)
    x, y = (torch.cat(parts, dim=1) for parts in zip(*WINDOWS, strict=True))
    expected = F.cross_entropy(model(x, None)[0].transpose(1, 2), y).item()
    found = evaluate(model, WINDOWS, carry_state=True)
    assert found.loss == pytest.approx(expected, rel=1e-12)
    history = fit(model, WINDOWS, epochs=2, lr=0.0, carry_state=True)
    assert history.loss == pytest.approx([expected] * 2, rel=1e-12)


@pytest.mark.parametrize("layer", [GRU, LSTM])
def test_carrying_the_state_is_truncated_backpropagation(layer):
    ours, theirs = Streams(layer), Streams(layer)
    fit(ours, WINDOWS, epochs=2, lr=0.05, carry_state=True, clip_norm=1.0)
    optimizer = torch.optim.Adam(theirs.parameters(), lr=0.05)
    for _ in range(2):
        state = None
        for x, y in WINDOWS:
            optimizer.zero_grad()
            logits, state = theirs(x, state)
            F.cross_entropy(logits.transpose(1, 2), y).backward()
            nn.utils.clip_grad_norm_(theirs.parameters(), 1.0)
            optimizer.step()
            state = state.detach() if layer is GRU else tuple(part.detach() for part in state)
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


def test_the_state_begins_anew_with_each_epoch_and_each_validation():
    model = Streams()
    fit(model, WINDOWS, epochs=2, validation=WINDOWS[:2], carry_state=True)
    fresh = [(training, state is None) for training, state in model.seen]
    epoch = [(True, True), (True, False), (True, False), (False, True), (False, False)]
    assert fresh == epoch * 2
    assert not any(state.requires_grad for _, state in model.seen if state is not None)


def test_a_state_comes_after_all_inputs():
    class Two(Streams):
        def forward(self, a, b, state):
            return super().forward(a + b, state)

    pairs = [((x - 1, torch.ones_like(x)), y) for x, y in WINDOWS]
    expected = evaluate(Streams(), WINDOWS, carry_state=True).loss
    assert evaluate(Two(), pairs, carry_state=True).loss == pytest.approx(expected, rel=1e-12)


class Returns(nn.Module):
    def __init__(self, *answer):
        super().__init__()
        self.unused, self.answer = linear(), answer

    def forward(self, x, state):
        return self.answer


logits = torch.zeros(3, K)


@pytest.mark.parametrize(
    ("model", "batch", "kind", "said"),
    [
        (SequenceTagger(RNN(D, 5, dtype=torch.float64), K), (xs, ys), TypeError, "got Tensor"),
        (Returns(logits, None), (x, y), TypeError, r"got \(Tensor, NoneType\)"),
        (Returns(logits, logits, logits), (x, y), TypeError, r"got \(Tensor, Tensor, Tensor\)"),
        (Returns(logits, 3), (x, y), TypeError, "a state of Tensors, .* got int"),
        (Returns(logits, (logits, {})), (x, y), TypeError, "a state of Tensors, .* got dict"),
        (Streams(), (xs, ys, good), ValueError, r"windows .* got \(x, y, lengths\)"),
        (Streams(), (packed(xs, good), ys), ValueError, "windows .* got a PackedSequence"),
    ],
)
@pytest.mark.parametrize("call", [functools.partial(fit, epochs=1), evaluate])
def test_what_carries_no_state_is_refused(model, batch, kind, said, call):
    with pytest.raises(kind, match=f"carry_state: expected .*{said}"):
        call(model, [batch], carry_state=True)


@pytest.mark.parametrize("layer", [RNN, LSTM, nn.GRU])
@pytest.mark.parametrize("sizes", [(3, 3, 2), (2, 3)])
def test_batches_of_other_streams_are_refused(layer, sizes):
    windows = make_batches(*sizes, steps=(4,))
    said = rf"same streams .* got x of shape \({sizes[-1]}, 4, 3\) after \({sizes[-2]}, 4, 3\)"
    for call in (functools.partial(fit, epochs=1), evaluate, predict):
        with pytest.raises(ValueError, match=f"carry_state: expected the {said}.* drop_last=True"):
            call(Streams(layer), windows, carry_state=True)


def test_a_state_that_would_be_spread_over_other_streams_is_refused():
    class Spreads(nn.Module):
        def __init__(self):
            super().__init__()
            self.map = linear()

        def forward(self, x, state):
            y = self.map(x)
            state = y.mean(1, keepdim=True) + (0 if state is None else state)
            return y + state, state

    with pytest.raises(ValueError, match="carry_state: expected the same streams"):
        fit(Spreads(), make_batches(1, 3, steps=(4,)), epochs=1, carry_state=True)


def test_a_shorter_last_window_may_be_carried_to():
    windows = [*make_batches(2, steps=(4,)), *make_batches(2, steps=(1,))]
    assert len(fit(Streams(), windows, epochs=2, carry_state=True).loss) == 2


def test_an_error_of_the_model_itself_is_not_taken_for_one_of_streams():
    class Fails(Streams):
        def forward(self, x, state):
            if state is not None:
                raise RuntimeError("its own")
            return super().forward(x, state)

    with pytest.raises(RuntimeError, match=r"^its own$"):
        fit(Fails(), WINDOWS, epochs=1, carry_state=True)


@pytest.mark.parametrize(
    "options",
    [
        {"shuffle": True},
        {"batch_sampler": BatchSampler(RandomSampler(range(6)), 2, drop_last=False)},
        {"sampler": SubsetRandomSampler(range(6))},
    ],
    ids=list,
)
def test_a_loader_that_shuffles_carries_no_state(options):
    loader = DataLoader(TensorDataset(*make_batches(6, steps=(4,))[0]), **options)
    with pytest.raises(ValueError, match="order of their streams, got a DataLoader that draws"):
        fit(Streams(), loader, epochs=1, carry_state=True)
    ordered = DataLoader(TensorDataset(*make_batches(6, steps=(4,))[0]), batch_size=2)
    assert fit(Streams(), ordered, epochs=1, carry_state=True).loss


def test_predict_carries_states_too():
    model = Streams()
    x, y = (torch.cat(parts, dim=1) for parts in zip(*WINDOWS, strict=True))
    with torch.no_grad():
        whole = model(x, None)[0]
    predictions, targets = predict(model, WINDOWS, carry_state=True)
    torch.testing.assert_close(torch.cat(predictions.split(2), dim=1), whole)
    assert torch.equal(torch.cat(targets.split(2), dim=1), y)


@pytest.mark.parametrize(
    ("model", "kind", "said"),
    [
        (lambda x: x, TypeError, "model: expected a Module, got function"),
        (nn.Linear, TypeError, "model: expected a Module, got the class Linear"),
        (None, TypeError, "model: expected a Module, got NoneType"),
    ],
)
def test_what_is_no_model_is_refused(model, kind, said):
    for call in (functools.partial(fit, epochs=1), evaluate, predict):
        with pytest.raises(kind, match=said):
            call(model, [(x, y)])


def test_a_model_that_cannot_learn_is_refused():
    with pytest.raises(ValueError, match="parameters that learn, got none"):
        fit(nn.Identity(), [(x, y)], epochs=1)
    frozen = linear().requires_grad_(False)
    for optimizer in (torch.optim.SGD, torch.optim.SGD(frozen.parameters())):
        with pytest.raises(ValueError, match="parameters that learn, got 2 frozen ones"):
            fit(frozen, [(x, y)], epochs=1, optimizer=optimizer)
    for recording in (torch.no_grad, torch.inference_mode):
        with recording(), pytest.raises(RuntimeError, match=r"fit: .* under torch\.no_grad or"):
            fit(linear(), [(x, y)], epochs=1)
    with torch.inference_mode():
        assert evaluate(linear(), [(x, y)]) == evaluate(linear(), [(x, y)])


def test_frozen_parameters_stay_and_the_others_learn():
    model = nn.Sequential(linear(D), linear())
    model[0].requires_grad_(False)
    before = [p.detach().clone() for p in model.parameters()]
    fit(model, [(x, y)], epochs=1, clip_norm=1.0)
    same = [torch.equal(a, b) for a, b in zip(before, model.parameters(), strict=True)]
    assert same == [True, True, False, False]


WRAPPED = {
    "compiled": lambda m: torch.compile(m, backend="eager"),
    "DataParallel": nn.DataParallel,
    "scripted": torch.jit.script,
    "weight norm": lambda m: m.apply(
        lambda part: weight_norm(part) if isinstance(part, nn.Linear) else None
    ),
}


@pytest.mark.filterwarnings("ignore:.*torch.jit.script.* is deprecated")
@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_wrapped_models_train_as_bare_ones_do_and_keep_their_modes(wrap):
    bare, wrapped = (nn.Sequential(linear(), nn.Dropout(0.5)) for _ in range(2))
    wrapped = wrap(wrapped)
    batches = make_batches(4, 2)
    found, expected = (
        (torch.manual_seed(0), fit(model, batches, epochs=2, lr=0.1, validation=batches))[1]
        for model in (wrapped, bare)
    )
    if wrap is not WRAPPED["weight norm"]:
        assert found.loss == pytest.approx(expected.loss, rel=1e-12)
        assert found.validation_loss == pytest.approx(expected.validation_loss, rel=1e-12)
    assert found.loss[1] != found.loss[0]
    assert all(module.training for module in wrapped.modules())
    assert evaluate(wrapped, batches) == evaluate(wrapped, batches)  # no dropout
    assert torch.equal(predict(wrapped, batches)[0], predict(wrapped, batches)[0])


def test_a_loader_that_does_not_know_its_length_can_be_trained_on(capsys):
    class Endless(IterableDataset):
        def __iter__(self):
            return iter(zip(x, y, strict=True))

    loader = DataLoader(Endless(), batch_size=2)
    history = fit(linear(), loader, epochs=2, progress=True)
    expected = fit(linear(), [(x[:2], y[:2]), (x[2:], y[2:])], epochs=2)
    assert history.loss == pytest.approx(expected.loss, rel=1e-12)
    assert "epoch 2/2" in capsys.readouterr().err


@pytest.mark.parametrize("steps", [(), (K,)])
def test_probabilities_are_targets_of_the_cross_entropy(steps):
    x, y = make_batches(5, steps=steps)[0]
    one_hot = F.one_hot(y, K).double()
    expected = evaluate(linear(), [(x, y)]).loss
    for loss in (F.cross_entropy, nn.CrossEntropyLoss()):
        assert evaluate(linear(), [(x, one_hot)], loss).loss == pytest.approx(expected, rel=1e-12)
        assert fit(linear(), [(x, one_hot)], epochs=1, loss=loss).accuracy == []


def test_every_form_of_entropy_compares_each_step_with_its_class():
    # As many steps as classes, so that mixing them up would raise no error.
    x, y = make_batches(5, steps=(K,))[0]
    y[0, 0] = 2
    model, logs = linear(), nn.Sequential(linear(), nn.LogSoftmax(-1))
    for ignored in (-100, 2):
        options = {"ignore_index": ignored}
        expected = evaluate(model, [(x, y)], nn.CrossEntropyLoss(**options))
        for m, loss in (
            (model, functools.partial(F.cross_entropy, **options)),
            (logs, functools.partial(F.nll_loss, **options)),
            (logs, nn.NLLLoss(**options)),
        ):
            found = evaluate(m, [(x, y)], loss)
            assert found.loss == pytest.approx(expected.loss, rel=1e-12)
            assert found.accuracy == expected.accuracy
    assert evaluate(logs, [(x, y)], F.nll_loss).loss == pytest.approx(
        evaluate(model, [(x, y)]).loss, rel=1e-12
    )


@pytest.mark.parametrize("dtype", [torch.int32, torch.uint8, torch.int16])
def test_classes_may_be_any_integers(dtype):
    assert evaluate(linear(), [(x, y.to(dtype))]) == evaluate(linear(), [(x, y)])


def test_weights_of_classes_weigh_the_mean_over_batches():
    weight = torch.tensor([1.0, 5.0, 0.0, 0.1], dtype=torch.float64)
    batches = [(x, torch.tensor([0, 1, 1])), (x + 1, torch.tensor([3, 2, 3]))]
    model = linear()
    inputs, classes = joined(batches)
    for loss in (nn.CrossEntropyLoss(weight), functools.partial(F.cross_entropy, weight=weight)):
        expected = loss(model(inputs), classes).item()
        found = evaluate(model, batches, loss)
        assert found.loss == pytest.approx(expected, rel=1e-12)
        right = (model(inputs).argmax(-1) == classes).double().mean().item()
        assert found.accuracy == pytest.approx(right, rel=1e-12)
        with pytest.raises(ValueError, match="targets that count, got none"):
            evaluate(model, [(x, torch.full((3,), 2))], loss)


class Root(nn.Module):
    """Finite at 0, where its gradient is not."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(K, dtype=torch.float64))

    def forward(self, x):
        return self.weight.abs().sqrt().expand(len(x), K)


def test_a_gradient_that_is_not_finite_is_found_out():
    for clip_norm in (1.0, math.inf):
        model = Root()
        with pytest.raises(NonFiniteLossError, match=r"norm: .* got nan in epoch 1 of 2, batch 1"):
            fit(model, [(x, y)], epochs=2, clip_norm=clip_norm)
        assert torch.equal(model.weight, torch.zeros(K, dtype=torch.float64))
    with pytest.raises(NonFiniteLossError, match=r"weights: .* got nan in epoch 1 of 1, at its"):
        fit(Root(), [(x, y)], epochs=1)
    with pytest.raises(NonFiniteLossError, match=r"weights: .* got -?inf in epoch 1 of 1, at its"):
        fit(linear(), [(x, y)], epochs=1, lr=math.inf)


def test_sparse_gradients_can_be_trained_with_but_not_clipped():
    model = nn.Embedding(5, K, sparse=True)
    batch = (torch.tensor([1, 2]), torch.tensor([0, 1]))
    history = fit(model, [batch], epochs=2, lr=0.1, optimizer=torch.optim.SparseAdam)
    assert history.loss[1] < history.loss[0]
    with pytest.raises(NotImplementedError, match=r"dense gradients, got one of layout .*sparse"):
        fit(model, [batch], epochs=1, optimizer=torch.optim.SGD, clip_norm=1.0)


def test_predictions_that_do_not_join_are_refused():
    batches = make_batches(3, steps=(4,)) + make_batches(3, steps=(2,))
    with pytest.raises(ValueError, match=r"prediction: .* got \(3, 4, 4\) and \(3, 2, 4\)"):
        predict(linear(), batches)
    with pytest.raises(ValueError, match=r"y: expected \(N, …\) in every batch, .* got \(\)"):
        predict(linear(), [(x[0], y[0])])


@pytest.mark.parametrize("device", [torch.float64, 1.5])
def test_what_is_no_device_is_refused(device):
    model = linear(dtype=torch.float32)
    with pytest.raises(TypeError):
        fit(model, [(x.float(), y)], epochs=1, device=device)
    assert model.weight.dtype == torch.float32


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
        (
            {"optimizer": lambda _, lr: torch.optim.SGD(linear().parameters(), lr=lr)},
            ValueError,
            "got another's",
        ),
        ({"optimizer": torch.optim.LBFGS}, TypeError, "a step for each gradient, got LBFGS, whose"),
        ({"optimizer": "adam"}, TypeError, "optimizer: expected an Optimizer, .* got str"),
        ({"optimizer": lambda _, lr: None}, TypeError, "to return an Optimizer, got NoneType"),
        (
            {
                "optimizer": torch.optim.lr_scheduler.StepLR(
                    torch.optim.SGD(linear().parameters()), 1
                )
            },
            TypeError,
            "optimizer: expected an Optimizer, .* got StepLR",
        ),
        ({"lr": "0.1"}, TypeError, "lr: expected a number or None, got str"),
        ({"clip_norm": "1"}, TypeError, "clip_norm: expected a number or None, got str"),
        ({"loss": "mse"}, TypeError, r"loss: expected loss\(prediction, y\), got str"),
        ({"loss": nn.CrossEntropyLoss}, TypeError, r"the class .*; CrossEntropyLoss\(\) makes one"),
        ({"loss": nn.CrossEntropyLoss(reduction="sum")}, ValueError, "a mean .* reduction='sum'"),
        (
            {"loss": functools.partial(F.cross_entropy, reduction="sum")},
            ValueError,
            "a mean over targets, got one with reduction='sum'",
        ),
        ({"loss": lambda p, y: 1.0}, TypeError, "a Tensor with one real number, got float"),
        ({"loss": lambda p, y: p.sum().cfloat()}, TypeError, "real number, got torch.complex64"),
        ({"loss": lambda p, y: p.detach().sum()}, ValueError, "got a constant: something between"),
        ({"validation": iter([(x, y)])}, TypeError, "validation: .* got list_iterator, .* spent"),
        ({"validation": lambda: [(x, y)]}, TypeError, "validation: .* got function; call it"),
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


def test_predict_takes_answers_of_another_shape_than_the_targets():
    """Ask at every step, and compare with the target of one: the caller picks what to compare."""
    x, y = make_batches(3, steps=(4,))[0]
    predictions, targets = predict(linear(), [(x, y[:, 0])])
    assert predictions.shape == (3, 4, K) and torch.equal(targets, y[:, 0])


def test_model_and_batches_move_to_the_device(device):
    model = linear()
    fit(model, make_batches(3), epochs=1, device=device)
    assert model.weight.device.type == device.type
    fit(model, make_batches(3), epochs=1, validation=make_batches(2))
    fit(model, make_batches(3), epochs=1, device=str(device))
    # Seen on a machine with one device too.
    x, y = make_batches(3, steps=(2,))[0]
    lengths = torch.tensor([1, 2, 2])
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    for batch in ((x, y), ((x, lengths), y), (x, y, lengths), (packed, packed)):
        inputs, y, lengths = next(served([batch], torch.device("meta")))
        tensors = [part for part in (*inputs, y, lengths) if part is not None]
        for part in tensors:
            assert getattr(part, "data", part).device.type == "meta"


def test_the_batches_follow_the_model(monkeypatch):
    wanted = []
    monkeypatch.setattr(training, "served", lambda batches, device: wanted.append(device) or [])
    assert list(training._answers(linear().to("meta"), make_batches(1))) == []
    assert wanted == [torch.device("meta")]


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
