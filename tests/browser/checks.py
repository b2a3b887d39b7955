"""What can be wrong with a page in a browser: each check returns what it found, in words."""

import gzip
import io
import json
import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path
from urllib.parse import unquote, urlsplit

from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, Page

WIDE, PHONES = 1200, (360, 390)
PACKED = {".png", ".jpg", ".woff2", ".woff"}  # which gzip doesn't make smaller

# Shifts from the first moment on, as the browser reports them.
OBSERVE = """
window.shifts = [];
new PerformanceObserver(list => {
  for (const e of list.getEntries()) if (!e.hadRecentInput) window.shifts.push(
    [e.value, ...e.sources.map(s => (s.node?.outerHTML ?? s.node?.data ?? '').slice(0, 80))]);
}).observe({ type: 'layout-shift', buffered: true });
"""


def open_page(
    browser: Browser, path: Path, *, width: int = WIDE, scripts: bool = True, touch: bool = False
) -> Page:
    """Open a file; what it asks for from elsewhere is noted and refused, as without a network.

    The page has two lists: `asked`, all addresses it asked for, and `faults`, what went wrong.
    """
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        java_script_enabled=scripts,
        has_touch=touch,
        is_mobile=touch,
    )
    page = context.new_page()
    page.asked, page.faults = [], []
    page.on("request", lambda request: page.asked.append(request.url))
    page.on("requestfailed", lambda request: page.faults.append(f"not there: {request.url}"))
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on(
        "console",
        lambda said: page.faults.append(said.text) if said.type in ("error", "warning") else None,
    )
    context.route(lambda url: not url.startswith(("file:", "data:")), lambda route: route.abort())
    if scripts:
        page.add_init_script(OBSERVE)
    page.goto(path.as_uri())
    if scripts:
        page.evaluate("document.fonts.ready.then(() => undefined)")
    page.wait_for_timeout(200)
    return page


def settle(page: Page) -> None:
    """Return when nothing changes any more, after a change of colours or of width."""
    page.add_style_tag(content="*, ::before, ::after { transition: none !important }")
    # The theme's script follows the system's wish for light or dark in its own time.
    page.wait_for_function("""() => {
      const wish = matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
      return (document.documentElement.dataset.theme ?? wish) === wish;
    }""")
    page.wait_for_timeout(50)


def elsewhere(page: Page) -> list[str]:
    """Return what the page asked others for."""
    return [url for url in page.asked if not url.startswith(("file:", "data:", "blob:"))]


def unset_mathematics(page: Page) -> list[str]:
    """Return mathematics that still is TeX, is an error, or is set in letters of another font."""
    return page.evaluate(r"""() => {
      const bare = document.querySelector('main').cloneNode(true);
      bare.querySelectorAll('code, pre, script, style, .katex').forEach(e => e.remove());
      const shown = getComputedStyle(document.querySelector('.katex') ?? document.body);
      return [
        ...[...document.querySelectorAll('.math')].filter(e => !e.querySelector('.katex, math')),
        ...document.querySelectorAll('.katex-error, mjx-merror'),
      ].map(e => e.textContent).concat(
        bare.textContent.match(/\\[(\[]|\\[a-z]{2,}|\$[^$\n]*[_^\\][^$\n]*\$/g) ?? [],
        document.querySelector('.katex') && !document.fonts.check('16px KaTeX_Main') ?
          ['KaTeX_Main is not there'] : [],
        [...document.fonts].filter(f => f.status === 'error').map(f => f.family));
    }""")


@cache
def places(file: Path) -> set[str]:
    """Return what a link into this file may have behind its #."""
    return {"", "top", *re.findall(r'\s(?:id|name)="([^"]*)"', file.read_text("utf-8"))}


def dead_links(root: Path, path: Path) -> list[str]:
    """Return the links of a page that lead to no file, or to no place in it."""
    dead = []
    for link in re.findall(r'<a\b[^>]*\shref="([^"]*)"', path.read_text("utf-8")):
        parts = urlsplit(unescape(link))
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        inside = target.is_relative_to(root.resolve()) and target.is_file()
        page = inside and target.suffix == ".html"
        if not inside or (page and unquote(parts.fragment) not in places(target)):
            dead.append(link)
    return dead


def sideways(page: Page) -> list[str]:
    """Return the elements that make the page wider than the window."""
    return page.evaluate("""() => {
      const wide = document.documentElement.clientWidth;
      if (document.documentElement.scrollWidth <= wide) return [];
      return [...document.querySelectorAll('body *')]
        .filter(e => e.getBoundingClientRect().right > wide + 1)
        .slice(0, 5).map(e => e.outerHTML.slice(0, 120));
    }""")


