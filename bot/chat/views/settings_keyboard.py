"""The message of /settings: its text and its buttons, which change the settings in place.

Callback data is ``s:OWNER:VIEW``, which shows a view, or ``s:OWNER:SETTING=OPTION``, which chooses an option. It says
what is wanted, never the current state, so pressing an old button or pressing twice does no harm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.edits.finishes import FINISHES
from bot.edits.history import LONGEST_MINUTES, SHORTEST_MINUTES
from bot.edits.model import Operation
from bot.edits.person_settings import Delivery, PersonSettings
from bot.errors import PersonError
from bot.texts import LANGUAGE_NAMES, LANGUAGES, Texts

MAIN = "main"
"""The view of all settings. Each setting has a view with its options, under its own name."""

AUTOMATIC, ASK, KEEP, FORGET = "auto", "ask", "keep", "forget"

OPTIONS: Mapping[str, tuple[str, ...]] = {
    "language": (AUTOMATIC, *LANGUAGES),
    "finish": tuple(finish for finish in FINISHES if finish != "mask"),  # not useful as a default
    "delivery": tuple(Delivery),
    "bare": (ASK, Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND),
    "history": (KEEP, FORGET),
}
"""The settings in their order, and the options of each."""


def chosen(settings: PersonSettings) -> dict[str, str]:
    """The chosen option of each setting."""
    return {
        "language": settings.language or AUTOMATIC,
        "finish": settings.finish,
        "delivery": settings.delivery,
        "bare": settings.bare_photos or ASK,
        "history": KEEP if settings.keeps_history else FORGET,
    }


def change(setting: str, option: str) -> dict[str, Any]:
    """An option as the attributes of `PersonSettings` that it sets. Both come from strangers, in callback data.

    Raises:
        PersonError: ``too-old``: there is no such setting or option.
    """
    if option not in OPTIONS.get(setting, ()):
        raise PersonError("too-old")
    if setting == "language":
        return {"language": None if option == AUTOMATIC else option}
    if setting == "bare":
        return {"bare_photos": None if option == ASK else Operation(option)}
    if setting == "history":
        return {"keeps_history": option == KEEP}
    return {setting: option}


def settings_text(texts: Texts, language: str, settings: PersonSettings, *, owner: int, view: str, hours: float) -> str:
    """The text of a view.

    Args:
        texts: The catalogues.
        language: Language of the text.
        settings: The settings.
        owner: Whose they are: a person, or a chat with a negative id.
        view: `MAIN` or a setting.
        hours: How long history is kept.
    """
    if view != MAIN:
        minutes = {"minutes": SHORTEST_MINUTES, "most": LONGEST_MINUTES}
        return texts.get(language, f"settings-{view}", hours=f"{hours:g}", **minutes)
    title = texts.get(language, "settings" if owner > 0 else "settings-of-chat")
    options = chosen(settings)
    lines = []
    for setting in OPTIONS:
        label = option_label(texts, language, setting, options[setting])
        if options[setting] == AUTOMATIC:
            label += f" ({LANGUAGE_NAMES[language]})"
        name = texts.get(language, f"button-settings-{setting}")
        lines.append(f"{name} – {label}")
    return "\n".join([title, "", *lines])


def settings_keyboard(
    texts: Texts, language: str, settings: PersonSettings, *, owner: int, view: str
) -> InlineKeyboardMarkup:
    """The buttons of a view: the settings, or the options of one with the chosen one marked, and the way back."""
    if view == MAIN:
        names = [(texts.get(language, f"button-settings-{name}"), f"s:{owner}:{name}") for name in OPTIONS]
        return InlineKeyboardMarkup(_rows(names, 2))
    now = chosen(settings)[view]
    labels = {option: option_label(texts, language, view, option) for option in OPTIONS[view]}
    choices = [
        (f"✅ {label}" if option == now else label, f"s:{owner}:{view}={option}") for option, label in labels.items()
    ]
    back = (texts.get(language, "button-back"), f"s:{owner}:{MAIN}")
    return InlineKeyboardMarkup([*_rows(choices, 2 if view == "finish" else 1), *_rows([back], 1)])


def option_label(texts: Texts, language: str, setting: str, option: str) -> str:
    """What a person reads for an option. Languages are called by their own names."""
    if setting == "finish":
        return texts.get(language, f"button-{option}")
    return LANGUAGE_NAMES.get(option) or texts.get(language, f"option-{setting}-{option}")


def _rows(buttons: Sequence[tuple[str, str]], width: int) -> list[list[InlineKeyboardButton]]:
    made = [InlineKeyboardButton(label, callback_data=data) for label, data in buttons]
    return [made[first : first + width] for first in range(0, len(made), width)]
