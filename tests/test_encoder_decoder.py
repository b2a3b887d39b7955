"""The encoder-decoder against loops over its equations, for every layer and any lengths."""

import math

import pytest
import torch
from torch import nn

from rnnlib import layers
from rnnlib.data.dates import Dates
from rnnlib.data.lengths import IGNORE_INDEX
from rnnlib.models.attention import AdditiveAttention
from rnnlib.models.encoder_decoder import EncoderDecoder
from rnnlib.training import evaluate, fit

V, K, E, H, A = 9, 7, 3, 6, 5
LENGTHS = torch.tensor([3, 6, 1, 5])
N, T, S = 4, 6, 4
START, END = 0, 1

PAIRS = {
    "RNN": (layers.RNN, {}),
    "GRU": (layers.GRU, {}),
    "LSTM": (layers.LSTM, {}),
    "nn.RNN": (nn.RNN, {}),
    "nn.GRU": (nn.GRU, {}),
    "nn.LSTM": (nn.LSTM, {}),
    "GRU, two layers": (layers.GRU, {"num_layers": 2}),
    "GRU, two ways": (layers.GRU, {"bidirectional": True}),
    "LSTM, two ways, two layers": (layers.LSTM, {"bidirectional": True, "num_layers": 2}),
    "nn.GRU, two ways, two layers": (nn.GRU, {"bidirectional": True, "num_layers": 2}),
    "GRU, time first": (layers.GRU, {"batch_first": False}),
    "nn.LSTM, time first": (nn.LSTM, {"batch_first": False, "num_layers": 2}),
}
every_pair = pytest.mark.parametrize("kind", PAIRS)
with_and_without = pytest.mark.parametrize("attend", [False, True], ids=["plain", "attention"])


def make(kind="GRU, two ways", attend=True, device="cpu", seed=0):
    """A model in float64 whose weights are large enough to tell mistakes apart."""
    torch.manual_seed(seed)
    layer, options = PAIRS[kind]
    options = {"batch_first": True, "dtype": torch.float64} | options
    size = H // 2 if options.get("bidirectional") else H
    encoder = layer(E, size, **options)
    decoder = layer(E, H, **options | {"bidirectional": False})
    attention = AdditiveAttention(H, H, A, dtype=torch.float64) if attend else None
    model = EncoderDecoder(encoder, decoder, V, K, attention)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return model.to(device)


def batch(device="cpu", seed=1):
    torch.manual_seed(seed)
    source = torch.randint(V, (N, T))
    previous = torch.randint(K, (N, S))
    previous[:, 0] = START
    return source.to(device), LENGTHS.to(device), previous.to(device)


def close(one, two):
    torch.testing.assert_close(one, two, rtol=0, atol=1e-10)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


def by_hand(model, source, previous):
    """One source without padding and one answer, step by step; logits and attention's weights."""
    x = model.source_embedding(source)[:, None]  # (T, 1, E)
    x = x.transpose(0, 1) if model.encoder.batch_first else x
    output, state = model.encoder(x)
    h = output[0] if model.encoder.batch_first else output[:, 0]  # (T, H)
    if model.encoder.bidirectional:
        joined = []
        for part in parts(state):
            rows = [torch.cat([part[i], part[i + 1]], -1) for i in range(0, len(part), 2)]
            joined.append(torch.stack(rows))
        state = tuple(joined) if isinstance(state, tuple) else joined[0]
    summary = parts(state)[0][-1, 0]
    logits, weights = [], []
    for symbol in previous:
        z = model.target_embedding(symbol)[None, None]
        s, state = model.decoder(z, state)
        s = s[0, 0]
        if model.attention is None:
            c = summary
        else:
            a = model.attention
            e = torch.stack([torch.tanh(s @ a.W_q + h_j @ a.W_k) @ a.v for h_j in h])
            alpha = e.exp() / e.exp().sum()
            weights.append(alpha)
            c = sum(weight * h_j for weight, h_j in zip(alpha, h, strict=True))
        logits.append(model.readout.weight @ torch.cat([s, c]) + model.readout.bias)
    return torch.stack(logits), torch.stack(weights) if weights else None


@every_pair
@with_and_without
def test_a_padded_batch_equals_one_source_at_a_time_by_hand(kind, attend, device):
    model = make(kind, attend, device)
    source, lengths, previous = batch(device)
    logits = model(source, lengths, previous)
    assert logits.shape == (N, S, K)
    for n in range(N):
        expected, weights = by_hand(model, source[n, : LENGTHS[n]], previous[n])
        close(logits[n], expected)
        if attend:
            alpha = model.attention_weights(source, lengths, previous)[n]
            close(alpha[:, : LENGTHS[n]], weights)
            assert (alpha[:, LENGTHS[n] :] == 0).all()


