import numpy as np
import pytest
import torch

from rnnlib.page import span


@pytest.mark.parametrize(
    ("values", "spec", "text"),
    [
        ([0.341, 0.2, 0.119], ".2f", "0.12 to 0.34"),
        ((0.121, 0.119), ".2f", "0.12"),
        ((0.121, 0.119), ".3f", "0.119 to 0.121"),
        (np.array([0.5, 0.25], dtype=np.float32), ".0%", "25% to 50%"),
        (torch.tensor([3.0, 1.0], requires_grad=True), ".1f", "1.0 to 3.0"),
        ([12345, 8440], ",", "8,440 to 12,345"),
        ([1234.5, 0.000012], ".2g", "1.2e-05 to 1.2e+03"),
        ([-0.001, 0.5], "z.2f", "0.00 to 0.50"),
        ([-0.1, -0.5], ".1f", "-0.5 to -0.1"),
    ],
)
def test_the_least_and_the_greatest_are_said(values, spec, text):
    assert span(values, spec) == text


def test_two_digits_are_said_unless_asked():
    assert span([1 / 3, 2 / 3]) == "0.33 to 0.67"


@pytest.mark.parametrize(
    ("values", "spec", "error", "message"),
    [
        ([], ".2f", ValueError, "values: expected 1 dimension and at least one number"),
        ([[1.0], [2.0]], ".2f", ValueError, "values: expected 1 dimension"),
        ([1.0, float("nan")], ".2f", ValueError, "values: expected finite numbers"),
        (["a"], ".2f", TypeError, "values: expected numbers, got list"),
        ([1.5], "d", ValueError, r"spec: expected a format such as '\.2f', got 'd'"),
    ],
)
def test_what_has_no_least_and_greatest_is_refused(values, spec, error, message):
    with pytest.raises(error, match=message):
        span(values, spec)
