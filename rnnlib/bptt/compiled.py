"""The passes over a sequence as plain loops, compiled by numba for float32 and float64.

Rows are samples, laid out as in a ``PackedSequence``: the rows of the first step, then those of the
second, and so on. ``steps`` has a line (first row, number of rows) for each step, in the order of
the walk: a walk back in time begins with the last step. The states h_n and c_n, (N, H), are written
over at every step. Rows of them that have not entered yet hold their initial state, rows that have
ended their final one. The backward passes take the same steps from the last to the first. Equations
and derivations stand at the head of ``bptt.rnn``, ``bptt.gru`` and ``bptt.lstm``; the matrices here
are W_xh and W_hh of the equations, those of several gates side by side.

Everything compiled is in this one file, and so are its options: numba's cache notices a change in
the file of a function, and would not notice one in what is imported. What happens within a step is
a function of its own, with one stored column in each inner loop, because such loops become vector
code.
"""

import math

import numpy as np
from numba import njit, types
from numba.extending import overload

from rnnlib.bptt.keeping import keep

# Divisions as NumPy has them: Python's would test each divisor. "contract" lets a * b + c be
# rounded once; unlike fastmath as a whole it leaves NaN and infinity their meaning.
OPTIONS = {"nogil": True, "error_model": "numpy", "fastmath": {"contract"}}


def compiled(function):
    """Compile a function when it is first called, and keep the code where a folder allows it."""
    return keep(njit(**OPTIONS)(function))


def activations(real, integer, bias, digits, terms, LN2_HIGH, LN2_LOW):
    """Make the logistic function and tanh of one float type, accurate at every scale.

    With x = k log 2 + r, e^x is 2^k e^r, and e^r - 1 a short series in r, |r| < 0.35, which keeps
    all digits of a small number. 2^k is made from its exponent's bits; `bias` and `digits` say
    where they are. log 2 comes in two parts, so that k times the first is exact.
    """
    LOG2E, LN2_HIGH, LN2_LOW = real(1 / math.log(2)), real(LN2_HIGH), real(LN2_LOW)
    half, one, two = real(0.5), real(1), real(2)
    c = tuple(real(1 / math.factorial(k)) for k in range(terms + 1))
    zero_from = real(bias * math.log(2))  # e^-x, which makes k = -bias, whose bits are 0.0
    one_from = real((digits + 4) * math.log(2) / 2)  # tanh
    bias, digits = integer(bias), integer(digits)

    @njit(**OPTIONS)
    def split_exp(x):
        k = np.floor(x * LOG2E + half)
        r = (x - k * LN2_HIGH) - k * LN2_LOW
        q = c[terms]
        for i in range(terms - 1, 1, -1):
            q = c[i] + r * q
        two_to_k = integer((integer(np.int32(k)) + bias) << digits).view(real)
        return two_to_k, r + r * r * q

    @njit(**OPTIONS)
    def sigmoid(x):
        s, p = split_exp(-min(abs(x), zero_from))
        e = s + s * p  # e^-|x|
        return (one if x >= 0 else e) / (one + e)

    @njit(**OPTIONS)
    def tanh(x):
        y = min(abs(x), one_from)
        s, p = split_exp(y + y)
        e = s * p + (s - one)  # e^2y - 1
        return math.copysign(e / (e + two), x)

    return sigmoid, tanh


FLOAT32 = activations(np.float32, np.int32, 127, 23, 7, 0.693359375, -2.1219444005469057e-4)
FLOAT64 = activations(
    np.float64, np.int64, 1023, 52, 13, 0.6931471803691238, 1.9082149292705877e-10
)


def sigmoid(x):
    """Compute the logistic function of a number; known to compiled code only."""


def tanh(x):
    """Compute tanh of a number; known to compiled code only."""


def _by_type(name, which):
    @overload(name, jit_options=OPTIONS)
    def choose(x):
        function = {types.float32: FLOAT32, types.float64: FLOAT64}[x][which]
        return lambda x: function(x)


_by_type(sigmoid, 0)
_by_type(tanh, 1)


# ---------------------------------------------------------------- products


