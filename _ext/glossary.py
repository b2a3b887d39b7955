"""Words of the glossary are linked where a page first uses them, and show their definition.

Nobody marks them in the chapters: a page's first use of a term, singular or plural, becomes a link
when the book is built. Headings, code, links and what cells print are left alone. The definition is
shown by _static/custom.css, under the pointer and for the keyboard's focus.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.nodes import make_refnode
from sphinx.writers.html5 import HTML5Translator

PAGE = "chapters/glossary"
# Words with a meaning outside the course: linked only where a page sets them off, as *gain*.
EVERYDAY = {"candidate", "gain", "temperature"}
# What no word is linked in.
LEFT_ALONE = (
    nodes.Titular,
    nodes.Referential,
    nodes.FixedTextElement,
    nodes.literal,
    nodes.math,
    nodes.caption,
    nodes.label,
    nodes.table,
    addnodes.desc,
    addnodes.glossary,
    addnodes.pending_xref,
)


class term_link(nodes.reference):
    """A link to a term, with its ``definition``."""


def definitions(glossary: nodes.document) -> dict[str, tuple[str, str]]:
    """Return for each term the id of its entry and its definition, as plain text."""
    found = {}
    for item in glossary.findall(nodes.definition_list_item):
        definition = " ".join(item[-1].astext().split())
        for term in item.findall(nodes.term):
            found[term.astext()] = term["ids"][0], definition
    return found


def pattern(terms: list[str]) -> re.Pattern:
    """Return what matches any of the terms, the longest first, in the singular or plural."""
    longest = sorted(map(re.escape, terms), key=len, reverse=True)
    return re.compile(rf"(?<![\w-])({'|'.join(longest)})s?(?![\w-])", re.IGNORECASE)


def prose(document: nodes.document) -> Iterator[tuple[str, nodes.Text]]:
    """Yield the texts in which words are linked, each with the page that it is on."""
    for text in list(document.findall(nodes.Text)):
        page, node, is_prose = "", text.parent, True
        while node and is_prose and not page:
            is_prose = not isinstance(node, LEFT_ALONE) and "cell_output" not in node.get(
                "classes", ()
            )
            if isinstance(node, addnodes.start_of_file):  # all pages in one document
                page = node["docname"]
            node = node.parent
        if is_prose:
            yield page, text


class LinkTerms(SphinxPostTransform):
    """Link each page's first use of each term."""

    default_priority = 5
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Change the document in place."""
        if PAGE not in self.env.all_docs:
            return
        known = definitions(self.env.get_doctree(PAGE))
        names = {name.lower(): name for name in known}
        words = pattern(list(known))
        seen: set[tuple[str, str]] = set()
        for page, text in prose(self.document):
            parts: list[nodes.Node] = []
            end = 0
            for match in words.finditer(text):
                name = names[match[1].lower()]
                set_off = isinstance(text.parent, nodes.emphasis)
                if (page, name) in seen or (name in EVERYDAY and not set_off):
                    continue
                seen.add((page, name))
                parts += [nodes.Text(text[end : match.start()]), self.link(match[0], *known[name])]
                end = match.end()
            if parts:
                text.parent.replace(text, [*parts, nodes.Text(text[end:])])

    def link(self, word: str, target: str, definition: str) -> term_link:
        """Return the link from a word to its entry."""
        made = make_refnode(
            self.app.builder, self.env.docname, PAGE, target, nodes.inline("", word)
        )
        return term_link("", "", *made.children, **made.attributes, definition=definition)


def visit_term_link(self: HTML5Translator, node: term_link) -> None:
    """Open the link."""
    target = node.get("refuri") or f"#{node['refid']}"
    shown = {"class": "term", "href": target, "data-definition": node["definition"]}
    self.body.append(self.starttag(node, "a", "", **shown))


def depart_term_link(self: HTML5Translator, node: term_link) -> None:
    """Close it."""
    self.body.append("</a>")


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_node(term_link, html=(visit_term_link, depart_term_link))
    app.add_post_transform(LinkTerms)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
