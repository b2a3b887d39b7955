"""A model that reads text symbol by symbol, and writes it in the same way."""

import os
import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from rnnlib.checks import check_generator, check_integer
from rnnlib.data.vocabulary import Vocabulary
from rnnlib.device import in_mode
from rnnlib.models.common import LAYERS, made_like, output_size
from rnnlib.models.sampling import sample

FORMAT = "rnnlib CharRNN"
VERSION = 1

OPTIONS = (
    "input_size",
    "hidden_size",
    "num_layers",
    "bias",
    "batch_first",
    "dropout",
    "nonlinearity",
    "proj_size",
)


class CharRNN(nn.Module):
    """Predict the next symbol of a text at every step.

    An embedding gives each symbol a row of D numbers, a recurrent layer reads them, and a linear
    read-out, y = h W_hy + b_y, gives the scores of what comes next. The vocabulary belongs to the
    model, and is saved with it: the weights mean nothing under another numbering.

    Parameters
    ----------
    rnn : Module
        RNN, GRU or LSTM, ours or torch.nn's, with ``batch_first``. In one direction: a second one
        would read the very symbols that are to be predicted. Its input_size is D.
    vocabulary : Vocabulary
        V symbols.

    Attributes
    ----------
    embedding : Embedding
        (V, D).
    rnn : Module
        The layer, as given.
    readout : Linear
        From H to V.
    vocabulary : Vocabulary

    Raises
    ------
    TypeError
        If `rnn` is none of these layers, or `vocabulary` no Vocabulary.
    ValueError
        If the layer is bidirectional, or not batch first.
    """

    def __init__(self, rnn: nn.Module, vocabulary: Vocabulary):
        super().__init__()
        _kind(rnn)
        if not isinstance(vocabulary, Vocabulary):
            raise TypeError(
                f"vocabulary: expected a Vocabulary, got {type(vocabulary).__name__}; "
                "Vocabulary.from_text makes one"
            )
        if rnn.bidirectional:
            raise ValueError(
                "rnn: expected a layer in one direction, got a bidirectional one, which would read "
                "the symbols that it is to predict"
            )
        if not rnn.batch_first:
            raise ValueError(
                "rnn: expected a layer with batch_first=True, got one with batch_first=False, "
                "which would take the sequences of a batch for the steps of one"
            )
        self.vocabulary = vocabulary
        self.rnn = rnn
        features = output_size(rnn)
        self.embedding = made_like(rnn, nn.Embedding, len(vocabulary), rnn.input_size)
        self.readout = made_like(rnn, nn.Linear, features, len(vocabulary))

    def forward(self, x: Tensor, state=None) -> tuple[Tensor, Tensor | tuple[Tensor, Tensor]]:
        """Score what follows each symbol.

        Parameters
        ----------
        x : Tensor of int64, (N, T)
            Indices of the vocabulary.
        state : optional
            The layer's, from the steps before; None stands for zeros.

        Returns
        -------
        y : Tensor, (N, T, V)
            Scores of the symbol after each step.
        state
            After the last step, to go on from.

        Raises
        ------
        TypeError, ValueError, IndexError
            For what is no such x.
        RuntimeError
            As the layer raises it, for a state that does not fit.
        """
        if not isinstance(x, Tensor) or x.dtype not in (torch.int64, torch.int32):
            got = x.dtype if isinstance(x, Tensor) else type(x).__name__
            raise TypeError(f"x: expected a tensor of indices, int64, got {got}")
        if x.dim() != 2:
            raise ValueError(f"x: expected indices of shape (N, T), got {tuple(x.shape)}")
        # On a GPU the embedding itself would end the process instead of naming the index. While
        # torch.export or torch.compile draws its graph there are no numbers to look at.
        looked_at = x.numel() > 0 and not torch.compiler.is_compiling()
        if looked_at and (x.min() < 0 or x.max() >= len(self.vocabulary)):
            raise IndexError(
                f"x: expected indices from 0 to {len(self.vocabulary) - 1}, "
                f"got {x.min().item()} to {x.max().item()}"
            )
        h, state = self.rnn(self.embedding(x), state)
        return self.readout(h), state

    @torch.no_grad()
    def generate(
        self,
        prompt: str,
        num_symbols: int,
        *,
        temperature: float = 1.0,
        top_k: int | None = None,
        generator: torch.Generator | None = None,
    ) -> str:
        """Read a beginning, and write on: each symbol that is drawn is read as the next.

        Parameters
        ----------
        prompt : str
            At least one symbol.
        num_symbols : int
            How many to write.
        temperature : float, default 1
            0 takes the most probable symbol each time, which is called greedy.
        top_k : int, optional
            Draw among so many of the most probable symbols only.
        generator : torch.Generator, optional
            On the CPU, whatever the model's device; by default torch's global one.

        Returns
        -------
        str
            The prompt, and what was written.

        Raises
        ------
        TypeError, ValueError
            For an empty prompt, one with unknown symbols, or options that cannot be used.
        """
        check_integer("num_symbols", num_symbols, least=0)
        check_generator(generator)
        indices = self.vocabulary.encode(prompt)
        if len(indices) == 0:
            raise ValueError("prompt: expected at least one symbol to begin with, got none")
        device = self.readout.weight.device
        written, state = [], None
        with in_mode(self, training=False):
            x = indices[None]  # (1, T), and then (1, 1)
            for _ in range(num_symbols):
                y, state = self(x.to(device), state)
                x = sample(y[:, -1:], temperature=temperature, top_k=top_k, generator=generator)
                written.append(x.item())
        return prompt + self.vocabulary.decode(written)

    def save(self, path: str | os.PathLike) -> None:
        """Write weights, layer and vocabulary to a file, all of it or nothing.

        The file is written under another name beside `path`, and takes its place at the end. If
        anything fails before that, what was at `path` is still there.

        Parameters
        ----------
        path : path

        Raises
        ------
        OSError
            If the file can't be written.
        ValueError
            If the model holds what the file has no place for: a parametrization such as
            ``weight_norm``, another module in the place of one of its own, a weight that two
            modules share, or weights of several dtypes.
        """
        path = Path(path)
        kind = _kind(self.rnn)
        options = {name: getattr(self.rnn, name) for name in OPTIONS if hasattr(self.rnn, name)}
        if not options.get("proj_size"):
            # torch.nn's RNN and GRU have the attribute, always 0, and refuse the argument.
            options.pop("proj_size", None)
        self._check_plain(kind, options)
        content = {
            "format": FORMAT,
            "version": VERSION,
            "layer": kind,
            "options": options,
            "vocabulary": "".join(self.vocabulary.symbols),
            "weights": {name: weight.cpu() for name, weight in self.state_dict().items()},
        }
        if path.is_dir():
            raise IsADirectoryError(f"{path}: expected the name of a file, got a folder")
        if not path.parent.is_dir():
            raise FileNotFoundError(f"{path}: expected an existing folder, {path.parent} is none")
        handle, name = tempfile.mkstemp(prefix=path.name, suffix=".part", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                torch.save(content, file)
            os.replace(name, path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    def _check_plain(self, kind: str, options: dict) -> None:
        """Refuse to save what `load` would not give back."""
        with torch.device("meta"):
            plain = CharRNN(LAYERS[kind](**options), self.vocabulary)
        found, expected = (
            {(name, tuple(weight.shape)) for name, weight in model.state_dict().items()}
            for model in (self, plain)
        )
        if found != expected:
            names = ", ".join(sorted({name for name, _ in found ^ expected}))
            raise ValueError(
                f"model: expected plain weights of {kind}, Embedding and Linear, got others at "
                f"{names}; a parametrization such as weight_norm is taken off by "
                "torch.nn.utils.parametrize.remove_parametrizations"
            )
        parameters = list(self.parameters())
        if len(parameters) < len(expected):
            raise ValueError(
                "model: expected each weight in one place, got one that two modules share; "
                "after loading they would be two"
            )
        dtypes = sorted({str(weight.dtype) for weight in parameters})
        if len(dtypes) > 1:
            raise ValueError(f"model: expected weights of one dtype, got {' and '.join(dtypes)}")

    @classmethod
    def load(cls, path: str | os.PathLike, vocabulary: Vocabulary | None = None) -> "CharRNN":
        """Read a model that `save` has written, onto the CPU, in evaluation mode.

        Only numbers and names are read; no code that a file might hold is run.

        Parameters
        ----------
        path : path
        vocabulary : Vocabulary, optional
            The one that the model is going to be used with. It must be the model's own.

        Returns
        -------
        CharRNN

        Raises
        ------
        OSError
            If the file can't be read.
        TypeError
            If `vocabulary` is none.
        ValueError
            If it is damaged, no such file, of another version, or of another vocabulary.
        """
        if vocabulary is not None and not isinstance(vocabulary, Vocabulary):
            raise TypeError(
                f"vocabulary: expected a Vocabulary or None, got {type(vocabulary).__name__}"
            )
        path = Path(path)
        with open(path, "rb") as file:
            try:
                content = torch.load(file, map_location="cpu", weights_only=True)
            # What torch raises depends on where the damage lies: pickle's, zip's, or its own.
            except Exception as error:
                raise ValueError(
                    f"{path}: expected a model that CharRNN.save has written, got a file that "
                    f"can't be read as one: {type(error).__name__}"
                ) from error
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            got = type(content).__name__
            if isinstance(content, dict):
                got = f"a dict with {', '.join(map(str, list(content)[:4])) or 'nothing'}"
            raise ValueError(f"{path}: expected a file of {FORMAT}, got {got}")
        if content.get("version") != VERSION:
            raise ValueError(
                f"{path}: expected version {VERSION} of the format, got {content.get('version')}"
            )
        try:
            saved = Vocabulary(content["vocabulary"])
            weights = content["weights"]
            made = {"device": "cpu", "dtype": weights["readout.weight"].dtype}
            rnn = LAYERS[content["layer"]](**content["options"] | made)
            model = cls(rnn, saved)
            model.load_state_dict(weights)
        except Exception as error:
            raise ValueError(
                f"{path}: expected layer, options, vocabulary and weights that fit together, got "
                f"{type(error).__name__}: {error}"
            ) from error
        if vocabulary is not None:
            _check_same(path, saved, vocabulary)
        return model.eval()


def _kind(rnn: nn.Module) -> str:
    """Return the name of a layer, which stays the same when its weights are parametrized."""
    layer = type(rnn)
    if isinstance(rnn, nn.Module) and parametrize.is_parametrized(rnn):
        layer = layer.__base__
    for name, known in LAYERS.items():
        if layer is known:
            return name
    raise TypeError(
        "rnn: expected RNN, GRU or LSTM, ours or torch.nn's, "
        f"got {type(rnn).__module__}.{type(rnn).__name__}"
    )


def _check_same(path: Path, saved: Vocabulary, wanted: Vocabulary) -> None:
    if saved == wanted:
        return
    missing = "".join(sorted(set(wanted.symbols) - set(saved.symbols)))
    further = "".join(sorted(set(saved.symbols) - set(wanted.symbols)))
    raise ValueError(
        f"{path}: expected the vocabulary of {len(wanted)} symbols that was given, got one of "
        f"{len(saved)}: without {missing!r}, and with {further!r} besides"
    )
