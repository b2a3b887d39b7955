"""The book's colours: mid-tones, with contrast enough on a light and on a dark ground."""

STATE = "#3a86c8"
"""States, and the arrows that carry them on."""
SECOND = "#b0609f"
"""States of a second reader beside the first, from the right, and of a decoder."""
GRADIENT = "#d3752a"
"""Gradients, and their way back."""
INPUT = "#8a7420"
"""Inputs, and candidates, which are made of them."""
OUTPUT = "#1f9e78"
"""Outputs, and what a gate lets through; the frame around `output`, all steps of the top layer."""
LAST = SECOND
"""The frame around `h_n`, the last step of every layer."""

INK = "#1f2328"
"""Letters and lines of no colour of their own, on white."""

# They differ in lightness as well as in hue.
COLOURS = {
    "state": STATE,
    "second": SECOND,
    "gradient": GRADIENT,
    "input": INPUT,
    "output": OUTPUT,
    "rnn": STATE,
    "torch": GRADIENT,
    "forward": STATE,
    "backward": GRADIENT,
    "train": STATE,
    "test": GRADIENT,
    "good": OUTPUT,
    "bad": "#c0483f",
    "accent": LAST,
    "floor": "#6b7280",
}
"""The colours of figures, by what they stand for."""

CYCLE = (STATE, GRADIENT, OUTPUT, LAST, INPUT, "#5b5fc7")
"""The colours of curves that stand for nothing in particular, in their order."""
