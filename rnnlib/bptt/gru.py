"""The gated recurrent unit, in torch's form: r_t acts after the product with W_hn.

Forwards, with m_t for the part of n_t that r_t gates ::

    r_t = sigmoid(x_t W_xr + h_{t-1} W_hr + b_r)       m_t = h_{t-1} W_hn + b_hn
    z_t = sigmoid(x_t W_xz + h_{t-1} W_hz + b_z)       n_t = tanh(x_t W_xn + b_xn + r_t * m_t)
    h_t = (1 - z_t) * n_t + z_t * h_{t-1}

Backwards, dh_t meets the last line first. Then sigmoid' = s (1 - s) and tanh' = 1 - n^2 ::

    dn_t = dh_t * (1 - z_t)                            da_n_t = dn_t * (1 - n_t^2)
    dz_t = dh_t * (h_{t-1} - n_t)                      da_z_t = dz_t * z_t (1 - z_t)
    dm_t = da_n_t * r_t
    dr_t = da_n_t * m_t                                da_r_t = dr_t * r_t (1 - r_t)

Put into one another, each is dh_t times a factor that is known before the loop begins ::

    dm_t   = dh_t * [(1 - z_t) (1 - n_t^2) r_t]
    da_r_t = dh_t * [(1 - z_t) (1 - n_t^2) m_t r_t (1 - r_t)]
    da_z_t = dh_t * [(h_{t-1} - n_t) z_t (1 - z_t)]
    da_n_t = dh_t * [(1 - z_t) (1 - n_t^2)]

h_{t-1} was read five times, by three products, by z_t * h_{t-1} and by the output ::

    dh_{t-1} = dout_{t-1} + dh_t * z_t + [dm_t, da_r_t, da_z_t] [W_hn, W_hr, W_hz]^T

The four stand side by side in the order m r z n, so that the recurrent weights meet the first
three columns and the input weights the last three, each in one product ::

    dx_t  = [da_r_t, da_z_t, da_n_t] [W_xr, W_xz, W_xn]^T
    dW_xh = sum_t x_t^T [da_r_t, da_z_t, da_n_t]           likewise db_r, db_z, db_xn
    dW_hh = sum_t h_{t-1}^T [dm_t, da_r_t, da_z_t]         and db_hn = sum_t dm_t
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


def gru(
    data: Tensor,
    batch_sizes: list[int],
    h_0: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """Run one direction of one GRU layer over a whole sequence.

    The equations are those of ``torch.nn.GRU``: Cho et al. (2014), with r_t after the product.

    Parameters
    ----------
    data, batch_sizes, h_0, reverse
        As for `rnn`.
    w_ih, w_hh : Tensor, (3 H, D) and (3 H, H)
        Gates r, z, n, one below the other.
    b_ih, b_hh : Tensor or None, (3 H,)
        For r and z only their sum matters; for n they are b_xn and b_hn.

    Returns
    -------
    outputs : Tensor, (sum of batch_sizes, H)
    h_n : Tensor, (N, H)
        As for `rnn`.

    Raises
    ------
    RuntimeError
        As for `rnn`.

    Notes
    -----
    Further derivatives and autocast: as for `rnn`.
    """
    return apply_pass(
        GRUPass, gru_loop, data, batch_sizes, (h_0,), (w_ih, w_hh, b_ih, b_hh), reverse
    )


def gru_loop(data, batch_sizes, h_0, w_ih, w_hh, b_ih=None, b_hh=None, reverse=False):
    """Do what `gru` does, one step after the other, for autograd to differentiate."""

    def step(x_t, h):
        x_r, x_z, x_n = linear(x_t, w_ih, b_ih).chunk(3, 1)
        h_r, h_z, m_t = linear(h, w_hh, b_hh).chunk(3, 1)
        r_t = torch.sigmoid(x_r + h_r)
        z_t = torch.sigmoid(x_z + h_z)
        n_t = torch.tanh(x_n + r_t * m_t)
        return ((1 - z_t) * n_t + z_t * h,)

    return loop_over_steps(step, data, batch_sizes, (h_0,), reverse)


class GRUPass(Function):
    """The whole sequence of a GRU, forwards and backwards; see the head of this module."""

    @staticmethod
    def forward(ctx, data, w_ih, w_hh, b_ih, b_hh, h_0, batch_sizes, reverse):
        """Return every h_t, and each sequence's last."""
        H = h_0.shape[1]
        b_hr, b_hz, b_hn = b_hh.split(H)
        none = torch.zeros_like(b_hn)
        b = torch.cat([b_hn, b_ih]) + torch.cat([none, b_hr, b_hz, none])
        # Columns m r z n: biases and products with x_t now, what h_{t-1} adds in the loop.
        gates = b.repeat(len(data), 1)
        gates[:, H:].addmm_(data, w_ih.t())
        W_h = _n_r_z(w_hh, H).t().contiguous()
        h = gates.new_empty(len(data), H)
        tanh, array = fast_tanh(gates)
        h_n = contiguous_copy(h_0)
        for rows, n, k, _ in forward_runs(batch_sizes, reverse):
            steps = partial(steps_of, n=n, k=k, backwards=reverse)
            columns = [gates[rows, : 3 * H], gates[rows, H : 3 * H], *gates[rows].split(H, 1)]
            columns += [h[rows], array(columns[-1])]
            h_prev = h_n[:n]
            for mrz, rz, m_t, r_t, z_t, n_t, h_t, a_n in zip(*map(steps, columns), strict=True):
                mrz.addmm_(h_prev, W_h)
                rz.sigmoid_()
                n_t.addcmul_(r_t, m_t)
                tanh(a_n, out=a_n)  # the same memory as n_t
                torch.lerp(n_t, h_prev, z_t, out=h_t)  # (1 - z_t) * n_t + z_t * h_{t-1}
                h_prev = h_t
            h_n[:n] = h_prev
        ctx.save_for_backward(data, w_ih, w_hh, b_ih, b_hh, h_0, h, gates)
        ctx.how = batch_sizes, reverse
        return h, h_n

    @staticmethod
    def backward(ctx, dout, dh_n):
        """Return the gradients of all that went in, where they are needed."""
        *inputs, h, gates = ctx.saved_tensors
        data, w_ih, w_hh, _, _, h_0 = inputs
        batch_sizes, reverse = ctx.how
        if torch.is_grad_enabled():  # create_graph=True
            return by_autograd(gru_loop, ctx, inputs, (dout, dh_n))
        H = h.shape[1]
        grads = WeightGradients(ctx, data, w_ih, w_hh, columns=4 * H)
        w_h = _n_r_z(w_hh, H)
        runs = backward_runs(batch_sizes, 4 * H, reverse)
        most = most_rows(runs)
        buffers = h.new_empty(2, most, 4 * H), h.new_empty(most, H)

        @cache  # the views of one run serve every run of that shape
        def views(n, k):
            (da, factor), dh = buffers[0][:, : n * k], buffers[1][: n * k]
            steps = partial(steps_of, n=n, k=k, backwards=not reverse)
            # Four columns of H, and one that meets them all: one call multiplies dh_t with four.
            wide = dh.unflatten(1, (1, H)), factor.unflatten(1, (4, H)), da.unflatten(1, (4, H))
            return da, factor, dh, steps(dh), *map(steps, wide), steps(da[:, : 3 * H])

        dh = contiguous_copy(dh_n)
        for rows, n, k, m in runs:
            da, factor, dh_run, dh_steps, *others = views(n, k)
            h_prev = previous(h, h_0, rows, n, m, reverse)
            _write_factors(h_prev, gates[rows].split(H, 1), factor.split(H, 1))
            z_steps = steps_of(gates[rows, 2 * H : 3 * H], n, k, not reverse)
            to_prev = receive(dh_run, dh_steps, dout[rows], dh[:n])
            for dh_t, dh_wide, factor_t, da_t, da_mrz, z_t, dh_prev in zip(
                dh_steps, *others, z_steps, to_prev, strict=True
            ):
                torch.mul(factor_t, dh_wide, out=da_t)
                dh_prev.addcmul_(dh_t, z_t)  # it holds dout_{t-1} already
                dh_prev.addmm_(da_mrz, w_h)
            grads.add(rows, da, da[:, H:], da[:, : 3 * H], h_prev)
        dx, dw_ih, dw_h, db, _ = grads.result()
        dw_hh = None if dw_h is None else _r_z_n(dw_h, H)
        db_ih, db_hh = (None, None) if db is None else (db[H:], _r_z_n(db[: 3 * H], H))
        return dx, dw_ih, dw_hh, db_ih, db_hh, dh, None, None


def _write_factors(h_prev, gates, factors):
    """Write the four factors of dh_t for a whole run, in as few multiplications as they take."""
    m, r, z, n = gates
    of_m, of_r, of_z, of_n = factors
    torch.addcmul(n.new_ones(()), n, n, value=-1, out=of_n)
    of_n.addcmul_(of_n, z, value=-1)  # (1 - n^2) (1 - z)
    torch.mul(of_n, r, out=of_m)
    torch.addcmul(of_m, of_m, r, value=-1, out=of_r).mul_(m)  # of_m (1 - r) m
    torch.sub(h_prev, n, out=of_z).mul_(z)
    of_z.addcmul_(of_z, z, value=-1)  # (h_{t-1} - n) z (1 - z)


def _n_r_z(w, H):
    """Gates r z n, as torch stacks them, in the order n r z."""
    return torch.cat([w[2 * H :], w[: 2 * H]])


def _r_z_n(w, H):
    """Gates n r z back in torch's order."""
    return torch.cat([w[H:], w[:H]])
