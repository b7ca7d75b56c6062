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

ALL_CHATS_SECONDS, MAX_IN_ALL_CHATS = 10.0, 150
"""The same limit for all chats together: half of the 30 messages a second that Telegram allows a bot. Beyond it the
answers would come too late to help, and delay everything else."""

MAX_COUNTED_CHATS = 20_000

_PLAIN = frozenset({"message_id", "from", "chat", "date", "text"})
"""The fields of a plain text: no reply, not forwarded, without commands, links or other entities."""


class NotUnderstoodLimit:
    """Counts the "I did not understand" answers of each chat."""

    def __init__(self) -> None:
        self._answered: OrderedDict[int, tuple[float, int]] = OrderedDict()
        """By chat: when the current period began (event loop time), and the answers in it."""
        self._answered_in_all: tuple[float, int] = (0.0, 0)
        """The same for all chats together."""

    def may_reply(self, chat: int) -> bool:
        """Whether the bot may answer a chat once more; counts the answer."""
        now = asyncio.get_running_loop().time()
        if self._is_all_used(now) or self._is_used(chat, now):
            return False
        self._answered[chat] = _one_more(self._answered.get(chat), now, REPEAT_SECONDS)
        self._answered.move_to_end(chat)
        while len(self._answered) > MAX_COUNTED_CHATS:
            self._answered.popitem(last=False)
        self._answered_in_all = _one_more(self._answered_in_all, now, ALL_CHATS_SECONDS)
        return True

    def can_be_skipped(self, update: dict[str, Any]) -> bool:
        """Whether an update, as JSON, is a text that has no meaning for the bot and would get no answer."""
        message = update.get("message")
        if not isinstance(message, dict) or not message.keys() <= _PLAIN:
            return False
        chat, text = message.get("chat"), message.get("text")
        if not isinstance(chat, dict) or chat.get("type") != "private" or not isinstance(text, str):
            return False
        id_, now = chat.get("id"), asyncio.get_running_loop().time()
        if not isinstance(id_, int) or not (self._is_all_used(now) or self._is_used(id_, now)):
            return False
        return not text.startswith("/") and background_named(text) is None and meaning_of_words(text) is None

    def without_skipped(self, updates: list[Any]) -> list[Any]:
        """The updates of one getUpdates without the skipped ones. The last one stays: its id confirms all before it."""
        return [update for update in updates[:-1] if not self.can_be_skipped(update)] + updates[-1:]

    def _is_used(self, chat: int, now: float) -> bool:
        """Whether a chat got all the answers of its current period."""
        began, count = self._answered.get(chat, (now, 0))
        return count >= MAX_REPEATS and now - began < REPEAT_SECONDS

    def _is_all_used(self, now: float) -> bool:
        """Whether all chats together got all the answers of the current period."""
        began, count = self._answered_in_all
        return count >= MAX_IN_ALL_CHATS and now - began < ALL_CHATS_SECONDS


def _one_more(answered: tuple[float, int] | None, now: float, seconds: float) -> tuple[float, int]:
    """A period's count after one more answer; a new period where the last one is over."""
    began, count = answered or (now, 0)
    return (began, count + 1) if now - began < seconds else (now, 1)
