"""The book as an EPUB, which is a folder of XHTML: what cells print is made to fit in.

Scripts are left out, so a live figure is the picture that it begins with. Mathematics is MathML,
and folded code stays folded where the reader's program can do that. A page that is no XML is a
warning.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

from bs4 import BeautifulSoup
from cover import draw_cover
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.epub3 import Epub3Builder
from sphinx.config import Config
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

import rnnlib

STYLE = Path(__file__).parent / "paper" / "book.css"
COVER = "_static/cover.png"
KEPT = {"epub.css", "file.png", "pygments.css"}
PREFIX = "data:image/svg+xml,"

# What a fold says, scripts, and a page's links to style sheets, as templates write them.
FOLD = re.compile(r'<summary[^>]*>\s*<p class="collapsed[^"]*">(.*?)</p>.*?</summary>', re.DOTALL)
SCRIPT = re.compile(r"<script>.*?</script>\s*", re.DOTALL)
SHEET = re.compile(r'<link rel="stylesheet"[^>]*href="[^"]*?([^"/]+)" ?/>\s*')

logger = logging.getLogger(__name__)


def as_xml(html: str, images: Path, at: str) -> str:
    """Return HTML as XML: without scripts, and with its drawings in files.

    Parameters
    ----------
    html : str
        What a cell shows.
    images : Path
        Where its drawings go.
    at : str
        The address of that folder, from the page.
    """
    soup = BeautifulSoup(html, "html.parser")
    for useless in soup.select("script, style"):
        useless.decompose()
    for image in soup.select(f'img[src^="{PREFIX}"]'):
        drawing = unquote(image["src"].removeprefix(PREFIX))
        name = f"drawing-{hashlib.sha256(drawing.encode()).hexdigest()[:16]}.svg"
        (images / name).write_text(drawing, "utf-8")
        image["src"] = f"{at}/{name}"
        for side in image.attrs.keys() & {"width", "height"}:
            image[side] = round(float(image[side]))
    return soup.decode()


class XMLOutputs(SphinxPostTransform):
    """Turn the HTML that cells show into XML."""

    default_priority = 900
    builders = ("epub",)

    def run(self, **kwargs: object) -> None:
        """Change the document in place."""
        images = Path(self.app.outdir, "_images")
        images.mkdir(exist_ok=True)
        at = "../" * self.env.docname.count("/") + "_images"
        for raw in self.document.findall(nodes.raw):
            if "html" in raw["format"].split():
                raw.children = [nodes.Text(as_xml(raw.astext(), images, at))]


def tidy_page(text: str) -> str:
    """Return a page with plain folds, without scripts, with the style sheets that are kept."""
    text = SCRIPT.sub("", FOLD.sub(r"<summary>\1</summary>", text))
    return SHEET.sub(lambda link: link[0] if link[1] in KEPT else "", text)


def tidy_picture(text: str) -> str:
    """Return an SVG of Matplotlib's without what an EPUB may not hold."""
    text = re.sub(r"<!DOCTYPE.*?>|<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<path (?![^>]*\bd=)", '<path d="" ', text)  # a space
    return re.sub(r'(<image [^>]*?) id="[^"]*"', r"\1", text)  # one picture, drawn twice


class Epub(Epub3Builder):
    """Sphinx's builder, with fewer files and stricter ones."""

    def build_content(self) -> None:
        """Tidy the files, list them, and say which hold mathematics."""
        out = Path(self.outdir)
        for written_last in ("index.html", self.coverpage_name):  # by an earlier run
            (out / written_last).unlink(missing_ok=True)
        for file in out.glob("_static/**/*"):
            if file.is_file() and file.name not in KEPT:
                file.unlink()
        with (out / "_static" / "epub.css").open("a", encoding="utf-8") as style:
            style.write(STYLE.read_text("utf-8"))
        self.rewrite("**/*.xhtml", tidy_page)
        self.rewrite("_images/*.svg", tidy_picture)
        title, words = self.config.epub_title, self.config.epub_description
        draw_cover(out / COVER, title, words.rstrip(".").replace(", ", ",\n"), self.config.author)
        super().build_content()
        self.rewrite(self.coverpage_name, tidy_page)
        self.replace("content.opf", f'href="{COVER}"', f'properties="cover-image" href="{COVER}"')
        for page in out.glob("**/*.xhtml"):
            if "<math" in page.read_text("utf-8"):
                name = page.relative_to(out).as_posix()
                item = f'href="{name}" media-type'
                self.replace("content.opf", item, f'properties="mathml" {item}')

    def build_toc(self) -> None:
        """Write the contents as older programs read them, with the book's own identifier."""
        super().build_toc()
        self.replace("toc.ncx", f'"{self.config.epub_uid}"', f'"{self.config.epub_identifier}"')

    def rewrite(self, files: str, tidy: Callable[[str], str]) -> None:
        """Tidy files, and warn of one that is no XML then."""
        for file in sorted(Path(self.outdir).glob(files)):
            text = tidy(file.read_text("utf-8"))
            file.write_text(text, "utf-8")
            try:
                ElementTree.fromstring(text.encode())
            except ElementTree.ParseError as error:
                logger.warning("%s is no XML: %s", file.relative_to(self.outdir), error)

    def replace(self, name: str, old: str, new: str) -> None:
        """Replace text in a file."""
        file = Path(self.outdir, name)
        file.write_text(file.read_text("utf-8").replace(old, new), "utf-8")


def name_version(app: Sphinx, config: Config) -> None:
    """Give the book the package's version, and its cover."""
    config.version = config.release = rnnlib.__version__
    config.epub_cover = COVER, "epub-cover.html"


def setup(app: Sphinx) -> dict:
    """Register with Sphinx."""
    app.add_builder(Epub, override=True)
    app.add_post_transform(XMLOutputs)
    app.connect("config-inited", name_version)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
