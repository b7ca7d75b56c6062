"""The check against the floor: what the oldest browsers do not know is found, and what has a fallback is not."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.unit.pages.test_javascript import ROOT, load_tool
from tools.floor import styles

deno = load_tool().deno()
needs_deno = pytest.mark.skipif(deno is None, reason="Deno is not installed: run `make setup`")


def found_in(css: str) -> list[str]:
    return [problem for _, problem in styles.check_styles(css)]


def test_both_pages_have_nothing_above_the_floor() -> None:
    styles.main()


def test_the_extract_is_of_this_floor_and_the_readme_names_it() -> None:
    floor = json.loads((ROOT / "tools" / "floor" / "browsers.json").read_text())
    assert styles.FEATURES["floor"] == floor
    for name in ("README.md", "docs/mini-app.md"):
        text = (ROOT / name).read_text()
        assert f"Safari {floor['safari']}" in text, name
        assert f"Chromium {floor['chrome']}" in text, name
        assert f"Firefox ESR {floor['firefox']}" in text, name


@pytest.mark.parametrize(
    ("css", "feature"),
    [
        ("#app { height: min(var(--tg-viewport-stable-height, 100dvh), 100dvh); }", "dvh: Safari 15.4, Chrome 108"),
        ("#a { height: 100vh; height: min(var(--x, 100dvh), 100dvh); }", "dvh"),
        ("#outline polygon { fill: color-mix(in srgb, var(--mark) 30%, transparent); }", "color-mix(): Safari 16.2"),
        ("#a { fill: #8888; fill: color-mix(in srgb, var(--mark) 30%, transparent); }", "color-mix()"),
        (":root { --bar: var(--theme, light-dark(#fff, #000)); }", "light-dark(): Safari 17.5, Chrome 123"),
        (":root { --bar: #fff; --bar: light-dark(#fff, #000); }", "light-dark()"),
        ("hr { background: color-mix(in srgb, red, blue); }", "color-mix()"),
        (".bubble:has(> .text) { min-width: 1rem; }", ":has: Safari 15.4, Chrome 105"),
        (".menu:popover-open { top: 0; }", ":popover-open: Safari 17, Chrome 114"),
        ("a:hover, a:focus-visible { color: red; }", ":focus-visible: Safari 15.4"),
        ("#tag { translate: -50%; }", "translate: Chrome 104"),
        ("@keyframes turn { to { rotate: 1turn; } }", "rotate: Chrome 104"),
        (".a { .b { color: red; } }", "a rule within a rule"),
        ("@container (width > 1px) { a { color: red; } }", "@container: Safari 16, Chrome 105"),
        ("a { mask: none; }", "mask: Safari 15.4, Chrome 120"),
        ("a { overflow-wrap: anywhere; }", "overflow-wrap: anywhere: Safari 15.4"),
        ("@supports (color: red) { :root { --a: color-mix(in srgb, red, blue); } }", "color-mix()"),
    ],
)
def test_a_style_above_the_floor_is_found(css: str, feature: str) -> None:
    assert any(feature in problem for problem in found_in(css)), found_in(css)


@pytest.mark.parametrize(
    "css",
    [
        "a { height: 100vh; height: 100dvh; }",
        "@supports (height: 100dvh) { :root { --screen: 100dvh; } }",
        "@supports (color: light-dark(red, red)) { :root { --a: light-dark(var(--b), #fff); } }",
        "a { background: #8888; background: color-mix(in srgb, red, blue); }",
        "a { -webkit-mask: var(--a); mask: var(--a); }",
        "a:focus-visible { color: red; }",
        "a { overflow-wrap: break-word; overflow-wrap: anywhere; text-wrap: balance; }",
        "/* 100dvh */ a::after { content: '100dvh { color-mix('; }",
    ],
)
def test_a_style_with_a_fallback_is_not(css: str) -> None:
    assert not found_in(css)


def test_a_page_that_needs_a_popover_is_found() -> None:
    assert styles.check_page('<div id="toast" popover="manual"></div>') == [(1, "popover: Safari 17, Chrome 114")]


def lint(folder: Path, name: str, script: str) -> str:
    """What Deno's linter, with the floor's plugin, says about a script."""
    shutil.copytree(ROOT / "tools" / "floor", folder / "floor")
    rules = {"tags": [], "include": ["floor/above"]}
    (folder / "deno.json").write_text(json.dumps({"lint": {"plugins": ["./floor/lint.js"], "rules": rules}}))
    (folder / name).write_text(script)
    answer = load_tool().check(deno, "lint", "--config", str(folder / "deno.json"), "--compact", str(folder / name))
    return str(answer.stdout + answer.stderr)


@needs_deno
def test_scripts_above_the_floor_are_found(tmp_path: Path) -> None:
    lines = {
        "ops.at(-1);": ".at: Safari 15.4, Chrome 92",
        "ops.findLastIndex((op) => op);": ".findLastIndex: Safari 15.4, Chrome 97",
        "new CompressionStream('deflate');": "CompressionStream: Safari 16.4",
        "new OffscreenCanvas(1, 1);": "OffscreenCanvas: Safari 16.4",
        "event.getCoalescedEvents();": ".getCoalescedEvents: Safari 18.2",
        "structuredClone(ops);": "structuredClone: Safari 15.4, Chrome 98",
        "Object.hasOwn(ops, 'a');": ".hasOwn: Safari 15.4, Chrome 93",
        "AbortSignal.timeout(1);": "AbortSignal.timeout: Safari 16",
        "toast.showPopover();": ".showPopover: Safari 17, Chrome 114",
        "/(?<=a)b/.test(text);": "lookbehind in a regular expression: Safari 16.4",
        "/[a--b]/v.test(text);": "the flag v",
        "class A { static { A.b = 1; } }": "static blocks: Safari 16.4, Chrome 94",
    }
    said = lint(tmp_path, "page.js", "\n".join(lines))
    for number, message in enumerate(lines.values(), 1):
        assert any(f"line {number}," in line and message in line for line in said.splitlines()), (message, said)


@needs_deno
def test_a_script_that_asks_first_is_fine(tmp_path: Path) -> None:
    script = """
        const parts = event.getCoalescedEvents?.() ?? [];
        if (typeof CompressionStream === 'function') new CompressionStream('deflate');
        this.at = rounds.at + text.replaceAll('a', 'b').length;
        class Own { #secret() {} static one = 1; }
    """
    assert "above the floor" not in lint(tmp_path, "page.js", script)


@needs_deno
@pytest.mark.parametrize("script", ["const a = 1;", "var f = () => 1;", "var t = `a`;", "a?.b;", "for (var a of b) {}"])
def test_a_script_for_any_browser_has_no_new_syntax(tmp_path: Path, script: str) -> None:
    assert "newer than ECMAScript 5" in lint(tmp_path, "old.js", script)


@needs_deno
def test_the_type_checker_knows_the_floor(tmp_path: Path) -> None:
    script = tmp_path / "page.js"
    script.write_text("export const last = [1, 2].at(-1);\n")
    answer = load_tool().check(deno, "check", "--config", str(ROOT / "deno.json"), str(script))
    assert "Property 'at' does not exist on type 'number[]'" in answer.stdout + answer.stderr
