"""Limits how often the bot answers that it does not understand, and skips texts beyond that limit.

Skipped texts are recognised as JSON, before python-telegram-bot makes objects of them and matches them against every
handler. Otherwise a flood of texts delays the photo that comes after it.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any

from bot.chat.meaning import background_named, meaning_of_words

REPEAT_SECONDS, MAX_REPEATS = 20.0, 2
"""In a chat the bot answers "I did not understand" at most this often in this many seconds."""

MAX_COUNTED_CHATS = 20_000

_PLAIN = frozenset({"message_id", "from", "chat", "date", "text"})
"""The fields of a plain text: no reply, not forwarded, without commands, links or other entities."""


class NotUnderstoodLimit:
    """Counts the "I did not understand" answers of each chat."""

    def __init__(self) -> None:
        self._answered: OrderedDict[int, tuple[float, int]] = OrderedDict()
        """By chat: when the current period began (event loop time), and the answers in it."""

    def may_reply(self, chat: int) -> bool:
        """Whether the bot may answer a chat once more; counts the answer."""
        now = asyncio.get_running_loop().time()
        began, count = self._answered.get(chat, (now, 0))
        if now - began >= REPEAT_SECONDS:
            began, count = now, 0
        self._answered[chat] = (began, count + 1)
        self._answered.move_to_end(chat)
        while len(self._answered) > MAX_COUNTED_CHATS:
            self._answered.popitem(last=False)
        return count < MAX_REPEATS

    def can_be_skipped(self, update: dict[str, Any]) -> bool:
        """Whether an update, as JSON, is a text that has no meaning for the bot and would get no answer."""
        message = update.get("message")
        if not isinstance(message, dict) or not message.keys() <= _PLAIN:
            return False
        chat, text = message.get("chat"), message.get("text")
        if not isinstance(chat, dict) or chat.get("type") != "private" or not isinstance(text, str):
            return False
        began, count = self._answered.get(chat["id"], (0.0, 0)) if isinstance(chat.get("id"), int) else (0.0, 0)
        if count < MAX_REPEATS or asyncio.get_running_loop().time() - began >= REPEAT_SECONDS:
            return False
        return not text.startswith("/") and background_named(text) is None and meaning_of_words(text) is None

    def without_skipped(self, updates: list[Any]) -> list[Any]:
        """The updates of one getUpdates without the skipped ones. The last one stays: its id confirms all before it."""
        return [update for update in updates[:-1] if not self.can_be_skipped(update)] + updates[-1:]
