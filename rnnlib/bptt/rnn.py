"""The plain recurrent network.

Forwards, with f either tanh or relu ::

    a_t = x_t W_xh + h_{t-1} W_hh + b_h
    h_t = f(a_t)

Backwards, dh_t has two sources: dout_t, what the loss sends to output t, and step t+1, which read
h_t as its h_{t-1} ::

    da_t     = dh_t * f'(a_t)              f'(a_t) = 1 - h_t^2, or for relu 1 where h_t > 0
    dh_{t-1} = dout_{t-1} + da_t W_hh^T

f' needs nothing but h_t, so it is computed for a whole run of steps before the loop enters it.
What remains has no order in time ::

    dx_t = da_t W_xh^T        dW_xh = sum_t x_t^T da_t        dW_hh = sum_t h_{t-1}^T da_t
                              db_h  = sum_t da_t
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
    same,
    steps_of,
)


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
    return apply_pass(RNNPass, rnn_loop, data, batch_sizes, (h_0,), weights, reverse, nonlinearity)


def rnn_loop(
    data, batch_sizes, h_0, w_ih, w_hh, b_ih=None, b_hh=None, nonlinearity="tanh", reverse=False
):
    """Do what `rnn` does, one step after the other, for autograd to differentiate."""
    f = {"tanh": torch.tanh, "relu": torch.relu}[nonlinearity]

    def step(x_t, h):
        return (f(linear(x_t, w_ih, b_ih) + linear(h, w_hh, b_hh)),)

    return loop_over_steps(step, data, batch_sizes, (h_0,), reverse)


class RNNPass(Function):
    """The whole sequence of an RNN, forwards and backwards; see the head of this module."""

    @staticmethod
    def forward(ctx, data, w_ih, w_hh, b_ih, b_hh, h_0, batch_sizes, reverse, nonlinearity):
        """Return every h_t, and each sequence's last."""
        # x_t W_xh + b_h for every step at once. The loop turns it into a_t, then h_t, in place.
        h = torch.addmm(b_ih + b_hh, data, w_ih.t())
        W_hh = w_hh.t().contiguous()
        f, array = fast_tanh(h) if nonlinearity == "tanh" else (_relu, same)
        h_n = contiguous_copy(h_0)
        for rows, n, k, _ in forward_runs(batch_sizes, reverse):
            steps = partial(steps_of, n=n, k=k, backwards=reverse)
            h_prev = h_n[:n]
            for h_t, a_t in zip(steps(h[rows]), steps(array(h[rows])), strict=True):
                h_t.addmm_(h_prev, W_hh)  # a_t, which is the same memory
                f(a_t, out=a_t)
                h_prev = h_t
            h_n[:n] = h_prev
        ctx.save_for_backward(data, w_ih, w_hh, b_ih, b_hh, h_0, h)
        ctx.how = batch_sizes, reverse, nonlinearity
        return h, h_n

    @staticmethod
    def backward(ctx, dout, dh_n):
        """Return the gradients of all that went in, where they are needed."""
        *inputs, h = ctx.saved_tensors
        data, w_ih, w_hh, _, _, h_0 = inputs
        batch_sizes, reverse, nonlinearity = ctx.how
        if torch.is_grad_enabled():  # create_graph=True
            return by_autograd(rnn_loop, ctx, inputs, (dout, dh_n))
        H, one = h.shape[1], h.new_ones(())  # a tensor: a Python number costs more in every call
        grads = WeightGradients(ctx, data, w_ih, w_hh)
        runs = backward_runs(batch_sizes, H, reverse)
        buffers = h.new_empty(2, most_rows(runs), H)

        @cache  # the views of one run serve every run of that shape
        def views(n, k):
            da, df = buffers[:, : n * k]
            steps = partial(steps_of, n=n, k=k, backwards=not reverse)
            return da, df, steps(da), steps(df)

        dh = contiguous_copy(dh_n)
        for rows, n, k, m in runs:
            da, df, da_steps, df_steps = views(n, k)
            if nonlinearity == "tanh":
                torch.addcmul(one, h[rows], h[rows], value=-1, out=df)  # 1 - h_t^2
            else:
                torch.sign(h[rows], out=df)
            to_prev = receive(da, da_steps, dout[rows], dh[:n])
            for da_t, df_t, dh_prev in zip(da_steps, df_steps, to_prev, strict=True):
                da_t.mul_(df_t)  # da_t held dh_t until now
                dh_prev.addmm_(da_t, w_hh)  # it holds dout_{t-1} already
            grads.add(rows, da, da, da, previous(h, h_0, rows, n, m, reverse))
        return *grads.result(), dh, None, None, None


def _relu(a, out):
    return out.relu_()
