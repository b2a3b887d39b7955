"""Chapter 18: what do Elman's networks of 1990 predict, and when?

"xor": a stream of 3,000 bits, every third the exclusive or of the two before it, 600 passes;
"letters": 1,000 consonants with their vowels as 6 bits, 200 passes. The stream is read in 10 parts
side by side, in windows of 60 steps with the state handed on, with tanh units, the squared error
and Adam at 0.01. `gradient` is "one step", as Elman's copy of the hidden units has it, or "through
time" within the window. Tested on a new stream. Measured in "xor": the root mean squared error at
the first bit of three, at the second, and at the third, which alone can be known (`rmse`), and at
how many of the other bits the answer, rounded, is the exclusive or of the last two (`rule`). In
"letters": the root mean squared error of the bits Consonant and High, each where a consonant
follows and where a vowel does (`consonant`, `high`), and the share of all steps at which that of
Consonant is the smaller (`below`).
"""

import torch
import torch.nn.functional as F

import rnnlib
from rnnlib.data.tasks import LetterFeatures, TemporalXor
from rnnlib.models import SequenceTagger

PASSES = {"xor": 600, "letters": 200}
SETTINGS = [
    {"task": task, "hidden": hidden, "gradient": gradient, "seed": seed}
    for task, hidden, gradient, seeds in (("letters", 20, "one step", 3),)
    for seed in range(seeds)
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


def run(task: str, hidden: int, gradient: str, seed: int) -> dict:
    """Train one network, and test it on a new stream."""
    rnnlib.seed_everything(seed)
    generator = torch.Generator().manual_seed(seed)
    stream = {"xor": TemporalXor(num_steps=3_000), "letters": LetterFeatures(num_steps=3_000)}[task]
    x, y = (part[0].unflatten(0, (10, 300)) for part in stream.sample(1, generator))
    model = SequenceTagger(rnnlib.RNN(x.size(2), hidden, batch_first=True), x.size(2))
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(PASSES[task]):
        state = None
        for x_w, y_w in zip(x.split(60, dim=1), y.split(60, dim=1), strict=True):
            answer, state = answers(model, x_w, state, gradient == "one step")
            optimizer.zero_grad()
            F.mse_loss(answer, y_w).backward()
            optimizer.step()
    x, y = (part[0].unflatten(0, (10, 300)) for part in stream.sample(1, generator))
    with torch.no_grad():
        answer = model(x)
    off = (answer - y)[:, 30:]
    if task == "letters":
        off, next_one = off.abs(), y[:, 30:, 0] == 1
        return {
            "consonant": [root(off[next_one][:, 0]), root(off[~next_one][:, 0])],
            "high": [root(off[next_one][:, 3]), root(off[~next_one][:, 3])],
            "below": (off[..., 0] < off[..., 3]).double().mean().item(),
        }
    exclusive = (x[:, 1:] != x[:, :-1])[:, 29:, 0]
    same = (answer[:, 30:, 0] > 0.5) == exclusive
    unknown = torch.arange(same.size(1)) % 3 != 1
    return {
        "rmse": [root(off[:, phase::3]) for phase in (2, 0, 1)],
        "rule": same[:, unknown].double().mean().item(),
    }
