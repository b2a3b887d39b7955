"""Networks that are wired right: whatever the doctor calls sick in them is a false alarm."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from rnnlib import layers
from rnnlib.data.vocabulary import Vocabulary
from rnnlib.doctor.cases.case import (
    D,
    K,
    Told,
    V,
    next_symbol,
    padded,
    plain,
)
from rnnlib.doctor.cases.evaluation import Drops
from rnnlib.doctor.cases.networks import (
    ByHand,
    Classifier,
    OneLayer,
    Tagger,
    TwoWayClassifier,
)
from rnnlib.doctor.cases.padding import MeanOfReal, Packed, TakesAny
from rnnlib.doctor.cases.time import Attends, Convolution, TwoCellsAligned
from rnnlib.models.attention import AdditiveAttention
from rnnlib.models.characters import CharRNN
from rnnlib.models.encoder_decoder import EncoderDecoder
from rnnlib.models.forecasts import Forecaster
from rnnlib.models.line_reader import ImageConvolutions, LineReader
from rnnlib.models.readout import SequenceClassifier, SequenceTagger


@dataclass(frozen=True)
class Healthy:
    """A network that is wired right.

    Attributes
    ----------
    name : str
    model : callable
        From the hidden size to a model.
    told : callable
        From a generator to what `examine` is told.
    notes : tuple of str
        What may be noted of it, beside a short horizon.
    """

    name: str
    model: Callable[[int], nn.Module]
    told: Callable[[torch.Generator], Told] = plain
    notes: tuple[str, ...] = ()


def _time_first(told: Callable[[torch.Generator], Told], **more) -> Callable:
    def swapped(generator: torch.Generator) -> Told:
        x = told(generator)["example"].transpose(0, 1).contiguous()
        return {"example": x, "batch_first": False} | more

    return swapped


def _guessed(generator: torch.Generator) -> Told:
    return {"example": plain(generator)["example"]}


def _packed(generator: torch.Generator) -> Told:
    told = padded(generator)
    x = nn.utils.rnn.pack_padded_sequence(
        told["example"],
        told["lengths"],
        batch_first=True,
        enforce_sorted=False,
    )
    return {"example": x}


def _series(generator: torch.Generator) -> Told:
    x = torch.randn(6, 41, 1, generator=generator).cumsum(1) / 6
    return {"example": x[:, :-1], "targets": x[:, 1:], "batch_first": True}


def _columns(generator: torch.Generator) -> Told:
    x = torch.rand(6, 20, 12, generator=generator)
    lengths = torch.tensor([20, 8, 14, 18, 9, 12])
    return {
        "example": x,
        "lengths": lengths,
        "batch_first": True,
        "loss": nn.CTCLoss(),
    }


def _sources(generator: torch.Generator) -> Told:
    x = torch.randint(V, (6, 10), generator=generator)
    lengths = torch.tensor([10, 4, 7, 9, 2, 6])
    return {"example": x, "lengths": lengths, "batch_first": True}


def _labelled(generator: torch.Generator) -> Told:
    y = torch.arange(6) % K
    return plain(generator) | {"targets": y, "num_classes": K}


class _Teacher(nn.Module):
    """An encoder and a decoder that is told to begin with three symbols."""

    def __init__(self, H, attends):
        super().__init__()
        attention = AdditiveAttention(H, H, H) if attends else None
        make = layers.GRU
        self.model = EncoderDecoder(
            make(4, H, batch_first=True),
            make(5, H, batch_first=True),
            V,
            6,
            attention,
        )

    def forward(self, x, lengths):
        """Score the first three symbols of the answer."""
        return self.model(x, lengths, x.new_tensor([[0, 1, 2]]).expand(len(x), 3))


class _Linear(ByHand):
    """A linear recurrence with a decay of its own for each unit."""

    def __init__(self, H):
        super().__init__(H)
        self.W_hh = nn.Parameter(torch.diag(torch.linspace(0.3, 0.95, H)))

    def step(self, x_t, h):
        """Compute the next state."""
        return x_t @ self.W_xh + h @ self.W_hh + self.b_h


class _Identity(Tagger):
    """A network of rectified units whose recurrent weights begin as the identity."""

    def __init__(self, H):
        super().__init__(H)
        self.rnn = nn.RNN(D, H, nonlinearity="relu", batch_first=True)
        nn.init.eye_(self.rnn.weight_hh_l0)


class _Orthogonal(Tagger):
    """Orthogonal recurrent weights."""

    def __init__(self, H):
        super().__init__(H)
        nn.init.orthogonal_(self.rnn.weight_hh_l0)


class _Strided(Classifier):
    """A convolution that makes one step of four; what is left over is dropped."""

    def __init__(self, H):
        super().__init__(H)
        self.front = nn.Conv1d(D, D, 4, stride=4)

    def forward(self, x):
        """Answer from the last step."""
        return super().forward(self.front(x.transpose(1, 2)).transpose(1, 2))


class _Largest(Classifier):
    """The largest of each unit's states."""

    def forward(self, x):
        """Answer from a maximum over the steps."""
        return self.readout(self.rnn(x)[0].amax(dim=1))


class _FromThePast(Tagger):
    """Each answer hangs on the steps before alone."""

    def forward(self, x):
        """Answer at every step."""
        return super().forward(nn.functional.pad(x[:, :-1], (0, 0, 1, 0)))


