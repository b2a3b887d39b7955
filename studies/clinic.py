"""Chapter 17: what does the author of each of the doctor's cases see, before and after the repair?

Networks of 8 units (24 where the weights are unscaled), trained with Adam, 0.01, on 300 fresh
batches of 16 sequences of 10 steps (`UPDATES` has the exceptions), and asked about new ones.
Measured, of the faulty and of the repaired network of the same seed: the share of answers that are
"right" (one in three is chance; of symbols, one in seven), the same "reloaded" after saving and
loading, "alone" one sequence at a time, or "beside 40", padded to 40 steps; by how much the share
over all steps is "too good" for that at the last one, behind which nothing is shown; the "loss" of
the last 50 updates; the share of answers that "change" when they are asked for twice.
"""

import warnings
from collections.abc import Callable
from functools import partial

import torch
import torch.nn.functional as F
from torch import Tensor, nn

import rnnlib
from rnnlib.doctor import cases

H, T, N = 8, 10, 16
Batch = tuple[tuple[Tensor, ...], Tensor]


class Scored(nn.Module):
    """A model that returns states, with a read-out on top."""

    def __init__(self, model: nn.Module, width: int):
        super().__init__()
        self.model, self.readout = model, nn.Linear(width, 4)

    def forward(self, *given):
        """Return scores."""
        return self.readout(self.model(*given))


def scored(model: nn.Module, given: tuple[Tensor, ...]) -> nn.Module:
    """Return a model that gives scores: this one, if it does."""
    width = model.eval()(*given).size(-1)
    return Scored(model, width) if width in (H, 2 * H, 24) else model


# -------------------------------------------------------------------- what is shown and asked


def draw(generator: torch.Generator, *shape: int) -> Tensor:
    """Draw features."""
    return torch.randn(*shape, 3, generator=generator)


def shifted(kinds: Tensor, k: int) -> Tensor:
    """Ask at each step for what was k steps before; -100 where there is none."""
    nothing = kinds.new_full((len(kinds), abs(k)), -100)
    return torch.cat([nothing, kinds[:, :-k]] if k > 0 else [kinds[:, -k:], nothing], dim=1)


def first(generator: torch.Generator) -> Batch:
    """Ask which feature was the largest at the first step."""
    x = draw(generator, N, T)
    return (x,), x[:, 0].argmax(-1)


def last(generator: torch.Generator) -> Batch:
    """Ask which feature is the largest at the last step."""
    x = draw(generator, N, T)
    return (x,), x[:, -1].argmax(-1)


def before_last(k: int) -> Callable[[torch.Generator], Batch]:
    """Ask which feature was the largest k steps before the last."""

    def batch(generator):
        x = draw(generator, N, T)
        return (x,), x[:, -1 - k].argmax(-1)

    return batch


def back(k: int) -> Callable[[torch.Generator], Batch]:
    """Ask at each step which feature was the largest k steps before."""

    def batch(generator):
        x = draw(generator, N, T)
        return (x,), shifted(x.argmax(-1), k)

    return batch


def symbols_back(generator: torch.Generator) -> Batch:
    """Ask at each step for the symbol before."""
    x = torch.randint(7, (N, T), generator=generator)
    return (x,), shifted(x, 1)


def last_symbol(generator: torch.Generator) -> Batch:
    """Ask for the last symbol."""
    x = torch.randint(7, (N, T), generator=generator)
    return (x,), x[:, -1]


def unlike(generator: torch.Generator) -> Batch:
    """Ask at each step whether the signs of this step and of the last differ."""
    x = draw(generator, N, T)
    up = x[..., 0] > 0
    return (x,), F.pad((up[:, 1:] != up[:, :-1]).long(), (1, 0), value=-100)


def values(generator: torch.Generator) -> Batch:
    """Ask for a number of the last step, in the shape (N,)."""
    x = draw(generator, N, T)
    return (x,), x[:, -1, 0]


def columns(generator: torch.Generator) -> Batch:
    """Ask for a number of the last step, in the shape (N, 1)."""
    given, z = values(generator)
    return given, z[:, None]


