"""Print the book: one page of HTML with all chapters, turned into a PDF by Chromium.

Run by `make pdf`. A Chromium, Chrome or Edge must be installed; the environment variable CHROMIUM
names one that is not found by itself.

On paper nothing unfolds. So the solutions of exercises are shown, and other code that is folded
away, since it draws or formats, is left out; what it drew is there. A live figure is the picture
that it begins with. The package's own page is left out, too: it is for looking up, and has links.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import yaml
from bs4 import BeautifulSoup, Tag
from chromium import OPTIONS, chromium

ROOT = Path(__file__).resolve().parent.parent
BUILT = ROOT / "_build" / "singlehtml"
STYLE = ROOT / "_ext" / "paper" / "paper.css"
LEFT_OUT = ("chapters/api",)


def for_paper(article: Tag) -> Tag:
    """Take away what paper has no use for, open what is folded, and give each link one target."""
    for page in LEFT_OUT:
        article.find(id=f"document-{page}").find_next_sibling("section").decompose()
    left_out = "script, audio, .headerlink, .tag_first-cell, details.hide > summary"
    for useless in article.select(left_out):
        useless.decompose()
    for fold in article.select("details.hide"):
        if not fold.find_parent(class_="tag_solution"):
            fold.select_one(".cell_input").decompose()
        fold.unwrap()
    for fold in article.select("details"):
        fold["open"] = ""
    for heading in article.select(".toctree-wrapper :is(h2, h3, h4, h5)"):
        heading.name = f"h{int(heading.name[1]) - 1}"  # a chapter stands below the front page here
    for start in article.select(".toctree-wrapper > span[id]"):
        start.find_next_sibling("section").insert(0, start)  # behind the break of the page
    # Pages count their references from id1; only the bibliography's, at the end, are led to.
    seen = set()
    for element in reversed(article.select("[id]")):
        if element["id"] in seen and re.fullmatch(r"id\d+", element["id"]):
            del element["id"]
        else:
            seen.add(element["id"])
    for link in article.select('a[href*=".html#"]'):
        link["href"] = "#" + link["href"].rpartition("#")[2]
    return article


def contents(article: Tag, toc: dict, numbers: dict[str, int]) -> str:
    """Return the table of contents, as links with the numbers of those pages that are known."""
    lines = []
    for part in toc["parts"]:
        lines.append(f"<h2>{part['caption']}</h2><ol>")
        for entry in part["chapters"]:
            if entry["file"] in LEFT_OUT:
                continue
            start = f"document-{entry['file']}"
            title = article.find(id=start).parent.h1.decode_contents()
            number = numbers.get(start, "")
            lines.append(f'<li><a href="#{start}">{title}</a><span>{number}</span></li>')
        lines.append("</ol>")
    return f'<nav class="contents"><h1>Contents</h1>{"".join(lines)}</nav>'


def page_numbers(pdf: Path) -> dict[str, int]:
    """Return on which page each target of a link stands."""
    from pypdf import PdfReader  # of tools/pdf_requirements.txt

    reader = PdfReader(pdf)
    places = reader.named_destinations.items()
    return {
        name.removeprefix("/"): reader.get_destination_page_number(place) + 1
        for name, place in places
    }


def print_page(program: str, source: Path, target: Path) -> None:
    """Turn a page of HTML into a PDF."""
    with tempfile.TemporaryDirectory() as profile:
        command = [program, "--headless", "--disable-gpu", f"--user-data-dir={profile}", *OPTIONS]
        command += ["--no-pdf-header-footer", "--generate-pdf-document-outline"]
        command += [f"--print-to-pdf={target}", source.as_uri()]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def book(html: str, toc: dict, config: dict) -> Callable[[dict[str, int]], str]:
    """Return what makes the page to print, given the numbers for its table of contents.

    Parameters
    ----------
    html : str
        The page that Sphinx has built.
    toc, config : dict
        What _toc.yml and _config.yml hold.
    """
    soup = BeautifulSoup(html, "html.parser")
    sheets = [
        str(link)
        for link in soup.select('link[rel="stylesheet"]')
        if re.search(r"katex|pygments", link["href"])
    ]
    article = for_paper(soup.select_one("article.bd-article"))
    head = (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        f"<title>{config['title']}</title>{''.join(sheets)}"
        f"<style>{STYLE.read_text('utf-8')}</style></head><body><header>"
        f'<img src="_static/logo.svg" alt=""><h1>{config["title"]}</h1>'
        f"<p>{config['author']}</p></header>"
    )
    rest = f"{article}</body></html>"
    return lambda numbers: f"{head}{contents(article, toc, numbers)}{rest}"


def main() -> None:
    """Build the page, print it, and say where the file is."""
    program = chromium("make pdf")
    build = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT]
    strict = ["-W", "-n", "--keep-going", "--all"]
    subprocess.run([*build, *strict, "--builder", "singlehtml"], check=True)

    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    write = book((BUILT / toc["root"]).with_suffix(".html").read_text("utf-8"), toc, config)
    source = BUILT / "print.html"
    target = ROOT / "_build" / "pdf" / "unrolled.pdf"
    target.parent.mkdir(parents=True, exist_ok=True)
    numbers: dict[str, int] = {}
    for _ in range(2):  # once to learn the numbers, once more with them
        source.write_text(write(numbers), "utf-8")
        print_page(program, source, target)
        numbers = page_numbers(target)
    print(f"\nThe book is printed: {target}")


if __name__ == "__main__":
    main()
