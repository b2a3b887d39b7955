"""The tasks ask what they say, and their chance levels are the losses that they claim to be."""

import dataclasses
import math

import pytest
import torch
from torch.nn.functional import cross_entropy, mse_loss, one_hot

from rnnlib.data.lengths import IGNORE_INDEX
from rnnlib.data.tasks import (
    AboveAverage,
    Adding,
    AnBn,
    ContinualReber,
    Copying,
    Cups,
    Echo,
    EmbeddedReber,
    LetterFeatures,
    NextRandomSymbol,
    NextSymbol,
    TemporalOrder,
    TemporalXor,
)

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


def test_a_n_b_n_asks_for_what_follows_where_that_is_settled():
    task = AnBn(max_n=3)
    x, y = task.encode([3, 1])
    assert x.shape == (2, 7, 4) and y.shape == (2, 7)
    assert x.dtype == torch.float32 and y.dtype == torch.int64
    assert "".join(task.symbols[i] for i in x[0].argmax(-1)) == "^aaabbb"
    assert "".join(task.symbols[i] for i in x[1, :3].argmax(-1)) == "^ab"
    assert torch.equal(x.sum(-1), torch.tensor([[1.0] * 7, [1.0] * 3 + [0.0] * 4]))
    b, end = task.symbols.index("b"), task.symbols.index("$")
    assert y.tolist() == [[-100] * 4 + [b, b, end], [-100] * 2 + [end] + [-100] * 4]


def test_a_n_b_n_draws_every_n_alike():
    task = AnBn(min_n=2, max_n=6)
    x, y = task.sample(5_000, seeded())
    assert x.shape == (5_000, 13, 4) and y.shape == (5_000, 13)
    n = (y != -100).sum(1)
    share = n.bincount(minlength=7) / 5_000
    assert share[:2].sum() == 0 and (share[2:] - 0.2).abs().max() < 0.02
    own_x, own_y = task.encode(n.tolist())
    assert torch.equal(own_x, x) and torch.equal(own_y, y)


@pytest.mark.parametrize(("low", "high"), [(1, 10), (3, 4), (1, 1)])
def test_a_n_b_n_chance_is_what_the_shares_cost(low, high):
    task = AnBn(min_n=low, max_n=high)
    _, y = task.encode(range(low, high + 1))
    asked = y[y != -100]
    shares = asked.bincount(minlength=4).double() / len(asked)
    blind = shares.log().expand(len(asked), 4)
    assert cross_entropy(blind, asked).item() == pytest.approx(task.chance, abs=1e-12)


def test_a_n_b_n_correct_looks_at_every_answer_and_at_nothing_else():
    task = AnBn(max_n=4)
    _, y = task.encode([4])
    right = one_hot(y[0].clamp(min=0), 4).double()  # a wrong guess before the first b
    assert task.correct(right, 4)
    assert task.correct(torch.cat([right, torch.zeros(3, 4)]), 4)
    for t in range(5, 9):
        wrong = right.clone()
        wrong[t] = wrong[t].roll(1)
        assert not task.correct(wrong, 4), t
    late = task.encode([5])[1][0, : 2 * 4 + 2]
    assert not task.correct(one_hot(late.clamp(min=0), 4), 4)
    # argmax would take a score that is no number for the largest.
    assert not task.correct(torch.where(right == 1, math.nan, right), 4)
    with pytest.raises(
        ValueError, match=r"expected \(9, 4\), or more rows, for n = 4, got \(8, 4\)"
    ):
        task.correct(right[:8], 4)
    with pytest.raises(ValueError, match=r"got \(1, 9, 4\)"):
        task.correct(right[None], 4)
    with pytest.raises(ValueError, match=r"got \(9, 4, 1\)"):
        task.correct(right[..., None], 4)
    with pytest.raises(ValueError, match="n: expected at least 1, got 0"):
        task.correct(right, 0)


def test_a_n_b_n_refuses_lengths_that_are_none():
    task = AnBn(max_n=4)
    with pytest.raises(ValueError, match="expected at least one n, got none"):
        task.encode([])
    with pytest.raises(ValueError, match=r"lengths\[1\]: expected at least 1, got 0"):
        task.encode([2, 0])
    with pytest.raises(TypeError, match=r"lengths\[0\]: expected an int, got float"):
        task.encode([2.0])