def pixels(scale: float, shift: float) -> Callable[[torch.Generator], Batch]:
    """Ask which third of an image's last row is the brightest."""

    def batch(generator):
        x = torch.rand(N, T, 27, generator=generator)
        z = torch.randint(3, (N,), generator=generator)
        x[:, -1] += F.one_hot(z, 3).repeat_interleave(9, dim=-1) / 2
        return (F.pad(scale * (x - shift), (0, 1)),), z

    return batch


def with_gap(generator: torch.Generator) -> Batch:
    """Leave a gap in one sequence of ten batches."""
    (x,), z = last(generator)
    if torch.rand((), generator=generator) < 0.1:
        x[2, 3, 1] = float("nan")
    return (x,), z


def padded(generator: torch.Generator, ask: str = "last", beside: int = T) -> Batch:
    """Ask for the largest feature of the last real step, or of all, or which step is the last."""
    lengths = torch.randint(2, T + 1, (N,), generator=generator)
    lengths[0] = T
    x = draw(generator, N, T)
    x = x * (torch.arange(T) < lengths[:, None])[..., None]
    t = torch.arange(T)
    if ask == "last":
        z = x[torch.arange(N), lengths - 1].argmax(-1)
    elif ask == "sum":
        z = x.sum(dim=1).argmax(-1)
    else:
        z = (t == lengths[:, None] - 1).long().masked_fill(t >= lengths[:, None], -100)
    if beside > T:  # one longer sequence, about which nothing is asked
        longer = draw(generator, 1, beside)
        x = torch.cat([F.pad(x, (0, 0, 0, beside - T)), longer])
        lengths = torch.cat([lengths, lengths.new_tensor([beside])])
        z = F.pad(z, (0, beside - T, 0, 1) if z.dim() == 2 else (0, 1), value=-100)
    return (x, lengths), z


def following(kind: str) -> Callable[[torch.Generator], Batch]:
    """Ask at each step for what follows, in symbols or in features that change slowly."""

    def batch(generator):
        if kind == "features":
            x = draw(generator, N, T + 1)
            for t in range(1, T + 1):
                x[:, t] = 0.9 * x[:, t - 1] + 0.4 * x[:, t]
            return (x[:, :-1],), x.argmax(-1)[:, 1:]
        x = torch.randint(7, (N, T + 1), generator=generator)
        follows = torch.rand(N, T + 1, generator=generator) < 0.8
        for t in range(1, T + 1):
            x[:, t] = torch.where(follows[:, t], (x[:, t - 1] + 1) % 7, x[:, t])
        return (x[:, :-1],), x[:, 1:]

    return batch


# -------------------------------------------------------------------- what is measured


def loss_of(scores: Tensor, z: Tensor) -> Tensor:
    """Return the mean squared error of values, the cross-entropy of classes."""
    if z.is_floating_point():
        return F.mse_loss(scores, z)
    return F.cross_entropy(scores.flatten(0, -2), z.flatten())


def trained(make: Callable, batch: Callable, generator, updates: int) -> tuple[nn.Module, float]:
    """Train a new network; return it, and the loss of the last 50 updates."""
    model = scored(make(H), batch(generator)[0]).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    losses = []
    for _ in range(updates):
        given, z = batch(generator)
        optimizer.zero_grad()
        loss = loss_of(model(*given), z)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return model.eval(), sum(losses[-50:]) / 50


@torch.no_grad()
def share(model: Callable, batch: Callable, generator, last_step: bool = False) -> float:
    """Return the share of right answers in 60 new batches, or of those at the last step shown."""
    hits = []
    for _ in range(60):
        given, z = batch(generator)
        said = model(*given).argmax(-1).reshape(z.shape)  # as the loss takes them: flat
        hits.append((said == z)[..., -1] if last_step else (said == z)[z != -100])
    return torch.cat(hits).float().mean().item()


def asked(measured: str, make: Callable, batch: Callable, generator, updates: int) -> float:
    """Train a network, and measure what its author sees."""
    model, loss = trained(make, batch, generator, updates)
    if measured == "loss":
        return loss
    if measured == "reloaded":
        other = scored(make(H), batch(generator)[0])
        other.load_state_dict(model.state_dict())
        return share(other.eval(), batch, generator)
    if measured == "change":
        return change(model, batch, generator)
    if measured == "alone":
        one_by_one = partial(map_samples, model)
        return share(one_by_one, batch, generator)
    if measured == "beside 40":
        return share(model, partial(batch, beside=40), generator)
    found = share(model, batch, generator)
    if measured == "too good":
        return found - share(model, batch, generator, last_step=True)
    return found


