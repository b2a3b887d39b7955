"""One time step: the recurrent cells, each the twin of torch.nn's.

The body of a cell's ``forward`` is the equation that the chapters print, in the same letters.
Rows are samples: x_t is (N, D), h_t is (N, H). PyTorch stores its matrices transposed, those of
several gates one below the other, and two biases where the equation has one; properties such as
``W_xh``, ``W_hh`` and ``b_h`` translate.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

from rnnlib.checks import check_nonlinearity, check_pair, check_size, check_tensor

NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}


def refuse_scripting(module: nn.Module) -> None:
    """Say what there is instead of ``torch.jit.script``, which calls this on every module."""
    raise NotImplementedError(
        f"torch.jit.script cannot read rnnlib's {type(module).__name__}: "
        "use torch.export.export or torch.jit.trace"
    )


def init_uniform(parameters, hidden_size: int) -> None:
    """Draw every parameter from U(-1/sqrt(H), 1/sqrt(H)), torch.nn's rule for recurrent layers.

    Parameters
    ----------
    parameters : iterable of Parameter
        Changed in place, in order: the same seed gives the same weights as torch.nn's module.
    hidden_size : int
        H.
    """
    bound = 1.0 / math.sqrt(hidden_size)
    for parameter in parameters:
        nn.init.uniform_(parameter, -bound, bound)


class RecurrentCell(nn.Module):
    """What the three cells share: parameters under torch.nn's names, and checks of the input.

    A subclass says how many gates it has, and writes its equations in ``forward``.
    """

    gates = 1
    __prepare_scriptable__ = refuse_scripting

    def __init__(self, input_size: int, hidden_size: int, bias: bool, device, dtype):
        super().__init__()
        self.input_size = check_size("input_size", input_size)
        self.hidden_size = check_size("hidden_size", hidden_size)
        self.bias = bias
        made = {"device": device, "dtype": dtype}
        rows = self.gates * hidden_size
        self.weight_ih = nn.Parameter(torch.empty(rows, input_size, **made))
        self.weight_hh = nn.Parameter(torch.empty(rows, hidden_size, **made))
        if bias:
            self.bias_ih = nn.Parameter(torch.empty(rows, **made))
            self.bias_hh = nn.Parameter(torch.empty(rows, **made))
        else:
            self.register_parameter("bias_ih", None)
            self.register_parameter("bias_hh", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew from U(-1/sqrt(H), 1/sqrt(H))."""
        init_uniform(self.parameters(), self.hidden_size)

    def _checked(self, x_t: Tensor, **states: Tensor | None) -> tuple[Tensor, ...]:
        """Return x_t and the states, zeros for those that are None, or raise as torch.nn does."""
        cell = type(self).__name__
        check_tensor(f"{cell}: input", x_t)
        if x_t.dim() not in (1, 2):
            raise ValueError(f"{cell}: Expected input to be 1D or 2D, got {x_t.dim()}D instead")
        if x_t.size(-1) != self.input_size:
            raise RuntimeError(
                f"{cell}: input has inconsistent input_size: "
                f"got {x_t.size(-1)}, expected {self.input_size}"
            )
        self._check_kind("input", x_t)
        expected = (*x_t.shape[:-1], self.hidden_size)
        return x_t, *(self._checked_state(name, s, x_t, expected) for name, s in states.items())

    def _checked_state(self, name: str, h: Tensor | None, x_t: Tensor, expected: tuple) -> Tensor:
        cell = type(self).__name__
        if h is None:
            return x_t.new_zeros(expected)
        check_tensor(f"{cell}: {name}", h)
        if h.dim() not in (1, 2):
            raise ValueError(f"{cell}: Expected {name} to be 1D or 2D, got {h.dim()}D instead")
        if h.shape != expected:
            raise RuntimeError(f"{cell}: Expected {name} of shape {expected}, got {tuple(h.shape)}")
        self._check_kind(name, h)
        return h

    def _check_kind(self, name: str, value: Tensor) -> None:
        """Refuse a tensor of another dtype or device than the weights'."""
        weight = self.weight_ih
        if value.device != weight.device:
            raise RuntimeError(
                f"{type(self).__name__}: Expected {name} on the weights' device {weight.device}, "
                f"got {value.device}"
            )
        if value.dtype != weight.dtype and not torch.is_autocast_enabled(value.device.type):
            raise RuntimeError(
                f"{type(self).__name__}: Expected {name} of the weights' dtype {weight.dtype}, "
                f"got {value.dtype}"
            )

    def extra_repr(self) -> str:
        """Describe the cell as torch.nn does: what differs from the defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        return text if self.bias else f"{text}, bias={self.bias}"


class RNNCell(RecurrentCell):
    r"""One step of a plain recurrent network, the twin of :class:`torch.nn.RNNCell`.

    .. math::

        h_t &= f(x_t W_{xh} + h_{t-1} W_{hh} + b_h), \\
        f &= \tanh \text{ or ReLU}

    Parameters
    ----------
    input_size : int
        D, the number of features of x_t.
    hidden_size : int
        H, the number of hidden units.
    bias : bool, default True
        Whether there is a b_h at all.
    nonlinearity : {"tanh", "relu"}
        The function f.
    device, dtype : optional
        Where and in which type the parameters are made.

    Attributes
    ----------
    weight_ih : Parameter, (H, D)
    weight_hh : Parameter, (H, H)
    bias_ih, bias_hh : Parameter, (H,), or None without bias
        PyTorch's names, so that ``load_state_dict`` works in both directions.

    Raises
    ------
    TypeError, ValueError
        For sizes that are not positive integers and a nonlinearity that is not one of the two.

    Notes
    -----
    The equation is Elman's [1]_.

    .. [1] J. L. Elman, "Finding structure in time", Cognitive Science 14 (1990), 179-211.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        nonlinearity: str = "tanh",
        device=None,
        dtype=None,
    ):
        super().__init__(input_size, hidden_size, bias, device, dtype)
        self.nonlinearity = check_nonlinearity(nonlinearity)

    @classmethod
    def on(cls, weights: list[Tensor | None], nonlinearity: str = "tanh") -> "RNNCell":
        """Return a cell on given weights rather than on new ones.

        Parameters
        ----------
        weights : list of Tensor or None
            weight_ih, weight_hh, bias_ih, bias_hh; the biases are None where there are none.
        nonlinearity : {"tanh", "relu"}
        """
        cell = cls.__new__(cls)
        nn.Module.__init__(cell)
        names = "weight_ih", "weight_hh", "bias_ih", "bias_hh"
        for name, weight in zip(names, weights, strict=True):
            setattr(cell, name, weight)
        cell.hidden_size, cell.input_size = weights[0].shape
        cell.bias, cell.nonlinearity = weights[2] is not None, nonlinearity
        return cell

    @property
    def W_xh(self) -> Tensor:
        """The input matrix of the equation, (D, H)."""
        return self.weight_ih.T

    @property
    def W_hh(self) -> Tensor:
        """The recurrent matrix of the equation, (H, H)."""
        return self.weight_hh.T

    @property
    def b_h(self) -> Tensor:
        """The bias of the equation, (H,): the sum of PyTorch's two, or zeros without bias."""
        if not self.bias:
            return self.weight_hh.new_zeros(self.hidden_size)
        return self.bias_ih + self.bias_hh

    @property
    def f(self) -> Callable[[Tensor], Tensor]:
        """The nonlinearity of the equation."""
        return NONLINEARITIES[self.nonlinearity]

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Compute h_t from x_t and h_{t-1}.

        Parameters
        ----------
        input : Tensor, (N, D) or (D,)
            x_t.
        hx : Tensor, (N, H) or (H,), optional
            h_{t-1}; zeros if it is not given.

        Returns
        -------
        Tensor, (N, H) or (H,)
            h_t.

        Raises
        ------
        AttributeError
            For what is not a tensor, such as the tuple (h, c) of an LSTM.
        ValueError
            For an input or a state with another number of dimensions.
        RuntimeError
            For sizes, dtypes or devices that do not fit.
        """
        x_t, h = self._checked(input, hidden=hx)
        return self.f(x_t @ self.W_xh + h @ self.W_hh + self.b_h)

    def extra_repr(self) -> str:
        """Describe the cell as torch.nn does: what differs from the defaults."""
        text = super().extra_repr()
        return text if self.nonlinearity == "tanh" else f"{text}, nonlinearity={self.nonlinearity}"


def gate_matrix(weight: str, gate: int) -> property:
    """Make a property: one gate's matrix of the equation, (D, H) or (H, H), a view of `weight`."""

    def read(cell) -> Tensor:
        H = cell.hidden_size
        return getattr(cell, weight)[gate * H : (gate + 1) * H].T

    return property(read, doc=f"The columns of gate {gate} in the transposed {weight}.")


