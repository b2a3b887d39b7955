"""No wrong answer that a machine made from a right one is praised, and no right one refused."""

import pytest
import torch

from .mutants import CHECKS, solutions_once, survey
from .test_checks import RIGHT


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", CHECKS)
def test_mutants_are_praised_only_where_they_are_right(name):
    answers = [answer for check, answer in RIGHT if check is CHECKS[name]]
    counts, faults = survey(name, answers, at_most=25)
    assert not faults, "\n".join(faults)
    assert counts.total() - counts["equivalent"] - counts["stuck"] >= 5, counts


def test_a_praised_mutant_would_be_noticed(monkeypatch):
    monkeypatch.setattr(CHECKS["check_rnn_step"].exercise, "judge", lambda answer: None)
    _, faults = survey("check_rnn_step", [], at_most=20)
    assert faults


def test_every_check_has_a_solution_in_its_chapter():
    assert set(solutions_once()) == set(CHECKS)
    assert torch.get_default_dtype() is torch.float32