def cut(page: Page, what: str = "main pre, div.math, .katex-display") -> list[str]:
    """Return equations, code and its output that are wider than their place."""
    return page.evaluate(
        """what => {
          document.querySelectorAll('details').forEach(fold => fold.open = true);
          return [...document.querySelectorAll(what)]
            .filter(e => getComputedStyle(e).overflowX !== 'visible')
            .filter(e => e.clientWidth && e.scrollWidth > e.clientWidth + 2)
            .map(e => `${e.scrollWidth - e.clientWidth} px of ${e.textContent.slice(0, 80)}`);
        }""",
        what,
    )


def unreadable_tables(page: Page) -> list[str]:
    """Return the tables that are too wide or have towers of words, and cells without their column.

    A screen reader must still hear of every header.
    """
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    page.wait_for_timeout(100)
    found = page.evaluate("""() => {
      const found = [], name = element => element.textContent.trim().slice(0, 80);
      for (const table of document.querySelectorAll('article table:has(thead)')) {
        const columns = [...table.tHead.rows[0].cells].map(cell => cell.textContent.trim());
        const tall = [...table.rows].some(row => row.offsetHeight > 240);
        const cards = getComputedStyle(table).display !== 'table';
        if (table.offsetWidth > table.parentElement.clientWidth + 1 || (tall && !cards))
          found.push(`too wide or too tall: ${name(table)}`);
        if (cards) for (const row of table.tBodies[0].rows) [...row.cells].forEach((cell, n) => {
          const label = cell.firstElementChild;
          if (!columns[n]) return;
          if (label?.textContent.trim() !== columns[n] || !label.offsetParent)
            found.push(`not ${columns[n]}: ${name(cell)}`);
        });
      }
      return found;
    }""")
    session = page.context.new_cdp_session(page)
    body = session.send("Runtime.evaluate", {"expression": "document.body"})["result"]["objectId"]
    query = {"objectId": body, "role": "columnheader"}
    nodes = session.send("Accessibility.queryAXTree", query)["nodes"]
    heard = sum(not node["ignored"] for node in nodes)
    headers = page.locator("article thead th").count()
    if heard != headers:
        found.append(f"{heard} of {headers} headers can be heard")
    return found


def small_letters(page: Page) -> list[str]:
    """Return the letters of live figures that are smaller than 11 pixels."""
    return page.evaluate("""() => [...document.querySelectorAll('[data-live] :is(text, tspan)')]
      .map(e => [parseFloat(getComputedStyle(e).fontSize) * e.getScreenCTM().a, e.textContent])
      .filter(([size, letters]) => letters.trim() && size < 10.9)
      .map(([size, letters]) => `${letters}: ${size.toFixed(1)} px`)""")


def pieces(page: Page, high: int = 6_000) -> Iterator[tuple[int, Image.Image]]:
    """Yield the page in pictures from top to bottom; below 16,384 pixels one alone would end."""
    size = page.evaluate("[document.documentElement.clientWidth, document.body.scrollHeight]")
    for top in range(0, size[1], high):
        clip = {"x": 0, "y": top, "width": size[0], "height": min(high, size[1] - top)}
        shot = page.screenshot(full_page=True, clip=clip)
        yield top, Image.open(io.BytesIO(shot)).convert("L")


def white_cards(page: Page, size: int = 24) -> list[str]:
    """Return where squares of the page are white throughout, dark as it should be."""
    settle(page)
    # A square's darkest pixel: those of reduced pictures would be averages.
    return [
        f"white at {left}, {start + top}"
        for start, shot in pieces(page)
        for top in range(0, shot.height - size, size)
        for left in range(0, shot.width - size, size)
        if shot.crop((left, top, left + size, top + size)).getextrema()[0] > 200
    ]


def barriers(page: Page) -> list[str]:
    """Return what axe-core calls a violation, with the elements.

    A header that is mathematics has words for a screen reader, which axe-core does not see.
    """
    settle(page)
    violations = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['html'][:200]} {node['failureSummary']}"
        for violation in violations
        for node in violation["nodes"]
        if violation["id"] != "empty-table-header"
        or not page.locator(node["target"][0]).inner_text().strip()
    ]


def shift(page: Page) -> float:
    """Return by how much the page moves as it is opened and read to its end (layout shift)."""
    for _ in range(0, page.evaluate("document.body.scrollHeight"), 600):
        page.mouse.wheel(0, 600)
        page.wait_for_timeout(20)
    return sum(value for value, *_ in page.evaluate("window.shifts"))


def weight(page: Page) -> int:
    """Return the bytes of all files that the page has asked for, compressed as servers do."""
    total = 0
    for url in set(page.asked):
        if url.startswith("file:"):
            path = Path(unquote(urlsplit(url).path))
            data = path.read_bytes()
            total += len(data if path.suffix in PACKED else gzip.compress(data, 6))
    return total


