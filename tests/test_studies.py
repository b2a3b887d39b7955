"""The studies' machinery, and that each study runs: every setting has the same form of result."""

import importlib
import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

import rnnlib
from rnnlib.data import ImageSplit
from rnnlib.data.tasks import ContinualReber
from studies.__main__ import NAMES, downloads, main
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
    with pytest.raises(ValueError, match="expected names of its own, got date"):
        record.add({"seed": 0}, {"error": 0.5, "date": 1})
    (tmp_path / "x.json").write_text("Monday")
    with pytest.raises(ValueError, match=r"x\.json: expected a study's results"):
        Record(tmp_path / "x.json", study(None))
    with pytest.raises(SystemExit):
        main(["no_such_study"])


def test_a_study_that_downloads_waits_to_be_named(tmp_path, monkeypatch, capsys):
    fake = study(lambda seed: {"error": 0.5}, settings=({"seed": 0},))
    fake.DOWNLOADS = True
    monkeypatch.setattr("studies.__main__.NAMES", ["fake"])
    monkeypatch.setattr("importlib.import_module", lambda name: fake)
    assert main(["--results", str(tmp_path)]) == 0
    assert capsys.readouterr().out == "" and not list(tmp_path.iterdir())
    assert main(["fake", "--results", str(tmp_path)]) == 0
    assert "1 of 1" in capsys.readouterr().out and (tmp_path / "fake.json").exists()


def test_the_study_of_mnist_runs_on_images_of_its_shape(monkeypatch):
    mnist = importlib.import_module("studies.mnist")
    assert downloads("mnist") and not downloads("gain")
    generator = torch.Generator().manual_seed(0)
    labels = torch.arange(40) % 10
    images = torch.rand(40, 28, 28, generator=generator)
    # Each class has a bright row of its own, so that there is something to learn.
    images[torch.arange(40), 2 * labels + 4] += 3
    split = ImageSplit(images.repeat(10, 1, 1), labels.repeat(10), images, labels)
    monkeypatch.setattr(mnist, "load_mnist", lambda: split)
    found = mnist.run(**mnist.SETTINGS[0])
    assert [len(values) for values in found.values()] == [3, 3]
    assert found["loss"][-1] < found["loss"][0] and 0 <= min(found["accuracy"])


def test_the_study_of_the_identity_start_draws_the_task_of_its_paper():
    irnn = importlib.import_module("studies.irnn")
    x, y = irnn.sample(4_000, torch.Generator().manual_seed(0))
    numbers, marks = x.unbind(2)
    assert x.shape == (4_000, 150, 2) and 0 <= numbers.min() and numbers.max() < 1
    assert all((half.sum(1) == 1).all() for half in marks.split(75, dim=1))
    torch.testing.assert_close((numbers * marks).sum(1, keepdim=True), y)
    assert (y - 1).square().mean().item() == pytest.approx(1 / 6, abs=0.01)  # always to say 1
    places = marks.sum(0)
    assert places.min() > 20, "a mark may stand anywhere"


def test_the_identity_start_keeps_a_state_and_hardly_reads_at_first():
    rnn = importlib.import_module("studies.irnn").layer("IRNN")
    kept = torch.rand(1, 3, 100)
    states, _ = rnn(torch.zeros(3, 150, 2), kept)
    torch.testing.assert_close(states[:, -1], kept[0])
    assert 0.0005 < rnn.weight_ih_l0.std().item() < 0.0015


def test_streams_without_end_are_read_until_each_has_had_its_first_mistake(monkeypatch):
    endless = importlib.import_module("studies.endless")
    task = ContinualReber(num_steps=300)
    streams = task.streams(2, torch.Generator().manual_seed(0))
    possible = torch.stack([task.grammar.possible(text[:-1]) for text in streams])
    read, scores = [], possible.double()

    def model(x, state):
        begin = state[1].size(2) - 1 if state else 0
        read.append(begin)
        after = begin + x.shape[1]
        return scores[:, begin:after], (None, torch.arange(after + 1.0).expand(1, 2, -1))

    for name, value in {"SYMBOLS": 300, "STREAMS": 2, "PART": 100}.items():
        monkeypatch.setattr(endless, name, value)
    monkeypatch.setattr(endless, "others", lambda: (task.batch(streams)[0], possible))
    perfect = {"until": 300.0, "flawless": 2, "errors": 0.0, "state": 100.0, "grown": 90}
    assert endless.read(model) == perfect and read == [0, 100, 200]
    for stream, steps in enumerate(([150, 170, 210], [7, 90, 160])):
        scores[stream, steps] = 1.0
    read.clear()
    first = {"until": (150 + 7) / 2, "flawless": 0, "errors": 2 / 200}
    assert endless.read(model) == perfect | first
    assert read == [0, 100]


@pytest.mark.parametrize("name", [name for name in NAMES if not downloads(name)])
def test_every_study_has_its_results_whole(name):
    module = importlib.import_module(f"studies.{name}")
    rows = rnnlib.results.read(name)["rows"]
    assert [row["setting"] for row in rows] == list(module.SETTINGS)
    assert len({tuple(row) for row in rows}) == 1, "every run measures the same"


@pytest.mark.parametrize("name", [name for name in NAMES if not downloads(name)])
def test_every_study_is_read_on_a_page(name):
    chapters = Path(__file__).parents[1] / "chapters"
    pages = [path.read_text(encoding="utf-8") for path in sorted(chapters.glob("*.ipynb"))]
    assert any("rnnlib.results" in page and rf"\"{name}\"" in page for page in pages)
