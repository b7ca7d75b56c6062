"""The buttons of /settings, and the languages that people name."""

from __future__ import annotations

import pytest

from bot.chat.handlers.settings import language_named
from bot.chat.views.settings_keyboard import MAIN, OPTIONS, change, chosen, settings_keyboard, settings_text
from bot.edits.person_settings import NOTHING_CHOSEN, PersonSettings
from bot.texts import LANGUAGE_NAMES, LANGUAGES, Texts

TEXTS = Texts()
LONGEST_ID = -(2**52)


def test_every_option_can_be_chosen_and_is_then_the_chosen_one() -> None:
    for setting, options in OPTIONS.items():
        for option in options:
            assert chosen(PersonSettings(**change(setting, option)))[setting] == option


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("view", [MAIN, *OPTIONS])
def test_every_view_fits_telegram_and_a_phone(language: str, view: str) -> None:
    keyboard = settings_keyboard(TEXTS, language, NOTHING_CHOSEN, owner=LONGEST_ID, view=view)
    for row in keyboard.inline_keyboard:
        for button in row:
            assert len(str(button.callback_data).encode()) <= 64
            assert len(button.text) <= 28 // len(row) + 4
    text = settings_text(TEXTS, language, NOTHING_CHOSEN, owner=7, view=view, hours=24)
    assert len(text) < 450
    marked = [button.text for row in keyboard.inline_keyboard for button in row if button.text.startswith("✅")]
    assert len(marked) == (view != MAIN)


def test_every_language_has_its_own_name() -> None:
    assert set(LANGUAGE_NAMES) == set(LANGUAGES)


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("zh", "zh"), ("zh-hans", "zh"), ("ZH_cn", "zh"), ("中文", "zh"), ("Chinese!", "zh"), ("en", "en"),
        ("english", "en"), ("English, please", None), ("英语", "en"), ("auto", "auto"), ("Automatic", "auto"),
        ("自动", "auto"), ("", None), ("de", None), ("zhongwen", None), ("\u2067", None), ("e" * 4000, None),
    ],
)  # fmt: skip
def test_a_language_is_known_by_its_code_and_its_names(text: str, option: str | None) -> None:
    assert language_named(text) == option
