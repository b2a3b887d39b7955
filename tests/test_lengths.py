"""Padding never enters a result: padded with lengths, packed, and one by one are the same."""

import itertools
import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

from rnnlib import layers
from rnnlib.data.lengths import (
    check_lengths,
    last_step,
    mask,
    mean_over_steps,
    pad,
    padded_loader,
)
from rnnlib.models.readout import SequenceClassifier, SequenceTagger
from rnnlib.training import evaluate, fit

LENGTHS = (3, 1, 6, 3, 2)
D, H, K = 2, 4, 3


def sequences(lengths=LENGTHS, *rest, dtype=torch.float64, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(n, *rest, generator=generator, dtype=dtype) for n in lengths]


# ------------------------------------------------------------------------------ pad and mask


@pytest.mark.parametrize("rest", [(), (D,), (D, 3)])
@pytest.mark.parametrize("value", [0.0, -100.0, math.nan])
def test_pad_fills_up_to_the_longest_and_counts(rest, value):
    xs = sequences(LENGTHS, *rest)
    x, lengths = pad(xs, value)
    assert x.shape == (5, 6, *rest) and x.dtype == torch.float64
    assert lengths.tolist() == list(LENGTHS) and lengths.dtype == torch.int64
    expected = torch.tensor(value, dtype=x.dtype)
    for row, given in zip(x, xs, strict=True):
        assert torch.equal(row[: len(given)], given)
        torch.testing.assert_close(
            row[len(given) :], expected.expand(6 - len(given), *rest), equal_nan=True
        )


def test_pad_keeps_integers_and_gradients():
    y, _ = pad([torch.tensor([1, 2]), torch.tensor([3])], -100)
    assert y.tolist() == [[1, 2], [3, -100]] and y.dtype == torch.int64
    one = torch.ones(2, requires_grad=True)
    pad([one, torch.ones(3)])[0].sum().backward()
    assert one.grad.tolist() == [1, 1]
    assert pad((torch.ones(2),))[0].tolist() == [[1, 1]]


@pytest.mark.parametrize(
    ("given", "error", "said"),
    [
        ([], ValueError, "sequences: expected at least one, got none"),
        (torch.ones(2, 3), TypeError, "expected a list of Tensors, got Tensor"),
        (iter([torch.ones(2)]), TypeError, "expected a list of Tensors, got list_iterator"),
        ([torch.ones(2), [1.0]], TypeError, r"sequences\[1\]: expected a Tensor, got list"),
        (
            [torch.ones(2), torch.ones(2).long()],
            TypeError,
            r"sequences\[1\]: expected torch.float32 like the first, got torch.int64",
        ),
        (
            [torch.ones(2), torch.ones(0)],
            ValueError,
            r"sequences\[1\]: expected at least one step, got shape \(0,\)",
        ),
        ([torch.tensor(1.0)], ValueError, r"sequences\[0\]: expected at least one step"),
        (
            [torch.ones(2, 3), torch.ones(3, 2)],
            ValueError,
            r"sequences\[1\]: expected \(T_i, 3\) like the first, got \(3, 2\)",
        ),
        ([torch.ones(2, 3), torch.ones(3)], ValueError, r"\(T_i, 3\) like the first, got \(3,\)"),
    ],
)
def test_what_cannot_be_padded_is_refused(given, error, said):
    with pytest.raises(error, match=said):
        pad(given)


def test_mask_says_which_steps_are_real(device):
    lengths = torch.tensor([2, 3, 1], device=device)
    found = mask(lengths)
    assert found.device.type == device.type and found.dtype == torch.bool
    assert found.tolist() == [[True, True, False], [True] * 3, [True, False, False]]
    assert mask(lengths, 5).shape == (3, 5) and mask(lengths, 5).sum() == 6
    assert mask(torch.zeros(0, dtype=torch.int64), 2).shape == (0, 2)


