"""Forecasts: the simple ones that a network must beat, a recurrent one, and what all are scored by.

A window is (M, W), oldest step first. A forecast made from it is (M, H), one column a step ahead.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from rnnlib.checks import check_integer, check_number, check_tensor
from rnnlib.device import in_mode
from rnnlib.layers import State
from rnnlib.models.common import LAYERS, made_like, output_size

# The simple ones


def persistence(x: Tensor, horizon: int) -> Tensor:
    """Say that nothing will change.

    Parameters
    ----------
    x : Tensor, (M, W)
        Windows.
    horizon : int
        H.

    Returns
    -------
    Tensor, (M, H)

    Raises
    ------
    TypeError, ValueError
        For what are no windows, or no positive integer.
    """
    return seasonal(x, horizon, period=1)


def seasonal(x: Tensor, horizon: int, *, period: int) -> Tensor:
    """Say that the last period will come again, as often as is needed.

    Parameters
    ----------
    x : Tensor, (M, W)
        Windows of at least `period` steps.
    horizon : int
        H.
    period : int

    Returns
    -------
    Tensor, (M, H)

    Raises
    ------
    TypeError, ValueError
        For what are no such windows, or no positive integers.
    """
    _check_windows(x)
    check_integer("horizon", horizon, least=1)
    W = x.size(1)
    if check_integer("period", period, least=1) > W:
        raise ValueError(f"period: expected at most {W}, the steps of a window, got {period}")
    return x[:, W - period + torch.arange(horizon) % period]


@dataclass(frozen=True)
class Linear:
    """A linear forecast: a weighted sum of the window, and a constant.

    Parameters
    ----------
    weight : Tensor, (W, H)
    bias : Tensor, (H,)
    """

    weight: Tensor
    bias: Tensor

    @classmethod
    def fit(cls, x: Tensor, y: Tensor, *, ridge: float = 0.0) -> "Linear":
        """Find the weights of least squared error: linear autoregression.

        Parameters
        ----------
        x : Tensor, (M, W)
            Windows of the training part.
        y : Tensor, (M, H)
            What followed. With H = 1 the forecast can be iterated; with more it is direct, and
            each step ahead has weights of its own.
        ridge : float, default 0
            What the squared weights cost, beside the mean squared error.

        Returns
        -------
        Linear

        Raises
        ------
        TypeError, ValueError
            For what does not fit together.
        """
        _check_windows(x)
        _check_windows(y, "y")
        if len(x) != len(y):
            raise ValueError(f"y: expected {len(x)} rows, one for each window, got {len(y)}")
        check_number("ridge", ridge)
        if not ridge >= 0:
            raise ValueError(f"ridge: expected a number from 0 on, got {ridge}")
        mean_x, mean_y = x.mean(dim=0), y.mean(dim=0)
        a, b = x - mean_x, y - mean_y
        if ridge:
            # The penalty as rows of its own: no squared matrix, whose condition is squared too.
            W = x.size(1)
            a = torch.cat([a, (ridge * len(x)) ** 0.5 * torch.eye(W, dtype=x.dtype)])
            b = torch.cat([b, b.new_zeros(W, b.size(1))])
        weight = torch.linalg.lstsq(a, b, driver="gelsd").solution
        return cls(weight, mean_y - mean_x @ weight)

    def __call__(self, x: Tensor) -> Tensor:
        """Forecast from windows, (M, W): (M, H)."""
        _check_windows(x)
        if x.size(1) != len(self.weight):
            raise ValueError(f"x: expected windows of {len(self.weight)} steps, got {x.size(1)}")
        return x @ self.weight + self.bias


def iterate(step: Callable[[Tensor], Tensor], x: Tensor, horizon: int) -> Tensor:
    """Forecast many steps with what forecasts one: move the window on over its own forecasts.

    Parameters
    ----------
    step : callable
        From windows (M, W) to the step that follows, (M, 1): a `Linear`, a network.
    x : Tensor, (M, W)
        Windows.
    horizon : int
        H.

    Returns
    -------
    Tensor, (M, H)

    Raises
    ------
    TypeError, ValueError
        For what are no windows, no positive integer, or if `step` returns another shape.
    """
    _check_windows(x)
    found = []
    for _ in range(check_integer("horizon", horizon, least=1)):
        next_step = step(x)
        if next_step.shape != (len(x), 1):
            raise ValueError(
                f"step: expected to return ({len(x)}, 1), got {tuple(next_step.shape)}"
            )
        found.append(next_step)
        x = torch.cat([x[:, 1:], next_step], dim=1)
    return torch.cat(found, dim=1)


# The recurrent one


class Forecaster(nn.Module):
    """Read a series and forecast at every step what comes next.

    Parameters
    ----------
    rnn : Module
        RNN, GRU or LSTM, ours or torch.nn's, with ``batch_first``, inputs of size 1, and one
        direction: the other has read the answer.
    num_outputs : int, default 1
        Numbers forecast at each step: the next one; or the next H, directly; or its quantiles.
    residual : bool, default False
        Whether the read-out says how much the series will change, and the step just read is added.

    Attributes
    ----------
    rnn : Module
        As given.
    readout : Linear
        From H to `num_outputs`.
    residual : bool
        As given.

    Raises
    ------
    TypeError, ValueError
        For another layer, and sizes that are no positive integers.
    """

    def __init__(self, rnn: nn.Module, num_outputs: int = 1, *, residual: bool = False):
        super().__init__()
        if not isinstance(rnn, tuple(LAYERS.values())):
            raise TypeError(
                f"rnn: expected an RNN, GRU or LSTM, ours or torch.nn's, got {type(rnn).__name__}"
            )
        if not rnn.batch_first or rnn.input_size != 1 or rnn.bidirectional:
            raise ValueError(
                "rnn: expected batch_first, inputs of size 1 and one direction, got batch_first="
                f"{rnn.batch_first}, input_size={rnn.input_size}, bidirectional="
                f"{rnn.bidirectional}"
            )
        check_integer("num_outputs", num_outputs, least=1)
        self.rnn = rnn
        self.residual = residual
        self.readout = made_like(rnn, nn.Linear, output_size(rnn), num_outputs)

    def forward(self, x: Tensor, alone: int = 0) -> Tensor:
        """Forecast at every step, and then go on alone.

        Parameters
        ----------
        x : Tensor, (N, T, 1)
        alone : int, default 0
            Further steps, at each of which the last forecast is read (free running). The gradient
            goes back through what was read: so a model can be trained as it is used.

        Returns
        -------
        Tensor, (N, T + alone, num_outputs)
            At step t what is said of the steps behind it.

        Raises
        ------
        TypeError, ValueError
            For no such number of steps, and for a model that would have to read more than one
            output.
        RuntimeError
            As the layer raises it.
        """
        check_integer("alone", alone, least=0)
        if alone and self.readout.out_features != 1:
            raise ValueError(
                "alone: expected a model with one output, which it can read, got "
                f"{self.readout.out_features}"
            )
        y, state = self._read(x, None)
        found = [y]
        for _ in range(alone):
            y, state = self._read(y[:, -1:], state)
            found.append(y)
        return torch.cat(found, dim=1)

    def forecast(self, x: Tensor, horizon: int) -> Tensor:
        """Read windows and go on alone, without dropout and without gradients.

        Parameters
        ----------
        x : Tensor, (M, W)
            Windows.
        horizon : int
            H.

        Returns
        -------
        Tensor, (M, H)

        Raises
        ------
        TypeError, ValueError
            For what are no windows, no positive integer, and a model with more than one output.
        """
        _check_windows(x)
        check_integer("horizon", horizon, least=1)
        if self.readout.out_features != 1:
            raise ValueError(
                f"forecast: expected a model with one output, got {self.readout.out_features}"
            )
        with in_mode(self, training=False), torch.no_grad():
            return self(x[..., None], alone=horizon - 1)[:, -horizon:, 0]

    def _read(self, x: Tensor, state: State | None) -> tuple[Tensor, State]:
        output, state = self.rnn(x, state)
        y = self.readout(output)
        return (x + y if self.residual else y), state


# The scores


def rmse(forecast: Tensor, y: Tensor) -> Tensor:
    """Compute the root mean squared error of each step ahead.

    Parameters
    ----------
    forecast, y : Tensor, (M, H)

    Returns
    -------
    Tensor, (H,)

    Raises
    ------
    TypeError, ValueError
        For other shapes: (M, 1) and (M,) would broadcast to M² errors.
    """
    _check_windows(y, "y")
    _check_windows(forecast, "forecast")
    if forecast.shape != y.shape:
        raise ValueError(f"forecast: expected shape {tuple(y.shape)}, got {tuple(forecast.shape)}")
    return (forecast - y).square().mean(dim=0).sqrt()


def quantile_loss(prediction: Tensor, y: Tensor, quantiles: Sequence[float]) -> Tensor:
    r"""Score quantiles: what is least, on average, for the right ones (pinball loss).

    A quantile q that is too low costs q for each unit, and one that is too high 1 - q.

    Parameters
    ----------
    prediction : Tensor, (…, Q)
    y : Tensor, (…, 1) or (…, Q)
        The truth, the same for all quantiles.
    quantiles : sequence of float
        Q of them, between 0 and 1.

    Returns
    -------
    Tensor, ()
        The mean.

    Raises
    ------
    TypeError, ValueError
        For other shapes and quantiles.

    Notes
    -----
    R. Koenker and G. Bassett, "Regression quantiles", Econometrica 46 (1978).
    """
    for name, value in (("prediction", prediction), ("y", y)):
        check_tensor(name, value, TypeError)
    q = torch.tensor(list(quantiles), dtype=prediction.dtype, device=prediction.device)
    if len(q) == 0 or not ((q > 0) & (q < 1)).all():
        raise ValueError(f"quantiles: expected numbers between 0 and 1, got {list(quantiles)}")
    if prediction.dim() == 0 or prediction.size(-1) != len(q):
        raise ValueError(
            f"prediction: expected (…, {len(q)}), one for each quantile, "
            f"got shape {tuple(prediction.shape)}"
        )
    if y.shape not in (prediction.shape, (*prediction.shape[:-1], 1)):
        raise ValueError(f"y: expected shape {(*prediction.shape[:-1], 1)}, got {tuple(y.shape)}")
    short = y - prediction
    return torch.maximum(q * short, (q - 1) * short).mean()


def _check_windows(x, name: str = "x") -> None:
    check_tensor(name, x, TypeError)
    if x.dim() != 2 or not x.is_floating_point() or x.numel() == 0:
        raise ValueError(
            f"{name}: expected floating-point numbers in two dimensions, got {x.dtype} of shape "
            f"{tuple(x.shape)}"
        )
