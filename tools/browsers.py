"""Installs the other browsers of the page tests besides Chromium, where that is possible.

None of them is needed: the tests of an engine that is missing are skipped, and say so. Without the headless shell the
other page tests run in the Chromium that is there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

Install = Callable[..., bool]
"""Installs Debian packages by name; returns whether that worked."""
Say = Callable[[str], None]


def webkit(apt_install: Install, say: Say) -> None:
    """Provide WebKitGTK with its driver, and the X server that it needs: 54 packages, 20 s."""
    packages = ("webkit2gtk-driver", "libwebkit2gtk-4.1-0", "xvfb")
    if has("WebKitWebDriver", "Xvfb") and any(Path("/usr/lib").glob("**/webkit2gtk-4.1/MiniBrowser")):
        return
    if not apt_install(*packages):
        say(skipped("WebKit", *packages))


def firefox(apt_install: Install, say: Say) -> None:
    """Provide Firefox; its driver comes with the Python packages: 2 packages, 14 s."""
    if has("firefox-esr") or has("firefox"):
        return
    # Ubuntu has no such package; its "firefox" installs a snap, which does not run in a container.
    if not apt_install("firefox-esr"):
        say(skipped("Firefox", "firefox-esr"))


def chromium_driver(apt_install: Install, say: Say) -> None:
    """Provide the driver that belongs to Debian's Chromium: one package, 3 s."""
    if not has("chromium") or has("chromedriver"):
        return
    if not apt_install("chromium-driver"):
        say(skipped("Chromium by its own driver", "chromium-driver"))


def headless_shell(apt_install: Install, say: Say) -> None:
    """Provide Debian's Chromium without a window, for the other page tests: one package, 3 s."""
    if not has("chromium") or has("chromium-headless-shell"):
        return
    if not apt_install("chromium-headless-shell"):
        say("the page tests use the whole Chromium, which is slower: apt-get install chromium-headless-shell")


def has(*programs: str) -> bool:
    """Whether all these programs are installed."""
    return all(map(shutil.which, programs))


def skipped(engine: str, *packages: str) -> str:
    """What is said about an engine that could not be installed."""
    return f"{engine} is not installed, so its tests are skipped: apt-get install {' '.join(packages)}"


def install(apt_install: Install, say: Say) -> None:
    """Provide every engine that can be provided; never fails."""
    for engine in (chromium_driver, headless_shell, webkit, firefox):
        engine(apt_install, say)
