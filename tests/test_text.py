"""Text is read whole, split in the order of time, and served in windows that go on."""

import hashlib

import pytest
import torch

from rnnlib.data.text import TEXT_PATH, TextSplit, TextStream, load_text
from rnnlib.data.vocabulary import Vocabulary


def test_the_text_that_comes_with_the_package_is_frozen():
    """Numbers in the book are measured on it: it does not follow the chapters."""
    content = TEXT_PATH.read_bytes().replace(b"\r\n", b"\n")
    assert hashlib.sha256(content).hexdigest() == (
        "0b47ac2a7b8e2e59e8086e645b1e6bdeaaf40355fd3e3aa3a903da78b6424e5f"
    )
    text = load_text()
    whole = text.train + text.validation
    assert whole == content.decode("ascii") and "\r" not in whole
    assert (len(text.train), len(text.validation)) == (161_079, 17_898)
    assert len(text.vocabulary) == 92 and text.unseen == ()
    assert repr(text) == (
        "TextSplit(161,079 characters to train on, 17,898 to validate on, 92 symbols)"
    )
    # Prose: no code fences, directives, roles, tables or headings of the source.
    assert not [mark for mark in ("```", "{eq}", "{numref}", ":::", "|--") if mark in whole]
    assert not [line for line in whole.split("\n") if line.startswith(("#", "|", ":"))]


