"""What the models share: the layers they hold, parts made to match, and a mode for a while."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from torch import nn

from rnnlib import layers

LAYERS = {
    f"{library}.{kind}": getattr(module, kind)
    for library, module in (("rnnlib", layers), ("torch.nn", nn))
    for kind in ("RNN", "GRU", "LSTM")
}
"""The layers that read packed sequences and hand their state on, ours and torch.nn's, by name."""


def made_like(rnn: nn.Module, make: Callable[..., nn.Module], *sizes: int) -> nn.Module:
    """Make a module that fits a recurrent layer: of its dtype, on its device.

    It is made on the CPU and then moved, so that every device sees the same numbers.
    """
    weight = next(rnn.parameters())
    return make(*sizes, dtype=weight.dtype).to(weight.device)


@contextmanager
def in_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Put a model in training or evaluation mode; leave each of its modules as it was.

    Parameters
    ----------
    model : Module
    training : bool
        Whether dropout drops, as ``model.train(training)`` has it.
    """
    before = {module: module.training for module in model.modules()}
    model.train(training)
    try:
        yield
    finally:
        for module, mode in before.items():
            module.training = mode
