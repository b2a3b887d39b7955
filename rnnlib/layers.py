"""Cells repeated over time: the readable loop, and drop-in twins of torch.nn's layers.

`unroll` is the loop of the chapters. `RNN`, `LSTM` and `GRU` are the same mathematics with
everything a user of torch.nn expects: several layers, two directions, packed sequences. Each
direction of each layer is one pass over the whole sequence, from `rnnlib.bptt`.
"""

import numbers
import warnings
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnlib import bptt
from rnnlib.cells import RNNCell, init_uniform
from rnnlib.checks import check_nonlinearity, check_pair, check_size, check_tensor

State = Tensor | tuple[Tensor, ...]


def unroll(
    cell: Callable[[Tensor, State | None], State], inputs: Tensor, state: State | None = None
) -> tuple[Tensor, State]:
    """Apply one cell to every step of a sequence, in order, carrying its state along.

    Parameters
    ----------
    cell : callable
        ``cell(x_t, state)`` returns the next state: h_t, or a tuple whose first entry is h_t.
    inputs : Tensor, (T, N, D) or (T, D)
        Time comes first.
    state : optional
        The state before the first step; None leaves the choice to the cell (zeros).

    Returns
    -------
    outputs : Tensor, (T, N, H) or (T, H)
        h_1, …, h_T.
    state
        The state after the last step.

    Raises
    ------
    ValueError
        If `inputs` has another number of dimensions.
    RuntimeError
        If it has no steps.
    """
    if inputs.dim() not in (2, 3):
        raise ValueError(
            f"unroll: Expected inputs to be (T, N, D) or (T, D), got {inputs.dim()} dimensions"
        )
    if len(inputs) == 0:
        raise RuntimeError("unroll: Expected a sequence of at least one step, got 0 steps")
    outputs = []
    for x_t in inputs:
        state = cell(x_t, state)
        h_t = state[0] if isinstance(state, tuple) else state
        outputs.append(h_t)
    return torch.stack(outputs), state


