"""Chapter 13: can a network that reads the last column learn to hold on through the padding?

The average of diaries of 2 to 60 days, in batches of 32 padded with zeros. 16 units in one
direction; Adam with 0.01 for three quarters of the updates and 0.002 for the rest, clipped at 1,
on fresh batches. Measured: the squared error on 2,000 other diaries (0.79 for a model that always
says the mean climate), read after the last column or, told the lengths, after the last day.
"""

import torch

import rnnlib
from rnnlib.data.tasks import AboveAverage
from rnnlib.models import SequenceClassifier
from rnnlib.training import evaluate, fit

SETTINGS = [
    {"layer": layer, "told": told, "updates": updates, "seed": seed}
    for updates in (100, 300, 1000)
    for layer in ("RNN", "GRU")
    for told in (False, True)
    for seed in range(5)
]


class FromLastColumn(SequenceClassifier):
    """Reads the state in the last column, padding or not."""

    def forward(self, x, lengths=None):
        """Return the answers, (N, 1), without a look at the lengths."""
        output, _ = self.rnn(x)
        return self.readout(output[:, -1])


def run(layer: str, told: bool, updates: int, seed: int) -> dict[str, float]:
    """Train one network, and measure it on other diaries."""
    task = AboveAverage(answer="sequence")
    test = task.sample(2000, torch.Generator().manual_seed(100))
    generator = torch.Generator().manual_seed(seed)
    batches = [task.sample(32, generator) for _ in range(updates)]
    rnnlib.seed_everything(seed)
    rnn = getattr(rnnlib, layer)(1, 16, batch_first=True)
    model = (SequenceClassifier if told else FromLastColumn)(rnn, 1)
    most = 3 * updates // 4
    for part, lr in ((batches[:most], 0.01), (batches[most:], 0.002)):
        fit(model, part, lr=lr, epochs=1, clip_norm=1.0, progress=False)
    return {"error": evaluate(model, [test]).loss}
