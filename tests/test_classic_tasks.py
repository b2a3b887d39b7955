"""The tasks of the classic papers are those of the papers, and their floors are reached."""

import math
import re
from collections import Counter

import pytest
import torch
from torch.nn.functional import cross_entropy, one_hot

from rnnlib.data.tasks import ContinualReber, Copying, EmbeddedReber, LetterFeatures, TemporalXor


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def reber(text):
    """Tell whether a text is a Reber string, by a walk of our own through the drawn graph."""
    edges = {
        (1, "T"): 2, (1, "P"): 3, (2, "S"): 2, (2, "X"): 4, (3, "T"): 3, (3, "V"): 5,
        (4, "X"): 3, (4, "S"): 6, (5, "P"): 4, (5, "V"): 6,
    }  # fmt: skip
    node = 1
    for symbol in text[1:-1]:
        node = edges.get((node, symbol))
        if node is None:
            return False
    return text[0] == "B" and text[-1] == "E" and node == 6


def test_the_walk_knows_published_reber_strings():
    for text in ("BTSSXXTVVE", "BPVVE", "BTXXVPSE", "BPVPXVPXVPXVVE", "BTSXXVPSE"):
        assert reber(text), text
    for text in ("BTSSPXSE", "BPTVVB", "BTXXVVSE", "BPVSPSE", "BTSSSE"):
        assert not reber(text), text


def test_embedded_reber_wraps_reber_strings():
    strings = EmbeddedReber().strings(3_000, seeded())
    for text in strings:
        assert text[0] == "B" and text[-1] == "E" and text[1] == text[-2] in "TP", text
        assert reber(text[2:-2]), text
    assert min(map(len, strings)) == 9
    assert abs(sum(text[1] == "T" for text in strings) / 3_000 - 0.5) < 0.03
    # Both ways of each fork are as likely: here that at the first inner symbol, and a loop.
    assert abs(sum(text[3] == "T" for text in strings) / 3_000 - 0.5) < 0.03
    loops = "".join(re.findall(r"BT(S*)X", " ".join(text[2:] for text in strings)))
    assert abs(len(loops) / sum(text[3] == "T" for text in strings) - 1) < 0.1


def test_embedded_reber_levels_are_what_the_best_tables_cost():
    task = EmbeddedReber()
    assert task.mean_length == pytest.approx(12, abs=1e-9)
    strings = task.strings(20_000, seeded())
    assert sum(map(len, strings)) / 20_000 == pytest.approx(12, abs=0.06)
    counts = Counter("".join(text[1:] for text in strings))
    total = counts.total()
    blind = -sum(n / total * math.log(n / total) for n in counts.values())
    assert task.chance == pytest.approx(blind, abs=0.005)
    possible = torch.cat([task.possible(text)[:-1] for text in strings])
    assert task.floor == pytest.approx(possible.sum(1).double().log().mean().item(), abs=0.005)
    assert task.floor < task.chance


def test_embedded_reber_knows_what_may_follow():
    task = EmbeddedReber()
    for text in task.strings(200, seeded()):
        following = one_hot(task.encode(text[1:]), 7).bool()
        possible = task.possible(text)
        assert possible[:-1][following].all()
        assert ((possible.sum(1) == 1) | (possible.sum(1) == 2)).all()
        # Before the last E the second symbol is asked for, and nothing else.
        row = [symbol for symbol, p in zip(task.symbols, possible[-3], strict=True) if p]
        assert row == [text[1]]
    assert task.possible("BTBPVVETEB")[-1].tolist() == [c in "TP" for c in task.symbols]
    with pytest.raises(ValueError, match="text: expected T at step 8, got 'P'"):
        task.possible("BTBPVVEPE")


