"""The reader's desk: pages that read well without MyST, and a copy in which nothing gets lost."""

import ast
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import jupyterlab.labapp
import nbformat
import pytest
from nbformat.sign import NotebookNotary

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import desk  # noqa: E402 (tools/ is no package)
import notebooks  # noqa: E402
from readable import ROLE, Book  # noqa: E402

RAW = re.compile(r"\{[\w:-]+\}`|^:::|^```\{|^\([\w-]+\)=|^\$\$ *\(", re.MULTILINE)
LINK = re.compile(r"\[([^\[\]]*)\]\(([^)]*)\)")
BOOK = Book(ROOT)
PAGES = dict(desk.pages(BOOK))


@pytest.fixture(params=PAGES)
def page(request):
    return PAGES[request.param]


def texts(notebook):
    """Return what stands on a page as Markdown: text cells, and outputs that are rendered."""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            yield cell.source
        for output in cell.get("outputs", []):
            yield output.get("data", {}).get("text/markdown", "")


# ----------------------------------------------------------------------------- the book's pages


def test_no_reference_label_or_directive_is_left_raw(page):
    for text in texts(page):
        assert not RAW.search(re.sub("``.+?``", "", text)), text  # code may name what it is about
    for cell in page.cells:
        if cell.cell_type == "code":
            assert not re.search(ROLE, cell.source), cell.source


def test_links_lead_to_pages_of_the_desk_or_elsewhere(page):
    for text in texts(page):
        for _, address in LINK.findall(re.sub(r"```.*?```|`[^`]*`", "", text, flags=re.DOTALL)):
            stem, ending, _ = address.partition(".ipynb")
            here_or_away = address.startswith(("#", "https://"))
            assert here_or_away or (stem in PAGES and ending), address


def test_code_is_still_python(page):
    for cell in page.cells:
        if cell.cell_type == "code":
            ast.parse(re.sub(r"^(\s*)[%!].*", r"\1pass", cell.source, flags=re.MULTILINE))


def test_what_the_book_hides_is_folded(page):
    for cell in page.cells:
        tags, folds = cell.metadata.get("tags", []), cell.metadata.get("jupyter", {})
        hidden = {"hide-cell", "hide-input", "remove-input"} & set(tags)
        assert bool(folds.get("source_hidden")) == bool(hidden)
        assert bool(folds.get("outputs_hidden")) == ("hide-cell" in tags)
        if "solution" in tags:
            assert "hide-cell" in tags and cell.source.startswith("# The solution\n")


@pytest.mark.parametrize("name", PAGES)
def test_every_caption_stands_below_its_figure_with_its_number(name):
    captions = {
        cell.id: below.source
        for cell, below in zip(PAGES[name].cells, PAGES[name].cells[1:], strict=False)
        if below.id.endswith("-caption")
    }
    with_captions = {}
    for cell in BOOK.pages[name].cells:
        figure = cell.metadata.get("mystnb", {}).get("figure")
        if figure:
            with_captions[cell.id] = f"**Fig. {BOOK.targets[figure['name']][1]}.** "
    assert captions.keys() == with_captions.keys()
    for id_, beginning in with_captions.items():
        assert captions[id_].startswith(beginning)


def test_the_front_page_comes_first_and_says_what_a_desk_is():
    assert next(iter(PAGES)) == "index"
    assert "This is your desk" in PAGES["index"].cells[1].source


# ----------------------------------------------------------------------------- a small book

TOC = """\
format: jb-book
root: chapters/index
defaults: {numbered: true}
parts:
  - caption: One
    chapters: [{file: chapters/01_one}, {file: chapters/02_two}]
  - caption: Back matter
    numbered: false
    chapters: [{file: chapters/notes}, {file: chapters/bibliography}]
"""
SOURCES = """\
@article{one, author={Elman, Jeffrey L.}, title={A}, journal={B}, year={1990}}
@article{two, author={M{\\"u}ller, A. and van der Berg, B.}, title={A}, journal={B}, year={1991}}
@article{many, author={A, B. and C, D. and E, F.}, title={A}, journal={B}, year={1992}}
@article{others, author={A, B. and others}, title={A}, journal={B}, year={1993}}
"""
SVG = '<svg xmlns="http://www.w3.org/2000/svg"/>'
REFERENCES = """\
R: {eq}`eq-first` and {eq}`eq-second`, {eq}`eq-front`, {eq}`eq-notes`

R: {numref}`fig-front` and {numref}`fig-first`, {numref}`fig-second`

R: {doc}`01_one`, {doc}`02_two` and {doc}`the notes <notes>`

R: {cite}`one`, {cite}`many,two`, {cite:t}`two` and {cite}`others`

R: {eq}`eq-only` and `{eq}` and {numref}`fig-only`

```text
{eq}`eq-first`
```"""


