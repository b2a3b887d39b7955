"""How a model is called, and what of its answer is looked at."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from rnnlib.doctor import examine

X = torch.randn(5, 7, 3, generator=torch.Generator().manual_seed(0))


SEEN = []


def test_arguments_are_checked():
    with pytest.raises(TypeError, match="model: expected a Module, got the class GRU"):
        examine(nn.GRU, X)
    with pytest.raises(TypeError, match="model: expected a Module, got function"):
        examine(examine, X)
    with pytest.raises(TypeError, match="example: expected a Tensor, got list"):
        examine(nn.GRU(3, 8), [1, 2])
    with pytest.raises(ValueError, match=r"expected a batch of sequences.*got \(7,\)"):
        examine(nn.GRU(3, 8), torch.zeros(7))
    with pytest.raises(TypeError, match="lengths: expected a Tensor, got list"):
        examine(nn.GRU(3, 8), X, lengths=[7, 7])
    with pytest.raises(ValueError, match="num_classes: expected at least 1, got 0"):
        examine(nn.GRU(3, 8), X, num_classes=0)
    with pytest.raises(TypeError, match="got a scripted one"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of torch advise against script
        examine(torch.jit.script(nn.Linear(3, 3)), X)


class Second(nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = nn.GRU(3, 8, batch_first=True)

    def forward(self, x, n_real):
        SEEN.append(n_real)
        return self.rnn(x)[0]


class Named(Second):
    def forward(self, x, state=None, lengths=None):
        assert state is None
        return super().forward(x, lengths)


@pytest.mark.parametrize("make", [Second, Named])
def test_lengths_are_given_to_whoever_takes_them(make):
    SEEN.clear()
    report = examine(make(), X, lengths=torch.tensor([7, 3, 5, 1, 2]))
    assert report.healthy and report["padding"].verdict == "sound"
    assert SEEN[0].tolist() == [7, 3, 5, 1, 2]
    assert all(n.dtype == torch.int64 for n in SEEN)


def test_a_packed_example_is_packed_in_every_call():
    packed = pack_padded_sequence(
        X, torch.tensor([7, 3, 5, 1, 2]), batch_first=True, enforce_sorted=False
    )
    report = examine(nn.LSTM(3, 8, bidirectional=True), packed)
    assert report.healthy and report["padding"].evidence < 1e-12


def test_the_layout_is_guessed_and_told():
    report = examine(nn.GRU(3, 8, batch_first=True), X)
    assert report["layout"].verdict == "note" and "5 samples of 7 steps" in str(report["layout"])
    report = examine(nn.GRU(3, 8), X)
    assert report["layout"].verdict == "could not tell" and report.healthy
    assert "7 samples of 5 steps" in report["layout"].meaning
    # What it is told by settles it.
    for told in ({"batch_first": True}, {"targets": torch.arange(5)}):
        report = examine(nn.GRU(3, 8), X, **told)
        assert {"mixing", "order"} <= set(report.sick) and report["layout"].verdict == "sound"
    # A single text of many symbols is no batch of many texts.
    text = nn.Sequential(nn.Embedding(4, 3), nn.GRU(3, 8))
    assert "mixing" in examine(text, torch.arange(18)[None] % 4).sick


class Returns(nn.Module):
    def __init__(self, form):
        super().__init__()
        self.rnn = nn.GRU(3, 8, batch_first=True)
        self.form = form

    def forward(self, x):
        return self.form(self.rnn(x))


@pytest.mark.parametrize(
    "form",
    [
        lambda out: out,
        lambda out: [out[0]],
        lambda out: {"state": out[1], "logits": out[0]},
        lambda out: (torch.arange(3), {"a": (out[0], out[1])}),
    ],
)
def test_the_answer_is_found_in_what_is_returned(form):
    report = examine(Returns(form), X, batch_first=True)
    assert report.healthy and "(5, 7, 8)" in report["call"].meaning


@pytest.mark.parametrize(
    ("form", "says"),
    [
        (lambda out: None, "returns nothing that torch can differentiate"),
        (lambda out: out[0].detach().numpy(), "leaves torch for NumPy"),
        (lambda out: out[0].argmax(-1), "nothing passes back through argmax"),
    ],
)
def test_a_model_without_scores_is_told_so(form, says):
    assert says in examine(Returns(form), X, batch_first=True)["call"].meaning


def test_other_inputs_than_features_are_read():
    embedded = nn.Sequential(nn.Embedding(6, 3), nn.GRU(3, 8, batch_first=True))
    indices = torch.arange(35).reshape(5, 7) % 6
    report = examine(embedded, indices, batch_first=True)
    assert report.healthy and report["gain"].verdict == "sound"

    class OneHot(Returns):
        def forward(self, x):
            return super().forward(nn.functional.one_hot(x, 3).to(self.rnn.weight_ih_l0))

    report = examine(OneHot(lambda out: out), indices % 3, batch_first=True)
    assert report.healthy and report["gain"].verdict == "could not tell"

    class Windows(Returns):
        def forward(self, x):
            return super().forward(x[..., None].expand(*x.shape, 3))

    assert examine(Windows(lambda out: out[0][:, -1]), X[..., 0], batch_first=True).healthy


def test_fixed_sizes_are_told():
    flat = nn.Sequential(nn.Flatten(), nn.Linear(21, 8), nn.Tanh(), nn.Linear(8, 2))
    report = examine(flat, X, batch_first=True)
    assert report.healthy and report["sizes"].measured == "7 steps, and no other number"


def test_an_unknown_error_is_handed_on_with_what_was_asked():
    def form(out):
        raise RuntimeError("no such thing\nat all")

    finding = examine(Returns(form), X, batch_first=True)["call"]
    assert finding.meaning == (
        "It raised RuntimeError: no such thing. Asked was: Does the model run on the example?"
    )


def test_a_question_that_fails_is_no_finding_against_the_model(monkeypatch):
    monkeypatch.setattr("rnnlib.doctor.checks.samples.scale", lambda s: 1 / 0)
    report = examine(nn.GRU(3, 8, batch_first=True), X, batch_first=True)
    assert report["input"].verdict == "could not tell" and report.healthy
    assert "ZeroDivisionError" in report["input"].meaning


def test_the_layout_is_read_off_the_targets():
    model = nn.Sequential(nn.Embedding(6, 3), nn.GRU(3, 8))  # reads time first
    tokens = torch.arange(35).reshape(5, 7) * 2 % 6
    report = examine(model, tokens, targets=tokens.roll(-1, 1))
    assert report["layout"].verdict == "sound" and "mixing" in report.sick
    report = examine(model, tokens.T, targets=tokens.T.roll(-1, 0))
    assert report["layout"].verdict == "sound" and "mixing" not in report.sick
    values = examine(nn.GRU(3, 8), X, targets=torch.zeros(5, 2))  # one row for each sample
    assert values["layout"].verdict == "sound" and "mixing" in values.sick
    both = examine(nn.GRU(3, 8), X, targets=torch.zeros(7, 5, 8))
    assert both["layout"].verdict == "could not tell" and "batch_first" in both["layout"].cure
