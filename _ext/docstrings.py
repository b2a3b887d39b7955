"""Docstrings on the page of the package: three things in which they are not what Sphinx expects."""

from __future__ import annotations

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform


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


class FreeLists(SphinxPostTransform):
    """Take lists out of the paragraphs that Sphinx puts around them in a field."""

    default_priority = 20

    def run(self, **kwargs: object) -> None:
        """Change the document in place."""
        for paragraph in list(self.document.findall(nodes.paragraph)):
            if any(isinstance(child, nodes.bullet_list) for child in paragraph):
                paragraph.replace_self(paragraph.children)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("autodoc-process-docstring", number_sources)
    app.connect("autodoc-process-docstring", join_sentence, priority=600)  # after napoleon
    app.add_post_transform(FreeLists)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
