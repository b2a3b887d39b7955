"""The model that reads and writes text: its equation, what it writes, and what its file keeps."""

import os
import pickle
import zipfile

import pytest
import torch
from torch import nn
from torch.nn import utils
from torch.nn.utils import parametrizations, parametrize

from rnnlib import layers
from rnnlib.data.text import TextStream
from rnnlib.data.vocabulary import Vocabulary
from rnnlib.device import seed_everything
from rnnlib.models import characters
from rnnlib.models.characters import CharRNN
from rnnlib.training import evaluate, fit

SENTENCE = "Hello, how are you?"
VOCABULARY = Vocabulary.from_text(SENTENCE)
V, D, H = 13, 5, 6

KINDS = {
    f"{module.__name__}.{kind}, {name}": (getattr(module, kind), options)
    for module in (layers, nn)
    for kind in ("RNN", "GRU", "LSTM")
    for name, options in {
        "one layer": {},
        "deep": {"num_layers": 2, "dropout": 0.4},
        "float64, no bias": {"bias": False, "dtype": torch.float64},
    }.items()
} | {
    "relu": (layers.RNN, {"nonlinearity": "relu"}),
    "torch's relu": (nn.RNN, {"nonlinearity": "relu"}),
    "projected": (nn.LSTM, {"proj_size": 3}),
}
every_kind = pytest.mark.parametrize(("layer", "options"), KINDS.values(), ids=KINDS)


def make(layer=layers.GRU, seed=0, **options) -> CharRNN:
    seed_everything(seed)
    return CharRNN(layer(D, H, batch_first=True, **options), VOCABULARY)


def parts(state):
    return state if isinstance(state, tuple) else (state,)


# Reading


@every_kind
def test_scores_are_the_read_out_of_the_layer_over_the_embedding(layer, options, device):
    model = make(layer, **options).to(device).eval()
    x = torch.randint(V, (3, 7)).to(device)
    y, state = model(x)
    assert y.shape == (3, 7, V)
    rows = model.embedding.weight[x]  # (N, T, D)
    h, last = model.rnn(rows)
    expected = h @ model.readout.weight.T + model.readout.bias
    torch.testing.assert_close(y, expected)
    for a, b in zip(parts(state), parts(last), strict=True):
        torch.testing.assert_close(a, b)


@every_kind
def test_reading_in_pieces_is_reading_at_once(layer, options):
    model = make(layer, **options).eval()
    x = torch.randint(V, (2, 9))
    whole, last = model(x)
    first, state = model(x[:, :4])
    second, state = model(x[:, 4:], state)
    torch.testing.assert_close(torch.cat([first, second], dim=1), whole)
    for a, b in zip(parts(state), parts(last), strict=True):
        torch.testing.assert_close(a, b)


def test_a_score_does_not_see_the_future():
    model = make().eval()
    x = torch.randint(V, (1, 8))
    other = x.clone()
    other[0, 5] = (x[0, 5] + 1) % V
    a, b = model(x)[0], model(other)[0]
    assert torch.equal(a[:, :5], b[:, :5]) and not torch.equal(a[:, 5:], b[:, 5:])


def test_ours_and_torchs_layer_make_the_same_model():
    a, b = make(layers.LSTM), make(nn.LSTM)
    assert list(a.state_dict()) == list(b.state_dict())
    b.load_state_dict(a.state_dict())
    x = torch.randint(V, (2, 6))
    torch.testing.assert_close(a(x)[0], b(x)[0])


@pytest.mark.parametrize(
    ("rnn", "vocabulary", "error", "message"),
    [
        (nn.Linear(2, 3), VOCABULARY, TypeError, r"rnn: expected RNN, GRU or LSTM, .*Linear"),
        (nn.GRUCell(2, 3), VOCABULARY, TypeError, "got torch.nn.modules.rnn.GRUCell"),
        (layers.BiRNN(2, 3), VOCABULARY, TypeError, "got rnnlib.layers.birnn.BiRNN"),
        (
            layers.GRU(2, 3, batch_first=True, bidirectional=True),
            VOCABULARY,
            ValueError,
            "one direction, got a bidirectional one, .* to predict",
        ),
        (
            nn.LSTM(2, 3, batch_first=True, bidirectional=True),
            VOCABULARY,
            ValueError,
            "one direction",
        ),
        (nn.GRU(2, 3), VOCABULARY, ValueError, "batch_first=True, got one with batch_first=False"),
        (nn.GRU(2, 3, batch_first=True), 13, TypeError, "expected a Vocabulary, got int"),
        (nn.GRU(2, 3, batch_first=True), "abc", TypeError, "Vocabulary.from_text makes one"),
    ],
)
def test_layers_that_cannot_be_used(rnn, vocabulary, error, message):
    with pytest.raises(error, match=message):
        CharRNN(rnn, vocabulary)


