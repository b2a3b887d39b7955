"""One time step: the recurrent cells, each the twin of torch.nn's.

The body of a cell's ``forward`` is the equation that the chapters print, in the same letters.
Rows are samples: x_t is (N, D), h_t is (N, H). PyTorch stores its matrices transposed, and two
biases where the equation has one; the properties ``W_xh``, ``W_hh`` and ``b_h`` translate.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

NONLINEARITIES: dict[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu}


def check_size(name: str, value: int) -> int:
    """Return `value` if it is a positive int; otherwise raise as torch.nn does."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
    if value <= 0:
        raise ValueError(f"{name} must be greater than zero, got {value}")
    return value


def check_nonlinearity(name: str) -> str:
    """Return `name` if it is a key of `NONLINEARITIES`; otherwise raise as torch.nn does."""
    if name not in NONLINEARITIES:
        raise ValueError(f"Unknown nonlinearity {name!r}. Select from 'tanh' or 'relu'.")
    return name


def check_tensor(name: str, value) -> None:
    """Raise AttributeError, as torch.nn does, if `value` is not a tensor."""
    if not isinstance(value, Tensor):
        raise AttributeError(f"{name}: expected a Tensor, got {type(value).__name__}")


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


class RNNCell(nn.Module):
    r"""One step of a plain recurrent network, the twin of :class:`torch.nn.RNNCell`.

    .. math:: h_t = f(x_t W_{xh} + h_{t-1} W_{hh} + b_h), \qquad f = \tanh \text{ or ReLU}

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
        super().__init__()
        self.input_size = check_size("input_size", input_size)
        self.hidden_size = check_size("hidden_size", hidden_size)
        self.bias = bias
        self.nonlinearity = check_nonlinearity(nonlinearity)
        made = {"device": device, "dtype": dtype}
        self.weight_ih = nn.Parameter(torch.empty(hidden_size, input_size, **made))
        self.weight_hh = nn.Parameter(torch.empty(hidden_size, hidden_size, **made))
        if bias:
            self.bias_ih = nn.Parameter(torch.empty(hidden_size, **made))
            self.bias_hh = nn.Parameter(torch.empty(hidden_size, **made))
        else:
            self.register_parameter("bias_ih", None)
            self.register_parameter("bias_hh", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew from U(-1/sqrt(H), 1/sqrt(H))."""
        init_uniform(self.parameters(), self.hidden_size)

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
        x_t, h = self._checked(input, hx)
        return self.f(x_t @ self.W_xh + h @ self.W_hh + self.b_h)

    def _checked(self, x_t: Tensor, h: Tensor | None) -> tuple[Tensor, Tensor]:
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
        if h is None:
            return x_t, x_t.new_zeros(expected)
        check_tensor(f"{cell}: hidden", h)
        if h.dim() not in (1, 2):
            raise ValueError(f"{cell}: Expected hidden to be 1D or 2D, got {h.dim()}D instead")
        if h.shape != expected:
            raise RuntimeError(f"{cell}: Expected hidden of shape {expected}, got {tuple(h.shape)}")
        self._check_kind("hidden", h)
        return x_t, h

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
        if not self.bias:
            text += f", bias={self.bias}"
        if self.nonlinearity != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text
