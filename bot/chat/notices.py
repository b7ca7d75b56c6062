"""Notifies the admins of problems that only the operator can fix."""

from __future__ import annotations

from collections.abc import Iterable

import structlog
from telegram import Bot
from telegram.error import ChatMigrated, TelegramError

log = structlog.get_logger()

MAX_TEXT_LENGTH = 4096
"""Characters in a message (sendMessage; docs/telegram.md#message-lengths)."""


async def tell_admins(bot: Bot, admins: Iterable[int], text: str) -> bool:
    """Send each admin a message; a failure is only logged. Returns whether one of them got it."""
    is_told = False
    for admin in admins:
        try:
            try:
                await bot.send_message(admin, text[:MAX_TEXT_LENGTH])
            except ChatMigrated as error:  # the admins' group became a supergroup
                log.warning("admins_group_moved", old=admin, new=error.new_chat_id, advice="change ADMINS")
                await bot.send_message(error.new_chat_id, text[:MAX_TEXT_LENGTH])
        except TelegramError as error:
            log.warning("admin_not_notified", admin=admin, reason=type(error).__name__)
        else:
            is_told = True
    return is_told
