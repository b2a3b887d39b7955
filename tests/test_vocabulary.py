"""A vocabulary is the same in every process, and reads back what it has written."""

import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
import torch

from rnnlib.data.vocabulary import Vocabulary


def test_vocabulary_is_sorted_and_without_duplicates():
    vocabulary = Vocabulary.from_text("hello")
    assert vocabulary.symbols == ("e", "h", "l", "o")
    assert len(vocabulary) == 4
    assert vocabulary == Vocabulary("oleh") == Vocabulary(["h", "e", "l", "o"])
    assert vocabulary != Vocabulary("held")
    assert hash(vocabulary) == hash(Vocabulary("oleh"))
    assert repr(vocabulary) == "Vocabulary(symbols=('e', 'h', 'l', 'o'))"
    assert eval(repr(vocabulary)) == vocabulary
    assert len(Vocabulary.from_text("Hello, how are you?")) == 13


def test_vocabulary_there_and_back():
    vocabulary = Vocabulary.from_text("hello")
    indices = vocabulary.encode("hello")
    assert indices.dtype == torch.int64
    assert indices.tolist() == [1, 0, 2, 2, 3]
    assert vocabulary.decode(indices) == "hello"
    assert vocabulary.decode([0, 2, 2, 3, 1]) == "elloh"
    assert vocabulary.decode(np.array([3, 1])) == "oh"
    assert vocabulary.encode("").shape == (0,) and vocabulary.encode("").dtype == torch.int64
    assert vocabulary.decode([]) == vocabulary.decode(vocabulary.encode("")) == ""
    text = "Größe 😀\n\t“”"
    known = Vocabulary.from_text(text)
    assert known.decode(known.encode(text)) == text
    copy = pickle.loads(pickle.dumps(known))
    assert copy == known and copy.decode(copy.encode(text)) == text


def test_vocabulary_is_the_same_in_every_process():
    """The order of a set of strings depends on a hash seed; the vocabulary's must not."""
    code = "from rnnlib import Vocabulary; print(Vocabulary.from_text('Hello, you?'))"
    printed = set()
    for seed in ("1", "2"):
        env = os.environ | {"PYTHONHASHSEED": seed}
        run = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
        printed.add(run.stdout)
    assert printed == {f"{Vocabulary.from_text('Hello, you?')}\n"}


def test_vocabulary_one_hot():
    vocabulary = Vocabulary.from_text("hello")
    x = vocabulary.one_hot(vocabulary.encode("hello"))
    assert x.shape == (5, 4) and x.dtype == torch.float32
    assert torch.equal(x, torch.eye(4)[[1, 0, 2, 2, 3]])
    assert vocabulary.one_hot(torch.zeros(2, 3, dtype=torch.long)).shape == (2, 3, 4)
    assert vocabulary.one_hot([]).shape == (0, 4)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda v: Vocabulary("hello"), ValueError, r"each symbol once, got 'l' more than once"),
        (lambda v: Vocabulary(""), ValueError, "at least one, got none"),
        (lambda v: Vocabulary(["a", "bc"]), ValueError, "single characters, got 'bc'"),
        (lambda v: Vocabulary([1, 2]), TypeError, "expected strings, got int"),
        (lambda v: Vocabulary.from_text(["a"]), TypeError, "expected a string, got list"),
        (lambda v: v.encode("help"), ValueError, "4 symbols 'ehlo', got 'p' at position 3"),
        (lambda v: v.encode([0]), TypeError, "expected a string, got list"),
        (lambda v: v.decode([0, 4]), IndexError, "expected 0 to 3 for 4 symbols, got 4"),
        (lambda v: v.decode([-1]), IndexError, "expected 0 to 3 for 4 symbols, got -1"),
        (lambda v: v.one_hot([7]), IndexError, "expected 0 to 3 for 4 symbols, got 7"),
        (lambda v: v.decode([0.0]), TypeError, "expected integers, got torch.float32"),
        (lambda v: v.decode([True]), TypeError, "expected integers, got torch.bool"),
        (lambda v: v.decode("oh"), TypeError, "a sequence of int, got 'oh'"),
        (lambda v: v.decode(3), TypeError, "a sequence of int, got 3"),
        (
            lambda v: v.decode(torch.zeros(2, 3, dtype=torch.long)),
            ValueError,
            r"expected shape \(T,\), got \(2, 3\)",
        ),
    ],
)
def test_vocabulary_refuses(make, error, message):
    with pytest.raises(error, match=message):
        make(Vocabulary.from_text("hello"))
