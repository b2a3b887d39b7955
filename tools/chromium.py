"""Find a browser that is installed: to print the book with, or to read it in a test."""

from __future__ import annotations

import os
import shutil

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Microsoft Edge.app/Contents/MacOS/Microsoft Edge",
    r"C:\Program Files\Google\Chrome\Application\chrome.exe",
    r"C:\Program Files (x86)\Microsoft\Edge\Application\msedge.exe",
)
# As root, which containers often are, it starts only without its sandbox.
OPTIONS = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []


def chromium(command: str) -> str:
    """Return the path of Chromium, Chrome or Edge.

    Parameters
    ----------
    command : str
        What needs it, such as ``"make pdf"``.

    Raises
    ------
    SystemExit
        If there is none.
    """
    chosen = os.environ.get("CHROMIUM", "")
    for name in (chosen,) if chosen else NAMES:
        if path := shutil.which(name):
            return path
    if chosen:
        raise SystemExit(f"CHROMIUM names {chosen}, which is no program here.")
    raise SystemExit(
        f"{command} needs Chromium, Chrome or Edge (on Debian and Ubuntu: sudo apt install "
        f"chromium). If one is installed elsewhere, name it: {command} CHROMIUM=/path/to/it"
    )
