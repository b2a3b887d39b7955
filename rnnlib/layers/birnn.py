"""Two directions, written out to be read."""

import torch
from torch import Tensor
from torch.nn.utils.rnn import PackedSequence

from rnnlib.bptt.choice import eagerly
from rnnlib.cells import RNNCell
from rnnlib.checks import check_nonlinearity, check_tensor
from rnnlib.layers.recurrent import RecurrentLayer
from rnnlib.layers.unroll import unroll


class BiRNN(RecurrentLayer):
    r"""Two cells that read a sequence from its two ends, written out to be read.

    Equal to ``torch.nn.RNN(..., bidirectional=True)`` with one layer, whose names its parameters
    have. For packed sequences and several layers use `RNN`.

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

    Attributes
    ----------
    forward_cell, backward_cell : RNNCell
        The two cells, made on the layer's weights whenever they are asked for.

    Raises
    ------
    TypeError, ValueError
        As `RNN` raises them.

    Notes
    -----
    Follows Schuster and Paliwal, "Bidirectional recurrent neural networks", IEEE Transactions on
    Signal Processing 45 (1997), 2673-2681.
    """

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
        super().__init__(
            input_size,
            hidden_size,
            bias=bias,
            batch_first=batch_first,
            bidirectional=True,
            device=device,
            dtype=dtype,
        )
        self.nonlinearity = check_nonlinearity(nonlinearity)

    @property
    def forward_cell(self) -> RNNCell:
        """The cell that reads from the first step to the last."""
        return RNNCell.on(self._weights(0, direction=0), self.nonlinearity)

    @property
    def backward_cell(self) -> RNNCell:
        """The cell that reads from the last step to the first."""
        return RNNCell.on(self._weights(0, direction=1), self.nonlinearity)

    @eagerly
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
        if torch.compiler.is_dynamo_compiling():  # torch.compile steps over this: see `eagerly`
            raise RuntimeError(
                "BiRNN: torch.export cannot read it with strict=True, because its cells are made "
                "as it runs; use strict=False, or RNN(..., bidirectional=True)"
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
