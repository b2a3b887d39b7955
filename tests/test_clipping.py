"""Clipping by hand equals torch's, in what it does and in what it takes and refuses."""

import inspect
import math
import warnings

import pytest
import torch
from torch import nn
from twins import assert_refused_alike, error

import rnnlib
from rnnlib.gradients import clip_grad_norm_, clip_grad_value_

NAN, INF = math.nan, math.inf

GRADIENTS = {
    "two": [[3.0, -4.0], [[1.0], [2.0]]],
    "one": [[3.0, -4.0]],
    "one without": [[3.0, -4.0], None, [1.0]],
    "scalar": [5.0],
    "zero": [[0.0, 0.0]],
    "small": [[1e-4, -2e-4]],
    "at the threshold": [[1.0, 0.0]],
    "nan": [[NAN, 1.0], [2.0]],
    "inf": [[INF, 1.0], [-2.0]],
    "-inf": [[-INF, 1.0], [2.0]],
    "inf and nan": [[INF, NAN], [2.0]],
}


def parameters_with(gradients, device="cpu", dtypes=(torch.float32,)):
    """Return parameters that have these gradients; the dtypes take turns."""
    parameters = []
    for i, gradient in enumerate(gradients):
        dtype = dtypes[i % len(dtypes)]
        values = torch.tensor(0.0 if gradient is None else gradient, dtype=dtype, device=device)
        parameters.append(nn.Parameter(torch.zeros_like(values)))
        parameters[-1].grad = None if gradient is None else values
    return parameters


def assert_same_gradients(ours, theirs, **tolerance):
    for mine, other in zip(ours, theirs, strict=True):
        assert (mine.grad is None) == (other.grad is None)
        if mine.grad is not None:
            assert mine.grad.dtype == other.grad.dtype
            torch.testing.assert_close(mine.grad, other.grad, equal_nan=True, **tolerance)


def clip_both(ours, theirs, *arguments, form=lambda parameters: parameters, **options):
    """Clip with ours and with torch's; the norms and all gradients must agree."""
    norm = clip_grad_norm_(form(ours), *arguments, **options)
    expected = nn.utils.clip_grad_norm_(form(theirs), *arguments, **options)
    assert isinstance(norm, torch.Tensor) and not norm.requires_grad
    assert norm.device == expected.device
    torch.testing.assert_close(norm, expected, equal_nan=True)
    assert_same_gradients(ours, theirs)
    return norm


@pytest.mark.parametrize("max_norm", [1.0, 2, 100.0, 0.0, -1.0, INF, NAN])
@pytest.mark.parametrize("norm_type", [1, 2.0, 0.5, 3, INF, -INF, "inf", 0])
@pytest.mark.parametrize("name", GRADIENTS)
def test_clip_grad_norm_equals_torch(name, norm_type, max_norm, device):
    gradients = GRADIENTS[name]
    ours, theirs = parameters_with(gradients, device), parameters_with(gradients, device)
    clip_both(ours, theirs, max_norm, norm_type)


DTYPES = [
    (torch.float64,),
    (torch.bfloat16,),
    (torch.float16,),
    (torch.bfloat16, torch.float64),
    (torch.float32, torch.bfloat16, torch.float64),
]


@pytest.mark.parametrize("dtypes", DTYPES, ids=str)
@pytest.mark.parametrize("norm_type", [1, 2, INF, 0.5])
def test_clip_grad_norm_equals_torch_in_every_dtype(dtypes, norm_type, device):
    torch.manual_seed(0)
    gradients = [torch.randn(5, 4).tolist(), torch.randn(7).tolist(), 2.0, torch.randn(3).tolist()]
    ours = parameters_with(gradients, device, dtypes)
    clip_both(ours, parameters_with(gradients, device, dtypes), 1.5, norm_type)


def test_clip_grad_norm_is_right(device):
    parameters = parameters_with([[3.0], [4.0]], device, [torch.float64])
    assert clip_grad_norm_(parameters, 1.0).item() == 5
    assert [p.grad.item() for p in parameters] == pytest.approx([0.6, 0.8], rel=1e-6)
    # Against a norm of 5, 1e-6 is what keeps 3 / 5 from being exact.
    assert parameters[0].grad.item() == pytest.approx(3 / (5 + 1e-6), rel=1e-14)
    assert clip_grad_norm_(parameters, 7.0).item() == pytest.approx(1, rel=1e-6)
    assert [p.grad.item() for p in parameters] == pytest.approx([0.6, 0.8], rel=1e-6)


