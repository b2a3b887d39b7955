"""The checks, in the order in which one would look."""

from rnnlib.doctor.checks.called import CALL as CALL
from rnnlib.doctor.checks.called import dtype, evaluation, state
from rnnlib.doctor.checks.carried import carried
from rnnlib.doctor.checks.coverage import coverage
from rnnlib.doctor.checks.data import data, floor, sizes_of_targets
from rnnlib.doctor.checks.dynamics import gain, horizon, nonlinearity, saturation
from rnnlib.doctor.checks.losses import scores
from rnnlib.doctor.checks.padded import padding
from rnnlib.doctor.checks.parameters import gradient, readout, saving, trainable
from rnnlib.doctor.checks.places import device
from rnnlib.doctor.checks.samples import deaf, layout, mixing, sizes
from rnnlib.doctor.checks.steps import causality, halves, order

BEFORE = (data, trainable)
"""What is asked of a model that may not even run."""

CHECKS = (
    layout,
    sizes_of_targets,
    scores,
    deaf,
    mixing,
    sizes,
    coverage,
    order,
    causality,
    halves,
    gradient,
    readout,
    state,
    carried,
    gain,
    saturation,
    horizon,
    nonlinearity,
    padding,
    evaluation,
    saving,
    dtype,
    device,
    floor,
)

ALL = (*BEFORE, CALL, *CHECKS)
"""Each has a name, a question, the chapter to read, and what it is blind for."""
