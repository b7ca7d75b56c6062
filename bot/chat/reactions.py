"""Sets 👀 on the message that asked for an edit, where that is allowed (docs/telegram.md#reactions).

Nothing depends on a reaction: it is tried once, only while there is room within the flood limits, and left out
otherwise.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import TypeVar

import structlog
from telegram.constants import ReactionEmoji
from telegram.error import BadRequest, Forbidden, RetryAfter, TelegramError
from telegram.ext import ExtBot

from bot.chat.api.bot_api_errors import description_contains
from bot.chat.api.flood_limiter import FloodLimiter, retry_after_seconds

Key = TypeVar("Key")
Value = TypeVar("Value")
log = structlog.get_logger()

MAX_CONCURRENT = 4
"""Reactions that are being set; further ones are left out."""

TIMEOUT = 10.0

REFUSED_SECONDS = 3600.0
"""How long a chat that refused a reaction gets none."""

MAX_REMEMBERED = 10_000
"""Chats, and albums, that are remembered."""


class Reactions:
    """Sets reactions.

    Args:
        bot: The Bot API.
        limiter: Its flood limits.
    """

    def __init__(self, bot: ExtBot[None], limiter: FloodLimiter) -> None:
        self._bot = bot
        self._limiter = limiter
        self._setting = 0
        self._not_before: OrderedDict[int, float] = OrderedDict()
        """By chat that refused: when to try again (event loop time)."""
        self._albums: OrderedDict[tuple[int, str], None] = OrderedDict()

    async def mark_seen(self, chat: int, message: int, album: str | None) -> None:
        """Set 👀 on a message, unless its chat refused that lately or messages wait for the limits.

        Args:
            chat: The chat.
            message: Id of the message.
            album: Its media group id: Telegram shows the reaction on the album's first photo, so one is enough.
        """
        now = asyncio.get_running_loop().time()
        if self._setting >= MAX_CONCURRENT or now < self._not_before.get(chat, now):
            return
        if album is not None and (chat, album) in self._albums:
            return
        self._setting += 1
        try:
            if self._limiter.delay(chat) > 0 or not await self._limiter.has_spare():
                return
            async with asyncio.timeout(TIMEOUT):
                await self._bot.set_message_reaction(chat, message, ReactionEmoji.EYES)
            if album is not None:
                _remember(self._albums, (chat, album), None)
        except RetryAfter as error:
            self._pause(chat, retry_after_seconds(error), error)
        except (BadRequest, Forbidden) as error:
            if not description_contains(error, "message to react not found"):  # it was deleted: others are not
                self._pause(chat, REFUSED_SECONDS, error)
        except (TelegramError, TimeoutError) as error:
            log.debug("reaction_not_set", reason=type(error).__name__)
        finally:
            self._setting -= 1

    def _pause(self, chat: int, seconds: float, error: TelegramError) -> None:
        _remember(self._not_before, chat, asyncio.get_running_loop().time() + seconds)
        log.info("reactions_paused", reason=error.message, seconds=seconds)


def _remember(table: OrderedDict[Key, Value], key: Key, value: Value) -> None:
    table[key] = value
    table.move_to_end(key)
    while len(table) > MAX_REMEMBERED:
        table.popitem(last=False)