FORMS = {
    "list": lambda parameters: parameters,
    "tuple": tuple,
    "generator": lambda parameters: (p for p in parameters),
    "iterator": iter,
    "one tensor": lambda parameters: parameters[0],
    "named": lambda parameters: dict(enumerate(parameters)).values(),
    "repeated": lambda parameters: [parameters[0], parameters[1], parameters[0]],
    "repeated, next to each other": lambda parameters: [parameters[0]] * 3,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_clipping_takes_parameters_in_every_form(form, device):
    gradients = GRADIENTS["two"]
    ours, theirs = parameters_with(gradients, device), parameters_with(gradients, device)
    clip_both(ours, theirs, 1.0, form=form)
    assert ours[0].grad.abs().max() < 1
    ours, theirs = parameters_with(gradients, device), parameters_with(gradients, device)
    assert clip_grad_value_(form(ours), 1.5) is None
    nn.utils.clip_grad_value_(form(theirs), 1.5)
    assert_same_gradients(ours, theirs, rtol=0, atol=0)
    assert ours[0].grad.tolist() == [1.5, -1.5]


def test_clipping_nothing(device):
    clip_both([], [], 1.0)
    without = parameters_with([None, None], device)
    assert clip_both(without, parameters_with([None, None], device), 1.0).item() == 0
    clip_grad_value_([], 1.0)
    clip_grad_value_(without, 1.0)
    for clip in (clip_grad_norm_, clip_grad_value_):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            clip((p for p in without), 1.0)
        with pytest.warns(UserWarning, match="empty generator") as caught:
            clip((p for p in []), 1.0)
        assert caught[0].filename == __file__


@pytest.mark.parametrize("norm_type", [1, 2, INF])
@pytest.mark.parametrize("name", ["nan", "inf", "-inf", "inf and nan"])
def test_clip_grad_norm_refuses_a_norm_that_is_not_finite(name, norm_type, device):
    gradients = GRADIENTS[name]
    ours, theirs = parameters_with(gradients, device), parameters_with(gradients, device)
    for clip, parameters in ((clip_grad_norm_, ours), (nn.utils.clip_grad_norm_, theirs)):
        with pytest.raises(RuntimeError, match="finite"):
            clip(parameters, 1.0, norm_type, error_if_nonfinite=True)
    assert_same_gradients(ours, parameters_with(gradients, device), rtol=0, atol=0)
    finite = GRADIENTS["two"]
    clip_both(
        parameters_with(finite, device),
        parameters_with(finite, device),
        1.0,
        norm_type,
        error_if_nonfinite=True,
    )


@pytest.mark.parametrize("clip_value", [1.0, 2, 100.0, 0.0, -1.0, INF])
@pytest.mark.parametrize("name", GRADIENTS)
def test_clip_grad_value_equals_torch(name, clip_value, device):
    for dtypes in [(torch.float32,), *DTYPES]:
        ours = parameters_with(GRADIENTS[name], device, dtypes)
        theirs = parameters_with(GRADIENTS[name], device, dtypes)
        clip_grad_value_(ours, clip_value)
        nn.utils.clip_grad_value_(theirs, clip_value)
        assert_same_gradients(ours, theirs, rtol=0, atol=0)


def test_clipping_keeps_the_direction_by_norm_and_bends_it_by_value(device):
    gradient = torch.tensor([30.0, 0.4], device=device)
    by_norm, by_value = parameters_with([gradient.tolist(), gradient.tolist()], device)
    clip_grad_norm_(by_norm, 1.0)
    clip_grad_value_(by_value, 1.0)
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(by_norm.grad, gradient, dim=0).item() == pytest.approx(1, abs=1e-6)
    assert cosine(by_value.grad, gradient, dim=0).item() < 0.95


def test_clipping_changes_gradients_in_place_and_records_nothing(device):
    layer = rnnlib.RNN(4, 5).to(device)
    layer(torch.randn(6, 3, 4).to(device))[0].sum().backward()
    kept = [p.grad for p in layer.parameters()]
    norm = clip_grad_norm_(layer.parameters(), 0.1)
    assert norm > 0.1
    assert all(p.grad is g for p, g in zip(layer.parameters(), kept, strict=True))
    assert not any(g.requires_grad for g in kept)
    assert math.hypot(*(g.norm().item() for g in kept)) == pytest.approx(0.1, rel=1e-4)


# What torch takes and what it refuses


BOTH = [
    (clip_grad_norm_, nn.utils.clip_grad_norm_),
    (clip_grad_value_, nn.utils.clip_grad_value_),
]


@pytest.mark.parametrize(("ours", "theirs"), BOTH)
def test_the_signature_is_torchs(ours, theirs):
    found, expected = (inspect.signature(f).parameters.values() for f in (ours, theirs))
    assert [(p.name, p.default) for p in found] == [(p.name, p.default) for p in expected]


@pytest.mark.parametrize("foreach", [None, True, False])
@pytest.mark.parametrize("dtypes", DTYPES, ids=str)
def test_foreach_changes_nothing(foreach, dtypes):
    gradients = GRADIENTS["two"]
    ours, theirs = (parameters_with(gradients, "cpu", dtypes) for _ in range(2))
    clip_both(ours, theirs, 1.0, 2.0, False, foreach)  # by position, as torch takes them
    ours, theirs = (parameters_with(gradients, "cpu", dtypes) for _ in range(2))
    clip_grad_value_(ours, 1.5, foreach)
    nn.utils.clip_grad_value_(theirs, 1.5, foreach)
    assert_same_gradients(ours, theirs, rtol=0, atol=0)


def complex_parameters():
    dtypes = (torch.float32, torch.complex64)
    return parameters_with([[3.0, -1.0], [3 + 4j, -1j]], dtypes=dtypes)


def test_complex_gradients_have_a_norm_and_no_order():
    for order in (slice(None), slice(None, None, -1)):
        clip_both(complex_parameters()[order], complex_parameters()[order], 1.0)
    ours = complex_parameters()
    assert_refused_alike(
        lambda: clip_grad_value_(ours, 1.0),
        lambda: nn.utils.clip_grad_value_(complex_parameters(), 1.0),
        "Expected real gradients, got torch.complex64",
    )
    assert_same_gradients(ours, complex_parameters(), rtol=0, atol=0)


def sparse_parameters():
    embedding = nn.Embedding(5, 3, sparse=True)
    embedding(torch.tensor([1, 1, 2])).sum().backward()
    return [*parameters_with([[3.0, 4.0]]), *embedding.parameters()]


@pytest.mark.parametrize("ours", [clip_grad_norm_, clip_grad_value_])
def test_sparse_gradients_are_refused(ours):
    """PyTorch 2.15 gives them a norm; its older versions refuse them as well."""
    raised = error(lambda: ours(sparse_parameters(), 1.0))
    assert isinstance(raised, NotImplementedError)
    assert "parameters: expected dense gradients, got one of layout torch.sparse" in str(raised)


@pytest.mark.parametrize(("ours", "theirs"), BOTH)
@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: nn.Linear(2, 2), "such as model.parameters(), got Linear"),
        (lambda: None, "such as model.parameters(), got NoneType"),
        (lambda: nn.Linear(2, 2).named_parameters(), "parameters: expected Tensors, got tuple"),
        (lambda: nn.Linear(2, 2).state_dict(), "parameters: expected Tensors, got str among them"),
        (lambda: [parameters_with([[1.0]])], "parameters: expected Tensors, got list among them"),
        (lambda: [1.0], "parameters: expected Tensors, got float among them"),
    ],
)
def test_what_has_no_gradient_to_clip_is_refused_as_torch_does(ours, theirs, make, said):
    assert_refused_alike(lambda: ours(make(), 1.0), lambda: theirs(make(), 1.0), said)


