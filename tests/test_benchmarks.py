"""The benchmark's machinery, never its figures: no test here depends on how fast anything is."""

import json
import statistics
from itertools import pairwise

import pytest
import torch

import rnnlib
from benchmarks import growth, lengths, memory, report, speed, targets
from benchmarks.__main__ import PARTS, main
from benchmarks.cases import CONTESTANTS, KINDS, MODES, SHAPES, Case, Shape
from benchmarks.race import race, ratios, spread

SMALL = Shape(2, 3, 4, 5)


class FakeClock:
    """A clock that only the functions made by `task` move."""

    def __init__(self):
        self.now = 0.0
        self.calls = []

    def __call__(self):
        return self.now

    def task(self, name, seconds):
        durations = iter(seconds)

        def run():
            self.calls.append(name)
            self.now += next(durations)

        return run


# ----------------------------------------------------------------------------- the race


def test_contestants_take_turns_and_every_second_round_turns_round():
    clock = FakeClock()
    tasks = {name: clock.task(name, [1.0] * 10) for name in "abc"}
    race(tasks, rounds=4, clock=clock)
    setting_up, rounds = clock.calls[:6], clock.calls[6:]
    assert setting_up == list("aabbcc")
    assert rounds == list("abccbaabccba")


def test_times_are_those_of_one_call_round_by_round():
    clock = FakeClock()
    tasks = {
        "slow": clock.task("slow", [9.0, 1.0, 3.0, 2.0]),  # two calls to set up, two rounds
        "fast": clock.task("fast", [9.0] + [1 / 512] * 11),  # five calls fill a hundredth
    }
    times = race(tasks, rounds=2, clock=clock)
    assert times["slow"] == [3.0, 2.0]
    assert times["fast"] == [1 / 512, 1 / 512]
    assert clock.calls.count("fast") == 2 + 2 * 5


def test_budget_ends_a_race_but_not_before_the_fewest_rounds():
    for fewest, expected in ((2, 4), (6, 6)):
        clock = FakeClock()
        tasks = {"a": clock.task("a", [1.0] * 99)}
        times = race(tasks, rounds=50, budget=3.5, fewest=fewest, clock=clock)
        assert len(times["a"]) == expected


def test_one_round_is_refused():
    with pytest.raises(ValueError, match="at least 2 rounds, got rounds=1"):
        race({"a": lambda: None}, rounds=1)


def test_ratio_is_of_the_medians_and_its_spread_of_the_rounds():
    times = {"torch": [1.0, 2.0, 10.0], "rnnlib": [1.0, 4.0, 5.0], "textbook": [3.0, 3.0, 3.0]}
    compared = ratios(times)
    assert set(compared) == {"rnnlib", "textbook"}
    assert compared["rnnlib"]["ratio"] == 4.0 / 2.0
    assert compared["textbook"]["ratio"] == 3.0 / 2.0
    # Rounds of rnnlib: 1/1, 4/2, 5/10.
    assert compared["rnnlib"]["q1"] == pytest.approx(0.75)
    assert compared["rnnlib"]["q3"] == pytest.approx(1.5)


def test_spread_is_median_and_quartiles():
    assert spread([5.0, 1.0, 2.0, 4.0, 3.0]) == {"median": 3.0, "q1": 2.0, "q3": 4.0}


def test_means_are_geometric_and_apart_by_kind_mode_and_contestant():
    rows = [
        {
            "kind": kind,
            "mode": mode,
            "ratio": {"rnnlib": {"ratio": r}, "textbook": {"ratio": 3 * r}},
        }
        for kind, mode, r in (
            ("RNN", "forward", 0.5),
            ("RNN", "forward", 2.0),
            ("RNN", "forward+backward", 7.0),
            ("GRU", "forward", 0.1),
        )
    ]
    means = speed.means(rows)
    assert means["RNN"]["forward"] == pytest.approx({"rnnlib": 1.0, "textbook": 3.0})
    assert means["RNN"]["forward+backward"]["rnnlib"] == pytest.approx(7.0)
    assert means["GRU"]["forward"]["rnnlib"] == pytest.approx(0.1)