BAD_LENGTHS = [
    ([1, 2], TypeError, "lengths: expected a Tensor of int64, got list"),
    (torch.tensor([1, 2], dtype=torch.int32), TypeError, "expected int64, got torch.int32"),
    (torch.tensor([1.0, 2.0]), TypeError, "expected int64, got torch.float32"),
    (torch.tensor([True, False]), TypeError, "expected int64, got torch.bool"),
    (torch.tensor([1, 0]), ValueError, "expected at least 1, got 0"),
    (torch.tensor([4, -1]), ValueError, "expected at least 1, got -1"),
    (torch.tensor([1, 4]), ValueError, "expected at most 3, the steps there are, got 4"),
    (torch.tensor([[1, 2]]), ValueError, r"got \(1, 2\)"),
    (torch.tensor(2), ValueError, r"got \(\)"),
]
bad_lengths = pytest.mark.parametrize(("lengths", "error", "said"), BAD_LENGTHS)


@bad_lengths
def test_bad_lengths_are_refused_everywhere(lengths, error, said):
    x = torch.ones(2, 3, D)
    model = SequenceTagger(layers.RNN(D, H, batch_first=True), K)
    calls = (
        lambda: check_lengths(lengths, 2, 3),
        lambda: mask(lengths, 3),
        lambda: mean_over_steps(x, lengths),
        lambda: last_step(x, lengths),
        lambda: model(x, lengths),
        lambda: SequenceClassifier(model.rnn, K)(x, lengths),
    )
    for call in calls:
        with pytest.raises(error, match=said):
            call()


@pytest.mark.parametrize("call", [mean_over_steps, last_step])
def test_the_batch_must_have_as_many_rows_as_lengths(call):
    x = torch.ones(2, 3)
    with pytest.raises(ValueError, match=r"each of 2 sequences, shape \(2,\), got \(3,\)"):
        call(x, torch.tensor([1, 2, 3]))
    with pytest.raises(ValueError, match=r"x: expected \(N, T, …\), got shape \(2,\)"):
        call(x[:, 0], torch.tensor([1, 2]))
    with pytest.raises(TypeError, match="x: expected a Tensor, got list"):
        call([1.0], torch.tensor([1]))
    with pytest.raises(ValueError, match="lengths: expected at least one, or num_steps, got none"):
        mask(torch.zeros(0, dtype=torch.int64))


# ---------------------------------------------------------------------------- last and mean


@pytest.mark.parametrize("rest", [(), (D,), (D, 3)])
@pytest.mark.parametrize("value", [0.0, 1e6, math.nan, math.inf])
def test_mean_and_last_are_those_of_each_sequence_alone(rest, value, device):
    xs = sequences(LENGTHS, *rest)
    x, lengths = pad(xs, value)
    x = x.to(device).requires_grad_()
    mean, last = mean_over_steps(x, lengths), last_step(x, lengths)
    assert mean.shape == last.shape == (5, *rest)
    for i, given in enumerate(xs):
        torch.testing.assert_close(mean[i].cpu(), given.mean(0), rtol=0, atol=1e-12)
        assert torch.equal(last[i].cpu(), given[-1])
    for result, share in ((mean, 1 / lengths), (last, torch.ones(5))):
        (grad,) = torch.autograd.grad(result.sum(), x)
        grad = grad.cpu().reshape(5, 6, -1)
        assert not grad[~mask(lengths)].any()  # no NaN either
        torch.testing.assert_close(
            grad.sum(1)[:, 0], share.double() * (lengths if result is mean else 1)
        )


def test_lengths_may_stay_on_the_cpu(device):
    x, lengths = pad(sequences(LENGTHS, D))
    for call in (mean_over_steps, last_step):
        a, b = call(x.to(device), lengths), call(x.to(device), lengths.to(device))
        assert torch.equal(a, b) and a.device.type == device.type


# ------------------------------------------------------------- padded, packed, one by one