def test_embedded_reber_batches_are_padded_and_ask_for_the_next():
    task = EmbeddedReber()
    x, y, lengths = task.batch(["BTBPVVETE", "BPBTSXXVVEPE"])
    assert x.shape == (2, 11, 7) and y.shape == (2, 11) and lengths.tolist() == [8, 11]
    assert x.dtype == torch.float32 and not x[0, 8:].any()
    assert "".join(task.symbols[i] for i in x[0, :8].argmax(-1)) == "BTBPVVET"
    assert "".join(task.symbols[i] for i in y[0, :8]) == "TBPVVETE"
    assert (y[0, 8:] == -100).all() and (y[1] >= 0).all()
    drawn = task.strings(5, seeded(3))
    again = task.sample(5, seeded(3))
    assert all(torch.equal(a, b) for a, b in zip(task.batch(drawn), again, strict=True))


def test_embedded_reber_tells_of_symbols_it_does_not_have():
    task = EmbeddedReber()
    with pytest.raises(ValueError, match="expected symbols of 'BTPSXVE', got 'Q'"):
        task.encode("BTQ")
    with pytest.raises(ValueError, match="got 'b'"):
        task.batch(["BTB", "bTB"])
    with pytest.raises(TypeError, match="text"):
        task.encode(3)


def test_embedded_reber_counts_a_step_right_only_if_all_possible_symbols_lead():
    task = EmbeddedReber()
    text = "BTBPVVETE"
    best = task.possible(text).double()
    assert task.right(best, text).all()
    assert task.right(torch.cat([best, torch.zeros(4, 7)]), text).all()
    for t in range(len(text)):
        tie = best.clone()
        tie[t, (~task.possible(text)[t]).nonzero()[0]] = 1.0
        assert task.right(tie, text).tolist() == [step != t for step in range(len(text))]
    one_of_two = best.clone()
    one_of_two[0, task.symbols.index("P")] = -1.0  # the most active symbol is possible, and yet
    assert not task.right(one_of_two, text)[0]
    assert not task.right(torch.full((9, 7), math.nan), text).any()
    for wrong in (best[:5], best[None], best[:, :6]):
        with pytest.raises(ValueError, match=r"scores: expected \(9, 7\), or more rows, got"):
            task.right(wrong, text)
    both = torch.stack([best, one_of_two])
    led = task.leading(both, task.possible(text))
    assert torch.equal(led, torch.stack([task.right(scores, text) for scores in both]))


def test_continual_reber_joins_strings_without_a_mark():
    task = ContinualReber(num_steps=200)
    streams = task.streams(20, seeded())
    for text in streams:
        assert len(text) == 201
        task.grammar.possible(text)  # raises where the grammar does not go on
        whole = text.split("EB")  # an inner string starts behind T or P, so E B is a seam
        assert len(whole) > 8
    x, y = task.sample(20, seeded())
    assert x.shape == (20, 200, 7) and y.shape == (20, 200)
    assert torch.equal(y[:, :-1], x.argmax(-1)[:, 1:])
    assert "".join(task.grammar.symbols[i] for i in y[3]) == streams[3][1:]


def test_continual_reber_levels_are_what_the_best_tables_cost():
    task = ContinualReber(num_steps=100_000)
    (text,) = task.streams(1, seeded())
    counts = Counter(text)
    blind = -sum(n / len(text) * math.log(n / len(text)) for n in counts.values())
    assert task.chance == pytest.approx(blind, abs=0.005)
    possible = task.grammar.possible(text)
    assert task.floor == pytest.approx(possible.sum(1).double().log().mean().item(), abs=0.005)


@pytest.mark.parametrize("T", [2, 3, 30, 31, 32])
def test_temporal_xor_makes_every_third_bit_of_the_two_before_it(T):
    task = TemporalXor(num_steps=T)
    x, y = task.sample(400, seeded())
    assert x.shape == y.shape == (400, T, 1) and x.dtype == torch.float32
    assert torch.equal(x[:, 1:], y[:, :-1])
    bits = torch.cat([x, y[:, -1:]], dim=1)[..., 0].long()
    for t in range(2, T + 1, 3):
        assert torch.equal(bits[:, t], bits[:, t - 1] ^ bits[:, t - 2])
        assert task.known[t - 1]
    assert task.known.sum() == (T + 1) // 3
    assert set(bits.unique().tolist()) == {0, 1} and abs(bits.double().mean() - 0.5) < 0.04
    best = torch.where(task.known[None], bits[:, 1:], 0.5)
    assert (best - y[..., 0]).square().mean().item() == pytest.approx(task.floor, abs=1e-6)
    assert (0.5 - y).square().mean().item() == pytest.approx(task.chance)


