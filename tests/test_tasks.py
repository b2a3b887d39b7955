"""The tasks ask what they say, and their chance levels are the losses that they claim to be."""

import dataclasses
import math

import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss

from rnnlib.tasks import Echo, NextRandomSymbol, NextSymbol, TemporalOrder

HELLO = (1, 0, 2, 2, 3)  # in the order e, h, l, o


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("delay", [-3, -1, 0, 1, 3, 5])
def test_echo_says_what_was_heard(delay):
    T = 6
    x, y = Echo(num_steps=T, delay=delay).sample(4, seeded())
    assert x.shape == y.shape == (4, T, 1)
    for t in range(T):
        if 0 <= t - delay < T:
            assert torch.equal(y[:, t], x[:, t - delay])
        else:
            assert torch.equal(y[:, t], torch.zeros(4, 1))


def test_echo_masks_the_steps_without_an_answer():
    assert Echo(num_steps=5, delay=2).mask.tolist() == [False, False, True, True, True]
    assert Echo(num_steps=5, delay=-1).mask.tolist() == [True, True, True, True, False]
    assert Echo(num_steps=3, delay=0).mask.all()


@pytest.mark.parametrize("delay", [3, -3, 0])
def test_echo_chance_is_the_loss_of_the_best_constant(delay):
    task = Echo(num_steps=12, delay=delay)
    x, y = task.sample(20_000, seeded())
    assert abs(mse_loss(torch.zeros_like(y), y).item() - task.chance) < 0.01
    assert mse_loss(y.mean(0, keepdim=True).expand_as(y), y).item() > task.chance - 0.01
    assert abs(y[:, task.mask].square().mean().item() - 1) < 0.01
    assert x.mean().abs() < 0.01


def test_next_symbol_reads_hello_as_a_ring():
    task = NextSymbol(symbols=torch.tensor(HELLO), num_symbols=4)
    assert task.symbols == HELLO
    x, y = task.sample()
    assert x.shape == (1, 5, 4) and y.shape == (1, 5)
    assert x.dtype == torch.float32 and y.dtype == torch.int64
    assert x[0].argmax(-1).tolist() == [1, 0, 2, 2, 3]
    assert torch.equal(x.sum(-1), torch.ones(1, 5)) and torch.equal(x.max(-1).values, x.sum(-1))
    assert y[0].tolist() == [0, 2, 2, 3, 1]
    x3, y3 = task.sample(3)
    assert torch.equal(x3, x.expand(3, -1, -1)) and torch.equal(y3, y.expand(3, -1))
    assert x3.is_contiguous() and y3.is_contiguous()


def test_next_symbol_without_the_ring():
    task = NextSymbol(symbols=HELLO, num_symbols=4, cyclic=False)
    x, y = task.sample()
    assert x[0].argmax(-1).tolist() == [1, 0, 2, 2]
    assert y[0].tolist() == [0, 2, 2, 3]


@pytest.mark.parametrize("cyclic", [True, False])
@pytest.mark.parametrize("text", ["hello", "Hello, how are you?", "abracadabra"])
def test_next_symbol_levels_are_what_the_best_tables_cost(text, cyclic):
    known = sorted(set(text))
    symbols = [known.index(c) for c in text]
    task = NextSymbol(symbols=symbols, num_symbols=len(known), cyclic=cyclic)
    x, y = task.sample()
    V = len(known)
    joint = torch.zeros(V, V, dtype=torch.float64)
    for now, following in zip(x[0].argmax(-1), y[0], strict=True):
        joint[now, following] += 1
    blind = joint.sum(0).log().expand(y.numel(), V)
    assert cross_entropy(blind, y[0]).item() == pytest.approx(task.chance, abs=1e-12)
    seeing = joint.log()[x[0].argmax(-1)]
    assert cross_entropy(seeing, y[0]).item() == pytest.approx(task.memoryless_floor, abs=1e-12)


