"""Gated layers whose gates read the input alone, so that their recurrence is linear.

Each works out a pair (a_t, b_t) for all steps at once, and hands the pairs to one of the forms in
`rnnlib.layers.linear`.
"""

import torch
from torch import Tensor, nn

from rnnlib.checks import check_size, check_tensor
from rnnlib.layers.linear import Recurrence, linear_scan


class _LinearLayer(nn.Module):
    """One layer, one direction: pairs of all steps, then the recurrence."""

    num_layers, bidirectional = 1, False

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        batch_first: bool,
        recurrence: Recurrence,
    ):
        super().__init__()
        self.input_size = check_size("input_size", input_size)
        self.hidden_size = check_size("hidden_size", hidden_size)
        self.batch_first, self.recurrence = batch_first, recurrence

    def pairs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return a and b of every step, from the inputs (…, D)."""
        raise NotImplementedError

    def forward(self, input: Tensor, hx: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run over a sequence, or a piece of one.

        Parameters
        ----------
        input : Tensor, (T, N, D), or (N, T, D) with ``batch_first``, or (T, D)
        hx : Tensor, (1, N, H) or (1, H), optional
            The state before the first step; zeros by default. Complex in a `DiagonalSSM`.

        Returns
        -------
        output : Tensor, (T, N, H) in the layout of the input
        h_n : Tensor, shaped as `hx`
            The state after the last step, with which the next piece goes on.

        Raises
        ------
        TypeError, ValueError
            For what is no tensor, and for shapes and dtypes that do not fit.
        """
        check_tensor("input", input, TypeError)
        if input.dim() not in (2, 3) or input.size(-1) != self.input_size:
            raise ValueError(
                f"input: expected two or three dimensions, the last of size {self.input_size}, "
                f"got {tuple(input.shape)}"
            )
        dtype = next(self.parameters()).dtype
        if input.dtype != dtype:
            raise ValueError(f"input: expected {dtype}, as the layer has, got {input.dtype}")
        swap = self.batch_first and input.dim() == 3
        x = input.transpose(0, 1) if swap else input
        a, b = self.pairs(x)
        h_0 = None if hx is None else self._checked_state(hx, b)[0]
        h = self.recurrence(a, b, h_0)
        output = self.read(h, x)
        return output.transpose(0, 1) if swap else output, h[-1:]

    def _checked_state(self, hx: Tensor, b: Tensor) -> Tensor:
        check_tensor("hx", hx, TypeError)
        expected = (1, *b.shape[1:])
        if hx.shape != expected:
            raise ValueError(f"hx: expected {expected}, got {tuple(hx.shape)}")
        if hx.dtype != b.dtype and not torch.is_autocast_enabled(b.device.type):
            raise ValueError(f"hx: expected {b.dtype}, as the layer's states have, got {hx.dtype}")
        return hx

    def read(self, h: Tensor, x: Tensor) -> Tensor:
        """Return what the layer hands on: its states."""
        return h

    def extra_repr(self) -> str:
        """Name sizes, and what differs from the defaults."""
        first = ", batch_first=True" if self.batch_first else ""
        return f"{self.input_size}, {self.hidden_size}{first}"


class MinGRU(_LinearLayer):
    r"""A GRU without reset gate, whose update gate and candidate see the input alone.

    .. math::

        z_t &= \sigma(x_t W_{xz} + b_z) \\
        n_t &= x_t W_{xn} + b_n \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    batch_first : bool, default False
    signed : bool, default False
        Whether the old state's factor reaches from -1 to 1, :math:`2 z_t - 1`, instead of from 0 to
        1, :math:`z_t`. Nothing else is changed.
    recurrence : callable, default `linear_scan`
        `linear_scan`, or `linear_loop`, which computes the same.
    device, dtype : optional

    Attributes
    ----------
    from_x : Linear
        From D to 2 H: the blocks z and n.

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers.

    Notes
    -----
    L. Feng, F. Tung, M. O. Ahmed, Y. Bengio and H. Hajimirsadeghi, "Were RNNs all we needed?",
    arXiv:2410.01201 (2024). Their z_t is our 1 - z_t. They also have a form in log space, which
    needs a positive candidate; here it may have either sign. Factors below zero: R. Grazzi et al.,
    "Unlocking state-tracking in linear RNNs through negative eigenvalues", ICLR 2025.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        batch_first: bool = False,
        signed: bool = False,
        recurrence: Recurrence = linear_scan,
        device=None,
        dtype=None,
    ):
        super().__init__(input_size, hidden_size, batch_first, recurrence)
        self.signed = signed
        self.from_x = nn.Linear(input_size, 2 * hidden_size, device=device, dtype=dtype)

    def pairs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return a and b of every step, (…, H) each, from the inputs (…, D)."""
        z, n = self.from_x(x).chunk(2, dim=-1)
        z = torch.sigmoid(z)
        return 2 * z - 1 if self.signed else z, (1 - z) * n

    def extra_repr(self) -> str:
        """Name sizes, and what differs from the defaults."""
        return super().extra_repr() + (", signed=True" if self.signed else "")


class MinLSTM(_LinearLayer):
    r"""An LSTM without output gate, whose gates and candidate see the input alone.

    .. math::

        f_t &= \sigma(x_t W_{xf} + b_f) \\
        i_t &= \sigma(x_t W_{xi} + b_i) \\
        n_t &= x_t W_{xn} + b_n \\
        h_t &= \frac{f_t}{f_t + i_t} \odot h_{t-1} + \frac{i_t}{f_t + i_t} \odot n_t

    Parameters
    ----------
    input_size, hidden_size : int
        D and H.
    batch_first : bool, default False
    recurrence : callable, default `linear_scan`
        `linear_scan`, or `linear_loop`, which computes the same.
    device, dtype : optional

    Attributes
    ----------
    from_x : Linear
        From D to 3 H: the blocks f, i and n.

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers.

    Notes
    -----
    Feng et al. (2024), as `MinGRU`.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        batch_first: bool = False,
        recurrence: Recurrence = linear_scan,
        device=None,
        dtype=None,
    ):
        super().__init__(input_size, hidden_size, batch_first, recurrence)
        self.from_x = nn.Linear(input_size, 3 * hidden_size, device=device, dtype=dtype)

    def pairs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return a and b of every step, (…, H) each, from the inputs (…, D)."""
        f, i, n = self.from_x(x).chunk(3, dim=-1)
        # f / (f + i) is σ(log f - log i), which stays a number where both gates round to 0.
        ahead = nn.functional.logsigmoid(f) - nn.functional.logsigmoid(i)
        return torch.sigmoid(ahead), torch.sigmoid(-ahead) * n
