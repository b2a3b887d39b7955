"""Probabilities are those of the equation, and symbols come as often as these say."""

import math

import pytest
import torch

from rnnlib.models.sampling import draw, probabilities, sample

Y = torch.tensor([1.0, -2.0, 0.5, 3.0, 0.0])


@pytest.mark.parametrize("temperature", [0.25, 0.7, 1.0, 3.0, 100.0])
def test_probabilities_are_the_equation(temperature):
    p = probabilities(Y, temperature=temperature)
    weights = [math.exp(y / temperature) for y in Y.tolist()]
    expected = torch.tensor([w / sum(weights) for w in weights], dtype=torch.float64)
    assert p.dtype == torch.float64
    torch.testing.assert_close(p, expected, rtol=1e-12, atol=0)


def test_temperature_sharpens_and_flattens():
    cold, plain, hot = (probabilities(Y, temperature=t) for t in (0.5, 1.0, 2.0))
    assert cold.max() > plain.max() > hot.max()
    assert cold.min() < plain.min() < hot.min()
    for p in (cold, plain, hot):
        assert p.argsort().tolist() == Y.argsort().tolist()
        assert math.isclose(p.sum(), 1)


def test_temperature_0_is_greedy_and_takes_the_first_of_equal_scores():
    assert probabilities(Y, temperature=0).tolist() == [0, 0, 0, 1, 0]
    equal = torch.tensor([0.0, 2.0, 1.0, 2.0])
    assert probabilities(equal, temperature=0).tolist() == [0, 1, 0, 0]
    assert sample(equal, temperature=0).item() == 1
    assert sample(torch.stack([Y, -Y]), temperature=0, top_k=3).tolist() == [3, 1]


@pytest.mark.parametrize("scale", [1e-300, 1e-30, 1e30])
def test_extreme_temperatures_and_scores_stay_finite(scale):
    p = probabilities(Y, temperature=scale)
    assert p.isfinite().all() and math.isclose(p.sum(), 1)
    if scale < 1:
        assert p.tolist() == [0, 0, 0, 1, 0]
    else:
        torch.testing.assert_close(p, torch.full((5,), 0.2, dtype=torch.float64))
    large = probabilities(Y * 1e30)
    assert large.tolist() == [0, 0, 0, 1, 0]


@pytest.mark.parametrize("k", [1, 2, 4, 5])
def test_top_k_keeps_the_largest_in_their_places(k):
    p = probabilities(Y, temperature=0.8, top_k=k)
    kept = Y.argsort(descending=True)[:k]
    assert p.count_nonzero() == k and (p[kept] > 0).all()
    expected = (Y[kept].double() / 0.8).softmax(0)
    torch.testing.assert_close(p[kept], expected, rtol=1e-12, atol=0)


def test_top_k_keeps_exactly_k_of_equal_scores():
    assert probabilities(torch.zeros(4), top_k=2).tolist() == [0.5, 0.5, 0, 0]
    assert probabilities(torch.tensor([0.0, 1, 1, 1]), top_k=2).tolist() == [0, 0.5, 0.5, 0]


def test_rows_are_treated_one_by_one_and_the_scores_are_not_changed():
    y = torch.randn(2, 3, 7, generator=torch.Generator().manual_seed(0))
    before = y.clone()
    p = probabilities(y, temperature=0.6, top_k=3)
    assert torch.equal(y, before) and p.shape == y.shape
    for i in range(2):
        for j in range(3):
            alone = probabilities(y[i, j], temperature=0.6, top_k=3)
            torch.testing.assert_close(p[i, j], alone, rtol=1e-12, atol=0)


def test_a_score_of_minus_infinity_never_comes():
    y = torch.tensor([0.0, -math.inf, 0.0])
    assert probabilities(y).tolist() == [0.5, 0, 0.5]
    assert probabilities(y, temperature=0).tolist() == [1, 0, 0]
    assert probabilities(y, top_k=3).tolist() == [0.5, 0, 0.5]


