"""What a batch may be: x and y, with lengths or packed, served, taken apart, laid side by side.

`training` computes with what these functions return. They refuse whatever would give a loss that
means nothing.
"""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, unpack_sequence
from torch.utils.data import DataLoader, TensorDataset

from rnnlib.data.lengths import check_lengths, mask

Inputs = Tensor | PackedSequence
Batches = Iterable[
    tuple[Inputs | tuple[Inputs, ...], Tensor | PackedSequence] | tuple[Tensor, Tensor, Tensor]
]
"""What `fit`, `evaluate` and `predict` go through, in any of three forms.

- (x, y): the model is called ``model(x)``, or ``model(*x)`` where x is a tuple.
- (x, y, lengths): ``model(x, lengths)``, with x (N, T, …), padded, and lengths (N,) of int64. y
  has one answer a sequence, (N,) or (N, K) values, or one a step, (N, T) or (N, T, K) values. Of
  the latter the first ``lengths[i]`` count, whatever stands in the padding.
- (x, y) with x a PackedSequence: y is packed likewise if there is one answer a step.
"""


def loader(
    x: Tensor, y: Tensor, batch_size: int, *, shuffle: bool = True, seed: int = 0
) -> DataLoader:
    """Serve pairs (x, y) in batches: a torch DataLoader with a generator of its own.

    The order depends on `seed` alone, not on what else has drawn random numbers. Each pass over
    the loader draws a new order.

    Parameters
    ----------
    x, y : Tensor, (N, ...)
        Samples and their targets.
    batch_size : int
        Samples in a batch; the last batch of a pass may be smaller.
    shuffle : bool, default True
        Whether to draw the order at random. Switch it off for testing.
    seed : int, default 0
        Of the generator that draws the order.

    Returns
    -------
    torch.utils.data.DataLoader

    Raises
    ------
    ValueError
        If x and y differ in length, there are no samples, or the batch size is not positive.
    """
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(f"x, y: expected as many targets as samples, got {len(x)} and {len(y)}")
    generator = torch.Generator().manual_seed(seed)
    return DataLoader(TensorDataset(x, y), batch_size, shuffle=shuffle, generator=generator)


def served(batches: Batches, device: torch.device) -> Iterator[tuple]:
    """Go through batches once.

    Parameters
    ----------
    batches : Batches
    device : torch.device
        Where the tensors are wanted.

    Yields
    ------
    x : tuple of Tensor or PackedSequence
        The model's arguments.
    y : Tensor or PackedSequence
    lengths : Tensor of int64, (N,), or None

    Raises
    ------
    TypeError, ValueError
        As `check_passes` raises them; for no batch at all; for a batch of another form, and
        lengths that do not fit.
    """
    check_passes("batches", batches)
    empty = True
    for batch in batches:
        x, *rest = _parts(batch)
        y, lengths = (*(part.to(device) for part in rest), None)[:2]
        yield tuple(part.to(device) for part in x), y, lengths
        empty = False
    if empty:
        raise ValueError("batches: expected at least one batch, got none")


def check_passes(name: str, batches) -> None:
    """Raise TypeError for what can't be gone through, or only once, as an iterator."""
    if not hasattr(batches, "__iter__") and not hasattr(batches, "__getitem__"):
        hint = "; call it for what it makes" if callable(batches) else ""
        raise TypeError(
            f"{name}: expected a DataLoader or a list of batches, "
            f"got {type(batches).__name__}{hint}"
        )
    if isinstance(batches, Iterator):
        raise TypeError(
            f"{name}: expected what can be gone through once an epoch, such as a DataLoader or a "
            f"list, got {type(batches).__name__}, which is spent after the first"
        )


def is_tuple(value) -> bool:
    """Whether a value is a tuple or list of things; a PackedSequence is one thing."""
    return isinstance(value, tuple | list) and not isinstance(value, PackedSequence)


