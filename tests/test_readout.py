"""The models read the layer's result where it has seen what it should, for any layer."""

import pickle

import pytest
import torch
from torch import nn
from torch.nn.utils.parametrizations import weight_norm
from torch.nn.utils.rnn import PackedSequence, pack_sequence, pad_packed_sequence

from rnnlib import layers
from rnnlib.device import seed_everything
from rnnlib.models import SequenceClassifier, SequenceTagger

N, T, D, H, K = 3, 5, 2, 4, 6

LAYERS = {
    "rnnlib.RNN": layers.RNN,
    "rnnlib.RNN, two ways": lambda *sizes, **o: layers.RNN(*sizes, 2, bidirectional=True, **o),
    "rnnlib.BiRNN": layers.BiRNN,
    "nn.RNN": nn.RNN,
    "nn.GRU, two ways": lambda *sizes, **o: nn.GRU(*sizes, 3, bidirectional=True, **o),
    "nn.LSTM": nn.LSTM,
    "nn.LSTM, projected": lambda *sizes, **o: nn.LSTM(*sizes, 2, proj_size=3, **o),
    "nn.LSTM, two ways": lambda *sizes, **o: nn.LSTM(*sizes, bidirectional=True, **o),
}
every_layer = pytest.mark.parametrize("make", LAYERS.values(), ids=LAYERS)
both_layouts = pytest.mark.parametrize("batch_first", [True, False])


def make_model(kind, make, batch_first=True, device="cpu"):
    torch.manual_seed(0)
    return kind(make(D, H, batch_first=batch_first, dtype=torch.float64).to(device), K)


def make_input(batch_first, device="cpu"):
    x = torch.randn(N, T, D, dtype=torch.float64).to(device)
    return x if batch_first else x.transpose(0, 1)


@every_layer
@both_layouts
def test_classifier_joins_the_ends_of_the_top_layer(make, batch_first, device):
    model = make_model(SequenceClassifier, make, batch_first, device)
    x = make_input(batch_first, device)
    output, _ = model.rnn(x)
    output = output if batch_first else output.transpose(0, 1)  # (N, T, directions x H)
    ends = output[:, -1]
    if model.rnn.bidirectional:
        ends = torch.cat([output[:, -1, :H], output[:, 0, H:]], dim=-1)
    logits = model(x)
    assert logits.shape == (N, K)
    torch.testing.assert_close(logits, model.readout(ends), rtol=0, atol=1e-12)


@every_layer
def test_each_number_that_the_classifier_reads_has_seen_every_step(make):
    model = make_model(SequenceClassifier, make)
    for column in range(model.readout.in_features):
        model.readout.weight.data.zero_()[:, column] = 1.0
        x = make_input(True).requires_grad_()
        model(x).sum().backward()
        assert (x.grad.abs().sum(-1) > 0).all()


@every_layer
@both_layouts
def test_tagger_reads_every_step(make, batch_first, device):
    model = make_model(SequenceTagger, make, batch_first, device)
    x = make_input(batch_first, device)
    answers, (output, _) = model(x), model.rnn(x)
    assert answers.shape == (*x.shape[:2], K)
    for i in range(x.shape[0]):
        for j in range(x.shape[1]):
            expected = model.readout.weight @ output[i, j] + model.readout.bias
            torch.testing.assert_close(answers[i, j], expected, rtol=0, atol=1e-12)


@every_layer
@both_layouts
def test_one_sequence_needs_no_batch(make, batch_first):
    x = make_input(True)
    for kind, shape in ((SequenceClassifier, (K,)), (SequenceTagger, (T, K))):
        model = make_model(kind, make, batch_first)
        alone = model(x[1])
        assert alone.shape == shape
        batch = model(x if batch_first else x.transpose(0, 1))
        batch = batch if batch_first or kind is SequenceClassifier else batch.transpose(0, 1)
        torch.testing.assert_close(alone, batch[1], rtol=0, atol=1e-12)