def without_size(page: Page) -> list[str]:
    """Return the pictures of the text that don't say how large they are."""
    return page.evaluate("""() => [...document.querySelectorAll('article img')]
      .filter(e => !e.hasAttribute('width') || !e.hasAttribute('height'))
      .map(e => e.outerHTML.slice(0, 120))""")


def fleeting_definitions(page: Page) -> list[str]:
    """Return the terms whose definition can't be reached, or can't be put away (WCAG 1.4.13)."""
    found, shown = [], "term => getComputedStyle(term, '::after').content !== 'none'"
    for term in page.query_selector_all("main a.term"):
        if not term.is_visible():
            continue
        name = term.inner_text()
        page.mouse.move(0, 0)
        term.focus()
        page.keyboard.press("Shift")  # as by keyboard
        if not term.evaluate(shown):
            found.append(f"{name}: no definition for the keyboard's focus")
        page.keyboard.press("Escape")
        if term.evaluate(shown):
            found.append(f"{name}: it stays on Escape")
        term.evaluate("term => term.blur()")
        # In the middle: at the window's edge there is no room to move the pointer.
        term.evaluate("term => term.scrollIntoView({ block: 'center', behavior: 'instant' })")
        x, y, bottom = term.evaluate("""term => {
          const { left, width, top, bottom } = term.getClientRects()[0];
          return [left + width / 2, (top + bottom) / 2, bottom];
        }""")
        page.mouse.move(x, y)
        page.mouse.move(x, bottom + 20, steps=10)
        if not term.evaluate(shown):
            found.append(f"{name}: it goes when the pointer comes")
        page.keyboard.press("Escape")
        if term.evaluate(shown):
            found.append(f"{name}: it stays on Escape, under the pointer")
    page.mouse.move(0, 0)
    return found


def unanswered_taps(page: Page) -> list[str]:
    """Tap on the terms; return those that don't show their definition, or don't put it away."""
    found, shown = [], "term => getComputedStyle(term, '::after').content !== 'none'"
    tap, here = page.touchscreen.tap, page.url

    def place(term) -> tuple[float, float]:
        term.evaluate("term => term.scrollIntoView({ block: 'center', behavior: 'instant' })")
        return term.evaluate("""term => {
          const { left, width, top, bottom } = term.getClientRects()[0];
          return [left + width / 2, (top + bottom) / 2];
        }""")

    terms = [term for term in page.query_selector_all("main a.term") if term.is_visible()]
    for term in terms:
        name, away = term.inner_text(), ("a tap elsewhere", "Escape")
        for end, put_away in zip(
            away, (lambda: tap(2, 450), lambda: page.keyboard.press("Escape")), strict=True
        ):
            tap(*place(term))
            page.wait_for_timeout(20)
            if page.url != here:
                return [f"{name}: the first tap leads away"]
            if not term.evaluate(shown):
                found.append(f"{name}: no definition for a finger")
            put_away()
            page.wait_for_timeout(20)
            if term.evaluate(shown):
                found.append(f"{name}: it stays after {end}")
    if terms:
        for _ in range(2):
            tap(*place(terms[0]))
        page.wait_for_timeout(500)
        if page.url == here:
            found.append("the second tap leads nowhere")
    return found


KEYS = {"checkbox": "Space", "number": "ArrowUp", "text": "End 1"}
AT_END = "c => c.type === 'range' ? c.value === c.max : c.selectedIndex === c.length - 1"


def dead_figures(page: Page) -> list[str]:
    """Move every control of every live figure by keyboard; return those that change nothing."""
    dead = []
    for number, figure in enumerate(page.query_selector_all("[data-live]")):
        heard, answers, moved = figure.query_selector(".caption"), set(), set()
        controls = [c for c in figure.query_selector_all("[name]") if c.is_visible()]
        for control in controls:
            before, kind = figure.inner_html(), control.evaluate("c => c.type")
            answers.add(heard.inner_text())
            control.focus()
            arrow = "ArrowLeft" if control.evaluate(AT_END) else "ArrowRight"
            for key in KEYS.get(kind, arrow).split():
                page.keyboard.press(key)
            answers.add(heard.inner_text())
            if figure.inner_html() != before:
                moved.add(kind)
            elif kind not in ("number", "checkbox"):  # behind a shut gate one may do nothing
                dead.append(f"figure {number}: {control.get_attribute('name')} moves nothing")
        if len(answers) < 2 or moved != {c.evaluate("c => c.type") for c in controls}:
            dead.append(f"figure {number} says {json.dumps(sorted(answers))}, moved by {moved}")
    return dead
