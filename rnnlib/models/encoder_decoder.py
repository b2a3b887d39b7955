"""A model that reads a whole sequence and answers in another length: two recurrent networks."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_packed_sequence

from rnnlib.checks import check_size
from rnnlib.data.lengths import mask, pack
from rnnlib.device import in_mode
from rnnlib.layers import LSTM, State
from rnnlib.models.attention import AdditiveAttention
from rnnlib.models.common import LAYERS, made_like
from rnnlib.models.search import Hypothesis, beam_search


@dataclass(frozen=True)
class _Memory:
    """What the decoder may look at: the source, read once."""

    annotations: Tensor  # (N, T, H)
    summary: Tensor  # (N, H)
    real: Tensor  # (N, T)
    keys: Tensor | None  # (N, T, A), with attention

    def repeated(self, times: int) -> "_Memory":
        """Return each sequence's memory so many times in a row."""
        parts = (self.annotations, self.summary, self.real, self.keys)
        return _Memory(
            *(None if part is None else part.repeat_interleave(times, dim=0) for part in parts)
        )


class EncoderDecoder(nn.Module):
    r"""Read a sequence with one recurrent network, and write the answer with another.

    The encoder reads the source x_1 … x_T; its last state is the decoder's first. At each step t
    the decoder reads the symbol of the answer before, and its state s_t and a context c_t give the
    logits of the next symbol:

    .. math::

        h_j &= \mathrm{encoder}(x_j, h_{j-1}) \\
        s_t &= \mathrm{decoder}(y_{t-1}, s_{t-1}), \qquad s_0 = h_T \\
        \mathrm{logits}_t &= [s_t, c_t] W_{hy} + b_y

    Without attention the context is the summary h_T at every step; with attention it is a mean of
    all h_j, weighted anew at every step. The two models differ in nothing else.

    Parameters
    ----------
    encoder, decoder : Module
        RNN, GRU or LSTM, ours or torch.nn's, both of the same kind and with as many layers. The
        size of their inputs is that of the embeddings. A bidirectional encoder needs a decoder
        with twice its units: in each layer the forward state after the last step and the backward
        state after the first, side by side, are the decoder's state. There is no learned bridge.
    num_source_symbols : int
        V, the size of the source's vocabulary.
    num_target_symbols : int
        K, the size of the answer's, with a start and an end symbol.
    attention : AdditiveAttention, optional
        From the decoder's states to the encoder's.

    Attributes
    ----------
    encoder, decoder, attention
        As given.
    source_embedding, target_embedding : Embedding
        Of V and K symbols.
    readout : Linear
        From twice the decoder's units to K.

    Raises
    ------
    TypeError
        For layers of other kinds, such as `BiRNN`, which reads no sequences of unequal length.
    ValueError
        For sizes that do not fit together.

    Notes
    -----
    Cho et al. [1]_ hand the summary to every step, as here, and to the decoder's input as well;
    Sutskever, Vinyals and Le [2]_ use it as the first state only. For the attention see
    `AdditiveAttention`.

    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
       machine translation", EMNLP 2014.
    .. [2] I. Sutskever, O. Vinyals and Q. V. Le, "Sequence to sequence learning with neural
       networks", NIPS 2014.
    """

    def __init__(
        self,
        encoder: nn.Module,
        decoder: nn.Module,
        num_source_symbols: int,
        num_target_symbols: int,
        attention: AdditiveAttention | None = None,
    ):
        super().__init__()
        V = check_size("num_source_symbols", num_source_symbols)
        K = check_size("num_target_symbols", num_target_symbols)
        size = _check_layers(encoder, decoder)
        if attention is not None:
            _check_attention(attention, size)
        _check_kind(encoder, decoder, attention)
        self.encoder = encoder
        self.decoder = decoder
        self.attention = attention
        self.source_embedding = made_like(decoder, nn.Embedding, V, encoder.input_size)
        self.target_embedding = made_like(decoder, nn.Embedding, K, decoder.input_size)
        self.readout = made_like(decoder, nn.Linear, 2 * size, K)

    def forward(self, source: Tensor, lengths: Tensor, previous: Tensor) -> Tensor:
        """Compute the logits at all steps of given answers (teacher forcing).

        Parameters
        ----------
        source : Tensor of int64, (N, T)
            What stands past the end of a shorter source is never read.
        lengths : Tensor of int64, (N,)
            Those of the sources, in any order.
        previous : Tensor of int64, (N, S)
            The symbol before each step of the answer: the start symbol, then the answer without
            its last.

        Returns
        -------
        Tensor, (N, S, K)

        Raises
        ------
        TypeError, ValueError
            For other types and shapes, lengths that do not fit, and symbols out of range.
        """
        memory, state = self._encode(source, lengths)
        states = self._states(self._checked_previous(previous, len(source)), state)[0]
        return self._logits(states, memory)[0]

    def attention_weights(self, source: Tensor, lengths: Tensor, previous: Tensor) -> Tensor:
        """Return what the attention looks at, at all steps of given answers.

        Parameters
        ----------
        source, lengths, previous
            As for `forward`, which raises the same errors.

        Returns
        -------
        Tensor, (N, S, T)
            For each step of the answer the weights of the source's steps; 0 on padding.

        Raises
        ------
        ValueError
            If the model has no attention.
        """
        if self.attention is None:
            raise ValueError("attention_weights: expected a model with attention, got one without")
        memory, state = self._encode(source, lengths)
        states = self._states(self._checked_previous(previous, len(source)), state)[0]
        return self._logits(states, memory)[1]

    def answer(
        self,
        source: Tensor,
        lengths: Tensor,
        *,
        start: int,
        end: int,
        max_steps: int,
        width: int = 1,
        length_penalty: float = 0.0,
    ) -> list[list[Hypothesis]]:
        """Write answers, reading what was written before (free running). Dropout is switched off.

        Parameters
        ----------
        source, lengths
            As for `forward`.
        start, end, max_steps, width, length_penalty
            As for `beam_search`. With a width of 1 every step takes the most probable symbol.

        Returns
        -------
        list of list of Hypothesis
            For each source at most `width` answers, best first.

        Raises
        ------
        TypeError, ValueError
            As for `forward` and `beam_search`.
        """
        for name, symbol in (("start", start), ("end", end)):
            _check_symbol(name, symbol, self.target_embedding.num_embeddings)
        with in_mode(self, training=False), torch.no_grad():
            memory, state = self._encode(source, lengths)
            memory = memory.repeated(check_size("width", width))

            def step(symbols: Tensor, rows: State) -> tuple[Tensor, State]:
                states, rows = self._states(symbols.unsqueeze(1), _swapped(rows))
                logits = self._logits(states, memory)[0].squeeze(1)
                return logits.log_softmax(dim=-1), _swapped(rows)

            return beam_search(
                step,
                _swapped(state),
                start=start,
                end=end,
                width=width,
                max_steps=max_steps,
                num_sequences=len(source),
                length_penalty=length_penalty,
                device=source.device,
            )

    def _encode(self, source: Tensor, lengths: Tensor) -> tuple[_Memory, State]:
        """Read each source to its own end; return what the decoder needs of it."""
        _check_symbols("source", source, "(N, T)", self.source_embedding.num_embeddings)
        T = source.size(1)
        output, state = self.encoder(pack(self.source_embedding(source), lengths))
        annotations, _ = pad_packed_sequence(output, batch_first=True, total_length=T)
        if self.encoder.bidirectional:
            state = _joined(state)
        h = state[0] if isinstance(state, tuple) else state
        keys = None if self.attention is None else self.attention.keys(annotations)
        real = mask(lengths.to(source.device), T)
        return _Memory(annotations, h[-1], real, keys), state

    def _states(self, previous: Tensor, state: State) -> tuple[Tensor, State]:
        """Run the decoder over the symbols before each step; return all s_t, (N, S, H)."""
        embedded = self.target_embedding(previous)
        if self.decoder.batch_first:
            return self.decoder(embedded, state)
        states, state = self.decoder(embedded.transpose(0, 1), state)
        return states.transpose(0, 1), state

    def _logits(self, states: Tensor, memory: _Memory) -> tuple[Tensor, Tensor | None]:
        """Return the logits at all steps, and the attention's weights where there are any."""
        if self.attention is None:
            weights = None
            context = memory.summary.unsqueeze(1).expand_as(states)
        else:
            context, weights = self.attention(states, memory.annotations, memory.real, memory.keys)
        return self.readout(torch.cat([states, context], dim=-1)), weights

    def _checked_previous(self, previous: Tensor, N: int) -> Tensor:
        _check_symbols("previous", previous, "(N, S)", self.target_embedding.num_embeddings)
        if len(previous) != N:
            raise ValueError(
                f"previous: expected one row for each of {N} sources, got {len(previous)}"
            )
        return previous


