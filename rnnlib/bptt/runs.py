"""How a pass walks over a sequence, and what it collects on the way back.

The steps are walked in *runs*: stretches of time whose numbers fit into the processor's cache, so
that what one product has written is still there for the next. The state goes on from run to run.
"""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from rnnlib.bptt import compiled

# A run has about this many numbers in its largest array: half a megabyte in float32.
CHUNK = 2**17


class Run(NamedTuple):
    """Neighbouring steps, in the order of the walk."""

    rows: slice  # of the flat data
    steps: np.ndarray  # (first row, number of rows) of each step; rows count from the run's own
    begin: int  # its first step's place in the walk
    end: int


class Walk:
    """All steps of a sequence in the order of a walk, cut into runs.

    Parameters
    ----------
    batch_sizes : array of int64, (T,)
    columns : int
        Numbers in a row of the largest array.
    reverse : bool
        From the last step to the first.
    """

    def __init__(self, batch_sizes: np.ndarray, columns: int, reverse: bool):
        steps = np.stack([np.cumsum(batch_sizes) - batch_sizes, batch_sizes], axis=1)
        self.steps = steps[::-1].copy() if reverse else steps
        rows_before = np.cumsum(self.steps[:, 1]) - self.steps[:, 1]
        borders = np.flatnonzero(np.diff(rows_before // max(1, CHUNK // columns))) + 1
        self.runs = [self._run(*ends) for ends in pairwise([0, *borders.tolist(), len(steps)])]
        # With batches of one size, the rows of the step before are this far away; otherwise 0.
        N = int(batch_sizes[0]) if batch_sizes[0] == batch_sizes[-1] else 0
        self.shift = N if reverse else -N
        self.most_rows = max(run.rows.stop - run.rows.start for run in self.runs)

    @staticmethod
    @lru_cache(maxsize=64)
    def of(batch_sizes: bytes, columns: int, reverse: bool) -> "Walk":
        """Return the walk for the bytes of `batch_sizes`; the next layer or batch has the same."""
        return Walk(np.frombuffer(batch_sizes, np.int64), columns, reverse)

    def _run(self, begin: int, end: int) -> Run:
        steps = self.steps[begin:end]
        start, stop = steps[:, 0].min(), steps.sum(axis=1).max()
        return Run(slice(int(start), int(stop)), steps - (start, 0), begin, end)

    def before(self, run: Run, h: np.ndarray, h_0: np.ndarray) -> np.ndarray:
        """Return h_{t-1} for the rows of a run, (R, H): h of the step before, or h_0."""
        start, stop = run.rows.start + self.shift, run.rows.stop + self.shift
        if self.shift and run.begin > 0:
            return h[start:stop]
        h_prev = np.empty_like(h[run.rows])
        compiled.states_before(h, h_0, self.steps, run.begin, run.end, h_prev)
        return h_prev


class Gradients:
    """The gradients of input, weights and biases: those that are needed, summed run by run.

    Parameters
    ----------
    ctx
        The pass's context, whose first five inputs are those of `result`.
    data, w_ih, w_hh : Tensor, (R, D), (G H, D) and (G H, H)
    """

    def __init__(self, ctx, data: Tensor, w_ih: Tensor, w_hh: Tensor):
        (GH, D), H = w_ih.shape, w_hh.shape[1]
        self.needed = ctx.needs_input_grad[:5]
        shapes = ((len(data), D), (D, GH), (H, GH), (GH,), (GH,))
        self.sums = [
            data.new_zeros(shape if need else (0, *shape[1:]))
            for shape, need in zip(shapes, self.needed, strict=True)
        ]
        self.x, self.w_ih = arrays(data, w_ih)
        self.dx, *self.weights = (v.numpy() for v in self.sums)

    def add(self, rows: slice, h_prev: np.ndarray, da_x: np.ndarray, da_h: np.ndarray) -> None:
        """Add a run: `da_x` is what the input's product receives, `da_h` the recurrent one's."""
        dx = self.dx[rows] if self.needed[0] else self.dx
        compiled.add_gradients(self.x[rows], h_prev, da_x, da_h, self.w_ih, dx, *self.weights)

    def result(self) -> list[Tensor | None]:
        """Return dx, dw_ih, dw_hh, db_ih, db_hh, with None for what is not needed."""
        dx, dW_xh, dW_hh, *db = self.sums
        found = [dx, dW_xh.t(), dW_hh.t(), *db]
        return [v if need else None for v, need in zip(found, self.needed, strict=True)]


def arrays(*tensors: Tensor) -> list[np.ndarray]:
    """Return each tensor's memory as an array, row by row; copied only where it is not so."""
    return [v.detach().contiguous().numpy() for v in tensors]


def room(like: Tensor, *shape: int) -> tuple[Tensor, np.ndarray]:
    """Return a new tensor of any content, and its memory as an array."""
    v = like.new_empty(shape)
    return v, v.numpy()


def own(state: Tensor) -> tuple[Tensor, np.ndarray]:
    """Return a copy of a state for the pass to write over, and its memory as an array."""
    v = state.detach().clone(memory_format=torch.contiguous_format)
    return v, v.numpy()
