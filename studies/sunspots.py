"""Chapter 15: does a network forecast the sunspots better than a straight line?

Yearly means, square roots, scaled on the training part, eleven years ahead. For choosing, each
model is fitted to the years up to 1865 and forecasts from every year up to 1909; for testing it is
fitted to those up to 1920 and forecasts from every year since. A line reads `size` years, and
`rate` is its ridge. An MLP has two layers of 16 tanh units on a window of `size` years. A GRU of
`size` units forecasts the change at every step of 16 stretches of 60 years. `rate` is Adam's, a
tenth of it in the last quarter of the updates. An echo state network has `size` units, input
weights of up to `scale`, biases of up to 0.3, and `rate` is its ridge. The scaler is fitted to the
`training` part or, as a mistake, to `everything`. Measured in sunspots: the root mean squared error
1, 5 and 11 years ahead, and its mean over eleven.
"""

import torch
from torch import Tensor, nn

import rnnlib
from rnnlib.data.series import Scale, load_sunspots, rolling_origins, windows
from rnnlib.models.forecasts import Forecaster, Linear, iterate, rmse
from rnnlib.models.reservoir import fit_readout, reservoir
from studies.forecasting import stretches, train

NETWORKS = [
    *(("line", size, 0, ridge, 0.0, 0.0) for size in (9, 20, 40) for ridge in (0.0, 0.01, 0.1)),
    *(
        (network, size, 100, rate, 0.0, 0.0)
        for network, sizes in (("MLP", (9, 20)), ("GRU", (8,)))
        for size in sizes
        for rate in (0.003, 0.01)
    ),
    *(
        ("ESN", size, 0, ridge, radius, scale)
        for size in (20, 100)
        for ridge in (0.01, 0.1)
        for radius in (0.5, 0.9)
        for scale in (0.3,)
    ),
]
KEYS = ("network", "size", "updates", "rate", "radius", "scale", "scaler", "seed")
SETTINGS = [
    dict(zip(KEYS, (*network, scaler, seed), strict=True))
    for scaler in ("training", "everything")
    for network in NETWORKS
    if scaler == "training" or network[2:4] == (100, 0.01)
    for seed in range(1 if network[0] == "line" else 5)
]


def run(scaler: str, **setting) -> dict[str, list[float]]:
    """Fit one model twice, for choosing and for testing, and forecast."""
    years, numbers = load_sunspots()
    chosen, end = (int((years <= year).sum()) for year in (1865, 1920))
    return {
        "validation": errors(numbers[:end], chosen, scaler, **setting),
        "test": errors(numbers, end, scaler, **setting),
    }


def errors(numbers: Tensor, cut: int, scaler: str, network: str, **setting) -> list[float]:
    """Fit to the numbers before `cut`, and forecast from each year since."""
    root = numbers.sqrt()
    scale = Scale.of(root[:cut] if scaler == "training" else root)
    z = scale.apply(root)
    origins = rolling_origins(len(z), first=cut - 1, horizon=11)
    past, _ = windows(z, origins, width=100, horizon=11)
    _, truth = windows(numbers, origins, width=1, horizon=11)
    forecast = {"line": line, "MLP": mlp, "GRU": gru, "ESN": echo_state}[network](
        z[:cut], past, **setting
    )
    back = scale.undo(forecast.double()).clamp(min=0) ** 2
    found = rmse(back, truth)
    return [*found[[0, 4, 10]].tolist(), found.mean().item()]


def line(part: Tensor, past: Tensor, size: int, rate: float, **_) -> Tensor:
    """Fit a line to windows, and iterate."""
    x, y = windows(part, rolling_origins(len(part), first=size - 1), width=size)
    return iterate(Linear.fit(x, y, ridge=rate), past[:, -size:], 11)


def mlp(part: Tensor, past: Tensor, size: int, updates: int, rate: float, seed: int, **_) -> Tensor:
    """Train on windows, and iterate."""
    rnnlib.seed_everything(seed)
    layers = nn.Linear(size, 16), nn.Tanh(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 1)
    model = nn.Sequential(*layers)
    x, y = windows(part.float(), rolling_origins(len(part), first=size - 1), width=size)
    train(model, [(x[i], y[i]) for i in torch.randint(len(x), (updates, 64))], rate)
    with torch.no_grad():
        return iterate(model, past[:, -size:].float(), 11)


def gru(part: Tensor, past: Tensor, size: int, updates: int, rate: float, seed: int, **_) -> Tensor:
    """Train on stretches, and go on alone."""
    rnnlib.seed_everything(seed)
    model = Forecaster(rnnlib.GRU(1, size, batch_first=True), residual=True)
    generator = torch.Generator().manual_seed(seed)
    train(model, stretches(part, updates, 0.0, 1, generator, size=16), rate)
    return model.forecast(past.float(), 11)


def echo_state(
    part: Tensor, past: Tensor, size: int, rate: float, radius: float, scale: float, seed: int, **_
) -> Tensor:
    """Find a read-out, and go on alone."""
    generator = torch.Generator().manual_seed(seed)
    rnn = reservoir(size, radius=radius, scale=scale, bias=0.3, generator=generator)
    model = fit_readout(Forecaster(rnn, residual=True), part, skip=20, ridge=rate)
    return model.forecast(past, 11)
