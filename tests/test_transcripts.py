"""Answers without positions: chance, text, edit distance; what lines and numbers share."""

import functools
import math
from collections import Counter

import pytest
import torch

from rnnlib.data import Lines, Tones
from rnnlib.data.transcripts import POOL, edit_distance, error_rate

TASKS = {"lines": Lines(), "ascending": Lines(ascending=True), "tones": Tones()}


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


# Comparing


@pytest.mark.parametrize(
    ("a", "b", "changes"),
    [
        ("", "", 0),
        ("", "381", 3),
        ("381", "", 3),
        ("381", "381", 0),
        ("381", "3810", 1),
        ("381", "341", 1),
        ("1234", "2341", 2),
        ("kitten", "sitting", 3),
        ([3, 8, 1], (3, 1), 1),
    ],
)
def test_edit_distance(a, b, changes):
    assert edit_distance(a, b) == edit_distance(b, a) == changes


@functools.cache
def by_definition(a, b):
    """The recursion as it is written in textbooks, from the end."""
    if not a or not b:
        return len(a) + len(b)
    return min(
        by_definition(a[:-1], b) + 1,
        by_definition(a, b[:-1]) + 1,
        by_definition(a[:-1], b[:-1]) + (a[-1] != b[-1]),
    )


def test_edit_distance_is_that_of_the_recursion():
    drawn = torch.randint(3, (60, 2, 6), generator=seeded()).tolist()
    lengths = torch.randint(7, (60, 2), generator=seeded(1)).tolist()
    for pair, n in zip(drawn, lengths, strict=True):
        a, b = (tuple(row[:k]) for row, k in zip(pair, n, strict=True))
        assert edit_distance(a, b) == by_definition(a, b)


def test_error_rate_counts_symbols_not_answers():
    assert error_rate(["12", "3456789"], ["1", "3456789"]) == 1 / 8
    assert error_rate(["", ""], ["12", "345"]) == 1
    assert error_rate(["999"], ["1"]) == 3
    with pytest.raises(ValueError, match="expected 2, one for each right one, got 1"):
        error_rate(["1"], ["1", "2"])
    with pytest.raises(ValueError, match="at least one symbol, got none"):
        error_rate(["1"], [""])


# Chance


def test_chance_is_the_entropy_of_the_answers():
    task = Lines(shortest=1, longest=2)
    p = [1 / 2 / 10] * 10 + [1 / 2 / 100] * 100
    assert math.isclose(task.chance, -sum(q * math.log(q) for q in p))
    assert task.chance_accuracy == max(p)
    task = Lines(shortest=1, longest=2, ascending=True)
    p = [1 / 2 / 10] * 10 + [1 / 2 / 55] * 55
    assert math.isclose(task.chance, -sum(q * math.log(q) for q in p))
    assert Tones(shortest=2, longest=2).chance_accuracy == 1 / 144


def test_all_ascending_lines_are_as_likely():
    task = Lines(shortest=2, longest=2, ascending=True)
    counts = Counter(task.answers(11_000, seeded()))
    assert len(counts) == task.num_answers(2) == 55
    assert all(map(task.allows, counts))
    # 200 each are expected, with a standard deviation of 14.
    assert 140 < min(counts.values()) and max(counts.values()) < 260


def test_all_lengths_and_digits_are_as_likely():
    answers = Lines().answers(6000, seeded())
    lengths = Counter(map(len, answers))
    assert sorted(lengths) == [3, 4, 5, 6, 7, 8]
    assert max(abs(n - 1000) for n in lengths.values()) < 120
    digits = Counter("".join(answers))
    assert max(digits.values()) < 1.1 * min(digits.values())


# Text and batches


@pytest.mark.parametrize("name", TASKS)
def test_encoding_pads_and_can_be_undone(name):
    task = TASKS[name]
    targets, lengths = task.encode(["33", "1028"])
    assert targets.dtype == lengths.dtype == torch.int64
    assert targets.shape == (2, 4) and lengths.tolist() == [2, 4]
    assert targets[0, 2:].tolist() == [0, 0] and (targets[1] > 0).all()
    assert targets.max() < task.num_classes == len(task.symbols) + 1
    assert [task.text(row) for row in targets] == ["33", "1028"]
    assert task.text((0, 1, 0, 2)) == task.symbols[:2]


@pytest.mark.parametrize("name", TASKS)
def test_a_sample_is_a_padded_batch(name):
    task = TASKS[name]
    (x, lengths), (targets, target_lengths) = task.sample(20, seeded(3))
    assert x.dtype == torch.float32 and x.dim() == 3
    assert x.size(1) == lengths.max() and targets.size(1) == target_lengths.max()
    for row, length in zip(x, lengths, strict=True):
        assert (row[length:] == 0).all()
    (again, _), _ = task.sample(20, seeded(3))
    assert torch.equal(x, again)
    assert not torch.equal(x[0, :10], task.sample(20, seeded(4))[0][0][0, :10])


def test_batches_hold_what_was_drawn_with_little_padding():
    task = Lines()
    batches = task.batches(POOL + 2, 16, seeded(5))
    assert len(batches) == POOL + 2
    padded = sum(x.shape[0] * x.shape[1] for (x, _), _ in batches)
    real = sum(lengths.sum().item() for (_, lengths), _ in batches)
    assert padded < 1.25 * real
    (x, lengths), _ = task.sample(16 * POOL, seeded(5))
    assert x.shape[0] * x.shape[1] > 1.3 * lengths.sum()
    drawn = Counter(task.text(row) for _, (targets, _) in batches[:POOL] for row in targets)
    assert drawn == Counter(task.answers(16 * POOL, seeded(5)))
    widest = [lengths.max().item() for (_, lengths), _ in batches[:POOL]]
    assert widest != sorted(widest)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda task: task.encode("381"), TypeError, "got one string"),
        (lambda task: task.encode([381]), TypeError, "answers: expected a string, got int"),
        (lambda task: task.encode(["38a"]), ValueError, "got 'a'"),
        (lambda task: task.encode([]), ValueError, "one or more, none of them empty, got []"),
        (lambda task: task.encode(["1", ""]), ValueError, "none of them empty"),
        (lambda task: task.text([13]), ValueError, "got 13"),
        (lambda task: task.text([-1]), ValueError, "got -1"),
        (lambda task: task.sample(0), ValueError, "batch_size: expected at least 1, got 0"),
        (lambda task: task.sample(2, 3), TypeError, "expected a torch.Generator or None, got int"),
        (lambda task: task.sample(2, part="all"), ValueError, "'test', got 'all'"),
        (lambda task: task.batches(0, 2), ValueError, "num_batches: expected at least 1, got 0"),
        (lambda task: task.batches(2, 2, part="all"), ValueError, "'test', got 'all'"),
        (lambda task: task.num_answers(0), ValueError, "length: expected at least 1, got 0"),
        (lambda task: type(task)(shortest=0), ValueError, "shortest: expected at least 1, got 0"),
        (lambda task: type(task)(longest=2), ValueError, "longest: expected at least 3, got 2"),
        (lambda task: type(task)(longest=8.0), TypeError, "longest: expected an int, got float"),
    ],
)
@pytest.mark.parametrize("name", TASKS)
def test_errors_say_what_was_expected_and_what_came(name, call, error, message):
    with pytest.raises(error) as raised:
        call(TASKS[name])
    assert message in str(raised.value)
