"""One diagonal state-space layer."""

import math

import torch
from torch import Tensor, nn

from rnnlib.layers.linear import Recurrence, linear_convolution
from rnnlib.layers.minimal import _LinearLayer


class DiagonalSSM(_LinearLayer):
    r"""A linear differential equation for each of H complex units, sampled, and a linear read-out.

    .. math::

        \frac{dh}{dt} &= \mu \odot h + x B \\
        \lambda &= e^{\Delta \mu}, \qquad
        h_t = \lambda \odot h_{t-1} + \frac{\lambda - 1}{\mu} \odot x_t B \\
        y_t &= \mathrm{Re}(h_t) C_1 + \mathrm{Im}(h_t) C_2 + x_t W + b

    The second line solves the first over a time :math:`\Delta` in which the input holds still
    (zero-order hold). The real part of :math:`\mu` is below 0, so :math:`|\lambda| < 1`.
    :math:`\lambda` is the same at every step, so that all steps are one convolution.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H; the layer hands on H real numbers.
    batch_first : bool, default False
    recurrence : callable, default `linear_convolution`
        Or `linear_scan`, or `linear_loop`, which compute the same.
    device, dtype : optional
        A real dtype.

    Attributes
    ----------
    log_decay, frequency, log_step : Parameter, (H,)
        :math:`\mu` is -exp(log_decay) + i frequency, and :math:`\Delta` exp(log_step).
    B : Parameter, (D, H, 2)
        Real and imaginary part.
    readout : Linear
        From Re h_t and Im h_t, 2 H, to H.
    skip : Linear
        From D to H.

    Raises
    ------
    TypeError, ValueError
        For sizes that are no positive integers.

    Notes
    -----
    After A. Gu, A. Gupta, K. Goel and C. Ré, "On the parameterization and initialization of
    diagonal state space models", NeurIPS 2022: the start S4D-Lin, μ_k = -1/2 + i π k, with steps
    drawn between 0.001 and 0.1, evenly in their logarithms. There each input feature has units of
    its own; here B mixes them, as in A. Orvieto et al., "Resurrecting recurrent neural networks
    for long sequences", ICML 2023.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        *,
        batch_first: bool = False,
        recurrence: Recurrence = linear_convolution,
        device=None,
        dtype=None,
    ):
        super().__init__(input_size, hidden_size, batch_first, recurrence)
        made = {"device": device, "dtype": dtype}
        H = hidden_size
        self.log_decay = nn.Parameter(torch.full((H,), math.log(0.5), **made))
        self.frequency = nn.Parameter(math.pi * torch.arange(H, **made).to(self.log_decay.dtype))
        low, high = math.log(0.001), math.log(0.1)
        self.log_step = nn.Parameter(low + (high - low) * torch.rand(H, **made))
        self.B = nn.Parameter(torch.randn(input_size, H, 2, **made) / math.sqrt(2 * input_size))
        self.readout = nn.Linear(2 * H, H, **made)
        self.skip = nn.Linear(input_size, H, bias=False, **made)

    @property
    def mu(self) -> Tensor:
        """The rate of each unit, complex, (H,)."""
        return torch.complex(-torch.exp(self.log_decay), self.frequency)

    @property
    def factor(self) -> Tensor:
        """Return λ, by which each unit's state is multiplied at every step, complex, (H,)."""
        return torch.exp(torch.exp(self.log_step) * self.mu)

    def pairs(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return λ, (H,), and b of every step, (…, H), both complex, from the inputs (…, D)."""
        B = torch.view_as_complex(self.B)
        return self.factor, (self.factor - 1) / self.mu * (x.to(B.dtype) @ B)

    def read(self, h: Tensor, x: Tensor) -> Tensor:
        """Return y of every step, (…, H), from states and inputs."""
        return self.readout(torch.cat([h.real, h.imag], dim=-1)) + self.skip(x)