class RecurrentLayer(nn.Module):
    """What the twins of torch.nn's recurrent layers share: parameters, checks, and plumbing.

    A subclass says how many gates it has, and runs one direction of one layer in ``_run``.
    Inside, a state is a tuple of tensors, and every batch is in PyTorch's packed form: the rows
    of step 1, then those of step 2, and so on, longest sequence first, so that the sequences still
    running at a step are its first rows. An ordinary batch is the case of T equal batch sizes.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.input_size = check_size("input_size", input_size)
        self.hidden_size = check_size("hidden_size", hidden_size)
        self.num_layers = check_size("num_layers", num_layers)
        for name, flag in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
        if isinstance(dropout, bool) or not isinstance(dropout, numbers.Real):
            raise ValueError(f"dropout should be a number in range [0, 1], got {dropout!r}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout should be a number in range [0, 1], got {dropout}")
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout acts between layers, so one layer has none: "
                f"got dropout={dropout} and num_layers=1",
                # Point at the caller, past the __init__ of a subclass that has its own.
                stacklevel=2 + (type(self).__init__ is not RecurrentLayer.__init__),
            )
        if proj_size != 0:
            raise ValueError(
                f"rnnlib.{type(self).__name__} has no projections: "
                f"expected proj_size 0, got {proj_size}"
            )
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bool(bidirectional)

        rows = self.gates * hidden_size
        for layer in range(num_layers):
            columns = input_size if layer == 0 else hidden_size * self.num_directions
            for direction in range(self.num_directions):
                shapes = ((rows, columns), (rows, hidden_size), (rows,), (rows,))
                # Without bias there are two names, and zip stops after the two matrices.
                for name, shape in zip(self._names(layer, direction), shapes, strict=False):
                    weight = torch.empty(shape, device=device, dtype=dtype)
                    self.register_parameter(name, nn.Parameter(weight))
        self.reset_parameters()

    @property
    def num_directions(self) -> int:
        """2 for a bidirectional layer, otherwise 1."""
        return 2 if self.bidirectional else 1

    def _names(self, layer: int, direction: int) -> list[str]:
        kinds = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if self.bias else [])
        return [f"{kind}_l{layer}{'_reverse' if direction else ''}" for kind in kinds]

    def _weights(self, layer: int, direction: int) -> list[Tensor | None]:
        """Return weight_ih, weight_hh, bias_ih, bias_hh; the biases are None where there are none.

        They are read by attribute at every call, so that ``torch.func.functional_call``,
        parametrisations and plain assignment all take effect.
        """
        weights = [getattr(self, name) for name in self._names(layer, direction)]
        return weights if self.bias else [*weights, None, None]

    def reset_parameters(self) -> None:
        """Draw all parameters anew from U(-1/sqrt(H), 1/sqrt(H))."""
        init_uniform(self.parameters(), self.hidden_size)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters, one list for each layer and direction, as torch.nn gives them."""
        return [
            [weight for weight in self._weights(layer, direction) if weight is not None]
            for layer in range(self.num_layers)
            for direction in range(self.num_directions)
        ]

    def flatten_parameters(self) -> None:
        """Do nothing: there is no cuDNN buffer to refresh. Here for code written for torch.nn."""

    def _run(
        self,
        data: Tensor,
        batch_sizes: list[int],
        state: tuple[Tensor, ...],
        weights: list[Tensor | None],
        reverse: bool,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run one direction of one layer; return its outputs and its last state."""
        raise NotImplementedError

    def _stack(
        self, data: Tensor, batch_sizes: list[int], state: tuple[Tensor, ...]
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run all layers and directions.

        `state` holds tensors of shape (layers x directions, N, H), and so does the result.
        """
        last_states = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self.num_directions):
                row = layer * self.num_directions + direction
                output, last = self._run(
                    data,
                    batch_sizes,
                    tuple(s[row] for s in state),
                    self._weights(layer, direction),
                    reverse=direction == 1,
                )
                outputs.append(output)
                last_states.append(last)
            data = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
            if self.dropout > 0 and self.training and layer < self.num_layers - 1:
                data = F.dropout(data, self.dropout)
        if len(outputs) == 1 and data.requires_grad:
            # The pass keeps these outputs for its way back; the caller may write into a copy.
            data = data.clone()
        return data, tuple(torch.stack(rows) for rows in zip(*last_states, strict=True))

    def _forward(
        self, input: Tensor | PackedSequence, state: tuple[Tensor, ...] | None, num_states: int
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, ...]]:
        """Bring any input to packed form, run it, and give the result the form of the input."""
        packed = isinstance(input, PackedSequence)
        if not packed:
            check_tensor(f"{type(self).__name__}: input", input)
        batched = packed or input.dim() == 3
        if packed:
            data = input.data
            batch_sizes = input.batch_sizes.tolist()
        else:
            if input.dim() not in (2, 3):
                raise ValueError(
                    f"{type(self).__name__}: Expected input to be 2D or 3D, "
                    f"got {input.dim()}D tensor instead"
                )
            x = input if batched else input.unsqueeze(1)  # (T, N, D)
            if batched and self.batch_first:
                x = x.transpose(0, 1)
            steps, batch = x.shape[:2]
            if steps == 0:
                raise RuntimeError("Expected sequence length to be larger than 0, got 0")
            data = x.reshape(steps * batch, x.size(-1))
            batch_sizes = [batch] * steps
        self._check_data(data)

        shape = (self.num_layers * self.num_directions, batch_sizes[0], self.hidden_size)
        if state is None:
            state = (data.new_zeros(shape),) * num_states
        else:
            names = ("hx",) if num_states == 1 else ("h_0", "c_0")
            state = tuple(
                self._checked_state(name, s, shape, batched, data)
                for name, s in zip(names, state, strict=True)
            )
            if packed and input.sorted_indices is not None:
                state = tuple(s.index_select(1, input.sorted_indices) for s in state)

        output, state = self._stack(data, batch_sizes, state)

        if packed:
            output = input._replace(data=output)
            if input.unsorted_indices is not None:
                state = tuple(s.index_select(1, input.unsorted_indices) for s in state)
            return output, state
        output = output.view(steps, batch, output.size(-1))
        if not batched:
            return output.squeeze(1), tuple(s.squeeze(1) for s in state)
        return output.transpose(0, 1) if self.batch_first else output, state

    def _check_data(self, data: Tensor) -> None:
        weight = self.weight_ih_l0
        if data.dim() != 2:
            raise RuntimeError(f"input must have 2 dimensions when packed, got {data.dim()}")
        if data.size(-1) != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {data.size(-1)}"
            )
        if data.device != weight.device:
            raise RuntimeError(
                "Expected input and parameters on the same device: "
                f"the parameters are on {weight.device}, got input on {data.device}"
            )
        if data.dtype != weight.dtype and not torch.is_autocast_enabled(data.device.type):
            raise ValueError(
                f"{type(self).__name__} input dtype ({data.dtype}) does not match weight dtype "
                f"({weight.dtype}). Convert input: input.to({weight.dtype}), "
                f"or convert model: model.to({data.dtype})"
            )

    def _checked_state(
        self, name: str, state: Tensor, shape: tuple[int, int, int], batched: bool, data: Tensor
    ) -> Tensor:
        check_tensor(f"{type(self).__name__}: {name}", state)
        kind, dims = ("batched", 3) if batched else ("unbatched", 2)
        if state.dim() != dims:
            raise RuntimeError(
                f"For {kind} input, {name} should be {dims}-D, got a {state.dim()}-D tensor"
            )
        if not batched:
            state = state.unsqueeze(1)
        if state.shape != shape:
            expected = shape if batched else (shape[0], shape[2])
            got = tuple(state.shape) if batched else tuple(state.squeeze(1).shape)
            raise RuntimeError(f"Expected {name} of size {expected}, got {got}")
        if state.device != data.device:
            raise RuntimeError(
                f"Expected input and {name} on the same device: "
                f"the input is on {data.device}, got {name} on {state.device}"
            )
        if state.dtype != data.dtype and not torch.is_autocast_enabled(data.device.type):
            raise RuntimeError(
                f"Expected input and {name} of the same dtype: "
                f"the input is {data.dtype}, got {name} {state.dtype}"
            )
        return state

    def extra_repr(self) -> str:
        """Describe the layer as torch.nn does: what differs from the defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if not self.bias:
            text += f", bias={self.bias}"
        if self.batch_first:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional:
            text += f", bidirectional={self.bidirectional}"
        return text


class RNN(RecurrentLayer):
    r"""A plain recurrent layer over whole sequences, the drop-in twin of :class:`torch.nn.RNN`.

    .. math:: h_t = f(x_t W_{xh} + h_{t-1} W_{hh} + b_h), \qquad f = \tanh \text{ or ReLU}

    Parameters
    ----------
    input_size : int
        D, the number of features of x_t.
    hidden_size : int
        H, the number of hidden units.
    num_layers : int, default 1
        L; layer l + 1 reads the outputs of layer l.
    nonlinearity : {"tanh", "relu"}
        The function f.
    bias : bool, default True
        Whether there is a b_h.
    batch_first : bool, default False
        Input and output as (N, T, features) rather than (T, N, features). The states keep
        their layout, (L x directions, N, H).
    dropout : float, default 0
        Probability of zeroing an output of each layer but the last, while training.
    bidirectional : bool, default False
        A second network reads from the end; its outputs are joined to the first one's, aligned.
    proj_size : int
        Only 0: projections are not offered.
    device, dtype : optional
        Where and in which type the parameters are made.

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong type or outside their range.

    Notes
    -----
    Parameters carry torch.nn's names (``weight_ih_l0``, ``weight_hh_l1_reverse``, …), and a state
    dict loads in both directions. Under autocast the results are in autocast's dtype, except where
    the layer is in float64.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device=None,
        dtype=None,
    ):
        super().__init__(
            input_size,
            hidden_size,
            num_layers,
            bias,
            batch_first,
            dropout,
            bidirectional,
            proj_size,
            device,
            dtype,
        )
        self.nonlinearity = check_nonlinearity(nonlinearity)

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Run the layer over a batch of sequences.

        Parameters
        ----------
        input : Tensor or PackedSequence
            (T, N, D), or (N, T, D) with ``batch_first``, or (T, D) for one sequence.
        hx : Tensor, optional
            h_0, (L x directions, N, H), or (L x directions, H) for one sequence; zeros if it is
            not given.

        Returns
        -------
        output : Tensor or PackedSequence
            The top layer's h_t at every step, (T, N, directions x H) in the layout of the input.
        h_n : Tensor, shaped as `hx`
            Every layer's and direction's state after its last step.

        Raises
        ------
        AttributeError
            For what is not a tensor, such as the tuple (h_0, c_0) of an LSTM.
        ValueError
            For an input of the wrong number of dimensions, or of another dtype than the weights.
        RuntimeError
            For sizes or devices that do not fit, a state of another dtype, and a sequence
            without steps.
        """
        state = None if hx is None else (hx,)
        output, (h_n,) = self._forward(input, state, num_states=1)
        return output, h_n

    def _run(self, data, batch_sizes, state, weights, reverse):
        outputs, h_n = bptt.rnn(data, batch_sizes, *state, *weights, self.nonlinearity, reverse)
        return outputs, (h_n,)

    def extra_repr(self) -> str:
        """Describe the layer as torch.nn does: what differs from the defaults."""
        text = super().extra_repr()
        return text if self.nonlinearity == "tanh" else f"{text}, nonlinearity={self.nonlinearity}"


class GRU(RecurrentLayer):
    r"""A layer of gated recurrent units, the drop-in twin of :class:`torch.nn.GRU`.

    .. math::

        r_t &= \sigma(x_t W_{xr} + h_{t-1} W_{hr} + b_r) \\
        z_t &= \sigma(x_t W_{xz} + h_{t-1} W_{hz} + b_z) \\
        n_t &= \tanh(x_t W_{xn} + b_{xn} + r_t \odot (h_{t-1} W_{hn} + b_{hn})) \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size
        As for `RNN`.
    device, dtype : optional
        Where and in which type the parameters are made.

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong type or outside their range.

    Notes
    -----
    The equations are those of Cho et al. [1]_ with the reset gate after the product, as PyTorch
    has it; `GRUCell` offers both forms. Parameters carry torch.nn's names, with the gates in the
    order r, z, n. Under autocast the layer computes in autocast's dtype. On a CPU it returns, as
    torch.nn does, the dtype of its initial state, which is that of the input if none is given.

    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
       statistical machine translation", EMNLP 2014.
    """

    gates = 3

    def forward(
        self, input: Tensor | PackedSequence, hx: Tensor | None = None
    ) -> tuple[Tensor | PackedSequence, Tensor]:
        """Run the layer over a batch of sequences.

        Parameters
        ----------
        input : Tensor or PackedSequence
        hx : Tensor, optional
            h_0. Both are shaped as for `RNN`.

        Returns
        -------
        output : Tensor or PackedSequence
        h_n : Tensor
            As for `RNN`.

        Raises
        ------
        AttributeError, ValueError, RuntimeError
            As for `RNN`.
        """
        state = None if hx is None else (hx,)
        output, (h_n,) = self._forward(input, state, num_states=1)
        return output, h_n

    def _run(self, data, batch_sizes, state, weights, reverse):
        (h_0,) = state
        outputs, h_n = bptt.gru(data, batch_sizes, h_0, *weights, reverse=reverse)
        if data.device.type == "cpu":  # only under autocast does this change anything
            outputs, h_n = outputs.to(h_0.dtype), h_n.to(h_0.dtype)
        return outputs, (h_n,)


class LSTM(RecurrentLayer):
    r"""A layer of long short-term memory, the drop-in twin of :class:`torch.nn.LSTM`.

    .. math::

        i_t &= \sigma(x_t W_{xi} + h_{t-1} W_{hi} + b_i) \\
        f_t &= \sigma(x_t W_{xf} + h_{t-1} W_{hf} + b_f) \\
        g_t &= \tanh(x_t W_{xg} + h_{t-1} W_{hg} + b_g) \\
        o_t &= \sigma(x_t W_{xo} + h_{t-1} W_{ho} + b_o) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        h_t &= o_t \odot \tanh(c_t)

    Parameters
    ----------
    input_size, hidden_size, num_layers, bias, batch_first, dropout, bidirectional, proj_size
        As for `RNN`.
    device, dtype : optional
        Where and in which type the parameters are made.

    Raises
    ------
    TypeError, ValueError
        For arguments of the wrong type or outside their range; for any `proj_size` but 0.

    Notes
    -----
    Hochreiter and Schmidhuber [1]_, with the forget gate of Gers et al. [2]_. Parameters carry
    torch.nn's names, with the gates in the order i, f, g, o. Under autocast the results are in
    autocast's dtype, except where the layer is in float64.

    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997),
       1735-1780.
    .. [2] F. A. Gers, J. Schmidhuber and F. Cummins, "Learning to forget: continual prediction
       with LSTM", Neural Computation 12 (2000), 2451-2471.
    """

    gates = 4

    def forward(
        self, input: Tensor | PackedSequence, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, Tensor]]:
        """Run the layer over a batch of sequences.

        Parameters
        ----------
        input : Tensor or PackedSequence
            Shaped as for `RNN`.
        hx : tuple of two Tensors, optional
            (h_0, c_0), each shaped as h_0 for `RNN`; zeros if it is not given.

        Returns
        -------
        output : Tensor or PackedSequence
            As for `RNN`: the h_t of the top layer.
        (h_n, c_n) : tuple of two Tensors
            Every layer's and direction's h and c after its last step, each shaped as h_0.

        Raises
        ------
        RuntimeError
            For a state that is not a pair, such as the single tensor of an RNN.
        AttributeError, ValueError, RuntimeError
            As for `RNN`.
        """
        state = None if hx is None else check_pair("LSTM", hx, RuntimeError)
        return self._forward(input, state, num_states=2)

    def _run(self, data, batch_sizes, state, weights, reverse):
        outputs, *last = bptt.lstm(data, batch_sizes, *state, *weights, reverse=reverse)
        return outputs, tuple(last)


def set_memory_bias(rnn: nn.Module, value: float) -> None:
    """Start the gate that keeps the past at this bias: an LSTM's forget gate, a GRU's update gate.

    A large value opens the gate: what the state holds is kept, whatever is read. It is set in
    every layer and direction, in place; nothing else changes.

    Parameters
    ----------
    rnn : LSTM or GRU
        Ours or torch.nn's.
    value : float
        The sum of the two biases of the gate, in every unit.

    Raises
    ------
    TypeError
        If `rnn` is neither of the two.
    ValueError
        If it was made without biases.

    Notes
    -----
    That an LSTM should start with its forget gates open was found by Gers, Schmidhuber and
    Cummins, "Learning to forget: continual prediction with LSTM", Neural Computation 12 (2000),
    2451-2471.
    """
    if not isinstance(rnn, LSTM | GRU | nn.LSTM | nn.GRU):
        raise TypeError(f"rnn: expected an LSTM or a GRU, got {type(rnn).__name__}")
    if not rnn.bias:
        raise ValueError(f"rnn: expected a layer with biases, got {rnn}")
    H = rnn.hidden_size
    with torch.no_grad():
        for name, parameter in rnn.named_parameters():
            # The second block of rows belongs to f among i, f, g, o, and to z among r, z, n.
            if name.startswith("bias_ih"):
                parameter[H : 2 * H] = value
            elif name.startswith("bias_hh"):
                parameter[H : 2 * H] = 0.0


class BiRNN(nn.Module):
    r"""Two cells that read a sequence from its two ends, written out to be read.

    Equal to ``torch.nn.RNN(..., bidirectional=True)`` with one layer, and its state dict loads
    in both directions. For packed sequences and several layers use `RNN`.

    .. math::

        \overrightarrow{h}_t &= f(x_t \overrightarrow{W}_{xh}
            + \overrightarrow{h}_{t-1} \overrightarrow{W}_{hh} + \overrightarrow{b}_h) \\
        \overleftarrow{h}_t &= f(x_t \overleftarrow{W}_{xh}
            + \overleftarrow{h}_{t+1} \overleftarrow{W}_{hh} + \overleftarrow{b}_h)

    Parameters
    ----------
    input_size, hidden_size : int
        D and H; each direction has H units.
    nonlinearity : {"tanh", "relu"}
    bias : bool, default True
    batch_first : bool, default False
        As for `RNN`.
    device, dtype : optional

    Raises
    ------
    TypeError, ValueError
        As `RNNCell` raises them.

    Notes
    -----
    Follows Schuster and Paliwal, "Bidirectional recurrent neural networks", IEEE Transactions on
    Signal Processing 45 (1997), 2673-2681.
    """

    num_layers = 1
    bidirectional = True

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        nonlinearity: str = "tanh",
        bias: bool = True,
        batch_first: bool = False,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.batch_first = batch_first
        cell_arguments = (input_size, hidden_size, bias, nonlinearity, device, dtype)
        self.forward_cell = RNNCell(*cell_arguments)
        self.backward_cell = RNNCell(*cell_arguments)
        self.register_state_dict_post_hook(_to_torch_names)
        self.register_load_state_dict_pre_hook(_from_torch_names)

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run both directions and join their outputs step by step.

        Parameters
        ----------
        input : Tensor, (T, N, D), or (N, T, D) with ``batch_first``, or (T, D)
        hx : Tensor, (2, N, H) or (2, H), optional
            The forward cell's state before step 1, and the backward cell's before step T.

        Returns
        -------
        output : Tensor, (T, N, 2H) in the layout of the input
            At step t: what the forward cell knows of x_1 … x_t, then what the backward cell
            knows of x_t … x_T.
        h_n : Tensor, shaped as `hx`
            The forward cell's state at step T, and the backward cell's at step 1.

        Raises
        ------
        TypeError
            For a packed sequence.
        AttributeError
            For what is not a tensor.
        ValueError, RuntimeError
            For dimensions and sizes that do not fit, and for a sequence without steps.
        """
        if isinstance(input, PackedSequence):
            raise TypeError(
                "BiRNN: Expected input to be a Tensor, got a PackedSequence; "
                "use RNN(..., bidirectional=True)"
            )
        check_tensor("BiRNN: input", input)
        if hx is not None:
            check_tensor("BiRNN: hx", hx)
            if hx.dim() == 0 or len(hx) != 2:
                raise RuntimeError(f"BiRNN: Expected hx of two states, got {tuple(hx.shape)}")
        swap = self.batch_first and input.dim() == 3
        x = input.transpose(0, 1) if swap else input
        h_forward, h_backward = (None, None) if hx is None else hx

        forward_outputs, h_forward = unroll(self.forward_cell, x, h_forward)
        backward_outputs, h_backward = unroll(self.backward_cell, x.flip(0), h_backward)
        # The backward cell's first output belongs to the last step: flip it back before joining.
        output = torch.cat([forward_outputs, backward_outputs.flip(0)], dim=-1)

        return output.transpose(0, 1) if swap else output, torch.stack([h_forward, h_backward])


_TORCH_SUFFIXES = {"forward_cell.": "_l0", "backward_cell.": "_l0_reverse"}


def _to_torch_names(module, state_dict, prefix, local_metadata) -> None:
    """Rename ``forward_cell.weight_ih`` to ``weight_ih_l0``, and the like, in a state dict."""
    for key in list(state_dict):
        for cell, suffix in _TORCH_SUFFIXES.items():
            if key.startswith(prefix + cell):
                name = key.removeprefix(prefix + cell)
                state_dict[f"{prefix}{name}{suffix}"] = state_dict.pop(key)


def _from_torch_names(module, state_dict, prefix, *_) -> None:
    """Undo `_to_torch_names` before a state dict is loaded."""
    for cell, suffix in _TORCH_SUFFIXES.items():
        for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            if f"{prefix}{name}{suffix}" in state_dict:
                state_dict[f"{prefix}{cell}{name}"] = state_dict.pop(f"{prefix}{name}{suffix}")
