"""Shows settings messages again after a press.

Telegram lets a bot edit about one message a second in a chat. Someone who presses ten buttons gets the newest state,
not ten states one after another.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from telegram import Bot
from telegram.error import TelegramError

from bot.chat.api.bot_api_errors import is_not_modified
from bot.chat.views.settings_keyboard import settings_keyboard, settings_text
from bot.edits.records.person_settings import PeopleSettings
from bot.errors import BotError
from bot.texts import Texts

log = structlog.get_logger()

MAX_MESSAGES = 1000
"""Messages that are being shown at a time; a further one is not shown, though its press counts."""


@dataclass(frozen=True, slots=True, eq=False)
class SettingsView:
    """What a settings message shows.

    Attributes:
        owner: Whose settings.
        view: The view; see `bot.chat.views.settings_keyboard`.
        language_code: Language code that Telegram reports for the person; None for a chat.
    """

    owner: int
    view: str
    language_code: str | None


class SettingsMessages:
    """Shows settings messages.

    Args:
        bot: The Bot API.
        settings: What people have chosen.
        texts: The catalogues.
        hours: How long history is kept.
    """

    def __init__(self, bot: Bot, settings: PeopleSettings, texts: Texts, hours: float) -> None:
        self._bot = bot
        self._settings = settings
        self._texts = texts
        self._hours = hours
        self._wanted: dict[tuple[int, int], SettingsView] = {}

    async def show(self, chat: int, message: int, wanted: SettingsView) -> None:
        """Show this view of the current settings in a message.

        If the message is just being shown, this returns at once, and it is shown again.
        """
        place = (chat, message)
        is_being_shown = place in self._wanted
        if not is_being_shown and len(self._wanted) >= MAX_MESSAGES:
            log.warning("settings_not_shown", reason="too many at a time")
            return
        self._wanted[place] = wanted
        if is_being_shown:
            return
        try:
            shown: SettingsView | None = None
            while self._wanted[place] is not shown:
                shown = self._wanted[place]
                await self._edit(chat, message, shown)
        except (TelegramError, BotError) as error:  # the message is gone, or the next press shows it
            log.info("settings_not_shown", message=message, reason=type(error).__name__)
        finally:
            del self._wanted[place]

    async def _edit(self, chat: int, message: int, wanted: SettingsView) -> None:
        settings = await self._settings.get(wanted.owner)
        language = self._texts.language(settings.language or wanted.language_code)
        owner, view = wanted.owner, wanted.view
        text = settings_text(self._texts, language, settings, owner=owner, view=view, hours=self._hours)
        keyboard = settings_keyboard(self._texts, language, settings, owner=owner, view=view)
        try:
            await self._bot.edit_message_text(text, chat, message, reply_markup=keyboard)
        except TelegramError as error:
            if not is_not_modified(error):
                raise
