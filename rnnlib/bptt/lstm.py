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

Each gate has dc_t or dh_t times what stands beside the gate in the equation, and times
sigmoid' = s (1 - s) or tanh' = 1 - g^2 ::

    da_i_t = dc_t * [g_t i_t (1 - i_t)]           da_g_t = dc_t * [i_t (1 - g_t^2)]
    da_f_t = dc_t * [c_{t-1} f_t (1 - f_t)]       da_o_t = dh_t * [tanh(c_t) o_t (1 - o_t)]

    dh_{t-1} = dout_{t-1} + [da_i_t, da_f_t, da_g_t, da_o_t] [W_hi, W_hf, W_hg, W_ho]^T

dx_t and the gradients of weights and biases are the RNN's, with these four columns for da_t.
"""

from torch import Tensor
from torch.autograd import Function

from rnnlib.bptt import compiled
from rnnlib.bptt.choice import by_autograd, run_pass, wants_loop
from rnnlib.bptt.loops import lstm_loop
from rnnlib.bptt.runs import Gradients, Walk, arrays, own, room


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
    weights = w_ih, w_hh, b_ih, b_hh
    return run_pass(LSTMPass, lstm_loop, 4, data, batch_sizes, (h_0, c_0), weights, reverse)


class LSTMPass(Function):
    """The whole sequence of an LSTM, forwards and backwards, in compiled loops."""

    @staticmethod
    def forward(ctx, data, w_ih, w_hh, b_ih, b_hh, h_0, c_0, batch_sizes, reverse, keep):
        """Return every h_t, and each sequence's last h and c."""
        R, H = len(data), h_0.shape[1]
        walk = Walk.of(batch_sizes.tobytes(), 4 * H, reverse)
        x, W_xh, W_hh, b = arrays(data, w_ih.t(), w_hh.t(), b_ih + b_hh)
        gates_out, gates = room(data, R if keep else walk.most_rows, 4, H)
        (c_out, c), (h_out, h) = room(data, R, H), room(data, R, H)
        (h_n, h_prev), (c_n, c_prev) = own(h_0), own(c_0)
        for rows, steps, *_ in walk.runs:
            kept = gates[rows] if keep else gates[: len(h[rows])], c[rows], h[rows]
            compiled.lstm_forward(x[rows], W_xh, W_hh, b, steps, h_prev, c_prev, *kept)
        if keep:
            ctx.save_for_backward(data, w_ih, w_hh, b_ih, b_hh, h_0, c_0, gates_out, c_out, h_out)
            ctx.walk, ctx.how = walk, (batch_sizes, reverse)
        return h_out, h_n, c_n

    @staticmethod
    def backward(ctx, *douts):
        """Return the gradients of all that went in, where they are needed."""
        *inputs, gates, c, h = ctx.saved_tensors
        if wants_loop(*douts):
            return by_autograd(lstm_loop, ctx, inputs, douts)
        data, w_ih, w_hh, _, _, h_0, c_0 = inputs
        grads, walk, H = Gradients(ctx, data, w_ih, w_hh), ctx.walk, h.shape[1]
        (_, da), (dh_0, dh), (dc_0, dc) = room(h, walk.most_rows, 4, H), *map(own, douts[1:])
        dout, gates, c, h, h_0, c_0, w_hh = arrays(douts[0], gates, c, h, h_0, c_0, w_hh)
        for run in reversed(walk.runs):
            rows, c_prev = run.rows, walk.before(run, c, c_0)
            kept, da_run = (gates[rows], c[rows], c_prev), da[: len(c_prev)]
            compiled.lstm_backward(dout[rows], *kept, w_hh, run.steps, dh, dc, da_run)
            da_run = da_run.reshape(-1, 4 * H)
            grads.add(rows, walk.before(run, h, h_0), da_run, da_run)
        return *grads.result(), dh_0, dc_0, None, None, None
