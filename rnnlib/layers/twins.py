"""The drop-in twins of torch.nn's layers. Each direction of each layer is one call of a pass."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnlib import bptt
from rnnlib.bptt.choice import eagerly
from rnnlib.checks import check_nonlinearity, check_pair
from rnnlib.layers.recurrent import RecurrentLayer


class RNN(RecurrentLayer):
    r"""A plain recurrent layer over whole sequences, the drop-in twin of :class:`torch.nn.RNN`.

    .. math::

        h_t &= f(x_t W_{xh} + h_{t-1} W_{hh} + b_h), \\
        f &= \tanh \text{ or ReLU}

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

    @eagerly
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

    @eagerly
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

    @eagerly
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
