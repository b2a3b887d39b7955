"""rnnlib: the recurrent networks of the course Unrolled, written to be read.

What a chapter uses is named here, grouped by the chapter that introduces it. Rooms with many
names of their own are used as modules: ``rnnlib.diagrams``, ``rnnlib.exercises``,
``rnnlib.plotting``, ``rnnlib.tasks``, ``rnnlib.training``.
"""

# Every chapter
from rnnlib.device import get_device, seed_everything

# isort: split
# 2 and 3: the loop over time, the cell, the layer
from rnnlib.cells import RNNCell
from rnnlib.layers import RNN, unroll

# isort: split
# 4: a first training
from rnnlib.datasets import Vocabulary

# isort: split
# 5: two directions
from rnnlib.layers import BiRNN

# isort: split
# 6: images, row by row
from rnnlib.datasets import ImageSplit, load_digits, load_mnist

# isort: split
# Part II: the passes by hand, which all layers run on
from rnnlib import bptt

# isort: split
# Part III: gates
from rnnlib.cells import GRUCell, LSTMCell
from rnnlib.layers import GRU, LSTM, set_memory_bias

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "BiRNN",
    "GRUCell",
    "ImageSplit",
    "LSTMCell",
    "RNNCell",
    "Vocabulary",
    "bptt",
    "get_device",
    "load_digits",
    "load_mnist",
    "seed_everything",
    "set_memory_bias",
    "unroll",
]