# ----------------------------------------------------------------------------- the cases


def test_shapes_are_the_six_of_the_page():
    assert len(SHAPES) == len(set(SHAPES)) == 6


@pytest.mark.parametrize("kind", KINDS)
def test_contestants_run_the_same_network(kind):
    case = Case(kind, SMALL)
    case.check()
    assert case.modules.keys() - {*CONTESTANTS} == ({"numpy"} if kind == "RNN" else set())
    for name in CONTESTANTS:
        assert case.forward(name).shape == (SMALL.T, SMALL.N, SMALL.H)
        assert type(case.modules[name]).__module__.split(".")[0] == (
            "torch" if name == "torch" else "rnnlib"
        )


def test_a_contestant_that_computes_something_else_is_not_timed():
    case = Case("RNN", SMALL)
    with torch.no_grad():
        case.modules["rnnlib"].weight_hh_l0.mul_(1.1)
    with pytest.raises(RuntimeError, match=r"RNN at .*: rnnlib differs from torch by"):
        case.check()


@pytest.mark.parametrize("mode", MODES)
def test_only_the_pass_forward_and_backward_leaves_gradients(mode):
    case = Case("RNN", SMALL, input_grad=True)
    forward, recording = case.forward, []

    def watched(name):
        recording.append(torch.is_grad_enabled())
        return forward(name)

    case.forward = watched
    for name, run in case.runners(mode).items():
        case.x.grad = None
        run()
        assert recording.pop() == (mode != "forward")
        grads = [p.grad for p in (case.x, *case.modules[name].parameters())]
        assert all((g is None) == (mode == "forward") for g in grads)


# ----------------------------------------------------------------------------- memory


def test_saved_bytes_count_each_memory_once_without_parameters():
    x = torch.randn(10, 3, requires_grad=True)
    w = torch.nn.Parameter(torch.randn(3, 5))

    def product():  # saves x and w
        return x @ w

    assert memory.saved_bytes(product, [w]) == 10 * 3 * 4
    assert memory.saved_bytes(product, []) == (10 * 3 + 3 * 5) * 4
    # exp saves its result; the product of two views of x saves both, which is one memory.
    assert memory.saved_bytes(lambda: (x.exp(), x[:5] * x[5:]), []) == 2 * 10 * 3 * 4


def test_memory_given_back_on_the_way_is_not_counted():
    x = torch.randn(100, requires_grad=True)
    # Nothing but the first x * x is saved: the sums need none of their inputs.
    assert memory.saved_bytes(lambda: ((x * x) + 1.0 + 1.0).sum(), []) == 400


def test_peak_growth_counts_at_least_what_is_saved():
    shape = Shape(16, 200, 64, 128)
    saved = memory.saved_by(Case("RNN", shape), "torch")
    growth_bytes = memory.peak_growth("RNN", "torch", shape, threads=1)
    assert saved / 2 < growth_bytes < 100 * saved


def test_a_process_that_fails_is_reported():
    with pytest.raises(RuntimeError, match="measuring RNN by nobody failed"):
        memory.peak_growth("RNN", "nobody", SMALL, threads=1)


# ----------------------------------------------------------------------------- growth


def test_exponent_of_powers():
    x = [16, 32, 64, 128]
    for power in (0.5, 1.0, 2.0):
        assert growth.exponent(x, [7 * v**power for v in x]) == pytest.approx(power)
    for wrong in (([1, 2], [1.0, 0.0]), ([3, 3], [1.0, 2.0])):
        with pytest.raises(ValueError, match="expected positive numbers"):
            growth.exponent(*wrong)


# ----------------------------------------------------------------------------- lengths


