"""The results that pages quote are read from the package, by name."""

import pytest

from rnnlib import results


def test_what_is_measured_is_read_by_name():
    found = results.read("benchmarks")
    assert {"version", "machine", "speed"} <= set(found)
    # Everyone gets a copy of their own.
    found.clear()
    assert results.read("benchmarks")


@pytest.mark.parametrize(
    "name", ["benchmark", "benchmarks.json", "__init__.py", "../data/tasks", "", None]
)
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(ValueError, match=r"name: expected one of .*benchmarks"):
        results.read(name)