@pytest.mark.parametrize(
    ("x", "error", "message"),
    [
        (torch.zeros(2, 3), TypeError, "expected a tensor of indices, int64, got torch.float32"),
        (torch.zeros(2, 3, dtype=torch.bool), TypeError, "got torch.bool"),
        (torch.zeros(2, 3, dtype=torch.uint8), TypeError, "got torch.uint8"),
        (torch.zeros(2, 3, dtype=torch.complex64), TypeError, "got torch.complex64"),
        ([[0]], TypeError, "got list"),
        (torch.zeros(3, dtype=torch.int64), ValueError, r"shape \(N, T\), got \(3,\)"),
        (torch.tensor([[0, 13]]), IndexError, "from 0 to 12, got 0 to 13"),
        (torch.tensor([[13]]), IndexError, "from 0 to 12, got 13 to 13"),
        (torch.tensor([[-1, 2]]), IndexError, "from 0 to 12, got -1 to 2"),
    ],
)
def test_inputs_that_cannot_be_read(x, error, message):
    with pytest.raises(error, match=message):
        make()(x)


# Training and writing


def learn(layer, seed, vocabulary=VOCABULARY, **options):
    seed_everything(seed)
    model = CharRNN(layer(32, 32, batch_first=True, **options), vocabulary)
    windows = TextStream(SENTENCE, vocabulary, batch_size=1, num_steps=18)
    fit(model, windows, epochs=100, lr=0.01, carry_state=True, progress=False)
    return model


@pytest.fixture(scope="module")
def hello() -> CharRNN:
    return learn(layers.RNN, 0)


def test_it_learns_the_sentence(hello):
    assert hello.generate("H", 18, temperature=0) == SENTENCE
    windows = TextStream(SENTENCE, VOCABULARY, batch_size=1, num_steps=5)
    assert evaluate(hello, windows, carry_state=True).loss < 0.01
    # Without its state a window has no past: the o's and e's can no longer be told apart.
    fresh = [(x, y) for x, y in TextStream(SENTENCE, VOCABULARY, batch_size=18, num_steps=1)]
    assert evaluate(hello, fresh, carry_state=True).loss > 0.3


@pytest.mark.parametrize("layer", [layers.GRU, nn.LSTM, nn.RNN])
def test_other_layers_learn_it_too(layer):
    assert learn(layer, 1).generate("Hell", 15, temperature=0) == SENTENCE


def test_greedy_writing_is_the_loop_over_the_largest_scores(hello):
    text, state = "w", None
    x = VOCABULARY.encode(text)[None]
    with torch.no_grad():
        for _ in range(12):
            y, state = hello(x, state)
            x = y[:, -1].argmax(-1, keepdim=True)
            text += VOCABULARY.decode(x[0])
    assert hello.generate("w", 12, temperature=0) == text


def test_the_whole_prompt_is_read(hello):
    """Both prompts end in an o; what comes next depends on what was before it."""
    assert hello.generate("Hello", 1, temperature=0) == "Hello,"
    assert hello.generate("Hello, ho", 1, temperature=0) == "Hello, how"
    assert hello.generate("you", 0) == "you"


def test_the_generator_decides_what_is_written(device):
    model = make(seed=3).to(device)

    def write(seed, **options):
        generator = torch.Generator().manual_seed(seed)
        return model.generate("Hello", 40, generator=generator, **options)

    first = write(0)
    assert len(first) == 45 and first.startswith("Hello")
    assert first == write(0) and first != write(1)
    assert model.cpu().generate("Hello", 40, generator=torch.Generator().manual_seed(0)) == first
    assert write(0, top_k=1) == model.generate("Hello", 40, temperature=0)
    torch.manual_seed(5)
    again = model.generate("Hello", 10)
    torch.manual_seed(5)
    assert again == model.generate("Hello", 10)


def test_temperature_and_top_k_reach_the_draw(hello, monkeypatch):
    seen = []
    sample = characters.sample

    def spy(y, **options):
        seen.append(options)
        return sample(y, **options)

    monkeypatch.setattr(characters, "sample", spy)
    generator = torch.Generator()
    hello.generate("H", 2, temperature=0.7, top_k=3, generator=generator)
    assert seen == [{"temperature": 0.7, "top_k": 3, "generator": generator}] * 2


