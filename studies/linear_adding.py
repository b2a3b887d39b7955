"""Chapter 19: how well do linear recurrences learn to add, beside GRU and LSTM?

Adding, 40 steps, 32 units, 600 updates with 32 fresh sequences, Adam, clipped at norm 1; the
answer is read from the last output through one hidden layer of 32 ReLU units. Every gate that
remembers starts at 0.95. The state-space layer reads the input as it is, or through a layer of 32
ReLU units. Measured on 1,000 sequences for choosing the learning rate, and on 2,000
others for reporting: the mean squared error, and the share solved.
"""

import torch
from torch import Tensor, nn

import rnnlib
from rnnlib.data.tasks import Adding
from rnnlib.models import SequenceTagger
from rnnlib.training import fit
from studies.cups import LAYERS, tagger

SETTINGS = [
    {"layer": layer, "lr": lr, "seed": seed}
    for layer in ("GRU", "LSTM", "MinGRU", "MinLSTM", "DiagonalSSM", "ReLU, DiagonalSSM")
    for lr in (0.003, 0.01, 0.03)
    for seed in range(5)
]
TASK, H = Adding(num_steps=40), 32


class AtTheEnd(nn.Module):
    """What a tagger says at the last step."""

    def __init__(self, tagger: SequenceTagger):
        super().__init__()
        self.tagger = tagger

    def forward(self, x: Tensor) -> Tensor:
        """Return (N, K) from (N, T, D)."""
        return self.tagger(x)[:, -1]


class BehindReLU(nn.Module):
    """A layer that reads its input through a hidden layer of ReLU units."""

    batch_first, bidirectional, num_layers = True, False, 1

    def __init__(self, rnn: nn.Module, input_size: int):
        super().__init__()
        self.bent = nn.Sequential(nn.Linear(input_size, rnn.input_size), nn.ReLU())
        self.rnn, self.hidden_size = rnn, rnn.hidden_size

    def forward(self, x: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return all outputs and the last state, as the layer does."""
        return self.rnn(self.bent(x), hx)


def layer_that_remembers(name: str, D: int, units: int, bias: float) -> nn.Module:
    """Return a layer whose remembering gate, if it has one, starts at σ(bias)."""
    if name == "ReLU, DiagonalSSM":
        return BehindReLU(LAYERS["DiagonalSSM"](32, units, batch_first=True), D)
    rnn = LAYERS[name](D, units, batch_first=True)
    if name in ("GRU", "LSTM"):
        rnnlib.set_memory_bias(rnn, bias)
    elif name.startswith("Min"):
        with torch.no_grad():
            rnn.from_x.bias[:units] = bias
            if name == "MinLSTM":  # f / (f + i), with i = 1 - f
                rnn.from_x.bias[units : 2 * units] = -bias
    return rnn


def run(layer: str, lr: float, seed: int) -> dict[str, float]:
    """Train one network, and measure it."""
    rnnlib.seed_everything(seed)
    model = AtTheEnd(tagger(layer_that_remembers(layer, 2, H, 3.0), 1))
    generator = torch.Generator().manual_seed(seed)
    batches = [TASK.sample(32, generator) for _ in range(600)]
    fit(model, batches, epochs=1, lr=lr, clip_norm=1.0, progress=False)
    found = {}
    for part, size in (("validation", 1000), ("test", 2000)):
        x, y = TASK.sample(size, torch.Generator().manual_seed(size))
        with torch.no_grad():
            said = model(x)
        found[part] = (said - y).square().mean().item()
        found[f"{part}_solved"] = TASK.solved(said, y).float().mean().item()
    return found
