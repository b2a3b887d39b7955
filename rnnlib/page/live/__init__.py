"""Figures that compute in the page: native controls, no widgets, nothing from elsewhere.

A live figure is a drawing (`rnnlib.page.drawing`) whose image is replaced, where scripts run, by
its SVG and by controls. Where they don't, the image and the line below it stay, and show the
figure as it begins. Each figure is one function here and one script beside it, which repeats in
the page what rnnlib computes; tests/test_live.py runs the scripts and compares the numbers.
"""

from rnnlib.page.live.cliff import cliff
from rnnlib.page.live.dates import dates
from rnnlib.page.live.gates import gates_by_hand
from rnnlib.page.live.lag import gradient_lag
from rnnlib.page.live.memory import what_memory_buys
from rnnlib.page.live.playground import playground
from rnnlib.page.live.text import type_text

__all__ = [
    "cliff",
    "dates",
    "gates_by_hand",
    "gradient_lag",
    "playground",
    "type_text",
    "what_memory_buys",
]