@pytest.mark.parametrize("T", [20, 21, 40, 100])
def test_adding_marks_two_numbers_where_it_says(T):
    task = Adding(num_steps=T)
    x, y = task.sample(3_000, seeded())
    assert x.shape == (3_000, T, 2) and y.shape == (3_000, 1)
    assert x.dtype == y.dtype == torch.float32
    numbers, markers = x.unbind(-1)
    assert numbers.min() >= -1 and numbers.max() <= 1
    assert (markers[:, [0, -1]] == -1).all()
    assert ((markers[:, 1:-1] == 0) | (markers[:, 1:-1] == 1)).all()
    assert ((markers == 1).sum(1) == 2).all()
    assert torch.allclose(y[:, 0], 0.5 + (numbers * (markers == 1)).sum(1) / 4, atol=1e-6)
    assert y.min() >= 0 and y.max() <= 1
    # One of the two stands among the first ten steps, and every step of both windows is drawn.
    steps = (markers == 1).nonzero()[:, 1].view(-1, 2) + 1
    assert (steps.min(1).values <= 10).all()
    first, second = task.windows
    assert first == range(2, 11) and second == range(2, T // 2)
    assert set(steps.flatten().tolist()) == set(first) | set(second)
    if T == 100:  # the second is drawn evenly from what the first leaves
        late = steps.max(1).values
        assert abs((late > 29).float().mean().item() - 20 / 47) < 0.03
        early = steps.min(1).values
        assert abs(early.bincount(minlength=11)[2:7].sum().item() / 3_000 - 5 / 9) < 0.08


def test_adding_chance_is_the_variance_of_the_target():
    task = Adding(num_steps=30)
    _, y = task.sample(40_000, seeded())
    assert abs(y.var().item() - task.chance) < 1e-3
    assert abs(y.mean().item() - 0.5) < 5e-3
    assert mse_loss(torch.full_like(y, 0.5), y).item() == pytest.approx(task.chance, abs=1e-3)


def test_adding_counts_absolute_errors_below_its_criterion():
    task = Adding(num_steps=20)
    y = torch.full((5, 1), 0.5)
    errors = torch.tensor([[0.0], [0.039], [-0.039], [0.041], [-0.3]])
    assert task.criterion == 0.04
    assert task.solved(y + errors, y).tolist() == [[True], [True], [True], [False], [False]]
    exactly = torch.tensor([0.04], dtype=torch.float64)
    assert not task.solved(exactly, 0 * exactly).any()
    assert not task.solved(torch.tensor([float("nan")]), torch.tensor([0.0])).any()
    with pytest.raises(ValueError, match=r"expected the targets' shape \(5, 1\), got \(5,\)"):
        task.solved(y[:, 0], y)
    with pytest.raises(TypeError, match="targets: expected a Tensor, got list"):
        task.solved(y, [0.5])


@pytest.mark.parametrize("answer", ["step", "sequence"])
def test_above_average_asks_about_each_diary_by_itself(answer):
    task = AboveAverage(answer=answer)
    xs, ys = task.sequences(400, seeded())
    x, y, lengths = task.sample(400, seeded())
    assert x.shape == (400, 60, 1) and lengths.dtype == torch.int64
    assert [len(x) for x in xs] == lengths.tolist()
    assert (lengths.min(), lengths.max()) == (2, 60)
    for i, n in enumerate(lengths.tolist()):
        assert torch.equal(x[i, :n], xs[i]) and not x[i, n:].any()
        mean = xs[i].double().mean().item()
        if answer == "sequence":
            assert ys[i].shape == (1,) and ys[i].item() == pytest.approx(mean, abs=1e-5)
            assert torch.equal(y[i], ys[i])
        else:
            assert torch.equal(ys[i], (xs[i][:, 0].double() > mean).long())
            assert 0 < ys[i].sum() < n
            assert torch.equal(y[i, :n], ys[i]) and (y[i, n:] == IGNORE_INDEX).all()
    assert y.dtype == (torch.float32 if answer == "sequence" else torch.int64)


def test_above_average_pads_to_the_longest_of_the_batch():
    x, y, lengths = AboveAverage().sample(4, seeded())
    assert x.shape == (4, lengths.max(), 1) and y.shape == x.shape[:2]
    assert lengths.max() < 60


@pytest.mark.parametrize("bounds", [(2, 60), (5, 9), (7, 7)])
def test_above_average_draws_the_lengths_it_says(bounds):
    task = AboveAverage(min_steps=bounds[0], max_steps=bounds[1])
    xs, _ = task.sequences(20_000, seeded())
    drawn = torch.tensor([len(x) for x in xs]).bincount(minlength=bounds[1] + 1) / 20_000
    assert sum(task.length_shares.values()) == pytest.approx(1)
    assert list(task.length_shares) == list(range(bounds[0], bounds[1] + 1))
    for n, share in task.length_shares.items():
        assert drawn[n].item() == pytest.approx(share, abs=0.01)


def test_above_average_chance_is_what_a_blind_answer_costs():
    steps, whole = AboveAverage(), AboveAverage(answer="sequence")
    _, ys = whole.sequences(40_000, seeded())
    averages = torch.cat(ys)
    assert averages.var().item() == pytest.approx(whole.chance, rel=0.02)
    assert averages.mean().item() == pytest.approx(1.5, abs=0.02)
    assert whole.chance > 0.75 and whole.chance_accuracy is None
    # Longer diaries have a steadier average.
    assert AboveAverage(min_steps=50, answer="sequence").chance < whole.chance - 0.02
    xs, ys = steps.sequences(4_000, seeded())
    warmer = torch.cat(ys).double().mean().item()
    assert warmer == pytest.approx(steps.chance_accuracy, abs=0.01)
    assert steps.chance == pytest.approx(math.log(2))
    residuals = torch.cat([x - x.mean() for x in xs if len(x) > 40])
    assert residuals.std().item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("K", [2, 3, 5])
def test_cups_that_are_moved_one_by_one_show_where_the_ball_is(K):
    x, y = Cups(num_cups=K, num_steps=40).sample(50, seeded())
    assert x.shape == (50, 40, K) and y.shape == (50, 40) and y.dtype == torch.int64
    assert x.dtype == torch.float32 and (x.sum(-1) == 1).all()
    for moves, places in zip(x.argmax(-1).tolist(), y.tolist(), strict=True):
        cups = ["ball", *["empty"] * (K - 1)]
        for move, place in zip(moves, places, strict=True):
            if move:
                cups[move - 1], cups[move] = cups[move], cups[move - 1]
            assert cups.index("ball") == place
    assert x.mean((0, 1)).sub(1 / K).abs().max() < 0.05


def test_two_cups_are_parity():
    x, y = Cups(num_cups=2, num_steps=30).sample(20, seeded())
    assert torch.equal(x[..., 1].long().cumsum(1) % 2, y)


@pytest.mark.parametrize(("K", "T"), [(2, 1), (3, 1), (3, 6), (5, 20)])
def test_the_chance_of_cups_is_what_the_best_constant_costs(K, T):
    task = Cups(num_cups=K, num_steps=T)
    shares = task.sample(40_000, seeded())[1].flatten().bincount(minlength=K) / (40_000 * T)
    assert torch.special.entr(shares).sum().item() == pytest.approx(task.chance, abs=0.01)


TASKS = [
    Adding(num_steps=20),
    Echo(num_steps=6, delay=2),
    NextSymbol(symbols=HELLO, num_symbols=4),
    NextRandomSymbol(num_symbols=5, num_steps=4),
    TemporalOrder(num_steps=20),
    AnBn(max_n=50),
    Cups(num_cups=3, num_steps=5),
    AboveAverage(),
    AboveAverage(answer="sequence"),
    EmbeddedReber(),
    ContinualReber(num_steps=30),
    TemporalXor(num_steps=20),
    LetterFeatures(num_steps=20),
    Copying(delay=5),
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
    with torch.device("meta"):
        elsewhere = task.sample(3, seeded(7))
    assert all(torch.equal(a, b) for a, b in zip(first, elsewhere, strict=True))
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
        (lambda: Adding(num_steps=19), ValueError, "num_steps: expected at least 20, got 19"),
        (lambda: Adding(num_steps=20.0), TypeError, "num_steps: expected an int, got float"),
        (lambda: Cups(num_cups=1, num_steps=3), ValueError, "num_cups: expected at least 2, got 1"),
        (lambda: Cups(num_cups=2, num_steps=0), ValueError, "num_steps: expected at least 1, got"),
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
        (lambda: AnBn(max_n=0), ValueError, "max_n: expected at least 1, got 0"),
        (lambda: AnBn(min_n=5, max_n=4), ValueError, "max_n: expected at least 5, got 4"),
        (lambda: AnBn(min_n=0, max_n=4), ValueError, "min_n: expected at least 1, got 0"),
        (lambda: AnBn(max_n=4.0), TypeError, "max_n: expected an int, got float"),
        (
            lambda: AboveAverage(min_steps=1),
            ValueError,
            "min_steps: expected at least 2, got 1",
        ),
        (
            lambda: AboveAverage(min_steps=5, max_steps=4),
            ValueError,
            "max_steps: expected at least 5, got 4",
        ),
        (lambda: AboveAverage(max_steps=9.0), TypeError, "max_steps: expected an int, got float"),
        (
            lambda: ContinualReber(num_steps=0),
            ValueError,
            "num_steps: expected at least 1, got 0",
        ),
        (lambda: TemporalXor(num_steps=1), ValueError, "num_steps: expected at least 2, got 1"),
        (lambda: LetterFeatures(num_steps=0), ValueError, "num_steps: expected at least 1, got 0"),
        (lambda: Copying(delay=0), ValueError, "delay: expected at least 1, got 0"),
        (lambda: Copying(delay=5.0), TypeError, "delay: expected an int, got float"),
        (
            lambda: AboveAverage(answer="steps"),
            ValueError,
            "answer: expected 'step' or 'sequence', got 'steps'",
        ),
    ],
)
def test_bad_fields_are_refused_by_name(make, error, message):
    with pytest.raises(error, match=message):
        make()
