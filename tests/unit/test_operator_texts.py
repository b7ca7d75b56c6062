"""The operator's catalogue: Chinese for every text that the program uses, with the same placeholders, and no other."""

from __future__ import annotations

import argparse
import ast
import os
import pickle
import re
import string
from collections.abc import Iterator
from pathlib import Path

from bot.models.registry import MODELS
from bot.operator_text import OperatorText
from bot.texts import catalogue
from bot.texts.operator_texts import translated

BOT = Path(__file__).resolve().parents[2] / "bot"

TEXTS = {"OperatorText": 1, "tr": 1, "_usage": 1, "ok": 2, "warn": 2, "fail": 2}
"""Functions that take texts as their first arguments, and how many."""

VARIABLES = {"text", "advice", "SUBJECT"}
"""Where some of them are put first."""

SWEPT = {"edits", "offers", "pending commands", "people", "files"}
"""What a sweep counts; checked by `test_other_commands`."""

SYSTEM = {os.strerror(number) for number in range(1, 134)}


def strings(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from strings(node.body)
        yield from strings(node.orelse)


def used() -> set[str]:
    """Every text of the program's code."""
    found = set()
    for path in BOT.rglob("*.py"):
        source = path.read_text()
        if "OperatorText" not in source and "bot.doctor" not in source and "terminal import" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in TEXTS:
                for argument in node.args[: TEXTS[node.func.id]]:
                    found |= set(strings(argument))
            elif isinstance(node, ast.Assign) and {getattr(t, "id", "") for t in node.targets} & VARIABLES:
                found |= set(strings(node.value))
    return found - {""}


def not_in_calls() -> set[str]:
    """Texts that the code takes from somewhere else."""
    return SWEPT | {model.about for model in MODELS.values()} | {model.terms for model in MODELS.values()} - {""}


def argparses() -> set[str]:
    """The messages of this Python's argparse."""
    found = set()
    for node in ast.walk(ast.parse(Path(argparse.__file__).read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "ngettext"):
            for argument in node.args[:2]:
                found |= set(strings(argument))
    return found


def chinese() -> dict[str, str]:
    return {key: text for key, text in catalogue("zh", "operator")._catalog.items() if key and isinstance(key, str)}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name} | set(
        re.findall(r"%\(\w+\)[sr]|%[sr]", text)
    )


# No sentence, so the same in Chinese.
SAME = {"{fault}", "{name}", "%(prog)s: error: %(message)s\n"}


def test_every_text_is_translated() -> None:
    missing = (used() | not_in_calls()) - SAME - chinese().keys()
    assert not missing, "\n".join(sorted(missing))


def test_the_catalogue_has_no_text_that_nothing_uses() -> None:
    unused = chinese().keys() - used() - not_in_calls() - SYSTEM - argparses()
    of_other_pythons = {key for key in unused if key in OF_OTHER_PYTHONS}
    assert unused == of_other_pythons


def test_placeholders_are_the_same() -> None:
    for key, text in chinese().items():
        assert placeholders(key) == placeholders(text), key


def test_every_translation_is_chinese_with_its_punctuation() -> None:
    for key, text in chinese().items():
        words = re.sub(r"`[^`]*`|\{\w+\}|%\(\w+\)[sr]", "", text)
        if re.search(r"[A-Za-z]{3,} [a-z]{3,}", re.sub(r"\{\w+\}|%\(\w+\)[sr]|%[sr]", "", key)):
            assert re.search(r"[\u4e00-\u9fff]", text), key
        assert not re.search(r"[\u4e00-\u9fff][,;:?!]|[,;:?!](?=[\u4e00-\u9fff])", words), text


def test_a_text_is_english_for_logs_and_chinese_for_the_terminal() -> None:
    reason = OperatorText("Permission denied")
    text = OperatorText("no {file} in {folder}", file="a", folder=reason)
    assert text == "no a in Permission denied"
    assert translated(text, "en") == text
    assert translated(text, "zh") == "权限不够 里没有 a"
    assert translated(pickle.loads(pickle.dumps(text)), "zh") == translated(text, "zh")
    assert translated(OperatorText("not in the catalogue: {n}", n=1), "zh") == "not in the catalogue: 1"


OF_OTHER_PYTHONS = {
    "%(heading)s:",
    "show program's version number and exit",
    "invalid choice: %(value)r, maybe you meant %(maybe_value)r?",
}
"""argparse's messages of Python 3.12 and newer."""

if __name__ == "__main__":
    for text in sorted((used() | not_in_calls()) - SAME):
        print(repr(text))
