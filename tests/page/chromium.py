"""Where this machine has a Chromium."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

OWN_BROWSER = Path(__file__).resolve().parents[2] / ".tools" / "browser"
"""Where `make test` installs a browser if the machine has none."""


def browser_path() -> str | None:
    """The path of the machine's Chromium; None: use the one that Playwright installed."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    os.environ.setdefault("PLAYWRIGHT_BROWSERS_PATH", str(OWN_BROWSER))
    return None
