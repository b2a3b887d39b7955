"""Sequences of different length in one batch: padding, and what keeps it out of the result.

A padded batch is two tensors: x (N, T, …), whose rows have been filled up to the longest, and
lengths (N,), how many steps of each row are real. Batches are batch first throughout.
"""

from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_sequence
from torch.utils.data import DataLoader, Sampler

from rnnlib.checks import check_size, check_tensor

IGNORE_INDEX = -100
"""The target of a step without an answer: what ``cross_entropy`` leaves out unless told not to."""


def check_lengths(lengths: Tensor, num_sequences: int, num_steps: int) -> Tensor:
    """Return `lengths` if they can be those of a padded batch; otherwise raise.

    Parameters
    ----------
    lengths : Tensor of int64, (N,)
    num_sequences : int
        N.
    num_steps : int
        T, to which the batch is padded.

    Returns
    -------
    Tensor
        `lengths` itself.

    Raises
    ------
    TypeError
        If they are no tensor, or not of dtype int64.
    ValueError
        If there are not N of them, or one is below 1 or above T.
    """
    _check_kind(lengths)
    if lengths.shape != (num_sequences,):
        raise ValueError(
            f"lengths: expected one for each of {num_sequences} sequences, shape "
            f"({num_sequences},), got {tuple(lengths.shape)}"
        )
    if num_sequences and lengths.min() < 1:
        raise ValueError(f"lengths: expected at least 1, got {lengths.min().item()}")
    if num_sequences and lengths.max() > num_steps:
        raise ValueError(
            f"lengths: expected at most {num_steps}, the steps there are, "
            f"got {lengths.max().item()}"
        )
    return lengths


def _check_kind(lengths) -> None:
    if not isinstance(lengths, Tensor):
        raise TypeError(f"lengths: expected a Tensor of int64, got {type(lengths).__name__}")
    if lengths.dtype != torch.int64:
        raise TypeError(f"lengths: expected int64, got {lengths.dtype}")


def pad(sequences: Sequence[Tensor], value: float = 0.0) -> tuple[Tensor, Tensor]:
    """Put sequences into one tensor, each filled up to the longest.

    Parameters
    ----------
    sequences : sequence of Tensor, each (T_i, …)
        N of them, with at least one step; alike in everything but T_i.
    value : float, default 0
        What to fill up with. Class targets want -100, which the cross-entropy leaves out.

    Returns
    -------
    padded : Tensor, (N, T, …)
        T is the greatest T_i.
    lengths : Tensor of int64, (N,)
        The T_i, on the CPU.

    Raises
    ------
    TypeError
        If these are not tensors, or of different dtypes.
    ValueError
        If there are none, one has no steps, or they differ in what follows the steps.
    """
    if isinstance(sequences, Tensor) or not isinstance(sequences, Sequence):
        raise TypeError(f"sequences: expected a list of Tensors, got {type(sequences).__name__}")
    if len(sequences) == 0:
        raise ValueError("sequences: expected at least one, got none")
    for i, sequence in enumerate(sequences):
        name, first = f"sequences[{i}]", sequences[0]
        check_tensor(name, sequence, TypeError)
        if sequence.dtype != first.dtype:
            raise TypeError(f"{name}: expected {first.dtype} like the first, got {sequence.dtype}")
        if sequence.dim() == 0 or len(sequence) == 0:
            raise ValueError(
                f"{name}: expected at least one step, got shape {tuple(sequence.shape)}"
            )
        if sequence.shape[1:] != first.shape[1:]:
            raise ValueError(
                f"{name}: expected (T_i, {', '.join(map(str, first.shape[1:]))}) like the first, "
                f"got {tuple(sequence.shape)}"
            )
    lengths = torch.tensor([len(sequence) for sequence in sequences], device="cpu")
    return pad_sequence(list(sequences), batch_first=True, padding_value=value), lengths


