"""Docstrings on the page of the package: two things in which they are not what Sphinx expects."""

from __future__ import annotations

import re

from sphinx.application import Sphinx


def number_sources(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Make footnotes, whose names may stand on a page once, an ordinary list below the text."""
    lines[:] = [re.sub(r"^\.\. \[(\d+)\] ", r"\1. ", line) for line in lines]
    lines[:] = [re.sub(r"\[(\d+)\]_", r"[\1]", line) for line in lines]


def join_sentence(
    app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]
) -> None:
    """Undo that napoleon takes what stands before a property's first colon for its type."""
    kinds = [line for line in lines if line.startswith(":type: ")]
    if what in ("attribute", "data", "property") and kinds:
        lines.remove(kinds[0])
        lines[0] = f"{kinds[0].removeprefix(':type: ')}: {lines[0]}"


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", number_sources)
    app.connect("autodoc-process-docstring", join_sentence, priority=600)  # after napoleon
    return {"parallel_read_safe": True, "parallel_write_safe": True}