@pytest.fixture
def few_diaries(monkeypatch):
    monkeypatch.setattr(lengths, "BATCH", 4)
    monkeypatch.setattr(lengths, "DIARIES", 16)
    monkeypatch.setattr(lengths, "LONGEST", 8)


@pytest.mark.parametrize("layer", lengths.LAYERS)
def test_all_ways_through_the_diaries_compute_the_same(few_diaries, layer):
    tagging = lengths.Tagging(layer, 5, 4)
    tagging.check()
    assert type(tagging.model.rnn).__module__.split(".")[0] == layer
    assert not tagging.model.rnn.bidirectional
    for run in tagging.runners().values():
        tagging.model.zero_grad()
        run()
        assert all(p.grad is not None for p in tagging.model.parameters())


def test_every_way_reads_each_diary_once_in_batches_of_its_kind(few_diaries):
    tagging = lengths.Tagging("rnnlib", 5, 4)
    assert list(tagging.batches) == list(lengths.WAYS)
    read = {}
    for way, batches in tagging.batches.items():
        assert [len(n) for _, _, n in batches] == ([1] * 16 if way == "one by one" else [4] * 4)
        read[way] = sorted(x_i.sum().item() for x, _, _ in batches for x_i in x)  # padding is 0
        assert read[way] == pytest.approx(read["one by one"])
        assert sum(n.sum().item() for _, _, n in batches) == tagging.steps
    # Sorted, the longest of one batch is no longer than the shortest of another.
    spans = sorted(
        (n.min().item(), n.max().item()) for _, _, n in tagging.batches["padded in pools"]
    )
    assert all(a[1] <= b[0] for a, b in pairwise(spans))
    assert tagging.batches["padded"] is tagging.batches["packed"]
    assert tagging.batches["padded in pools"] is tagging.batches["packed in pools"]


def test_only_the_packed_ways_tell_the_lengths(few_diaries, monkeypatch):
    tagging, told = lengths.Tagging("rnnlib", 5, 4), []
    forward = tagging.model.forward

    def watched(x, lengths=None):
        if isinstance(x, torch.Tensor):  # packed inside, the model calls itself
            told.append(lengths is not None)
        return forward(x, lengths)

    monkeypatch.setattr(tagging.model, "forward", watched)
    for way, run in tagging.runners().items():
        told.clear()
        run()
        assert set(told) == {way.startswith("packed")}


def test_a_way_that_computes_something_else_is_not_timed(few_diaries, monkeypatch):
    tagging = lengths.Tagging("rnnlib", 5, 4)
    two_way = rnnlib.GRU(1, 5, batch_first=True, bidirectional=True)  # reads padding first
    tagging.model = lengths.SequenceTagger(two_way, 2)
    with pytest.raises(RuntimeError, match=r"GRU of rnnlib, H = 5.*: padded differs from one by"):
        tagging.check()
    monkeypatch.setattr(lengths, "Tagging", lambda *_: tagging)
    with pytest.raises(RuntimeError, match="padded differs"):
        lengths.measure({"rounds": 2}, pytest.fail)


# ----------------------------------------------------------------------------- the results


def tiny(monkeypatch):
    """Make every measurement small enough for a test."""
    monkeypatch.setattr("benchmarks.race.SLICE", 0.0)
    monkeypatch.setattr(speed, "SHAPES", (SMALL, Shape(1, 2, 3, 4)))
    monkeypatch.setattr(report, "SHAPES", (SMALL, Shape(1, 2, 3, 4)))
    monkeypatch.setattr(memory, "MEMORY_SHAPE", SMALL)
    series = {"T": [Shape(2, T, 3, 4) for T in (2, 4)], "H": [Shape(2, 3, 4, H) for H in (2, 4)]}
    monkeypatch.setattr(growth, "SERIES", series)
    for name, value in {"BATCH": 2, "DIARIES": 8, "WIDTHS": (3,), "SPREADS": (1, 15)}.items():
        monkeypatch.setattr(lengths, name, value)


