"""Mistakes of networks that read sequences: each in its fewest lines, with its repair.

`CASES` are those that raise no error where they are made, in the order in which one would look.
`LOUD` are those that raise one as soon as the model is called. `HEALTHY` are networks that are
wired right.
"""

from rnnlib.doctor.cases import (
    cells,
    data,
    evaluation,
    gradient,
    padding,
    shapes,
    sizes,
    time,
)
from rnnlib.doctor.cases.case import Case
from rnnlib.doctor.cases.healthy import HEALTHY, Healthy
from rnnlib.doctor.cases.loud import LOUD, Loud

GROUPS = (
    "data",
    "shapes",
    "gradient",
    "time",
    "scale",
    "padding",
    "evaluation",
)

CASES = (
    *data.CASES,
    *shapes.CASES,
    *sizes.CASES,
    *gradient.CASES,
    *time.CASES,
    *cells.CASES,
    *evaluation.SCALE,
    *padding.CASES,
    *evaluation.CASES,
)

__all__ = ["CASES", "GROUPS", "HEALTHY", "LOUD", "Case", "Healthy", "Loud"]
