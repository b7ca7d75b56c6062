"""The catalogues: both languages have the same ids and placeholders, and every id that the code uses exists."""

from __future__ import annotations

import re
import string
from pathlib import Path

import pytest

from bot.errors import BotError, PersonError
from bot.texts import LANGUAGES, Texts, catalogue

BOT = Path(__file__).resolve().parents[2] / "bot"


def texts_of(language: str) -> dict[str, str]:
    return {key: text for key, text in catalogue(language)._catalog.items() if key and isinstance(key, str)}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_placeholders() -> None:
    english, chinese = (texts_of(language) for language in LANGUAGES)
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert placeholders(text) == placeholders(chinese[key]), key


def test_no_text_is_empty_or_untranslated() -> None:
    english, chinese = (texts_of(language) for language in LANGUAGES)
    assert all(english.values())
    for key, text in chinese.items():
        assert re.search(r"[\u4e00-\u9fff]", text), key


def test_every_error_of_the_program_has_a_text() -> None:
    source = "\n".join(path.read_text() for path in BOT.rglob("*.py") if "playground" not in path.parts)
    used = set(re.findall(r"\b[A-Z][A-Za-z]+Error\(\s*\"([a-z]+(?:-[a-z]+)+)\"", source))
    assert {"photo-broken", "nothing-found", "took-too-long"} <= used
    assert used - texts_of("en").keys() == {"wrong-setting", "chat-gone", "status-gone"}


@pytest.mark.parametrize(
    ("code", "language"), [("zh-hans", "zh"), ("zh_TW", "zh"), ("en-GB", "en"), ("de", "en"), (None, "en")]
)
def test_a_language_code_selects_a_catalogue(code: str | None, language: str) -> None:
    assert Texts("en").language(code) == language


def test_other_languages_get_the_default() -> None:
    assert Texts("zh").language("de") == "zh"


def test_an_error_without_a_text_gets_a_general_one() -> None:
    texts = Texts()
    assert texts.error("en", BotError("unknown-id")) == texts.get("en", "something-broke")


def test_an_errors_text_contains_its_facts() -> None:
    text = Texts().error("zh", PersonError("photo-too-large", megabytes=25.0, limit=20))
    assert "25.0 MB" in text
    assert "20 MB" in text
