"""The long short-term memory.

Forwards ::

    i_t = sigmoid(x_t W_xi + h_{t-1} W_hi + b_i)
    f_t = sigmoid(x_t W_xf + h_{t-1} W_hf + b_f)
    g_t = tanh(x_t W_xg + h_{t-1} W_hg + b_g)
    o_t = sigmoid(x_t W_xo + h_{t-1} W_ho + b_o)
    c_t = f_t * c_{t-1} + i_t * g_t
    h_t = o_t * tanh(c_t)

Backwards, two gradients are carried. c_t is read by h_t and by step t+1 ::

    dc_t = dc_{t+1} * f_{t+1} + dh_t * [o_t (1 - tanh(c_t)^2)]

Each gate has dc_t or dh_t times a factor that is known before the loop begins: what stands beside
the gate in the equation, and sigmoid' = s (1 - s) or tanh' = 1 - g^2 ::

    da_i_t = dc_t * [g_t i_t (1 - i_t)]           da_g_t = dc_t * [i_t (1 - g_t^2)]
    da_f_t = dc_t * [c_{t-1} f_t (1 - f_t)]       da_o_t = dh_t * [tanh(c_t) o_t (1 - o_t)]

    dh_{t-1} = dout_{t-1} + [da_i_t, da_f_t, da_g_t, da_o_t] [W_hi, W_hf, W_hg, W_ho]^T

dx_t and the gradients of weights and biases are the RNN's, with these four columns for da_t.
What dc_t sends back, dc_t * f_t, has the same form as da_i, da_f and da_g. It gets a column of its
own beside theirs, and one call computes all four.
"""

from functools import cache, partial

import torch
from torch import Tensor
from torch.autograd import Function
from torch.nn.functional import linear

from rnnlib.bptt.runs import (
    WeightGradients,
    apply_pass,
    backward_runs,
    by_autograd,
    contiguous_copy,
    fast_tanh,
    forward_runs,
    loop_over_steps,
    most_rows,
    previous,
    receive,
    steps_of,
)


