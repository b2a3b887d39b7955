"""What the book's extensions write: mathematics, sizes of pictures and names of folds."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from xml.etree import ElementTree

import pytest
import quickjs
from docutils import nodes
from docutils.core import publish_parts
from docutils.utils import new_document
from myst_nb.sphinx_ import visit_HideCellInput
from myst_parser.docutils_ import Parser

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "_ext"))

import mathematics  # noqa: E402 (_ext is no package)
import pictures  # noqa: E402
import unrolled  # noqa: E402


def test_mathematics_is_markup_for_eyes_and_for_screen_readers():
    html = mathematics.typeset(r"h_t = \tanh(a_t)", display=True)
    assert html.startswith('<span class="katex-display">')
    assert "<math" in html and 'aria-hidden="true"' in html
    assert "katex-html" not in mathematics.typeset("h_t", display=False, output="mathml")


def test_a_comma_stays_with_the_mathematics_before_it():
    node, after = nodes.math("", "h_t"), nodes.Text("), and")
    page = new_document("page")
    page += nodes.paragraph("", "", nodes.Text("(so "), node, after)
    env = SimpleNamespace(app=SimpleNamespace(builder=SimpleNamespace(name="html")))
    page.settings.env = env
    mathematics.KeepTogether(page).run()
    assert node["closing"] == ")," and page.astext() == "(so h_t and"
    html = mathematics.closed(mathematics.typeset("h_t = 0", display=False), "),")
    page = ElementTree.fromstring(html)
    last = page.findall(".//span[@class='katex-base']")[-1]
    assert last[-1].text == ")," and last[-1].get("class") == "closing"
    (said,) = [e for e in page.iter() if e.tag.endswith("mtext")]
    assert said.text == "),"


@pytest.mark.parametrize(
    "tex", [r"\nosuchmacro", "a_t}", r"\frac{a}", "é", r"\begin{none}\end{none}"]
)
def test_what_is_no_mathematics_is_an_error(tex):
    with pytest.raises(quickjs.JSException):
        mathematics.typeset(tex, display=False)


def test_the_fonts_that_are_asked_for_are_there():
    style = (mathematics.KATEX / "page" / mathematics.STYLE).read_text("utf-8")
    named = set(re.findall(r"fonts/(KaTeX_[\w-]+\.woff2)", style))
    held = {path.name for path in (mathematics.KATEX / "page" / "fonts").iterdir()}
    assert held < named  # those of scripts that no formula here has are left out
    assert len(mathematics.INSIDE.findall(style)) == 2
    inside = mathematics.INSIDE.sub(mathematics.with_font, style)
    assert inside.count("url(data:font/woff2;base64,") == 2
    assert not mathematics.INSIDE.search(inside)


def test_the_version_is_the_one_that_is_told():
    program = (mathematics.KATEX / "katex.min.js").read_text("utf-8")
    version = re.search(r"KaTeX (\d+\.\d+\.\d+)", mathematics.__doc__)[1]
    assert f'version:"{version}"' in program


def test_pictures_get_their_size_once(tmp_path):
    svg = '<svg xmlns="http://www.w3.org/2000/svg" width="72pt" height="36pt"/>'
    (tmp_path / "plot.svg").write_text(svg, encoding="utf-8")
    images = {"plot.svg": (set(), "a1b2.svg")}
    app = SimpleNamespace(srcdir=tmp_path, env=SimpleNamespace(images=images))

    def written(body):
        context = {"body": body}
        pictures.add_sizes(app, "page", "page.html", context, None)
        return context["body"]

    sized = written('<p><img alt="a > b" src="../_images/a1b2.svg"/></p>')
    assert sized == '<p><img width="96" height="48" alt="a > b" src="../_images/a1b2.svg"/></p>'
    for left in (sized, '<img alt="" width="9" src="../_images/a1b2.svg"/>', '<img src="data:,"/>'):
        assert written(left) == left


def test_a_fold_has_the_name_that_is_seen():
    fold, written = nodes.Element(prompt_show="Show the <end>", prompt_hide="Hide it"), []
    fold["classes"] = []
    visit_HideCellInput(SimpleNamespace(body=written), fold)
    context = {"body": "".join(written)}
    assert "aria-label" in context["body"]  # else this edit is no longer needed
    unrolled.unname_folds(None, "page", "page.html", context, None)
    assert "<summary>\n" in context["body"] and "aria-label" not in context["body"]
    assert "Show the &lt;end&gt;" in context["body"]
    unrolled.unname_folds(None, "search", "search.html", {}, None)


def test_a_corner_without_words_is_no_header():
    table = "| | a |\n| --- | --- |\n| 1 | 2 |"
    written = publish_parts(table, parser=Parser(), writer_name="html5")["body"]
    assert written.count("<th ") == 2
    context = {"body": written}
    unrolled.plain_corners(None, "page", "page.html", context, None)
    assert context["body"].count("<th ") == 1 and "<p>a</p></th>" in context["body"]
    unrolled.plain_corners(None, "search", "search.html", {}, None)