@pytest.mark.parametrize("make", [make for make in LAYERS.values() if make is not layers.BiRNN])
def test_packed_sequences_are_each_read_to_their_own_end(make):
    sequences = [torch.randn(length, D, dtype=torch.float64) for length in (2, 5, 1)]
    packed = pack_sequence(sequences, enforce_sorted=False)
    classifier, tagger = (make_model(kind, make) for kind in (SequenceClassifier, SequenceTagger))
    answers = tagger(packed)
    assert isinstance(answers, PackedSequence)
    padded, _ = pad_packed_sequence(answers, batch_first=True)
    for i, x in enumerate(sequences):
        torch.testing.assert_close(classifier(packed)[i], classifier(x), rtol=0, atol=1e-12)
        torch.testing.assert_close(padded[i, : len(x)], tagger(x), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
def test_ours_and_torchs_layers_are_interchangeable(kind):
    ours = make_model(kind, layers.RNN)
    theirs = make_model(kind, nn.RNN)
    theirs.load_state_dict(ours.state_dict())
    x = make_input(True)
    torch.testing.assert_close(ours(x), theirs(x), rtol=0, atol=1e-12)
    other = pickle.loads(pickle.dumps(ours))
    assert torch.equal(other(x), ours(x))


def test_the_digits_classifier_has_810_parameters():
    model = SequenceClassifier(layers.RNN(8, 20, batch_first=True), num_classes=10)
    assert sum(p.numel() for p in model.parameters()) == 810
    assert model.readout.weight.shape == (10, 20)


def test_the_readout_follows_the_layer(device):
    seed_everything(0)
    expected = SequenceTagger(layers.RNN(D, H), K).readout.weight
    seed_everything(0)
    layer = layers.RNN(D, H).to(device, torch.float64)
    weight = SequenceTagger(layer, K).readout.weight
    assert weight.device == next(layer.parameters()).device and weight.dtype == torch.float64
    assert weight.shape == expected.shape


@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
@pytest.mark.parametrize("rnn", [nn.Linear(2, 3), nn.RNNCell(2, 3), nn.RNN, None])
def test_what_is_no_layer_is_refused(kind, rnn):
    with pytest.raises(TypeError, match=f"expected a recurrent layer .* got {type(rnn).__name__}"):
        kind(rnn, 2)


@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
def test_a_layer_without_parameters_is_refused(kind):
    class Empty(nn.Module):
        hidden_size, batch_first, bidirectional = 3, True, False

    with pytest.raises(ValueError, match=r"a layer with parameters, got .*Empty, which has none"):
        kind(Empty(), 2)


@pytest.mark.parametrize("kind", [SequenceClassifier, SequenceTagger])
@pytest.mark.parametrize("layer", [layers.GRU, nn.LSTM])
def test_parametrized_layers_are_read_like_plain_ones(kind, layer):
    model = make_model(kind, layer)
    x = make_input(True)
    expected = model(x)
    weight_norm(model.rnn, "weight_hh_l0")
    torch.testing.assert_close(model(x), expected)
    torch.testing.assert_close(kind(model.rnn, K)(x).shape, expected.shape)


@pytest.mark.parametrize(
    ("kind", "name"), [(SequenceClassifier, "num_classes"), (SequenceTagger, "num_outputs")]
)
@pytest.mark.parametrize(("value", "error"), [(0, ValueError), (2.0, TypeError)])
def test_bad_sizes_are_refused(kind, name, value, error):
    with pytest.raises(error, match=name):
        kind(layers.RNN(D, H), value)


def test_bad_inputs_are_refused_by_the_layer():
    model = SequenceClassifier(layers.RNN(28, H, batch_first=True), 10)
    with pytest.raises(RuntimeError, match="Expected 28, got 8"):
        model(torch.zeros(N, 8, 8))
    with pytest.raises(ValueError, match="2D or 3D, got 4D"):
        model(torch.zeros(N, 1, 28, 28))
