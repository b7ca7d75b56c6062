"""Texts that mean nothing to the bot, in a chat that has just been told so: nothing is done about them.

They are recognised as JSON. python-telegram-bot makes some sixty objects of an update and matches it against every
handler; a flood of texts would hold up the photo behind it for that.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from bot.chat.meaning import background_named, meaning_of_words

REPEAT_SECONDS, MAX_REPEATS = 20.0, 2
"""Seconds in which "I did not understand" is said at most this often in a chat."""

MAX_COUNTED_CHATS = 20_000

_PLAIN = frozenset({"message_id", "from", "chat", "date", "text"})
"""The fields of a text that replies to nothing, is not forwarded, and has no command, link or other entity in it."""


class SmallTalk:
    """Counts how often each chat was told that the bot did not understand."""

    def __init__(self) -> None:
        self._told: OrderedDict[int, tuple[float, int]] = OrderedDict()
        """By chat: when it was told first in a series (event loop time), and how often since."""

    def may_tell(self, chat: int) -> bool:
        """Whether a chat may be told once more; counts it."""
        now = asyncio.get_running_loop().time()
        began, count = self._told.get(chat, (now, 0))
        if now - began >= REPEAT_SECONDS:
            began, count = now, 0
        self._told[chat] = (began, count + 1)
        self._told.move_to_end(chat)
        while len(self._told) > MAX_COUNTED_CHATS:
            self._told.popitem(last=False)
        return count < MAX_REPEATS

    def is_idle(self, update: dict[str, Any]) -> bool:
        """Whether an update, as Telegram sent it, is a text that the bot would only not understand once more."""
        message = update.get("message")
        if not isinstance(message, dict) or not message.keys() <= _PLAIN:
            return False
        chat, text = message.get("chat"), message.get("text")
        if not isinstance(chat, dict) or chat.get("type") != "private" or not isinstance(text, str):
            return False
        began, count = self._told.get(chat["id"], (0.0, 0)) if isinstance(chat.get("id"), int) else (0.0, 0)
        if count < MAX_REPEATS or asyncio.get_running_loop().time() - began >= REPEAT_SECONDS:
            return False
        return not text.startswith("/") and background_named(text) is None and meaning_of_words(text) is None

    def without_idle(self, updates: list[Any]) -> list[Any]:
        """Updates of one getUpdates without the idle ones. The last one stays: its id confirms those before it."""
        return [update for update in updates[:-1] if not self.is_idle(update)] + updates[-1:]
