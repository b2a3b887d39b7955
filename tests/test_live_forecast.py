"""The live figure of forecasts: its numbers are rnnlib's, and chapter 15's."""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from fake_page import Page

from rnnlib.data.series import windows
from rnnlib.models.forecasts import Linear, iterate, rmse
from rnnlib.page.live import move_forecast
from rnnlib.page.live.figure import script
from rnnlib.page.live.forecast import (
    BEFORE,
    HORIZON,
    HORIZONS,
    KEPT,
    ORIGINS,
    SCORES,
    SERIES,
    WIDTHS,
    chapter_series,
    forecasters,
    forecasts,
    kept,
    make,
    page_part,
)
from rnnlib.page.live.plot import hundredths
from rnnlib.page.live.weights import decoded, encoded

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))
from forecast_weights import to_train_on, train

AHEAD = (1, 17, 84)


@pytest.fixture(name="series", scope="module")
def _series():
    return chapter_series()


@pytest.fixture(name="page", scope="module")
def _page():
    return Page(move_forecast())


@pytest.fixture(name="in_page", scope="module")
def _in_page():
    context = Page(move_forecast()).context
    own = script("forecast").replace("const figure", "globalThis.unused")
    context.eval(script("plot") + script("cells") + script("weights") + own)
    context.eval(f"const kept = {json.dumps(kept())}, z = singles(kept.series);")
    return lambda call: json.loads(context.eval(f"JSON.stringify([...{call}])"))


def errors(forecast, truth):
    return [rmse(forecast, truth)[h - 1].item() for h in AHEAD]


# What is kept


def test_the_series_is_a_part_of_the_chapter_s(series):
    kept_part = decoded(kept()["series"], "<f4")
    assert len(kept_part) == BEFORE + 5 * (len(ORIGINS) - 1) + HORIZON + 1
    # It is chaotic: another processor's last digit has grown by the end.
    torch.testing.assert_close(kept_part, page_part(series), rtol=0, atol=2e-3)


@pytest.mark.parametrize("width", WIDTHS)
def test_a_line_is_that_of_least_squares(series, width):
    """Compared by what it forecasts: many weights are almost as good as the best."""
    x, truth = windows(series, ORIGINS, width=width, horizon=HORIZON)
    expected = errors(iterate(Linear.fit(*to_train_on(series, width)), x, HORIZON), truth)
    found = errors(iterate(forecasters()[width], x, HORIZON), truth)
    assert found == pytest.approx(expected, rel=2e-2)


def test_the_line_and_persistence_have_the_errors_of_chapter_15():
    found, truth = forecasts(20)
    assert errors(found["persistence"], truth) == pytest.approx([0.1462, 1.7369, 1.6429], abs=1e-3)
    assert errors(found["line"], truth) == pytest.approx([0.0005, 0.5170, 0.6705], abs=1e-3)


def test_the_network_is_worth_showing():
    """It is at least as good as the best of chapter 15's networks, at the same origins."""
    found, truth = forecasts(20)
    one, seventeen, eighty_four = errors(found["network"], truth)
    assert one < 0.006 and seventeen < 0.017 and eighty_four < 0.078


def test_one_step_ahead_says_nothing_of_seventeen():
    """Lines of enough steps are best at 1, and behind the network at 17 and 84, each of them."""
    for width in WIDTHS:
        found, truth = forecasts(width)
        line, network = (errors(found[name], truth) for name in ("line", "network"))
        assert (line[0] < network[0]) == (width >= 5)
        assert line[1] > 30 * network[1] and line[2] > 10 * network[2]
    found, truth = forecasts(20)
    ahead = rmse(found["line"], truth) < rmse(found["network"], truth)
    assert ahead.nonzero().flatten().tolist() == [0, 1]  # as the picture's description says


def test_the_network_is_trained_the_same_way_each_time(series):
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        model = make()
        train(model, series, 3)
        found.append(encoded(model[0].weight, "<f4"))
    torch.manual_seed(3)
    assert found[0] == found[1] != encoded(make()[0].weight, "<f4")


# What the page computes


@pytest.mark.parametrize("width", [1, 3, 20, 100])
@pytest.mark.parametrize("origin", [0, 77, 260])
def test_the_page_forecasts_as_rnnlib_does(in_page, width, origin):
    found, _ = forecasts(width)
    for name, step in (
        ("persistence", "persistence"),
        ("line", f"linear(kept.lines[{width}])"),
        ("network", "perceptron(kept.network)"),
    ):
        part = f"z.slice({5 * origin}, {5 * origin + BEFORE + 1})"
        page = in_page(f"iterate({step}, {part}, {HORIZON})")
        np.testing.assert_allclose(page, found[name][origin], rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("horizon", "width", "origin"), [(1, 20, 2149), (17, 60, 3099), (84, 1, 3374), (100, 5, 2099)]
)
def test_the_figure_says_the_errors_and_the_forecasts(page, horizon, width, origin):
    said = page.set(horizon=horizon, width=width, origin=origin)
    found, truth = forecasts(width)
    row = ORIGINS.tolist().index(origin)
    shown = [float(number) for number in re.findall(r"by (\d\.\d{4})", said)]
    names = ("persistence", "line", "network")
    expected = [rmse(found[name], truth)[horizon - 1].item() for name in names]
    assert shown == pytest.approx(expected, abs=6e-5)
    numbers = [hundredths(part[row, horizon - 1].item()) for part in (truth, *found.values())]
    assert said.endswith(
        f"From origin {origin} the truth there is {numbers[0]}; they say {numbers[1]}, "
        f"{numbers[2]} and {numbers[3]}."
    )
    assert said.startswith(f"{horizon} step{'s' * (horizon > 1)} ahead, over 261 origins")


def test_the_window_is_as_wide_as_what_the_line_reads(page):
    for width in (1, 20, 100):
        page.set(width=width)
        left, right = map(float, re.findall(r"[MH](-?[\d.]+)", page.attribute(".window", "d")))
        step = SERIES.at(1, 0)[0] - SERIES.at(0, 0)[0]
        assert right - left == pytest.approx(width * step, abs=0.11)


def test_the_marks_stand_at_the_horizon(page):
    page.set(horizon=84)
    for mark, axes in (("ahead", SERIES), ("asked", SCORES)):
        x = float(re.match(r"M([\d.]+)", page.attribute(f".{mark}", "d"))[1])
        assert x == pytest.approx(axes.at(84, 1)[0], abs=0.06)


def test_each_stop_of_the_horizon_is_one_that_is_forecast():
    stops = [int(stop) for stop in HORIZONS]
    assert set(AHEAD) < set(stops) and stops[0] == 1 and stops[-1] == HORIZON
    assert stops == sorted(stops)


def test_the_figure_leaves_the_reader_s_random_numbers_alone():
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    move_forecast()
    assert torch.equal(torch.rand(2), expected)


def test_the_figure_of_forecasts_is_light():
    assert len(move_forecast().html) < 50_000
    assert KEPT.stat().st_size < 16_000