def same_form(example, value, where="results"):
    """Compare two JSON values by their keys and types, and lists entry by entry."""
    if isinstance(example, dict):
        assert isinstance(value, dict) and set(value) == set(example), where
        for key in example:
            same_form(example[key], value[key], f"{where}[{key!r}]")
    elif isinstance(example, list):
        assert isinstance(value, list) and len(value) > 0, where
        for i, entry in enumerate(value):
            # Rows of one kind recur in the same order; a shorter example stands for the rest.
            same_form(example[min(i, len(example) - 1)], entry, f"{where}[{i}]")
    elif isinstance(example, float):
        assert isinstance(value, float | int), where
    else:
        assert type(value) is type(example), where


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run the command with measurements of no size; return what is in the file then."""
    tiny(monkeypatch)
    monkeypatch.setattr(memory, "peak_growth", lambda *_: 2**20)  # no processes here
    threads = torch.get_num_threads()

    def run(*options, path=tmp_path / "new" / "results.json"):
        assert main(["--rounds", "2", "--output", str(path), *options]) == 0
        return json.loads(path.read_text(encoding="utf-8"))

    yield run
    torch.set_num_threads(threads)


def test_a_run_prints_tables_and_writes_a_file_of_the_committed_form(run, capsys):
    new = run()
    shown = capsys.readouterr().out
    for words in ("geometric mean", "forward+backward", "MiB", "GRU with T, 2 to 4"):
        assert words in shown
    for words in ("time as a ratio to padded", "packed in pools", "torch, H = 3"):
        assert words in shown
    assert list(new["measured"]) == list(PARTS)
    form = committed()  # of the shapes as many as in the small run
    form["speed"] = [row for row in form["speed"] if tuple(row["shape"]) in SHAPES[:2]]
    same_form(form, new)


def test_a_part_is_replaced_and_the_others_stay(run, capsys):
    first = run("--kinds", "RNN", "--parts", "speed", "growth")
    assert set(first["measured"]) == {"speed", "growth"}
    assert first["memory"] == first["lengths"] == []
    second = run("--parts", "lengths", "--clock", "processor")
    assert "geometric mean" not in capsys.readouterr().out.split("written to")[-2]
    assert second["lengths"] and second["memory"] == []
    # Everything that was there is there still, and was measured as it says.
    kept = ("machine", "clock", "means", "speed", "growth")
    assert all(second[name] == first[name] for name in kept)
    assert {part: m["clock"] for part, m in second["measured"].items()} == {
        "speed": "wall",
        "growth": "wall",
        "lengths": "processor",
    }
    third = run("--kinds", "GRU", "--parts", "speed", "--clock", "processor")
    assert third["lengths"] == second["lengths"] and third["growth"] == first["growth"]
    assert {row["kind"] for row in third["speed"]} == set(third["means"]) == {"GRU"}
    assert third["clock"] == "processor"
    assert {part: m["clock"] for part, m in third["measured"].items()} == {
        "speed": "processor",
        "growth": "wall",
        "lengths": "processor",
    }


def test_a_part_is_not_added_to_something_else(run, tmp_path, capsys):
    for text, words in (
        ("{}", "expected results of version 3 to add to, got None"),
        ('{"version": 1}', "version 3 to add to, got 1; measure all parts, or write elsewhere"),
        ("[1]", "expected results of version 3"),
        ("Monday", "expected results to add to, got no JSON"),
    ):
        (tmp_path / "other").write_text(text)
        with pytest.raises(SystemExit):
            run("--parts", "lengths", path=tmp_path / "other")
        assert words in capsys.readouterr().err
        assert (tmp_path / "other").read_text() == text, "refused before anything is written"
    run(path=tmp_path / "other")  # a whole run replaces whatever is there


def test_options_that_make_no_sense_are_refused(capsys):
    for options, words in (
        (["--check", "--threads", "2"], "--check needs one thread"),
        (["--check", "--kinds", "RNN"], "all kinds"),
        (["--clock", "processor", "--threads", "2"], "--clock wall"),
        (["--rounds", "1"], "at least 1 thread and 2 rounds"),
    ):
        with pytest.raises(SystemExit):
            main(options)
        assert words in capsys.readouterr().err


def committed() -> dict:
    return rnnlib.results.read("benchmarks")


def test_committed_results_are_whole():
    results = committed()
    assert results["version"] == report.VERSION
    assert results["machine"]["threads"] == 1
    found = [(row["kind"], row["mode"], tuple(row["shape"])) for row in results["speed"]]
    assert found == [(k, m, tuple(s)) for k in KINDS for m in MODES for s in SHAPES]
    assert [row["kind"] for row in results["memory"]] == list(KINDS)
    assert [(row["kind"], row["letter"]) for row in results["growth"]] == [
        (kind, letter) for kind in KINDS for letter in "TH"
    ]
    for row in results["speed"]:
        medians = {name: s["median"] for name, s in row["seconds"].items()}
        for name, ratio in row["ratio"].items():
            assert ratio["ratio"] == pytest.approx(medians[name] / medians["torch"], rel=2e-3)
    assert [(row["layer"], row["H"], row["spread"]) for row in results["lengths"]] == [
        (layer, H, ratio)
        for layer in lengths.LAYERS
        for H in lengths.WIDTHS
        for ratio in lengths.SPREADS
    ]
    for row in results["lengths"]:
        assert list(row["seconds"]) == list(lengths.WAYS)
        medians = {way: s["median"] for way, s in row["seconds"].items()}
        for way, ratio in row["ratio"].items():
            assert ratio["ratio"] == pytest.approx(medians[way] / medians["padded"], rel=2e-3)
    means = speed.means(results["speed"])
    for kind in KINDS:
        for mode in MODES:
            assert results["means"][kind][mode] == pytest.approx(means[kind][mode], rel=2e-3)


def test_the_page_names_the_conditions_of_what_it_shows():
    """The book prints those at the top for three parts, so they must be alike."""
    results = committed()
    assert set(results["measured"]) == set(PARTS)
    for part in ("speed", "memory", "growth"):
        measured = results["measured"][part]
        assert measured == {name: results[name] for name in ("machine", "clock")}
    assert results["measured"]["lengths"]["machine"]["threads"] == 1


def test_committed_results_reach_the_targets():
    """The figures in the file, not the speed of this machine."""
    assert targets.missed(committed()) == []


def test_missed_targets_are_named():
    results = committed()
    results["means"]["LSTM"]["with dx"]["rnnlib"] = 0.96
    row = next(r for r in results["speed"] if r["mode"] == "forward+backward")
    row["ratio"]["rnnlib"]["ratio"] = 1.2
    results["memory"][0]["saved"]["rnnlib"] = 10**12
    lines = targets.missed(results)
    assert len(lines) == 3
    assert lines[0] == "LSTM, with dx: geometric mean 0.960, expected at most 0.95"
    assert lines[1].startswith("RNN (32, 100, 32, 64): ratio 1.200")
    assert lines[2].startswith("RNN: saves 1000000000000 bytes")
    row["ratio"]["rnnlib"]["ratio"] = 1.04
    assert len(targets.missed(results)) == 2
    results["machine"]["threads"] = 2
    with pytest.raises(ValueError, match="for 1 thread, got 2"):
        targets.missed(results)


def test_numbers_are_rounded_and_the_file_is_readable(tmp_path):
    assert report.rounded({"a": [0.123456, 3], "b": 123456.7}) == {"a": [0.1235, 3], "b": 123500.0}
    path = tmp_path / "results.json"
    report.write({"long": [{"values": list(range(30))}] * 3, "name": "tanh × σ"}, path)
    text = path.read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 110
    assert json.loads(text) == {"long": [{"values": list(range(30))}] * 3, "name": "tanh × σ"}
    assert statistics.mean(map(len, text.splitlines())) > 10, "a line for each number is too many"