def _swapped(state: State) -> State:
    """Exchange layers and rows: (layers, N, H) and (N, layers, H)."""
    if isinstance(state, tuple):
        return tuple(_swapped(part) for part in state)
    return state.transpose(0, 1).contiguous()


def _joined(state: State) -> State:
    """Put the two directions of each layer side by side: (2 layers, N, H) to (layers, N, 2 H)."""
    if isinstance(state, tuple):
        return tuple(_joined(part) for part in state)
    return torch.cat([state[0::2], state[1::2]], dim=-1)


def _check_layers(encoder: nn.Module, decoder: nn.Module) -> int:
    """Return the size of the decoder's state if the two layers fit together."""
    for name, layer in (("encoder", encoder), ("decoder", decoder)):
        if not isinstance(layer, tuple(LAYERS.values())):
            raise TypeError(
                f"{name}: expected an RNN, GRU or LSTM, ours or torch.nn's, "
                f"got {type(layer).__name__}"
            )
        if getattr(layer, "proj_size", 0):
            raise ValueError(f"{name}: expected a layer without projections, got {layer}")
    if isinstance(encoder, LSTM | nn.LSTM) != isinstance(decoder, LSTM | nn.LSTM):
        raise TypeError(
            "decoder: expected the encoder's kind of state, where an LSTM has two parts and others "
            f"have one, got {type(encoder).__name__} and {type(decoder).__name__}"
        )
    if decoder.bidirectional:
        raise ValueError("decoder: expected one direction: the future is not written yet, got two")
    if encoder.num_layers != decoder.num_layers:
        raise ValueError(
            f"decoder: expected as many layers as the encoder's {encoder.num_layers}, "
            f"got {decoder.num_layers}"
        )
    directions = 2 if encoder.bidirectional else 1
    size = directions * encoder.hidden_size
    if decoder.hidden_size != size:
        raise ValueError(
            f"decoder: expected hidden_size {size}, that of the encoder times its "
            f"{directions} direction{'s' * (directions - 1)}, got {decoder.hidden_size}"
        )
    return size


