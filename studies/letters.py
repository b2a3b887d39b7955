"""Chapter 18: which bits of Elman's letters can be predicted, and when?

1,000 consonants with their vowels as 6 bits, 20 units, 200 passes (Elman 1990, Fig. 4 and 5). The
stream is read in 10 parts side by side, in windows of 60 steps with the state handed on, with tanh
units, the squared error and Adam at three rates; the gradient goes back one step, as Elman's copy
of the hidden units has it. Five seeds. Tested on a new stream. Measured: the root mean squared
error of the bits Consonant and High, each where a consonant follows and where a vowel does
(`consonant`, `high`), and the share of all steps at which that of Consonant is the smaller
(`below`).
"""

import torch
import torch.nn.functional as F

import rnnlib
from rnnlib.data.tasks import LetterFeatures
from rnnlib.models import SequenceTagger

SETTINGS = [
    {"hidden": 20, "gradient": "one step", "lr": lr, "seed": seed}
    for lr in (0.003, 0.01, 0.03)
    for seed in range(5)
]


def root(errors) -> float:
    """Return the root of the mean square."""
    return errors.square().mean().sqrt().item()


def answers(model, x, state, one_step: bool):
    """Answer a window, with or without a gradient through the states; return the last one, too."""
    if not one_step:
        states, state = model.rnn(x, state)
        return model.readout(states), state.detach()
    with torch.no_grad():
        states, last = model.rnn(x, state)
    state = torch.zeros_like(last) if state is None else state
    before = torch.cat([state.transpose(0, 1), states[:, :-1]], dim=1)
    after, _ = model.rnn(x.flatten(0, 1)[:, None], before.flatten(0, 1)[None])
    return model.readout(after[:, 0]).unflatten(0, x.shape[:2]), last


def trained(stream, hidden: int, passes: int, gradient: str, lr: float, generator):
    """Train a network on a new stream; return it with inputs and targets of another."""
    x, y = (part[0].unflatten(0, (10, 300)) for part in stream.sample(1, generator))
    model = SequenceTagger(rnnlib.RNN(x.size(2), hidden, batch_first=True), x.size(2))
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    for _ in range(passes):
        state = None
        for x_w, y_w in zip(x.split(60, dim=1), y.split(60, dim=1), strict=True):
            answer, state = answers(model, x_w, state, gradient == "one step")
            optimizer.zero_grad()
            F.mse_loss(answer, y_w).backward()
            optimizer.step()
    x, y = (part[0].unflatten(0, (10, 300)) for part in stream.sample(1, generator))
    return model, x, y


def run(hidden: int, gradient: str, lr: float, seed: int) -> dict:
    """Train one network, and test it on a new stream."""
    rnnlib.seed_everything(seed)
    generator = torch.Generator().manual_seed(seed)
    stream = LetterFeatures(num_steps=3_000)
    model, x, y = trained(stream, hidden, 200, gradient, lr, generator)
    with torch.no_grad():
        off = (model(x) - y)[:, 30:].abs()
    next_one = y[:, 30:, 0] == 1
    return {
        "consonant": [root(off[next_one][:, 0]), root(off[~next_one][:, 0])],
        "high": [root(off[next_one][:, 3]), root(off[~next_one][:, 3])],
        "below": (off[..., 0] < off[..., 3]).double().mean().item(),
    }