@compiled
def add_product(c, a, b):
    """Compute c += a b. Four rows of a meet four rows of b at a time: fewer reads."""
    N, K = a.shape
    N4, K4 = N - N % 4, K - K % 4
    for n in range(0, N4, 4):
        c0, c1, c2, c3 = c[n], c[n + 1], c[n + 2], c[n + 3]
        for k in range(0, K4, 4):
            b0, b1, b2, b3 = b[k], b[k + 1], b[k + 2], b[k + 3]
            p0, p1, p2, p3 = a[n, k], a[n, k + 1], a[n, k + 2], a[n, k + 3]
            q0, q1, q2, q3 = a[n + 1, k], a[n + 1, k + 1], a[n + 1, k + 2], a[n + 1, k + 3]
            r0, r1, r2, r3 = a[n + 2, k], a[n + 2, k + 1], a[n + 2, k + 2], a[n + 2, k + 3]
            s0, s1, s2, s3 = a[n + 3, k], a[n + 3, k + 1], a[n + 3, k + 2], a[n + 3, k + 3]
            for j in range(c.shape[1]):
                u, v, w, x = b0[j], b1[j], b2[j], b3[j]
                c0[j] = c0[j] + p0 * u + p1 * v + p2 * w + p3 * x
                c1[j] = c1[j] + q0 * u + q1 * v + q2 * w + q3 * x
                c2[j] = c2[j] + r0 * u + r1 * v + r2 * w + r3 * x
                c3[j] = c3[j] + s0 * u + s1 * v + s2 * w + s3 * x
    for n in range(N4, N):  # the rows that are left
        c0 = c[n]
        for k in range(0, K4, 4):
            b0, b1, b2, b3 = b[k], b[k + 1], b[k + 2], b[k + 3]
            p0, p1, p2, p3 = a[n, k], a[n, k + 1], a[n, k + 2], a[n, k + 3]
            for j in range(c.shape[1]):
                c0[j] = c0[j] + p0 * b0[j] + p1 * b1[j] + p2 * b2[j] + p3 * b3[j]
    for k in range(K4, K):  # and the columns
        for n in range(N):
            for j in range(c.shape[1]):
                c[n, j] += a[n, k] * b[k, j]


# The sum over rows is taken in parts of so many: in float32 the millionth small number added to a
# sum is rounded to the sum's last place.
PART = 256


@compiled
def add_gradients(x, h_prev, da_x, da_h, w_ih, dx, dW_xh, dW_hh, db_x, db_h):
    """Add the share of some rows; a gradient nobody wants has no rows."""
    if len(dx) > 0:
        add_product(dx, da_x, w_ih)  # dx_t = da_t W_xh^T
    for first in range(0, len(da_x), PART):
        last = min(first + PART, len(da_x))
        add_weights(x[first:last], da_x[first:last], dW_xh, db_x)
        add_weights(h_prev[first:last], da_h[first:last], dW_hh, db_h)


@compiled
def add_weights(v, da, dW, db):
    """Add sum_t v_t^T da_t to dW, where v_t is x_t or h_{t-1}, and sum_t da_t to db."""
    if len(dW) > 0:
        part = np.zeros_like(dW)
        add_product(part, v.T, da)
        for i in range(dW.shape[0]):
            for j in range(dW.shape[1]):
                dW[i, j] += part[i, j]
    if len(db) > 0:
        sums = np.zeros_like(db)
        for row in range(len(da)):
            for j in range(len(db)):
                sums[j] += da[row, j]
        for j in range(len(db)):
            db[j] += sums[j]


@compiled
def states_before(h, h_0, steps, begin, end, h_prev):
    """Write h_{t-1} for the rows of steps[begin:end], in their order: h of the step before, or h_0.

    h, (sum of all steps' rows, H), holds every state; `steps` counts rows in it.
    """
    start = min(steps[begin, 0], steps[end - 1, 0])
    for k in range(begin, end):
        first, n = steps[k]
        m = min(n, steps[k - 1, 1]) if k > 0 else 0  # the others enter now
        to = h_prev[first - start : first - start + n]
        if m > 0:
            before = steps[k - 1, 0]
            to[:m] = h[before : before + m]
        to[m:] = h_0[m:n]


# ---------------------------------------------------------------- the plain RNN


@compiled
def rnn_forward(x, W_xh, W_hh, b_h, steps, h_n, h, relu):
    """From x, (R, D), and the state h_n, (N, H), to all h, (R, H)."""
    h[:] = b_h
    add_product(h, x, W_xh)  # x_t W_xh + b_h of all steps at once
    for k in range(len(steps)):
        first, n = steps[k]
        a_t = h[first : first + n]
        add_product(a_t, h_n[:n], W_hh)  # h_{t-1} W_hh
        rnn_step(a_t, relu)  # which makes it h_t
        h_n[:n] = a_t


