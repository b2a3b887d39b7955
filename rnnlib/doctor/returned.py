"""What comes back from a call: the answer in what was returned, or what was raised."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence


class RaisedError(Exception):
    """What the model raised, or the backward pass through it: no fault of the doctor's."""

    def __init__(self, error: Exception):
        super().__init__(f"{type(error).__name__}: {str(error).strip()}")
        self.error = error


class NotFiniteError(Exception):
    """An answer can't be compared with others: it is not finite."""


@contextmanager
def blamed() -> Iterator[None]:
    """Raise what is raised inside as a `RaisedError`."""
    try:
        yield
    except RaisedError:
        raise
    except Exception as error:
        raise RaisedError(error) from error


def main_part(returned, batch_first: bool) -> Tensor:
    """Return the first tensor of real numbers in what a model returned."""
    parts = [returned]
    while parts:
        part = parts.pop(0)
        if isinstance(part, PackedSequence):
            return pad_packed_sequence(part, batch_first=batch_first)[0]
        if isinstance(part, Tensor):
            if part.is_floating_point() or part.is_complex():
                return part
        elif isinstance(part, Mapping):
            parts = [part.get("logits"), *part.values(), *parts]
        elif isinstance(part, list | tuple):
            parts = list(part) + parts
    kind = f"one of {returned.dtype}" if isinstance(returned, Tensor) else type(returned).__name__
    raise RaisedError(TypeError(f"the model returned no tensor of real numbers, but {kind}"))