def _parts(batch) -> tuple:
    """Take a batch apart: x as a tuple, y, and lengths if there are any."""
    x, *rest = batch if is_tuple(batch) and len(batch) > 0 else (batch,)
    inputs = tuple(x) if is_tuple(x) else (x,)
    tensors = all(hasattr(part, "to") for part in (*inputs, *rest))
    if len(rest) not in (1, 2) or not inputs or not tensors:
        got = ", ".join(type(part).__name__ for part in (x, *rest))
        raise TypeError(
            "batches: expected pairs (x, y), or (x, y, lengths), of tensors, "
            f"got ({got}); one batch is [(x, y)]"
        )
    if len(rest) == 2:
        if not isinstance(x, Tensor) or x.dim() < 2:
            got = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"x: expected a Tensor (N, T, …) beside lengths, got {got}")
        check_lengths(rest[1], *x.shape[:2])
    return inputs, *rest


def aligned(prediction, y, lengths: Tensor | None, num_steps: int) -> tuple[Tensor, Tensor]:
    """Lay a model's answer and the targets side by side, without padding.

    Parameters
    ----------
    prediction : Tensor or PackedSequence
        What the model returned.
    y : Tensor or PackedSequence
    lengths : Tensor of int64, (N,), or None
    num_steps : int or None
        T, to which the batch is padded; not used without lengths.

    Returns
    -------
    prediction, y : Tensor
        If there is one answer a step and the lengths differ, the real steps: all of sequence 1,
        then all of sequence 2, and so on.

    Raises
    ------
    TypeError, ValueError
        For other types, other shapes, and sequences that are packed differently.
    """
    order = None
    if isinstance(prediction, PackedSequence) and isinstance(y, PackedSequence):
        if _layout(prediction) != _layout(y):
            raise ValueError(
                "y: expected packed as the prediction is, with its batch_sizes and "
                "sorted_indices, got others; pack x and y with the same lengths"
            )
        # The rows of sequence 1 first, then those of sequence 2.
        rows = torch.arange(len(y.data), device=y.data.device)
        order = torch.cat(unpack_sequence(y._replace(data=rows)))
        prediction, y = prediction.data, y.data
    if not isinstance(prediction, Tensor) or not isinstance(y, Tensor):
        got = f"{type(prediction).__name__} and {type(y).__name__}"
        hint = "; of a model that returns (prediction, state), carry_state=True takes both"
        raise TypeError(
            "prediction and y: expected two Tensors, or two PackedSequences, "
            f"got {got}{hint if is_tuple(prediction) else ''}"
        )
    if lengths is not None:
        check_shapes(prediction, y)
        order = _real_steps(y, lengths, num_steps)
    return (prediction, y) if order is None else (prediction[order], y[order])


def check_shapes(prediction: Tensor, y: Tensor) -> None:
    """Refuse a prediction that has not one row of logits for each class, or one value for each.

    Parameters
    ----------
    prediction : Tensor, (…, K), or shaped as `y` if that holds values
    y : Tensor, (…)

    Raises
    ------
    ValueError
        For other shapes. They might broadcast, to a loss that means nothing.
    """
    classes = not y.is_floating_point()
    if y.shape != (prediction.shape[:-1] if classes else prediction.shape):
        kind = "logits (…, K) for classes" if classes else "values for values"
        raise ValueError(
            f"prediction: expected {kind} of shape {tuple(y.shape)}, got {tuple(prediction.shape)}"
        )


def _layout(packed: PackedSequence) -> tuple[list[int], list[int]]:
    """Say where a packed sequence keeps which row."""
    sizes, indices = packed.batch_sizes.tolist(), packed.sorted_indices
    return sizes, list(range(sizes[0])) if indices is None else indices.tolist()


def _real_steps(y: Tensor, lengths: Tensor, num_steps: int) -> Tensor | None:
    """Return which targets are real, (N, T), or None if there is one answer a sequence."""
    each_step = (len(lengths), num_steps)
    values = y.is_floating_point()
    if y.shape[:1] == each_step[:1] and y.dim() <= 1 + values:
        if values and y.shape == each_step and num_steps > 1:
            raise ValueError(
                f"y: values of shape {each_step} could be one a step or {num_steps} a sequence; "
                "give the former as (N, T, 1), the latter as a batch ((x, lengths), y)"
            )
        return None
    if y.shape[:2] != each_step or y.dim() != 2 + values:
        kind = "(N, K) or (N, T, K) values" if values else "(N,) or (N, T) classes"
        raise ValueError(
            f"y: expected {kind} with N, T = {each_step} beside lengths, got {tuple(y.shape)}"
        )
    return mask(lengths, num_steps)
