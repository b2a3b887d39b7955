"""Every page of the built book in a real browser, read from disk as from a USB stick."""

from pathlib import Path

import checks
import pytest

ROOT = Path(__file__).resolve().parents[2] / "_build" / "html"
PAGES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("chapters/*.html"))
PAGES += ["search.html", "genindex.html"]


@pytest.fixture(scope="module", params=PAGES)
def name(request):
    return request.param


@pytest.fixture(scope="module")
def page(browser, name):
    page = checks.open_page(browser, ROOT / name)
    yield page
    page.context.close()


@pytest.fixture(autouse=True)
def as_it_was(request):
    """Begin each test with a wide, light page."""
    if "page" in request.fixturenames:
        page = request.getfixturevalue("page")
        page.set_viewport_size({"width": checks.WIDE, "height": 900})
        page.emulate_media(color_scheme="light")


def test_the_book_is_built():
    assert len(PAGES) > 15, "there is no book in _build: make book"


def test_the_page_opens_without_a_fault(page):
    assert page.faults == []
    assert checks.elsewhere(page) == []


def test_mathematics_is_set(page):
    assert checks.unset_mathematics(page) == []


def test_links_lead_somewhere(name):
    assert checks.dead_links(ROOT, ROOT / name) == []


def test_the_page_is_light(page):
    assert checks.weight(page) < 700_000


def test_pictures_say_how_large_they_are(page):
    assert checks.without_size(page) == []


def test_nothing_moves_while_the_page_is_read(browser, page, name):
    assert checks.shift(page) < 0.05
    for width in checks.PHONES:
        phone = checks.open_page(browser, ROOT / name, width=width)
        assert checks.shift(phone) < 0.05, phone.evaluate("window.shifts")
        phone.context.close()


def test_no_equation_and_no_code_is_cut(page):
    assert checks.cut(page) == []


@pytest.mark.parametrize("width", checks.PHONES)
def test_a_phone_does_not_scroll_sideways_and_shows_equations_whole(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert checks.sideways(page) == []
    assert checks.cut(page, "div.math, .katex-display") == []


@pytest.mark.parametrize("width", checks.PHONES)
def test_a_phone_shows_tables_whole_and_letters_large_enough(page, width):
    page.set_viewport_size({"width": width, "height": 800})
    assert checks.unreadable_tables(page) == []
    assert checks.small_letters(page) == []


def test_there_is_no_white_card_on_a_dark_page(page):
    page.emulate_media(color_scheme="dark")
    # Pictures whose brightness means something stay on white.
    page.add_style_tag(content=".keep-colours { visibility: hidden }")
    assert checks.white_cards(page) == []


@pytest.mark.parametrize(
    "scheme, width", [("light", checks.WIDE), ("dark", checks.WIDE), ("light", checks.PHONES[0])]
)
def test_everybody_can_read_it(page, scheme, width):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    page.wait_for_timeout(500)  # the theme looks a third of a second later what scrolls now
    assert checks.barriers(page) == []


def test_definitions_wait_for_the_pointer_and_go_on_escape(page):
    assert checks.fleeting_definitions(page) == []


def test_definitions_come_to_a_finger(browser, name):
    page = checks.open_page(browser, ROOT / name, width=checks.PHONES[1], touch=True)
    assert checks.unanswered_taps(page) == []
    page.context.close()


def test_live_figures_answer_to_the_keyboard(page):
    assert checks.dead_figures(page) == []


def test_without_scripts_there_are_pictures_and_mathematics(browser, page, name):
    live = page.locator("[data-live]").count()
    bare = checks.open_page(browser, ROOT / name, scripts=False)
    pictures = bare.locator("[data-live] > img[alt]")
    assert pictures.count() == live
    assert all(picture.is_visible() for picture in pictures.all())
    assert bare.locator(".math").count() == bare.locator(".math .katex").count()
    bare.context.close()


def test_search_finds(browser):
    page = checks.open_page(browser, ROOT / "chapters" / "index.html")
    page.locator(".search-button-field:visible").first.click()
    page.locator("input[type=search]:visible").first.fill("vanishing gradient")
    page.keyboard.press("Enter")
    found = "#search-results li a[href*='08_vanishing']"
    page.wait_for_selector(found)  # results come one by one
    page.locator(found).first.click()
    page.wait_for_selector("main h1:visible")
    assert "gradient" in page.locator("main").inner_text()
    assert page.faults == []
    assert checks.elsewhere(page) == []
    page.context.close()