def test_writing_switches_dropout_off_and_leaves_the_mode_as_it_was():
    model = make(num_layers=2, dropout=0.9).train()
    texts = {model.generate("Hello", 30, temperature=0) for _ in range(3)}
    assert len(texts) == 1 and model.training and model.rnn.training
    model.eval().generate("H", 2)
    assert not model.training
    model.train()
    with pytest.raises(ValueError, match="temperature"):
        model.generate("H", 2, temperature=-1)
    assert model.training


def test_writing_keeps_no_graph(monkeypatch):
    model, enabled = make(), []
    forward = model.forward
    monkeypatch.setattr(
        model, "forward", lambda *x: enabled.append(torch.is_grad_enabled()) or forward(*x)
    )
    model.generate("H", 3)
    assert enabled == [False] * 3 and torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("prompt", "num_symbols", "error", "message"),
    [
        ("", 3, ValueError, "prompt: expected at least one symbol"),
        ("x", 3, ValueError, "got 'x' at position 0"),
        (["H"], 3, TypeError, "expected a string, got list"),
        ("H", -1, ValueError, "num_symbols: expected at least 0, got -1"),
        ("H", 2.0, TypeError, "num_symbols: expected an int, got float"),
        ("H", True, TypeError, "num_symbols: expected an int, got bool"),
    ],
)
def test_what_cannot_be_written(prompt, num_symbols, error, message):
    with pytest.raises(error, match=message):
        make().generate(prompt, num_symbols)


@pytest.mark.parametrize("temperature", [0, 1])
def test_a_seed_is_no_generator(temperature):
    with pytest.raises(TypeError, match=r"generator: expected a torch.Generator or None, got int"):
        make().generate("H", 2, generator=0, temperature=temperature)


@pytest.mark.filterwarnings("ignore:The tensor attributes self.rnn._flat_weights")
def test_the_graph_can_be_exported():
    model = make(nn.GRU).eval()
    x = torch.randint(V, (2, 3))
    graph = torch.export.export(model, (x,)).module()
    torch.testing.assert_close(graph(x)[0], model(x)[0])


# Files


@every_kind
def test_saved_and_loaded_it_is_the_same_model(layer, options, tmp_path, device):
    model = make(layer, **options).to(device)
    path = tmp_path / "model.pt"
    model.save(path)
    again = CharRNN.load(path, VOCABULARY)
    assert type(again.rnn) is layer and repr(again.rnn) == repr(model.rnn)
    assert again.vocabulary == VOCABULARY and not again.training
    assert again.rnn.dropout == model.rnn.dropout
    assert list(again.state_dict()) == list(model.state_dict())
    for a, b in zip(again.parameters(), model.parameters(), strict=True):
        assert a.dtype == b.dtype and a.device.type == "cpu" and torch.equal(a, b.cpu())
        assert a.requires_grad
    x = torch.randint(V, (2, 5))
    torch.testing.assert_close(again(x)[0], model.cpu().eval()(x)[0])
    assert os.listdir(tmp_path) == ["model.pt"]


def test_a_loaded_model_writes_what_the_saved_one_wrote(hello, tmp_path):
    hello.save(str(tmp_path / "hello.pt"))
    again = CharRNN.load(str(tmp_path / "hello.pt"))
    assert again.generate("H", 18, temperature=0) == SENTENCE
    for seed in range(3):
        texts = [
            m.generate("a", 30, temperature=2.0, generator=torch.Generator().manual_seed(seed))
            for m in (hello, again)
        ]
        assert texts[0] == texts[1]


def test_the_file_holds_numbers_and_names_only(hello, tmp_path):
    hello.save(tmp_path / "hello.pt")
    content = torch.load(tmp_path / "hello.pt", weights_only=True)
    assert content["format"] == "rnnlib CharRNN" and content["version"] == 1
    assert content["layer"] == "rnnlib.RNN" and content["vocabulary"] == "".join(VOCABULARY.symbols)
    make(nn.GRU).save(tmp_path / "gru.pt")
    assert torch.load(tmp_path / "gru.pt", weights_only=True)["layer"] == "torch.nn.GRU"


def test_symbols_of_any_script_survive(tmp_path):
    vocabulary = Vocabulary.from_text("Größe 😀\n\t“”$\\")
    seed_everything(0)
    CharRNN(nn.GRU(2, 3, batch_first=True), vocabulary).save(tmp_path / "m.pt")
    assert CharRNN.load(tmp_path / "m.pt").vocabulary == vocabulary


