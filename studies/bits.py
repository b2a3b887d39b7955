"""Chapter 18: do Elman's networks know the rule of his bits, and the phase?

A stream of 3,000 bits, every third the exclusive or of the two before it, 600 passes (Elman 1990,
Fig. 3), read and trained as in the study of letters. `gradient` is "one step", as Elman's copy of
the hidden units has it, or "through time" within the window. Three rates for each, five seeds.
Tested on a new stream. Measured: the root mean squared error at the first bit of three, at the
second, and at the third, which alone can be known (`rmse`), and at how many of the other bits the
answer, rounded, is the exclusive or of the last two (`rule`).
"""

import torch

import rnnlib
from rnnlib.data.tasks import TemporalXor
from studies.letters import root, trained

SETTINGS = [
    {"hidden": hidden, "gradient": gradient, "lr": lr, "seed": seed}
    for hidden, gradient in ((2, "one step"), (2, "through time"), (4, "through time"))
    for lr in (0.003, 0.01, 0.03)
    for seed in range(5)
]


def run(hidden: int, gradient: str, lr: float, seed: int) -> dict:
    """Train one network, and test it on a new stream."""
    rnnlib.seed_everything(seed)
    generator = torch.Generator().manual_seed(seed)
    model, x, y = trained(TemporalXor(num_steps=3_000), hidden, 600, gradient, lr, generator)
    with torch.no_grad():
        answer = model(x)
    off = (answer - y)[:, 30:]
    exclusive = (x[:, 1:] != x[:, :-1])[:, 29:, 0]
    same = (answer[:, 30:, 0] > 0.5) == exclusive
    unknown = torch.arange(same.size(1)) % 3 != 1
    return {
        "rmse": [root(off[:, phase::3]) for phase in (2, 0, 1)],
        "rule": same[:, unknown].double().mean().item(),
    }
