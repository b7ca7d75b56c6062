"""/settings and /language: what a person chooses for all their photos."""

from __future__ import annotations

import re
from functools import partial

from telegram import CallbackQuery, Message, Update

from bot.chat.commands import command_in
from bot.chat.handlers.welcome import answer
from bot.chat.services import Context
from bot.chat.settings_messages import SettingsView
from bot.chat.updates.identity import owner_of
from bot.chat.views.settings_keyboard import (
    AUTOMATIC,
    MAIN,
    OPTIONS,
    change,
    option_label,
    settings_keyboard,
    settings_text,
)
from bot.errors import PersonError
from bot.texts import LANGUAGE_NAMES, supported_language


async def show_settings(update: Update, context: Context) -> None:
    """/settings: the sender's settings, with buttons that change them. In a group they are the sender's own, too."""
    message = update.effective_message
    assert message is not None
    _post(message, MAIN, context)


async def choose_language(update: Update, context: Context) -> None:
    """/language: the languages as buttons; ``/language zh`` chooses one at once."""
    message = update.effective_message
    assert message is not None
    found = command_in(message)
    option = language_named(found[1]) if found is not None else None
    if option is None:
        _post(message, "language", context)
        return
    owner = owner_of(message)
    code = message.from_user.language_code if message.from_user and owner > 0 else None
    await _choose(owner, "language", option, code, context)
    context.language = context.services.texts.language(None if option == AUTOMATIC else option)
    if option == AUTOMATIC:
        context.language = context.services.texts.language(code)
    label = option_label(context.services.texts, context.language, "language", option)
    answer(update, context, "language-chosen", name=label)


def language_named(text: str) -> str | None:
    """The option of the language that a person names by its code or its name; None for none."""
    words = re.findall(r"\w+(?:-\w+)?", text.casefold())
    if len(words) != 1:
        return None
    (word,) = words
    names = {name.casefold(): code for code, name in LANGUAGE_NAMES.items()}
    more = {"chinese": "zh", "汉语": "zh", "简体中文": "zh", "英文": "en", "英语": "en"}
    automatic = {AUTOMATIC: AUTOMATIC, "automatic": AUTOMATIC, "自动": AUTOMATIC}
    return supported_language(word) or (names | more | automatic).get(word)


async def settings_pressed(query: CallbackQuery, person: str, wanted: str, context: Context) -> None:
    """A button of a settings message: show a view, or choose an option.

    Raises:
        PersonError: ``settings-not-yours``, ``too-old``.
    """
    services, shown = context.services, query.message
    if shown is None or not re.fullmatch(r"-?[0-9]{1,19}", person):
        raise PersonError("too-old")
    view, is_choice, option = wanted.partition("=")
    if view not in OPTIONS and wanted != MAIN:
        raise PersonError("too-old")
    owner = int(person)
    if await services.identities.acting_for(query.from_user.id, owner, shown.chat.id) != owner:
        raise PersonError("settings-not-yours")
    code = query.from_user.language_code if owner > 0 else None
    if is_choice:
        await _choose(owner, view, option, code, context)
    newest = SettingsView(owner, view, code)
    services.edits.run_in_background(partial(services.settings_messages.show, shown.chat.id, shown.message_id, newest))


async def _choose(owner: int, setting: str, option: str, code: str | None, context: Context) -> None:
    values, settings = change(setting, option), context.services.settings
    if setting == "language":
        shown = context.services.texts.language(values["language"] or code)
        await settings.change_language(owner, values["language"], shown=shown)
    else:
        await settings.change(owner, **values)


def _post(message: Message, view: str, context: Context) -> None:
    services, owner = context.services, owner_of(message)
    about = (services.texts, context.language, context.settings)
    text = settings_text(*about, owner=owner, view=view, hours=services.retention_hours)
    services.replies.send(message, text, keyboard=settings_keyboard(*about, owner=owner, view=view))
