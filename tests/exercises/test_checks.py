"""Every check confirms the solution, and tells each typical mistake what is wrong.

The answers stand in ``answers_<chapter>.py``: ``RIGHT`` holds pairs of a check and a right answer,
``WRONG`` triples of a check, a wrong answer, and words that its message must contain.
"""

import importlib
from collections import Counter
from pathlib import Path

import pytest

from rnnlib import exercises

CHAPTERS = sorted(path.stem for path in Path(__file__).parent.glob("answers_*.py"))
ANSWERS = [importlib.import_module(f"{__package__}.{name}") for name in CHAPTERS]
RIGHT = [pair for chapter in ANSWERS for pair in chapter.RIGHT]
WRONG = [triple for chapter in ANSWERS for triple in chapter.WRONG]
CHECKS = [name for name in exercises.__all__ if name.startswith("check_")]


@pytest.mark.parametrize(("check", "answer"), RIGHT, ids=lambda value: value.__name__)
def test_right_answers_are_confirmed(check, answer):
    verdict = check(answer)
    assert verdict, verdict
    assert repr(verdict).startswith("✓")


@pytest.mark.parametrize(("check", "answer", "message"), WRONG)
def test_wrong_answers_are_told_what_is_wrong(check, answer, message):
    verdict = check(answer)
    assert not verdict
    assert repr(verdict).startswith("✗")
    assert message in verdict.message


def test_every_check_is_tried_on_a_right_answer_and_three_wrong_ones():
    right = Counter(check.__name__ for check, _ in RIGHT)
    wrong = Counter(check.__name__ for check, _, _ in WRONG)
    assert set(right) == set(CHECKS)
    assert {name: wrong[name] for name in CHECKS if wrong[name] < 3} == {}