@every_pair
@with_and_without
def test_what_stands_in_the_padding_changes_nothing(kind, attend):
    model = make(kind, attend)
    source, lengths, previous = batch()
    other = source.clone()
    for n in range(N):
        other[n, LENGTHS[n] :] = (source[n, LENGTHS[n] :] + 1) % V
    assert not torch.equal(source, other)
    close(model(source, lengths, previous), model(other, lengths, previous))
    wider = torch.cat([source, torch.zeros(N, 3, dtype=torch.int64)], dim=1)
    close(model(source, lengths, previous), model(wider, lengths, previous))


@with_and_without
def test_every_real_symbol_matters(attend):
    model = make("GRU, two ways", attend)
    source, lengths, previous = batch()
    logits = model(source, lengths, previous)
    for n in range(N):
        for j in range(T):
            other = source.clone()
            other[n, j] = (other[n, j] + 1) % V
            change = (model(other, lengths, previous) - logits).abs().amax(dim=(1, 2))
            assert (change[n] > 1e-6) == (j < LENGTHS[n])
            change[n] = 0
            assert (change < 1e-12).all()


@with_and_without
def test_an_answer_does_not_see_its_future(attend):
    model = make("GRU", attend)
    source, lengths, previous = batch()
    logits = model(source, lengths, previous)
    for t in range(S):
        other = previous.clone()
        other[:, t] = (other[:, t] + 1) % K
        change = (model(source, lengths, other) - logits).abs().amax(dim=(0, 2))
        assert (change[:t] < 1e-12).all() and (change[t:] > 1e-6).all()


@with_and_without
def test_gradients_are_right(attend):
    model = make("GRU, two ways", attend)
    source, lengths, previous = batch()
    names, parameters = zip(*model.named_parameters(), strict=True)

    def run(*values):
        weights = dict(zip(names, values, strict=True))
        return torch.func.functional_call(model, weights, (source[:2], lengths[:2], previous[:2]))

    inputs = tuple(p.detach().clone().requires_grad_() for p in parameters)
    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


@with_and_without
def test_every_parameter_gets_a_gradient(attend):
    model = make("LSTM, two ways, two layers", attend)
    model(*batch()).square().sum().backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name


def test_attention_adds_its_own_parameters_and_no_others():
    plain, attending = make(attend=False), make(attend=True)
    count = lambda model: sum(p.numel() for p in model.parameters())  # noqa: E731
    assert count(attending) - count(plain) == 2 * H * A + A


# Free running


def greedy_by_hand(model, source, max_steps):
    written = [START]
    log_p = 0.0
    for _ in range(max_steps):
        with torch.no_grad():
            logits, _ = by_hand(model, source, torch.tensor(written))
        scores = logits[-1].log_softmax(-1)
        written.append(scores.argmax().item())
        log_p += scores.max().item()
        if written[-1] == END:
            break
    return tuple(written[1:]), log_p


@every_pair
@with_and_without
def test_greedy_answers_equal_a_loop_by_hand(kind, attend):
    model = make(kind, attend, seed=2)
    source, lengths, _ = batch()
    found = model.answer(source, lengths, start=START, end=END, max_steps=6)
    assert len(found) == N
    for n in range(N):
        symbols, log_p = greedy_by_hand(model, source[n, : LENGTHS[n]], 6)
        [hypothesis] = found[n]
        assert hypothesis.symbols == symbols
        assert abs(hypothesis.log_probability - log_p) < 1e-5


@every_pair
@with_and_without
def test_a_beam_gives_the_probabilities_that_teacher_forcing_gives(kind, attend):
    model = make(kind, attend, seed=3)
    source, lengths, _ = batch()
    found = model.answer(source, lengths, start=START, end=END, max_steps=5, width=4)
    for n in range(N):
        assert len(found[n]) == 4
        scores = [h.log_probability for h in found[n]]
        assert scores == sorted(scores, reverse=True)
        assert len({h.symbols for h in found[n]}) == 4
        for hypothesis in found[n]:
            z = torch.tensor([hypothesis.symbols])
            previous = torch.cat([torch.tensor([[START]]), z[:, :-1]], dim=1)
            with torch.no_grad():
                logits = model(source[n : n + 1], lengths[n : n + 1], previous)
            log_p = logits.log_softmax(-1).gather(2, z[..., None]).sum().item()
            assert abs(hypothesis.log_probability - log_p) < 1e-4