def test_a_readers_own_text_is_split_in_the_order_of_time(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("abcdefghij" * 3 + "κλ\n", encoding="utf-8")
    text = load_text(path, validation=0.2)
    assert text.train == "abcdefghij" * 2 + "abcdef"
    assert text.validation == "ghijκλ\n"
    assert text.vocabulary == Vocabulary.from_text("abcdefghijκλ\n")
    assert text.unseen == ("\n", "κ", "λ")
    assert load_text(str(path)).train == ("abcdefghij" * 3)
    # The vocabulary knows what the training part lacks, so nothing fails when it comes.
    assert text.vocabulary.decode(text.vocabulary.encode(text.validation)) == text.validation


def test_line_ends_and_a_byte_order_mark_are_pythons_business(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthree\n")
    text = load_text(path, validation=0.5)
    assert text.train + text.validation == "one\ntwo\nthree\n"


def test_the_source_of_a_module_is_a_text():
    text = load_text(__file__)
    assert text.train.startswith('"""Text is read whole') and len(text.vocabulary) > 60


def text_file(tmp_path, content):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    return path


def test_two_characters_in_each_part_are_enough(tmp_path):
    text = load_text(text_file(tmp_path, b"abcd"), validation=0.5)
    assert (text.train, text.validation) == ("ab", "cd")


@pytest.mark.parametrize(
    ("content", "options", "error", "message"),
    [
        (b"", {}, ValueError, "expected text, got an empty file"),
        (b"\x89PNG\r\n", {}, ValueError, "text in UTF-8, got the byte 0x89 at position 0"),
        ("Größe".encode("latin-1") * 9, {}, ValueError, "got the byte 0xf6 at position 2"),
        (b"abc\0def" * 9, {}, ValueError, "got a zero byte at position 3"),
        (b"abcdefghij", {}, ValueError, "at least 2 characters in each part, got 9 .* and 1"),
        (b"abcdefghij", {"validation": 0.9}, ValueError, "got 1 to train on and 9"),
        (b"abc" * 9, {"validation": 0}, ValueError, "validation: .* between 0 and 1, got 0"),
        (b"abc" * 9, {"validation": 1.0}, ValueError, "between 0 and 1, got 1.0"),
        (b"abc" * 9, {"validation": "0.1"}, TypeError, "expected a number, got str"),
        (b"abc" * 9, {"validation": True}, TypeError, "expected a number, got bool"),
    ],
)
def test_files_that_are_no_text_to_learn_from(content, options, error, message, tmp_path):
    with pytest.raises(error, match=message) as caught:
        load_text(text_file(tmp_path, content), **options)
    assert "validation:" in str(caught.value) or "text.txt" in str(caught.value)


def test_a_text_that_is_not_there_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none.txt: expected a text file, found nothing"):
        load_text(tmp_path / "none.txt")
    with pytest.raises(FileNotFoundError, match="expected a text file, found a folder there"):
        load_text(tmp_path)


def test_text_split_refuses_what_does_not_fit():
    vocabulary = Vocabulary("abc")
    assert TextSplit("ab", "ca", vocabulary).unseen == ("c",)
    with pytest.raises(ValueError, match="symbols of validation, got one without 'xy'"):
        TextSplit("ab", "yax", vocabulary)
    with pytest.raises(ValueError, match="train: expected at least 2 characters, got 1"):
        TextSplit("a", "ab", vocabulary)
    with pytest.raises(TypeError, match="validation: expected a string, got list"):
        TextSplit("ab", ["a", "b"], vocabulary)


# Windows of a text


@pytest.mark.parametrize(
    ("length", "N", "T"), [(25, 3, 4), (25, 3, 8), (26, 3, 4), (27, 4, 3), (10, 9, 5), (7, 1, 2)]
)
def test_every_symbol_but_the_first_is_a_target_once(length, N, T):
    text = "".join(chr(ord("A") + i) for i in range(length))
    vocabulary = Vocabulary.from_text(text)
    stream = TextStream(text, vocabulary, batch_size=N, num_steps=T)
    batches = list(stream)
    assert len(batches) == len(stream)
    for x, y in batches:
        assert x.shape == y.shape and x.dtype == y.dtype == torch.int64
        assert len(x) == N and 1 <= x.size(1) <= T
        # A target is the symbol after the one read; what is no target is -100.
        assert torch.equal(y[y != -100], x[y != -100] + 1)
    assert [x.size(1) for x, _ in batches[:-1]] == [T] * (len(batches) - 1)
    targets = torch.cat([y.flatten() for _, y in batches])
    assert sorted(targets[targets != -100].tolist()) == list(range(1, length))
    # The text's only loose end is behind its last stream.
    assert (targets == -100).sum() < N
    assert all((y[: N // 2] != -100).all() for _, y in batches)


def test_a_row_goes_on_where_it_stopped():
    text = "abcdefghijklmnopqrstuvwxyz"
    vocabulary = Vocabulary.from_text(text)
    stream = TextStream(text, vocabulary, batch_size=5, num_steps=2)
    rows = [[vocabulary.decode(row) for row in x] for x, _ in stream]
    assert ["".join(parts) for parts in zip(*rows, strict=True)] == [
        "abcde",
        "fghij",
        "klmno",
        "pqrst",
        "uvwxy",
    ]
    assert rows[0] == ["ab", "fg", "kl", "pq", "uv"]
    assert [row[0] for row in rows] == ["ab", "cd", "e"]


def test_a_stream_can_be_gone_through_again():
    stream = TextStream("hello hello", Vocabulary.from_text("hello "), batch_size=2, num_steps=3)
    for (x, y), (again_x, again_y) in zip(stream, stream, strict=True):
        assert torch.equal(x, again_x) and torch.equal(y, again_y)
    assert iter(stream) is not iter(stream)


@pytest.mark.parametrize(
    ("text", "N", "T", "error", "message"),
    [
        ("abc", 3, 2, ValueError, "text: expected at least 4 characters for 3 streams, got 3"),
        ("", 1, 2, ValueError, "expected at least 2 characters for 1 streams, got 0"),
        ("abx", 1, 2, ValueError, "got 'x' at position 2"),
        ("abc", 0, 2, ValueError, "batch_size must be greater than zero, got 0"),
        ("abc", 1, 0, ValueError, "num_steps must be greater than zero, got 0"),
        ("abc", 1.0, 2, TypeError, "batch_size should be of type int"),
        (["a", "b"], 1, 2, TypeError, "expected a string, got list"),
    ],
)
def test_streams_that_cannot_be_cut(text, N, T, error, message):
    with pytest.raises(error, match=message):
        TextStream(text, Vocabulary("abc"), batch_size=N, num_steps=T)
