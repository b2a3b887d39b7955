"""Sequence tasks made on the spot, each with the loss that an answer without the input would get.

A task is a frozen dataclass. ``sample(batch_size, generator)`` draws a batch on the CPU, batch
first: inputs x (N, T, D) and targets y, and lengths (N,) where sequences differ in length.
``chance`` is the line to draw in a plot of the loss: a model above it has learned nothing, one
well below it has read its input.
"""

from rnnlib.data.tasks.above_average import AboveAverage
from rnnlib.data.tasks.adding import Adding
from rnnlib.data.tasks.anbn import AnBn
from rnnlib.data.tasks.copying import Copying
from rnnlib.data.tasks.cups import Cups
from rnnlib.data.tasks.echo import Echo
from rnnlib.data.tasks.letter_features import LetterFeatures
from rnnlib.data.tasks.next_random_symbol import NextRandomSymbol
from rnnlib.data.tasks.next_symbol import NextSymbol
from rnnlib.data.tasks.reber import ContinualReber, EmbeddedReber
from rnnlib.data.tasks.temporal_order import TemporalOrder
from rnnlib.data.tasks.temporal_xor import TemporalXor

__all__ = [
    "AboveAverage",
    "Adding",
    "AnBn",
    "ContinualReber",
    "Copying",
    "Cups",
    "Echo",
    "EmbeddedReber",
    "LetterFeatures",
    "NextRandomSymbol",
    "NextSymbol",
    "TemporalOrder",
    "TemporalXor",
]
