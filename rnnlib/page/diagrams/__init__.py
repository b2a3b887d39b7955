"""Drawings of recurrent networks, as images that any notebook shows.

One visual language for the whole book. Inputs x_t stand at the bottom, states h_t in the middle,
outputs y_t at the top, and time runs to the right. Each kind has the colour that
`rnnlib.page.colours` gives it.

A drawing needs nothing from outside, holds no `id` (any number of them can share a page), and is
the same text every time it is made.
"""

from rnnlib.page.diagrams.carousel import one_gate_at_a_time
from rnnlib.page.diagrams.cells import gru_cell, lstm_cell
from rnnlib.page.diagrams.directions import bidirectional, two_readers
from rnnlib.page.diagrams.layers import stacked
from rnnlib.page.diagrams.packing import backward_reader, packed
from rnnlib.page.diagrams.scan import scan
from rnnlib.page.diagrams.sequence_to_sequence import beam, encoder_decoder
from rnnlib.page.diagrams.stepper import step_through
from rnnlib.page.diagrams.streams import streams
from rnnlib.page.diagrams.unfolding import backward_pass, loop, problem_shapes, unfolded
from rnnlib.page.drawing import Drawing

__all__ = [
    "Drawing",
    "backward_pass",
    "backward_reader",
    "beam",
    "bidirectional",
    "encoder_decoder",
    "gru_cell",
    "loop",
    "lstm_cell",
    "one_gate_at_a_time",
    "packed",
    "problem_shapes",
    "scan",
    "stacked",
    "step_through",
    "streams",
    "two_readers",
    "unfolded",
]
