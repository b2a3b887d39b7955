"""The beam search against the enumeration of all sequences, and against a greedy loop."""

import itertools
import math

import pytest
import torch

from rnnlib.models.search import Hypothesis, beam_search, best_symbols

START, END = 0, 1


def random_model(seed, K=4, memory=5):
    """A step whose probabilities depend on all symbols so far, by a state that mixes them."""
    generator = torch.Generator().manual_seed(seed)
    table = 2 * torch.randn(memory, K, generator=generator, dtype=torch.float64)
    table[:, START] = -math.inf  # never written

    def step(symbols, state):
        state = (3 * state + symbols + 1) % memory
        return table[state].log_softmax(-1), state

    return step, torch.zeros(1, dtype=torch.int64)


def enumerate_all(step, state, K, max_steps):
    """Return every sequence with its log-probability, best first, by brute force."""
    found = []
    for n in range(1, max_steps + 1):
        for symbols in itertools.product(range(K), repeat=n):
            if END in symbols[:-1] or (n < max_steps and symbols[-1] != END):
                continue
            log_p, s, last = 0.0, state, START
            for symbol in symbols:
                scores, s = step(torch.tensor([last]), s)
                log_p += scores[0, symbol].item()
                last = symbol
            if log_p > -math.inf:
                found.append((symbols, log_p))
    return sorted(found, key=lambda pair: -pair[1])


def greedy(step, state, max_steps):
    symbols, log_p, last = [], 0.0, START
    for _ in range(max_steps):
        scores, state = step(torch.tensor([last]), state)
        last = scores[0].argmax().item()
        symbols.append(last)
        log_p += scores[0, last].item()
        if last == END:
            break
    return tuple(symbols), log_p


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_that_drops_nothing_finds_all_in_their_order(seed):
    K, max_steps = 4, 4
    step, state = random_model(seed, K)
    every = enumerate_all(step, state, K, max_steps)
    width = 60
    assert len(every) < width
    found = beam_search(step, state, start=START, end=END, width=width, max_steps=max_steps)[0]
    assert len(found) == len(every)
    for hypothesis, (symbols, log_p) in zip(found, every, strict=True):
        assert abs(hypothesis.log_probability - log_p) < 1e-5
        assert hypothesis.finished == (symbols[-1] == END)
    assert {h.symbols for h in found} == {symbols for symbols, _ in every}
    assert found[0].symbols == every[0][0]
    assert abs(sum(h.probability for h in found) - 1) < 1e-5


@pytest.mark.parametrize("seed", range(8))
def test_a_width_of_one_is_the_greedy_search(seed):
    step, state = random_model(seed, K=6, memory=11)
    symbols, log_p = greedy(step, state, 9)
    [[found]] = beam_search(step, state, start=START, end=END, width=1, max_steps=9)
    assert found.symbols == symbols
    assert abs(found.log_probability - log_p) < 1e-5
    assert found.finished == (symbols[-1] == END)


def test_what_a_beam_finds_has_the_probability_that_it_says():
    step, state = random_model(3, K=6, memory=11)
    for hypothesis in beam_search(step, state, start=START, end=END, width=4, max_steps=7)[0]:
        s, last, log_p = state, START, 0.0
        for symbol in hypothesis.symbols:
            scores, s = step(torch.tensor([last]), s)
            log_p, last = log_p + scores[0, symbol].item(), symbol
        assert abs(hypothesis.log_probability - log_p) < 1e-5


def table_step(P):
    """Look up P[step, last symbol], the state being the number of the step."""

    def step(symbols, t):
        return P[t, symbols].log(), t + 1

    return step, torch.tensor([0])


def chain(paths, K, steps):
    """A model over sequences written out: probabilities of the next symbol after each prefix."""
    prefixes = {(): 0}
    for symbols in paths:
        for i in range(len(symbols)):
            prefixes.setdefault(tuple(symbols[: i + 1]), len(prefixes))
    table = torch.zeros(len(prefixes), K, dtype=torch.float64)
    follow = torch.zeros(len(prefixes), K, dtype=torch.int64)
    for symbols, p in paths.items():
        for i, symbol in enumerate(symbols):
            here = prefixes[tuple(symbols[:i])]
            table[here, symbol] += p
            follow[here, symbol] = prefixes[tuple(symbols[: i + 1])]
    table /= table.sum(-1, keepdim=True).clamp(min=1e-300)

    def step(symbols, state):
        first, here = state
        here = torch.where(first, here, follow[here, symbols])
        return table[here].log(), (torch.zeros_like(first), here)

    return step, (torch.tensor([True]), torch.tensor([0]))


