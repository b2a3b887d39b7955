"""The results that pages quote are read from the package, by name."""

import json
import re

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


@pytest.fixture
def study(monkeypatch, tmp_path):
    """Three seeds at one rate, one at another; the last is clipped."""
    runs = [
        {"setting": {"layer": "GRU", "lr": lr, "seed": seed} | more, "loss": loss, "date": "today"}
        for lr, seed, loss, more in (
            (0.01, 2, [0.5, 0.1], {}),
            (0.01, 0, [0.3, 0.2], {}),
            (0.03, 0, [0.9, 0.8], {}),
            (0.03, 0, [0.7, 0.6], {"clip": 1.0}),
        )
    ]
    (tmp_path / "tried.json").write_text(json.dumps({"rows": runs}))
    (tmp_path / "other.json").write_text("{}")
    monkeypatch.setattr(results.resources, "files", lambda _: tmp_path)


def test_values_come_by_seed_whole_or_one_place_of_each(study):
    assert results.values("tried", "loss", lr=0.01) == [[0.3, 0.2], [0.5, 0.1]]
    assert results.values("tried", "loss", -1, lr=0.01) == [0.2, 0.1]
    assert results.values("tried", "loss", 0, clip=1.0) == [0.7]
    assert results.values("tried", "loss", 0, lr=0.03, clip=None) == [0.9]


def test_rows_may_differ_in_what_was_not_asked(study):
    assert [row["setting"]["lr"] for row in results.rows("tried", layer="GRU")] == [
        *(0.01, 0.01),
        *(0.03, 0.03),
    ]
    assert results.rows("tried") == results.rows("tried", layer="GRU")
    assert [row["loss"][0] for row in results.rows("tried", lr=0.03)] == [0.9, 0.7]


@pytest.mark.parametrize(
    ("asked", "setting", "message"),
    [
        (("tired", "loss"), {}, "study: expected one of other, tried, got 'tired'"),
        (("other", "loss"), {}, "study: expected a result with a row for each run, got 'other'"),
        (
            ("tried", "loss"),
            {"rate": 0.01},
            "setting: expected some of clip, layer, lr, seed, got rate",
        ),
        (
            ("tried", "loss"),
            {"lr": 0.02, "layer": "GRU"},
            "setting: no run of 'tried' has {'lr': 0.02, 'layer': 'GRU'}; there are "
            "layer: 'GRU'; lr: 0.01, 0.03",
        ),
        (("tried", "date"), {"lr": 0.01}, "name: expected one of loss, got 'date'"),
        (
            ("tried", "loss"),
            {},
            "setting: expected runs that differ by seed alone, got clip: None, 1.0; lr: 0.01, 0.03",
        ),
        (("tried", "loss", 2), {"lr": 0.01}, "place: there is no entry 2 in [0.3, 0.2]"),
    ],
)
def test_what_a_study_does_not_have_is_refused_with_what_it_has(study, asked, setting, message):
    with pytest.raises(ValueError, match=re.escape(message) + "$"):
        results.values(*asked, **setting)


def test_a_place_of_a_single_number_is_refused():
    with pytest.raises(ValueError, match=r"place: there is no entry 0 in \d"):
        results.values("linear_adding", "test", 0, layer="GRU", lr=0.01)


def test_a_setting_may_have_any_key():
    assert results.rows("doctor", name="a symbol counted twice")
    assert len(results.values("clinic", "repaired", case="a gap in the data", measured="right")) > 2
