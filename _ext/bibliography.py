"""How the bibliography and the references to it look.

Titles keep the capitals that references.bib gives them, a thesis says of which kind it is, and a
reference in the text reads (Elman, 1990), or Elman (1990) with the role ``cite:t``.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from docutils import nodes
from pybtex.database import Entry
from pybtex.plugin import register_plugin
from pybtex.style.formatting.plain import Style as PlainStyle
from pybtex.style.template import Node, sentence
from pybtex.style.template import field as entry_field
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinxcontrib.bibtex.plugin import register_plugin as register_references
from sphinxcontrib.bibtex.style.referencing import BracketStyle
from sphinxcontrib.bibtex.style.referencing.author_year import AuthorYearReferenceStyle


class KeptTitles(PlainStyle):
    """The plain style, but with titles as they are given."""

    def format_title(self, e: Entry, which_field: str, as_sentence: bool = True) -> Node:
        """Return the template of a title."""
        title = entry_field(which_field)
        return sentence[title] if as_sentence else title

    def get_mastersthesis_template(self, e: Entry) -> Node:
        """Return the template of a thesis, which names its kind in the field ``type``."""
        return self.get_phdthesis_template(e)


def round_brackets() -> BracketStyle:
    """Return brackets such as stand around a year."""
    return BracketStyle(left="(", right=")")


@dataclass
class RoundAuthorYear(AuthorYearReferenceStyle):
    """Author and year in round brackets."""

    bracket_textual: BracketStyle = field(default_factory=round_brackets)
    bracket_parenthetical: BracketStyle = field(default_factory=round_brackets)
    bracket_year: BracketStyle = field(default_factory=round_brackets)


class PlainList(SphinxPostTransform):
    """Make an ordinary list of the entries, without the numbers that no reference names."""

    default_priority = 6  # the entries are made at 5

    def run(self, **kwargs: object) -> None:
        """Change the document in place."""
        lists = {citation.parent for citation in self.document.findall(nodes.citation)}
        for made in lists:
            plain = nodes.bullet_list(classes=["bibliography"])
            for citation in made.children:
                text = [part for part in citation if not isinstance(part, nodes.label)]
                plain += nodes.list_item("", *text, ids=citation["ids"])
            made.replace_self(plain)


def setup(app: Sphinx) -> dict:
    """Register with pybtex and sphinxcontrib-bibtex."""
    register_plugin("pybtex.style.formatting", "kept_titles", KeptTitles)
    references = "sphinxcontrib.bibtex.style.referencing"
    register_references(references, "round_author_year", RoundAuthorYear)
    app.add_post_transform(PlainList)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
