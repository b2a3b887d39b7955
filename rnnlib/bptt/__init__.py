"""Backpropagation through time by hand: whole-sequence passes for RNN, GRU and LSTM.

Every layer is here twice. `rnn`, `gru` and `lstm` run one direction of one layer over a whole
sequence, in a ``torch.autograd.Function`` whose backward pass is derived on paper. For float32 and
float64 on a CPU its loops are compiled by numba (``bptt.compiled``). `rnn_loop`, `gru_loop` and
`lstm_loop` are the equations step by step, for autograd to differentiate. Both take the same
arguments and agree to rounding. Where a pass cannot serve, as on a GPU, for a gradient that is
differentiated again, or without numba, the loop does: ``bptt.choice`` decides.

Why by hand? Autograd records every operation of every step, and later walks the record back.
The derivation, which stands at the head of each module, shows how little of that is needed:

- x_t W_xh does not depend on h, so one large product serves all steps.
- What the backward pass needs is a function of the h_t and the gates, which are kept anyway.
- The loop back carries dh (and dc), and nothing else.
- The gradient of a weight is a sum over steps. One large product after the loop takes that sum.

``python -m rnnlib.bptt`` compiles everything now, rather than when a network first runs.

Sequences are flat and time major, as in a ``PackedSequence``: ``data`` has the rows of the first
step, then those of the second, and so on; ``batch_sizes`` says how many rows each step has, and
never grows. An ordinary batch of N sequences of T steps is ``batch_sizes = [N] * T``. How the
steps are walked in either direction of time is told in ``bptt.runs``.

In all modules rows are samples, a_t is what a nonlinearity is applied to, dv is the derivative of
the loss with respect to v, and ``*`` is elementwise. ``w_ih`` (G H, D) and ``w_hh`` (G H, H) stack
the matrices of the G gates, transposed, as torch stores them: W_xh is ``w_ih.t()``, and a product
with W_xh^T reads ``@ w_ih``.
"""

try:
    from rnnlib.bptt import compiled
except ImportError:  # no numba, or one that is switched off: every sequence takes the loop
    compiled = None

from rnnlib.bptt.gru import gru
from rnnlib.bptt.loops import gru_loop, lstm_loop, rnn_loop
from rnnlib.bptt.lstm import lstm
from rnnlib.bptt.rnn import rnn

__all__ = ["compiled", "gru", "gru_loop", "lstm", "lstm_loop", "rnn", "rnn_loop"]
