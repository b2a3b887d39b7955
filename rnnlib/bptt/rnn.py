"""The plain recurrent network.

Forwards, with f either tanh or relu ::

    a_t = x_t W_xh + h_{t-1} W_hh + b_h
    h_t = f(a_t)

Backwards, dh_t has two sources: dout_t, what the loss sends to output t, and step t+1, which read
h_t as its h_{t-1} ::

    da_t     = dh_t * f'(a_t)              f'(a_t) = 1 - h_t^2, or for relu 1 where h_t > 0
    dh_{t-1} = dout_{t-1} + da_t W_hh^T

f' needs nothing but h_t, which is kept anyway. What remains has no order in time ::

    dx_t = da_t W_xh^T        dW_xh = sum_t x_t^T da_t        dW_hh = sum_t h_{t-1}^T da_t
                              db_h  = sum_t da_t
"""

from torch import Tensor
from torch.autograd import Function

from rnnlib.bptt import compiled
from rnnlib.bptt.choice import by_autograd, run_pass, wants_loop
from rnnlib.bptt.loops import rnn_loop
from rnnlib.bptt.runs import Gradients, Walk, arrays, own, room


def rnn(
    data: Tensor,
    batch_sizes: list[int],
    h_0: Tensor,
    w_ih: Tensor,
    w_hh: Tensor,
    b_ih: Tensor | None = None,
    b_hh: Tensor | None = None,
    nonlinearity: str = "tanh",
    reverse: bool = False,
) -> tuple[Tensor, Tensor]:
    """Run one direction of one RNN layer over a whole sequence.

    h_t = f(x_t W_xh + h_{t-1} W_hh + b_h), with f tanh or relu (Elman, 1990).

    Parameters
    ----------
    data : Tensor, (sum of batch_sizes, D)
        The inputs x_t, time major.
    batch_sizes : list of int
        How many sequences are still there at each step; never grows.
    h_0 : Tensor, (N, H)
        The state before the first step; N is the first batch size.
    w_ih, w_hh : Tensor, (H, D) and (H, H)
        W_xh and W_hh, transposed.
    b_ih, b_hh : Tensor or None, (H,)
        Their sum is b_h.
    nonlinearity : {"tanh", "relu"}
        The function f.
    reverse : bool
        Walk from the last step to the first; each sequence enters, with its h_0, at its own end.

    Returns
    -------
    outputs : Tensor, (sum of batch_sizes, H)
        The h_t, in the order of `data` in either direction. The backward pass needs them as they
        are: after a change in place it refuses to run.
    h_n : Tensor, (N, H)
        Each sequence's state after the last step of its walk.

    Raises
    ------
    RuntimeError
        If there are no steps, or batch sizes, shapes, dtypes or devices do not agree.
    ValueError
        If the nonlinearity is neither of the two.

    Notes
    -----
    Gradients are by hand; where they are to be differentiated again, they come from `rnn_loop`.
    Under autocast everything is computed, and returned, in autocast's dtype, except float64.
    """
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"nonlinearity is 'tanh' or 'relu', but received {nonlinearity!r}")
    weights = w_ih, w_hh, b_ih, b_hh
    return run_pass(RNNPass, rnn_loop, 1, data, batch_sizes, (h_0,), weights, reverse, nonlinearity)


class RNNPass(Function):
    """The whole sequence of an RNN, forwards and backwards, in compiled loops."""

    @staticmethod
    def forward(ctx, data, w_ih, w_hh, b_ih, b_hh, h_0, batch_sizes, reverse, keep, nonlinearity):
        """Return every h_t, and each sequence's last."""
        walk, relu = Walk.of(batch_sizes.tobytes(), len(w_hh), reverse), nonlinearity == "relu"
        x, W_xh, W_hh, b_h = arrays(data, w_ih.t(), w_hh.t(), b_ih + b_hh)
        (h_out, h), (h_n, h_prev) = room(data, len(data), len(w_hh)), own(h_0)
        for rows, steps, *_ in walk.runs:
            compiled.rnn_forward(x[rows], W_xh, W_hh, b_h, steps, h_prev, h[rows], relu)
        if keep:
            ctx.save_for_backward(data, w_ih, w_hh, b_ih, b_hh, h_0, h_out)
            ctx.walk, ctx.how = walk, (batch_sizes, reverse, nonlinearity)
        return h_out, h_n

    @staticmethod
    def backward(ctx, *douts):
        """Return the gradients of all that went in, where they are needed."""
        *inputs, h = ctx.saved_tensors
        if wants_loop(*douts):
            return by_autograd(rnn_loop, ctx, inputs, douts)
        data, w_ih, w_hh, _, _, h_0 = inputs
        grads, relu = Gradients(ctx, data, w_ih, w_hh), ctx.how[-1] == "relu"
        (_, da), (dh_0, dh) = room(h, ctx.walk.most_rows, h.shape[1]), own(douts[1])
        dout, h, h_0, w_hh = arrays(douts[0], h, h_0, w_hh)
        for run in reversed(ctx.walk.runs):
            rows, da_run = run.rows, da[: len(h[run.rows])]
            compiled.rnn_backward(dout[rows], h[rows], w_hh, run.steps, dh, da_run, relu)
            grads.add(rows, ctx.walk.before(run, h, h_0), da_run, da_run)
        return *grads.result(), dh_0, None, None, None, None
