"""What a recurrent layer is, whatever its cell: parameters, checks, layers and directions."""

import numbers
import warnings

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnlib.bptt.choice import is_watched
from rnnlib.cells import init_uniform, refuse_scripting
from rnnlib.checks import check_size, check_tensor


class RecurrentLayer(nn.Module):
    """What the twins of torch.nn's recurrent layers share: parameters, checks, and plumbing.

    A subclass says how many gates it has, and runs one direction of one layer in ``_run``.
    Inside, a state is a tuple of tensors, and every batch is in PyTorch's packed form: the rows
    of step 1, then those of step 2, and so on, longest sequence first, so that the sequences still
    running at a step are its first rows. An ordinary batch is the case of T equal batch sizes.
    """

    gates = 1
    __prepare_scriptable__ = refuse_scripting

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        batch_first: bool = False,
        dropout: float = 0.0,
        bidirectional: bool = False,
        proj_size: int = 0,
        device=None,
        dtype=None,
    ):
        super().__init__()
        self.input_size = check_size("input_size", input_size)
        self.hidden_size = check_size("hidden_size", hidden_size)
        self.num_layers = check_size("num_layers", num_layers)
        for name, flag in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
        if isinstance(dropout, bool) or not isinstance(dropout, numbers.Real):
            raise ValueError(f"dropout should be a number in range [0, 1], got {dropout!r}")
        if not 0 <= dropout <= 1:
            raise ValueError(f"dropout should be a number in range [0, 1], got {dropout}")
        if dropout > 0 and num_layers == 1:
            warnings.warn(
                "dropout acts between layers, so one layer has none: "
                f"got dropout={dropout} and num_layers=1",
                # Point at the caller, past the __init__ of a subclass that has its own.
                stacklevel=2 + (type(self).__init__ is not RecurrentLayer.__init__),
            )
        if proj_size != 0:
            raise ValueError(
                f"rnnlib.{type(self).__name__} has no projections: "
                f"expected proj_size 0, got {proj_size}"
            )
        self.bias = bias
        self.batch_first = batch_first
        self.dropout = float(dropout)
        self.bidirectional = bool(bidirectional)

        rows = self.gates * hidden_size
        for layer in range(num_layers):
            columns = input_size if layer == 0 else hidden_size * self.num_directions
            for direction in range(self.num_directions):
                shapes = ((rows, columns), (rows, hidden_size), (rows,), (rows,))
                # Without bias there are two names, and zip stops after the two matrices.
                for name, shape in zip(self._names(layer, direction), shapes, strict=False):
                    weight = torch.empty(shape, device=device, dtype=dtype)
                    self.register_parameter(name, nn.Parameter(weight))
        self.reset_parameters()

    @property
    def num_directions(self) -> int:
        """2 for a bidirectional layer, otherwise 1."""
        return 2 if self.bidirectional else 1

    def _names(self, layer: int, direction: int) -> list[str]:
        kinds = ["weight_ih", "weight_hh"] + (["bias_ih", "bias_hh"] if self.bias else [])
        return [f"{kind}_l{layer}{'_reverse' if direction else ''}" for kind in kinds]

    def _weights(self, layer: int, direction: int) -> list[Tensor | None]:
        """Return weight_ih, weight_hh, bias_ih, bias_hh; the biases are None where there are none.

        They are read by attribute at every call, so that ``torch.func.functional_call``,
        parametrisations and plain assignment all take effect.
        """
        weights = [getattr(self, name) for name in self._names(layer, direction)]
        return weights if self.bias else [*weights, None, None]

    def _all_weights(self) -> list[list[Tensor | None]]:
        """Return the weights of every layer and direction, in the order of the states' rows."""
        return [
            self._weights(layer, direction)
            for layer in range(self.num_layers)
            for direction in range(self.num_directions)
        ]

    def reset_parameters(self) -> None:
        """Draw all parameters anew from U(-1/sqrt(H), 1/sqrt(H))."""
        init_uniform(self.parameters(), self.hidden_size)

    @property
    def all_weights(self) -> list[list[Tensor]]:
        """The parameters, one list for each layer and direction, as torch.nn gives them."""
        return [[w for w in weights if w is not None] for weights in self._all_weights()]

    def flatten_parameters(self) -> None:
        """Do nothing: there is no cuDNN buffer to refresh. Here for code written for torch.nn."""

    def _run(
        self,
        data: Tensor,
        batch_sizes: list[int],
        state: tuple[Tensor, ...],
        weights: list[Tensor | None],
        reverse: bool,
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run one direction of one layer; return its outputs and its last state."""
        raise NotImplementedError

    def _stack(
        self,
        data: Tensor,
        batch_sizes: list[int],
        state: tuple[Tensor, ...],
        weights: list[list[Tensor | None]],
    ) -> tuple[Tensor, tuple[Tensor, ...]]:
        """Run all layers and directions, each with its entry of `weights`.

        `state` holds tensors of shape (layers x directions, N, H), and so does the result.
        """
        last_states = []
        for layer in range(self.num_layers):
            outputs = []
            for direction in range(self.num_directions):
                row = layer * self.num_directions + direction
                output, last = self._run(
                    data,
                    batch_sizes,
                    tuple(s[row] for s in state),
                    weights[row],
                    reverse=direction == 1,
                )
                outputs.append(output)
                last_states.append(last)
            data = outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
            if self.dropout > 0 and self.training and layer < self.num_layers - 1:
                data = F.dropout(data, self.dropout)
        if len(outputs) == 1 and data.requires_grad and not is_watched():
            # A pass keeps these outputs for its way back; the caller may write into a copy.
            data = data.clone()
        return data, tuple(torch.stack(rows) for rows in zip(*last_states, strict=True))

    def _forward(
        self, input: Tensor | PackedSequence, state: tuple[Tensor, ...] | None, num_states: int
    ) -> tuple[Tensor | PackedSequence, tuple[Tensor, ...]]:
        """Bring any input to packed form, run it, and give the result the form of the input."""
        packed = isinstance(input, PackedSequence)
        if not packed:
            check_tensor(f"{type(self).__name__}: input", input)
        batched = packed or input.dim() == 3
        if packed:
            data = input.data
            batch_sizes = input.batch_sizes.tolist()
        else:
            if input.dim() not in (2, 3):
                raise ValueError(
                    f"{type(self).__name__}: Expected input to be 2D or 3D, "
                    f"got {input.dim()}D tensor instead"
                )
            x = input if batched else input.unsqueeze(1)  # (T, N, D)
            if batched and self.batch_first:
                x = x.transpose(0, 1)
            steps, batch = x.shape[:2]
            if steps == 0:
                raise RuntimeError("Expected sequence length to be larger than 0, got 0")
            data = x.reshape(steps * batch, x.size(-1))
            batch_sizes = [batch] * steps
        # Read once a call: a parametrisation computes, and may change, a weight that is read.
        weights = self._all_weights()
        self._check_data(data, weights[0][0])

        shape = (self.num_layers * self.num_directions, batch_sizes[0], self.hidden_size)
        if state is None:
            state = (data.new_zeros(shape),) * num_states
        else:
            names = ("hx",) if num_states == 1 else ("h_0", "c_0")
            state = tuple(
                self._checked_state(name, s, shape, batched, data)
                for name, s in zip(names, state, strict=True)
            )
            if packed and input.sorted_indices is not None:
                state = tuple(s.index_select(1, input.sorted_indices) for s in state)

        output, state = self._stack(data, batch_sizes, state, weights)

        if packed:
            output = input._replace(data=output)
            if input.unsorted_indices is not None:
                state = tuple(s.index_select(1, input.unsorted_indices) for s in state)
            return output, state
        output = output.view(steps, batch, output.size(-1))
        if not batched:
            return output.squeeze(1), tuple(s.squeeze(1) for s in state)
        return output.transpose(0, 1) if self.batch_first else output, state

    def _check_data(self, data: Tensor, weight: Tensor) -> None:
        if data.dim() != 2:
            raise RuntimeError(f"input must have 2 dimensions when packed, got {data.dim()}")
        if data.size(-1) != self.input_size:
            raise RuntimeError(
                "input.size(-1) must be equal to input_size. "
                f"Expected {self.input_size}, got {data.size(-1)}"
            )
        if data.device != weight.device:
            raise RuntimeError(
                "Expected input and parameters on the same device: "
                f"the parameters are on {weight.device}, got input on {data.device}"
            )
        if data.dtype != weight.dtype and not torch.is_autocast_enabled(data.device.type):
            raise ValueError(
                f"{type(self).__name__} input dtype ({data.dtype}) does not match weight dtype "
                f"({weight.dtype}). Convert input: input.to({weight.dtype}), "
                f"or convert model: model.to({data.dtype})"
            )

    def _checked_state(
        self, name: str, state: Tensor, shape: tuple[int, int, int], batched: bool, data: Tensor
    ) -> Tensor:
        check_tensor(f"{type(self).__name__}: {name}", state)
        kind, dims = ("batched", 3) if batched else ("unbatched", 2)
        if state.dim() != dims:
            raise RuntimeError(
                f"For {kind} input, {name} should be {dims}-D, got a {state.dim()}-D tensor"
            )
        if not batched:
            state = state.unsqueeze(1)
        if state.shape != shape:
            expected = shape if batched else (shape[0], shape[2])
            got = tuple(state.shape) if batched else tuple(state.squeeze(1).shape)
            raise RuntimeError(f"Expected {name} of size {expected}, got {got}")
        if state.device != data.device:
            raise RuntimeError(
                f"Expected input and {name} on the same device: "
                f"the input is on {data.device}, got {name} on {state.device}"
            )
        if state.dtype != data.dtype and not torch.is_autocast_enabled(data.device.type):
            raise RuntimeError(
                f"Expected input and {name} of the same dtype: "
                f"the input is {data.dtype}, got {name} {state.dtype}"
            )
        return state

    def extra_repr(self) -> str:
        """Describe the layer as torch.nn does: what differs from the defaults."""
        text = f"{self.input_size}, {self.hidden_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if not self.bias:
            text += f", bias={self.bias}"
        if self.batch_first:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional:
            text += f", bidirectional={self.bidirectional}"
        return text