def test_the_greedy_answer_need_not_be_the_best():
    # a 0.6, then a or b 0.5 each; b 0.4, then b 0.9
    paths = {(2, 2, END): 0.30, (2, 3, END): 0.30, (3, 2, END): 0.04, (3, 3, END): 0.36}
    step, state = chain(paths, K=4, steps=3)
    options = dict(start=START, end=END, max_steps=3)
    first = beam_search(step, state, width=1, **options)[0][0]
    assert first.symbols[0] == 2 and math.isclose(first.probability, 0.30, rel_tol=1e-5)
    second = beam_search(step, state, width=2, **options)[0][0]
    assert second.symbols == (3, 3, END) and math.isclose(second.probability, 0.36, rel_tol=1e-5)


def test_a_wider_beam_can_find_less():
    """The greedy beginning 2 falls out of a beam of two, whose other beginnings end badly."""
    ends = [(3, x, y, END) for x in (2, 3) for y in range(2, 7)]
    paths = {(2, x, 2, END): 0.40 / 3 for x in (2, 3, 4)}
    paths |= {symbols: 0.35 / 10 for symbols in ends}
    paths |= {(4, 2, 2, END): 0.25}
    # Beginnings: 2 with 0.40, 3 with 0.35; 2x 0.133 each, 3x 0.175 each; then 3xy 0.035 each.
    step, state = chain(paths, K=7, steps=4)
    options = dict(start=START, end=END, max_steps=4)
    one, two, three = (
        beam_search(step, state, width=width, **options)[0][0].probability for width in (1, 2, 3)
    )
    assert math.isclose(one, 0.40 / 3, rel_tol=1e-5)
    assert math.isclose(two, 0.035, rel_tol=1e-5)
    assert math.isclose(three, 0.25, rel_tol=1e-5)


def test_an_answer_that_has_ended_keeps_its_place_until_others_are_better():
    paths = {(END,): 0.30, (2, 2, END): 0.35, (2, 3, END): 0.20, (3, 3, END): 0.15}
    step, state = chain(paths, K=4, steps=3)
    found = beam_search(step, state, start=START, end=END, width=2, max_steps=3)[0]
    assert [h.symbols for h in found] == [(2, 2, END), (END,)]
    assert all(h.finished for h in found)
    assert math.isclose(found[1].probability, 0.30, rel_tol=1e-5)


def test_short_answers_have_an_advantage_that_the_length_penalty_takes_away():
    paths = {(END,): 0.4, (2, 2, 2, END): 0.35, (2, 2, 3, END): 0.25}
    step, state = chain(paths, K=4, steps=4)
    options = dict(start=START, end=END, width=3, max_steps=4)
    plain = beam_search(step, state, **options)[0]
    assert [h.symbols for h in plain] == [(END,), (2, 2, 2, END), (2, 2, 3, END)]
    mean = beam_search(step, state, length_penalty=1.0, **options)[0]
    assert [h.symbols for h in mean] == [(2, 2, 2, END), (2, 2, 3, END), (END,)]
    # The log-probabilities are those of the answers themselves.
    for hypothesis in mean:
        assert math.isclose(hypothesis.probability, paths[hypothesis.symbols], rel_tol=1e-5)
    # ln 0.4 / 1 = -0.92, ln 0.35 / 4^p: with p = 0.05 the short one is still better.
    little = beam_search(step, state, length_penalty=0.05, **options)[0]
    assert little[0].symbols == (END,)
    more = beam_search(step, state, length_penalty=0.12, **options)[0]
    assert [h.symbols for h in more][:2] == [(2, 2, 2, END), (END,)]


def test_what_has_not_ended_is_returned_unfinished():
    step, state = table_step(torch.tensor([[[0.0, 0.0, 1.0]] * 3] * 9))
    [[found]] = beam_search(step, state, start=0, end=1, width=2, max_steps=5)
    assert found == Hypothesis((2,) * 5, found.log_probability, False)
    assert abs(found.log_probability) < 1e-6


def test_the_search_stops_when_all_have_ended():
    calls = []

    def step(symbols, state):
        calls.append(len(symbols))
        log_p = torch.full((len(symbols), 3), -1e9)
        log_p[:, 1] = 0.0
        return log_p, state

    beam_search(step, None, start=0, end=1, width=1, max_steps=50)
    assert calls == [1]


