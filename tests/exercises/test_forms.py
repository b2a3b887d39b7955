"""Right answers count in every form; whatever else comes back is told in words, without a trace."""

import random
import warnings

import numpy as np
import pytest
import torch
from torch import nn

from rnnlib.exercises.calling import attempt
from rnnlib.exercises.verdict import WrongAnswer

from .mutants import CHECKS

BY_NAME = pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.__name__)


def mapped(value, form):
    """Give every tensor, array and number of an answer another form."""
    if isinstance(value, dict):
        return {name: mapped(part, form) for name, part in value.items()}
    if isinstance(value, tuple):
        return tuple(mapped(part, form) for part in value)
    if isinstance(value, list) and value and not isinstance(value[0], str | int | float):
        return [mapped(part, form) for part in value]
    return value if isinstance(value, list | str | nn.Module) or value is None else form(value)


def array(value):
    return value.detach().numpy() if isinstance(value, torch.Tensor) else np.asarray(value)


FORMS = {
    "list": lambda value: array(value).tolist(),
    "array": array,
    "tensor": lambda value: torch.as_tensor(array(value)),
    "float64": lambda value: torch.as_tensor(array(value)).double(),
    "float32": lambda value: torch.as_tensor(array(value)).float(),
    "requires grad": lambda value: torch.as_tensor(array(value)).double().requires_grad_(),
    "parameter": lambda value: nn.Parameter(torch.as_tensor(array(value)).float()),
    "list of tensors": lambda value: (
        list(torch.as_tensor(array(value))) if np.ndim(array(value)) else value
    ),
    "nested list of numbers": lambda value: (
        [list(row) for row in array(value)] if np.ndim(array(value)) == 2 else value
    ),
    "read only": lambda value: np.broadcast_to(array(value), array(value).shape),
    "not contiguous": lambda value: (
        torch.as_tensor(array(value)).mT.contiguous().mT if np.ndim(array(value)) >= 2 else value
    ),
}

# The task asks for a module, for a tensor with its graph, for a path or int64, or nothing at all.
PARTICULAR = {
    "check_cell": (),
    "check_carry": (),
    "check_truncated": (),
    "check_encode": ("tensor",),
    "check_previous": ("list", "array", "tensor", "read only", "not contiguous"),
    "check_own_symbols": ("list", "array", "tensor", "read only", "not contiguous"),
    "check_train_step": ("list", "array", "tensor", "float64", "float32", "read only"),
}


@pytest.mark.parametrize("form", FORMS)
@BY_NAME
def test_right_answers_count_in_every_form(check, form):
    if form not in PARTICULAR.get(check.__name__, FORMS):
        return
    right = check.exercise.right
    verdict = check(lambda *given: mapped(right(*given), FORMS[form]))
    if "without calling" in verdict.message or "the task asks for" in verdict.message:
        verdict = check(right)
    assert verdict, verdict


class Weird:
    def __getattr__(self, name):
        raise RuntimeError("nobody may look at me")


class Unprintable(Exception):
    def __str__(self):
        raise ValueError("no text")


def endless():
    own = []
    own.append(own)
    return own


needs_grad = torch.ones(2, 3, requires_grad=True)
ODD = {
    "None": None,
    "tuple with grad": (needs_grad, needs_grad),
    "list with grad": [needs_grad, 2 * needs_grad],
    "one with grad": needs_grad,
    "scalar with grad": needs_grad.sum(),
    "module": nn.Linear(2, 3),
    "parameter": nn.Parameter(torch.ones(3)),
    "string": "abc",
    "bytes": b"abc",
    "generator": (i for i in range(3)),
    "set": {1, 2},
    "dict": {"a": 1},
    "complex": 1 + 2j,
    "complex array": np.ones((2, 2)) * 1j,
    "complex tensor": torch.ones(2, 2) * 1j,
    "object array": np.array([None, nn.Linear(1, 1), "x"], dtype=object),
    "ragged": [[1.0, 2.0], [3.0]],
    "ragged tensors": [torch.ones(2), torch.ones(3)],
    "deeply ragged": [[[1], [2, 3]], 4],
    "sparse": torch.eye(3).to_sparse(),
    "meta": torch.ones(2, 3, device="meta"),
    "half": torch.ones(2, 3, dtype=torch.float16),
    "bfloat16": torch.ones(2, 3, dtype=torch.bfloat16),
    "empty list": [],
    "empty tensor": torch.ones(0),
    "nan": float("nan"),
    "inf": np.full((2, 3), np.inf),
    "huge int": 10**400,
    "date": np.datetime64("2020-01-01"),
    "structured": np.zeros(3, dtype=[("a", int)]),
    "text array": np.array(["a", "b"]),
    "function": len,
    "class": int,
    "weird": Weird(),
    "holds itself": endless(),
    "ellipsis": ...,
    "not implemented": NotImplemented,
    "packed": nn.utils.rnn.pack_sequence([torch.ones(2, 1)]),
    "pairs of odd things": [(None, "x"), (1, 2j)],
    "tuple of two": ("a", None),
    "dict of parameters": dict.fromkeys(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), "x"),
}


with warnings.catch_warnings(action="ignore"):  # both are on their way out of torch
    ODD["nested"] = torch.nested.nested_tensor([torch.ones(2), torch.ones(3)])
    ODD["quantised"] = torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8)


@pytest.mark.filterwarnings("ignore")
@BY_NAME
def test_odd_answers_are_told_in_words(check):
    for name, odd in ODD.items():
        verdict = check(lambda *given, odd=odd: odd)
        assert not verdict, name
        assert repr(verdict).startswith("✗ Not yet: ") and "\n" not in repr(verdict), name
        assert "could not be examined" not in verdict.message, name
    for odd in ODD.values():
        if not callable(odd):
            assert "expected a function" in check(odd).message


