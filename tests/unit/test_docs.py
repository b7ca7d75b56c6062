"""The documents are true: what they and the comments point to exists, and the words are plain."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
CODE_FOLDERS = ("bot", "webapp", "tests", "tools")
TEXT_SUFFIXES = {".css", ".html", ".js", ".md", ".mjs", ".po", ".py", ".toml", ".ts", ".txt"}
SKIPPED_FOLDERS = {"__pycache__", "node_modules"}
HERE = Path(__file__)

EXAMPLES = (
    "bot/engines/smear.py",
    "bot/texts/locales/de/",
    "bot/storage/migrations/versions/NNNN_what.py",
)
"""Paths in CONTRIBUTING.md that a reader is to create."""

READS_PHOTOS = (
    "tests/benchmarks/",
    "tests/support.py",
    "tests/unit/imaging/",
    "tests/unit/segmentation/",
)
"""What may read the photos beside the checkout."""

NOT_PLAIN = re.compile(r"\b(?:whom?ever|(?:some|no)body|le[s]t|ane[w]|sha[l]l)\b", re.IGNORECASE)
"""Words that plain technical English does without; written so that a search for them does not find this line."""

OLD_FACTS = re.compile(r"\bfacts/|\bfacts [A-G]\d?\b|[;:] facts: |\bfacts on\b|\(facts (?:and|[A-Z])")
"""How comments once referred to notes that are not in the repository."""

DOCUMENT = re.compile(r"\bdocs/([\w-]+\.md)(?:#([\w-]+))?")
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.DOTALL | re.MULTILINE)
PATH = re.compile(r"(?<![\w./-])(?:bot|webapp|tests|tools|docs|requirements)/[\w./*-]*\w[\w./*-]*")
NAMED = re.compile(r"`(?:\w+\.)?(\w+)(?:\(\))?` (?:in|of)\s+`((?:bot|webapp|tests|tools)/[\w./-]+\.\w+)`")


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def documents() -> tuple[Path, ...]:
    """The Markdown files that describe the project."""
    return (*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md")))


@cache
def sources() -> tuple[Path, ...]:
    """The text files of the program, its tests and its tools."""
    found = [path for folder in CODE_FOLDERS for path in (ROOT / folder).rglob("*") if path.suffix in TEXT_SUFFIXES]
    return tuple(sorted(path for path in found if not SKIPPED_FOLDERS & set(path.parts) and path != HERE))


def headings(text: str) -> Iterator[str]:
    for line in FENCE.sub("", text).splitlines():
        found = re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if found:
            yield found[1]


@cache
def anchors(path: Path) -> frozenset[str]:
    """The anchors of a Markdown file's headings, as GitHub makes them."""
    known: Counter[str] = Counter()
    made = set()
    for heading in headings(path.read_text(encoding="utf-8")):
        text = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", heading)
        slug = re.sub(r"[^\w\- ]", "", text.strip().lower()).replace(" ", "-")
        made.add(f"{slug}-{known[slug]}" if known[slug] else slug)
        known[slug] += 1
    return frozenset(made)


@pytest.mark.parametrize(
    ("heading", "anchor"),
    [
        ("# Where a setting is checked", "where-a-setting-is-checked"),
        ("## What happens at kill -9", "what-happens-at-kill--9"),
        ("## Volcengine's signature, our transport", "volcengines-signature-our-transport"),
        ("### The `make` step, [linked](x.md)", "the-make-step-linked"),
    ],
)
def test_anchors_follow_githubs_rules(heading: str, anchor: str, tmp_path: Path) -> None:
    path = tmp_path / "some.md"
    path.write_text(f"{heading}\n\n```\n# no heading\n```\n", encoding="utf-8")
    assert anchors(path) == {anchor}


def test_a_repeated_heading_gets_a_number(tmp_path: Path) -> None:
    path = tmp_path / "some.md"
    path.write_text("# Same\n## Same\n", encoding="utf-8")
    assert anchors(path) == {"same", "same-1"}


def test_every_section_that_a_text_refers_to_exists() -> None:
    dangling = []
    for path in (*sources(), *documents()):
        for name, anchor in DOCUMENT.findall(path.read_text(encoding="utf-8")):
            document = ROOT / "docs" / name
            if not document.is_file() or (anchor and anchor not in anchors(document)):
                dangling.append(f"{_name(path)}: docs/{name}#{anchor}")
    assert dangling == []


def test_every_relative_link_leads_somewhere() -> None:
    broken = []
    markdown = [path for path in sources() if path.suffix == ".md"]
    for path in (*documents(), *markdown):
        for target in LINK.findall(FENCE.sub("", path.read_text(encoding="utf-8"))):
            if re.match(r"[a-z][a-z+.-]*:", target):
                continue
            name, _, anchor = target.partition("#")
            linked = (path.parent / name).resolve() if name else path
            exists = linked.exists() and linked.is_relative_to(ROOT)
            if not exists or (anchor and anchor not in anchors(linked)):
                broken.append(f"{_name(path)}: {target}")
    assert broken == []


def test_every_path_that_a_document_names_exists() -> None:
    missing = []
    for path in documents():
        text = re.sub(r"https?://\S+", "", path.read_text(encoding="utf-8"))
        for found in PATH.findall(text):
            named = found.rstrip(".")
            if named not in EXAMPLES and not any(ROOT.glob(named.rstrip("/"))):
                missing.append(f"{_name(path)}: {named}")
    assert missing == []


def test_every_name_that_a_document_gives_with_its_file_is_in_that_file() -> None:
    wrong = []
    for path in documents():
        for name, file in NAMED.findall(path.read_text(encoding="utf-8")):
            if not re.search(rf"\b{name}\b", (ROOT / file).read_text(encoding="utf-8")):
                wrong.append(f"{_name(path)}: {name} in {file}")
    assert wrong == []


def test_nothing_refers_to_notes_outside_the_repository() -> None:
    found = []
    for path in (*sources(), *documents()):
        may_read_photos = _name(path).startswith(READS_PHOTOS)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if OLD_FACTS.search(line) or ("../shared" in line and not may_read_photos):
                found.append(f"{_name(path)}:{number}: {line.strip()}")
    assert found == []


def test_words_that_are_not_plain_occur_at_most_once_in_a_thousand_lines() -> None:
    lines, found = 0, Counter[str]()
    for path in sources():
        text = path.read_text(encoding="utf-8")
        lines += text.count("\n")
        found[_name(path)] += len(NOT_PLAIN.findall(text))
    assert found.total() <= lines / 1000, f"{found.total()} in {lines} lines: {found.most_common(20)}"


@pytest.mark.parametrize("name", ["README.md", "README.zh.md"])
def test_the_settings_that_a_readme_lists_exist(name: str) -> None:
    rows = [line for line in (ROOT / name).read_text().splitlines() if re.match(r"\| `[A-Z]", line)]
    listed = {setting for row in rows for setting in re.findall(r"`([A-Z][A-Z_]+)`", row.split("|")[1])}
    assert len(listed) >= 15
    assert {setting.lower() for setting in listed} <= set(Settings.model_fields)
