"""What the models share: the layers they hold, and parts made to match."""

from collections.abc import Callable

from torch import nn

from rnnlib import layers

LAYERS = {
    f"{library}.{kind}": getattr(module, kind)
    for library, module in (("rnnlib", layers), ("torch.nn", nn))
    for kind in ("RNN", "GRU", "LSTM")
}
"""The layers that read packed sequences and hand their state on, ours and torch.nn's, by name."""


def output_size(rnn: nn.Module) -> int:
    """Return how many numbers a recurrent layer hands on at each step, in one direction."""
    return getattr(rnn, "proj_size", 0) or rnn.hidden_size


def made_like(rnn: nn.Module, make: Callable[..., nn.Module], *sizes: int) -> nn.Module:
    """Make a module that fits a recurrent layer: of its dtype, on its device.

    It is made on the CPU and then moved, so that every device sees the same numbers. A layer
    without parameters is refused with a ValueError.
    """
    weight = next(rnn.parameters(), None)
    if weight is None:
        raise ValueError(
            f"rnn: expected a layer with parameters, got {type(rnn).__module__}."
            f"{type(rnn).__name__}, which has none; a quantized layer keeps its weights apart"
        )
    return make(*sizes, dtype=weight.dtype).to(weight.device)