def figure(name):
    output = nbformat.v4.new_output("display_data", data={"image/svg+xml": SVG})
    metadata = {"mystnb": {"figure": {"name": name, "caption": "See {eq}`eq-only`."}}}
    return nbformat.v4.new_code_cell("draw()", outputs=[output], metadata=metadata)


def write(root, name, title, labels, figures=(), extra=()):
    text = "\n\n".join([f"# {title}", *(f"$$\na = b\n$$ ({label})" for label in labels)])
    cells = [nbformat.v4.new_markdown_cell(text), *map(figure, figures)]
    cells += [nbformat.v4.new_markdown_cell(REFERENCES), *extra]
    notebook = notebooks.normalise(nbformat.v4.new_notebook(cells=cells))
    (root / "chapters" / f"{name}.ipynb").write_text(notebooks.as_text(notebook), "utf-8")


@pytest.fixture
def root(tmp_path):
    """The folder of a small book."""
    root = tmp_path / "book"
    (root / "chapters").mkdir(parents=True)
    (root / "_toc.yml").write_text(TOC, "utf-8")
    (root / "references.bib").write_text(SOURCES, "utf-8")
    write(root, "index", "Front", ["eq-front"], ["fig-front"])
    write(root, "01_one", "One and `two`", ["eq-first", "eq-second"], ["fig-first"])
    write(root, "02_two", "Two", ["eq-only"], ["fig-second", "fig-only"])
    notes = f"# Notes\n\n$$\na = b\n$$ (eq-notes)\n\n## More\n\n{REFERENCES}\n"
    (root / "chapters" / "notes.md").write_text(notes, "utf-8")
    sources = "# Bibliography\n\n```{bibliography}\n```\n"
    (root / "chapters" / "bibliography.md").write_text(sources, "utf-8")
    return root


# In a process of its own: an extension walks over all objects that there are, and Sphinx leaves
# roles behind.
BUILT = """
import json, sys
from pathlib import Path
from docutils import nodes
from jupyter_book.config import get_final_config
from sphinx.application import Sphinx
book, root, out = map(Path, sys.argv[1:])
sys.path.insert(0, str(book / "_ext"))
settings = {"latex_individualpages": False}
config, _ = get_final_config(user_yaml=book / "_config.yml", cli_config=settings, sourcedir=book)
kept = ("bibtex_bibfiles", "bibtex_reference_style", "myst_enable_extensions", "numfig")
config = {name: config[name] for name in kept} | {
    "extensions": ["myst_nb", "sphinx_external_toc", "sphinxcontrib.bibtex", "bibliography"],
    "nb_execution_mode": "off",
    "use_multitoc_numbering": True,
}
app = Sphinx(str(root), None, str(out), str(out / "doctrees"), "dummy", config, None, None)
app.build()
for name in ("index", "01_one", "02_two", "notes"):
    built = app.env.get_and_resolve_doctree(f"chapters/{name}", app.builder)
    lines = [line.astext().replace("\xa0", " ") for line in built.findall(nodes.paragraph)]
    number = app.env.toc_secnumbers.get(f"chapters/{name}", {}).get("")
    print(json.dumps([name, lines, number]))
"""


def test_references_read_as_in_the_built_book(root, tmp_path):
    command = [sys.executable, "-c", BUILT, ROOT, root, tmp_path / "out"]
    run = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
    assert run.returncode == 0, run.stderr
    book = Book(root)
    pages = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(pages) == 4
    for name, lines, number in pages:
        text = "\n".join(texts(book.readable(name)))
        text = LINK.sub(r"\1", LINK.sub(r"\1", text)).replace("`", "")
        ours = [line for line in text.splitlines() if line.startswith("R:")]
        assert ours == [line for line in lines if line.startswith("R:")]
        assert len(ours) == 5
        if name in book.numbers:
            number = ".".join(map(str, number))
            assert book.numbers[name] == number
            assert book.readable(name).cells[0].source.startswith(f"# {number}. ")
    sources = "\n".join(texts(book.readable("bibliography")))
    assert sources.count("\n- ") == 4 and "Müller" in sources


# ----------------------------------------------------------------------------- laying out


@pytest.fixture(autouse=True)
def data_folder(tmp_path, monkeypatch):
    """Keep signatures out of the user's own."""
    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "desk"


def lay_out(folder, root):
    return list(desk.lay_out(folder, Book(root)))


def run(path):
    """Do what running and saving a page does to its file."""
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.language_info.version = "3.99"
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = 7, []
    nbformat.write(notebook, path)
    return path.read_bytes()


def edit(path, text="my own work"):
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].source += f"\n\n{text}"
    nbformat.write(notebook, path)
    return path.read_bytes()


