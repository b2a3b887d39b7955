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

h_{t-1} was read five times, by three products, by z_t * h_{t-1} and by the output ::

    dh_{t-1} = dout_{t-1} + dh_t * z_t + [da_r_t, da_z_t, dm_t] [W_hr, W_hz, W_hn]^T

The input weights meet da_n_t where the recurrent ones meet dm_t: two arrays of three gates ::

    dx_t  = [da_r_t, da_z_t, da_n_t] [W_xr, W_xz, W_xn]^T
    dW_xh = sum_t x_t^T [da_r_t, da_z_t, da_n_t]           likewise db_r, db_z, db_xn
    dW_hh = sum_t h_{t-1}^T [da_r_t, da_z_t, dm_t]         and db_hn = sum_t dm_t
"""

from torch import Tensor
from torch.autograd import Function

from rnnlib.bptt import compiled
from rnnlib.bptt.choice import by_autograd, run_pass, wants_loop
from rnnlib.bptt.loops import gru_loop
from rnnlib.bptt.runs import Gradients, Walk, arrays, own, room


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
    weights = w_ih, w_hh, b_ih, b_hh
    return run_pass(GRUPass, gru_loop, 3, data, batch_sizes, (h_0,), weights, reverse)


class GRUPass(Function):
    """The whole sequence of a GRU, forwards and backwards, in compiled loops."""

    @staticmethod
    def forward(ctx, data, w_ih, w_hh, b_ih, b_hh, h_0, batch_sizes, reverse, keep):
        """Return every h_t, and each sequence's last."""
        (N, H), R = h_0.shape, len(data)
        walk = Walk.of(batch_sizes.tobytes(), 3 * H, reverse)
        b = b_ih.clone()
        b[: 2 * H] += b_hh[: 2 * H]  # b_r, b_z, b_xn
        x, W_xh, W_hh, b, b_hn = arrays(data, w_ih.t(), w_hh.t(), b, b_hh[2 * H :])
        (gates_out, gates), (m_out, m) = room(data, R, 3, H), room(data, R, H)
        (h_out, h), (h_n, h_prev), (_, hW) = room(data, R, H), own(h_0), room(data, N, 3, H)
        for rows, steps, *_ in walk.runs:
            kept = gates[rows], m[rows], h[rows]
            compiled.gru_forward(x[rows], W_xh, W_hh, b, b_hn, steps, h_prev, hW, *kept)
        if keep:
            ctx.save_for_backward(data, w_ih, w_hh, b_ih, b_hh, h_0, gates_out, m_out, h_out)
            ctx.walk, ctx.how = walk, (batch_sizes, reverse)
        return h_out, h_n

    @staticmethod
    def backward(ctx, *douts):
        """Return the gradients of all that went in, where they are needed."""
        *inputs, gates, m, h = ctx.saved_tensors
        if wants_loop(*douts):
            return by_autograd(gru_loop, ctx, inputs, douts)
        data, w_ih, w_hh, _, _, h_0 = inputs
        grads, walk, H = Gradients(ctx, data, w_ih, w_hh), ctx.walk, h.shape[1]
        (_, da_x), (_, da_h) = (room(h, walk.most_rows, 3, H) for _ in range(2))
        dh_0, dh = own(douts[1])
        dout, gates, m, h, h_0, w_hh = arrays(douts[0], gates, m, h, h_0, w_hh)
        for run in reversed(walk.runs):
            rows, h_prev = run.rows, walk.before(run, h, h_0)
            kept, da = (gates[rows], m[rows], h_prev), (da_x[: len(h_prev)], da_h[: len(h_prev)])
            compiled.gru_backward(dout[rows], *kept, w_hh, run.steps, dh, *da)
            grads.add(rows, h_prev, *(v.reshape(-1, 3 * H) for v in da))
        return *grads.result(), dh_0, None, None, None
