"""Telling the admins what only the operator can mend."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from telegram import Bot
from telegram.error import TelegramError

log = structlog.get_logger()

MAX_TEXT = 4096
"""Characters in a message (Bot API, sendMessage)."""


async def tell_admins(bot: Bot, admins: Iterable[int], text: str) -> None:
    """Send each admin a message; one that cannot be reached is logged, no more."""
    for admin in admins:
        try:
            await bot.send_message(admin, text[:MAX_TEXT])
        except TelegramError as error:
            log.warning("admin_not_told", admin=admin, reason=type(error).__name__)