def test_a_wide_beam_finds_the_best_of_all():
    model = make(seed=4)
    source, lengths, _ = batch()
    [found] = model.answer(source[:1], lengths[:1], start=START, end=END, max_steps=2, width=50)
    assert len(found) == 1 + (K - 1) * K
    assert abs(sum(h.probability for h in found) - 1) < 1e-5
    assert found == sorted(found, key=lambda h: -h.log_probability)


def test_answering_leaves_the_model_as_it_was():
    torch.manual_seed(0)
    encoder = layers.GRU(E, H, num_layers=2, dropout=0.5, batch_first=True)
    decoder = layers.GRU(E, H, num_layers=2, dropout=0.5, batch_first=True)
    model = EncoderDecoder(encoder, decoder, V, K)
    model.encoder.eval()
    source, lengths, _ = batch()
    options = dict(start=START, end=END, max_steps=6)
    first = model.answer(source, lengths, **options)
    assert model.training and not model.encoder.training and model.decoder.training
    assert first == model.answer(source, lengths, **options)  # no dropout
    with pytest.raises(ValueError, match="length_penalty"):
        model.answer(source, lengths, length_penalty=-1.0, **options)
    assert model.decoder.training
    assert all(p.grad is None for p in model.parameters())


# Training


@with_and_without
def test_fit_trains_it_on_dates(attend, device):
    task = Dates(first_year=2000, last_year=2009, formats=("{month_short} {year}",))
    sizes = len(task.source_vocabulary), len(task.target_vocabulary)
    torch.manual_seed(0)
    attention = AdditiveAttention(24, 24, 8) if attend else None
    model = EncoderDecoder(
        layers.GRU(12, 24, batch_first=True),
        layers.GRU(12, 24, batch_first=True),
        *sizes,
        attention,
    )
    generator = torch.Generator().manual_seed(0)
    batches = task.batches(60, 32, generator)
    history = fit(model, batches, epochs=3, lr=0.01, progress=False, device=device)
    assert history.loss[-1] < 0.6 * task.chance < history.loss[0]
    test = evaluate(model, [task.sample(64, generator)])
    assert test.loss < 0.6 * task.chance and test.accuracy > 0.8


def test_targets_past_the_end_of_an_answer_do_not_count():
    task = Dates()
    model = make()
    model = EncoderDecoder(
        layers.GRU(4, 8, batch_first=True),
        layers.GRU(4, 8, batch_first=True),
        len(task.source_vocabulary),
        len(task.target_vocabulary),
    )
    pairs = [("3.4.97", "1997-04-03"), ("April 1997", "1997-04")]
    together = evaluate(model, [task.encode(pairs)])
    (_, _, _), z = task.encode(pairs)
    assert (z == IGNORE_INDEX).sum() == 3
    one_by_one = [evaluate(model, [task.encode([pair])]).loss for pair in pairs]
    assert math.isclose(together.loss, (11 * one_by_one[0] + 8 * one_by_one[1]) / 19, rel_tol=1e-5)


# Errors


def gru(*sizes, **options):
    return layers.GRU(*sizes, batch_first=True, **options)


