"""Training: the loop over epochs and batches, and what it remembers.

A batch is a pair (x, y), or with sequences of different length (x, y, lengths); `Batches` says
what x and y may be. What y is decides the loss: integers are classes and are trained with the
cross-entropy, floating-point numbers are values and are trained with the mean squared error.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from numbers import Real

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence
from torch.utils.data import RandomSampler, SubsetRandomSampler, WeightedRandomSampler
from tqdm import tqdm

from rnnlib.checks import check_size
from rnnlib.data.batches import Batches, aligned, check_passes, is_tuple, served
from rnnlib.device import get_device, in_mode
from rnnlib.gradients import clip_grad_norm_
from rnnlib.losses import Loss, Means


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
    """The loss, the gradient or a weight became infinite or no number.

    `history` holds the epochs before. Loss and gradient are found out before the weights change.
    """

    def __init__(self, name: str, value: float, where: str, history: History):
        super().__init__(
            f"{name}: expected a finite number, got {value} in {where}. A smaller lr or clip_norm "
            "may help; this exception's history holds the epochs before."
        )
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
        It takes one step for each gradient; one that needs a closure, as LBFGS, is refused.
    loss : callable, optional
        ``loss(prediction, y)`` returns a mean. By default the module's two. Of sequences of
        different length it is given the real steps, one below the other. Cross-entropy and
        negative log-likelihood are given one row of logits for each target.
    clip_norm : float, optional
        Largest norm of all gradients together; longer ones are scaled down. Infinity only records.
    validation : iterable like `batches`, optional
        Evaluated after each epoch.
    carry_state : bool, default False
        Whether the batches (x, y) are consecutive windows of the same N streams, in order
        (truncated backpropagation through time). The model is called ``model(x, state)`` and
        returns (prediction, state): None at the beginning of an epoch, then the state that the
        last batch ended in, detached. A smaller batch at the end is refused.
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
        If the loss is infinite or NaN, the gradient is while `clip_norm` is given, or a weight
        is after an epoch; names epoch and batch.
    TypeError, ValueError, IndexError
        For models, batches, targets, or options that cannot be used.
    RuntimeError
        Under ``torch.no_grad`` or ``torch.inference_mode``.
    """
    _check_model(model)
    check_size("epochs", epochs)
    _check_number("clip_norm", clip_norm)
    if clip_norm is not None and not clip_norm > 0:
        raise ValueError(f"clip_norm: expected a positive number or None, got {clip_norm}")
    if validation is not None:
        check_passes("validation", validation)
    if not torch.is_grad_enabled():
        raise RuntimeError(
            "fit: expected gradients to be recorded, got a call under torch.no_grad or "
            "torch.inference_mode"
        )
    if isinstance(device, str):
        device = get_device(device)
    if device is not None:
        model.to(torch.device(device))
    optimizer = _optimizer(model, optimizer, lr)
    learning = [p for p in model.parameters() if p.requires_grad]
    history = History()
    total = _length(batches)
    total = None if total is None else epochs * total
    with tqdm(total=total, disable=not progress, file=sys.stderr, unit="batch") as bar:
        for epoch in range(1, epochs + 1):
            bar.set_description(f"epoch {epoch}/{epochs}")
            means, norms = Means(loss), []
            where = f"epoch {epoch} of {epochs}"
            with in_mode(model, training=True):
                answers = _answers(model, batches, carry_state)
                for number, (prediction, y) in enumerate(answers, start=1):
                    value = means.add(prediction, y)
                    _check_finite("loss", value, f"{where}, batch {number}", history)
                    if not value.requires_grad:
                        raise ValueError(
                            "loss: expected it to depend on the model's parameters, got a "
                            "constant: something between them and the loss cuts the gradient"
                        )
                    optimizer.zero_grad()
                    value.backward()
                    if clip_norm is not None:
                        norm = clip_grad_norm_(model.parameters(), clip_norm)
                        _check_finite("gradient's norm", norm, f"{where}, batch {number}", history)
                        norms.append(norm.item())
                    optimizer.step()
                    bar.update()
            # Else the last update of all could go wrong unseen.
            for weight in learning:
                _check_finite("weights", weight, f"{where}, at its end", history)
            measured = Evaluation(means.loss, means.accuracy)
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
    _check_model(model)
    means = Means(loss)
    with in_mode(model, training=False), torch.no_grad():
        for prediction, y in _answers(model, batches, carry_state):
            means.add(prediction, y)
    return Evaluation(means.loss, means.accuracy)


def predict(
    model: nn.Module, batches: Batches, *, carry_state: bool = False
) -> tuple[Tensor, Tensor]:
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
    _check_model(model)
    with in_mode(model, training=False), torch.no_grad():
        answers = _answers(model, batches, carry_state)
        found = [(prediction.cpu(), y.cpu()) for prediction, y in answers]
    return tuple(
        _joined(name, parts)
        for name, parts in zip(("prediction", "y"), zip(*found, strict=True), strict=True)
    )


