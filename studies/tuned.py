"""Chapter 18: does the order of variants change when each is tuned by itself?

After Melis, Dyer and Blunsom (2018), in small. Text, parts and training as in the study `variants`,
and four layers of about 16,000 parameters: an LSTM of 48 units, a GRU of 56, an LSTM whose input
gate is one minus its forget gate ("coupled"), and two LSTMs of 31, one on the other. All are tried
once at the same ten settings ("trial 0" to "trial 9"): a rate drawn between 0.004 and 0.06, evenly
in its logarithm, and dropout on the layer's inputs and on its outputs, each none at all in half of
the draws and otherwise a share between 0 and 0.3. The trial that is best on the part for choosing
is then run with five seeds of its own ("chosen"). Beside it stands one setting for all, a rate of
0.01 without dropout ("shared"). All of this with four epochs, and the first two layers with twelve.
Measured: the rate (`lr`), the two shares (`dropout`), and bits per character of the part for
choosing (`choosing`) and of the last tenth (`bits`).
"""

import torch

import rnnlib
from studies import variants

LAYERS = ("LSTM", "GRU", "coupled", "two layers")
TRIALS = [f"trial {number}" for number in range(10)]
SETTINGS = [
    {"layer": layer, "how": how, "epochs": epochs, "seed": seed}
    for epochs, layers in ((4, LAYERS), (12, LAYERS[:2]))
    for layer in layers
    for how, seeds in (
        *((trial, [0]) for trial in TRIALS),
        ("chosen", range(1, 6)),
        ("shared", range(1, 6)),
    )
    for seed in seeds
]


def make(layer: str) -> torch.nn.Module:
    """Return the recurrent layer of this name."""
    if layer == "two layers":
        rnn = rnnlib.LSTM(32, 31, num_layers=2, batch_first=True)
        rnnlib.set_memory_bias(rnn, 1.0)
        return rnn
    return variants.layer("none" if layer == "LSTM" else layer)


def setting(layer: str, how: str, epochs: int) -> tuple[float, tuple[float, float]]:
    """Return the rate and the two shares of dropout."""
    if how == "shared":
        return 0.01, (0.0, 0.0)
    if how == "chosen":
        tried = [
            row
            for row in rnnlib.results.rows("tuned", layer=layer, epochs=epochs)
            if row["setting"]["how"] in TRIALS
        ]
        best = min(tried, key=lambda row: float(row["choosing"]))
        how = best["setting"]["how"]
    number = TRIALS.index(how)
    drawn = torch.rand(len(TRIALS), 3, generator=torch.Generator().manual_seed(0))[number]
    rate, *shares = drawn.tolist()
    return 0.004 * 15**rate, tuple(max(0.0, 0.6 * share - 0.3) for share in shares)


def run(layer: str, how: str, epochs: int, seed: int) -> dict:
    """Train one network, and let it predict what it has not read."""
    rnnlib.seed_everything(seed)
    lr, dropout = setting(layer, how, epochs)
    found = variants.read(make(layer), lr, dropout, epochs)
    return {"lr": lr, "dropout": dropout} | found
