"""A real browser for the tests in this folder; `make browser` runs them, `make test` does not."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

VARIABLE = "CHROMIUM"
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str:
    """Return the path of Chromium: what the environment variable names, or what is on the PATH."""
    named = os.environ.get(VARIABLE)
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if not found:
        looked = f"{VARIABLE}={named}" if named else f"none of {', '.join(NAMES)} on the PATH"
        pytest.exit(
            f"These tests need Chromium, and there is none: {looked}. Install it (on Debian: "
            f"sudo apt install chromium), or name it: make browser {VARIABLE}=/path/to/chromium",
            returncode=2,
        )
    return found


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    # As root, which containers often are, Chromium starts only without its sandbox.
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium(), args=["--no-sandbox"] if root else []
        )
        yield browser
        browser.close()
