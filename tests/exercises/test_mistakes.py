"""Every named mistake differs from the right answer and from every other, and gets its message."""

import contextlib
import itertools

import pytest

from rnnlib.exercises.calling import undisturbed
from rnnlib.exercises.numbers import agree, allowed
from rnnlib.exercises.verdict import WrongAnswer

from .mutants import CHECKS

MARGIN = 20  # how much further apart than rounding two answers have to be
CASES = [(check, message) for check in CHECKS.values() for message in check.exercise.mistakes]


def observed(exercise):
    """Return what the right answer and each mistake give on all cases."""
    with undisturbed(), contextlib.ExitStack() as stack:
        cases = exercise.drawn(stack)
        right = [exercise.observe(exercise.right, case) for case in cases]
        wrong = {
            message: [exercise.observe(mistake, case) for case in cases]
            for message, mistake in exercise.mistakes.items()
        }
    return right, wrong


def near(exercise, a, b) -> bool:
    if isinstance(a, WrongAnswer) or isinstance(b, WrongAnswer):
        return type(a) is type(b) and str(a) == str(b)
    return all(
        name in a and agree(a[name], b[name], MARGIN * allowed(b[name], exercise.floor))
        for name in b
    )


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.__name__)
def test_no_two_answers_coincide(check):
    exercise = check.exercise
    right, wrong = observed(exercise)
    assert not any(isinstance(value, WrongAnswer) for value in right)
    answers = {"right": right, **wrong}
    same = [
        (one, other)
        for (one, a), (other, b) in itertools.combinations(answers.items(), 2)
        if all(near(exercise, x, y) for x, y in zip(a, b, strict=True))
    ]
    assert same == []


@pytest.mark.parametrize(("check", "message"), CASES)
def test_each_mistake_gets_its_own_message(check, message):
    verdict = check(check.exercise.mistakes[message])
    assert not verdict
    assert verdict.message == message


@pytest.mark.parametrize("check", CHECKS.values(), ids=lambda check: check.__name__)
def test_each_exercise_has_several_cases_and_named_mistakes(check):
    exercise = check.exercise
    assert len(exercise.cases) >= 2
    assert len(exercise.mistakes) >= 7
    assert check(exercise.right)
    assert all(
        message.endswith((".", "?")) and "off by up to" not in message
        for message in exercise.mistakes
    )


def test_several_results_are_explained_one_by_one_without_contradiction():
    # weight_hh alone is as it was; "nothing has changed" would be untrue.
    convert = CHECKS["check_convert"]
    right = convert.exercise.right

    def forgets(weights):
        return {**right(weights), "weight_hh": weights["weight_hh"]}

    assert convert(forgets).message.startswith("weight_hh is as it was")
