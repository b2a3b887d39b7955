"""Instruments that measure how gradients travel through time.

The instruments take any recurrent layer or cell in one direction, ours or torch.nn's, and run it
one step at a time, so that the state between two steps can be held and differentiated. Rows are
samples: with J_t[i, j] = ∂h_t[j] / ∂h_{t-1}[i] a small change travels forward as
δh_t = δh_{t-1} J_t, and a gradient travels backward as ∂E/∂h_{t-1} = ∂E/∂h_t J_tᵀ.
"""

import copy
from collections.abc import Callable
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnlib.device import in_mode
from rnnlib.layers import State


@contextmanager
def _without_cudnn():
    """Run torch.nn's layers without cuDNN, whose RNNs have no backward pass in eval mode."""
    enabled = torch.backends.cudnn.enabled
    torch.backends.cudnn.enabled = False
    try:
        yield
    finally:
        torch.backends.cudnn.enabled = enabled


class _Stepper:
    """A recurrent layer or cell as a function ``step(x_t, s)`` from one flat state to the next.

    The state s is (N, S), one row for each sample: h_t of every layer in order, followed, for an
    LSTM, by c_t of every layer. `parts` holds the width of each of the two, `x` the inputs as
    (T, N, D), and `start` the state before the first step.
    """

    def __init__(self, layer: nn.Module, x: Tensor, h_0: State | None):
        name = f"the class {layer.__name__}" if isinstance(layer, type) else type(layer).__name__
        if not isinstance(layer, nn.Module) or not hasattr(layer, "hidden_size"):
            raise TypeError(f"layer: expected a recurrent layer or cell, got {name}")
        if any(weight.is_inference() for weight in layer.parameters()):
            # Autograd takes no tensor that was made under torch.inference_mode, but its copies.
            layer = copy.deepcopy(layer)
        if getattr(layer, "bidirectional", False):
            raise ValueError(
                f"layer: expected one direction, got a bidirectional {name}: its state at step t "
                "does not follow from the one at step t-1"
            )
        self.layer = layer
        self.is_cell = not hasattr(layer, "num_layers")
        self.num_layers = 1 if self.is_cell else layer.num_layers
        self.batch_first = getattr(layer, "batch_first", False)
        if self.num_layers > 1 and layer.training and getattr(layer, "dropout", 0) > 0:
            raise ValueError(
                f"layer: expected one that gives the same answer twice, got {name} with dropout "
                f"{layer.dropout} in training mode; call its eval() first"
            )
        if isinstance(x, PackedSequence) or not isinstance(x, Tensor):
            raise TypeError(f"x: expected a Tensor, got {type(x).__name__}")
        if x.dim() not in (2, 3):
            raise ValueError(f"x: expected (T, N, D) or (T, D), got {x.dim()} dimensions")
        batched = x.dim() == 3
        self._check_kind("x", x)
        self.x = x.detach() if batched else x.detach().unsqueeze(1)
        if batched and self.batch_first:
            self.x = self.x.transpose(0, 1)
        if self.x.shape[:2].numel() == 0:
            steps, batch = self.x.shape[:2]
            raise ValueError(
                f"x: expected at least one step and one sample, got {steps} and {batch}"
            )

        with torch.no_grad():
            zeros = [torch.zeros_like(part) for part in self._run(self.x[0], None)]
        parts = zeros if h_0 is None else self._checked(h_0, zeros, batched)
        self.parts = [self._flat(part).size(1) for part in parts]
        self.start = torch.cat([self._flat(part) for part in parts], dim=1)
        # The top layer's h_t: what the layer gives as its output.
        self.top = slice(self.parts[0] - self.parts[0] // self.num_layers, self.parts[0])

    def _check_kind(self, name: str, value: Tensor) -> None:
        """Refuse a tensor that torch.nn's layers would refuse in terms of their insides."""
        weight = next(self.layer.parameters(), value)
        if weight.is_complex():
            raise TypeError(f"layer: expected real weights, got {weight.dtype}")
        if value.device != weight.device:
            raise ValueError(
                f"{name}: expected on {weight.device} like the weights, got {value.device}"
            )
        if value.dtype != weight.dtype and not torch.is_autocast_enabled(value.device.type):
            raise TypeError(f"{name}: expected {weight.dtype} like the weights, got {value.dtype}")

    def _run(self, x_t: Tensor, state: State | None) -> tuple[Tensor, ...]:
        # In evaluation mode spectral_norm does not change the weights from step to step.
        with _without_cudnn(), in_mode(self.layer, training=False):
            if self.is_cell:
                state = self.layer(x_t, state)
            else:
                _, state = self.layer(x_t.unsqueeze(1 if self.batch_first else 0), state)
        return state if isinstance(state, tuple) else (state,)

    def _checked(self, h_0: State, zeros: list[Tensor], batched: bool) -> list[Tensor]:
        given = h_0 if isinstance(h_0, tuple | list) else (h_0,)
        expected = [tuple(z.shape if batched else z.squeeze(-2).shape) for z in zeros]
        if not all(isinstance(part, Tensor) for part in given):
            raise TypeError("h_0: expected a Tensor, or for an LSTM the tuple (h_0, c_0) of two")
        if [tuple(part.shape) for part in given] != expected:
            got = ", ".join(str(tuple(part.shape)) for part in given)
            raise ValueError(f"h_0: expected {', '.join(map(str, expected))}, got {got or 'none'}")
        for part in given:
            self._check_kind("h_0", part)
        return [part.detach() if batched else part.detach().unsqueeze(-2) for part in given]

    def _flat(self, part: Tensor) -> Tensor:
        """(layers, N, H) of a layer, or (N, H) of a cell, to (N, layers · H)."""
        return part if self.is_cell else part.transpose(0, 1).flatten(1)

    def __call__(self, x_t: Tensor, s: Tensor) -> Tensor:
        parts = s.split(self.parts, dim=1)
        if not self.is_cell:
            parts = [p.unflatten(1, (self.num_layers, -1)).transpose(0, 1) for p in parts]
            parts = [p.contiguous() for p in parts]
        state = parts[0] if len(parts) == 1 else tuple(parts)
        return torch.cat([self._flat(part) for part in self._run(x_t, state)], dim=1)


def _norms(rows: Tensor) -> Tensor:
    """Euclidean norm along the last dimension, right even where the squares would underflow."""
    largest = rows.abs().amax(dim=-1, keepdim=True)
    scale = torch.where((largest > 0) & largest.isfinite(), largest, torch.ones_like(largest))
    return torch.linalg.vector_norm(rows / scale, dim=-1) * scale.squeeze(-1)


@torch.inference_mode(False)
def step_jacobians(layer: nn.Module, x: Tensor, h_0: State | None = None) -> Tensor:
    r"""Measure, by autograd, how each state depends on the state one step before.

    For a plain RNN the result is known on paper, and the two agree:

    .. math::

        J_t = \frac{\partial h_t}{\partial h_{t-1}} &= W_{hh} \, \mathrm{diag}(f'(z_t)), \\
        \tanh'(z_t) &= 1 - h_t^2

    Parameters
    ----------
    layer : Module
        A recurrent layer or cell, of rnnlib or torch.nn, in one direction.
    x : Tensor, (T, N, D), or (N, T, D) for a layer with ``batch_first``, or (T, D)
        The inputs. A cell is run over them with time first.
    h_0 : Tensor, or the tuple (h_0, c_0) for an LSTM, optional
        The state before the first step, shaped as the layer or cell takes it; zeros if it is not
        given.

    Returns
    -------
    Tensor, (T, N, S, S)
        Entry [t - 1, n, i, j] is ∂h_t[j] / ∂h_{t-1}[i] of sample n. Rows are samples, so a small
        change of the state travels as δh_t = δh_{t-1} J_t. The size S of the state is H for one
        layer. With L layers it is L · H, the states of all of them in order; for an LSTM, c_t
        follows h_t and S doubles. For unbatched input N is 1.

    Raises
    ------
    TypeError
        If `layer` is no recurrent layer or cell or has complex weights, or `x` or `h_0` is no
        tensor of their dtype.
    ValueError
        For a bidirectional layer, for one that drops out at random, and for shapes and devices
        that do not fit. What else the layer itself refuses, it refuses in its own words.

    Notes
    -----
    The layer is run in evaluation mode and left in its own. Under ``torch.no_grad`` and
    ``torch.inference_mode`` the result is the same.

    The products of these matrices are at the centre of Bengio et al. [1]_ and Pascanu et al. [2]_.

    .. [1] Y. Bengio, P. Simard and P. Frasconi, "Learning long-term dependencies with gradient
       descent is difficult", IEEE Transactions on Neural Networks 5 (1994), 157-166.
    .. [2] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013.
    """
    step = _Stepper(layer, x, h_0)
    s = step.start
    N, S = s.shape
    eye = torch.eye(S, dtype=s.dtype, device=s.device)
    jacobians = []
    with torch.enable_grad():
        for x_t in step.x:
            # S copies of the batch, so that one backward pass gives every ∂h_t[j]: copy j's is j.
            before = s.expand(S, N, S).reshape(S * N, S).requires_grad_()
            after = step(x_t.repeat(S, 1), before)
            (rows,) = torch.autograd.grad(after, before, eye.repeat_interleave(N, dim=0))
            jacobians.append(rows.view(S, N, S).permute(1, 2, 0))
            s = after[:N].detach()
    return torch.stack(jacobians)


def jacobian_product(jacobians: Tensor) -> Tensor:
    r"""Multiply the Jacobians of successive steps into the Jacobian of all of them.

    .. math:: \frac{\partial h_T}{\partial h_0} = J_1 J_2 \cdots J_T

    The order is that of time, because rows are samples. Of the result P of
    :func:`step_jacobians`, ``jacobian_product(P[-lag:])`` is ∂h_T / ∂h_{T - lag}.

    Parameters
    ----------
    jacobians : Tensor, (T, ..., S, S)
        J_1, …, J_T, as `step_jacobians` gives them.

    Returns
    -------
    Tensor, (..., S, S)
        Entry [i, j] is ∂h_T[j] / ∂h_0[i]; the identity for T = 0.

    Raises
    ------
    TypeError
        If `jacobians` is no tensor.
    ValueError
        If the last two dimensions do not make a square, or there is no third.
    """
    if not isinstance(jacobians, Tensor):
        raise TypeError(f"jacobians: expected a Tensor, got {type(jacobians).__name__}")
    if jacobians.dim() < 3 or jacobians.size(-1) != jacobians.size(-2):
        raise ValueError(
            f"jacobians: expected (T, ..., S, S), one square matrix for each step, "
            f"got {tuple(jacobians.shape)}"
        )
    eye = torch.eye(jacobians.size(-1), dtype=jacobians.dtype, device=jacobians.device)
    product = eye.expand(jacobians.shape[1:]).clone()
    for J_t in jacobians:
        product = product @ J_t
    return product


@torch.inference_mode(False)
def gradient_by_lag(
    layer: nn.Module,
    x: Tensor,
    loss: Callable[[Tensor], Tensor] | None = None,
    wrt: str = "state",
    h_0: State | None = None,
) -> Tensor:
    r"""Measure how strongly an error at the last step T reaches back to each earlier step.

    .. math:: g_k = \frac{1}{N} \sum_{n=1}^{N}
        \left\lVert \frac{\partial E_T}{\partial h_{T-k}^{(n)}} \right\rVert,
        \qquad k = 0, 1, \dots, T - 1

    The default error is E_T = h_T · v for every sample, with one fixed unit vector v whose
    direction was drawn at random. Then g_0 = 1, and with σ the largest singular value of W_hh
    g_k is at most (γσ)^k, where γ is the steepest slope of the nonlinearity.

    Parameters
    ----------
    layer : Module
        A recurrent layer or cell, of rnnlib or torch.nn, in one direction.
    x : Tensor, (T, N, D), or (N, T, D) for a layer with ``batch_first``, or (T, D)
        The inputs. A cell is run over them with time first.
    loss : callable, optional
        The error: takes the top layer's h_T, (N, H), and returns one number for each sample,
        (N,), or their sum. A mean over the batch divides every gradient by N.
    wrt : {"state", "h", "c", "x"}
        With respect to what: the whole state that is handed from step to step (of all layers;
        h and c together for an LSTM), its part h or c alone, or the input x_t.
    h_0 : Tensor, or the tuple (h_0, c_0) for an LSTM, optional
        The state before the first step, shaped as the layer or cell takes it; zeros if it is not
        given.

    Returns
    -------
    Tensor, (T,)
        Entry k is the norm at lag k, for h_{T-k} or x_{T-k}. Norms are right down to the smallest
        numbers of the layer's dtype: in float64 to below 1e-300, in float32 to 1e-38.

    Raises
    ------
    TypeError
        If `layer` is no recurrent layer or cell or has complex weights, `x` or `h_0` is no tensor
        of their dtype, or `loss` does not return a real one.
    ValueError
        For a bidirectional layer, for one that drops out at random, for an unknown `wrt`, for
        shapes and devices that do not fit, and for a loss that does not depend on h_T. What else
        the layer itself refuses, it refuses in its own words.

    Notes
    -----
    The gradient with respect to h_t counts every path from h_t to E_T and holds the inputs fixed;
    it is ∂E_T/∂h_T J_Tᵀ J_{T-1}ᵀ ⋯, the product that Pascanu et al. [1]_ bound. The layer's own
    gradients (``.grad``) are left as they are, and its mode; it is run in evaluation mode. Under
    ``torch.no_grad`` and ``torch.inference_mode`` the result is the same.

    .. [1] R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
       networks", ICML 2013.
    """
    step = _Stepper(layer, x, h_0)
    known = ("state", "h", "c", "x") if len(step.parts) == 2 else ("state", "h", "x")
    if wrt not in known:
        raise ValueError(
            f"wrt: expected one of {', '.join(known)} for {type(layer).__name__}, got {wrt!r}"
        )
    with torch.enable_grad():
        s = step.start
        inputs, states = [], []
        for x_t in step.x:
            # Whatever is asked for: so the graph is recorded even where the weights are frozen.
            inputs.append(x_t.clone().requires_grad_())
            s = step(inputs[-1], s)
            states.append(s)
        h_T = s[:, step.top]
        error = h_T @ _direction(h_T) if loss is None else _checked_loss(loss, h_T)
        held = inputs if wrt == "x" else states
        gradients = torch.autograd.grad(error.sum(), held, allow_unused=True)
    if gradients[-1] is None:
        raise ValueError("loss: expected it to depend on h_T, got one that does not use it")
    gradients = torch.stack(gradients).flip(0)
    if wrt == "h":
        gradients = gradients[..., : step.parts[0]]
    elif wrt == "c":
        gradients = gradients[..., step.parts[0] :]
    return _norms(gradients).mean(dim=1)


def _direction(h_T: Tensor) -> Tensor:
    """Return a unit vector (H,), drawn on the CPU so that it is the same everywhere."""
    generator = torch.Generator().manual_seed(0)
    v = torch.randn(h_T.size(1), dtype=torch.float64, generator=generator, device="cpu")
    return (v / torch.linalg.vector_norm(v)).to(h_T)


def _checked_loss(loss: Callable[[Tensor], Tensor], h_T: Tensor) -> Tensor:
    if not callable(loss):
        raise TypeError(f"loss: expected a callable, loss(h_T), got {type(loss).__name__}")
    error = loss(h_T)
    if not isinstance(error, Tensor) or not error.is_floating_point():
        got = error.dtype if isinstance(error, Tensor) else type(error).__name__
        raise TypeError(f"loss: expected it to return a Tensor of real numbers, got {got}")
    if error.shape not in ((), (len(h_T),)):
        raise ValueError(
            f"loss: expected one number, or one for each of {len(h_T)} samples, "
            f"got shape {tuple(error.shape)}"
        )
    if not error.requires_grad:
        raise ValueError("loss: expected it to depend on h_T, got a constant")
    return error
