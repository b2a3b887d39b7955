"""Training: the loop over epochs and batches, and what it remembers.

A batch is a pair (x, y), or with sequences of different length (x, y, lengths); `Batches` says
what x and y may be. What y is decides the loss: integers are classes and are trained with the
cross-entropy, floating-point numbers are values and are trained with the mean squared error.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from tqdm import tqdm

from rnnlib.checks import check_size
from rnnlib.data.batches import Batches, aligned, check_shapes, is_tuple, served
from rnnlib.device import get_device
from rnnlib.models.common import in_mode

Loss = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Evaluation:
    """Mean loss over all targets, and the share of right answers (None where y is no class)."""

    loss: float
    accuracy: float | None


@dataclass(repr=False)
class History:
    """What `fit` measured, one entry an epoch; a list stays empty where there was nothing.

    `loss` and `accuracy` are taken while the weights change, `validation_…` after the epoch.
    `gradient_norm` is the mean over the epoch's batches, before clipping.
    """

    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    gradient_norm: list[float] = field(default_factory=list)

    def rows(self, every: int = 1) -> list[dict[str, float]]:
        """Return a dictionary for every so many epochs, counted from 1, and for the last one."""
        check_size("every", every)
        last = len(self.loss)
        epochs = [e for e in range(1, last + 1) if e % every == 0 or e == last]
        return [
            {"epoch": e} | {name: values[e - 1] for name, values in asdict(self).items() if values}
            for e in epochs
        ]

    def __repr__(self) -> str:
        changes = [
            f", {name.replace('_', ' ')} {values[0]:.3g} → {values[-1]:.3g}"
            for name, values in asdict(self).items()
            if values
        ]
        return f"History of {len(self.loss)} epochs{''.join(changes)}"

    def _add(self, prefix: str, measured: Evaluation) -> None:
        getattr(self, f"{prefix}loss").append(measured.loss)
        if measured.accuracy is not None:
            getattr(self, f"{prefix}accuracy").append(measured.accuracy)


class NonFiniteLossError(ArithmeticError):
    """The loss became infinite or no number; `history` holds the epochs before."""

    def __init__(self, message: str, history: History):
        super().__init__(message)
        self.history = history


def fit(
    model: nn.Module,
    batches: Batches,
    *,
    epochs: int,
    lr: float | None = None,
    optimizer: torch.optim.Optimizer | Callable = torch.optim.Adam,
    loss: Loss | None = None,
    clip_norm: float | None = None,
    validation: Batches | None = None,
    carry_state: bool = False,
    progress: bool = True,
    device: torch.device | str | None = None,
) -> History:
    """Train a model in place.

    Parameters
    ----------
    model : Module
        Takes x, returns logits (…, K) for classes y (…), or values of the shape of y.
    batches : iterable of (x, y) or (x, y, lengths)
        Gone through once an epoch: a DataLoader, a list. `Batches` gives the forms. Classes of
        -100 and steps of padding count nowhere.
    epochs : int
    lr : float, optional
        Learning rate, by default 0.001.
    optimizer : callable or Optimizer
        ``optimizer(parameters, lr=lr)`` makes one; an Optimizer is used as it is, without `lr`.
    loss : callable, optional
        ``loss(prediction, y)`` returns a mean. By default the module's two. Of sequences of
        different length it is given the real steps, one below the other.
    clip_norm : float, optional
        Largest norm of all gradients together; longer ones are scaled down. Infinity only records.
    validation : iterable like `batches`, optional
        Evaluated after each epoch.
    carry_state : bool, default False
        Whether the batches (x, y) are consecutive windows of the same N streams, in order
        (truncated backpropagation through time). The model is called ``model(x, state)`` and
        returns (prediction, state): None at the beginning of an epoch, then the state that the
        last batch ended in, detached.
    progress : bool
        Whether to show a bar on stderr.
    device : optional
        The model moves there first; by default it stays. The batches follow it.

    Returns
    -------
    History
        Its losses are means over targets: a smaller last batch weighs less.

    Raises
    ------
    NonFiniteLossError
        If the loss is infinite or NaN; names epoch and batch.
    TypeError, ValueError
        For batches, targets, or options that cannot be used.
    """
    check_size("epochs", epochs)
    if clip_norm is not None and not clip_norm > 0:
        raise ValueError(f"clip_norm: expected a positive number or None, got {clip_norm}")
    if device is not None:
        model.to(get_device(device) if isinstance(device, str) else device)
    optimizer = _optimizer(model, optimizer, lr)
    history = History()
    total = epochs * len(batches) if hasattr(batches, "__len__") else None
    with tqdm(total=total, disable=not progress, file=sys.stderr, unit="batch") as bar:
        for epoch in range(1, epochs + 1):
            bar.set_description(f"epoch {epoch}/{epochs}")
            means, norms = _Means(), []
            with in_mode(model, training=True):
                answers = _answers(model, batches, carry_state)
                for number, (prediction, y) in enumerate(answers, start=1):
                    value = means.add(prediction, y, loss)
                    if not value.isfinite():
                        raise NonFiniteLossError(
                            f"loss: expected a finite number, got {value.item()} in epoch {epoch} "
                            f"of {epochs}, batch {number}. A smaller lr or clip_norm may help; "
                            "this exception's history holds the epochs before.",
                            history,
                        )
                    optimizer.zero_grad()
                    value.backward()
                    if clip_norm is not None:
                        norms.append(nn.utils.clip_grad_norm_(model.parameters(), clip_norm).item())
                    optimizer.step()
                    bar.update()
            measured = means.evaluation()
            bar.set_postfix(loss=f"{measured.loss:.4g}")
            history._add("", measured)
            if norms:
                history.gradient_norm.append(sum(norms) / len(norms))
            if validation is not None:
                history._add(
                    "validation_", evaluate(model, validation, loss, carry_state=carry_state)
                )
    return history


def evaluate(
    model: nn.Module, batches: Batches, loss: Loss | None = None, *, carry_state: bool = False
) -> Evaluation:
    """Measure a model without changing it, in evaluation mode. Parameters and errors as for `fit`.

    Returns
    -------
    Evaluation
        Its loss is a mean over targets.
    """
    means = _Means()
    with in_mode(model, training=False), torch.no_grad():
        for prediction, y in _answers(model, batches, carry_state):
            means.add(prediction, y, loss)
    return means.evaluation()


def predict(model: nn.Module, batches: Batches) -> tuple[Tensor, Tensor]:
    """Collect a model's answers beside the right ones. Parameters and errors as for `fit`.

    Returns
    -------
    predictions : Tensor, (N, …)
        What the model returns for all batches, on the CPU. ``.argmax(-1)`` gives the classes.
        Of sequences of different length with one answer a step: the real steps, sequence after
        sequence, which ``predictions.split(lengths.tolist())`` takes apart again.
    targets : Tensor, (N, …)
        The batches' y, in the same order.
    """
    with in_mode(model, training=False), torch.no_grad():
        found = [(prediction.cpu(), y.cpu()) for prediction, y in _answers(model, batches)]
    predictions, targets = zip(*found, strict=True)
    return torch.cat(predictions), torch.cat(targets)


class _Means:
    """Sums over batches, and the means they come to."""

    def __init__(self):
        self.count, self.loss, self.right = 0, 0.0, None

    def add(self, prediction: Tensor, y: Tensor, loss: Loss | None) -> Tensor:
        """Add a batch; return its mean loss, ready for backward."""
        classes = not y.is_floating_point()
        # Unequal shapes may broadcast: (N, 1) and (N,) to (N, N), a loss that means nothing.
        check_shapes(prediction, y)
        loss = loss or (F.cross_entropy if classes else F.mse_loss)
        count = y.numel()
        if classes:
            counted = y != getattr(loss, "ignore_index", -100)
            count = int(counted.sum())
            right = (prediction.argmax(-1) == y) & counted
            self.right = (self.right or 0) + int(right.sum())
        if count == 0:
            raise ValueError(f"y: expected targets that count, got none in {tuple(y.shape)}")
        if classes and (loss is F.cross_entropy or isinstance(loss, nn.CrossEntropyLoss)):
            # With steps torch wants (N, K, T); one row for each target suits every shape.
            prediction, y = prediction.reshape(-1, prediction.size(-1)), y.reshape(-1).long()
        value = loss(prediction, y)
        if value.dim() > 0:
            raise ValueError(f"loss: expected one number, got shape {tuple(value.shape)}")
        self.count += count
        self.loss += count * value.item()
        return value

    def evaluation(self) -> Evaluation:
        right = None if self.right is None else self.right / self.count
        return Evaluation(self.loss / self.count, right)


def _optimizer(model: nn.Module, optimizer, lr: float | None) -> torch.optim.Optimizer:
    """Make the optimizer, or check the one that was given."""
    if not isinstance(optimizer, torch.optim.Optimizer):
        return optimizer(model.parameters(), lr=1e-3 if lr is None else lr)
    if lr is not None:
        raise ValueError(f"lr: expected None beside an Optimizer, which has its own, got {lr}")
    owned = {id(p) for group in optimizer.param_groups for p in group["params"]}
    if owned.isdisjoint(map(id, model.parameters())):
        raise ValueError("optimizer: expected one for the model's parameters, got another's")
    return optimizer


def _answers(
    model: nn.Module, batches: Batches, carry_state: bool = False
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield what the model says to each batch beside the targets: two tensors that fit."""
    state = None
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    for x, y, lengths in served(batches, device):
        if not carry_state:
            prediction = model(*x) if lengths is None else model(*x, lengths)
        elif lengths is None and not isinstance(x[0], PackedSequence):
            prediction, state = _with_state(model(*x, state))
        else:
            raise ValueError(
                "carry_state: expected windows (x, y) of equal length, got "
                f"{'a PackedSequence' if lengths is None else '(x, y, lengths)'}"
            )
        yield aligned(prediction, y, lengths, num_steps=None if lengths is None else x[0].size(1))


def _with_state(answer) -> tuple:
    """Take a model's answer apart: the prediction, and the state without its past."""
    if not is_tuple(answer) or len(answer) != 2 or answer[1] is None:
        got = type(answer).__name__
        if is_tuple(answer):
            got = f"({', '.join(type(part).__name__ for part in answer)})"
        raise TypeError(
            f"carry_state: expected a model that returns (prediction, state), got {got}"
        )
    prediction, state = answer
    return prediction, _detached(state)


def _detached(state):
    if isinstance(state, Tensor):
        return state.detach()
    if is_tuple(state):
        return tuple(map(_detached, state))
    raise TypeError(
        f"carry_state: expected a state of Tensors, or tuples of them, got {type(state).__name__}"
    )