def test_next_symbol_known_levels():
    hello = NextSymbol(symbols=HELLO, num_symbols=4)
    assert hello.memoryless_floor == pytest.approx(2 * math.log(2) / 5, abs=1e-15)
    assert hello.chance == pytest.approx(0.4 * math.log(2.5) + 0.6 * math.log(5), abs=1e-12)
    text = "Hello, how are you?"
    known = sorted(set(text))
    task = NextSymbol(symbols=[known.index(c) for c in text], num_symbols=len(known), cyclic=False)
    assert round(task.memoryless_floor, 4) == 0.5202
    assert NextSymbol(symbols=[0], num_symbols=1).chance == 0


def test_next_random_symbol_asks_for_the_future():
    task = NextRandomSymbol(num_symbols=10, num_steps=7)
    x, y = task.sample(50, seeded())
    assert x.shape == (50, 7, 10) and y.shape == (50, 7)
    assert x.dtype == torch.float32 and y.dtype == torch.int64
    assert torch.equal(x.sum(-1), torch.ones(50, 7))
    assert torch.equal(y[:, :-1], x.argmax(-1)[:, 1:])
    assert (y[:, -1] == -100).all()
    assert set(x.argmax(-1).flatten().tolist()) == set(range(10))


def test_next_random_symbol_chance():
    task = NextRandomSymbol(num_symbols=4, num_steps=9)
    x, y = task.sample(5_000, seeded())
    loss = cross_entropy(torch.zeros(5_000, 9, 4).flatten(0, 1), y.flatten())
    assert loss.item() == pytest.approx(task.chance, abs=1e-5)
    assert task.chance_accuracy == 0.25
    now, following = x.argmax(-1)[:, :-1], y[:, :-1]
    assert abs((following == 2).float().mean().item() - 0.25) < 0.01
    # The present symbol says nothing about the next one.
    assert abs((following == now).float().mean().item() - 0.25) < 0.01


def as_text(x):
    return ["".join(TemporalOrder.symbols[i] for i in row) for row in x.argmax(-1).tolist()]


@pytest.mark.parametrize(
    ("T", "first", "second"),
    [
        (10, (1, 2), (4, 5)),
        (13, (2, 2), (6, 6)),
        (20, (2, 4), (8, 10)),
        (37, (4, 7), (15, 18)),
        (100, (10, 20), (40, 50)),
    ],
)
def test_temporal_order_hides_the_pair_where_it_says(T, first, second):
    task = TemporalOrder(num_steps=T)
    x, y = task.sample(2_000, seeded())
    assert x.shape == (2_000, T, 6) and y.shape == (2_000,)
    assert x.dtype == torch.float32 and y.dtype == torch.int64
    assert torch.equal(x.sum(-1), torch.ones(2_000, T)) and torch.equal(x.amax(-1), x.sum(-1))
    seen = []
    for text, answer in zip(as_text(x), y.tolist(), strict=True):
        steps = [t for t, symbol in enumerate(text, start=1) if symbol in "AB"]
        assert len(steps) == 2
        assert "".join(text[t - 1] for t in steps) == task.classes[answer]
        seen.append(steps)
    # Every step of the two windows is drawn, and none outside.
    assert {t for t, _ in seen} == set(range(first[0], first[1] + 1)) == set(task.windows[0])
    assert {t for _, t in seen} == set(range(second[0], second[1] + 1)) == set(task.windows[1])


