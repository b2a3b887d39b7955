"""The line reader reads each line as if it stood alone, with any part exchanged."""

import pytest
import torch
from torch import nn

import rnnlib
from rnnlib.models import ImageConvolutions, LineReader, StepConvolutions
from rnnlib.models.ctc import ctc_loss

LENGTHS = torch.tensor([20, 7, 13, 2])


def models(D=12, K=5):
    """Return readers of all kinds, in evaluation mode."""
    torch.manual_seed(0)
    features = ImageConvolutions(D, (3, 4))
    size = features.num_features
    made = {
        "ours, two directions": LineReader(
            rnnlib.GRU(size, 6, batch_first=True, bidirectional=True), K, features
        ),
        "torch's LSTM": LineReader(nn.LSTM(size, 6, batch_first=True), K, features),
        "convolutions": LineReader(StepConvolutions(size, 6), K, features),
        "no image": LineReader(StepConvolutions(D, 6, width=5, num_layers=2), K),
        "a recurrent layer alone": LineReader(rnnlib.RNN(D, 6, batch_first=True), K),
        "no batch norm": LineReader(
            StepConvolutions(16, 6, batch_norm=False),
            K,
            ImageConvolutions(16, (3, 4), batch_norm=False),
        ),
    }
    for model in made.values():
        for norm in model.modules():
            if isinstance(norm, nn.BatchNorm1d | nn.BatchNorm2d):
                # Else the norm would do nothing, and 0 stay 0 whatever the padding holds.
                nn.init.normal_(norm.running_mean)
                nn.init.normal_(norm.bias)
        model.eval()
    return made


KINDS = sorted(models())


def rows(model):
    return 16 if model.features is not None and model.features.num_rows == 16 else 12


@pytest.mark.parametrize("kind", KINDS)
def test_each_line_is_read_as_if_it_stood_alone(kind):
    model = models()[kind]
    x = torch.randn(4, 20, rows(model))
    for n, length in enumerate(LENGTHS):
        x[n, length:] = torch.nan
    with torch.no_grad():
        log_probs, lengths = model(x, LENGTHS)
        halved = model.features is not None
        assert log_probs.shape == (4, 10 if halved else 20, 5)
        assert lengths.tolist() == [10, 3, 6, 1] if halved else LENGTHS.tolist()
        assert not log_probs.isnan().any()
        torch.testing.assert_close(log_probs.exp().sum(-1), torch.ones(log_probs.shape[:2]))
        for n, length in enumerate(LENGTHS):
            alone, steps = model(x[n : n + 1, :length], LENGTHS[n : n + 1])
            assert steps[0] == lengths[n]
            torch.testing.assert_close(
                log_probs[n, : lengths[n]], alone[0, : steps[0]], rtol=0, atol=1e-5
            )


@pytest.mark.parametrize("kind", KINDS)
def test_every_weight_learns(kind):
    model = models()[kind].train()
    x = torch.randn(4, 20, rows(model), generator=torch.Generator().manual_seed(1))
    log_probs, lengths = model(x, LENGTHS)
    targets, target_lengths = (
        torch.tensor([[1, 2], [3, 0], [4, 4], [2, 0]]),
        torch.tensor([2, 1, 2, 1]),
    )
    ctc_loss(log_probs, targets, lengths, target_lengths).backward()
    for name, weight in model.named_parameters():
        assert weight.grad is not None and weight.grad.isfinite().all(), name
        # A bias before a batch norm is taken away by it.
        assert weight.grad.any() or "convolutions" in name, name


def test_a_recurrent_reader_sees_the_whole_line_and_a_convolution_its_neighbours():
    for kind, reach in (("ours, two directions", 10), ("convolutions", 4)):
        model = models()[kind]
        x = torch.randn(1, 20, 12, requires_grad=True)
        log_probs, _ = model(x, torch.tensor([20]))
        (gradient,) = torch.autograd.grad(log_probs[0, 5, 1], x)
        seen = gradient[0].abs().sum(1).nonzero()[:, 0]
        if kind == "convolutions":
            assert 10 - reach <= seen.min() and seen.max() <= 11 + reach
        else:
            assert seen.min() == 0 and seen.max() == 19


def test_what_the_convolutions_compute():
    features = ImageConvolutions(8, (3, 4)).eval()
    (one, two), (a, b) = features.convolutions, features.norms
    x = torch.randn(2, 10, 8)
    h = nn.functional.max_pool2d(a(one(x.transpose(1, 2)[:, None])).relu(), (2, 1))
    h = nn.functional.max_pool2d(b(two(h)).relu(), (2, 2))
    expected = h.permute(0, 3, 1, 2).flatten(2)  # channel by channel, row by row
    got, lengths = features(x, torch.tensor([10, 10]))
    torch.testing.assert_close(got, expected)
    assert lengths.tolist() == [5, 5] and got.size(2) == features.num_features == 8


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: ImageConvolutions(10), ValueError, "num_rows: expected a multiple of 4, got 10"),
        (lambda: ImageConvolutions(0), ValueError, "num_rows must be greater than zero"),
        (lambda: ImageConvolutions(8, (3,)), ValueError, "channels: expected two numbers"),
        (lambda: ImageConvolutions(8, (3, 0)), ValueError, "channels must be greater than zero"),
        (lambda: StepConvolutions(8, 4, width=4), ValueError, "width: expected an odd number"),
        (lambda: StepConvolutions(8, 4, num_layers=0), ValueError, "num_layers must be greater"),
        (lambda: StepConvolutions(8, 0), ValueError, "hidden_size must be greater than zero"),
        (lambda: StepConvolutions(0, 4), ValueError, "num_inputs must be greater than zero"),
        (lambda: LineReader(nn.Linear(3, 4), 5), TypeError, "got Linear"),
        (lambda: LineReader(nn.GRU(3, 4), 5), ValueError, "batch_first, got one without"),
        (
            lambda: LineReader(StepConvolutions(3, 4), 5, ImageConvolutions(8)),
            ValueError,
            "context: expected inputs of size 48",
        ),
        (
            lambda: LineReader(StepConvolutions(3, 4), 5, nn.Conv2d(1, 3, 3)),
            TypeError,
            "features: expected ImageConvolutions or None, got Conv2d",
        ),
        (lambda: LineReader(StepConvolutions(3, 4), 0), ValueError, "num_classes must be greater"),
        (
            lambda: StepConvolutions(3, 4)(torch.zeros(2, 5, 4), torch.tensor([5, 5])),
            ValueError,
            "x: expected (N, T, 3), got shape (2, 5, 4)",
        ),
        (
            lambda: StepConvolutions(3, 4)(torch.zeros(2, 5, 3), torch.tensor([5, 6])),
            ValueError,
            "lengths: expected at most 5",
        ),
        (
            lambda: ImageConvolutions(8)(torch.zeros(2, 5, 8), torch.tensor([5, 1])),
            ValueError,
            "lengths: expected at least 2 columns, got 1",
        ),
        (
            lambda: ImageConvolutions(8)([[0.0]], torch.tensor([5])),
            TypeError,
            "x: expected a Tensor, got list",
        ),
    ],
)
def test_errors_say_what_was_expected_and_what_came(make, error, message):
    with pytest.raises(error) as raised:
        make()
    assert message in str(raised.value)