def _joined(name: str, parts: tuple[Tensor, ...]) -> Tensor:
    first = parts[0].shape
    for part in parts:
        if part.dim() == 0 or part.shape[1:] != first[1:]:
            raise ValueError(
                f"{name}: expected (N, …) in every batch, alike in what follows N, got "
                f"{tuple(first)} and {tuple(part.shape)}"
            )
    return torch.cat(parts)


def _check_finite(name: str, value: Tensor, where: str, history: History) -> None:
    finite = value.isfinite()
    if not finite.all():
        raise NonFiniteLossError(name, value[~finite][0].item(), where, history)


def _check_model(model) -> None:
    if not isinstance(model, nn.Module):
        got = f"the class {model.__name__}" if isinstance(model, type) else type(model).__name__
        raise TypeError(f"model: expected a Module, got {got}")


def _check_number(name: str, value) -> None:
    if value is not None and not isinstance(value, Real | Tensor):
        raise TypeError(f"{name}: expected a number or None, got {type(value).__name__}")


def _length(batches) -> int | None:
    """Return how many batches there are, or None for what does not know it."""
    try:
        return len(batches)
    except TypeError:  # a DataLoader has __len__ even where its dataset has none
        return None


def _optimizer(model: nn.Module, optimizer, lr: float | None) -> torch.optim.Optimizer:
    """Make the optimizer, or take the one that was given, and check it."""
    learning = [p for p in model.parameters() if p.requires_grad]
    if not learning:
        count = sum(1 for _ in model.parameters())
        raise ValueError(
            "model: expected parameters that learn, "
            f"got {f'{count} frozen ones' if count else 'none'}"
        )
    if isinstance(optimizer, torch.optim.Optimizer):
        if lr is not None:
            raise ValueError(f"lr: expected None beside an Optimizer, which has its own, got {lr}")
    else:
        if not callable(optimizer):
            raise TypeError(
                "optimizer: expected an Optimizer, or what makes one, as torch.optim.Adam does, "
                f"got {type(optimizer).__name__}"
            )
        _check_number("lr", lr)
        optimizer = optimizer(model.parameters(), lr=1e-3 if lr is None else lr)
    step = getattr(optimizer, "step", None)
    if step is None:
        raise TypeError(
            f"optimizer: expected it to return an Optimizer, got {type(optimizer).__name__}"
        )
    closure = inspect.signature(step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise TypeError(
            "optimizer: expected one that takes a step for each gradient, got "
            f"{type(optimizer).__name__}, whose step asks for the loss several times by a closure"
        )
    groups = getattr(optimizer, "param_groups", [{"params": learning}])
    if {id(p) for group in groups for p in group["params"]}.isdisjoint(map(id, learning)):
        raise ValueError(
            "optimizer: expected one for the model's parameters that learn, got another's"
        )
    return optimizer


def _answers(
    model: nn.Module, batches: Batches, carry_state: bool = False
) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield what the model says to each batch beside the targets: two tensors that fit."""
    state, before = None, None
    if carry_state:
        _check_order(batches)
    device = next((p.device for p in model.parameters()), torch.device("cpu"))
    for x, y, lengths in served(batches, device):
        if not carry_state:
            prediction = model(*x) if lengths is None else model(*x, lengths)
        elif lengths is None and not isinstance(x[0], PackedSequence):
            shapes = [tuple(part.shape) for part in x]
            try:
                prediction, after = _with_state(model(*x, state))
            except (RuntimeError, ValueError) as error:
                if before in (None, shapes):
                    raise
                raise _other_streams(before, shapes) from error
            if state is not None and _shapes(after) != _shapes(state):
                raise _other_streams(before, shapes)
            state, before = after, shapes
        else:
            raise ValueError(
                "carry_state: expected windows (x, y) of equal length, got "
                f"{'a PackedSequence' if lengths is None else '(x, y, lengths)'}"
            )
        yield aligned(prediction, y, lengths, num_steps=None if lengths is None else x[0].size(1))


def _check_order(batches: Batches) -> None:
    """Refuse a loader that shuffles: a state would be handed to another stream."""
    random = RandomSampler | SubsetRandomSampler | WeightedRandomSampler
    for owner in (batches, getattr(batches, "batch_sampler", None)):
        if isinstance(getattr(owner, "sampler", None), random):
            raise ValueError(
                "carry_state: expected windows in the order of their streams, got a "
                f"{type(batches).__name__} that draws them at random"
            )


def _other_streams(before: list[tuple], shapes: list[tuple]) -> ValueError:
    return ValueError(
        "carry_state: expected the same streams in every batch, got x of shape "
        f"{', '.join(map(str, shapes))} after {', '.join(map(str, before))}, which does not fit "
        "the state; a DataLoader leaves a smaller last batch out with drop_last=True"
    )


def _shapes(state) -> list:
    if isinstance(state, Tensor):
        return [state.shape]
    return [shape for part in state for shape in _shapes(part)]


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