def lstm(
    data: Tensor,
    batch_sizes: list[int],
    h_0: Tensor,
    c_0: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """Run one direction of one LSTM layer over a whole sequence.

    Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000).

    Parameters
    ----------
    data, batch_sizes, h_0, reverse
        As for `rnn`.
    c_0 : Tensor, (N, H)
        The cell before the first step.
    w_ih, w_hh : Tensor, (4 H, D) and (4 H, H)
        Gates i, f, g, o, one below the other.
    b_ih, b_hh : Tensor or None, (4 H,)

    Returns
    -------
    outputs : Tensor, (sum of batch_sizes, H)
        As for `rnn`.
    h_n, c_n : Tensor, (N, H)
        Each sequence's h and c after the last step of its walk.

    Raises
    ------
    RuntimeError
        As for `rnn`.

    Notes
    -----
    Further derivatives and autocast: as for `rnn`.
    """
    return apply_pass(
        LSTMPass, lstm_loop, data, batch_sizes, (h_0, c_0), (w_ih, w_hh, b_ih, b_hh), reverse
    )


def lstm_loop(data, batch_sizes, h_0, c_0, w_ih, w_hh, b_ih=None, b_hh=None, reverse=False):
    """Do what `lstm` does, one step after the other, for autograd to differentiate."""

    def step(x_t, h, c):
        a_i, a_f, a_g, a_o = (linear(x_t, w_ih, b_ih) + linear(h, w_hh, b_hh)).chunk(4, 1)
        i_t = torch.sigmoid(a_i)
        f_t = torch.sigmoid(a_f)
        g_t = torch.tanh(a_g)
        o_t = torch.sigmoid(a_o)
        c_t = f_t * c + i_t * g_t
        return o_t * torch.tanh(c_t), c_t

    return loop_over_steps(step, data, batch_sizes, (h_0, c_0), reverse)


class LSTMPass(Function):
    """The whole sequence of an LSTM, forwards and backwards; see the head of this module."""

    @staticmethod
    def forward(ctx, data, w_ih, w_hh, b_ih, b_hh, h_0, c_0, batch_sizes, reverse):
        """Return every h_t, and each sequence's last h and c."""
        H = h_0.shape[1]
        w_x, w_h, b = (_i_f_o_g(w, H) for w in (w_ih, w_hh, b_ih + b_hh))
        # Columns i f o g, the sigmoids side by side: one call serves three gates.
        gates = torch.addmm(b, data, w_x.t())
        W_h = w_h.t().contiguous()
        h, c = (gates.new_empty(len(data), H) for _ in range(2))
        tanh, array = fast_tanh(gates)
        h_n, c_n = contiguous_copy(h_0), contiguous_copy(c_0)
        for rows, n, k, _ in forward_runs(batch_sizes, reverse):
            steps = partial(steps_of, n=n, k=k, backwards=reverse)
            columns = [gates[rows], gates[rows, : 3 * H], *gates[rows].split(H, 1)]
            columns += [c[rows], h[rows]]
            columns += map(array, columns[-3:])
            h_prev, c_prev = h_n[:n], c_n[:n]
            for a_t, ifo, i_t, f_t, o_t, g_t, c_t, h_t, a_g, c_array, h_array in zip(
                *map(steps, columns), strict=True
            ):
                a_t.addmm_(h_prev, W_h)
                ifo.sigmoid_()
                tanh(a_g, out=a_g)  # the same memory as g_t; below, c_array is c_t's
                torch.mul(f_t, c_prev, out=c_t)
                c_t.addcmul_(i_t, g_t)
                tanh(c_array, out=h_array)
                h_t.mul_(o_t)
                h_prev, c_prev = h_t, c_t
            h_n[:n], c_n[:n] = h_prev, c_prev
        ctx.save_for_backward(data, w_ih, w_hh, b_ih, b_hh, h_0, c_0, h, c, gates)
        ctx.how = batch_sizes, reverse
        return h, h_n, c_n

    @staticmethod
    def backward(ctx, dout, dh_n, dc_n):
        """Return the gradients of all that went in, where they are needed."""
        *inputs, h, c, gates = ctx.saved_tensors
        data, w_ih, w_hh, _, _, h_0, c_0 = inputs
        batch_sizes, reverse = ctx.how
        if torch.is_grad_enabled():  # create_graph=True
            return by_autograd(lstm_loop, ctx, inputs, (dout, dh_n, dc_n))
        H = h.shape[1]
        grads = WeightGradients(ctx, data, w_ih, w_hh)
        runs = backward_runs(batch_sizes, 4 * H, reverse)
        most = most_rows(runs)
        buffers = h.new_empty(2, most, 5 * H), h.new_empty(2, most, H), h.new_empty(len(h_0), H)

        @cache  # the views of one run serve every run of that shape
        def views(n, k):
            # Columns of da and factor: c i f g o. The first four are dc_t's, the last is dh_t's.
            (da, factor), (dh, of_dc) = (buffer[:, : n * k] for buffer in buffers[:2])
            dc_t = buffers[2][:n]
            steps = partial(steps_of, n=n, k=k, backwards=not reverse)
            by_dc = [v[:, : 4 * H].unflatten(1, (4, H)) for v in (factor, da)]
            by_dh = [of_dc, factor[:, 4 * H :], da[:, 4 * H :]]
            each = map(steps, [*by_dc, *by_dh, da[:, :H], da[:, H:]])
            return da, factor, of_dc, dc_t, dc_t.unsqueeze(1), dh, steps(dh), *each

        dh, dc = contiguous_copy(dh_n), contiguous_copy(dc_n)
        for rows, n, k, m in runs:
            da, factor, of_dc, dc_t, dc_wide, dh_run, dh_steps, *others = views(n, k)
            c_prev = previous(c, c_0, rows, n, m, reverse)
            _write_factors(c[rows], c_prev, gates[rows].split(H, 1), factor.split(H, 1), of_dc)
            to_prev = receive(dh_run, dh_steps, dout[rows], dh[:n])
            dc_next = dc[:n]  # dc_{t+1} * f_{t+1}
            for dh_t, factor_cifg, da_cifg, of_dc_t, factor_o, da_o, da_c, da_ifgo, dh_prev in zip(
                dh_steps, *others, to_prev, strict=True
            ):
                torch.addcmul(dc_next, dh_t, of_dc_t, out=dc_t)
                torch.mul(factor_cifg, dc_wide, out=da_cifg)
                torch.mul(factor_o, dh_t, out=da_o)
                dh_prev.addmm_(da_ifgo, w_hh)  # it holds dout_{t-1} already
                dc_next = da_c
            dc[:n] = dc_next
            da_ifgo = da[:, H:]
            grads.add(rows, da_ifgo, da_ifgo, da_ifgo, previous(h, h_0, rows, n, m, reverse))
        return *grads.result(), dh, dc, None, None


def _write_factors(c, c_prev, gates, factors, of_dc):
    """Write the factors of dc_t and dh_t for a whole run; ``of_dc`` is the one in dc_t itself."""
    i, f, o, g = gates
    of_c, of_i, of_f, of_g, of_o = factors
    one = c.new_ones(())
    tanh, array = fast_tanh(c)
    tanh(array(c), out=array(of_dc))
    torch.addcmul(o, o, o, value=-1, out=of_o).mul_(of_dc)  # o (1 - o) tanh(c)
    torch.addcmul(one, of_dc, of_dc, value=-1, out=of_dc).mul_(o)
    of_c.copy_(f)
    torch.addcmul(i, i, i, value=-1, out=of_i).mul_(g)
    torch.addcmul(f, f, f, value=-1, out=of_f).mul_(c_prev)
    torch.addcmul(one, g, g, value=-1, out=of_g).mul_(i)


def _i_f_o_g(w, H):
    """Gates i f g o, as torch stacks them, in the order i f o g."""
    return torch.cat([w[: 2 * H], w[3 * H :], w[2 * H : 3 * H]])