@compiled
def rnn_step(a_t, relu):
    """Turn a_t into h_t = f(a_t)."""
    N, H = a_t.shape
    zero = a_t.dtype.type(0)
    for n in range(N):
        if relu:
            for j in range(H):
                a_t[n, j] = zero if a_t[n, j] < zero else a_t[n, j]
        else:
            for j in range(H):
                a_t[n, j] = tanh(a_t[n, j])


@compiled
def rnn_backward(dout, h, w_hh, steps, dh, da, relu):
    """From dout, (R, H), and the dh of what follows to all da, (R, H).

    dh, (N, H), becomes that of what precedes; w_hh is W_hh^T.
    """
    for k in range(len(steps) - 1, -1, -1):
        first, n = steps[k]
        last = first + n
        dout_t, h_t, da_t = dout[first:last], h[first:last], da[first:last]
        rnn_step_back(dout_t, h_t, dh[:n], da_t, relu)
        add_product(dh[:n], da_t, w_hh)  # da_t W_hh^T


@compiled
def rnn_step_back(dout_t, h_t, dh, da_t, relu):
    """Turn dout_t and what dh brings into da_t, and empty dh."""
    N, H = h_t.shape
    zero, one = h_t.dtype.type(0), h_t.dtype.type(1)
    for n in range(N):
        for j in range(H):
            dh[n, j] += dout_t[n, j]  # dh_t, whole
        if relu:
            for j in range(H):
                da_t[n, j] = zero if h_t[n, j] <= zero else dh[n, j]
        else:
            for j in range(H):
                da_t[n, j] = dh[n, j] * (one - h_t[n, j] * h_t[n, j])
        for j in range(H):
            dh[n, j] = zero


# ---------------------------------------------------------------- the gated recurrent unit


@compiled
def gru_forward(x, W_xh, W_hh, b, b_hn, steps, h_n, hW, gates, m, h):
    """From x and h_n to the gates r z n, (R, 3, H), to m and h, (R, H); hW, (N, 3, H), is room."""
    R, _, H = gates.shape
    a = gates.reshape(R, 3 * H)
    a[:] = b
    add_product(a, x, W_xh)
    for k in range(len(steps)):
        first, n = steps[k]
        last = first + n
        hW[:n] = 0
        add_product(hW[:n].reshape(n, 3 * H), h_n[:n], W_hh)
        gru_step(gates[first:last], hW, b_hn, h_n, m[first:last], h[first:last])
        h_n[:n] = h[first:last]


@compiled
def gru_step(a_t, hW, b_hn, h_prev, m_t, h_t):
    """Turn the input's share of a_t, (n, 3, H), into r_t z_t n_t; write m_t and h_t."""
    N, H = h_t.shape
    one = h_t.dtype.type(1)
    for row in range(N):
        for gate in range(2):
            for j in range(H):
                a_t[row, gate, j] = sigmoid(a_t[row, gate, j] + hW[row, gate, j])
        for j in range(H):
            m_t[row, j] = hW[row, 2, j] + b_hn[j]
        for j in range(H):
            a_t[row, 2, j] = tanh(a_t[row, 2, j] + a_t[row, 0, j] * m_t[row, j])
        for j in range(H):
            z, n = a_t[row, 1, j], a_t[row, 2, j]
            h_t[row, j] = (one - z) * n + z * h_prev[row, j]


@compiled
def gru_backward(dout, gates, m, h_prev, w_hh, steps, dh, da_x, da_h):
    """From dout and dh of what follows to da_x and da_h, (R, 3, H), and dh of what precedes."""
    H = gates.shape[2]
    for k in range(len(steps) - 1, -1, -1):
        first, n = steps[k]
        last = first + n
        gru_step_back(
            dout[first:last],
            gates[first:last],
            m[first:last],
            h_prev[first:last],
            dh[:n],
            da_x[first:last],
            da_h[first:last],
        )
        add_product(dh[:n], da_h[first:last].reshape(n, 3 * H), w_hh)