def test_another_vocabulary_is_refused(hello, tmp_path):
    hello.save(tmp_path / "hello.pt")
    for other, message in (
        (
            Vocabulary.from_text(SENTENCE + "!"),
            r"of 14 symbols .* one of 13: without '!', and with ''",
        ),
        (
            Vocabulary.from_text("Hello"),
            r"of 4 symbols .*: without '', and with ' ,\?ahruwy' besides",
        ),
    ):
        with pytest.raises(ValueError, match=message) as caught:
            CharRNN.load(tmp_path / "hello.pt", other)
        assert str(caught.value).startswith(f"{tmp_path / 'hello.pt'}: expected the vocabulary of")


class Evil:
    def __reduce__(self):
        return (os.system, ("touch evil",))


def write_other(path, kind, good: bytes):
    """Put a file there that is no model of ours."""
    if kind == "empty":
        path.write_bytes(b"")
    elif kind == "text":
        path.write_text("Hello, how are you?")
    elif kind == "half":
        path.write_bytes(good[: len(good) // 2])
    elif kind == "almost all":
        path.write_bytes(good[:-20])
    elif kind == "zip":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("a.txt", "hello")
    elif kind == "pickle":
        path.write_bytes(pickle.dumps({"format": "rnnlib CharRNN", "version": 1}, protocol=2))
    elif kind == "code":
        torch.save({"format": "rnnlib CharRNN", "version": 1, "layer": Evil()}, path)
    elif kind == "state dict":
        torch.save(make().state_dict(), path)
    elif kind == "tensor":
        torch.save(torch.zeros(3), path)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("empty", "expected a model that CharRNN.save has written, got a file that can't be read"),
        ("text", "got a file that can't be read"),
        ("half", "got a file that can't be read"),
        ("almost all", "got a file that can't be read"),
        ("zip", "got a file that can't be read"),
        ("pickle", "expected layer, options, vocabulary and weights .* KeyError|can't be read"),
        ("code", "got a file that can't be read as one: UnpicklingError"),
        ("state dict", "expected a file of rnnlib CharRNN, got a dict with rnn.weight_ih_l0"),
        ("tensor", "expected a file of rnnlib CharRNN, got Tensor"),
    ],
)
def test_other_files_are_refused(kind, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make().save("good.pt")
    path = tmp_path / "other.pt"
    write_other(path, kind, (tmp_path / "good.pt").read_bytes())
    with pytest.raises(ValueError, match=message) as caught:
        CharRNN.load(path)
    assert str(caught.value).startswith(str(path))
    assert not (tmp_path / "evil").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c.update(version=2), "expected version 1 of the format, got 2"),
        (lambda c: c.pop("version"), "expected version 1 of the format, got None"),
        (lambda c: c.update(format="other"), "expected a file of rnnlib CharRNN, got a dict with"),
        (lambda c: c.update(layer="torch.nn.Linear"), "fit together, got KeyError"),
        (lambda c: c.update(vocabulary="abc"), "fit together, got RuntimeError"),
        (lambda c: c.update(vocabulary="aab"), "each symbol once, got 'a'"),
        (lambda c: c["options"].update(hidden_size=7), "fit together, got RuntimeError"),
        (lambda c: c["options"].update(bidirectional=True), "one direction"),
        (lambda c: c["weights"].pop("readout.bias"), "fit together, got RuntimeError"),
        (lambda c: c.pop("weights"), "fit together, got KeyError"),
    ],
)
def test_files_whose_parts_do_not_fit_are_refused(change, message, tmp_path):
    path = tmp_path / "model.pt"
    make().save(path)
    content = torch.load(path, weights_only=True)
    change(content)
    torch.save(content, path)
    with pytest.raises(ValueError, match=message) as caught:
        CharRNN.load(path)
    assert str(caught.value).startswith(str(path))


def test_a_missing_file_or_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.pt"):
        CharRNN.load(tmp_path / "none.pt")
    with pytest.raises(FileNotFoundError, match="expected an existing folder"):
        make().save(tmp_path / "none" / "model.pt")
    assert os.listdir(tmp_path) == []


def share(model):
    model.readout.weight = model.embedding.weight


CHANGES = {
    "weight norm": (lambda m: parametrizations.weight_norm(m.rnn, "weight_hh_l0"), "weight_hh_l0"),
    "spectral norm": (lambda m: parametrizations.spectral_norm(m.readout), "readout.weight"),
    "old weight norm": (lambda m: utils.weight_norm(m.rnn, "weight_hh_l0"), "weight_hh_l0_g"),
    "another read-out": (lambda m: setattr(m, "readout", nn.Linear(H, V, bias=False)), "bias"),
    "deeper read-out": (
        lambda m: setattr(m, "readout", nn.Sequential(nn.Linear(H, V))),
        "readout.0.weight",
    ),
    "two ways": (
        lambda m: setattr(m, "rnn", layers.GRU(D, H, batch_first=True, bidirectional=True)),
        "weight_hh_l0_reverse",
    ),
    "two dtypes": (lambda m: m.rnn.double(), "one dtype, got torch.float32 and torch.float64"),
    "shared": (share, "each weight in one place, got one that two modules share"),
}