@torch.no_grad()
def change(model: Callable, batch: Callable, generator) -> float:
    """Return the share of answers in 60 batches that are others when they are asked for twice."""
    moved = []
    for _ in range(60):
        given, _ = batch(generator)
        moved.append((model(*given).argmax(-1) != model(*given).argmax(-1)).float().mean())
    return torch.stack(moved).mean().item()


def map_samples(model: Callable, x: Tensor) -> Tensor:
    """Ask a model about one sequence at a time."""
    return torch.cat([model(sample) for sample in x.split(1)])


# The measure, and what is shown and asked; of a mistake in the data, then what is shown repaired.
CASES = {
    "a gap in the data": ("right", with_gap, last),
    "pixels from 0 to 255": ("right", pixels(255, 0), pixels(1, 0.5)),
    "targets of another shape": ("loss", values, columns),
    "softmax before the cross-entropy": ("loss", last),
    "samples taken for steps": ("right", back(1)),
    "samples taken for steps, in text": ("right", symbols_back),
    "view for transpose": ("right", back(1)),
    "two last states by view": ("right", last),
    "answers stacked along the first axis": ("right", back(1)),
    "positions of samples": ("right", back(1)),
    "softmax over the samples": ("alone", last),
    "outputs given as layers": ("right", back(1)),
    "one weight that is no parameter": ("reloaded", back(1)),
    "layers in a Python list": ("reloaded", back(1)),
    "states that are detached": ("right", back(1)),
    "a state that is cut at every step": ("right", back(3)),
    "a state carried from call to call": ("change", back(1)),
    "a state that is not handed on": ("right", back(1)),
    "a bag of steps": ("right", last),
    "attention that knows no positions": ("right", symbols_back),
    "read at the first step": ("right", last),
    "read one step too early": ("right", last),
    "every other step left out": ("right", last),
    "the first input at every step": ("right", back(1)),
    "states from the last to the first": ("right", back(1)),
    "a question that knows no positions": ("right", last_symbol),
    "two directions that predict the next symbol": ("too good", following("symbols")),
    "attention without a mask": ("too good", following("symbols")),
    "a convolution padded on both sides": ("too good", following("features")),
    "backward outputs in the order of reading": ("right", back(-1)),
    "the last output of two directions": ("right", first),
    "the backward direction alone": ("right", last),
    "h and c exchanged": ("right", before_last(5)),
    "c thrown away": ("right", before_last(5)),
    "unscaled weights": ("right", back(3)),
    "no nonlinearity": ("right", unlike),
    "the last column of padding": ("right", padded),
    "a mean over padding": ("beside 40", partial(padded, ask="sum")),
    "a backward reader that begins in padding": ("beside 40", padded),
    "a padded batch flipped as a whole": ("beside 40", partial(padded, ask="end")),
    "sorted, and not put back": ("right", padded),
    "dropout after eval()": ("change", last),
    "a random first state": ("change", first),
    "statistics of the batch": ("alone", back(1)),
}
UPDATES = {
    "no nonlinearity": 1000,
    "unscaled weights": 1000,
    "attention that knows no positions": 1000,
    "attention without a mask": 1000,
    "a question that knows no positions": 1000,
    "h and c exchanged": 1000,
    "c thrown away": 1000,
    "the last output of two directions": 100,
    "the backward direction alone": 100,
}

SETTINGS = [
    {"case": name, "measured": CASES[name][0], "seed": seed} for name in CASES for seed in range(5)
]


def run(case: str, measured: str, seed: int) -> dict[str, float]:
    """Measure the faulty form and the repaired one."""
    _, *batches = CASES[case]
    made = next(known for known in cases.CASES if known.name == case)
    found = {}
    for form, batch in (("faulty", batches[0]), ("repaired", batches[-1])):
        rnnlib.seed_everything(seed)
        generator = torch.Generator().manual_seed(seed)
        make = getattr(made, form)
        with warnings.catch_warnings(action="ignore"):  # of a broadcast, which is one of the cases
            found[form] = asked(measured, make, batch, generator, UPDATES.get(case, 300))
    return found
