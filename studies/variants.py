"""Chapter 18: which part of an LSTM can go, when each is given its own learning rate?

The course's prose, four times, a character at a time: 16 streams in windows of 50 with the state
handed on, Adam, clipped at 1. 48 units, forget bias 1, and one change at a time, after Greff et al.
(2017): a gate held open ("no input gate", "no forget gate", "no output gate"), the input gate one
minus the forget gate ("coupled"), h_t = o_t c_t ("no output tanh"); after Jozefowicz et al. (2015)
a forget bias of 0; and a GRU of 56 units, as many parameters. Measured: bits per character of the
last tenth of the text (`bits`), and of the part before it (`choosing`), a tenth of the rest, by
which a rate is chosen. Training reads neither.
"""

import math

import torch
from torch import nn
from torch.nn.utils import parametrize

import rnnlib
from rnnlib.training import NonFiniteLossError, evaluate, fit
from studies.counting import Tied

CHANGES = (
    "none",
    "no forget gate",
    "no output gate",
    "no input gate",
    "coupled",
    "forget bias 0",
    "GRU",
    "no output tanh",
)
SETTINGS = [
    {"change": change, "lr": lr, "seed": seed}
    for seed in range(5)
    for lr in (0.003, 0.01, 0.03, 0.1)
    for change in CHANGES
    if lr < 0.1 or seed < 3
]


class WithoutTanh(nn.LSTM):
    """An LSTM whose state is shown without tanh: h_t = o_t c_t, by the loop."""

    def forward(self, x, state=None):
        """Return the states (N, T, H), and the last h and c."""
        h, c = state or 2 * (x.new_zeros(1, len(x), self.hidden_size),)
        h, c, states = h[0], c[0], []
        from_x = x @ self.weight_ih_l0.T + self.bias_ih_l0 + self.bias_hh_l0
        for a in from_x.unbind(1):
            i, f, g, o = (a + h @ self.weight_hh_l0.T).chunk(4, dim=-1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c
            states.append(h)
        return torch.stack(states, dim=1), (h[None], c[None])


class Reader(nn.Module):
    """An embedding, the layer and a read-out, which hand the state on; dropout before and behind.

    `dropout` is the share of the layer's inputs and that of its outputs which are left out.
    """

    def __init__(self, rnn: nn.Module, symbols: int, dropout: tuple[float, float] = (0.0, 0.0)):
        super().__init__()
        self.embedding, self.rnn = nn.Embedding(symbols, rnn.input_size), rnn
        self.before, self.behind = (nn.Dropout(share) for share in dropout)
        self.readout = nn.Linear(rnn.hidden_size, symbols)

    def forward(self, x, state=None):
        """Return scores (N, T, V), and the state after the last step."""
        states, state = self.rnn(self.before(self.embedding(x)), state)
        return self.readout(self.behind(states)), state


def layer(change: str) -> nn.Module:
    """Return the recurrent layer with this change."""
    if change == "GRU":
        return rnnlib.GRU(32, 56, batch_first=True)
    kind = WithoutTanh if change == "no output tanh" else rnnlib.LSTM
    rnn = kind(32, 48, batch_first=True)
    rnnlib.set_memory_bias(rnn, 0.0 if change == "forget bias 0" else 1.0)
    if change.endswith("gate"):
        block = ("input", "forget", "cell", "output").index(change.split()[1]) * 48
        with torch.no_grad():
            rnn.bias_ih_l0[block : block + 48] = 100.0
    if change == "coupled":
        for name in [name for name, _ in rnn.named_parameters()]:
            parametrize.register_parametrization(rnn, name, Tied())
    return rnn


def read(
    rnn: nn.Module, lr: float, dropout: tuple[float, float] = (0.0, 0.0), epochs: int = 4
) -> dict:
    """Train a reader with this layer, and let it predict the two parts that it has not read."""
    text = rnnlib.load_text()
    cut = len(text.train) * 9 // 10
    windows = rnnlib.TextStream(text.train[:cut], text.vocabulary, batch_size=16, num_steps=50)
    model = Reader(rnn, len(text.vocabulary), dropout)
    unread = {"choosing": text.train[cut:], "bits": text.validation}
    try:
        fit(model, windows, epochs=epochs, lr=lr, clip_norm=1.0, carry_state=True, progress=False)
    except NonFiniteLossError:
        return dict.fromkeys(unread, math.inf)
    streams = {
        name: rnnlib.TextStream(part, text.vocabulary, batch_size=8, num_steps=500)
        for name, part in unread.items()
    }
    return {
        name: evaluate(model, stream, carry_state=True).loss / math.log(2)
        for name, stream in streams.items()
    }


def run(change: str, lr: float, seed: int) -> dict:
    """Train one network, and let it predict what it has not read."""
    rnnlib.seed_everything(seed)
    return read(layer(change), lr)
