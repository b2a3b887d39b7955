"""The address of this repository, which pyproject.toml may name and nothing else does."""

from __future__ import annotations

import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def known_address() -> str:
    """Return ``Repository`` of [project.urls] in pyproject.toml, "" where there is none."""
    project = tomllib.loads(PYPROJECT.read_text(encoding="utf-8"))["project"]
    return project.get("urls", {}).get("Repository", "")
