"""Where this machine has a Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

OWN_BROWSER = Path(__file__).resolve().parents[2] / ".tools" / "browser"
"""Where `make test` installs a browser if the machine has none."""


def page_browser_path() -> str | None:
    """The path of the browser for the page tests; None: use the headless shell that Playwright installed.

    Chromium without its window where that is installed: it draws the same pages in half the processor time. The whole
    Chromium runs the canvas in test_engine_chromium.py, where its driver is installed.
    """
    return shutil.which("chromium-headless-shell") or browser_path()


def browser_path() -> str | None:
    """The path of the machine's Chromium; None: use the one that Playwright installed."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(OWN_BROWSER))
    return None
