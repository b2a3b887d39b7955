"""What every drawing of a page is: an image with its description, and words below it.

The image is an ``<img>`` whose source is the SVG itself, since a notebook that is not trusted
keeps images and loses ``<svg>``, ``<style>`` and ``<script>``. An image cannot see the colours of
the page around it. So it is dark on white, as plots are; on dark pages _static/custom.css turns
both over. `rnnlib.page.live` replaces the image by its SVG where scripts run.
"""

import math
import textwrap
from dataclasses import dataclass, field
from html import escape
from urllib.parse import quote

from rnnlib.page.colours import INK, STATE

SERIF = "STIX Two Text,Latin Modern Roman,Cambria,Times New Roman,Times,serif"
SANS = "-apple-system,Segoe UI,Roboto,Helvetica Neue,Arial,sans-serif"
MONO = "ui-monospace,SFMono-Regular,Menlo,Consolas,Liberation Mono,monospace"

_STYLE = (
    ".rnn-drawing{margin:.75rem 0;line-height:1.45}"
    f".rnn-drawing .math-text{{font-family:{SERIF};font-size:1.1em;white-space:nowrap}}"
    ".rnn-drawing sub,.rnn-drawing sup{font-size:.72em;line-height:0}"
    ".rnn-drawing p{margin:.6rem auto 0;text-align:center;text-wrap:balance;max-width:38rem}"
)
_PLAIN = " !$'()*+,-./:;=@_~"  # what may stand in a data address and in an attribute as it is


@dataclass(frozen=True, repr=False)
class Drawing:
    """A figure that a notebook and the book show by itself: end a cell on it.

    Where only text is shown, it is its description.

    Parameters
    ----------
    title : str
        What the figure is, in a few words.
    description : str
        The figure in words, for readers who do not see it.
    html : str
        The markup: well-formed, without ids and outside resources.
    """

    title: str
    description: str
    html: str = field()

    def _repr_html_(self) -> str:
        return self.html

    def __repr__(self) -> str:
        return f"{self.title}\n{textwrap.fill(self.description, 76)}"


def page(body: str, *, style: str = "", tag: str = "") -> str:
    """Return a drawing's markup in the element that all drawings share."""
    return f'<div class="rnn-drawing"{tag}><style>{_STYLE}{style}</style>{body}</div>'


def image(parts: str, width: float, height: float, alt: str, *, zoom: float = 1.2) -> str:
    """Return SVG elements as an image of this view, shown `zoom` times as large."""
    wide, high = number(width * zoom), number(height * zoom)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {number(width)} {number(height)}"'
        f' width="{wide}" height="{high}" style="color:{INK};background:#fff"'
        ' fill="currentColor" stroke-width="1.6" stroke-linejoin="round"'
        f' font-family="{SERIF}" font-style="italic" text-anchor="middle">{parts}</svg>'
    )
    source = quote(svg.replace('"', "'"), safe=_PLAIN)
    return (
        f'<img alt="{escape(alt)}" width="{wide}" height="{high}"'
        ' style="display:block;max-width:100%;height:auto;margin:0 auto"'
        f' src="data:image/svg+xml,{source}"/>'
    )


def number(value: float) -> str:
    """Return a coordinate to a tenth, ties upwards, as the scripts of live figures do."""
    tenths = math.floor(value * 10 + 0.5)
    return str(tenths // 10 if tenths % 10 == 0 else tenths / 10)


def letters(colour: str = STATE) -> str:
    """Return the colour of letters: darker than that of lines, for contrast."""
    parts = (
        round(0.7 * int(colour[i : i + 2], 16) + 0.3 * int(INK[i : i + 2], 16)) for i in (1, 3, 5)
    )
    return "#" + "".join(f"{part:02x}" for part in parts)