def test_symbols_come_as_often_as_their_probabilities_say():
    p = torch.tensor([0.5, 0.0, 0.2, 0.25, 0.05, 0.0], dtype=torch.float64)
    n = 40_000
    drawn = draw(p.expand(n, 6), torch.Generator().manual_seed(0))
    assert drawn.dtype == torch.int64 and drawn.shape == (n,)
    shares = torch.bincount(drawn, minlength=6) / n
    assert shares[p == 0].sum() == 0
    # Five standard deviations of a share.
    assert ((shares - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()


def test_sampling_is_drawing_from_the_probabilities():
    n = 40_000
    drawn = sample(
        Y.expand(n, 5), temperature=2.0, top_k=3, generator=torch.Generator().manual_seed(1)
    )
    p = probabilities(Y, temperature=2.0, top_k=3)
    shares = torch.bincount(drawn, minlength=5) / n
    assert ((shares - p).abs() <= 5 * (p * (1 - p) / n).sqrt()).all()


def test_a_symbol_is_drawn_where_u_falls_in_its_interval():
    """One number u each, and the ends of the intervals are the running sums."""
    p = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64)
    u = torch.rand(200, 1, dtype=torch.float64, generator=torch.Generator().manual_seed(5))
    expected = (u >= p.cumsum(0)).sum(dim=1)
    drawn = draw(p.expand(200, 4), torch.Generator().manual_seed(5))
    assert torch.equal(drawn, expected)
    one_by_one = torch.Generator().manual_seed(5)
    assert [draw(p, one_by_one).item() for _ in range(200)] == expected.tolist()


def test_weights_need_not_add_up_to_one():
    p = torch.rand(50, 6, generator=torch.Generator().manual_seed(2))
    once, scaled = (draw(w, torch.Generator().manual_seed(3)) for w in (p, 8 * p))
    assert torch.equal(once, scaled)


def test_nothing_of_probability_0_is_drawn_at_the_edges(monkeypatch):
    p = torch.tensor([0.0, 0.5, 0.0, 0.5, 0.0], dtype=torch.float64)
    for u, symbol in ((0.0, 1), (0.5, 3), (1 - 2**-53, 3)):
        fixed = torch.tensor([u], dtype=torch.float64)
        monkeypatch.setattr(torch, "rand", lambda *a, fixed=fixed, **k: fixed)
        assert draw(p).item() == symbol


def test_the_generator_decides_and_greedy_choice_uses_none_of_it(device):
    def chain(y):
        generator = torch.Generator().manual_seed(7)
        return [sample(y, generator=generator).item() for _ in range(20)]

    assert chain(Y) == chain(Y) == chain(Y.to(device))
    generator = torch.Generator().manual_seed(7)
    state = generator.get_state()
    sample(Y.to(device), temperature=0, generator=generator)
    assert torch.equal(generator.get_state(), state)
    torch.manual_seed(11)
    first = sample(Y.expand(50, 5))
    torch.manual_seed(11)
    assert torch.equal(first, sample(Y.expand(50, 5)))


@pytest.mark.parametrize(
    ("y", "options", "error", "message"),
    [
        ([1.0, 2.0], {}, TypeError, "y: expected a tensor of floating-point scores, got list"),
        (torch.tensor([1, 2]), {}, TypeError, "got torch.int64"),
        (torch.tensor(1.0), {}, ValueError, r"shape \(…, V\), got \(\)"),
        (torch.zeros(2, 0), {}, ValueError, r"got \(2, 0\)"),
        (torch.tensor([1.0, math.nan]), {}, ValueError, "expected finite scores"),
        (torch.tensor([1.0, math.inf]), {}, ValueError, "expected finite scores"),
        (torch.tensor([[0.0, 1], [-math.inf, -math.inf]]), {}, ValueError, "-inf alone"),
        (Y, {"temperature": -1.0}, ValueError, "temperature: expected .* from 0 up, got -1.0"),
        (Y, {"temperature": math.inf}, ValueError, "got inf"),
        (Y, {"temperature": math.nan}, ValueError, "got nan"),
        (Y, {"temperature": "hot"}, TypeError, "temperature: expected a number, got str"),
        (Y, {"temperature": True}, TypeError, "got bool"),
        (Y, {"top_k": 0}, ValueError, "top_k must be greater than zero, got 0"),
        (Y, {"top_k": 6}, ValueError, "top_k: expected between 1 and 5, .* got 6"),
        (Y, {"top_k": 2.0}, TypeError, "top_k should be of type int"),
    ],
)
def test_scores_that_cannot_be_used(y, options, error, message):
    for function in (probabilities, sample):
        with pytest.raises(error, match=message):
            function(y, **options)


@pytest.mark.parametrize(
    ("p", "error", "message"),
    [
        ([0.5, 0.5], TypeError, "p: expected a tensor of floating-point probabilities, got list"),
        (torch.tensor([1, 0]), TypeError, "got torch.int64"),
        (torch.zeros(0), ValueError, r"got \(0,\)"),
        (torch.tensor([0.5, -0.5, 1.0]), ValueError, "from 0 up with a positive sum"),
        (torch.tensor([[0.5, 0.5], [0.0, 0.0]]), ValueError, "positive sum in each row"),
        (torch.tensor([0.5, math.nan]), ValueError, "positive sum"),
        (torch.tensor([0.5, math.inf]), ValueError, "positive sum"),
        (torch.tensor([[0.5, 0.5], [0.5, math.inf]]), ValueError, "positive sum"),
    ],
)
def test_probabilities_that_cannot_be_drawn_from(p, error, message):
    with pytest.raises(error, match=message):
        draw(p)
