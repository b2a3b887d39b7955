"""The tables give the probabilities of the equation: counted by hand, summing to one, and fair."""

import math
from fractions import Fraction

import numpy as np
import pytest

from rnnlib.data.vocabulary import Vocabulary
from rnnlib.models.ngrams import NGram

TEXT = "abracadabra"
VOCABULARY = Vocabulary("abcdrx")  # an x never occurs


def by_the_equation(text, symbol, context, n, V):
    """P_n by the definition: slow, exact, and written otherwise than the module."""
    if n == 0:
        return Fraction(1, V)
    shorter = by_the_equation(text, symbol, context, n - 1, V)
    if n - 1 > len(context):
        return shorter
    c = context[len(context) - n + 1 :]
    after = [text[i + len(c)] for i in range(len(text) - len(c)) if text[i:].startswith(c)]
    if not after:
        return shorter
    u = len(set(after))
    return (after.count(symbol) + u * shorter) / (len(after) + u)


def test_unigrams_and_bigrams_counted_by_hand():
    """Of 11 letters 5 are a; there are 5 different ones. After an a: b c d b."""
    tables = NGram(TEXT, 2, VOCABULARY)
    a = (5 + 5 * Fraction(1, 6)) / (11 + 5)
    assert tables.probability("a", "", order=1) == pytest.approx(float(a))
    b = (2 + 5 * Fraction(1, 6)) / 16
    assert tables.probability("b", "a") == pytest.approx(float((2 + 3 * b) / (4 + 3)))
    x = 5 * Fraction(1, 6) / 16
    assert tables.probability("x", "a") == pytest.approx(float(3 * x / 7))


@pytest.mark.parametrize("order", [1, 2, 3, 5])
@pytest.mark.parametrize("context", ["", "a", "ra", "abra", "xxa", "x", "cadab"])
def test_probabilities_are_the_equation_and_add_up_to_one(order, context):
    tables = NGram(TEXT, 5, VOCABULARY)
    p = tables.probabilities(context, order=order)
    expected = [by_the_equation(TEXT, s, context, order, 6) for s in VOCABULARY.symbols]
    np.testing.assert_allclose(p, [float(e) for e in expected], rtol=1e-12)
    assert p.shape == (6,) and (p > 0).all()
    assert math.isclose(p.sum(), 1, rel_tol=1e-12)
    for s, value in zip(VOCABULARY.symbols, p, strict=True):
        assert tables.probability(s, context, order=order) == value


def test_a_smaller_order_is_the_table_of_that_order():
    large = NGram(TEXT, 4, VOCABULARY)
    for n in (1, 2, 3, 4):
        small = NGram(TEXT, n, VOCABULARY)
        np.testing.assert_array_equal(large.probabilities("bra", n), small.probabilities("bra"))
        assert large.bits_per_symbol("cabra", n) == small.bits_per_symbol("cabra")


def test_only_the_last_symbols_of_a_context_count():
    tables = NGram(TEXT, 3, VOCABULARY)
    np.testing.assert_array_equal(tables.probabilities("dddra"), tables.probabilities("ra"))
    assert not np.allclose(tables.probabilities("ra"), tables.probabilities("da"))


def test_asking_changes_nothing():
    tables = NGram(TEXT, 3, VOCABULARY)
    before = tables.num_counts
    tables.probabilities("xx")
    tables.bits_per_symbol("xaxbxcxd")
    assert tables.num_counts == before


def test_bits_are_the_mean_cost_of_all_symbols_but_the_first():
    tables = NGram(TEXT, 3, VOCABULARY)
    text = "cabxra"
    costs = [-math.log2(tables.probability(text[t], text[:t])) for t in range(1, len(text))]
    assert tables.bits_per_symbol(text) == pytest.approx(sum(costs) / 5)


def test_without_knowledge_a_symbol_costs_log_v():
    """One symbol counted: next to nothing is known, and the orders agree."""
    tables = NGram("a", 3, VOCABULARY)
    assert tables.probability("b", "") == pytest.approx((1 / 6) / 2)
    assert tables.probability("b", "bb") == tables.probability("b", "")


def test_counts_are_those_of_the_training_text_alone():
    tables = NGram("aaaaaaaaab", 2, VOCABULARY)
    assert tables.bits_per_symbol("aaaa") < 0.6
    assert tables.bits_per_symbol("cccc") > 4
    assert tables.num_counts == 2 + 2  # a, b; a after a, b after a
    assert repr(tables) == "NGram(order 2, 4 counts)"


def test_longer_contexts_win_on_what_was_counted_and_not_elsewhere():
    rng = np.random.default_rng(0)
    noise = "".join(rng.choice(list("abcd"), size=2000))
    tables = NGram(noise[:1000], 6, Vocabulary("abcd"))
    seen = [tables.bits_per_symbol(noise[:1000], n) for n in range(1, 7)]
    unseen = [tables.bits_per_symbol(noise[1000:], n) for n in range(1, 7)]
    assert seen == sorted(seen, reverse=True) and seen[-1] < 1.5
    assert min(unseen) == unseen[0] and 1.99 < unseen[0] < 2.02


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: NGram("", 2, VOCABULARY), ValueError, "text: expected at least 1 symbols, got 0"),
        (lambda: NGram(["a"], 2, VOCABULARY), TypeError, "text: expected a string, got list"),
        (
            lambda: NGram("hello", 2, VOCABULARY),
            ValueError,
            "symbols of the vocabulary, got 'ehlo'",
        ),
        (lambda: NGram(TEXT, 0, VOCABULARY), ValueError, "order must be greater than zero, got 0"),
        (lambda: NGram(TEXT, 2.0, VOCABULARY), TypeError, "order should be of type int"),
        (
            lambda: NGram(TEXT, 2, VOCABULARY).probability("q", ""),
            ValueError,
            "expected one of the vocabulary's, got 'q'",
        ),
        (
            lambda: NGram(TEXT, 2, VOCABULARY).probability("ab", ""),
            ValueError,
            "expected one of the vocabulary's, got 'ab'",
        ),
        (
            lambda: NGram(TEXT, 2, VOCABULARY).probabilities("a", order=3),
            ValueError,
            "order: expected at most 2, got 3",
        ),
        (
            lambda: NGram(TEXT, 2, VOCABULARY).bits_per_symbol("a"),
            ValueError,
            "expected at least 2 symbols, got 1",
        ),
        (
            lambda: NGram(TEXT, 2, VOCABULARY).bits_per_symbol("abz"),
            ValueError,
            "symbols of the vocabulary, got 'z'",
        ),
    ],
)
def test_what_cannot_be_counted_or_asked(make, error, message):
    with pytest.raises(error, match=message):
        make()