OURS = {"RNN": layers.RNN, "GRU": layers.GRU, "LSTM": layers.LSTM}
LAYERS = {
    f"{owner} {kind}, {L} layers{', two ways' * two_way}": (getattr(module, kind), L, two_way)
    for kind in ("RNN", "GRU", "LSTM")
    for owner, module in (("ours", layers), ("torch.nn", nn))
    for L, two_way in itertools.product((1, 2), (False, True))
}
every_layer = pytest.mark.parametrize(("layer", "L", "two_way"), LAYERS.values(), ids=LAYERS)


def make(kind, layer, L, two_way, device="cpu", batch_first=True):
    torch.manual_seed(0)
    rnn = layer(D, H, L, batch_first=batch_first, bidirectional=two_way, dtype=torch.float64)
    return kind(rnn.to(device), K)


def with_gradients(model, xs, run, weights):
    """Return the answers, one row for each, and the gradients of inputs and weights."""
    xs = [x.clone().requires_grad_() for x in xs]
    answers = run(model, xs)
    error = (answers.cpu() * weights).sum()
    return [
        answers.cpu(),
        *(g.cpu() for g in torch.autograd.grad(error, [*xs, *model.parameters()])),
    ]


def one_by_one(model, xs):
    device = next(model.parameters()).device
    answers = [model(x[None].to(device))[0] for x in xs]
    return torch.stack(answers) if answers[0].dim() == 1 else torch.cat(answers)


def padded(model, xs, value=math.nan, extra=0):
    device = next(model.parameters()).device
    x, lengths = pad(xs, value)
    x = torch.cat([x, torch.full((len(x), extra, D), value, dtype=x.dtype)], dim=1)
    x, lengths = x.to(device), lengths.to(device)
    if not model.rnn.batch_first:
        x = x.transpose(0, 1)
    answers = model(x, lengths)
    if answers.dim() == 3:
        answers = answers if model.rnn.batch_first else answers.transpose(0, 1)
        assert answers.shape == (len(xs), 6 + extra, K)
        real = mask(lengths, 6 + extra)
        assert not answers[~real].any()
        answers = answers[real]
    return answers


def packed(model, xs):
    answers = model(pack_sequence(xs, enforce_sorted=False).to(next(model.parameters()).device))
    if isinstance(answers, torch.Tensor):
        return answers
    x, lengths = pad_packed_sequence(answers, batch_first=True)
    return x[mask(lengths).to(x.device)]


@every_layer
@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
def test_padded_packed_and_one_by_one_are_equal(kind, layer, L, two_way, device):
    model = make(kind, layer, L, two_way, device)
    xs = sequences(LENGTHS, D)
    rows = len(LENGTHS) if kind is SequenceClassifier else sum(LENGTHS)
    weights = torch.randn(rows, K, dtype=torch.float64)
    expected = with_gradients(model, xs, one_by_one, weights)
    assert expected[0].shape == (rows, K)
    for run in (padded, packed, lambda model, xs: padded(model, xs, value=7.0, extra=2)):
        found = with_gradients(model, xs, run, weights)
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
def test_lengths_go_with_time_first_too(kind):
    xs = sequences(LENGTHS, D)
    model = make(kind, layers.GRU, 2, True, batch_first=False)
    other = make(kind, layers.GRU, 2, True, batch_first=True)
    torch.testing.assert_close(padded(model, xs, extra=1), padded(other, xs), rtol=0, atol=1e-12)


@every_layer
def test_a_batch_may_have_any_order_and_any_neighbours(layer, L, two_way):
    model = make(SequenceClassifier, layer, L, two_way)
    xs = sequences(LENGTHS, D)
    together = padded(model, xs)
    order = [2, 0, 4, 3, 1]
    torch.testing.assert_close(
        padded(model, [xs[i] for i in order]), together[order], rtol=0, atol=1e-12
    )
    torch.testing.assert_close(model(xs[1][None], torch.tensor([1])), together[1:2])


