"""Comparing rnnlib's modules with torch.nn's: pairs of twins, their gradients, their errors."""

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence

from rnnlib import cells, layers


def twins(name, *sizes, device="cpu", dtype=torch.float64, **options):
    """Return rnnlib's module of this name and torch.nn's, with the same weights."""
    ours_class = getattr(layers, name, None) or getattr(cells, name)
    torch.manual_seed(0)
    theirs = getattr(nn, name)(*sizes, dtype=dtype, **options)
    ours = ours_class(*sizes, dtype=dtype, **options)
    ours.load_state_dict(theirs.state_dict())
    return ours.to(device), theirs.to(device)


def make_state(name, *shape, device="cpu", dtype=torch.float64):
    """Return a random initial state: the pair (h, c) for an LSTM, else h."""
    draw = [torch.randn(shape, dtype=dtype).to(device) for _ in range(2)]
    return tuple(draw) if name.startswith("LSTM") else draw[0]


def tensors(value) -> list[Tensor]:
    """Return the floating-point tensors in nested results, in order."""
    if value is None:
        return []
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, PackedSequence):
        return [value.data]
    return [tensor for part in value for tensor in tensors(part)]


def results(module, *inputs, draw=torch.randn) -> dict[str, Tensor]:
    """Return all outputs, and the gradients of a weighted sum of them for all that went in.

    The sum's weights have no pattern, so that an output in the wrong place changes the gradients.
    """
    inputs = [_requiring_grad(value) for value in inputs]
    outputs = tensors(module(*inputs))
    torch.manual_seed(1)
    weighted = [(y * draw(y.shape, dtype=torch.float64).to(y)).sum() for y in outputs]
    leaves = {f"input {i}": leaf for i, leaf in enumerate(tensors(inputs))}
    leaves |= dict(module.named_parameters())
    gradients = torch.autograd.grad(sum(weighted), leaves.values())
    found = {f"output {i}": y.detach() for i, y in enumerate(outputs)}
    return found | {f"gradient of {k}": g for k, g in zip(leaves, gradients, strict=True)}


def assert_same(ours: dict[str, Tensor], theirs: dict[str, Tensor], **tolerance) -> None:
    """Compare two answers of `results`, by default to 1e-10."""
    tolerance = tolerance or {"rtol": 1e-10, "atol": 1e-10}
    assert ours.keys() == theirs.keys()
    for name in ours:
        torch.testing.assert_close(
            ours[name], theirs[name], msg=lambda text, name=name: f"{name}: {text}", **tolerance
        )


def accurate_twins(name, *sizes, scale, device="cpu", **options):
    """Return rnnlib's module in float32 and torch.nn's in float64, made for comparing entries.

    The weights are positive, the biases of size `scale`, and both modules hold the same numbers.
    Fed with positive numbers no sum cancels, so every entry has to be right to rounding.
    """
    ours, exact = twins(name, *sizes, device=device, **options)
    with torch.no_grad():
        for module in (ours, exact):
            for key, weight in module.named_parameters():
                weight.copy_((weight.abs() * (scale if "bias" in key else 0.5)).float())
    return ours.float(), exact


def double(value):
    """Return nested tensors in float64."""
    if isinstance(value, tuple) and not isinstance(value, PackedSequence):
        return tuple(map(double, value))
    return value.to(torch.float64)


def assert_accurate(ours, exact, *inputs, ulps, each_entry=True) -> None:
    """Outputs and gradients in float32 are within `ulps` of float64's.

    Each entry is held to its own size, or, where subtractions are part of the equations, to the
    largest entry of its tensor.
    """
    found = results(ours, *inputs, draw=torch.rand)
    reference = results(exact, *map(double, inputs), draw=torch.rand)
    assert found.keys() == reference.keys()
    for name, expected in reference.items():
        size = expected.abs() if each_entry else expected.abs().max()
        wrong = (found[name] - expected).abs() / (torch.finfo(torch.float32).eps * size)
        assert wrong.max() <= ulps, f"{name}: {wrong.max():.3g} units in the last place"


def error(call) -> Exception:
    """Return what `call` raises."""
    try:
        answer = call()
    except Exception as raised:
        return raised
    raise AssertionError(f"expected an error, got {answer!r}")


def assert_refused_alike(ours, theirs, *said) -> None:
    """Who catches their error catches ours, and the message of ours holds what is `said`.

    Not the same type: PyTorch 2.4 says RuntimeError where newer ones say NotImplementedError.
    """
    raised = error(ours)
    assert isinstance(raised, type(error(theirs))), raised
    for part in said:
        assert part in str(raised)


def _requiring_grad(value):
    if value is None:
        return None
    if isinstance(value, tuple) and not isinstance(value, PackedSequence):
        return tuple(map(_requiring_grad, value))
    if isinstance(value, PackedSequence):
        return value._replace(data=_requiring_grad(value.data))
    return value.detach().clone().requires_grad_()