def pack(x: Tensor, lengths: Tensor, batch_first: bool = True) -> PackedSequence:
    """Leave the padding out of a batch, so that a layer reads each sequence to its own end.

    Parameters
    ----------
    x : Tensor, (N, T, D), or (T, N, D) without `batch_first`
        The padding may hold anything.
    lengths : Tensor of int64, (N,)
        In any order, on any device.
    batch_first : bool, default True

    Returns
    -------
    PackedSequence
        A layer that reads it gives its results back in the order of `lengths`.

    Raises
    ------
    TypeError, ValueError
        If `x` is no batch of three dimensions, or as `check_lengths` raises them.
    """
    if not isinstance(x, Tensor) or x.dim() != 3:
        got = tuple(x.shape) if isinstance(x, Tensor) else type(x).__name__
        raise ValueError(f"x: expected a batch of three dimensions beside lengths, got {got}")
    first, second = x.shape[:2]
    check_lengths(lengths, *((first, second) if batch_first else (second, first)))
    return pack_padded_sequence(x, lengths.cpu(), batch_first=batch_first, enforce_sorted=False)


def mask(lengths: Tensor, num_steps: int | None = None) -> Tensor:
    """Say which steps of a padded batch are real.

    Parameters
    ----------
    lengths : Tensor of int64, (N,)
    num_steps : int, optional
        T, to which the batch is padded; by default the greatest length.

    Returns
    -------
    Tensor of bool, (N, T)
        True at the first ``lengths[i]`` steps of row i; on the device of `lengths`.

    Raises
    ------
    TypeError, ValueError
        As `check_lengths` raises them; without a length and without `num_steps`.
    """
    _check_kind(lengths)
    if num_steps is None:
        if lengths.numel() == 0:
            raise ValueError("lengths: expected at least one, or num_steps, got none")
        num_steps = int(lengths.max())
    check_lengths(lengths, lengths.size(0) if lengths.dim() else 1, num_steps)
    return torch.arange(num_steps, device=lengths.device) < lengths[:, None]


def _real(x: Tensor, lengths: Tensor) -> Tensor:
    """Return the mask of a padded batch, (N, T), on its device."""
    check_tensor("x", x, TypeError)
    if x.dim() < 2:
        raise ValueError(f"x: expected (N, T, …), got shape {tuple(x.shape)}")
    check_lengths(lengths, *x.shape[:2])
    return mask(lengths.to(x.device), x.size(1))


def mean_over_steps(x: Tensor, lengths: Tensor) -> Tensor:
    """Average each sequence of a padded batch over its own steps.

    Parameters
    ----------
    x : Tensor, (N, T, …)
        Inputs, outputs of a layer, losses of steps. The padding may hold anything.
    lengths : Tensor of int64, (N,)

    Returns
    -------
    Tensor, (N, …)

    Raises
    ------
    TypeError, ValueError
        If `x` has no two dimensions, or as `check_lengths` raises them.
    """
    real = _real(x, lengths)
    shape = (*real.shape, *[1] * (x.dim() - 2))
    # Not x * mask: NaN times 0 is NaN.
    total = torch.where(real.view(shape), x, 0).sum(dim=1)
    return total / real.sum(dim=1).view(-1, *shape[2:])


def last_step(output: Tensor, lengths: Tensor) -> Tensor:
    """Take each sequence's last real step out of a padded batch.

    Of a layer's output that is the state after the whole sequence, in the forward direction. The
    backward half of a bidirectional output has there read a single step; its end is step 1.

    Parameters
    ----------
    output : Tensor, (N, T, …)
    lengths : Tensor of int64, (N,)

    Returns
    -------
    Tensor, (N, …)

    Raises
    ------
    TypeError, ValueError
        If `output` has no two dimensions, or as `check_lengths` raises them.
    """
    _real(output, lengths)
    rows = torch.arange(len(output), device=output.device)
    return output[rows, lengths.to(output.device) - 1]