def test_letter_features_follow_the_three_syllables():
    task = LetterFeatures(num_steps=3_000)
    texts = task.texts(3, seeded())
    for text in texts:
        assert len(text) == 3_001
        assert re.fullmatch(r"(ba|dii|guuu)*(b|di?|gu{0,2})?", text)
    counts = Counter("".join(texts))
    assert all(
        abs(counts[c] / (counts["b"] + counts["d"] + counts["g"]) - 1 / 3) < 0.03 for c in "bdg"
    )
    x, y = task.sample(3, seeded())
    assert x.shape == y.shape == (3, 3_000, 6) and x.dtype == torch.float32
    assert torch.equal(x[:, 1:], y[:, :-1]) and torch.equal(y[1], task.encode(texts[1][1:]))
    with pytest.raises(ValueError, match="expected letters of b, d, g, a, i, u, got 'x'"):
        task.encode("bax")


def test_letter_features_are_those_of_elmans_table():
    task = LetterFeatures(num_steps=4)
    assert task.encode("guu").tolist() == [
        [1, 0, 1, 0, 1, 1],
        [0, 1, 0, 1, 1, 1],
        [0, 1, 0, 1, 1, 1],
    ]
    bits = dict(zip(task.features, task.encode("bdgaiu").T.tolist(), strict=True))
    assert bits["Consonant"] == [1, 1, 1, 0, 0, 0] == [1 - v for v in bits["Vowel"]]
    assert bits["Interrupted"] == bits["Consonant"] and bits["Voiced"] == [1] * 6
    # Consonants differ in High and in Back, and so do vowels.
    assert bits["High"] == [0, 1, 0, 0, 1, 1] and bits["Back"] == [0, 0, 1, 1, 0, 1]


def test_letter_features_levels_are_what_the_best_answers_cost():
    task = LetterFeatures(num_steps=60_000)
    _, y = task.sample(1, seeded())
    assert y[0].var(dim=0, unbiased=False).mean().item() == pytest.approx(task.chance, abs=2e-3)
    consonant = y[0, :, 0] == 1
    guess = torch.where(consonant[:, None], task.encode("bdg").mean(dim=0), y[0])
    assert (guess - y[0]).square().mean().item() == pytest.approx(task.floor, abs=1e-3)


def test_copying_asks_for_what_was_shown_after_the_sign():
    task = Copying(delay=7)
    x, y = task.sample(300, seeded())
    assert x.shape == (300, 27, 10) and y.shape == (300, 27)
    assert torch.equal(x.sum(-1), torch.ones(300, 27)) and x.dtype == torch.float32
    shown = x.argmax(-1)
    assert torch.equal(shown[:, :10], y[:, 17:])
    assert set(shown[:, :10].unique().tolist()) == set(range(8))
    assert (shown[:, 10:16] == 8).all() and (shown[:, 16] == 9).all() and (shown[:, 17:] == 8).all()
    assert (y[:, :17] == 8).all()


def test_copying_chance_is_the_cost_of_guessing_at_the_right_time():
    task = Copying(delay=7)
    _, y = task.sample(200, seeded())
    scores = torch.full((200, 27, 10), -1e4)
    scores[:, :17, 8] = 0
    scores[:, 17:, :8] = 0
    assert cross_entropy(scores.flatten(0, 1), y.flatten()).item() == pytest.approx(task.chance)
    assert Copying(delay=100).chance == pytest.approx(10 * math.log(8) / 120)