@pytest.mark.filterwarnings("ignore:.*torch.nn.utils.weight_norm.* is deprecated")
@pytest.mark.parametrize("layer", [layers.GRU, nn.LSTM])
@pytest.mark.parametrize(("change", "said"), CHANGES.values(), ids=CHANGES)
def test_what_would_not_come_back_is_not_saved(change, said, layer, tmp_path):
    path = tmp_path / "model.pt"
    model = make(layer)
    if change is share:
        model = CharRNN(layer(H, H, batch_first=True), VOCABULARY)
    model.save(path)
    before = path.read_bytes()
    change(model)
    with pytest.raises(ValueError, match=f"^model: expected .*{said}"):
        model.save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.pt"]


@pytest.mark.parametrize("layer", [layers.GRU, nn.LSTM])
def test_a_parametrized_layer_trains_writes_and_is_saved_once_it_is_plain(layer, tmp_path):
    rnn = parametrizations.weight_norm(layer(D, H, batch_first=True), "weight_hh_l0")
    model = CharRNN(rnn, VOCABULARY)
    before = model.rnn.parametrizations.weight_hh_l0.original1.detach().clone()
    windows = TextStream(SENTENCE, VOCABULARY, batch_size=1, num_steps=9)
    fit(model, windows, epochs=1, carry_state=True, progress=False)
    assert not torch.equal(model.rnn.parametrizations.weight_hh_l0.original1, before)
    text = model.generate("H", 9, temperature=0)
    parametrize.remove_parametrizations(model.rnn, "weight_hh_l0")
    model.save(tmp_path / "model.pt")
    assert CharRNN.load(tmp_path / "model.pt").generate("H", 9, temperature=0) == text


def test_a_path_without_a_folder_is_in_this_one_and_a_folder_is_no_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make().save("model.pt")
    assert os.listdir(tmp_path) == ["model.pt"]
    for folder in ("", ".", str(tmp_path)):
        with pytest.raises(IsADirectoryError, match="expected the name of a file, got a folder"):
            make().save(folder)
    assert os.listdir(tmp_path) == ["model.pt"]


@pytest.mark.parametrize("other", [SENTENCE, 13, list(VOCABULARY.symbols)])
def test_what_is_no_vocabulary_is_refused(other, tmp_path):
    make().save(tmp_path / "model.pt")
    with pytest.raises(TypeError, match=f"or None, got {type(other).__name__}"):
        CharRNN.load(tmp_path / "model.pt", other)


def test_a_file_does_not_choose_the_device(tmp_path):
    path = tmp_path / "model.pt"
    make().save(path)
    content = torch.load(path, weights_only=True)
    content["options"]["device"] = "meta"
    torch.save(content, path)
    assert CharRNN.load(path).generate("H", 3, temperature=0) == make().generate(
        "H", 3, temperature=0
    )


@pytest.mark.parametrize("moment", ["writing", "renaming"])
def test_a_failed_save_leaves_the_old_file_and_nothing_else(moment, tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    make(seed=0).save(path)
    before = path.read_bytes()

    def broken_save(content, file):
        file.write(b"half of it")
        raise OSError("no space left")

    def broken_replace(source, target):
        assert path.read_bytes() == before
        raise OSError("no space left")

    if moment == "writing":
        monkeypatch.setattr(torch, "save", broken_save)
    else:
        monkeypatch.setattr(os, "replace", broken_replace)
    with pytest.raises(OSError, match="no space left"):
        make(seed=1).save(path)
    assert path.read_bytes() == before and os.listdir(tmp_path) == ["model.pt"]


def test_saving_replaces_the_old_file(tmp_path):
    path = tmp_path / "model.pt"
    for seed in (0, 1):
        make(seed=seed).save(path)
    again = CharRNN.load(path)
    assert torch.equal(again.readout.weight, make(seed=1).readout.weight)


def test_writing_leaves_each_module_in_its_mode():
    model = CharRNN(layers.RNN(4, 5, num_layers=2, dropout=0.5, batch_first=True), Vocabulary("ab"))
    model.rnn.eval()
    model.generate("a", 2)
    assert model.training and model.readout.training and not model.rnn.training