def gate_bias(gate: int, *biases: str) -> property:
    """Make a property: one gate's bias of the equation, (H,), the sum of PyTorch's `biases`."""

    def read(cell) -> Tensor:
        H = cell.hidden_size
        if not cell.bias:
            return cell.weight_hh.new_zeros(H)
        first, *rest = (getattr(cell, bias)[gate * H : (gate + 1) * H] for bias in biases)
        return first + rest[0] if rest else first

    return property(read, doc=f"Gate {gate} of {' + '.join(biases)}, or zeros without bias.")


class LSTMCell(RecurrentCell):
    r"""One step of a long short-term memory, the twin of :class:`torch.nn.LSTMCell`.

    .. math::

        i_t &= \sigma(x_t W_{xi} + h_{t-1} W_{hi} + b_i) \\
        f_t &= \sigma(x_t W_{xf} + h_{t-1} W_{hf} + b_f) \\
        g_t &= \tanh(x_t W_{xg} + h_{t-1} W_{hg} + b_g) \\
        o_t &= \sigma(x_t W_{xo} + h_{t-1} W_{ho} + b_o) \\
        c_t &= f_t \odot c_{t-1} + i_t \odot g_t \\
        h_t &= o_t \odot \tanh(c_t)

    Parameters
    ----------
    input_size : int
        D, the number of features of x_t.
    hidden_size : int
        H, the number of hidden units.
    bias : bool, default True
        Whether there are biases at all.
    device, dtype : optional
        Where and in which type the parameters are made.

    Attributes
    ----------
    weight_ih : Parameter, (4 H, D)
    weight_hh : Parameter, (4 H, H)
    bias_ih, bias_hh : Parameter, (4 H,), or None without bias
        PyTorch's names and its order of the gates, i, f, g, o, so that ``load_state_dict`` works
        in both directions.
    W_xi, W_xf, W_xg, W_xo : Tensor, (D, H)
    W_hi, W_hf, W_hg, W_ho : Tensor, (H, H)
        The matrices of the equations, views of the parameters.
    b_i, b_f, b_g, b_o : Tensor, (H,)
        The biases of the equations, each the sum of PyTorch's two.

    Raises
    ------
    TypeError, ValueError
        For sizes that are not positive integers.

    Notes
    -----
    Hochreiter and Schmidhuber [1]_, with the forget gate of Gers et al. [2]_.

    .. [1] S. Hochreiter and J. Schmidhuber, "Long short-term memory", Neural Computation 9 (1997),
       1735-1780.
    .. [2] F. A. Gers, J. Schmidhuber and F. Cummins, "Learning to forget: continual prediction
       with LSTM", Neural Computation 12 (2000), 2451-2471.
    """

    gates = 4
    W_xi, W_xf, W_xg, W_xo = (gate_matrix("weight_ih", gate) for gate in range(4))
    W_hi, W_hf, W_hg, W_ho = (gate_matrix("weight_hh", gate) for gate in range(4))
    b_i, b_f, b_g, b_o = (gate_bias(gate, "bias_ih", "bias_hh") for gate in range(4))

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device=None, dtype=None
    ):
        super().__init__(input_size, hidden_size, bias, device, dtype)

    def forward(
        self, input: Tensor, hx: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Compute h_t and c_t from x_t, h_{t-1} and c_{t-1}.

        Parameters
        ----------
        input : Tensor, (N, D) or (D,)
            x_t.
        hx : tuple of two Tensors, each (N, H) or (H,), optional
            (h_{t-1}, c_{t-1}); zeros if it is not given.

        Returns
        -------
        (h_t, c_t) : tuple of two Tensors, each (N, H) or (H,)

        Raises
        ------
        TypeError, RuntimeError
            For a state that is not a pair, such as the single tensor of an RNN.
        AttributeError
            For what is not a tensor.
        ValueError
            For an input or a state with another number of dimensions.
        RuntimeError
            For sizes, dtypes or devices that do not fit.
        """
        h, c = (None, None) if hx is None else check_pair("LSTMCell", hx)
        x_t, h, c = self._checked(input, h=h, c=c)
        i_t = torch.sigmoid(x_t @ self.W_xi + h @ self.W_hi + self.b_i)
        f_t = torch.sigmoid(x_t @ self.W_xf + h @ self.W_hf + self.b_f)
        g_t = torch.tanh(x_t @ self.W_xg + h @ self.W_hg + self.b_g)
        o_t = torch.sigmoid(x_t @ self.W_xo + h @ self.W_ho + self.b_o)
        c_t = f_t * c + i_t * g_t
        h_t = o_t * torch.tanh(c_t)
        return h_t, c_t


class GRUCell(RecurrentCell):
    r"""One step of a gated recurrent unit, the twin of :class:`torch.nn.GRUCell`.

    .. math::

        r_t &= \sigma(x_t W_{xr} + h_{t-1} W_{hr} + b_r) \\
        z_t &= \sigma(x_t W_{xz} + h_{t-1} W_{hz} + b_z) \\
        n_t &= \tanh(x_t W_{xn} + b_{xn} + r_t \odot (h_{t-1} W_{hn} + b_{hn})) \\
        h_t &= (1 - z_t) \odot n_t + z_t \odot h_{t-1}

    With ``reset_after=False`` the reset gate acts before the product, as it was first published:

    .. math:: n_t = \tanh(x_t W_{xn} + b_{xn} + (r_t \odot h_{t-1}) W_{hn} + b_{hn})

    Parameters
    ----------
    input_size : int
        D, the number of features of x_t.
    hidden_size : int
        H, the number of hidden units.
    bias : bool, default True
        Whether there are biases at all.
    device, dtype : optional
        Where and in which type the parameters are made.
    reset_after : bool, default True, by keyword only
        Whether r_t acts after the product with W_hn or before it. The parameters have the same
        names and shapes in both forms, and a state dict loads in either. But only
        ``reset_after=True`` computes what torch.nn does; weights trained in one form mean
        something else in the other.

    Attributes
    ----------
    weight_ih : Parameter, (3 H, D)
    weight_hh : Parameter, (3 H, H)
    bias_ih, bias_hh : Parameter, (3 H,), or None without bias
        PyTorch's names and its order of the gates, r, z, n, so that ``load_state_dict`` works in
        both directions.
    W_xr, W_xz, W_xn : Tensor, (D, H)
    W_hr, W_hz, W_hn : Tensor, (H, H)
        The matrices of the equations, views of the parameters.
    b_r, b_z, b_xn, b_hn : Tensor, (H,)
        The biases of the equations; b_r and b_z are each the sum of PyTorch's two.

    Raises
    ------
    TypeError, ValueError
        For sizes that are not positive integers, and a `reset_after` that is not a bool.

    Notes
    -----
    Cho et al. [1]_. PyTorch moved the reset gate behind the product, so that one product serves
    all three gates.

    .. [1] K. Cho et al., "Learning phrase representations using RNN encoder-decoder for
       statistical machine translation", EMNLP 2014.
    """

    gates = 3
    W_xr, W_xz, W_xn = (gate_matrix("weight_ih", gate) for gate in range(3))
    W_hr, W_hz, W_hn = (gate_matrix("weight_hh", gate) for gate in range(3))
    b_r, b_z = (gate_bias(gate, "bias_ih", "bias_hh") for gate in range(2))
    b_xn, b_hn = gate_bias(2, "bias_ih"), gate_bias(2, "bias_hh")

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        bias: bool = True,
        device=None,
        dtype=None,
        *,
        reset_after: bool = True,
    ):
        super().__init__(input_size, hidden_size, bias, device, dtype)
        if not isinstance(reset_after, bool):
            raise TypeError(
                f"reset_after should be of type bool, got: {type(reset_after).__name__}"
            )
        self.reset_after = reset_after

    def forward(self, input: Tensor, hx: Tensor | None = None) -> Tensor:
        """Compute h_t from x_t and h_{t-1}.

        Parameters
        ----------
        input : Tensor, (N, D) or (D,)
            x_t.
        hx : Tensor, (N, H) or (H,), optional
            h_{t-1}; zeros if it is not given.

        Returns
        -------
        Tensor, (N, H) or (H,)
            h_t.

        Raises
        ------
        AttributeError, ValueError, RuntimeError
            As for `RNNCell`.
        """
        x_t, h = self._checked(input, hidden=hx)
        r_t = torch.sigmoid(x_t @ self.W_xr + h @ self.W_hr + self.b_r)
        z_t = torch.sigmoid(x_t @ self.W_xz + h @ self.W_hz + self.b_z)
        if self.reset_after:
            from_h = r_t * (h @ self.W_hn + self.b_hn)
        else:
            from_h = (r_t * h) @ self.W_hn + self.b_hn
        n_t = torch.tanh(x_t @ self.W_xn + self.b_xn + from_h)
        return (1 - z_t) * n_t + z_t * h

    def extra_repr(self) -> str:
        """Describe the cell as torch.nn does: what differs from the defaults."""
        text = super().extra_repr()
        return text if self.reset_after else f"{text}, reset_after=False"
