"""The back matter (bibliography, glossary, the package's page), and the book on paper."""

import importlib
import pkgutil
import re
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from docutils import nodes
from docutils.core import publish_doctree
from PIL import Image, ImageChops
from pybtex.database import parse_file

import rnnlib
from rnnlib.page import COLOURS

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

import bibliography  # noqa: E402 (_ext/ is no package)
import docstrings  # noqa: E402
import epub  # noqa: E402
import glossary  # noqa: E402

BIB = parse_file(ROOT / "references.bib")


def prose() -> dict[str, str]:
    """Return the Markdown of every page, by its name."""
    texts = {page.stem: page.read_text("utf-8") for page in (ROOT / "chapters").glob("*.md")}
    for page in (ROOT / "chapters").glob("*.ipynb"):
        cells = nbformat.read(page, as_version=4).cells
        texts[page.stem] = "\n\n".join(c.source for c in cells if c.cell_type == "markdown")
    return texts


# ----------------------------------------------------------------------------- bibliography


def test_every_entry_is_cited_and_every_citation_has_an_entry():
    cited = re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", "\n".join(prose().values()))
    assert {key.strip() for keys in cited for key in keys.split(",")} == set(BIB.entries)


@pytest.mark.parametrize("key", BIB.entries)
def test_an_entry_leads_to_the_work(key):
    assert set(BIB.entries[key].fields) & {"doi", "eprint", "url"}


def listed(key: str) -> str:
    """Return an entry as the bibliography shows it."""
    (entry,) = bibliography.KeptTitles().format_entries([BIB.entries[key]])
    return str(entry.text)


@pytest.mark.parametrize("key", BIB.entries)
def test_a_title_keeps_its_capitals(key):
    title = re.sub(r"[{}]", "", BIB.entries[key].fields["title"]).replace("--", "–")
    assert title in listed(key)


def test_a_thesis_says_of_which_kind_it_is():
    assert "Diploma thesis, Technische Universität München" in listed("hochreiter1991")
    assert "PhD thesis, Brno University of Technology" in listed("mikolov2012")


# ----------------------------------------------------------------------------- glossary

SOURCE = (ROOT / "chapters" / "glossary.md").read_text("utf-8")
ENTRIES = dict(
    re.findall(r"^(\w[^\n]*)\n((?:  [^\n]+\n)+)", SOURCE.split("```{glossary}")[1], re.M)
)


def test_terms_stand_in_alphabetical_order():
    assert len(ENTRIES) > 40
    assert list(ENTRIES) == sorted(ENTRIES, key=str.lower)


@pytest.mark.parametrize("term", ENTRIES)
def test_a_definition_can_be_shown_as_plain_text(term):
    assert ENTRIES[term].rstrip().endswith(".")
    assert not re.search(r"[$`*{\[]", ENTRIES[term])


@pytest.mark.parametrize("term", ENTRIES)
def test_a_term_is_used_in_a_chapter(term):
    chapters = [text for name, text in prose().items() if re.match(r"\d\d_", name)]
    marked = f"*{term}*" if term in glossary.EVERYDAY else ""
    assert any(
        marked in text.lower() if marked else glossary.pattern([term]).search(text)
        for text in chapters
    )


def test_everyday_words_are_terms():
    assert set(ENTRIES) >= glossary.EVERYDAY


def test_the_longest_term_is_matched_as_a_whole_word_in_either_number():
    words = glossary.pattern(["attention", "gain", "gain control"])
    found = [m[0] for m in words.finditer("Gain control gains; pay attention again, gain-1.")]
    assert found == ["Gain control", "gains", "attention"]


def test_words_are_linked_in_prose_alone():
    document = publish_doctree(
        "Title lag\n=========\n\nThe lag, ``lag``, *lag* and `lag <https://example.org>`_.\n\n"
        "::\n\n  lag\n\n.. math:: lag\n"
    )
    found = [text.astext() for _, text in glossary.prose(document)]
    assert "".join(found) == "The lag, , lag and ."


