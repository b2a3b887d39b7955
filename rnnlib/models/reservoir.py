"""Echo state networks: a recurrent layer whose weights are drawn, and a read-out by least squares.

H. Jaeger, "The 'echo state' approach to analysing and training recurrent neural networks", GMD
Report 148 (2001); H. Jaeger and H. Haas, "Harnessing nonlinearity", Science 304 (2004). Left out:
units that leak, reservoirs of few connections, noise on the states.
"""

import torch
from torch import Tensor

from rnnlib.checks import check_generator, check_integer, check_number, check_tensor
from rnnlib.layers import RNN
from rnnlib.models.forecasts import Forecaster, Linear


def reservoir(
    num_units: int,
    *,
    radius: float = 0.9,
    scale: float = 0.3,
    bias: float = 0.3,
    generator: torch.Generator | None = None,
) -> RNN:
    """Draw a recurrent layer that is not to be trained.

    Its weights are uniform numbers around 0. With a `radius` well below 1 the state forgets how it
    began and is an echo of what was read; above 1 it may do so where the inputs are strong.

    Parameters
    ----------
    num_units : int
        H.
    radius : float, default 0.9
        The spectral radius of the recurrent weights: the largest absolute value of an eigenvalue.
    scale, bias : float, default 0.3
        The largest input weight, and the largest bias.
    generator : torch.Generator, optional
        On the CPU; by default torch's global one.

    Returns
    -------
    RNN
        From inputs of size 1 to H units, float64, ``batch_first``, its parameters frozen.

    Raises
    ------
    TypeError, ValueError
        For what are no such numbers, or an unsuitable generator.
    """
    H = check_integer("num_units", num_units, least=1)
    for name, value in (("radius", radius), ("scale", scale), ("bias", bias)):
        check_number(name, value)
        if not 0 <= value < float("inf"):
            raise ValueError(f"{name}: expected a number from 0 on, got {value}")
    check_generator(generator)

    def uniform(*size: int) -> Tensor:
        return 2 * torch.rand(*size, generator=generator, dtype=torch.float64) - 1

    rnn = RNN(1, H, batch_first=True, dtype=torch.float64).requires_grad_(False)
    W_hh = uniform(H, H)
    rnn.weight_hh_l0.copy_(radius / torch.linalg.eigvals(W_hh).abs().max() * W_hh)
    rnn.weight_ih_l0.copy_(scale * uniform(H, 1))
    rnn.bias_ih_l0.copy_(bias * uniform(H))
    rnn.bias_hh_l0.zero_()
    return rnn


def fit_readout(
    model: Forecaster, series: Tensor, *, skip: int = 100, ridge: float = 1e-8
) -> Forecaster:
    """Find a forecaster's read-out by least squares; its recurrent layer stays as it is.

    The series is read once, from a state of zeros, as a stream.

    Parameters
    ----------
    model : Forecaster
        With one output. Over a `reservoir` it becomes an echo state network.
    series : Tensor, (T,)
        The training part, of the model's dtype.
    skip : int, default 100
        Steps at the beginning whose states are left out, since they still depend on the zeros.
    ridge : float, default 1e-8
        What the squared weights cost, beside the mean squared error.

    Returns
    -------
    Forecaster
        The model.

    Raises
    ------
    TypeError, ValueError
        For what is no such model, series or number.
    """
    if not isinstance(model, Forecaster):
        raise TypeError(f"model: expected a Forecaster, got {type(model).__name__}")
    weight = model.readout.weight
    if len(weight) != 1:
        raise ValueError(f"model: expected one output, got {len(weight)}")
    check_tensor("series", series, TypeError)
    least = check_integer("skip", skip, least=0) + 2
    if series.dim() != 1 or len(series) < least or series.dtype != weight.dtype:
        raise ValueError(
            f"series: expected at least {least} numbers (T,) of {weight.dtype}, got {series.dtype} "
            f"of shape {tuple(series.shape)}"
        )
    x, y = series[:-1, None], series[1:, None]
    with torch.no_grad():
        states, _ = model.rnn(x[None])
        line = Linear.fit(states[0, skip:], (y - x if model.residual else y)[skip:], ridge=ridge)
        weight.copy_(line.weight.T)
        model.readout.bias.copy_(line.bias)
    return model