@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
def test_without_padding_lengths_change_nothing(kind):
    model = make(kind, layers.LSTM, 2, True)
    x = torch.stack(sequences((4, 4, 4), D))
    torch.testing.assert_close(model(x, torch.full((3,), 4)), model(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
def test_the_models_want_a_batch_beside_lengths(kind):
    model = make(kind, layers.RNN, 1, False)
    x, lengths = pad(sequences(LENGTHS, D))
    with pytest.raises(ValueError, match=r"x: expected a batch .* beside lengths, got \(6, 2\)"):
        model(x[0], lengths[:1])
    with pytest.raises(ValueError, match="beside lengths, got PackedSequence"):
        model(pack_sequence(sequences(LENGTHS, D), enforce_sorted=False), lengths)
    with pytest.raises(ValueError, match=r"each of 5 sequences, .* got \(4,\)"):
        model(x, lengths[:4])
    with pytest.raises(TypeError, match=r"use RNN\(\.\.\., bidirectional=True\)"):
        kind(layers.BiRNN(D, H, batch_first=True, dtype=torch.float64), K)(x, lengths)


@pytest.mark.parametrize("two_way", [False, True])
def test_one_step_of_training_is_the_same_in_all_three_ways(two_way):
    xs = sequences(LENGTHS, D)
    ys = [torch.randint(K, (len(x),)) for x in xs]
    (x, lengths), (y, _) = pad(xs), pad(ys, 0)
    pair = [pack_sequence(part, enforce_sorted=False) for part in (xs, ys)]
    whole = sum(LENGTHS)
    results = []
    for batch in ((x, y, lengths), tuple(pair)):
        model = make(SequenceTagger, layers.GRU, 1, two_way)
        before = evaluate(model, [batch])
        fit(model, [batch], epochs=3, lr=0.1, progress=False, optimizer=torch.optim.SGD)
        results.append((model, before))
    alone = make(SequenceTagger, layers.GRU, 1, two_way)
    optimizer = torch.optim.SGD(alone.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        for x, y in zip(xs, ys, strict=True):
            (F.cross_entropy(alone(x[None])[0], y, reduction="sum") / whole).backward()
        optimizer.step()
    for model, before in results:
        assert before.loss == pytest.approx(results[0][1].loss, rel=1e-12)
        assert before.accuracy == results[0][1].accuracy
        for a, b in zip(model.parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=0, atol=1e-10)


# ------------------------------------------------------------------------------- the loader


def numbered(lengths):
    """Sequences that tell which one they are, with their number at every step."""
    return [torch.full((n, D), float(i)) for i, n in enumerate(lengths)]


def names(batches):
    """Which sequences stood in which batch."""
    return [x[:, 0, 0].long().tolist() for x, *_ in batches]


MANY = torch.randint(1, 50, (103,), generator=torch.Generator().manual_seed(3)).tolist()


@pytest.mark.parametrize("pool", [1, 4, 1000])
def test_every_sequence_comes_once_with_its_targets(pool):
    xs = numbered(MANY)
    ys = [torch.arange(n) + 100 * i for i, n in enumerate(MANY)]
    loader = padded_loader(xs, ys, 10, pool=pool)
    seen = []
    assert len(loader) == len(list(loader)) == 11
    for x, y, lengths in loader:
        assert x.shape == (len(lengths), lengths.max(), D) and y.shape == x.shape[:2]
        assert len(lengths) in (10, 3)
        for row, target, n in zip(x, y, lengths.tolist(), strict=True):
            i = int(row[0, 0])
            assert n == MANY[i] and (row[:n] == i).all() and not row[n:].any()
            assert torch.equal(target[:n], ys[i]) and (target[n:] == -100).all()
            seen.append(i)
    assert sorted(seen) == list(range(103))


def test_values_are_padded_with_zeros_and_answers_to_sequences_not_at_all():
    xs = numbered((3, 1, 2))
    values = [torch.ones(n, 4) for n in (3, 1, 2)]
    ((x, y, lengths),) = padded_loader(xs, values, 5, shuffle=False)
    assert y.shape == (3, 3, 4) and y.sum() == 6 * 4
    classes = torch.arange(103) + 1000
    for pool in (1, 4):
        for x, y, lengths in padded_loader(numbered(MANY), classes, 10, pool=pool):
            assert (y == x[:, 0, 0].long() + 1000).all() and len(y) == len(lengths)
    (batch,) = padded_loader(xs, torch.ones(3, 2), 3)
    assert batch[1].shape == (3, 2)


def test_the_order_depends_on_the_seed_alone():
    def order(seed, pool=4):
        return names(padded_loader(numbered(MANY), torch.zeros(103), 10, seed=seed, pool=pool))

    for pool in (1, 4):
        torch.manual_seed(0)
        first = order(5, pool)
        torch.manual_seed(1)
        state = torch.get_rng_state()
        assert order(5, pool) == first != order(6, pool)
        assert torch.equal(state, torch.get_rng_state())
    loader = padded_loader(numbered(MANY), torch.zeros(103), 10, pool=4)
    assert names(loader) != names(loader)  # a new order in each pass
    kept = padded_loader(numbered(MANY), torch.zeros(103), 10, shuffle=False)
    assert [*itertools.chain(*names(kept))] == list(range(103)) and names(kept) == names(kept)


def computed(loader):
    """How many steps a padded batch makes a layer compute, in one pass."""
    return sum(x.shape[:2].numel() for x, *_ in loader)


def test_a_pool_puts_similar_lengths_together_in_random_order():
    counts = {
        pool: computed(padded_loader(numbered(MANY), torch.zeros(103), 10, pool=pool))
        for pool in (1, 3, 11)
    }
    real = sum(MANY)
    assert counts[1] > 1.6 * real > 1.4 * real > counts[3] > counts[11] > real
    # All in one pool: what sorting would give, but the batches come in random order.
    ordered = sorted(MANY)
    chunks = [ordered[i : i + 10] for i in range(0, 103, 10)]
    assert counts[11] == sum(len(chunk) * chunk[-1] for chunk in chunks)
    loader = padded_loader(numbered(MANY), torch.zeros(103), 10, pool=11)
    longest = [int(lengths.max()) for _, _, lengths in loader]
    assert longest != sorted(longest) and longest != sorted(longest, reverse=True)
    # Within a pool the sequences are drawn at random, too.
    few = padded_loader(numbered(MANY), torch.zeros(103), 10, pool=3)
    assert {frozenset(batch) for batch in names(few)} != {frozenset(b) for b in names(few)}


@pytest.mark.parametrize(
    ("xs", "ys", "options", "error", "said"),
    [
        ([], torch.zeros(0), {}, ValueError, "sequences: expected at least one, got none"),
        (numbered((2, 3)), torch.zeros(3), {}, ValueError, "targets for 2 sequences, got 3"),
        (
            numbered((2, 3)),
            [torch.zeros(2), torch.zeros(2)],
            {},
            ValueError,
            r"ys\[1\]: expected an answer to each of 3 steps, got 2; one answer a sequence is",
        ),
        (numbered((2, 3)), [1, 0], {}, TypeError, "expected a Tensor, got int"),
        (numbered((2,)), torch.zeros(1), {"batch_size": 0}, ValueError, "batch_size must be"),
        (numbered((2,)), torch.zeros(1), {"pool": 0}, ValueError, "pool must be greater than zero"),
        (numbered((2,)), torch.zeros(1), {"pool": 1.5}, TypeError, "pool should be of type int"),
        (
            numbered((2,)),
            torch.zeros(1),
            {"pool": 2, "shuffle": False},
            ValueError,
            "pool: expected 1 without shuffle, which keeps the order, got 2",
        ),
    ],
)
def test_what_cannot_be_served_is_refused(xs, ys, options, error, said):
    with pytest.raises(error, match=said):
        padded_loader(xs, ys, **({"batch_size": 2} | options))