@pytest.mark.parametrize(
    ("make_model", "error", "message"),
    [
        (lambda: EncoderDecoder(nn.Linear(3, 6), gru(3, 6), V, K), TypeError, "got Linear"),
        (lambda: EncoderDecoder(layers.BiRNN(3, 3), gru(3, 6), V, K), TypeError, "got BiRNN"),
        (lambda: EncoderDecoder(gru(3, 6), nn.GRUCell(3, 6), V, K), TypeError, "decoder: expected"),
        (lambda: EncoderDecoder(gru(3, 6), gru(3, 5), V, K), ValueError, "size 6, that of the"),
        (
            lambda: EncoderDecoder(gru(3, 6, bidirectional=True), gru(3, 6), V, K),
            ValueError,
            "expected hidden_size 12, that of the encoder times its 2 directions, got 6",
        ),
        (
            lambda: EncoderDecoder(gru(3, 3), gru(3, 6, bidirectional=True), V, K),
            ValueError,
            "decoder: expected one direction",
        ),
        (
            lambda: EncoderDecoder(gru(3, 6), gru(3, 6, num_layers=2), V, K),
            ValueError,
            "expected as many layers as the encoder's 1, got 2",
        ),
        (
            lambda: EncoderDecoder(gru(3, 6), nn.LSTM(3, 6), V, K),
            TypeError,
            "decoder: expected the encoder's kind of state",
        ),
        (
            lambda: EncoderDecoder(layers.LSTM(3, 6), nn.RNN(3, 6), V, K),
            TypeError,
            "got LSTM and RNN",
        ),
        (
            lambda: EncoderDecoder(nn.LSTM(3, 6, proj_size=2), nn.LSTM(3, 6), V, K),
            ValueError,
            "encoder: expected a layer without projections",
        ),
        (lambda: EncoderDecoder(gru(3, 6), gru(3, 6), 0, K), ValueError, "num_source_symbols must"),
        (lambda: EncoderDecoder(gru(3, 6), gru(3, 6), V, 2.5), TypeError, "num_target_symbols"),
        (
            lambda: EncoderDecoder(gru(3, 6), gru(3, 6), V, K, nn.Linear(6, 6)),
            TypeError,
            "expected an AdditiveAttention or None, got Linear",
        ),
        (
            lambda: EncoderDecoder(gru(3, 6), gru(3, 6), V, K, AdditiveAttention(6, 5, 2)),
            ValueError,
            "queries and annotations of 6, got sizes (6, 5)",
        ),
        (
            lambda: EncoderDecoder(gru(3, 6, dtype=torch.float64), gru(3, 6), V, K),
            ValueError,
            "encoder: expected weights of torch.float32 on cpu, as the decoder's, got torch.",
        ),
        (
            lambda: EncoderDecoder(gru(3, 6, device="meta"), gru(3, 6), V, K),
            ValueError,
            "as the decoder's, got torch.float32 on meta",
        ),
        (
            lambda: EncoderDecoder(
                gru(3, 6), gru(3, 6), V, K, AdditiveAttention(6, 6, 2, dtype=torch.float64)
            ),
            ValueError,
            "attention: expected weights of torch.float32 on cpu",
        ),
        (
            lambda: make(attend=False).attention_weights(*batch()),
            ValueError,
            "expected a model with attention, got one without",
        ),
    ],
)
def test_what_does_not_fit_is_refused(make_model, error, message):
    with pytest.raises(error) as raised:
        make_model()
    assert message in str(raised.value)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda x, n, z: (x.float(), n, z), TypeError, "source: expected int64, got torch.float32"),
        (lambda x, n, z: (x[0], n, z), ValueError, "source: expected shape (N, T)"),
        (lambda x, n, z: (x[:, :0], n, z), ValueError, "at least one step, got (4, 0)"),
        (lambda x, n, z: (x + V, n, z), ValueError, "expected symbols from 0 to 8, got"),
        (lambda x, n, z: (x, n + 1, z), ValueError, "lengths: expected at most 6"),
        (lambda x, n, z: (x, n - 1, z), ValueError, "lengths: expected at least 1, got 0"),
        (lambda x, n, z: (x, n[:2], z), ValueError, "lengths: expected one for each of 4"),
        (lambda x, n, z: (x, n.tolist(), z), TypeError, "lengths: expected a Tensor"),
        (lambda x, n, z: (x, n, z[:2]), ValueError, "previous: expected one row for each of 4"),
        (lambda x, n, z: (x, n, z - K), ValueError, "previous: expected symbols from 0 to 6"),
        (lambda x, n, z: (x, n, [0]), TypeError, "previous: expected a Tensor of int64, got list"),
        (lambda x, n, z: (x, n, z[:, 0]), ValueError, "previous: expected shape (N, S)"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(change, error, message):
    model = make()
    for call in (model.forward, model.attention_weights):
        with pytest.raises(error) as raised:
            call(*change(*batch()))
        assert message in str(raised.value)


def test_searching_checks_its_arguments():
    model = make()
    source, lengths, _ = batch()
    with pytest.raises(ValueError, match="width must be greater than zero, got 0"):
        model.answer(source, lengths, start=START, end=END, max_steps=3, width=0)
    for name in ("start", "end"):
        for wrong in (-1, 7):
            symbols = {"start": START, "end": END, name: wrong}
            with pytest.raises(ValueError, match=f"{name}: .* from 0 to 6, got {wrong}"):
                model.answer(source, lengths, max_steps=3, **symbols)
        for wrong, kind in ((1.5, "float"), ("a", "str"), (True, "bool"), (None, "NoneType")):
            symbols = {"start": START, "end": END, name: wrong}
            with pytest.raises(TypeError, match=f"{name}: expected an int, got {kind}"):
                model.answer(source, lengths, max_steps=3, **symbols)
    with pytest.raises(ValueError, match="lengths: expected at most 6"):
        model.answer(source, lengths + 1, start=START, end=END, max_steps=3)
