"""How the book is cited: the same in CITATION.cff, in the README and in the package."""

import re
from pathlib import Path

import pytest
import yaml

import rnnlib

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def citation() -> dict:
    return yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))


def test_the_version_is_the_packages(citation):
    assert citation["version"] == rnnlib.__version__


def test_the_readme_cites_what_the_file_does(citation):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    entry = dict(re.findall(r"^  (\w+) += \{(.*)\},$", readme, re.MULTILINE))
    assert entry == {
        "author": "{" + " and ".join(one["name"] for one in citation["authors"]) + "}",
        "title": citation["title"],
        "year": str(citation["date-released"].year),
        "version": citation["version"],
    }
