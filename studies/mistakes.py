"""Chapter 15: what do two classic mistakes of forecasting cost?

`leak`: eleven steps of a random walk of 600 are forecast from windows of twelve. `nearest` says the
mean of what followed the two most similar training windows. An MLP with two layers of 32 tanh units
has 1,500 updates with 64 of 250 training windows, Adam with 0.005. The windows that test come after
those for training (`in order`), are drawn with them from all windows (`shuffled`), or lie between
them, 22 steps and more away, so that no two overlap (`apart`).

`trend`: a sine of period 25 and amplitude 1, with noise of 0.1, rises by 0.005 a step. A line or an
MLP, of tanh units or of ReLUs, reads windows of 20 `levels`, of 20 `differences`, or of 20 levels
`less the last` of them, which is added to the forecast again. It is fitted to 800 steps of 1,200:
1,500 updates with 64 windows, Adam with 0.005. The last 400 steps test, ten steps ahead, iterated.

Measured: the root mean squared error, of `leak` on average over the eleven steps; and that of
persistence.
"""

import functools
import math

import torch
from torch import Tensor, nn

import rnnlib
from rnnlib.data.series import Scale, random_walk, rolling_origins, windows
from rnnlib.models.forecasts import Linear, iterate, persistence, rmse
from rnnlib.training import fit

SETTINGS = [
    {"mistake": mistake, "model": model, "form": form, "seed": seed}
    for mistake, models, forms in (
        ("leak", ("nearest", "MLP"), ("in order", "shuffled", "apart")),
        ("trend", ("line", "MLP", "ReLU MLP"), ("levels", "differences", "less the last")),
    )
    for model in models
    for form in forms
    for seed in range(5)
]


def run(mistake: str, **setting) -> dict[str, float]:
    """Make one mistake, or do it right."""
    rnnlib.seed_everything(setting["seed"])
    return {"leak": leak, "trend": trend}[mistake](**setting)


def mlp(x: Tensor, y: Tensor, bend: type[nn.Module] = nn.Tanh):
    """Train on windows; return what forecasts from others."""
    layers = nn.Linear(x.size(1), 32), bend(), nn.Linear(32, 32), bend()
    model = nn.Sequential(*layers, nn.Linear(32, y.size(1)))
    x, y = x.float(), y.float()
    batches = [(x[i], y[i]) for i in torch.randint(len(x), (1500, 64))]
    fit(model, batches, epochs=1, lr=0.005, progress=False)

    def forecast(x: Tensor) -> Tensor:
        with torch.no_grad():
            return model(x.float()).double()

    return forecast


def leak(model: str, form: str, seed: int) -> dict[str, float]:
    """Test on windows that overlap with those of training, or not."""
    walk = random_walk(600, torch.Generator().manual_seed(seed))
    z = Scale.of(walk[:430]).apply(walk)
    x, y = windows(z, rolling_origins(600, first=11, horizon=11), width=12, horizon=11)
    rows = torch.arange(len(x))
    if form == "apart":
        train, test = rows[(rows % 160 >= 62) & (rows % 160 < 138)], rows[rows % 160 < 40]
    else:
        rows = rows if form == "in order" else torch.randperm(len(x))
        train, test = rows[:405], rows[416:]
    if model == "MLP":
        train = train[torch.randperm(len(train))[:250]]
        forecast = mlp(x[train], y[train])(x[test])
    else:
        alike = torch.cdist(x[test], x[train]).topk(2, largest=False).indices
        forecast = y[train][alike].mean(dim=1)
    return {
        "error": rmse(forecast, y[test]).mean().item(),
        "persistence": rmse(persistence(x[test], 11), y[test]).mean().item(),
    }


def trend(model: str, form: str, seed: int) -> dict[str, float]:
    """Forecast a series with a trend, from its levels or from its differences."""
    t = torch.arange(1200, dtype=torch.float64)
    noise = 0.1 * torch.randn(1200, generator=torch.Generator().manual_seed(seed)).double()
    z = 0.005 * t + (2 * math.pi / 25 * t).sin() + noise
    cut, width, horizon = 800, 20, 10
    read = z.diff(prepend=z[:1]) if form == "differences" else z
    scale = Scale.of(read[:cut])
    read = scale.apply(read)
    x, y = windows(read, rolling_origins(cut, first=width), width=width)

    def less(x: Tensor) -> Tensor:
        return x[:, -1:] if form == "less the last" else torch.zeros_like(x[:, -1:])

    fit_to = {"line": Linear.fit, "MLP": mlp, "ReLU MLP": functools.partial(mlp, bend=nn.ReLU)}
    inner = fit_to[model](x - less(x), y - less(x))
    origins = rolling_origins(1200, first=cut - 1, horizon=horizon)
    x, _ = windows(read, origins, width=width, horizon=horizon)
    now, truth = windows(z, origins, width=1, horizon=horizon)
    forecast = iterate(lambda x: inner(x - less(x)) + less(x), x, horizon)
    forecast = scale.undo(forecast)
    if form == "differences":
        forecast = now + forecast.cumsum(dim=1)
    return {
        "error": rmse(forecast, truth)[-1].item(),
        "persistence": rmse(persistence(now, horizon), truth)[-1].item(),
    }
