"""Set-up's further browsers: each is installed if it is missing, and none is needed."""

from __future__ import annotations

import pytest

from tools import browsers


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The programs of a machine; a test may add some."""
    programs = {"chromium"}
    monkeypatch.setattr(browsers.shutil, "which", lambda name: f"/usr/bin/{name}" if name in programs else None)
    monkeypatch.setattr(
        browsers.Path, "glob", lambda *_: iter([browsers.Path("/")] if "WebKitWebDriver" in programs else [])
    )
    return programs


def test_what_cannot_be_installed_is_said_in_a_line_each(machine: set[str]) -> None:
    tried: list[tuple[str, ...]] = []
    said: list[str] = []

    def refuse(*packages: str) -> bool:
        tried.append(packages)
        return False

    browsers.install(refuse, said.append)
    assert [packages[0] for packages in tried] == [
        "chromium-driver",
        "chromium-headless-shell",
        "webkit2gtk-driver",
        "firefox-esr",
    ]
    assert [line.partition(": apt-get install ")[0] for line in said] == [
        "Chromium by its own driver is not installed, so its tests are skipped",
        "the page tests use the whole Chromium, which is slower",
        "WebKit is not installed, so its tests are skipped",
        "Firefox is not installed, so its tests are skipped",
    ]


def test_what_can_be_installed_needs_no_words(machine: set[str]) -> None:
    said: list[str] = []
    browsers.install(lambda *_: True, said.append)
    assert said == []


def test_what_is_there_is_not_installed_again(machine: set[str]) -> None:
    machine |= {"WebKitWebDriver", "Xvfb", "firefox-esr", "chromedriver", "chromium-headless-shell"}

    def unwanted(*packages: str) -> bool:
        raise AssertionError(packages)

    browsers.install(unwanted, print)


def test_a_chromium_that_is_not_the_distributions_gets_no_package_of_its_own(machine: set[str]) -> None:
    machine.discard("chromium")
    tried: list[tuple[str, ...]] = []
    browsers.install(lambda *packages: not tried.append(packages), print)
    assert [packages[0] for packages in tried] == ["webkit2gtk-driver", "firefox-esr"]