@compiled
def gru_step_back(dout_t, gates, m_t, h_prev, dh, da_x, da_h):
    """Write da_r da_z da_n and da_r da_z dm; leave in dh what reaches h_{t-1} beside the gates."""
    N, H = m_t.shape
    one = m_t.dtype.type(1)
    for row in range(N):
        for j in range(H):
            dh[row, j] += dout_t[row, j]
        for j in range(H):
            z, n = gates[row, 1, j], gates[row, 2, j]
            da_x[row, 2, j] = dh[row, j] * (one - z) * (one - n * n)
        for j in range(H):
            z, n = gates[row, 1, j], gates[row, 2, j]
            da_x[row, 1, j] = dh[row, j] * (h_prev[row, j] - n) * z * (one - z)
        for j in range(H):
            dh[row, j] *= gates[row, 1, j]
        for j in range(H):
            da_h[row, 2, j] = da_x[row, 2, j] * gates[row, 0, j]
        for j in range(H):
            r = gates[row, 0, j]
            da_x[row, 0, j] = da_x[row, 2, j] * m_t[row, j] * r * (one - r)
        for gate in range(2):
            for j in range(H):
                da_h[row, gate, j] = da_x[row, gate, j]


# ---------------------------------------------------------------- the long short-term memory


@compiled
def lstm_forward(x, W_xh, W_hh, b, steps, h_n, c_n, gates, c, h):
    """From x, h_n and c_n to the gates i f g o, (R, 4, H), and to c and h, (R, H)."""
    R, _, H = gates.shape
    a = gates.reshape(R, 4 * H)
    a[:] = b
    add_product(a, x, W_xh)
    for k in range(len(steps)):
        first, n = steps[k]
        last = first + n
        add_product(a[first:last], h_n[:n], W_hh)
        lstm_step(gates[first:last], c_n[:n], c[first:last], h[first:last])
        h_n[:n] = h[first:last]
        c_n[:n] = c[first:last]


@compiled
def lstm_step(a_t, c_prev, c_t, h_t):
    """Turn a_t, (n, 4, H), into i_t f_t g_t o_t; write c_t and h_t."""
    N, H = h_t.shape
    for n in range(N):
        for gate in (0, 1, 3):
            for j in range(H):
                a_t[n, gate, j] = sigmoid(a_t[n, gate, j])
        for j in range(H):
            a_t[n, 2, j] = tanh(a_t[n, 2, j])
        for j in range(H):
            i, f, g = a_t[n, 0, j], a_t[n, 1, j], a_t[n, 2, j]
            c_t[n, j] = f * c_prev[n, j] + i * g
        for j in range(H):
            h_t[n, j] = a_t[n, 3, j] * tanh(c_t[n, j])


@compiled
def lstm_backward(dout, gates, c, c_prev, w_hh, steps, dh, dc, da):
    """From dout, and dh and dc of what follows, to da, (R, 4, H), and dh, dc of what precedes."""
    H = gates.shape[2]
    for k in range(len(steps) - 1, -1, -1):
        first, n = steps[k]
        last = first + n
        lstm_step_back(
            dout[first:last],
            gates[first:last],
            c[first:last],
            c_prev[first:last],
            dh[:n],
            dc[:n],
            da[first:last],
        )
        add_product(dh[:n], da[first:last].reshape(n, 4 * H), w_hh)


@compiled
def lstm_step_back(dout_t, gates, c_t, c_prev, dh, dc, da_t):
    """Write da_i da_f da_g da_o; leave dc_t * f_t in dc, and nothing in dh."""
    N, H = c_t.shape
    zero, one = c_t.dtype.type(0), c_t.dtype.type(1)
    for n in range(N):
        for j in range(H):
            dh[n, j] += dout_t[n, j]
        for j in range(H):
            o, tanh_c = gates[n, 3, j], tanh(c_t[n, j])
            da_t[n, 3, j] = dh[n, j] * tanh_c * o * (one - o)
            dc[n, j] += dh[n, j] * o * (one - tanh_c * tanh_c)
        for j in range(H):
            i, g = gates[n, 0, j], gates[n, 2, j]
            da_t[n, 0, j] = dc[n, j] * g * i * (one - i)
        for j in range(H):
            f = gates[n, 1, j]
            da_t[n, 1, j] = dc[n, j] * c_prev[n, j] * f * (one - f)
        for j in range(H):
            i, g = gates[n, 0, j], gates[n, 2, j]
            da_t[n, 2, j] = dc[n, j] * i * (one - g * g)
        for j in range(H):
            dc[n, j] *= gates[n, 1, j]
            dh[n, j] = zero