@pytest.mark.parametrize(("ours", "theirs"), BOTH)
@pytest.mark.parametrize("wrong", ["x", None, 1j, torch.ones(2)])
def test_what_is_no_number_is_refused_as_torch_does(ours, theirs, wrong):
    name = list(inspect.signature(ours).parameters)[1]
    calls = (lambda f=f: f(parameters_with([[1.0]]), wrong) for f in (ours, theirs))
    assert_refused_alike(*calls, f"{name}: expected a number, got {wrong!r}")
    if ours is clip_grad_norm_:
        calls = (lambda f=f: f(parameters_with([[1.0]]), 1.0, wrong) for f in (ours, theirs))
        assert_refused_alike(*calls, f"norm_type: expected a number, got {wrong!r}")


@pytest.mark.parametrize("number", ["1", torch.tensor(1.0), True])
def test_numbers_in_other_forms_are_taken_as_torch_does(number):
    clip_both(*(parameters_with([[3.0, 4.0]]) for _ in range(2)), number, "2")


@pytest.mark.parametrize("made_inside", [True, False])
def test_clipping_in_inference_mode(made_inside):
    ours, theirs = (parameters_with([[3.0, 4.0]]) for _ in range(2))
    with torch.inference_mode():
        if made_inside:
            ours, theirs = (parameters_with([[3.0, 4.0]]) for _ in range(2))
        clip_both(ours, theirs, 1.0)
        clip_grad_value_(ours, 0.7)
        nn.utils.clip_grad_value_(theirs, 0.7)
    assert_same_gradients(ours, theirs, rtol=0, atol=0)
