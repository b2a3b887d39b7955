"""Chapter 15: how well does a network forecast the Mackey-Glass series that nobody trains?

A reservoir of 400 units, drawn with each of five seeds, reads the first 1,500 steps. Its read-out,
which says how much the series will change, is found by least squares, with 1e-10 on the squared
weights. `radius` is the spectral radius, `bias` the largest bias; input weights are up to 0.3.
Choosing, testing and what is measured as in the study `forecasting`.
"""

import torch

from rnnlib.data.series import Scale, mackey_glass
from rnnlib.models.forecasts import Forecaster
from rnnlib.models.reservoir import fit_readout, reservoir
from studies.forecasting import ALL, CHOOSING, HORIZON, TRAINING, errors

SETTINGS = [
    {"radius": radius, "bias": bias, "seed": seed}
    for radius in (0.8, 1.2)
    for bias in (0.2, 1.0)
    for seed in range(5)
]


def run(radius: float, bias: float, seed: int) -> dict[str, list[float]]:
    """Draw one reservoir, find its read-out, and forecast."""
    series = mackey_glass(ALL)
    z = Scale.of(series[:TRAINING]).apply(series)
    generator = torch.Generator().manual_seed(seed)
    rnn = reservoir(400, radius=radius, scale=0.3, bias=bias, generator=generator)
    model = fit_readout(Forecaster(rnn, residual=True), z[:TRAINING], ridge=1e-10)

    def forecast(x):
        return model.forecast(x, HORIZON)

    return {
        "validation": errors(forecast, z[:CHOOSING], TRAINING, 100),
        "test": errors(forecast, z, CHOOSING + 99, 100),
    }
