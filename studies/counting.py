"""Chapters 11 and 18: which of the two cuts takes the counting away, and does a plain RNN count?

a^n b^n up to n = 10, then longer strings up to 50, answered without a mistake up to which n. An
LSTM of 4 units whole; with the first cut alone, i_t = 1 - f_t; with the second alone, either the
output gate held at 1 (h_t = tanh c_t) or tanh left out too (h_t = c_t), everywhere, only for the
next step's gates (in the loop) or only for the read-out (outside); and a GRU of 5. `bias` is
where the gate that remembers begins. Adam 0.02 on the ten strings at once. Beside them, after
Weiss et al. (2018), an RNN with tanh and one with ReLU, which begins as PyTorch's or with W_hh the
identity: 10 units, which is as many parameters, clipped at 1, several rates. Measured: `reach`,
that n, and the loss at the end.
"""

import torch
from torch import nn
from torch.nn.utils import parametrize

import rnnlib
from rnnlib.data.tasks import AnBn
from rnnlib.models import SequenceTagger
from rnnlib.training import fit

TOP = 50
CELLS = ("LSTM", "i = 1 - f", "o = 1", "h = c", "h = c in the loop", "h = c outside", "GRU")
SETTINGS = [
    {"cell": cell, "bias": bias, "updates": updates, "seed": seed}
    for cell in CELLS
    for bias, updates, seeds in ((4.0, 400, 30), (4.0, 2000, 6), (1.0, 400, 15))
    for seed in range(7 if cell.startswith("h = c ") else seeds)
    if (bias, updates) == (4.0, 400) or not cell.startswith("h = c ")
] + [
    {"cell": cell, "lr": lr, "updates": updates, "seed": seed}
    for cell in ("RNN, ReLU", "RNN, ReLU identity", "RNN, tanh")
    for lr, updates in ((0.02, 400), (0.01, 2000), (0.02, 2000), (0.04, 2000))
    for seed in range(10)
]


class Tied(nn.Module):
    """Replace the input gate's block by minus the forget gate's: 1 - σ(a) = σ(-a)."""

    def forward(self, blocks):
        """Return the four blocks, the first made of the second."""
        _, f, g, o = blocks.chunk(4)
        return torch.cat([-f, f, g, o])


class Shown(nn.Module):
    """An LSTM without output gate, and without the tanh behind it in the loop, outside, or both.

    `loop` is what the next step's gates and candidate see of c_t, `outside` what the read-out sees.
    """

    batch_first, bidirectional = True, False

    def __init__(self, lstm, loop, outside):
        super().__init__()
        self.lstm, self.hidden_size = lstm, lstm.hidden_size
        self.loop, self.outside = loop, outside

    def forward(self, x):
        """Return all states (N, T, H), and the last one twice, as an LSTM returns h and c."""
        W_x, W_h = self.lstm.weight_ih_l0[: -self.hidden_size], self.lstm.weight_hh_l0
        bias = self.lstm.bias_ih_l0 + self.lstm.bias_hh_l0
        c, states = x.new_zeros(len(x), self.hidden_size), []
        blocks = 3 * self.hidden_size
        for from_x in (x @ W_x.T + bias[:blocks]).unbind(1):
            i, f, g = (from_x + self.loop(c) @ W_h[:blocks].T).chunk(3, dim=-1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            states.append(c)
        return self.outside(torch.stack(states, dim=1)), (c[None], c[None])


def layer(cell: str, bias: float) -> nn.Module:
    """Return the recurrent layer of this name; only one with gates has a `bias`."""
    if cell.startswith("RNN"):
        how = cell.removeprefix("RNN, ").lower().split()
        rnn = rnnlib.RNN(4, 10, nonlinearity=how[0], batch_first=True)
        if "identity" in how:
            nn.init.eye_(rnn.weight_hh_l0)
        return rnn
    kind, units = (rnnlib.GRU, 5) if cell == "GRU" else (rnnlib.LSTM, 4)
    rnn = kind(4, units, batch_first=True)
    rnnlib.set_memory_bias(rnn, bias)
    if cell == "o = 1":
        with torch.no_grad():
            rnn.bias_ih_l0[-units:] = 100.0
    if cell == "i = 1 - f":
        for name in [name for name, _ in rnn.named_parameters()]:
            parametrize.register_parametrization(rnn, name, Tied())
    if cell.startswith("h = c"):
        loop = torch.tanh if cell.endswith("outside") else nn.Identity()
        return Shown(rnn, loop, torch.tanh if cell.endswith("loop") else nn.Identity())
    return rnn


@torch.no_grad()
def reach(model: nn.Module, task: AnBn) -> int:
    """Return the largest n up to which every string is answered without a mistake."""
    scores = model(task.encode(range(1, TOP + 1))[0])
    right = [task.correct(scores[n - 1], n) for n in range(1, TOP + 1)]
    return right.index(False) if False in right else TOP


def run(cell: str, updates: int, seed: int, bias: float = 0.0, lr: float = 0.02) -> dict:
    """Train one network, and see how far it counts."""
    rnnlib.seed_everything(seed)
    model, task = SequenceTagger(layer(cell, bias), 4), AnBn(max_n=10)
    options = {"clip_norm": 1.0} if cell.startswith("RNN") else {}
    strings = [task.encode(range(1, 11))]
    history = fit(model, strings, epochs=updates, lr=lr, progress=False, **options)
    return {"reach": reach(model, task), "loss": history.loss[-1]}
