"""Chapter 10: can eight layers learn, although the gradient shrinks from layer to layer?

An echo: of a number between -1 and 1 at each of 16 steps, the one three steps before is asked for.
Eight layers of 16 units as PyTorch starts them, plain or with residual connections: each layer's
output is added to its input. 200 updates with 16 fresh sequences, Adam with 0.005. Measured: the
mean squared error over the last ten of 50, 100 and 200 updates; 0.333 without memory.
"""

import torch
import torch.nn.functional as F
from torch import nn

import rnnlib

SETTINGS = [
    {"layer": layer, "residual": residual, "seed": seed}
    for seed in range(5)
    for layer in ("RNN", "GRU", "LSTM")
    for residual in (0, 1)
]


class Stack(nn.Module):
    """Eight layers, with residual connections or without, and a read-out."""

    def __init__(self, layer: str, residual: int):
        super().__init__()
        make = getattr(rnnlib, layer)
        self.layers = nn.ModuleList(make(16 if i else 1, 16, batch_first=True) for i in range(8))
        self.readout, self.residual = nn.Linear(16, 1), residual

    def forward(self, x):
        """Return the answer at every step, (N, T, 1)."""
        h, _ = self.layers[0](x)
        for layer in self.layers[1:]:
            output, _ = layer(h)
            h = h + output if self.residual else output
        return self.readout(h)


def run(layer: str, residual: int, seed: int) -> dict[str, list[float]]:
    """Train one stack, and follow its error."""
    rnnlib.seed_everything(seed)
    model = Stack(layer, residual)
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
    errors = []
    for _ in range(200):
        x = 2 * torch.rand(16, 16, 1, generator=generator) - 1
        loss = F.mse_loss(model(x)[:, 3:], x[:, :-3])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        errors.append(loss.item())
    return {"error": [sum(errors[n - 10 : n]) / 10 for n in (50, 100, 200)]}
