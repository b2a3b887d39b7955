"""The book's local Sphinx extension.

- Buttons that lead to a repository (source, issue, Binder, Colab) appear where the environment
  variable ``UNROLLED_REPOSITORY`` names one. Without it the theme's own default would lead to
  somebody else's.
- The fold over a cell tagged ``solution`` says "Show the solution" instead of naming source code.
- Thebe, which fetches its code from elsewhere, is switched off; the theme loads it unasked.
"""

from __future__ import annotations

import json
import os
import re

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ConfigError

VARIABLE = "UNROLLED_REPOSITORY"
BRANCH = "UNROLLED_BRANCH"
ADDRESS = re.compile(r"https://github\.com/[A-Za-z0-9-]+/[A-Za-z0-9._-]+")


def theme_options(repository: str, branch: str = "main") -> dict:
    """Return the theme's options for buttons that lead to ``repository``; none where it is empty.

    Raises
    ------
    ConfigError
        If ``repository`` is not the address of a repository on GitHub.
    """
    repository = repository.strip().removesuffix("/").removesuffix(".git")
    if not repository:
        return {"launch_buttons": {}, "use_repository_button": False, "use_issues_button": False}
    if not ADDRESS.fullmatch(repository):
        raise ConfigError(
            f"{VARIABLE} should look like https://github.com/owner/name, not {repository!r}"
        )
    return {
        "repository_url": repository,
        "repository_branch": branch,
        "use_repository_button": True,
        "use_issues_button": True,
        "launch_buttons": {
            "notebook_interface": "jupyterlab",
            "binderhub_url": "https://mybinder.org",
            "colab_url": "https://colab.research.google.com",
        },
    }


def set_buttons(app: Sphinx, config: Config) -> None:
    """Set the theme's options from the environment."""
    address = os.environ.get(VARIABLE, "")
    for name in ("repository_url", "repository_branch"):
        config.html_theme_options.pop(name, None)
    branch = os.environ.get(BRANCH, "").strip() or "main"
    config.html_theme_options.update(theme_options(address, branch))


def switch_off_thebe(app: Sphinx, config: Config) -> None:
    """Disconnect everything that sphinx_thebe listens to, and drop its style sheet."""
    for listeners in list(app.events.listeners.values()):
        for listener in list(listeners):
            if listener.handler.__module__.split(".")[0] == "sphinx_thebe":
                app.disconnect(listener.id)
    sheets = app.registry.css_files
    sheets[:] = [sheet for sheet in sheets if "sphinx-thebe" not in sheet[0]]


def label_solutions(app: Sphinx, docname: str, source: list[str]) -> None:
    """Give the folded cells that hold solutions a label that says so."""
    if not str(app.env.doc2path(docname)).endswith(".ipynb"):
        return
    notebook = json.loads(source[0])
    for cell in notebook["cells"]:
        if "solution" in cell["metadata"].get("tags", []):
            prompts = cell["metadata"].setdefault("mystnb", {})
            prompts.setdefault("code_prompt_show", "Show the solution")
            prompts.setdefault("code_prompt_hide", "Hide the solution")
    source[0] = json.dumps(notebook)


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.connect("config-inited", set_buttons)
    app.connect("config-inited", switch_off_thebe)
    app.connect("source-read", label_solutions)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
