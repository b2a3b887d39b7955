"""The checks themselves: a sound page passes each, and a page with one fault does not."""

import checks
import pytest

SOUND = """<!doctype html><html lang="en"><head><title>Sound</title>
<link rel="icon" href="data:,">
<style>html, body {{ margin: 0; background: white; color: black }}
@media (prefers-color-scheme: dark) {{ html, body {{ background: #111; color: #eee }} }}
a {{ color: inherit }} pre, div.math {{ overflow-x: auto }}</style></head>
<body><main><article><h1 id="top-of-it">Sound</h1><p>A page without a fault,
<a href="#top-of-it">its top</a>.</p><pre tabindex="0">code</pre>
{}</article></main></body></html>"""
FIGURE = """<div data-live="1"><label>n <input type="range" name="n" min="0" max="3" value="3"
oninput="{}"></label><p class="caption">3</p></div>"""
TERM = """<style>a:is(:hover, :focus-visible):not(.away)::after {{ content: 'words';
position: absolute; {} }}</style><a class="term" href="#top-of-it">term</a>"""
AWAY = """<script>addEventListener('keydown', event => event.key === 'Escape' &&
document.querySelectorAll('a').forEach(a => a.classList.add('away')))</script>"""
ANSWER = "this.closest('div').querySelector('p').textContent = this.value"

FAULTS = {
    "something from elsewhere": (
        checks.elsewhere,
        '<img alt="a picture" src="https://example.org/a.png" width="9" height="9">',
    ),
    "a file that is not there": (lambda page: page.faults, '<script src="none.js"></script>'),
    "an error in a script": (lambda page: page.faults, "<script>none()</script>"),
    "a message in the console": (lambda page: page.faults, "<script>console.error(1)</script>"),
    "TeX in a formula": (checks.unset_mathematics, '<span class="math">a^2</span>'),
    "TeX in a sentence": (checks.unset_mathematics, "<p>It is $a^2$.</p>"),
    "TeX between brackets": (checks.unset_mathematics, r"<p>It is \(a\).</p>"),
    "an error in a formula": (
        checks.unset_mathematics,
        '<span class="math"><span class="katex katex-error">a</span></span>',
    ),
    "a font that is not there": (
        checks.unset_mathematics,
        "<style>@font-face { font-family: None; src: url(none.woff2) }</style>"
        '<p style="font-family: None">letters</p>',
    ),
    "something wide": (checks.sideways, '<div style="width: 500px; height: 9px"></div>'),
    "a long line of code": (checks.cut, f"<pre tabindex=0>{'long' * 200}</pre>"),
    "a long line in a fold": (
        checks.cut,
        f"<details><summary>more</summary><pre tabindex=0>{'long' * 200}</pre></details>",
    ),
    "a long formula": (
        checks.cut,
        '<div class="math" tabindex=0><span class="katex" style="white-space: nowrap">'
        f"{'long ' * 200}</span></div>",
    ),
    "a white card": (
        checks.white_cards,
        '<div style="background: white; width: 90px; height: 90px"></div>',
    ),
    "a white card far down": (
        checks.white_cards,
        '<p style="height: 20000px"></p>'
        '<div style="background: white; width: 90px; height: 90px"></div>',
    ),
    "a wide table": (
        checks.unreadable_tables,
        f"<table><thead><tr><th>{'wide' * 200}</th></tr></thead></table>",
    ),
    "a table of towers": (
        checks.unreadable_tables,
        f"<table style='width: 9px'><thead><tr><th>a</th></tr></thead><tr><td>{'a ' * 50}</td></tr>"
        "</table>",
    ),
    "a card that does not name its column": (
        checks.unreadable_tables,
        "<table style='display: block'><thead><tr><th>a</th></tr></thead><tr>"
        "<td><b>b</b>1</td></tr></table>",
    ),
    "a card whose header nobody hears": (
        checks.unreadable_tables,
        "<table style='display: block'><thead style='display: none'><tr><th>a</th></tr></thead><tr>"
        "<td><b>a</b>1</td></tr></table>",
    ),
    "a figure with small letters": (
        checks.small_letters,
        '<div data-live="1"><svg width="9" height="9"><text font-size="9">a</text></svg></div>',
    ),
    "faint letters": (checks.barriers, '<p style="color: #999; background: #bbb">faint</p>'),
    "a picture without words": (
        checks.barriers,
        '<img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" width="9" height="9">',
    ),
    "a definition that stays": (checks.fleeting_definitions, TERM.format("")),
    "a definition that no finger reaches": (checks.unanswered_taps, TERM.format("")),
    "a definition out of reach": (
        checks.fleeting_definitions,
        TERM.format("margin-top: 9em") + AWAY,
    ),
    "a picture without size": (checks.without_size, '<img alt="a picture" src="data:,">'),
    "a figure that does not answer": (checks.dead_figures, FIGURE.format("")),
    "a figure without a control": (
        checks.dead_figures,
        '<div data-live="1"><p class="caption"></p></div>',
    ),
}
CHECKS = {check for check, _ in FAULTS.values()}


@pytest.fixture(name="write")
def _write(browser, tmp_path):
    pages = []

    def write(part, *, width=checks.WIDE, touch=False):
        path = tmp_path / "page.html"
        path.write_text(SOUND.format(part), encoding="utf-8")
        pages.append(checks.open_page(browser, path, width=width, touch=touch))
        return pages[-1]

    yield write
    for page in pages:
        page.context.close()


def test_a_sound_page_passes(write, tmp_path):
    for width in (checks.WIDE, *checks.PHONES):
        page = write(FIGURE.format(ANSWER), width=width)
        page.emulate_media(color_scheme="dark")
        for check in CHECKS:
            assert check(page) == []
        assert checks.shift(page) == 0
    assert checks.dead_links(tmp_path, tmp_path / "page.html") == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_found(write, fault):
    check, part = FAULTS[fault]
    narrow, touch = check is checks.sideways, check is checks.unanswered_taps
    page = write(part, width=360 if narrow else checks.WIDE, touch=touch)
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(200)
    assert check(page)


@pytest.mark.parametrize(
    "link", ["none.html", "#none", "page.html#none", "../", "../outside.html", "a%20b.html"]
)
def test_a_link_to_nowhere_is_found(tmp_path, link):
    (tmp_path.parent / "outside.html").write_text("", encoding="utf-8")
    path = tmp_path / "page.html"
    path.write_text(SOUND.format(f'<a class="x" href="{link}">there</a>'), encoding="utf-8")
    assert checks.dead_links(tmp_path, path) == [link]


def test_a_line_that_moves_is_found(write):
    page = write(
        "<p id='late' style='height: 0; margin: 0'></p>"
        + "<p>text</p>" * 20
        + "<script>setTimeout(() => { late.style.height = '300px' }, 300)</script>"
    )
    page.wait_for_timeout(600)
    assert checks.shift(page) > 0.05


def test_a_weight_is_that_of_all_files_as_they_are_sent(write, tmp_path):
    (tmp_path / "repeated.js").write_text("//" + "a" * 900_000, encoding="utf-8")
    (tmp_path / "font.woff2").write_bytes(bytes(500_000))
    light = checks.weight(write('<script src="repeated.js"></script>'))
    assert 500 < light < 5_000
    heavy = write(
        "<style>@font-face { font-family: Big; src: url(font.woff2) }</style>"
        '<p style="font-family: Big">letters</p>'
    )
    assert 500_000 < checks.weight(heavy) < 502_000