def _check_attention(attention: AdditiveAttention, size: int) -> None:
    if not isinstance(attention, AdditiveAttention):
        raise TypeError(
            f"attention: expected an AdditiveAttention or None, got {type(attention).__name__}"
        )
    got = (attention.query_size, attention.annotation_size)
    if got != (size, size):
        raise ValueError(f"attention: expected queries and annotations of {size}, got sizes {got}")


def _check_kind(encoder: nn.Module, decoder: nn.Module, attention: nn.Module | None) -> None:
    """Refuse weights of different dtypes or devices."""
    weight = next(decoder.parameters())
    for name, module in (("encoder", encoder), ("attention", attention)):
        other = weight if module is None else next(module.parameters())
        if (other.dtype, other.device) != (weight.dtype, weight.device):
            raise ValueError(
                f"{name}: expected weights of {weight.dtype} on {weight.device}, as the decoder's, "
                f"got {other.dtype} on {other.device}"
            )


def _check_symbol(name: str, symbol: int, size: int) -> None:
    if isinstance(symbol, bool) or not isinstance(symbol, int):
        raise TypeError(f"{name}: expected an int, got {type(symbol).__name__}")
    if not 0 <= symbol < size:
        raise ValueError(f"{name}: expected a symbol from 0 to {size - 1}, got {symbol}")


def _check_symbols(name: str, symbols: Tensor, shape: str, size: int) -> None:
    if not isinstance(symbols, Tensor):
        raise TypeError(f"{name}: expected a Tensor of int64, got {type(symbols).__name__}")
    if symbols.dtype != torch.int64:
        raise TypeError(f"{name}: expected int64, got {symbols.dtype}")
    if symbols.dim() != 2 or symbols.numel() == 0:
        raise ValueError(
            f"{name}: expected shape {shape} with at least one step, got {tuple(symbols.shape)}"
        )
    low, high = symbols.min().item(), symbols.max().item()
    if low < 0 or high >= size:
        raise ValueError(
            f"{name}: expected symbols from 0 to {size - 1}, got {low if low < 0 else high}"
        )