def test_temporal_order_chance():
    task = TemporalOrder(num_steps=20)
    x, y = task.sample(20_000, seeded())
    assert cross_entropy(torch.zeros(20_000, 4), y).item() == pytest.approx(task.chance, abs=1e-5)
    assert task.chance == pytest.approx(math.log(4)) and task.chance_accuracy == 0.25
    assert (y.bincount(minlength=4) / 20_000 - 0.25).abs().max() < 0.01
    # Neither one symbol of the pair nor any distractor gives the other away.
    assert ((y // 2 == y % 2).float().mean() - 0.5).abs() < 0.01
    assert (x[:, 10:, 2:].mean((0, 1)) - 0.25).abs().max() < 0.01
    for answer in range(4):
        assert (x[y == answer][:, 10:, 2:].mean((0, 1)) - 0.25).abs().max() < 0.01


TASKS = [
    Echo(num_steps=6, delay=2),
    NextSymbol(symbols=HELLO, num_symbols=4),
    NextRandomSymbol(num_symbols=5, num_steps=4),
    TemporalOrder(num_steps=20),
]


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_every_task_draws_from_its_generator_alone(task):
    torch.manual_seed(1)
    first = task.sample(3, seeded(7))
    torch.manual_seed(2)
    state = torch.get_rng_state()
    second = task.sample(3, seeded(7))
    assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))
    assert all(part.device.type == "cpu" for part in first)
    torch.manual_seed(5)
    third = task.sample(3)
    torch.manual_seed(5)
    assert all(torch.equal(a, b) for a, b in zip(third, task.sample(3), strict=True))
    if not isinstance(task, NextSymbol):
        assert not torch.equal(task.sample(3, seeded(8))[0], first[0])


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_every_task_is_a_value(task):
    assert task == dataclasses.replace(task)
    assert hash(task) == hash(dataclasses.replace(task))
    with pytest.raises(dataclasses.FrozenInstanceError):
        task.num_steps = 3


@pytest.mark.parametrize("task", TASKS, ids=lambda task: type(task).__name__)
def test_every_task_refuses_an_unsuitable_batch(task):
    with pytest.raises(ValueError, match="batch_size: expected at least 1, got 0"):
        task.sample(0)
    with pytest.raises(TypeError, match="batch_size: expected an int, got float"):
        task.sample(2.0)
    with pytest.raises(TypeError, match=r"generator: expected a torch.Generator or None, got int"):
        task.sample(2, 0)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Echo(num_steps=0, delay=0), ValueError, "num_steps: expected at least 1, got 0"),
        (lambda: Echo(num_steps=2.0, delay=0), TypeError, "num_steps: expected an int, got float"),
        (lambda: Echo(num_steps=4, delay=4), ValueError, "between -3 and 3 for 4 steps, got 4"),
        (lambda: Echo(num_steps=4, delay=-4), ValueError, "between -3 and 3 for 4 steps, got -4"),
        (lambda: Echo(num_steps=4, delay=True), TypeError, "delay: expected an int, got bool"),
        (
            lambda: NextSymbol(symbols="hello", num_symbols=4),
            TypeError,
            "symbols: expected a sequence of int, got str",
        ),
        (
            lambda: NextSymbol(symbols=[0, 4], num_symbols=4),
            ValueError,
            "symbols: expected indices below 4, got 4",
        ),
        (
            lambda: NextSymbol(symbols=[0, -1], num_symbols=4),
            ValueError,
            r"symbols\[1\]: expected at least 0, got -1",
        ),
        (
            lambda: NextSymbol(symbols=[0.5], num_symbols=4),
            TypeError,
            r"symbols\[0\]: expected an int, got float",
        ),
        (
            lambda: NextSymbol(symbols=torch.zeros(2, 3, dtype=torch.long), num_symbols=4),
            ValueError,
            r"symbols: expected shape \(T,\), got \(2, 3\)",
        ),
        (
            lambda: NextSymbol(symbols=[0], num_symbols=1, cyclic=False),
            ValueError,
            "symbols: expected 2 of them or more, got 1",
        ),
        (
            lambda: NextSymbol(symbols=[], num_symbols=1),
            ValueError,
            "symbols: expected 1 of them or more, got 0",
        ),
        (
            lambda: NextRandomSymbol(num_symbols=1, num_steps=4),
            ValueError,
            "num_symbols: expected at least 2, got 1",
        ),
        (
            lambda: NextRandomSymbol(num_symbols=3, num_steps=1),
            ValueError,
            "num_steps: expected at least 2, got 1",
        ),
        (
            lambda: TemporalOrder(num_steps=9),
            ValueError,
            "num_steps: expected at least 10, got 9",
        ),
        (
            lambda: TemporalOrder(num_steps=20.0),
            TypeError,
            "num_steps: expected an int, got float",
        ),
    ],
)
def test_bad_fields_are_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        make()
