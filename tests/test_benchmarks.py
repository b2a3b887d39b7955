"""The benchmark's machinery, never its figures: no test here depends on how fast anything is."""

import json
import statistics

import pytest
import torch

from benchmarks import growth, memory, report, speed, targets
from benchmarks.__main__ import main
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
        assert recording.pop() == (mode == "forward+backward")
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


# ----------------------------------------------------------------------------- the results


def tiny(monkeypatch):
    """Make every measurement small enough for a test."""
    monkeypatch.setattr(speed, "SHAPES", (SMALL, Shape(1, 2, 3, 4)))
    monkeypatch.setattr(report, "SHAPES", (SMALL, Shape(1, 2, 3, 4)))
    monkeypatch.setattr(memory, "MEMORY_SHAPE", SMALL)
    series = {"T": [Shape(2, T, 3, 4) for T in (2, 4)], "H": [Shape(2, 3, 4, H) for H in (2, 4)]}
    monkeypatch.setattr(growth, "SERIES", series)


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


def test_a_run_prints_tables_and_writes_a_file_of_the_committed_form(monkeypatch, tmp_path, capsys):
    tiny(monkeypatch)
    monkeypatch.setattr(memory, "peak_growth", lambda *_: 2**20)  # no processes here
    threads = torch.get_num_threads()
    try:
        assert main(["--rounds", "2", "--output", str(tmp_path / "new" / "results.json")]) == 0
    finally:
        torch.set_num_threads(threads)
    shown = capsys.readouterr().out
    for words in ("geometric mean", "forward+backward", "MiB", "GRU with T, 2 to 4"):
        assert words in shown
    new = json.loads((tmp_path / "new" / "results.json").read_text(encoding="utf-8"))
    same_form(committed(), new)


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
    return json.loads((memory.ROOT / "benchmarks" / "results.json").read_text(encoding="utf-8"))


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
    means = speed.means(results["speed"])
    for kind in KINDS:
        for mode in MODES:
            assert results["means"][kind][mode] == pytest.approx(means[kind][mode], rel=2e-3)


def test_committed_results_reach_the_targets():
    """The figures in the file, not the speed of this machine."""
    assert targets.missed(committed()) == []


def test_missed_targets_are_named():
    results = committed()
    results["means"]["LSTM"]["forward+backward"]["rnnlib"] = 1.95
    row = next(r for r in results["speed"] if r["mode"] == "forward+backward")
    row["ratio"]["rnnlib"] |= {"ratio": 1.2, "q1": 1.1}
    results["memory"][0]["saved"]["rnnlib"] = 10**12
    lines = targets.missed(results)
    assert len(lines) == 3
    assert lines[0] == "LSTM: geometric mean 1.950, expected at most 1.9"
    assert lines[1].startswith("RNN (32, 100, 32, 64): ratio 1.200")
    assert lines[2].startswith("RNN: saves 1000000000000 bytes")
    # Within noise of torch's time is not slower.
    row["ratio"]["rnnlib"]["q1"] = 0.99
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