class _HandsOn(nn.Module):
    """An LSTM whose last state is the first of a cell that answers five times."""

    def __init__(self, H):
        super().__init__()
        self.encoder = nn.LSTM(D, H, batch_first=True)
        self.decoder = nn.LSTMCell(K, H)
        self.readout = nn.Linear(H, K)

    def forward(self, x):
        """Return five answers."""
        h, c = (state[-1] for state in self.encoder(x)[1])
        answers = [x.new_zeros(len(x), K)]
        for _ in range(5):
            h, c = self.decoder(answers[-1], (h, c))
            answers.append(self.readout(h))
        return torch.stack(answers[1:], dim=1)


def _remembers(H: int) -> nn.Module:
    rnn = layers.LSTM(D, H, batch_first=True)
    layers.set_memory_bias(rnn, 3.0)
    return SequenceTagger(rnn, K)


def _layers() -> list[Healthy]:
    """Every layer, ours and torch's, by itself: (output, state)."""
    found = []
    for library, module in (("torch.nn", nn), ("rnnlib", layers)):
        for kind in ("RNN", "LSTM", "GRU"):
            make = getattr(module, kind)
            for depth, two_way in (
                (1, False),
                (2, False),
                (1, True),
                (2, True),
            ):
                name = f"{library}.{kind}, {depth} × {2 if two_way else 1}"
                options = {"num_layers": depth, "bidirectional": two_way}
                if depth == 2:
                    options["dropout"] = 0.3
                notes = ("causality",) if two_way else ()

                def batch_first(H, make=make, options=options):
                    return make(D, H, batch_first=True, **options)

                def time_first(H, make=make, options=options):
                    return make(D, H, **options)

                found.append(Healthy(name, batch_first, plain, notes))
                found.append(
                    Healthy(
                        f"{name}, time first",
                        time_first,
                        _time_first(plain),
                        notes,
                    )
                )
    return found


HEALTHY = (
    *_layers(),
    Healthy("a layer whose layout is guessed", Tagger, _guessed, ("layout",)),
    Healthy("a layer that reads packed batches", lambda H: nn.GRU(D, H), _packed),
    Healthy(
        "a classifier, read at its last step",
        Classifier,
        _labelled,
        ("floor",),
    ),
    Healthy("a classifier with dropout", Drops, _labelled, ("floor",)),
    Healthy("a classifier in two directions", lambda H: TwoWayClassifier(H, 1)),
    Healthy("a classifier in two directions and layers", TwoWayClassifier),
    Healthy("a packed classifier", Packed, padded),
    Healthy("a mean over real steps", MeanOfReal, padded),
    Healthy("a packed tagger", TakesAny, padded),
    Healthy("an LSTM with a read-out", OneLayer),
    Healthy("an LSTM with a forget bias of 3", _remembers),
    Healthy("two cells, aligned", TwoCellsAligned, notes=("causality",)),
    Healthy("a recurrent network by hand", ByHand),
    Healthy("rectified units from the identity", _Identity),
    Healthy("orthogonal recurrent weights", _Orthogonal),
    Healthy("a linear recurrence", _Linear, notes=("nonlinearity",)),
    Healthy("a strided convolution, then a network", _Strided, notes=("coverage",)),
    Healthy("a maximum over steps", _Largest),
    Healthy("answers from the past alone", _FromThePast, notes=("coverage",)),
    Healthy("an LSTM that hands its state to a cell", _HandsOn),
    Healthy(
        "a temporal convolution",
        lambda H: Convolution(H, left=2, right=0),
        lambda generator: plain(generator) | {"causal": True},
    ),
    Healthy("a convolution on both sides", Convolution, notes=("causality",)),
    Healthy(
        "a transformer encoder",
        lambda H: Attends(H, positions=True),
        lambda generator: next_symbol(generator) | {"targets": None},
        ("causality",),
    ),
    Healthy(
        "a transformer encoder with a causal mask",
        lambda H: Attends(H, positions=True, mask=True),
        next_symbol,
        ("floor",),
    ),
    Healthy(
        "SequenceClassifier",
        lambda H: SequenceClassifier(layers.LSTM(D, H, batch_first=True, bidirectional=True), K),
        padded,
    ),
    Healthy(
        "SequenceTagger",
        lambda H: SequenceTagger(layers.GRU(D, H, batch_first=True, bidirectional=True), K),
        padded,
        ("causality",),
    ),
    Healthy(
        "SequenceTagger of BiRNN, time first",
        lambda H: SequenceTagger(layers.BiRNN(D, H), K),
        _time_first(plain),
        ("causality",),
    ),
    Healthy(
        "CharRNN",
        lambda H: CharRNN(layers.LSTM(5, H, batch_first=True), Vocabulary("abcdefg")),
        next_symbol,
        ("floor",),
    ),
    Healthy(
        "Forecaster",
        lambda H: Forecaster(layers.GRU(1, H, batch_first=True), residual=True),
        _series,
        ("floor",),
    ),
    Healthy(
        "LineReader",
        lambda H: LineReader(
            layers.GRU(72, H, batch_first=True, bidirectional=True),
            11,
            ImageConvolutions(12),
        ),
        _columns,
    ),
    Healthy("EncoderDecoder", lambda H: _Teacher(H, False), _sources),
    Healthy(
        "EncoderDecoder with attention",
        lambda H: _Teacher(H, True),
        _sources,
    ),
)
