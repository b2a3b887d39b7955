"""The equations step by step, for autograd to differentiate: the form that serves everywhere.

Any device and dtype, autocast, derivatives of any order, the transforms of ``torch.func``, tracing.
The compiled passes must agree with these loops, and the loops with the cells.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import linear


def rnn_loop(
    data, batch_sizes, h_0, w_ih, w_hh, b_ih=None, b_hh=None, nonlinearity="tanh", reverse=False
):
    """Do what `rnn` does, one step after the other."""
    f = {"tanh": torch.tanh, "relu": torch.relu}[nonlinearity]

    def step(from_x, h):
        return (f(from_x + linear(h, w_hh, b_hh)),)

    return loop_over_steps(step, linear(data, w_ih, b_ih), batch_sizes, (h_0,), reverse)


def gru_loop(data, batch_sizes, h_0, w_ih, w_hh, b_ih=None, b_hh=None, reverse=False):
    """Do what `gru` does, one step after the other."""

    def step(from_x, h):
        x_r, x_z, x_n = from_x.chunk(3, 1)
        h_r, h_z, m_t = linear(h, w_hh, b_hh).chunk(3, 1)
        r_t = torch.sigmoid(x_r + h_r)
        z_t = torch.sigmoid(x_z + h_z)
        n_t = torch.tanh(x_n + r_t * m_t)
        return ((1 - z_t) * n_t + z_t * h,)

    return loop_over_steps(step, linear(data, w_ih, b_ih), batch_sizes, (h_0,), reverse)


def lstm_loop(data, batch_sizes, h_0, c_0, w_ih, w_hh, b_ih=None, b_hh=None, reverse=False):
    """Do what `lstm` does, one step after the other."""

    def step(from_x, h, c):
        a_i, a_f, a_g, a_o = (from_x + linear(h, w_hh, b_hh)).chunk(4, 1)
        i_t = torch.sigmoid(a_i)
        f_t = torch.sigmoid(a_f)
        g_t = torch.tanh(a_g)
        o_t = torch.sigmoid(a_o)
        c_t = f_t * c + i_t * g_t
        return o_t * torch.tanh(c_t), c_t

    return loop_over_steps(step, linear(data, w_ih, b_ih), batch_sizes, (h_0, c_0), reverse)


def loop_over_steps(
    step: Callable, from_x: Tensor, batch_sizes: Sequence[int], states: tuple, reverse: bool
) -> tuple[Tensor, ...]:
    """Take every step, in either direction; rows that are not there keep their state.

    What a step receives from its input does not depend on the state: one product made it for all.
    """
    outputs = []
    pairs = list(zip(from_x.split(batch_sizes), batch_sizes, strict=True))
    for from_x_t, n in reversed(pairs) if reverse else pairs:
        new = step(from_x_t, *(s[:n] for s in states))
        states = [torch.cat([v, s[n:]]) for v, s in zip(new, states, strict=True)]
        outputs.append(new[0])
    return torch.cat(outputs[::-1] if reverse else outputs), *states
