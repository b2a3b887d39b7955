"""The backward pass as chapter 7 derives it, in NumPy: what the derivation alone is worth.

Against torch.nn it shows what is gained by not recording every step; rnnlib's compiled loops, which
do the same arithmetic, show what is gained by compiling them.
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.autograd import Function


class ByHand(Function):
    """A whole sequence, forwards and backwards; x is (T, N, D), and h_0 is zero."""

    @staticmethod
    def forward(ctx, x, w_ih, w_hh, b_ih, b_hh):
        """Return h_1, …, h_T, (T, N, H)."""
        W_hh = w_hh.detach().numpy().T
        h = (x @ w_ih.T + (b_ih + b_hh)).detach().numpy()  # a_t, which becomes h_t in place
        for t in range(len(h)):
            if t > 0:
                h[t] += h[t - 1] @ W_hh
            np.tanh(h[t], out=h[t])
        outputs = torch.from_numpy(h)
        ctx.save_for_backward(x, w_ih, w_hh, outputs)
        return outputs

    @staticmethod
    def backward(ctx, g):
        """Return the gradients of x, the two matrices and the two biases."""
        x, w_ih, w_hh, outputs = ctx.saved_tensors
        g, h, w_hh = g.numpy(), outputs.numpy(), w_hh.numpy()
        da, slope, dh = np.empty_like(h), 1 - h**2, np.zeros_like(h[0])
        for t in reversed(range(len(h))):
            da[t] = (dh + g[t]) * slope[t]
            dh = da[t] @ w_hh
        da = torch.from_numpy(da)
        rows = da.flatten(0, 1)
        dx = da @ w_ih if ctx.needs_input_grad[0] else None
        dw_hh = da[1:].flatten(0, 1).T @ outputs[:-1].flatten(0, 1)
        db = rows.sum(0)
        return dx, rows.T @ x.flatten(0, 1), dw_hh, db, db.clone()


class RNNByHand(nn.RNN):
    """torch.nn.RNN's parameters, with one layer and tanh, run by `ByHand`."""

    def forward(self, input: Tensor) -> tuple[Tensor, Tensor]:
        """Return all outputs and the last state; the first state is zero."""
        outputs = ByHand.apply(input, *self.parameters())
        return outputs, outputs[-1:]
