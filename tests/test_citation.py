"""How the book is cited: the same in CITATION.cff, the README, the front page and the package."""

import re
from pathlib import Path

import nbformat
import pytest
import yaml

import rnnlib

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def citation() -> dict:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_version_is_the_packages(citation):
    assert citation["version"] == rnnlib.__version__


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def front_page() -> str:
    return nbformat.read(ROOT / "chapters" / "index.ipynb", as_version=4).cells[-1].source


@pytest.mark.parametrize("page", [readme, front_page])
def test_a_page_cites_what_the_file_does(page, citation):
    entry = dict(re.findall(r"^  (\w+) += \{(.*)\},$", page(), re.MULTILINE))
    assert entry == {
        "author": "{" + " and ".join(one["name"] for one in citation["authors"]) + "}",
        "title": citation["title"],
        "year": str(citation["date-released"].year),
        "version": citation["version"],
    }
