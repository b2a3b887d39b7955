"""Cells repeated over time: the readable loop, and drop-in twins of torch.nn's layers.

`unroll` is the loop of the chapters. `RNN`, `LSTM` and `GRU` are the same mathematics with
everything a user of torch.nn expects: several layers, two directions, packed sequences. Each
direction of each layer is one pass over the whole sequence, from `rnnlib.bptt`. `BiRNN` shows two
directions in the open.

What PyTorch can do with its own layers, from forward-mode derivatives to ``torch.export``, it can
do with these; under ``torch.compile`` they run outside of the compiled graph, as its own do. Not
offered: ``torch.jit.script``, ``torch.fx.symbolic_trace``, nested tensors, and projections.

What came after has rooms of its own: `linear_loop`, `linear_scan` and `linear_convolution` are
three forms of the linear recurrence, and `MinGRU`, `MinLSTM` and `DiagonalSSM` are made of it.
"""

from rnnlib.layers.birnn import BiRNN
from rnnlib.layers.diagonal import DiagonalSSM
from rnnlib.layers.linear import linear_convolution, linear_loop, linear_scan, scan_rounds
from rnnlib.layers.minimal import MinGRU, MinLSTM
from rnnlib.layers.recurrent import RecurrentLayer
from rnnlib.layers.twins import GRU, LSTM, RNN, set_memory_bias
from rnnlib.layers.unroll import State, unroll

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "BiRNN",
    "DiagonalSSM",
    "MinGRU",
    "MinLSTM",
    "RecurrentLayer",
    "State",
    "linear_convolution",
    "linear_loop",
    "linear_scan",
    "scan_rounds",
    "set_memory_bias",
    "unroll",
]
