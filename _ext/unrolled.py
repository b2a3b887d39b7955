"""The book's local Sphinx extension.

- Buttons that lead to a repository (source, issue, Binder, Colab) appear where the environment
  variable ``UNROLLED_REPOSITORY`` names one, or pyproject.toml does. Without it the theme's own
  default would lead to somebody else's.
- Pages and downloads get the same address into their first cell, which fetches rnnlib from there.
- The fold over a solution, and over the first cell, says what it holds, to a screen reader too.
- The corner of a table, where it has no words, is no header.
- The link check asks whether a DOI is registered, not whether its publisher lets a robot in.
- Thebe, which fetches its code from elsewhere, is switched off; the theme loads it unasked.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))

from address import known_address

VARIABLE = "UNROLLED_REPOSITORY"
BRANCH = "UNROLLED_BRANCH"
ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9-]+/[A-Za-z0-9._-]+")

# The line of a chapter's first cell that holds the address, as it stands in the notebook's file.
LINE = re.compile(r'(?<="REPOSITORY = \\")[^"\\]*(?=\\"\\n")')

# What the fold over a cell with one of these tags says.
PROMPTS = {
    "solution": ("Show the solution", "Hide the solution"),
    "first-cell": ("Show what fetches rnnlib where it is missing", "Hide it"),
}


def repository() -> str:
    """Return the address of the repository that the book is built for, "" where none is known.

    Raises
    ------
    ConfigError
        If it is not the address of a repository on GitHub.
    """
    address = os.environ.get(VARIABLE, "").strip() or known_address()
    address = address.removesuffix("/").removesuffix(".git")
    if address and not ADDRESS.fullmatch(address):
        raise ConfigError(
            f"{VARIABLE} should look like https://github.com/owner/name, not {address!r}"
        )
    return address


def theme_options(address: str, branch: str = "main", *, colab: bool = True) -> dict:
    """Return the theme's options for buttons that lead to ``address``; none where it is empty.

    Colab opens the committed chapter, so it has a button only where ``colab`` says that the
    committed chapters know an address to fetch rnnlib from.
    """
    if not address:
        return {"launch_buttons": {}, "use_repository_button": False, "use_issues_button": False}
    launch = {"notebook_interface": "jupyterlab", "binderhub_url": "https://mybinder.org"}
    if colab:
        launch["colab_url"] = "https://colab.research.google.com"
    return {
        "repository_url": address,
        "repository_branch": branch,
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": launch,
    }


def set_buttons(app: Sphinx, config: Config) -> None:
    """Set the theme's options for the repository that the book is built for."""
    for name in ("repository_url", "repository_branch"):
        config.html_theme_options.pop(name, None)
    branch = os.environ.get(BRANCH, "").strip() or "main"
    options = theme_options(repository(), branch, colab=bool(known_address()))
    config.html_theme_options.update(options)


def with_address(notebook: str) -> str:
    """Return the text of a notebook's file whose first cell knows the repository."""
    address = repository()
    return LINE.sub(lambda _: address, notebook) if address else notebook


def address_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    """Put the address into a page that is read."""
    source[0] = with_address(source[0])


def address_downloads(app: Sphinx, exception: Exception | None) -> None:
    """Put the address into the notebooks that a reader can download."""
    for path in sorted(Path(app.outdir).glob("_sources/**/*.ipynb")):
        path.write_text(with_address(path.read_text("utf-8")), encoding="utf-8", newline="\n")


def ask_the_registry(app: Sphinx, uri: str) -> str | None:
    """Return the address that answers for a DOI by itself; many publishers refuse robots."""
    prefix = "https://doi.org/"
    return uri.replace(prefix, f"{prefix}api/handles/") if uri.startswith(prefix) else None


def switch_off_thebe(app: Sphinx, config: Config) -> None:
    """Disconnect everything that sphinx_thebe listens to, and drop its style sheet."""
    for listeners in list(app.events.listeners.values()):
        for listener in list(listeners):
            if listener.handler.__module__.split(".")[0] == "sphinx_thebe":
                app.disconnect(listener.id)
    sheets = app.registry.css_files
    sheets[:] = [sheet for sheet in sheets if "sphinx-thebe" not in sheet[0]]


def label_folds(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give the folded cells a label that says what they hold."""
    if not str(app.env.doc2path(docname)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        for tag in PROMPTS.keys() & set(cell["metadata"].get("tags", [])):
            prompts = cell["metadata"].setdefault("mystnb", {})
            prompts.setdefault("code_prompt_show", PROMPTS[tag][0])
            prompts.setdefault("code_prompt_hide", PROMPTS[tag][1])
    source[0] = json.dumps(notebook)


def unname_folds(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Let a fold be called what it says; MyST-NB gives every one the same hidden name."""
    if "body" in context:
        named = '<summary aria-label="Toggle hidden content">'
        context["body"] = context["body"].replace(named, "<summary>")


def plain_corners(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Make a header without words a cell, as a screen reader has nothing to say for it."""
    if "body" in context:
        empty, corner = '<th class="head"><p></p></th>', '<td class="head"></td>'
        context["body"] = context["body"].replace(empty, corner)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("config-inited", set_buttons)
    app.connect("config-inited", switch_off_thebe)
    app.connect("source-read", address_pages)
    app.connect("source-read", label_folds)
    app.connect("html-page-context", unname_folds)
    app.connect("html-page-context", plain_corners)
    app.connect("build-finished", address_downloads)
    app.connect("linkcheck-process-uri", ask_the_registry)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
