"""Chapter 15: which network forecasts the Mackey-Glass series best, one step ahead and many?

Of a series of 3,500 steps the first 1,500 are for training, the next 500 for choosing and the rest
for testing. Each network is trained with Adam and up to four learning rates (the last quarter of
the updates has a tenth of it). An MLP has two layers of 32 tanh units and reads a window of 5, 20
or 60 steps: 2,500 updates with 64 windows. A GRU or plain RNN of 32 units forecasts the change at
every step of 32 stretches of 60 steps: 1,000 updates. With `noise` of this standard deviation (in
standard deviations of the series) on what it reads in training; or reading its own forecasts in the
last 20 of the 60 steps (`alone`). Some of it with the best rates for three times as long (`times`),
and on the series of delay `tau`. `direct` networks have a read-out for each of 100 steps ahead; the
others read their own forecasts. Measured: the root mean squared error 1, 17 and 84 steps ahead, and
its mean over 100, from origins every 5 steps of the part for choosing and of that for testing, 100
steps known.
"""

import torch
from torch import Tensor, nn

import rnnlib
from rnnlib.data.series import Scale, mackey_glass, rolling_origins, windows
from rnnlib.models.forecasts import Forecaster, iterate, rmse
from rnnlib.training import fit

RATES = (0.003, 0.01, 0.03)
MORE = (*RATES, 0.1)  # where 0.03 is the best of the three
NETWORKS = (
    # network, window, noise, alone, direct, times, tau, rates
    ("MLP", 5, 0.0, 0, False, 1, 17, RATES),
    ("MLP", 20, 0.0, 0, False, 1, 17, RATES),
    ("MLP", 60, 0.0, 0, False, 1, 17, RATES),
    ("MLP", 60, 0.0, 0, True, 1, 17, RATES),
    ("GRU", 100, 0.0, 0, False, 1, 17, MORE),
    ("GRU", 100, 0.02, 0, False, 1, 17, RATES),
    ("GRU", 100, 0.05, 0, False, 1, 17, RATES),
    ("GRU", 100, 0.0, 20, False, 1, 17, MORE),
    ("GRU", 100, 0.0, 0, True, 1, 17, MORE),
    # Does noise help the others as well?
    ("MLP", 20, 0.01, 0, False, 1, 17, (0.01,)),
    ("MLP", 20, 0.05, 0, False, 1, 17, (0.01,)),
    ("RNN", 100, 0.0, 0, False, 1, 17, (0.01,)),
    ("RNN", 100, 0.05, 0, False, 1, 17, (0.01,)),
    # The best rate once more, for three times as long.
    ("MLP", 20, 0.0, 0, False, 3, 17, (0.01,)),
    ("MLP", 60, 0.0, 0, False, 3, 17, (0.003,)),
    ("GRU", 100, 0.0, 0, False, 3, 17, (0.01, 0.03)),
    ("GRU", 100, 0.0, 20, False, 3, 17, (0.03,)),
    # A delay at which what a forecast gets wrong may grow without end.
    ("MLP", 60, 0.0, 0, False, 1, 30, (0.003,)),
    ("GRU", 100, 0.0, 0, False, 1, 30, (0.01, 0.03)),
    ("GRU", 100, 0.05, 0, False, 1, 30, (0.01,)),
    ("GRU", 100, 0.0, 20, False, 1, 30, (0.01,)),
)
KEYS = ("network", "window", "noise", "alone", "direct", "times", "tau", "lr", "seed")
SETTINGS = [
    dict(zip(KEYS, (*network, lr, seed), strict=True))
    for *network, rates in NETWORKS
    for lr in rates
    for seed in range(5)
]
TRAINING, CHOOSING, ALL, HORIZON = 1500, 2000, 3500, 100


class OnItsOwn(nn.Module):
    """A forecaster that is trained as it is used: it goes on alone after what it reads."""

    def __init__(self, model: Forecaster, alone: int):
        super().__init__()
        self.model, self.alone = model, alone

    def forward(self, x: Tensor) -> Tensor:
        """Read all but the last steps of (N, T, 1), and forecast at each of the T."""
        return self.model(x[:, : x.size(1) - self.alone], self.alone)


def run(
    network: str,
    window: int,
    noise: float,
    alone: int,
    direct: bool,
    times: int,
    tau: int,
    lr: float,
    seed: int,
) -> dict[str, list[float]]:
    """Train one network, and forecast."""
    series = mackey_glass(ALL, tau=float(tau))
    z = Scale.of(series[:TRAINING]).apply(series)
    generator = torch.Generator().manual_seed(seed)
    rnnlib.seed_everything(seed)
    outputs = HORIZON if direct else 1
    if network == "MLP":
        model = nn.Sequential(
            *(nn.Linear(window, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh()),
            nn.Linear(32, outputs),
        )
        origins = rolling_origins(TRAINING, first=window - 1, horizon=outputs)
        x, y = (part.float() for part in windows(z, origins, width=window, horizon=outputs))
        drawn = torch.randint(len(x), (times * 2500, 64), generator=generator)
        read = [x[i] + noise * torch.randn(64, window, generator=generator) for i in drawn]
        train(model, list(zip(read, y[drawn], strict=True)), lr)
    else:
        layer = {"GRU": rnnlib.GRU, "RNN": rnnlib.RNN}[network]
        model = Forecaster(layer(1, 32, batch_first=True), outputs, residual=True)
        batches = stretches(z[:TRAINING], times * 1000, noise, outputs, generator)
        train(OnItsOwn(model, alone), batches, lr)

    def forecast(x: Tensor) -> Tensor:
        x = x.float()
        with torch.no_grad():
            if network == "MLP":
                return model(x) if direct else iterate(model, x, HORIZON)
            return model(x[..., None])[:, -1] if direct else model.forecast(x, HORIZON)

    return {
        "validation": errors(forecast, z[:CHOOSING], TRAINING, window),
        "test": errors(forecast, z, CHOOSING + 99, window),
    }


def errors(forecast, z: Tensor, first: int, width: int) -> list[float]:
    """Measure 1, 17 and 84 steps ahead, and the mean over 100, from the origin `first` on."""
    origins = rolling_origins(len(z), first=first, horizon=HORIZON, every=5)
    x, y = windows(z, origins, width=width, horizon=HORIZON)
    found = rmse(forecast(x).double(), y)
    return [*found[[0, 16, 83]].tolist(), found.mean().item()]


def stretches(
    part: Tensor, count: int, noise: float, horizon: int, generator: torch.Generator, size: int = 32
) -> list[tuple[Tensor, Tensor]]:
    """Cut batches of stretches of 60 steps, each step's targets being those that follow it."""
    batches = []
    for _ in range(count):
        origins = torch.randint(59, len(part) - horizon, (size,), generator=generator)
        x, y = windows(part, origins, width=60, horizon=horizon)
        read = x + noise * torch.randn(x.shape, generator=generator)
        following = torch.cat([x, y], dim=1).unfold(1, horizon, 1)[:, 1:]
        batches.append((read[..., None].float(), following.float()))
    return batches


def train(model: nn.Module, batches: list, lr: float, **options) -> None:
    """Train on the batches, once; the last quarter with a tenth of the learning rate."""
    cut = 3 * len(batches) // 4
    for part, rate in ((batches[:cut], lr), (batches[cut:], lr / 10)):
        fit(model, part, epochs=1, lr=rate, clip_norm=1.0, progress=False, **options)
