"""Chapter 11: which gate of a GRU is missed, and for how long?

The temporal order of chapter 9 with 30 steps, 16 units; the reset gate held at 1, the update gate
at 0, both, or none. Adam, clipped at 1, on batches of 32: for 160 updates 40 batches four times
over, as on the page, for more updates fresh ones. `bias` is where the update gate begins, if it is
not held. Measured: the accuracy on 500 new sequences (guessing: 0.25).
"""

import torch

import rnnlib
from rnnlib.data.tasks import TemporalOrder
from rnnlib.models import SequenceClassifier
from rnnlib.training import evaluate, fit

HELD = {"both": {}, "only update": {"r": 1}, "only reset": {"z": 0}, "neither": {"r": 1, "z": 0}}
SETTINGS = [
    {"gates": gates, "bias": bias, "lr": lr, "updates": updates, "seed": seed}
    for gates in HELD
    for bias, lr, updates, seeds in (
        (1.0, 0.02, 160, 5),
        (1.0, 0.02, 480, 5),
        (1.0, 0.02, 1440, 3),
        (1.0, 0.005, 480, 3),
        (0.0, 0.02, 160, 3),
    )
    for seed in range(seeds)
    if bias or "z" not in HELD[gates]
]


def run(gates: str, bias: float, lr: float, updates: int, seed: int) -> dict[str, float]:
    """Train one network, and test it."""
    order = TemporalOrder(num_steps=30)
    generator = torch.Generator().manual_seed(seed)
    fresh = updates if updates > 160 else 40
    batches = [order.sample(32, generator) for _ in range(fresh)]
    test = [order.sample(500, generator)]
    rnnlib.seed_everything(seed)
    rnn = rnnlib.GRU(6, 16, batch_first=True)
    rnnlib.set_memory_bias(rnn, bias)
    with torch.no_grad():
        for gate, value in HELD[gates].items():
            block = "rzn".index(gate) * 16
            rnn.bias_ih_l0[block : block + 16] = 200.0 * value - 100.0
    model = SequenceClassifier(rnn, len(order.classes))
    options = {"epochs": updates // fresh, "lr": lr, "clip_norm": 1.0, "progress": False}
    fit(model, batches, **options)
    return {"accuracy": evaluate(model, test).accuracy}
