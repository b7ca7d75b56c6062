"""Check style sheets and pages against the floor: `tools/floor/styles.py`.

A declaration that a browser of the floor does not know must have a fallback: the same property without it earlier in
the rule (with a vendor's prefix, too), or a `@supports` around it. A value with `var()` is checked only when it is
computed, where earlier declarations no longer count; there only `@supports` helps. What merely looks plainer where it
is unknown is listed in `COSMETIC_ONLY`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = ("webapp/static", "bot/playground/static")
FEATURES = json.loads((Path(__file__).parent / "features.json").read_text())

COSMETIC_ONLY = {
    "accent-color": "the bar of progress has the browser's colour",
    "appearance": "-webkit-appearance stands beside it",
    "backdrop-filter": "glass without blur",
    "cursor": "a finger has none",
    "contain": "a caption may widen its bubble up to the photo's limit",
    "field-sizing": "growWithText does it",
    "forced-color-adjust": "Safari has no forced colours",
    "grid-template-columns: subgrid": "command and description stand below each other",
    "outline": "square corners",
    "overscroll-behavior": "the body does not scroll anyway; elsewhere the page bounces",
    "resize": "a finger cannot",
    "scrollbar-color": "scrollbars as the browser draws them",
    "scrollbar-width": "scrollbars as the browser draws them",
    "text-wrap": "lines break where they must",
    ":backdrop": "modal.js's dialogs have a shadow",
    ":focus-visible": "the browser's own ring",
}
"""What needs no fallback, and what is seen where it is unknown."""

UNITS = (
    {
        unit: FEATURES["units"][f"viewport_percentage_units_{kind}"]
        for kind, letter in (("dynamic", "d"), ("large", "l"), ("small", "s"))
        for unit in (f"{letter}v{side}" for side in ("h", "w", "i", "b", "min", "max"))
    }
    | {name: since for name, since in FEATURES["units"].items() if "_" not in name}
    | {f"cq{side}": FEATURES["units"]["container_query_length_units"] for side in ("h", "w", "i", "b", "min", "max")}
)

COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
FUNCTION = re.compile(r"([a-z][a-z-]*)\(")
UNIT = re.compile(r"\d([a-z]+)\b")
WORD = re.compile(r"(?<![\w-])[a-z][a-z-]*(?![\w(-])")
SELECTOR = re.compile(r"::?([a-z][a-z-]*)")
PREFIX = re.compile(r"^-(webkit|moz)-")


@dataclass(frozen=True)
class Block:
    """One pair of braces.

    Attributes:
        heads: What stands before it and before those around it: at-rules and selectors, the innermost last.
        body: The declarations, without inner blocks.
        line: Number of the line where it begins.
    """

    heads: tuple[str, ...]
    body: str
    line: int


def blocks(text: str) -> Iterator[Block]:
    """The blocks of a style sheet, inner ones first."""
    text = COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
    text = re.sub(r"""(['"]).*?\1""", lambda found: '""' + " " * (len(found[0]) - 2), text)
    stack: list[tuple[str, int, str]] = []
    held, line = "", 1
    for char in text:
        line += char == "\n"
        if char == "{":
            before, _, head = held.rpartition(";")
            stack.append((head.strip(), line, before + ";" if before else ""))
            held = ""
        elif char == "}":
            head, begun, around = stack.pop()
            yield Block((*(each[0] for each in stack), head), held, begun)
            held = around
        else:
            held += char


def check_styles(text: str) -> Iterator[tuple[int, str]]:
    """What in a style sheet is above the floor and has no fallback: line and message."""
    for block in blocks(text):
        supports = " ".join(head for head in block.heads if head.startswith("@supports"))
        yield from ((block.line, problem) for problem in check_heads(block.heads))
        earlier: list[tuple[str, str]] = []
        for declaration in block.body.split(";"):
            name, colon, value = (part.strip() for part in declaration.partition(":"))
            if not colon:
                continue
            for feature, since in unknown(name, value):
                if feature in COSMETIC_ONLY or name in COSMETIC_ONLY or tested(feature, supports):
                    continue
                if not has_fallback(name, value, feature, earlier):
                    yield block.line, f"{name}: {value[:60]} – {feature}: {since}"
            earlier.append((name, value))


def check_heads(heads: tuple[str, ...]) -> Iterator[str]:
    """Selectors and at-rules above the floor. One unknown selector in a list makes a browser drop the whole rule."""
    head, *around = reversed(heads)
    if head.startswith("@"):
        name = re.match(r"@([\w-]+)", head)
        since = FEATURES["at_rules"].get(name[1] if name else "")
        if since and name:
            yield f"@{name[1]}: {since}"
        return
    if any(not other.startswith("@") for other in around):
        yield "a rule within a rule: Safari 17.2, Chrome 120"
    if any("@keyframes" in other for other in around):
        return
    for name in SELECTOR.findall(head):
        since = FEATURES["selectors"].get(name)
        alone = "," not in head and f":{name}" in COSMETIC_ONLY
        several = f":{name}" in COSMETIC_ONLY and all(f":{name}" in part for part in head.split(","))
        if since and not (alone or several):
            yield f"{head[:60]} – :{name}: {since}"


def unknown(name: str, value: str) -> Iterator[tuple[str, str]]:
    """What of a declaration is above the floor: the feature, and since when there is one."""
    if not name.startswith("-"):
        since = FEATURES["properties"].get(name)
        if since:
            yield name, since
        for word in WORD.findall(value):
            since = FEATURES["values"].get(f"{name}: {word}")
            if since:
                yield f"{name}: {word}", since
    for function in FUNCTION.findall(value):
        since = FEATURES["functions"].get(function)
        if since:
            yield f"{function}()", since
    for unit in UNIT.findall(value):
        since = UNITS.get(unit)
        if since:
            yield unit, since


def tested(feature: str, supports: str) -> bool:
    """Whether the `@supports` around a declaration asks for its feature."""
    return feature.removesuffix("()").rpartition(": ")[2] in supports


def has_fallback(name: str, value: str, feature: str, earlier: list[tuple[str, str]]) -> bool:
    """Whether a browser that does not know a declaration uses an earlier one of the rule."""
    checked_late = "var(" in value and feature != name  # an unknown property is dropped all the same
    same = [known for property_, known in earlier if PREFIX.sub("", property_) == name]
    return (
        not name.startswith("--")
        and not checked_late
        and any(feature not in [late for late, _ in unknown(name, known)] or feature == name for known in same)
    )


class PageCheck(HTMLParser):
    """Finds elements and attributes of a page that are above the floor."""

    def __init__(self, allowed: frozenset[str]) -> None:
        super().__init__()
        self.found: list[tuple[int, str]] = []
        self._allowed = allowed

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = {f"<{tag}>": FEATURES["elements"].get(tag)}
        names |= {name: FEATURES["attributes"].get(name) for name, _ in attrs}
        for name, since in names.items():
            if since and name not in self._allowed:
                self.found.append((self.getpos()[0], f"{name}: {since}"))


PROVIDED = frozenset({"<dialog>"})
"""What a script provides where the browser does not: playground/static/modal.js."""


def check_page(text: str) -> list[tuple[int, str]]:
    """What in a page is above the floor: line and message."""
    page = PageCheck(PROVIDED)
    page.feed(text)
    return page.found


def main() -> None:
    problems = []
    for folder in PAGES:
        for path in sorted((ROOT / folder).iterdir()):
            text = path.read_text() if path.suffix in (".css", ".html") else ""
            found = check_styles(text) if path.suffix == ".css" else check_page(text)
            problems += [f"{path.relative_to(ROOT)}:{line}: above the floor: {problem}" for line, problem in found]
    if problems:
        raise SystemExit("\n".join(problems))
    print("Style sheets and pages: nothing above the floor without a fallback", file=sys.stdout)


if __name__ == "__main__":
    main()
