"""Mathematics is set when the book is built, by KaTeX, and needs no script in the page.

So an equation stands where it will stand before the first picture is drawn, is read from a disk,
and carries MathML for screen readers. TeX that KaTeX doesn't know is a warning: an error in a
strict build. `katex/` holds KaTeX 0.19.1 as npm has it, with those of its fonts that the book may
need; its licence (MIT) goes with them.
"""

from __future__ import annotations

import base64
import json
import re
import shutil
from functools import cache
from pathlib import Path

import quickjs
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

KATEX = Path(__file__).parent / "katex"
STYLE = "katex.min.css"
INSIDE = re.compile(r"url\((fonts/KaTeX_(?:Main-Regular|Math-Italic)\.woff2)\)")

CLOSING = re.compile("[.,;:!?)’”]+")
ENDS = "</span>" * 3  # of the last box, of all boxes, and of the whole
STRAY = "<mo>\u2061</mo></msub>"

logger = logging.getLogger(__name__)


@cache
def katex() -> quickjs.Context:
    """Return a context in which KaTeX can be called."""
    context = quickjs.Context()
    context.eval((KATEX / "katex.min.js").read_text("utf-8"))
    return context


def typeset(tex: str, *, display: bool, output: str = "htmlAndMathml") -> str:
    """Return TeX as markup.

    Parameters
    ----------
    tex : str
        Without the signs around it.
    display : bool
        Whether it stands on a line of its own.
    output : {"htmlAndMathml", "mathml"}

    Raises
    ------
    quickjs.JSException
        If KaTeX doesn't know it.
    """
    options = {"displayMode": display, "output": output, "strict": "error"}
    call = f"katex.renderToString({json.dumps(tex)}, {json.dumps(options)})"
    # In E_\\min KaTeX gives the subscript a third part, which MathML has no place for.
    return json.loads(katex().eval(f"JSON.stringify({call})")).replace(STRAY, "</msub>")


def markup(self: HTML5Translator, node: nodes.Element, *, display: bool) -> str:
    """Return a node's mathematics; what can't be set is shown as it is, with a warning."""
    output = "mathml" if self.builder.name == "epub" else "htmlAndMathml"
    tex = node.astext()
    if display and r"\\" in tex and r"\begin{" not in tex:  # as a docstring may have it
        tex = rf"\begin{{split}}{tex}\end{{split}}"
    try:
        return typeset(tex, display=display, output=output)
    except quickjs.JSException as error:
        logger.warning("mathematics: %s", str(error).splitlines()[0], location=node)
        return self.encode(node.astext())


class KeepTogether(SphinxPostTransform):
    """Let mathematics within a line take the sign that closes it along: no line begins with it."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Change the document in place."""
        if self.app.builder.name == "epub":  # there a browser breaks lines as in any text
            return
        for node in self.document.findall(nodes.math):
            after = node.next_node(descend=False, siblings=True)
            if isinstance(after, nodes.Text) and (closing := CLOSING.match(after)):
                node["closing"] = closing[0]
                after.parent.replace(after, nodes.Text(after[closing.end() :]))


def closed(html: str, closing: str) -> str:
    """Return KaTeX's markup with a sign at its end, in the letters of the text.

    Before and after a box of KaTeX's a line may end, whatever stands there; within it, not.
    """
    said = html.removesuffix(ENDS).replace(
        "</mrow><annotation", f"<mtext>{closing}</mtext></mrow><annotation", 1
    )
    return f'{said}<span class="closing">{closing}</span>{ENDS}'


def visit_math(self: HTML5Translator, node: nodes.math) -> None:
    """Write mathematics within a line."""
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    html = markup(self, node, display=False)
    if closing := node.get("closing"):
        html = closed(html, closing) if html.endswith(ENDS) else html + closing
    self.body.append(html + "</span>")
    raise nodes.SkipNode


def visit_displaymath(self: HTML5Translator, node: nodes.math_block) -> None:
    """Write mathematics on a line of its own, with its number."""
    self.body.append(self.starttag(node, "div", CLASS="math notranslate nohighlight"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(markup(self, node, display=True) + "</div>\n")
    raise nodes.SkipNode


def add_files(app: Sphinx) -> None:
    """Let KaTeX's style and fonts be copied into the book.

    The two fonts of almost every equation go into the style itself: no line is set twice, and no
    browser refuses them on a page from a disk.
    """
    folder = Path(app.doctreedir, "katex")
    shutil.copytree(KATEX / "page", folder, dirs_exist_ok=True)
    style = (KATEX / "page" / STYLE).read_text("utf-8")
    style = re.sub(r',url\([^)]*\) format\("(?:woff|truetype)"\)', "", style)
    (folder / STYLE).write_text(INSIDE.sub(with_font, style), encoding="utf-8")
    app.config.html_static_path.append(str(folder))


def with_font(match: re.Match) -> str:
    """Return the address of a font as one that holds it."""
    font = base64.b64encode((KATEX / "page" / match[1]).read_bytes()).decode("ascii")
    return f"url(data:font/woff2;base64,{font})"


def is_mathematics(node: nodes.Node) -> bool:
    """Return whether a node is mathematics, within a line or on its own."""
    return isinstance(node, nodes.math | nodes.math_block)


def add_style(app: Sphinx, page: str, template: str, context: dict, doctree) -> None:
    """Give KaTeX's style to the pages that have mathematics."""
    if doctree and any(True for _ in doctree.findall(is_mathematics)):
        app.add_css_file(STYLE, priority=100)  # before the book's own


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_html_math_renderer("katex", (visit_math, None), (visit_displaymath, None))
    app.add_post_transform(KeepTogether)
    app.connect("builder-inited", add_files)
    app.connect("html-page-context", add_style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