@BY_NAME
def test_exceptions_are_told_with_their_line(check):
    def mine(*given):
        zero = 0
        return 1 / zero

    assert (
        "mine raises ZeroDivisionError: division by zero (line 3 of mine: return 1 / zero)"
        in check(mine).message
    )


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, GeneratorExit])
def test_an_interrupt_passes(kind):
    def mine(*given):
        raise kind

    with pytest.raises(kind):
        CHECKS["check_rnn_step"](mine)


def test_the_line_is_that_of_the_inner_function_of_the_same_file():
    def inner(x):
        return x @ np.ones(17)

    def outer(x_t, h_prev, W_xh, W_hh, b_h):
        return inner(x_t)

    assert "(line 2 of inner: return x @ np.ones(17))" in CHECKS["check_rnn_step"](outer).message


def test_what_cannot_be_printed_is_named_by_its_type():
    def mine(*given):
        raise Unprintable

    assert CHECKS["check_rnn_step"](mine).message.startswith("mine raises Unprintable (line 2")


class Callable:
    def __call__(self, *given):
        raise ValueError("two\nlines")


def test_a_callable_object_is_told_its_line_in_one_line():
    message = CHECKS["check_rnn_step"](Callable()).message
    assert "raises ValueError: two lines (line 2 of __call__" in message


def test_the_function_gets_copies_and_they_come_back():
    x = torch.ones(3)
    y = [x]
    _, (a, b) = attempt(lambda x, y: x.zero_(), x, y)
    assert x.sum() == 3 and a.sum() == 0 and b[0] is a  # one tensor in two places stays one


def test_gradients_are_copied_with_a_module():
    layer = nn.Linear(2, 1)
    layer.weight.grad = torch.ones(1, 2)
    _, (given,) = attempt(lambda layer: layer.weight.grad.zero_() is None or 1, layer)
    assert layer.weight.grad.sum() == 2 and given.weight.grad.sum() == 0


def steps_back_in_place(dh_t, h_t, W_xh, W_hh):
    dh_t *= 1 - h_t**2
    return dh_t @ W_xh.T, dh_t @ W_hh.T


def test_working_in_place_is_fine():
    assert CHECKS["check_shared_gradient"](lambda p: p[0].add_(p[1:].sum(0)))
    assert CHECKS["check_clip_value"](lambda g, c: g.clamp_(-c, c))
    assert CHECKS["check_step_backward"](steps_back_in_place)


def test_spoiling_the_arguments_earns_no_praise():
    def spoils(per_copy):
        per_copy.zero_()
        return per_copy[0]

    assert not CHECKS["check_shared_gradient"](spoils)


def adds_up_in_float32(f):
    path = torch.ones(f.shape, dtype=torch.float32)
    for t in reversed(range(len(f) - 1)):
        path[t] = path[t + 1] * f[t + 1]
    return path.double()


def test_a_float32_accumulator_is_precise_enough():
    assert CHECKS["check_cell_path"](adds_up_in_float32)


def test_too_coarse_a_dtype_is_named():
    right = CHECKS["check_gru_step"].exercise.right
    verdict = CHECKS["check_gru_step"](lambda *given: right(*given).bfloat16())
    assert "too coarse" in verdict.message


def test_counts_are_told_as_given_and_wanted():
    message = CHECKS["check_count_parameters"](lambda D, H: 110).message
    assert message == "the count (with D = 3, H = 5): you gave 110, it is 50."


def test_arrays_are_shown_where_they_part():
    right = CHECKS["check_step_jacobian"].exercise.right

    def mine(h_t, W_hh):
        J = right(h_t, W_hh)
        J[1, 0] = 7
        return J

    message = CHECKS["check_step_jacobian"](mine).message
    assert message.startswith("at [1, 0] the Jacobian is 7; expected ")
    assert "(with H = 2); yours is [[" in message


def state():
    return (
        random.getstate(),
        np.random.get_state()[1].tolist(),  # noqa: NPY002
        torch.get_rng_state().tolist(),
        torch.get_default_dtype(),
        torch.get_default_device(),
        torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(),
    )


def disturbs(*given):
    random.seed(5)
    np.random.seed(5)  # noqa: NPY002
    torch.manual_seed(5)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    return torch.rand(3)


@BY_NAME
def test_the_session_is_left_as_it_was(check):
    before = state()
    assert check(check.exercise.right)
    check(disturbs)
    assert state() == before


@pytest.mark.parametrize("session", ["seeds", "float64", "inference on meta"])
def test_the_verdict_is_the_same_in_every_session(session):
    def judge():
        wrong = [next(iter(check.exercise.mistakes.values())) for check in CHECKS.values()]
        answers = [check.exercise.right for check in CHECKS.values()]
        return [
            repr(check(answer))
            for answers in (answers, wrong)
            for check, answer in zip(CHECKS.values(), answers, strict=True)
        ]

    expected = judge()
    if session == "seeds":
        for seed in (1, 12345):
            random.seed(seed)
            np.random.seed(seed)  # noqa: NPY002
            torch.manual_seed(seed)
            assert judge() == expected
    elif session == "float64":
        torch.set_default_dtype(torch.float64)
        try:
            assert judge() == expected
        finally:
            torch.set_default_dtype(torch.float32)
    else:
        with torch.inference_mode(), torch.device("meta"):
            assert judge() == expected


def test_wrong_answers_end_without_words_about_ours():
    with pytest.raises(WrongAnswer, match="returns nothing yet"):
        attempt(lambda: None)