def test_many_sequences_at_once_equal_one_at_a_time():
    K, memory, width = 5, 7, 3
    step, _ = random_model(0, K, memory)
    starts = torch.tensor([0, 3, 5, 6])
    options = dict(start=START, end=END, width=width, max_steps=6)
    together = beam_search(step, starts, num_sequences=4, **options)
    assert len(together) == 4
    for i in range(4):
        alone = beam_search(step, starts[i : i + 1], **options)[0]
        assert [h.symbols for h in alone] == [h.symbols for h in together[i]]
        assert [h.finished for h in alone] == [h.finished for h in together[i]]
        for one, other in zip(alone, together[i], strict=True):
            assert abs(one.log_probability - other.log_probability) < 1e-6
    assert len({h[0].symbols for h in together}) > 1


def test_the_state_follows_its_prefix_through_tuples():
    """A state that holds the whole prefix must equal what is returned."""
    K, width = 4, 4
    generator = torch.Generator().manual_seed(1)
    table = torch.randn(K**2, K, generator=generator)
    table[:, START] = -math.inf

    def step(symbols, state):
        prefix, (before, nothing) = state
        prefix = torch.cat([prefix, symbols[:, None]], dim=1)
        assert (prefix[:, 0] == START).all()
        log_p = table[K * before + symbols].log_softmax(-1)
        seen.append(prefix)
        return log_p, (prefix, (symbols, nothing))

    seen = []
    state = (torch.zeros(1, 0, dtype=torch.int64), (torch.zeros(1, dtype=torch.int64), None))
    found = beam_search(step, state, start=START, end=END, width=width, max_steps=5)[0]
    last = {tuple(row) for row in seen[-1].tolist()}
    for hypothesis in found:
        if len(hypothesis.symbols) == len(seen):
            assert (START, *hypothesis.symbols[:-1]) in last


def test_the_start_symbol_is_read_first():
    heard = []

    def step(symbols, state):
        heard.append(symbols.tolist())
        return torch.tensor([[0.1, 0.2, 0.7]]).log().expand(len(symbols), 3), state

    beam_search(step, None, start=2, end=1, width=1, max_steps=2)
    assert heard == [[2], [2]]
    heard.clear()
    beam_search(step, None, start=0, end=1, width=2, max_steps=1, num_sequences=2)
    assert heard == [[0, 0, 0, 0]]


def constant(value):
    return lambda symbols, state: (value, state)


@pytest.mark.parametrize(
    ("step", "changed", "error", "message"),
    [
        (None, {"width": 0}, ValueError, "width must be greater than zero, got 0"),
        (None, {"width": 1.5}, TypeError, "width should be of type int"),
        (None, {"max_steps": 0}, ValueError, "max_steps must be greater than zero"),
        (None, {"num_sequences": 0}, ValueError, "num_sequences must be greater"),
        (None, {"length_penalty": -1}, ValueError, "expected at least 0, got -1"),
        (None, {"length_penalty": math.nan}, ValueError, "got nan"),
        (None, {"end": 4}, ValueError, "expected symbols below 4, got 0 and 4"),
        (None, {"start": -1}, ValueError, "got -1 and 1"),
        (None, {"state": torch.zeros(3)}, ValueError, "expected 1 rows, got shape (3,)"),
        (None, {"state": torch.tensor(0)}, ValueError, "expected 1 rows, got shape ()"),
        (None, {"state": [torch.zeros(1)]}, TypeError, "a tuple of them, got list"),
        (constant(torch.zeros(3, 4)), {}, ValueError, "shape (2, K), got (3, 4)"),
        (constant(torch.zeros(2)), {}, ValueError, "got (2,)"),
        (constant(torch.full((2, 4), 0.5)), {}, ValueError, "none above 0, got 0.5"),
        (constant(torch.full((2, 4), math.nan)), {}, ValueError, "got nan"),
        (constant([0.0]), {}, TypeError, "expected a Tensor first, got list"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(step, changed, error, message):
    good, state = random_model(0)
    options = dict(state=state, start=START, end=END, width=2, max_steps=3) | changed
    with pytest.raises(error) as raised:
        beam_search(step or good, **options)
    assert message in str(raised.value)


def test_the_best_answers_in_one_tensor():
    long, short = Hypothesis((2, 3, END), -1.0, True), Hypothesis((END,), -2.0, True)
    rows = best_symbols([[long, short], [short]], 4)
    assert rows.dtype == torch.int64
    assert rows.tolist() == [[2, 3, END, -1], [END, -1, -1, -1]]
    assert best_symbols([[short]], 2, fill=9).tolist() == [[END, 9]]
    with pytest.raises(ValueError, match="num_steps: expected at least 3, got 2"):
        best_symbols([[long]], 2)
    with pytest.raises(ValueError, match="got none to some"):
        best_symbols([[long], []], 3)