def change_book(root, version):
    extra = [nbformat.v4.new_markdown_cell(f"This is version {version}.")]
    write(root, "01_one", "One and `two`", ["eq-first", "eq-second"], ["fig-first"], extra)


def holds(path, version):
    return f"This is version {version}." in path.read_text("utf-8")


def test_a_desk_is_laid_out_once_and_kept(folder, root):
    done = lay_out(folder, root)
    assert done == [(desk.LAID_OUT, f"{name}.ipynb") for name in Book(root).pages]
    ran, edited = run(folder / "01_one.ipynb"), edit(folder / "02_two.ipynb")
    (folder / "mine.ipynb").write_text("{}", "utf-8")
    assert lay_out(folder, root) == []
    assert (folder / "01_one.ipynb").read_bytes() == ran
    assert (folder / "02_two.ipynb").read_bytes() == edited
    assert (folder / "mine.ipynb").exists()


def test_git_does_not_see_a_desk(folder, root):
    lay_out(folder, root)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    status = ["git", "status", "--porcelain"]
    assert subprocess.run(status, cwd=folder, capture_output=True, check=True).stdout == b""
    (folder / ".gitignore").write_text("mine", "utf-8")
    lay_out(folder, root)
    assert (folder / ".gitignore").read_text("utf-8") == "mine"


def test_the_files_of_an_editor_at_work_are_left_alone(folder, root):
    lay_out(folder, root)
    swap = folder / ".01_one.ipynb.swp"  # vim's, with what was not yet written
    swap.touch()
    os.utime(swap, (0, 0))
    lay_out(folder, root)
    assert swap.exists()


def test_a_file_that_another_call_has_just_finished_is_no_trouble(folder, root, monkeypatch):
    folder.mkdir()
    gone = folder / ".01_one.ipynb.abcdefgh"
    glob = Path.glob
    found = lambda self, pattern: [*glob(self, pattern), gone]  # noqa: E731
    monkeypatch.setattr(desk.Path, "glob", found)
    assert lay_out(folder, root)


