"""The lines hold the digits they should, from images of their own part."""

import dataclasses

import pytest
import torch

from rnnlib.data import Lines, load_digits
from rnnlib.data.lines import HEIGHT

CLEAN = Lines(noise=0)


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def trimmed(image):
    columns = image.T
    inked = (columns > 0.15).any(1).nonzero()[:, 0]
    return columns[inked[0] : inked[-1] + 1]


def pieces(line):
    """Cut a line at its empty columns and rows."""
    inked = [*(line > 0).any(1).tolist(), False]
    found, start = [], None
    for t, ink in enumerate(inked):
        if ink and start is None:
            start = t
        elif not ink and start is not None:
            found.append(line[start:t])
            start = None
    return found


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_digit_alone_is_an_image_of_its_part(part):
    split = load_digits()
    cut = len(split.train_images) - 360
    images, labels = {
        "train": (split.train_images[:cut], split.train_labels[:cut]),
        "validation": (split.train_images[cut:], split.train_labels[cut:]),
        "test": (split.test_images, split.test_labels),
    }[part]
    for digit in "0473":
        (line,) = CLEAN.write([digit], seeded(int(digit)), part=part)
        inked = (line > 0).nonzero()
        columns = line[inked[:, 0].min() : inked[:, 0].max() + 1]
        darkness, matches = columns.max(), 0
        assert 0.3 < darkness <= 1
        for image in images[labels == int(digit)]:
            glyph = trimmed(image)
            for y in range(HEIGHT - 8 + 1):
                placed = torch.zeros(len(glyph), HEIGHT)
                placed[:, y : y + 8] = glyph * darkness / glyph.max()
                matches += placed.shape == columns.shape and torch.allclose(placed, columns)
        assert matches


def test_the_parts_are_not_the_same_images():
    lines = [CLEAN.write(["8"] * 40, seeded(), part=p) for p in ("train", "validation", "test")]
    seen = [
        {tuple(round(v, 4) for v in (row / row.max()).sum(1).tolist()) for row in part}
        for part in lines
    ]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


def test_a_gap_is_at_least_as_wide_as_it_should_be():
    task = Lines(noise=0, gaps=(2, 3))
    for line in task.write(["1234", "7071"], seeded(1)):
        assert len(pieces(line)) >= 4
    close = Lines(noise=0, gaps=(-3, -3)).write(["08080808"], seeded(2))[0]
    wide = Lines(noise=0, gaps=(3, 3)).write(["08080808"], seeded(2))[0]
    assert len(wide) - len(close) == 7 * 6


def test_noise_is_added_everywhere_with_its_standard_deviation():
    (line,), (clean,) = (Lines(noise=noise).write(["1" * 200], seeded(3)) for noise in (0.3, 0))
    assert abs((line - clean).std() - 0.3) < 0.01
    assert line.shape[1] == HEIGHT


def test_allows_knows_the_rule():
    task = Lines(ascending=True)
    assert task.allows("1123") and task.allows("09999999")
    assert not task.allows("1132") and not task.allows("12") and not task.allows("123456789")
    assert Lines().allows("1132") and not Lines().allows("11a")
    assert all(map(task.allows, task.answers(200, seeded())))
    assert not all(map(task.allows, Lines().answers(200, seeded())))


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Lines(gaps=(-4, 3)), ValueError, "gaps: expected at least -3, got -4"),
        (lambda: Lines(gaps=(2, 1)), ValueError, "gaps: expected at least 2, got 1"),
        (lambda: Lines(gaps=[0, 1]), TypeError, "gaps: expected a pair of int, got [0, 1]"),
        (lambda: Lines(gaps=(0.5, 1)), TypeError, "gaps: expected an int, got float"),
        (lambda: Lines(noise=-1), ValueError, "noise: expected a number from 0 on, got -1"),
        (lambda: Lines(noise=float("nan")), ValueError, "got nan"),
        (lambda: Lines(noise="loud"), TypeError, "noise: expected a number, got str"),
        (lambda: Lines(ascending=1), TypeError, "ascending: expected a bool, got int"),
        (lambda: Lines().write(["12"], part="all"), ValueError, "'test', got 'all'"),
        (lambda: Lines().write(["1a"]), ValueError, "got 'a'"),
        (lambda: Lines().write("12"), TypeError, "got one string"),
    ],
)
def test_errors_say_what_was_expected_and_what_came(make, error, message):
    with pytest.raises(error) as raised:
        make()
    assert message in str(raised.value)


def test_a_task_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CLEAN.noise = 1
