"""Means over targets: what `fit` and `evaluate` add up from batch to batch.

What y is decides the loss: integers are classes and are compared by the cross-entropy,
floating-point numbers are values and are compared by the mean squared error.
"""

from collections.abc import Callable

import torch.nn.functional as F
from torch import Tensor, nn

from rnnlib.data.batches import check_shapes

Loss = Callable[[Tensor, Tensor], Tensor]


class Means:
    """Sums over batches, and the means they come to.

    Parameters
    ----------
    loss : callable, optional
        As for `fit`.

    Raises
    ------
    TypeError, ValueError
        For what is no loss, or one that adds up instead of taking the mean.
    """

    def __init__(self, loss: Loss | None):
        _check_loss(loss)
        self._given, self._classes = loss, None
        self._sum, self._weight = 0.0, 0.0
        self._right, self._targets = 0, 0

    def add(self, prediction: Tensor, y: Tensor) -> Tensor:
        """Add a batch.

        Parameters
        ----------
        prediction, y : Tensor
            Logits (…, K) beside classes (…), or values beside values of the same shape.

        Returns
        -------
        Tensor, ()
            The batch's mean loss, ready for backward.

        Raises
        ------
        TypeError, ValueError
            For complex numbers, classes after values, shapes that do not fit, no target that
            counts, and a loss that does not return one real number.
        IndexError
            For a class that has no logit.
        """
        if prediction.is_complex() or y.is_complex():
            raise TypeError(
                f"prediction and y: expected real numbers, got {prediction.dtype} and {y.dtype}"
            )
        classes = not y.is_floating_point()
        if self._classes not in (None, classes):
            raise ValueError("y: expected classes in all batches, or values in all, got both")
        self._classes = classes
        # Unequal shapes may broadcast: (N, 1) and (N,) to (N, N), a loss that means nothing.
        check_shapes(prediction, y)
        loss = self._given or (F.cross_entropy if classes else F.mse_loss)
        targets = weight = y.numel()
        if classes:
            counted = y != _option(loss, "ignore_index", -100)
            real = y[counted].long()
            _check_classes(real, prediction.size(-1))
            targets = weight = real.numel()
            self._right += int((prediction.argmax(-1)[counted] == real).sum())
            of_classes = _option(loss, "weight", None) if _is_entropy(loss) else None
            if of_classes is not None:
                weight = of_classes.to(real.device)[real].sum().item()
        if weight == 0:
            raise ValueError(f"y: expected targets that count, got none in {tuple(y.shape)}")
        if _is_entropy(loss):
            # With steps torch wants (N, K, T); one row for each target suits every shape.
            prediction = prediction.reshape(-1, prediction.size(-1))
            y = y.reshape(-1).long() if classes else y.reshape(prediction.shape)
        value = loss(prediction, y)
        if not isinstance(value, Tensor) or value.is_complex():
            got = value.dtype if isinstance(value, Tensor) else type(value).__name__
            raise TypeError(f"loss: expected a Tensor with one real number, got {got}")
        if value.dim() > 0:
            raise ValueError(f"loss: expected one number, got shape {tuple(value.shape)}")
        self._targets += targets
        self._weight += weight
        self._sum += weight * value.item()
        return value

    @property
    def loss(self) -> float:
        """The mean over targets; with weights of classes, each target counts by its class's."""
        return self._sum / self._weight

    @property
    def accuracy(self) -> float | None:
        """The share of right answers, or None where y is no class."""
        return self._right / self._targets if self._classes else None


def _check_loss(loss: Loss | None) -> None:
    if isinstance(loss, type):
        raise TypeError(
            f"loss: expected loss(prediction, y), got the class {loss.__name__}; "
            f"{loss.__name__}() makes one"
        )
    if loss is not None and not callable(loss):
        raise TypeError(f"loss: expected loss(prediction, y), got {type(loss).__name__}")
    if _option(loss, "reduction", "mean") == "sum":
        raise ValueError("loss: expected a mean over targets, got one with reduction='sum'")


def _option(loss: Loss, name: str, default):
    """Return an option of a loss: of a module, or of a function with some arguments fixed."""
    return getattr(loss, name, getattr(loss, "keywords", {}).get(name, default))


def _is_entropy(loss: Loss) -> bool:
    """Whether a loss takes the classes' axis second, as torch's do, and not last."""
    function = getattr(loss, "func", loss)  # of a functools.partial
    known = (F.cross_entropy, F.nll_loss)
    return function in known or isinstance(function, nn.CrossEntropyLoss | nn.NLLLoss)


def _check_classes(y: Tensor, K: int) -> None:
    # On a GPU the loss itself would end the process instead of naming the class.
    if y.numel() and (y.min() < 0 or y.max() >= K):
        raise IndexError(
            f"y: expected classes from 0 to {K - 1}, or -100 for what does not count, "
            f"got {y.min().item()} to {y.max().item()}"
        )
