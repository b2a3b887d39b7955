"""The verdicts that the chapters show are those that the checks give."""

import pytest

from .chapters import answers
from .mutants import CHECKS


@pytest.mark.parametrize("cell", list(answers()), ids=lambda cell: f"{cell.tag}-{cell.check}")
def test_a_chapter_shows_what_its_check_says(cell):
    assert repr(CHECKS[cell.check](cell.namespace[cell.tree.name])) == cell.output
