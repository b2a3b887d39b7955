"""Train the network of the live figure that reads typed text, and write its weights, once.

``python tools/text_network.py`` takes about a minute and a half on one core. The file is
committed, so that the figure is the same wherever the book is built; tests/test_live.py says what
it is worth.
"""

import json
import math
from functools import partial

import torch

import rnnlib
from rnnlib.models import CharRNN
from rnnlib.page.live.text import WEIGHTS
from rnnlib.page.live.weights import pack
from rnnlib.training import evaluate, fit

D, H, SEED = 24, 64, 0
RATES = ((0.01, 6), (0.003, 10), (0.001, 6))
"""Learning rates, and for how many epochs each."""


def trained(text: rnnlib.TextSplit) -> CharRNN:
    """Return the network, trained on the first part of the text."""
    torch.set_num_threads(1)
    rnnlib.seed_everything(SEED)
    # The embedding can bring the biases of the gates; the page's cell knows none of the state's.
    model = CharRNN(rnnlib.GRU(D, H, bias=False, batch_first=True), text.vocabulary)
    windows = rnnlib.TextStream(text.train, text.vocabulary, 16, 50)
    held_out = rnnlib.TextStream(text.validation, text.vocabulary, 8, 500)
    # Without the decay it pays as much as the best table, and no less.
    decay = partial(torch.optim.AdamW, weight_decay=0.1)
    options = dict(optimizer=decay, clip_norm=1.0, carry_state=True, progress=False)
    for rate, epochs in RATES:
        fit(model, windows, epochs=epochs, lr=rate, **options)
        loss = evaluate(model, held_out, carry_state=True).loss
        print(f"rate {rate}: {loss / math.log(2):.3f} bits per character", flush=True)
    return model


def main() -> None:
    """Train, and write the file: matrices (from, to), packed."""
    model = trained(rnnlib.load_text())
    ih, hh = model.rnn.weight_ih_l0, model.rnn.weight_hh_l0
    weights = {
        "symbols": "".join(model.vocabulary.symbols),
        "embedding": pack(model.embedding.weight),
        "x": [pack(W.T) for W in ih.chunk(3)],
        "h": [pack(W.T) for W in hh.chunk(3)],
        "readout": pack(model.readout.weight.T),
        "bias": pack(model.readout.bias),
    }
    WEIGHTS.write_text(json.dumps(weights, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
