"""Every mistake is named and its repair is not, and nothing is found in networks that are right."""

import pytest
import torch

from rnnlib.doctor import examine
from rnnlib.doctor.cases import CASES, GROUPS, HEALTHY, LOUD

LAYERS = [case for case in HEALTHY if " × " in case.name]
CHOSEN = [case for case in HEALTHY if " × " not in case.name] + LAYERS[2::5]
"""The study `doctor` examines all, with 20 seeds."""


def generator() -> torch.Generator:
    torch.manual_seed(3)
    return torch.Generator().manual_seed(3)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_faulty_form_is_named_and_the_repaired_one_is_not(case):
    model, told = case.sick_form(10, generator())
    finding = examine(model, **told)[case.check]
    assert finding.verdict == case.verdict, str(finding)
    assert finding.cure and finding.meaning.endswith(".")
    model, told = case.sound_form(10, generator())
    report = examine(model, **told)
    assert report.sick == []
    assert report[case.check].verdict == "sound", str(report[case.check])


@pytest.mark.parametrize("loud", LOUD, ids=lambda loud: loud.name)
def test_what_raises_is_explained(loud):
    report = examine(loud.model(10), loud.example(generator()), batch_first=True)
    assert report.sick == ["call"]
    finding = report["call"]
    assert loud.says in finding.meaning and "It raised " in finding.meaning
    assert finding.cure


@pytest.mark.parametrize("case", CHOSEN, ids=lambda case: case.name)
def test_nothing_is_found_in_a_network_that_is_right(case):
    source = generator()
    report = examine(case.model(8), **case.told(source))
    assert report.sick == []
    assert set(report.notes) <= {*case.notes, "horizon"}
    assert len(report.findings) >= 18


def test_cases_are_in_the_order_in_which_one_would_look():
    places = [GROUPS.index(case.group) for case in CASES]
    assert places == sorted(places)
    assert len({case.name for case in CASES}) == len(CASES)
