"""How a model is called: its layout, its lengths, and what of its answer is looked at.

A `Subject` hides these from the checks: to them every model reads (N, T, …) and answers
(N, T, …) or (N, …), in float64 where it can.
"""

from functools import cached_property

import torch
from torch import Tensor, nn

from rnnlib.data.lengths import pack
from rnnlib.doctor.copies import copied, held, seed, stirred
from rnnlib.doctor.lengths import argument_for_lengths, read_steps
from rnnlib.doctor.probes import indices, reals
from rnnlib.doctor.returned import blamed, main_part

SAMPLES, STEPS = 5, 9
"""Of a probe: small, and unlike each other."""


def follows(targets: Tensor | None, x: Tensor, axis: int) -> bool:
    """Say whether targets are the inputs one step later along an axis."""
    if targets is None or targets.shape != x.shape or x.size(axis) < 2:
        return False
    T = x.size(axis)
    return bool((targets.narrow(axis, 0, T - 1) == x.narrow(axis, 1, T - 1)).all())


class Subject:
    """A model, an example, and what the caller told of both.

    Parameters
    ----------
    model : Module
        A copy, which is copied again wherever it could change.
    example : Tensor
        As the caller gave it, (N, T, …) or (T, N, …).
    lengths : Tensor or None
    packed : bool
        Whether the model reads a PackedSequence.
    """

    def __init__(self, model, example, lengths, packed, **told):
        self.model, self.raw, self.lengths, self.packed = model, example, lengths, packed
        self.targets, self.loss = told.get("targets"), told.get("loss")
        self.num_classes, self.causal = told.get("num_classes"), told.get("causal")
        self.told_layout = told.get("batch_first")
        self.batch_first = True if self.told_layout is None else self.told_layout
        self.exact = False
        self.free = [True, True]  # whether samples, and steps, may be any number
        self.steady = True
        self.learned = False
        self.finite = True  # whether the answer to the example is
        self.writes = False  # whether a call changed its input
        self.moved = False  # whether the weights had to be moved for any answer

    @cached_property
    def takes_lengths(self) -> str:
        """The name of the argument for lengths, "" for the second one, or "no"."""
        return argument_for_lengths(self.model)

    def call(self, x: Tensor, lengths: Tensor | None = None, model: nn.Module | None = None):
        """Call the model on a copy of a batch in the caller's layout; return all it returns."""
        x = x.clone()
        before = x._version
        try:
            return self._handed(x, lengths, model)
        finally:
            self.writes = self.writes or x._version != before

    def _handed(self, x, lengths, model):
        model = model or (self.model if self.steady else copied(self.model))
        T, N = x.shape[:2] if not self.batch_first else x.shape[1::-1]
        if lengths is None and (self.lengths is not None or self.packed):
            lengths = torch.full((N,), T)
        if self.lengths is not None:
            lengths = lengths.to(self.lengths, copy=True)  # of the caller's dtype and device
        with blamed():
            if self.packed:
                return model(pack(x, lengths, self.batch_first))
            if self.lengths is None or self.takes_lengths == "no":
                return model(x)
            if self.takes_lengths:
                return model(x, **{self.takes_lengths: lengths})
            return model(x, lengths)

    def answer(self, x, lengths=None, *, model=None, training=False, number=0) -> Tensor:
        """Call the model on x (N, T, …): the answer, with samples first and then, if any, steps.

        Whatever the model draws at random is drawn from the seed `number`.
        """
        if model is None:
            model = self.model if self.steady and not training else copied(self.model)
        model.train(training)
        seed(number)
        raw = x if self.batch_first else x.transpose(0, 1)
        y = main_part(self.call(raw, lengths, model), self.batch_first)
        return self.arranged(y)

    def arranged(self, y: Tensor) -> Tensor:
        """Move the axis of samples to the front, and that of steps behind it."""
        return y.movedim([a for a in self.axes if a is not None], [0, 1][: len(self.kept)])

    def learn(self) -> None:
        """Find out which sizes may vary, which axis is which, and whether float64 works.

        The model is called; what it raises on the example itself is raised.
        """
        self._measure_axes()
        if self.told_layout is None:
            self._guess_layout()
        order = (0, 1) if self.batch_first else (1, 0)
        self.axes = [self.output_axes[axis] for axis in order]
        T, steps = self.sizes[order[1]], self.axes[1]
        if steps is not None and self.output_shape[steps] != T:
            self.axes[1] = None  # steps of its own: halved, or those of another sequence
        self.free = [self.free[axis] for axis in order]
        self._find_precision()
        self.given, self.uncalled = self.model, copied(self.model)
        x, other = self.probe(), self.probe(number=1)
        with torch.no_grad():
            if torch.equal(self.answer(x), self.answer(other)):
                # A read-out that begins at zero hides all that is before it.
                self.model, self.moved = stirred(self.model, 0, 0.05), True
        again = [self.answer(x, model=m) for m in [copied(self.model)] * 2]
        self.steady = again[0].shape == again[1].shape and torch.equal(*again)
        self.learned = True

    def _measure_axes(self) -> None:
        """Which axis of the answer grows with each of the first two axes of the input."""
        given = list(self.raw.shape[:2])

        def shape(sizes):
            model = copied(self.model).eval()
            seed(0)
            return main_part(self.call(self._frames(sizes, 0), model=model), self.batch_first).shape

        def tried(sizes):
            try:
                return shape(sizes)
            except Exception:
                return None

        base = [SAMPLES, STEPS] if self.batch_first else [STEPS, SAMPLES]
        fixed = [tried([base[0], given[1]]), tried([given[0], base[1]])]
        self.free = [there is not None for there in fixed]
        self.sizes = [b if free else g for b, free, g in zip(base, self.free, given, strict=True)]
        before = tried(self.sizes)
        if before is None:
            self.free, self.sizes = [False, False], given
            before = shape(self.sizes)
        self.output_axes, self.output_shape = [], before
        for axis in (0, 1):
            grown = [size + 2 * (i == axis) for i, size in enumerate(self.sizes)]
            after = tried(grown) if self.free[axis] else None
            if after is not None and len(after) == len(before):
                axes = [a for a in range(len(before)) if after[a] != before[a]]
            else:
                axes = [a for a, size in enumerate(before) if size == self.sizes[axis]]
                axes = [a for a in axes if a not in self.output_axes]
            self.output_axes.append(axes[0] if axes else None)

    def _guess_layout(self) -> None:
        """Time first, if that alone is borne out by what the model does; otherwise batch first."""
        self.batch_first = True
        if self.packed:
            return
        sizes = list(self.raw.shape[:2])
        told = self._axis_of_samples(sizes)
        if told is not None:
            self.told_layout = self.batch_first = told == 0
            return
        if sizes[0] > 1:  # Time first would leave sequences of one step.
            self.batch_first = self._apart(0) or not self._apart(1)

    def _axis_of_samples(self, sizes: list[int]) -> int | None:
        """Read off lengths and targets which axis of the example is that of samples."""
        for told in (self.lengths, self.targets):
            if told is None or told.dim() == 0 or (told.dim() > 1 and told.size(1) in sizes):
                continue
            if sizes.count(told.size(0)) == 1:
                return sizes.index(told.size(0))
        later = [axis for axis in (0, 1) if follows(self.targets, self.raw, axis)]
        return 1 - later[0] if len(later) == 1 else None

    def _apart(self, axis: int) -> bool:
        """Whether what stands along an axis of the input is answered one by one."""
        out = self.output_axes[axis]
        if out is None or self.sizes[axis] < 2:
            return False
        model, x = self.model.eval(), self._frames(self.sizes, 0)
        changed = x.clone()
        changed.select(axis, 1).copy_(self._frames(self.sizes, 1).select(axis, 1))
        ys = []
        for batch in (x, changed):
            seed(0)
            ys.append(main_part(self.call(batch, model=copied(model)), True).detach())
        difference = (ys[1] - ys[0]).abs().movedim(out, 0).flatten(1).amax(1)
        difference[1] = 0
        return bool(difference.max() <= 1e-5 * ys[0].abs().max())

    def _find_precision(self) -> None:
        weights = [t for _, t, _ in held(self.model) if t.is_floating_point()]
        self.dtype = weights[0].dtype if weights else torch.float32
        if self.dtype == torch.float64:
            self.exact = True
            return
        try:
            model = copied(self.model).double()
            x = self.probe().to(torch.float64) if self.is_real else self.probe()
            y = self.answer(x, model=model)
            self.exact = y.dtype == torch.float64
        except Exception:
            return
        if self.exact:
            self.model = copied(self.model).double()

    @property
    def is_real(self) -> bool:
        """Whether the input is of real numbers; otherwise it is of indices."""
        return self.raw.is_floating_point()

    @property
    def kept(self) -> list[int]:
        """The axes that the answer has of (samples, steps)."""
        return [a for a in self.axes if a is not None]

    @property
    def per_step(self) -> bool:
        """Whether there is an answer for each step."""
        return None not in self.axes

    @property
    def example(self) -> Tensor:
        """The caller's example, samples first, in the precision of the calls."""
        x = self.raw if self.batch_first else self.raw.transpose(0, 1)
        return self._cast(x)

    @property
    def span(self) -> int:
        """T of the example."""
        return self.example.size(1)

    def probe(self, steps: int | None = None, number: int = 0, samples: int | None = None):
        """Draw a batch (N, T, …) from the frames of the example, as many as the model takes."""
        N, T = self.sizes if self.batch_first else self.sizes[::-1]
        N, T = (samples or N if self.free[0] else N), (steps or T if self.free[1] else T)
        x = self._frames([N, T] if self.batch_first else [T, N], number)
        return self._cast(x if self.batch_first else x.transpose(0, 1))

    def _cast(self, x: Tensor) -> Tensor:
        return x.double() if self.exact and self.is_real else x

    def _frames(self, sizes: list[int], number: int) -> Tensor:
        """Draw frames, none of which is the same under another number."""
        if self.is_real:
            return reals(self.raw.flatten(0, 1), sizes, number)
        kept = self.raw[self.read] if self.read is not None else self.raw.flatten(0, 1)
        return indices(kept, sizes, number)

    @property
    def read(self) -> Tensor | None:
        """Which steps of the example are no padding, in its layout; None if all are, or unknown."""
        return read_steps(self.raw, self.lengths, self.batch_first)
