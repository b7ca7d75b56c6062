"""Chromium 102 for the tests of old web views: where it cannot be had, set-up says so and goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.page.test_chromium_102 import load_tool


def install(monkeypatch: pytest.MonkeyPatch, folder: Path, deno: str | None) -> list[str]:
    """What is said when it is installed into a folder, with this script as Deno; None: there is no Deno."""
    tool = load_tool()
    monkeypatch.setattr(tool, "HOME", folder / "tools" / "chromium-102")
    monkeypatch.setattr(tool.sys, "platform", "linux")
    monkeypatch.setattr(tool.platform, "machine", lambda: "x86_64")
    program = folder / "deno"
    if deno is not None:
        program.write_text(deno)
        program.chmod(0o755)
    said: list[str] = []
    tool.install(said.append, deno=program)
    assert tool.program() is None
    assert list((folder / "tools").iterdir()) == [], "nothing is left behind"
    return said


def test_without_a_registry_its_tests_are_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    said = install(monkeypatch, tmp_path, "#!/bin/sh\necho 'no route to the registry' >&2\nexit 1\n")
    assert said[-1] == "Chromium 102 is not installed, so its tests are skipped: no route to the registry"


def test_without_deno_its_tests_are_skipped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert "its tests are skipped" in install(monkeypatch, tmp_path, None)[-1]


def test_a_changed_package_is_not_installed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    fake = """#!/bin/sh
folder="$DENO_DIR/npm/registry/@sparticuz/chrome-aws-lambda/14.0.0/bin"
mkdir -p "$folder"
echo changed > "$folder/chromium.br"
"""
    said = install(monkeypatch, tmp_path, fake)
    assert "has another chromium.br than expected" in said[-1]


def test_on_another_processor_nothing_is_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tool = load_tool()
    monkeypatch.setattr(tool, "HOME", tmp_path / "chromium-102")
    monkeypatch.setattr(tool.platform, "machine", lambda: "aarch64")
    said: list[str] = []
    tool.install(said.append)
    assert said[-1].endswith("it is made for Linux on x86-64 only")
