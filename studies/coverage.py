"""Chapter 15: whose intervals keep their promise in quiet parts and in loud ones?

A sine of period 40 whose noise is 0.1 in its lower half and 0.7 in its upper, 2,000 steps of it;
each seed has a series of its own. Asked for are the quantiles 0.1, 0.5 and 0.9 of the next step. A
line reads 40 steps, a GRU of 24 units reads on. Each learns the quantiles by their loss; or, with
`one width`, the mean, and its interval is that of its errors in training. With `two widths` a line
has one interval for forecasts above their mean in training, and one for those below. The line of
one width or two is fitted by least squares; that of quantiles has 1,000 updates with 64 windows,
the GRU 600 with 16 stretches of 60 steps: Adam with 0.01, a tenth of it in the last quarter.
Measured: the quantiles' loss in the next 500 steps; in 1,500 more the share inside, of all, of
quiet and of loud ones.
"""

import functools

import torch
from torch import Tensor, nn

import rnnlib
from rnnlib.data.series import quiet_and_loud, rolling_origins, windows
from rnnlib.models.forecasts import Forecaster, Linear, quantile_loss
from studies.forecasting import stretches, train

Q, WIDTH = (0.1, 0.5, 0.9), 40
SETTINGS = [
    {"model": model, "interval": interval, "seed": seed}
    for model, intervals in (
        ("line", ("one width", "two widths", "quantiles")),
        ("GRU", ("one width", "quantiles")),
    )
    for interval in intervals
    for seed in range(5)
]


def run(model: str, interval: str, seed: int) -> dict[str, float | list[float]]:
    """Fit one model, and count what lies inside."""
    rnnlib.seed_everything(seed)
    moody = quiet_and_loud(4000, torch.Generator().manual_seed(seed))
    learn = quantiles(model, interval, seed, moody.x[:2000])
    x, y = windows(moody.x, rolling_origins(4000, first=1999), width=WIDTH)
    said = learn(x)
    loss = quantile_loss(said[:500], y[:500], Q).item()
    inside = ((said[:, 0] < y[:, 0]) & (y[:, 0] < said[:, 2]))[500:]
    loud = moody.std[2000:][500:] > 0.5
    shares = [rows.double().mean().item() for rows in (inside, inside[~loud], inside[loud])]
    return {"loss": loss, "covered": shares}


def quantiles(model: str, interval: str, seed: int, part: Tensor):
    """Fit a model to a part; return what says three quantiles of the step behind each window."""
    outputs = len(Q) if interval == "quantiles" else 1
    x, y = windows(part, rolling_origins(len(part), first=WIDTH - 1), width=WIDTH)
    generator = torch.Generator().manual_seed(seed)
    if model == "GRU":
        network = Forecaster(rnnlib.GRU(1, 24, batch_first=True), outputs)
        batches = stretches(part, 600, 0.0, 1, generator, size=16)
    else:
        network = nn.Linear(WIDTH, outputs)
        drawn = torch.randint(len(x), (1000, 64), generator=generator)
        batches = [(x[i].float(), y[i].float()) for i in drawn]
    if interval == "quantiles":
        loss = functools.partial(quantile_loss, quantiles=Q)
        train(network, [(a, b.expand(*b.shape[:-1], outputs)) for a, b in batches], 0.01, loss=loss)
    elif model == "line":
        network = None
        line = Linear.fit(x, y)
    else:
        train(network, batches, 0.01)

    def said(x: Tensor) -> Tensor:
        if network is None:
            return line(x)
        with torch.no_grad():
            found = network(x[..., None].float())[:, -1] if model == "GRU" else network(x.float())
        return found.double()

    if interval == "quantiles":
        return said
    errors, mean = y - said(x), said(x).mean()
    parts = (
        [errors] * 2
        if interval == "one width"
        else [errors[said(x) <= mean], errors[said(x) > mean]]
    )
    below, above = (part.quantile(torch.tensor(Q).double()) for part in parts)
    return lambda x: said(x) + torch.where(said(x) > mean, above, below)
