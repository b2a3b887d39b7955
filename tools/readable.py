"""The book's pages as notebooks that read well anywhere, not only where MyST is rendered.

References become numbers and links, equations bear their numbers, captions stand below their
figures, and what the book folds is folded in JupyterLab. The numbers are those that Sphinx gives,
without the seconds that it takes; ``tests/test_desk.py`` holds them against the built book.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import nbformat
import yaml
from nbformat import NotebookNode
from notebooks import normalise
from pybtex.database import parse_file
from pybtex.plugin import find_plugin
from pybtex.richtext import Text

# What is shown of a reference, by its role; code that makes one in an f-string doubles its braces.
SHOWN = {
    "doc": "{}",
    "ref": "{}",
    "eq": "({})",
    "numref": "Fig. {}",
    "cite": "{}, {}",
    "cite:t": "{} ({})",
}
ROLE = rf"\{{{{1,2}}(?P<role>{'|'.join(SHOWN)})\}}{{1,2}}`(?:(?P<text>[^`<]+) <)?(?P<to>[^`<>]+)>?`"
# Code is matched too, so that nothing inside it is taken for a reference.
MYST = re.compile(
    r"^```\{bibliography\}\n(?P<sources>)```$"
    r"|^```\{glossary\}\n(?P<terms>.+?)^```$"
    r"|^\((?P<label>[\w-]+)\)=\n"
    r"|^(?P<fence>```+).*?^(?P=fence)$"
    rf"|{ROLE}"
    r"|(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`)"
    r"|^\$\$ \((?P<equation>[\w-]+)\)$",
    re.MULTILINE | re.DOTALL,
)
FOLDED = {
    "hide-cell": ("outputs_hidden", "source_hidden"),
    "hide-input": ("source_hidden",),
    "remove-input": ("source_hidden",),
}


class Book:
    """The pages of a book, and what each reference to something in them shows.

    Parameters
    ----------
    root : Path
        The folder that holds ``_toc.yml``, ``references.bib`` and the pages.

    Attributes
    ----------
    pages : dict of str to NotebookNode
        The pages by name, in reading order, the front page first.
    numbers : dict of str to str
        The number of each page that has one.
    targets : dict of str to (str, str or tuple of str)
        For each page, label and source: the page that it is on, and what it is called, such as
        ``("09_clipping", "9.1")``; a source by its authors and year.
    """

    def __init__(self, root: Path):
        self.pages: dict[str, NotebookNode] = {}
        self.numbers: dict[str, str] = {}
        self.targets: dict[str, tuple[str, str | tuple[str, str]]] = {}
        self._counters = defaultdict(lambda: count(1))
        self._bibliography = parse_file(root / "references.bib", encoding="utf-8")
        toc = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
        self._add(root / toc["root"])
        for part in toc["parts"]:
            for entry in part["chapters"]:
                self._add(root / entry["file"], part.get("numbered", toc["defaults"]["numbered"]))
        for key, entry in self._bibliography.entries.items():
            self.targets[key] = ("bibliography", (_who(entry), entry.fields["year"]))

    def _add(self, file: Path, numbered: bool = False) -> None:
        """Take in the next page and its labels."""
        page, notebook = file.name, _read(file)
        # What Sphinx alone can make, from docstrings, is no page to read elsewhere.
        if not any(cell.source.count("```{eval-rst}") for cell in notebook.cells):
            self.pages[page] = notebook
        if numbered:
            self.numbers[page] = str(len(self.numbers) + 1)
        title = re.match(r"# +(.+)", notebook.cells[0].source)
        self.targets[page] = (page, title[1] if title else page)
        for label in _named(notebook, "label"):
            self.targets[label] = (page, label)
        # As in Sphinx, pages without a number of their own are counted through.
        chapter = f"{self.numbers[page]}." if numbered else ""
        for kind, labels in (
            ("equation", _named(notebook, "equation")),
            ("figure", _figures(notebook)),
        ):
            for label in labels:
                number = next(self._counters[kind, chapter])
                self.targets[label] = (page, f"{chapter}{number}")

    def readable(self, page: str) -> NotebookNode:
        """Return a page without MyST: references as links between notebooks, cells folded."""
        result = nbformat.from_dict(self.pages[page])
        result.cells = []
        for cell in nbformat.from_dict(self.pages[page]).cells:
            result.cells.append(cell)
            if cell.cell_type == "markdown":
                cell.source = self._plain(cell.source, page)
                continue
            cell.source = re.sub(ROLE, lambda match: self._reference(match, page), cell.source)
            for output in cell.outputs:
                if "text/markdown" in output.get("data", {}):
                    output.data["text/markdown"] = self._plain(output.data["text/markdown"], page)
            _fold(cell)
            figure = _figure(cell)
            if figure:
                caption = self._plain(figure["caption"], page)
                caption = f"**Fig. {self.targets[figure['name']][1]}.** {caption}"
                below = nbformat.v4.new_markdown_cell(caption, id=f"{cell.id}-caption")
                result.cells.append(below)
        if page in self.numbers:
            first = result.cells[0]
            first.source = first.source.replace("# ", f"# {self.numbers[page]}. ", 1)
        return result

    def _plain(self, text: str, page: str) -> str:
        """Return Markdown in place of MyST; what is not known is left as it is."""

        def replace(match: re.Match) -> str:
            if match["role"]:
                return self._reference(match, page)
            if match["equation"]:
                return f"\\tag{{{self.targets[match['equation']][1]}}}\n$$"
            if match["terms"]:
                return re.sub(r"^(\S.*)$", r"**\1**\n", match["terms"], flags=re.MULTILINE)
            if match["sources"] is not None:
                return self._sources()
            return "" if match["label"] else match[0]

        return MYST.sub(replace, text)

    def _reference(self, match: re.Match, page: str) -> str:
        """Return what stands in place of a reference."""
        links = []
        for to in match["to"].split(","):
            if to not in self.targets:
                return match[0]
            where, called = self.targets[to]
            called = called if isinstance(called, tuple) else (called,)
            text = match["text"] or SHOWN[match["role"]].format(*called)
            here = where == page or where not in self.pages
            links.append(text if here else f"[{text}]({where}.ipynb)")
        return f"({', '.join(links)})" if match["role"] == "cite" else links[0]

    def _sources(self) -> str:
        """Return the bibliography as a list in Markdown."""
        style = find_plugin("pybtex.style.formatting", "plain")()
        backend = find_plugin("pybtex.backends", "markdown")()
        entries = style.format_bibliography(self._bibliography)
        return "\n".join(f"- {entry.text.render(backend)}" for entry in entries)


def _read(file: Path) -> NotebookNode:
    """Return a page as a notebook; one of Markdown gets a cell for each section."""
    notebook = file.with_name(f"{file.name}.ipynb")
    if notebook.exists():
        return nbformat.read(notebook, as_version=4)
    text = file.with_name(f"{file.name}.md").read_text(encoding="utf-8")
    include = re.fullmatch(r"```\{include\} (\S+)\n```\n", text)
    if include:
        text = (file.parent / include[1]).read_text(encoding="utf-8")
    cells = [nbformat.v4.new_markdown_cell(part) for part in re.split(r"\n(?=## )", text)]
    return normalise(nbformat.v4.new_notebook(cells=cells))


def _named(notebook: NotebookNode, what: str) -> Iterator[str]:
    """Yield the names of a page's equations, or its labels, in order."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield from filter(None, (match[what] for match in MYST.finditer(cell.source)))


def _figures(notebook: NotebookNode) -> Iterator[str]:
    """Yield the names of a page's figures, in order."""
    yield from (_figure(cell)["name"] for cell in notebook.cells if _figure(cell))


def _figure(cell: NotebookNode) -> dict:
    """Return the name and the caption of a cell's figure; empty if it has none."""
    return cell.metadata.get("mystnb", {}).get("figure", {})


def _fold(cell: NotebookNode) -> None:
    """Have JupyterLab fold what the book folds; it shows the first line of a folded cell."""
    tags = cell.metadata.get("tags", [])
    hidden = {what for tag in tags for what in FOLDED.get(tag, ())}
    if hidden:
        cell.metadata["jupyter"] = dict.fromkeys(sorted(hidden), True)
    says = cell.metadata.get("mystnb", {}).get("code_prompt_show")
    if "solution" in tags:
        says = "The solution"
    if says:
        cell.source = f"# {says}\n{cell.source}"


def _who(entry) -> str:
    """Return the authors of a source, as a citation names them."""
    people = [" ".join(p.prelast_names + p.last_names) for p in entry.persons["author"]]
    names = [str(Text.from_latex(name)) for name in people]
    return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)
