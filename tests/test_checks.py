"""The checks let through what they should, and say what was expected and what came."""

import numpy as np
import pytest
import torch

from rnnlib import checks


class ElsewhereGenerator(torch.Generator):
    """A generator that says it is on a GPU: one that is can't be made on every machine."""

    device = torch.device("cuda")


def test_integers_of_any_kind_are_taken_as_int():
    for value in (3, np.int64(3)):
        got = checks.check_integer("n", value, least=3)
        assert got == 3 and type(got) is int
    assert checks.check_integer("n", -7) == -7
    assert checks.check_size("n", 1) == 1


def test_what_fits_passes():
    checks.check_number("x", np.float64(0.5))
    checks.check_string("text", "")
    checks.check_tensor("x", torch.zeros(0))
    checks.check_sample(1, None)
    checks.check_sample(np.int64(2), torch.Generator())
    h, c = torch.zeros(1), torch.ones(1)
    assert checks.check_pair("LSTM", [h, c]) == (h, c)
    assert [checks.check_nonlinearity(name) for name in ("tanh", "relu")] == ["tanh", "relu"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        # As torch.nn
        (lambda: checks.check_size("n", 0), ValueError, "n must be greater than zero, got 0"),
        (lambda: checks.check_size("n", True), TypeError, "n should be of type int, got: bool"),
        (lambda: checks.check_nonlinearity("gelu"), ValueError, "Unknown nonlinearity 'gelu'"),
        (lambda: checks.check_tensor("x", [1]), AttributeError, "x: expected a Tensor, got list"),
        (
            lambda: checks.check_pair("L", torch.zeros(2)),
            TypeError,
            r"\(h, c\), got Tensor",
        ),
        (lambda: checks.check_pair("L", 1, RuntimeError), RuntimeError, r"\(h, c\), got int"),
        (lambda: checks.check_pair("L", (torch.zeros(1),)), RuntimeError, "got 1 entries"),
        (lambda: checks.check_pair("L", (torch.zeros(1), 2)), AttributeError, "L: c: .* got int"),
        # As everywhere else
        (lambda: checks.check_tensor("x", 1, TypeError), TypeError, "expected a Tensor, got int"),
        (lambda: checks.check_integer("n", 1.0), TypeError, "n: expected an int, got float"),
        (lambda: checks.check_integer("n", True), TypeError, "n: expected an int, got bool"),
        (lambda: checks.check_integer("n", 1, 2), ValueError, "n: expected at least 2, got 1"),
        (lambda: checks.check_number("x", "1"), TypeError, "x: expected a number, got str"),
        (lambda: checks.check_number("x", True), TypeError, "x: expected a number, got bool"),
        (lambda: checks.check_string("s", b"a"), TypeError, "s: expected a string, got bytes"),
        (lambda: checks.check_generator(3), TypeError, r"got int; torch.Generator\(\).manual_seed"),
        (
            lambda: checks.check_generator(ElsewhereGenerator()),
            ValueError,
            "expected one on the CPU, got one on cuda",
        ),
        (
            lambda: checks.check_sample(0, None),
            ValueError,
            "batch_size: .* at least 1, got 0",
        ),
    ],
)
def test_what_does_not_fit_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
