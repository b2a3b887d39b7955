"""Text to learn to write from: read from a file, split in the order of time, served in windows.

One text comes with the package; any other is read from its file.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from torch import Tensor

from rnnlib.checks import check_number, check_size, check_string
from rnnlib.data.lengths import IGNORE_INDEX
from rnnlib.data.vocabulary import Vocabulary

TEXT_PATH = Path(__file__).parent / "texts" / "unrolled.txt"
"""The text that comes with the package: this course's own prose, one paragraph a line.

It is a snapshot of chapters 1 to 11, without their code and tables, in ASCII. It is not made anew
when the chapters change, since every number measured on it would change as well.
"""


@dataclass(frozen=True, repr=False)
class TextSplit:
    """A text in two parts: the first to train on, what follows it to validate on.

    Parameters
    ----------
    train, validation : str
        At least two symbols each: one to read and one to predict.
    vocabulary : Vocabulary
        Knows every symbol of both. One that occurs in the second part alone has its index, and
        no model will have seen it: it can only be given a small probability, and costs as much
        as that. `unseen` lists such symbols.

    Raises
    ------
    TypeError, ValueError
        If a part is no such text, or the vocabulary does not know all of its symbols.
    """

    train: str
    validation: str
    vocabulary: Vocabulary

    def __post_init__(self):
        for name in ("train", "validation"):
            part = getattr(self, name)
            check_string(name, part)
            if len(part) < 2:
                raise ValueError(f"{name}: expected at least 2 characters, got {len(part)}")
            if unknown := sorted(set(part) - set(self.vocabulary.symbols)):
                raise ValueError(
                    f"vocabulary: expected all symbols of {name}, got one without "
                    f"{''.join(unknown)!r}"
                )

    @cached_property
    def unseen(self) -> tuple[str, ...]:
        """The symbols of the second part that the first does not hold, in order."""
        return tuple(sorted(set(self.validation) - set(self.train)))

    def __repr__(self) -> str:
        return (
            f"TextSplit({len(self.train):,} characters to train on, {len(self.validation):,} to "
            f"validate on, {len(self.vocabulary)} symbols)"
        )


def load_text(path: str | os.PathLike | None = None, *, validation: float = 0.1) -> TextSplit:
    """Load a text and split it in the order of time: what is predicted lies in the future.

    Parameters
    ----------
    path : path, optional
        Any text file in UTF-8. By default the text that comes with the package, this course's own
        prose, frozen: see `TEXT_PATH`.
    validation : float, default 0.1
        The share of the characters, counted from the end, that is kept for validation.

    Returns
    -------
    TextSplit
        Line ends are newlines, whatever the file has. The vocabulary is that of the whole text.

    Raises
    ------
    OSError
        If the file is not there or can't be read.
    ValueError
        If it is no text in UTF-8, empty, or too short to be split; or if `validation` does not
        lie between 0 and 1.
    """
    check_number("validation", validation)
    if not 0 < validation < 1:
        raise ValueError(f"validation: expected a share between 0 and 1, got {validation}")
    path = TEXT_PATH if path is None else Path(path).expanduser()
    if not path.is_file():
        found = "a folder" if path.is_dir() else "nothing"
        raise FileNotFoundError(f"{path}: expected a text file, found {found} there")
    try:
        # A byte order mark at the beginning is no part of the text.
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: expected text in UTF-8, got the byte 0x{error.object[error.start]:02x} at "
            f"position {error.start}"
        ) from error
    if "\0" in text:
        raise ValueError(
            f"{path}: expected text in UTF-8, got a zero byte at position {text.index(chr(0))}"
        )
    if not text:
        raise ValueError(f"{path}: expected text, got an empty file")
    cut = len(text) - round(validation * len(text))
    if cut < 2 or len(text) - cut < 2:
        raise ValueError(
            f"{path}: expected at least 2 characters in each part, got {cut} to train on and "
            f"{len(text) - cut} to validate on of {len(text)} with validation={validation}"
        )
    return TextSplit(text[:cut], text[cut:], Vocabulary.from_text(text))


class TextStream:
    """A text as batches for truncated backpropagation: parallel streams, read window by window.

    The text is cut into N pieces of L steps, the streams, one below the other. A batch is a
    window of the next T steps of all of them. So row n of a batch goes on where row n of the one
    before has stopped, and a state that is handed on from batch to batch, as
    ``fit(..., carry_state=True)`` does, belongs to the same row. Never shuffle the batches.

    The target of a step is the symbol that follows. Every symbol but the text's first is a target
    once in a pass: where the last window is shorter than T it is served shorter, and where the
    last stream is shorter than L it is filled up with targets of -100, which no loss counts.

    Parameters
    ----------
    text : str
    vocabulary : Vocabulary
    batch_size : int
        N.
    num_steps : int
        T.

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers, a text with unknown symbols, or one of fewer than
        N + 1 symbols.

    Examples
    --------
    >>> text = "hello hello"
    >>> vocabulary = Vocabulary.from_text(text)
    >>> for x, y in TextStream(text, vocabulary, batch_size=2, num_steps=3):
    ...     print([vocabulary.decode(row) for row in x])
    ['hel', ' he']
    ['lo', 'll']
    """

    def __init__(self, text: str, vocabulary: Vocabulary, batch_size: int, num_steps: int):
        N = check_size("batch_size", batch_size)
        self.num_steps = check_size("num_steps", num_steps)
        indices = vocabulary.encode(text)
        count = len(indices) - 1  # pairs of a symbol and its successor
        if count < N:
            raise ValueError(
                f"text: expected at least {N + 1} characters for {N} streams, got {len(indices)}"
            )
        length = -(-count // N)
        self.x = torch.zeros(N * length, dtype=torch.int64)
        self.y = torch.full_like(self.x, IGNORE_INDEX)
        self.x[:count], self.y[:count] = indices[:-1], indices[1:]
        self.x, self.y = self.x.view(N, length), self.y.view(N, length)

    def __len__(self) -> int:
        return -(-self.x.size(1) // self.num_steps)

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the pairs (x, y), (N, T) of int64 each, from the beginning of the streams."""
        windows = (part.split(self.num_steps, dim=1) for part in (self.x, self.y))
        return zip(*windows, strict=True)