def test_a_definition_is_found_under_its_term():
    term = nodes.term("", "lag", ids=["term-lag"])
    definition = nodes.definition("", nodes.paragraph("", "How many\nsteps."))
    item = nodes.definition_list_item("", term, definition)
    page = nodes.section("", nodes.definition_list("", item))
    assert glossary.definitions(page) == {"lag": ("term-lag", "How many steps.")}


# ----------------------------------------------------------------------------- the package's page

API = (ROOT / "chapters" / "api.md").read_text("utf-8")


def rooms() -> dict[str, list[str]]:
    """Return the rooms that the page shows, and which of their names; all where none is named."""
    blocks = re.findall(r"automodule:: (\S+)\n((?:   :.*\n(?: {4,}.*\n)*)*)", API)
    return {
        room: re.findall(r"\w+", "".join(re.findall(r":members:([^:]*)", options)))
        for room, options in blocks
    }


def test_every_wing_is_on_the_page():
    wings = {
        module.name
        for module in pkgutil.walk_packages(rnnlib.__path__, "rnnlib.")
        if module.ispkg and hasattr(importlib.import_module(module.name), "__all__")
    }
    private = {"rnnlib.data.dates"}  # its one name is shown with the data
    assert wings - private <= set(rooms())


def test_what_can_be_imported_from_rnnlib_is_on_the_page():
    shown = set()
    for room, names in rooms().items():
        module = importlib.import_module(room)
        shown |= {id(getattr(module, n)) for n in names or getattr(module, "__all__", dir(module))}
    objects = {name: getattr(rnnlib, name) for name in rnnlib.__all__}
    missing = {n for n, o in objects.items() if id(o) not in shown and not hasattr(o, "__path__")}
    assert missing <= {"results"} and "rnnlib.results" in rooms()


def test_sources_of_a_docstring_become_a_list():
    lines = ["As Elman [1]_ has it.", "", ".. [1] J. Elman, 1990,", "   again."]
    docstrings.number_sources(None, "class", "A", None, None, lines)
    assert lines == ["As Elman [1] has it.", "", "1. J. Elman, 1990,", "   again."]


def test_a_property_keeps_the_first_part_of_its_sentence():
    lines = ["the sum of both.", "", ":type: The bias"]
    docstrings.join_sentence(None, "property", "A.b", None, None, lines)
    assert lines == ["The bias: the sum of both.", ""]


# ----------------------------------------------------------------------------- e-readers


def test_what_a_cell_shows_becomes_xml_with_its_drawing_in_a_file(tmp_path):
    html = (
        '<div data-live><style>p{}</style><img src="data:image/svg+xml,%3Csvg/%3E" width="7.6" '
        'alt="a &lt; b"><br><script>if (a && b < c) {}</script></div>'
    )
    written = epub.as_xml(html, tmp_path, "../_images")
    page = epub.ElementTree.fromstring(written)
    (drawing,) = tmp_path.iterdir()
    assert drawing.read_text() == "<svg/>"
    assert page.find("img").attrib == {
        "src": f"../_images/{drawing.name}",
        "width": "8",
        "alt": "a < b",
    }
    assert "script" not in written and "style" not in written


@pytest.mark.parametrize("named", ["", ' aria-label="Toggle"'])
def test_folds_and_style_sheets_are_made_plain(named):
    page = (
        '<link rel="stylesheet" type="text/css" href="../_static/epub.css" />\n'
        '<link rel="stylesheet" type="text/css" href="../_static/theme.css" />\n'
        "<script>{ a < b }</script> \n"
        f'<details><summary{named}>\n<p class="collapsed a">Show</p>\n'
        '<p class="expanded a">Hide</p>\n</summary>x</details>'
    )
    assert epub.tidy_page(page) == (
        '<link rel="stylesheet" type="text/css" href="../_static/epub.css" />\n'
        "<details><summary>Show</summary>x</details>"
    )


