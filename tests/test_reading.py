"""The decoders of CTC against the enumeration of all paths."""

import itertools
import math
from collections import defaultdict

import pytest
import torch

from rnnlib.models.ctc import collapse, ctc_lattice
from rnnlib.models.reading import Reading, greedy, prefix_beam


def log_probs(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.randn(*shape, generator=generator, dtype=torch.float64)).log_softmax(-1)


def all_answers(x, blank=0):
    """Return the probability of every answer, by going through all paths."""
    found = defaultdict(float)
    for path in itertools.product(range(x.size(1)), repeat=len(x)):
        found[collapse(path, blank)] += x[range(len(x)), path].sum().exp().item()
    return dict(sorted(found.items(), key=lambda item: -item[1]))


# Two steps, each of which is most probably blank: 0.6 and 0.4.
EMPTY_PATH = torch.tensor([[[0.6, 0.4], [0.6, 0.4]]]).log()


def test_the_best_path_may_be_empty_and_the_best_answer_not():
    lengths = torch.tensor([2])
    assert greedy(EMPTY_PATH, lengths) == [()]
    best, second = prefix_beam(EMPTY_PATH, lengths, width=4)[0]
    assert best.symbols == (1,) and second.symbols == ()
    assert math.isclose(best.probability, 0.64, rel_tol=1e-6)
    assert math.isclose(second.probability, 0.36, rel_tol=1e-6)


@pytest.mark.parametrize("blank", [0, 2])
@pytest.mark.parametrize("seed", range(6))
def test_a_wide_beam_finds_every_answer_with_its_probability(seed, blank):
    x = log_probs(6, 3, seed=seed)
    right = all_answers(x, blank)
    (found,) = prefix_beam(x[None], torch.tensor([6]), width=10**4, blank=blank)
    assert [reading.symbols for reading in found] == list(right)
    for reading, probability in zip(found, right.values(), strict=True):
        assert math.isclose(reading.probability, probability, rel_tol=1e-9)


def test_the_probability_found_is_that_of_the_loss():
    x = log_probs(8, 4)
    (found,) = prefix_beam(x[None], torch.tensor([8]), width=10**4)
    for reading in found[:20]:
        whole = ctc_lattice(x, torch.tensor(reading.symbols, dtype=torch.int64)).log_probability
        assert math.isclose(reading.log_probability, whole.item(), rel_tol=1e-9)


def test_a_narrow_beam_keeps_the_best_few_and_never_finds_more_than_there_is():
    x = log_probs(4, 10, 4, seed=1)
    lengths = torch.full((4,), 10)
    wide, narrow = (prefix_beam(x, lengths, width=width) for width in (10**3, 3))
    for more, few in zip(wide, narrow, strict=True):
        assert len(few) == 3
        assert [r.log_probability for r in few] == sorted(r.log_probability for r in few)[::-1]
        known = {reading.symbols: reading.log_probability for reading in more}
        for reading in few:
            assert reading.log_probability <= known[reading.symbols] + 1e-9


def test_each_sequence_ends_with_its_own_length():
    x = log_probs(3, 9, 4, seed=2)
    lengths = torch.tensor([9, 4, 1])
    spoilt = x.clone()
    spoilt[1, 4:], spoilt[2, 1:] = math.nan, math.nan
    alone = [x[n : n + 1, :length] for n, length in enumerate(lengths)]
    ends = lengths[:, None]
    assert greedy(spoilt, lengths) == [
        greedy(part, n)[0] for part, n in zip(alone, ends, strict=True)
    ]
    assert prefix_beam(spoilt, lengths, width=5) == [
        prefix_beam(part, n, width=5)[0] for part, n in zip(alone, ends, strict=True)
    ]


def test_greedy_reads_the_best_path():
    x = log_probs(20, 8, 4, seed=3)
    paths = x.argmax(-1)
    assert greedy(x, torch.full((20,), 8)) == [collapse(path) for path in paths]
    assert greedy(x, torch.full((20,), 8), blank=3) == [collapse(path, 3) for path in paths]


def test_impossible_answers_are_not_returned():
    certain = torch.tensor([[[1.0, 0.0], [0.0, 1.0]]]).log()
    assert prefix_beam(certain, torch.tensor([2]), width=5) == [[Reading((1,), 0.0)]]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda x, n: greedy(x.exp(), n), ValueError, "log_softmax makes them from logits"),
        (lambda x, n: greedy(x[0], n), ValueError, "expected (N, T, K)"),
        (lambda x, n: greedy(x, n + 9), ValueError, "lengths: expected at most 2"),
        (lambda x, n: greedy(x, n, blank=2), ValueError, "blank: expected a class from 0 to 1"),
        (lambda x, n: prefix_beam(x.exp(), n, width=2), ValueError, "log_softmax makes them"),
        (lambda x, n: prefix_beam(x, n, width=0), ValueError, "width must be greater than zero"),
        (lambda x, n: prefix_beam(x, n, width=2.0), TypeError, "width should be of type int"),
        (lambda x, n: prefix_beam(x, [2], width=2), TypeError, "lengths: expected a Tensor"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(call, error, message):
    with pytest.raises(error) as raised:
        call(EMPTY_PATH, torch.tensor([2]))
    assert message in str(raised.value)