def padded_loader(
    xs: Sequence[Tensor],
    ys: Tensor | Sequence[Tensor],
    batch_size: int,
    *,
    pool: int = 1,
    shuffle: bool = True,
    seed: int = 0,
) -> DataLoader:
    """Serve sequences of different length in padded batches (x, y, lengths).

    The order depends on `seed` alone, not on what else has drawn random numbers. Each pass over
    the loader draws a new order.

    Parameters
    ----------
    xs : sequence of Tensor, each (T_i, …)
        M sequences.
    ys : Tensor, (M, …), or sequence of Tensor, each (T_i, …)
        A tensor holds one answer a sequence. A list holds one answer a step for each sequence;
        it is padded with -100 if it holds classes, otherwise with 0.
    batch_size : int
        N; the last batch cut may be smaller.
    pool : int, default 1
        Of how many batches the sequences are put in the order of their length before they are
        cut, so that those of similar length stand together (bucketing). The batches then come
        in random order. 1 takes the sequences as they come.
    shuffle : bool, default True
        Whether to draw the order at random. Switch it off for testing.
    seed : int, default 0
        Of the generator that draws the order.

    Returns
    -------
    torch.utils.data.DataLoader
        Of batches x (N, T, …), y, and lengths (N,), T being the longest in the batch.

    Raises
    ------
    TypeError, ValueError
        For sequences that `pad` refuses, targets that do not fit them, sizes that are no positive
        integers, and a pool without shuffling, which would change the order all the same.
    """
    check_size("batch_size", batch_size)
    if check_size("pool", pool) > 1 and not shuffle:
        raise ValueError(f"pool: expected 1 without shuffle, which keeps the order, got {pool}")
    _, lengths = pad(xs)
    if len(ys) != len(xs):
        raise ValueError(f"ys: expected targets for {len(xs)} sequences, got {len(ys)}")
    each_step = not isinstance(ys, Tensor)
    if each_step:
        _, steps = pad(ys)
        if (different := (steps != lengths).nonzero()).numel():
            i = different[0].item()
            raise ValueError(
                f"ys[{i}]: expected an answer to each of {lengths[i]} steps, got {steps[i]}; "
                "one answer a sequence is given as a Tensor"
            )
        fill = 0 if ys[0].is_floating_point() else IGNORE_INDEX

    def collate(rows: list[int]) -> tuple[Tensor, Tensor, Tensor]:
        x, lengths = pad([xs[i] for i in rows])
        y = pad([ys[i] for i in rows], fill)[0] if each_step else ys[rows]
        return x, y, lengths

    generator = torch.Generator().manual_seed(seed)
    batches = _Batches(lengths, batch_size, pool, generator if shuffle else None)
    return DataLoader(
        range(len(xs)), batch_sampler=batches, collate_fn=collate, generator=generator
    )


class _Batches(Sampler):
    """Which sequences make up which batch: lists of indices, drawn anew in each pass."""

    def __init__(
        self, lengths: Tensor, batch_size: int, pool: int, generator: torch.Generator | None
    ):
        self.lengths, self.batch_size, self.pool = lengths, batch_size, pool
        self.generator = generator

    def __len__(self) -> int:
        return -(-len(self.lengths) // self.batch_size)  # rounded up

    def __iter__(self) -> Iterator[list[int]]:
        order = torch.arange(len(self.lengths))
        if self.generator is not None:
            order = torch.randperm(len(order), generator=self.generator)
        if self.pool == 1:
            yield from (rows.tolist() for rows in order.split(self.batch_size))
            return
        batches = []
        for rows in order.split(self.pool * self.batch_size):
            rows = rows[self.lengths[rows].argsort(stable=True)]
            batches += rows.split(self.batch_size)
        for i in torch.randperm(len(batches), generator=self.generator).tolist():
            yield batches[i].tolist()