def test_a_picture_holds_nothing_an_epub_may_not():
    svg = (
        '<!DOCTYPE svg PUBLIC "a"\n "b">\n<svg><metadata>\n<a/></metadata><path id="s"/>'
        '<path d="M0 0"/><image href="x" id="i"/></svg>'
    )
    assert epub.tidy_picture(svg) == (
        '\n<svg><path d="" id="s"/><path d="M0 0"/><image href="x"/></svg>'
    )


def test_the_cover_holds_its_words_and_the_colours_of_the_book(tmp_path):
    def drawn(title):
        epub.draw_cover(tmp_path / "cover.png", title, "words,\nand more", "somebody")
        return Image.open(tmp_path / "cover.png").convert("RGB"), file.read_bytes()

    file = tmp_path / "cover.png"
    (cover, data), (other, _) = drawn("Unrolled"), drawn("Other")
    assert drawn("Unrolled")[1] == data
    assert cover.size == (1600, 2400)
    shown = {colour for _, colour in cover.getcolors(cover.width * cover.height)}
    for name in ("state", "gradient", "input", "output"):
        assert tuple(bytes.fromhex(COLOURS[name][1:])) in shown, name
    assert ImageChops.difference(cover, other).getbbox()[3] < 800
    # The letters end before the edge.
    assert len(cover.crop((1500, 0, 1600, 1000)).getcolors()) == 1


# ----------------------------------------------------------------------------- paper

PAGE = """
<link rel="stylesheet" href="_static/katex.min.css"/><link rel="stylesheet" href="theme.css"/>
<article class="bd-article"><section><h1>Front</h1><div class="toctree-wrapper">
<span id="document-one"></span><section><h2 id="id1">One<a class="headerlink">#</a></h2>
<div class="cell tag_hide-input"><details class="hide"><summary>Show</summary>
<div class="cell_input">draws</div></details><div class="cell_output">drawn</div></div>
<div class="cell tag_solution"><details class="hide"><summary>Show</summary>
<div class="cell_input">answer</div></details></div>
<div class="cell tag_first-cell">fetches</div><script>moves</script><audio>sounds</audio>
<h3>Part</h3><a href="one.html#id1">cited</a></section>
<span id="document-chapters/api"></span><section><h2>Package</h2></section>
<span id="document-two"></span><section><h2>Two</h2><p id="id1">source</p></section>
</div></section></article>
"""
TOC = {"parts": [{"caption": "All", "chapters": [{"file": "one"}, {"file": "chapters/api"}]}]}


@pytest.fixture
def pdf():
    sys.path.insert(0, str(ROOT / "tools"))
    return importlib.import_module("pdf")


def test_on_paper_pictures_and_solutions_stay_and_folded_code_goes(pdf):
    article = pdf.for_paper(BeautifulSoup(PAGE, "html.parser").article)
    text = " ".join(article.get_text().split())
    assert text == "Front One drawn answer Partcited Twosource"
    assert [h.name for h in article.find_all(re.compile(r"h\d"))] == ["h1", "h1", "h2", "h1"]
    assert article.find(id="document-two").parent.h1.string == "Two"
    assert article.find(id="id1").name == "p"
    assert article.a["href"] == "#id1"


def test_the_contents_name_chapters_and_their_pages(pdf):
    page = pdf.book(PAGE, TOC, {"title": "Book", "author": "Us"})({"document-one": 5})
    contents = BeautifulSoup(page, "html.parser").nav
    assert " ".join(contents.stripped_strings) == "Contents All One 5"
    assert "katex" in page and "theme.css" not in page


def test_without_a_browser_the_message_says_what_to_install(pdf, monkeypatch):
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CHROMIUM", raising=False)
    with pytest.raises(SystemExit, match="needs Chromium"):
        pdf.chromium("make pdf")
    monkeypatch.setenv("CHROMIUM", "/nowhere")
    with pytest.raises(SystemExit, match="/nowhere"):
        pdf.chromium("make pdf")
