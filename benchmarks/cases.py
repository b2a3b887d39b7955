"""What is measured: three layers, three ways to run each, six shapes."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

import rnnlib
from benchmarks.by_hand import RNNByHand

KINDS = ("RNN", "GRU", "LSTM")
CONTESTANTS = ("rnnlib", "torch", "textbook")
# The first yields the gradients of the weights; the second that of the input as well, as in a stack
# of layers, where it goes on to the layer below; the third keeps nothing for a way back.
MODES = ("forward+backward", "with dx", "forward")


class Shape(NamedTuple):
    """Batch, steps, input features, hidden units."""

    N: int
    T: int
    D: int
    H: int


SHAPES = (
    Shape(32, 100, 32, 64),
    Shape(32, 200, 64, 128),
    Shape(8, 50, 16, 32),
    Shape(64, 28, 28, 128),
    Shape(128, 100, 128, 256),
    Shape(1, 1000, 16, 64),
)
MEMORY_SHAPE = Shape(32, 1000, 64, 128)
STEPS = [Shape(8, T, 16, 32) for T in (100, 300, 1000, 3000, 10_000)]
WIDTHS = [Shape(32, 50, 32, H) for H in (16, 32, 64, 128, 256, 512)]


class Case:
    """One kind of layer at one shape, run by each contestant on the same weights and input.

    ``rnnlib`` and ``torch`` are the layers of that name. ``textbook`` is `rnnlib.unroll` over
    rnnlib's cell: the equations step by step, differentiated by autograd. An RNN has a fourth,
    ``numpy``: the pass of chapter 7.
    """

    def __init__(self, kind: str, shape: Shape, input_grad: bool = False):
        generator = torch.Generator().manual_seed(0)
        N, T, D, H = shape
        self.kind, self.shape = kind, shape
        self.x = torch.randn(T, N, D, generator=generator).requires_grad_(input_grad)
        # What a loss would send back to every output. A tensor of ones would be a special case.
        self.upstream = torch.randn(T, N, H, generator=generator)
        torch.manual_seed(0)
        self.modules: dict[str, nn.Module] = {
            "rnnlib": getattr(rnnlib, kind)(D, H),
            "torch": getattr(nn, kind)(D, H),
            "textbook": getattr(rnnlib, f"{kind}Cell")(D, H),
        }
        if kind == "RNN":
            self.modules["numpy"] = RNNByHand(D, H)
        weights = self.modules["torch"].state_dict()
        for name in self.modules.keys() - {"torch", "textbook"}:
            self.modules[name].load_state_dict(weights)
        self.modules["textbook"].load_state_dict(
            {name.removesuffix("_l0"): value for name, value in weights.items()}
        )

    def forward(self, name: str) -> Tensor:
        """Return a contestant's outputs, (T, N, H)."""
        module = self.modules[name]
        return rnnlib.unroll(module, self.x)[0] if name == "textbook" else module(self.x)[0]

    def gradients(self, name: str) -> list[Tensor]:
        """Run a contestant forward and backward, from gradients that are not there yet."""
        self.x.grad = None
        parameters = list(self.modules[name].parameters())
        for p in parameters:
            p.grad = None
        self.forward(name).backward(self.upstream)
        return [p.grad for p in parameters]

    def runners(self, mode: str) -> dict[str, Callable[[], object]]:
        """Return what the race calls for each contestant; the forward pass alone keeps no graph."""

        def runner(name):
            def forward():
                with torch.no_grad():
                    self.forward(name)

            return forward if mode == "forward" else lambda: self.gradients(name)

        return {name: runner(name) for name in self.modules}

    def check(self) -> None:
        """Raise RuntimeError unless all contestants compute the same outputs and gradients."""
        expected = [self.forward("torch"), *self.gradients("torch")]
        for name in self.modules:
            for a, b in zip([self.forward(name), *self.gradients(name)], expected, strict=True):
                error, scale = (a - b).abs().max().item(), b.abs().max().item()
                if not error <= 1e-3 * scale:
                    raise RuntimeError(
                        f"{self.kind} at {tuple(self.shape)}: {name} differs from torch by "
                        f"{error:.1e}, expected at most {1e-3 * scale:.1e}"
                    )
