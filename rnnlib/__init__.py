"""rnnlib: the recurrent networks of the course Unrolled, written to be read.

What a chapter uses is named here, grouped by the chapter that introduces it. Rooms with many
names of their own are imported from: ``rnnlib.data.tasks``, ``rnnlib.data.lengths``,
``rnnlib.doctor``, ``rnnlib.exercises``, ``rnnlib.gradients``, ``rnnlib.models``, ``rnnlib.page``,
``rnnlib.training``.
"""

# Every chapter
from rnnlib.device import get_device, seed_everything

# isort: split
# 2 and 3: the loop over time, the cell, the layer
from rnnlib.cells import RNNCell
from rnnlib.layers import RNN, unroll

# isort: split
# 4: a first training
from rnnlib.data.vocabulary import Vocabulary

# isort: split
# 5: two directions
from rnnlib.layers import BiRNN

# isort: split
# 6: images, row by row
from rnnlib.data.images import ImageSplit, load_digits
from rnnlib.data.mnist import load_mnist

# isort: split
# Part II: the passes by hand, which all layers run on, and how fast they are
from rnnlib import bptt, results

# isort: split
# Part III: gates
from rnnlib.cells import GRUCell, LSTMCell
from rnnlib.layers import GRU, LSTM, set_memory_bias

# isort: split
# 12: text, and the tables of counts that a network must beat
from rnnlib.data.text import TextSplit, TextStream, load_text
from rnnlib.models.ngrams import NGram

# isort: split
# 14: attention, the search for an answer, and the dates to answer
from rnnlib.data.dates import Dates
from rnnlib.models.attention import AdditiveAttention
from rnnlib.models.search import beam_search

__version__ = "0.1.0"

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "AdditiveAttention",
    "BiRNN",
    "Dates",
    "GRUCell",
    "ImageSplit",
    "LSTMCell",
    "NGram",
    "RNNCell",
    "TextSplit",
    "TextStream",
    "Vocabulary",
    "beam_search",
    "bptt",
    "get_device",
    "load_digits",
    "load_mnist",
    "load_text",
    "results",
    "seed_everything",
    "set_memory_bias",
    "unroll",
]
