"""Chapter 12: what is it worth to hand the state on, by layer, window and number of epochs?

A layer of 64 units reads 60,000 characters in `streams` streams and windows of `steps` characters,
its state carried or begun afresh with zeros in each window; Adam 0.01 (RNN: 0.003), gradients
clipped at 1. A batch has 256 characters, so that there are as many updates; or 1,024, four times.
Each network then reads 9,000 characters of the last tenth in both ways. Measured: bits per
character, `carried_fresh` being trained carried and read fresh.
"""

import math

from torch import nn

import rnnlib
from rnnlib.models import CharRNN
from rnnlib.training import evaluate, fit

RATES = {"GRU": 0.01, "LSTM": 0.01, "RNN": 0.003}
SETTINGS = [
    {"layer": layer, "streams": streams, "steps": steps, "epochs": epochs, "seed": seed}
    for layer, streams, steps, budgets in (
        ("GRU", 16, 16, (1, 3)),
        ("LSTM", 16, 16, (1, 3)),
        ("RNN", 16, 16, (1, 3)),
        ("GRU", 32, 8, (1, 3)),
        ("GRU", 4, 64, (1, 3)),
        ("GRU", 16, 64, (4,)),
    )
    for epochs in budgets
    for seed in range(3)
]


class FreshStart(nn.Module):
    """The same model, which begins every window with zeros."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, x):
        """Score what follows each symbol."""
        return self.model(x)[0]


def run(layer: str, streams: int, steps: int, epochs: int, seed: int) -> dict[str, float]:
    """Train one network in each of the two ways, and let it read in both."""
    text = rnnlib.load_text()
    windows, future = (
        rnnlib.TextStream(part, text.vocabulary, batch_size=streams, num_steps=steps)
        for part in (text.train[:60_000], text.validation[:9_000])
    )
    found = {}
    for trained in ("carried", "fresh"):
        rnnlib.seed_everything(seed)
        rnn = getattr(rnnlib, layer)(32, 64, batch_first=True)
        model = CharRNN(rnn, text.vocabulary)
        ways = {"carried": (model, True), "fresh": (FreshStart(model), False)}
        reader, carry = ways[trained]
        options = dict(epochs=epochs, lr=RATES[layer], clip_norm=1.0, progress=False)
        fit(reader, windows, carry_state=carry, **options)
        for read, (reader, carry) in ways.items():
            loss = evaluate(reader, future, carry_state=carry).loss
            found[f"{trained}_{read}"] = loss / math.log(2)
    return found
