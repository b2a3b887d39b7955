"""The verdicts that the chapters show are those that the checks give; progress lists the checks."""

import json
import re

import pytest

from rnnlib.exercises import CHAPTERS as LISTED

from .chapters import CHAPTERS, answers
from .mutants import CHECKS


@pytest.mark.parametrize("cell", list(answers()), ids=lambda cell: f"{cell.tag}-{cell.check}")
def test_a_chapter_shows_what_its_check_says(cell):
    assert repr(CHECKS[cell.check](cell.namespace[cell.tree.name])) == cell.output


def test_progress_lists_the_exercises_of_every_chapter_in_its_order():
    found = {}
    for path in sorted(CHAPTERS.glob("[0-9]*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        asked = ["".join(c["source"]) for c in cells if "exercise" in c["metadata"].get("tags", [])]
        number, name = path.stem.split("_", 1)
        found[f"{int(number)} {name}"] = [re.search(r"\bcheck_\w+", text)[0] for text in asked]
    listed = {title: [c.exercise.name for c in checks] for title, checks in LISTED.items()}
    assert list(listed) == list(found) and listed == found
