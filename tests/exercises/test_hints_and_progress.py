"""Hints come in steps, and what is solved is kept in one small file."""

import importlib
import json
import os
import pkgutil

import pytest

from rnnlib import exercises
from rnnlib.exercises import check_bits, check_cell, check_rnn_step, hint, progress
from rnnlib.exercises.progress import KEY

from .mutants import CHECKS

SOLVED = check_rnn_step.exercise.right


def test_every_exercise_has_three_hints_that_differ():
    texts = [text for check in CHECKS.values() for text in check.hint.texts]
    assert len(texts) == 3 * len(CHECKS) == len(set(texts))


def test_hints_come_one_after_another_and_the_last_stays(monkeypatch):
    monkeypatch.setattr(check_bits.hint, "last", 0)
    shown = [repr(hint(check_bits)), *(repr(check_bits.hint()) for _ in range(3))]
    assert shown[0].startswith("Hint 1 of 3, where to look: What does one character cost")
    assert shown[1].startswith("Hint 2 of 3, the idea: ")
    assert shown[2] == shown[3] and shown[2].startswith("Hint 3 of 3, one line: ")
    assert repr(hint(check_bits, step=1)) == shown[0]
    assert repr(hint(check_bits)) == shown[1]


def test_hints_of_what_is_no_check_or_no_step_are_refused():
    with pytest.raises(TypeError, match="expected a check"):
        hint(len)
    with pytest.raises(ValueError, match="from 1 to 3, got 4"):
        hint(check_cell, step=4)


@pytest.fixture
def record(monkeypatch, tmp_path):
    path = tmp_path / "a" / "b" / "solved.json"
    monkeypatch.setenv("RNNLIB_PROGRESS", str(path))
    return path


def test_a_shown_verdict_is_kept_and_an_asserted_one_is_not(record):
    verdict = check_rnn_step(SOLVED)
    assert verdict  # as a committed solution does
    repr(verdict)
    repr(check_rnn_step(lambda *given: 0))
    assert not record.exists()
    repr(check_rnn_step(SOLVED))
    assert list(json.loads(record.read_text())[KEY]) == ["check_rnn_step"]
    assert os.listdir(record.parent) == [record.name]  # no half of a file is left behind
    repr(check_cell(check_cell.exercise.right))
    assert set(json.loads(record.read_text())[KEY]) == {"check_rnn_step", "check_cell"}


def test_progress_shows_text_and_a_table(record):
    assert f"0 of {len(CHECKS)} exercises solved" in repr(progress())
    repr(check_rnn_step(SOLVED))
    text, table = repr(progress()), progress()._repr_html_()
    assert f"1 of {len(CHECKS)} exercises solved" in text
    assert "1 equations              ✓ · · ·    next: check_rnn_sequence" in text
    assert "<table>" in table and "✓ · · ·" in table
    for check in exercises.CHAPTERS["1 equations"]:
        repr(check(check.exercise.right))
    assert "✓ ✓ ✓ ✓    all solved" in repr(progress())


@pytest.mark.parametrize("content", ["no json", "[1, 2]", '{"other": 1}', "\x00"])
def test_a_file_of_another_kind_is_left_alone(record, content):
    record.parent.mkdir(parents=True)
    record.write_text(content)
    assert repr(check_rnn_step(SOLVED)).startswith("✓")
    assert record.read_text() == content
    assert "cannot be read" in repr(progress())


def test_a_place_that_cannot_be_written_disturbs_nothing(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file" / "below", tmp_path):
        monkeypatch.setenv("RNNLIB_PROGRESS", str(place))
        assert repr(check_rnn_step(SOLVED)).startswith("✓")
        assert f"0 of {len(CHECKS)}" in repr(progress())


def test_nothing_is_kept_where_the_variable_is_empty(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("RNNLIB_PROGRESS", "")
    repr(check_rnn_step(SOLVED))
    assert os.listdir(tmp_path) == []
    assert "Nothing is kept" in repr(progress())


def test_the_default_place_is_the_users_data_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("RNNLIB_PROGRESS")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    repr(check_rnn_step(SOLVED))
    assert (tmp_path / "rnnlib" / "exercises.json").is_file()


def test_every_check_belongs_to_a_chapter():
    assert set(CHECKS) == {name for name in exercises.__all__ if name.startswith("check_")}
    rooms = [module.name for module in pkgutil.iter_modules(exercises.__path__)]
    written = (vars(importlib.import_module(f"rnnlib.exercises.{room}")) for room in rooms)
    assert set(CHECKS) == {name for room in written for name in room if name.startswith("check_")}
