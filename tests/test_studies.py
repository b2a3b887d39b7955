"""The studies' machinery, and that each study runs: every setting has the same form of result."""

import importlib
import json
from types import SimpleNamespace

import pytest

import rnnlib
from studies.__main__ import NAMES, main
from studies.record import Record


def study(run, settings=({"seed": 0}, {"seed": 1}, {"seed": 2}), doc="What is asked?"):
    return SimpleNamespace(__name__="studies.fake", __doc__=doc, SETTINGS=settings, run=run)


def test_results_are_kept_one_by_one_and_a_stopped_study_goes_on(tmp_path, monkeypatch, capsys):
    seen, path = [], tmp_path / "fake.json"

    def run(seed):
        seen.append(seed)
        if len(seen) == 2:
            raise KeyboardInterrupt
        return {"error": seed / 3, "curve": [seed, 1.0]}

    fake = study(run)
    monkeypatch.setattr("studies.__main__.NAMES", ["fake"])
    monkeypatch.setattr("importlib.import_module", lambda name: fake)
    with pytest.raises(KeyboardInterrupt):
        main(["--results", str(tmp_path)])
    assert [row["setting"] for row in json.loads(path.read_text())["rows"]] == [{"seed": 0}]
    assert main(["--results", str(tmp_path)]) == 0
    assert seen == [0, 1, 1, 2]
    whole = json.loads(path.read_text())
    assert whole["question"] == "What is asked?" and "torch" in whole["versions"]
    assert [row["error"] for row in whole["rows"]] == [0.0, 0.3333, 0.6667]
    assert "fake: 1 of 3 runs there" in capsys.readouterr().out
    assert main(["--results", str(tmp_path)]) == 0 and len(seen) == 4  # nothing to do


def test_a_setting_that_is_no_longer_asked_is_dropped_and_a_new_one_waits(tmp_path):
    path = tmp_path / "fake.json"
    record = Record(path, study(None))
    record.add({"seed": 1}, {"error": 0.5})
    record.add({"seed": 0}, {"error": 0.25})
    later = Record(path, study(None, settings=({"seed": 1}, {"seed": 7})))
    assert [row["error"] for row in later.rows] == [0.5]
    assert later.waiting() == [{"seed": 7}]
    assert Record(path, study(None), again=True).rows == []


def test_what_is_no_result_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected each setting once, got \{'seed': 1\}"):
        Record(tmp_path / "x.json", study(None, settings=({"seed": 1}, {"seed": 1})))
    record = Record(tmp_path / "x.json", study(None))
    for wrong in (True, "0.5", None, {"a": 1}):
        with pytest.raises(ValueError, match="expected a number or a list of numbers"):
            record.add({"seed": 0}, {"error": wrong})
    (tmp_path / "x.json").write_text("Monday")
    with pytest.raises(ValueError, match=r"x\.json: expected a study's results"):
        Record(tmp_path / "x.json", study(None))
    with pytest.raises(SystemExit):
        main(["no_such_study"])


@pytest.mark.parametrize("name", NAMES)
def test_every_study_has_its_results_whole(name):
    module = importlib.import_module(f"studies.{name}")
    rows = rnnlib.results.read(name)["rows"]
    assert [row["setting"] for row in rows] == list(module.SETTINGS)
    assert len({tuple(row) for row in rows}) == 1, "every run measures the same"
