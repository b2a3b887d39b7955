"""The book's colours: mid-tones, with contrast enough on a light and on a dark ground."""

STATE = "#3a86c8"
"""States, and the arrows that carry them forwards in time."""
BACKWARD = "#d3752a"
"""States of a backward direction, and the arrows that carry them."""
OUTPUT = "#1f9e78"
"""The frame around `output`, all steps of the top layer."""
LAST = "#b0609f"
"""The frame around `h_n`, the last step of every layer."""

# They differ in lightness as well as in hue.
COLOURS = {
    "rnn": STATE,
    "torch": BACKWARD,
    "forward": STATE,
    "backward": BACKWARD,
    "train": STATE,
    "test": BACKWARD,
    "good": OUTPUT,
    "bad": "#c0483f",
    "accent": LAST,
    "floor": "#6b7280",
}
"""The colours of figures, by what they stand for."""

CYCLE = (STATE, BACKWARD, OUTPUT, LAST, "#8a7420", "#5b5fc7")
"""The colours of curves that stand for nothing in particular, in their order."""