def test_pages_are_trusted_until_somebody_else_puts_something_in(folder, root):
    lay_out(folder, root)
    notary = NotebookNotary()
    for path in folder.glob("*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        assert notary.check_signature(notebook), path
    notebook.cells.append(nbformat.v4.new_code_cell("1"))
    assert not notary.check_signature(notebook)


def test_a_page_that_nobody_edited_is_renewed_though_it_was_run(folder, root):
    lay_out(folder, root)
    run(folder / "01_one.ipynb")
    change_book(root, 2)
    assert lay_out(folder, root) == [(desk.RENEWED, "01_one.ipynb")]
    assert holds(folder / "01_one.ipynb", 2)
    assert lay_out(folder, root) == []


def test_beside_an_edited_page_the_new_one_is_laid_once(folder, root):
    lay_out(folder, root)
    mine = edit(folder / "01_one.ipynb")
    change_book(root, 2)
    offer = folder / "01_one.new.ipynb"
    assert lay_out(folder, root) == [(desk.OFFERED, offer.name)]
    assert holds(offer, 2) and lay_out(folder, root) == []
    offer.unlink()
    assert lay_out(folder, root) == [], "an offer that was declined is not made again"
    change_book(root, 3)
    assert lay_out(folder, root) == [(desk.OFFERED, offer.name)]
    change_book(root, 4)
    assert lay_out(folder, root) == [(desk.OFFERED, offer.name)]
    assert holds(offer, 4), "nobody had edited the older offer"
    mine_too = edit(offer)
    change_book(root, 5)
    assert lay_out(folder, root) == [(desk.OFFERED, "01_one.new2.ipynb")]
    assert holds(folder / "01_one.new2.ipynb", 5)
    assert (folder / "01_one.ipynb").read_bytes() == mine
    assert offer.read_bytes() == mine_too


def test_new_outputs_alone_are_no_reason_to_offer_a_page(folder, root):
    lay_out(folder, root)
    edit(folder / "01_one.ipynb")
    path = root / "chapters" / "01_one.ipynb"
    path.write_text(path.read_text("utf-8").replace("2000/svg", "2000/svg' id='a"), "utf-8")
    assert lay_out(folder, root) == []


def test_a_page_that_was_deleted_or_renamed_is_laid_out_again(folder, root):
    lay_out(folder, root)
    mine = edit(folder / "01_one.ipynb")
    (folder / "01_one.ipynb").rename(folder / "my_one.ipynb")
    assert lay_out(folder, root) == [(desk.LAID_OUT, "01_one.ipynb")]
    assert (folder / "my_one.ipynb").read_bytes() == mine


@pytest.mark.parametrize("content", ["", "{", "[]", '{"cells": 1}', "\xff"])
def test_what_cannot_be_read_is_left_alone(folder, root, content):
    lay_out(folder, root)
    (folder / "01_one.ipynb").write_text(content, "latin-1")
    change_book(root, 2)
    assert lay_out(folder, root) == [(desk.OFFERED, "01_one.new.ipynb")]
    assert (folder / "01_one.ipynb").read_text("latin-1") == content


@pytest.mark.parametrize("content", [None, "", "[1]", '{"01_one": 3}', '"abc"'])
def test_without_its_record_a_desk_keeps_what_it_has(folder, root, content):
    lay_out(folder, root)
    mine = edit(folder / "01_one.ipynb")
    record = folder / desk.RECORD
    record.unlink() if content is None else record.write_text(content, "utf-8")
    assert lay_out(folder, root) == [(desk.OFFERED, "01_one.new.ipynb")]
    assert (folder / "01_one.ipynb").read_bytes() == mine
    assert lay_out(folder, root) == []


@pytest.mark.parametrize("steps", range(5))
def test_a_call_that_ends_between_two_pages_is_taken_up_by_the_next(folder, root, steps):
    lay_out(folder, root)
    mine = edit(folder / "02_two.ipynb")
    change_book(root, 2)
    write(root, "02_two", "Two again", ["eq-only"], ["fig-second", "fig-only"])
    write(root, "index", "Front again", ["eq-front"], ["fig-front"])
    ended = desk.lay_out(folder, Book(root))
    for _ in zip(range(steps), ended, strict=False):
        pass
    ended.close()
    lay_out(folder, root)
    assert holds(folder / "01_one.ipynb", 2)
    assert (folder / "02_two.new.ipynb").exists()
    assert (folder / "02_two.ipynb").read_bytes() == mine
    assert lay_out(folder, root) == []


KILLED = """
import os, sys
sys.path.insert(0, sys.argv[1])
import desk, notebooks
left, replace = int(sys.argv[4]), os.replace
READ = (".ipynb", ".json", ".gitignore")
def die(*paths):
    global left
    left -= 1
    os._exit(9) if left < 0 else replace(*paths)
notebooks.os.replace = die
def watch(event, details):
    if event == "open" and "w" in str(details[1]) and str(details[0]).endswith(READ):
        os._exit(3)  # a file that is written where it is read can be seen half
sys.addaudithook(watch)
list(desk.lay_out(desk.Path(sys.argv[2]), desk.Book(desk.Path(sys.argv[3]))))
"""


@pytest.mark.parametrize("writes", [0, 1, 4])
def test_a_killed_call_leaves_nothing_half(folder, root, writes):
    command = [sys.executable, "-c", KILLED, ROOT / "tools", folder, root, str(writes)]
    assert subprocess.run(command).returncode == 9
    for path in folder.glob("*.ipynb"):
        nbformat.read(path, as_version=4)
    (leftover,) = [
        path for path in folder.iterdir() if re.search(r"^\..*(ipynb|json|gitignore)\.", path.name)
    ]
    lay_out(folder, root)
    assert leftover.exists(), "it may be another call's, at work now"
    long_ago = time.time() - 2 * desk.STALE
    os.utime(leftover, (long_ago, long_ago))
    assert lay_out(folder, root) == []
    assert not leftover.exists()


# ----------------------------------------------------------------------------- the command


@pytest.fixture
def lab(monkeypatch):
    """What JupyterLab was called with; it is not started."""
    calls = []
    monkeypatch.setattr(jupyterlab.labapp, "main", calls.append)
    return calls


def test_the_command_opens_jupyterlab_on_the_front_page(folder, lab, monkeypatch, capsys):
    monkeypatch.setattr(os, "geteuid", lambda: 1000, raising=False)
    assert desk.main(["--desk", str(folder), "--port", "9000", "--no-browser"]) == 0
    ((root_dir, _, front, *rest),) = lab
    assert root_dir == f"--ServerApp.root_dir={folder}"
    assert front.endswith("/tree/index.ipynb") and (folder / "index.ipynb").exists()
    assert rest == ["--port", "9000", "--no-browser"]
    said = capsys.readouterr().out
    assert str(folder) in said and "Laid out: index.ipynb, 01_equations.ipynb" in said


def test_root_is_told_to_jupyterlab(folder):
    assert "--allow-root" in desk.lab_arguments(folder, [], root=True)
    assert "--allow-root" not in desk.lab_arguments(folder, [], root=False)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, lab, capsys):
    (tmp_path / "file").write_text("", "utf-8")
    assert desk.main(["--desk", str(tmp_path / "file" / "desk")]) == 1
    said = capsys.readouterr().err
    assert str(tmp_path / "file") in said and "--desk" in said
    assert lab == []
