"""Pictures say how large they are before they are there, so that the text below keeps its place."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

from sphinx.application import Sphinx
from sphinx.util.images import get_image_size

IMAGE = re.compile(r'<img (?![^>]*\b(?:width|height)=)([^>]*?\bsrc="([^"]+)"[^>]*)>')


def add_sizes(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Give the pictures of a page their width and height in pixels."""
    paths = {name: Path(app.srcdir, path) for path, (_, name) in app.env.images.items()}

    def sized(match: re.Match) -> str:
        path = paths.get(unquote(match[2]).rpartition("/")[2])
        size = path and get_image_size(path)
        return f'<img width="{size[0]}" height="{size[1]}" {match[1]}>' if size else match[0]

    if "body" in context:
        context["body"] = IMAGE.sub(sized, context["body"])


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("html-page-context", add_sizes)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
