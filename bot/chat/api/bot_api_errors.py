"""Turns errors of the Bot API into the bot's own. See docs/telegram.md#refusals.

The library's class says little: 404 of a file is a wrong token to it, and a right that is missing is a bad request. So
the description decides, and the transport says what was asked for (`bot.chat.api.transport`).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

import structlog
from telegram.error import BadRequest, ChatMigrated, Forbidden, InvalidToken, TelegramError

from bot.edits.ports import ChatGoneError, ChatMovedError, PicturesRefusedError, StatusMessageGoneError
from bot.errors import BotError, OutageError, WorldError

log = structlog.get_logger()

_NO_MESSAGES = re.compile(
    r"chat not found|not enough rights to send (text )?messages|no rights to send a message|chat_write_forbidden"
    r"|chat_restricted|chat_send_plain_forbidden|chat_admin_required|topic_closed|topic_deleted"
    r"|need administrator rights in the channel|group chat was deactivated|peer_id_invalid|user_deactivated",
    re.IGNORECASE,
)
"""Descriptions that mean: the bot cannot write to this chat."""

_NO_PICTURES = re.compile(
    r"not enough rights to send (photos|documents|media)|chat_send_(photos|docs|media)_forbidden", re.IGNORECASE
)
"""Descriptions that mean: the bot may write to this chat, but not send pictures."""


def description_contains(error: TelegramError, words: str) -> bool:
    """Whether Telegram's error description contains these words, given in lower case."""
    return words in error.message.lower()


def is_not_modified(error: TelegramError) -> bool:
    """Whether a message was not changed because it is already as asked."""
    return description_contains(error, "not modified")


def to_bot_error(error: TelegramError) -> BotError:
    """The `BotError` that a Telegram error means for an edit."""
    reason = error.message
    if isinstance(error, ChatMigrated):
        return ChatMovedError("telegram-trouble", reason=reason)
    if isinstance(error, Forbidden):
        return ChatGoneError("chat-gone", reason=reason)
    if isinstance(error, InvalidToken):
        # Only the operator can act, so the person is not told of tokens. The step waits for a start with the right one.
        log.error("telegram_refuses_the_token", reason=reason)
        return OutageError("telegram-trouble", reason=reason)
    if isinstance(error, BadRequest):
        if description_contains(error, "message to edit not found") or description_contains(
            error, "message can't be edited"
        ):
            return StatusMessageGoneError("status-gone")
        if _NO_PICTURES.search(reason):
            return PicturesRefusedError("pictures-not-allowed", reason=reason)
        if _NO_MESSAGES.search(reason):
            return ChatGoneError("chat-gone", reason=reason)
        return WorldError("telegram-trouble", reason=reason)
    return OutageError("telegram-trouble", reason=type(error).__name__)


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raise Telegram's errors as `BotError`; "message is not modified" counts as success."""
    try:
        yield
    except TelegramError as error:
        if not is_not_modified(error):
            raise to_bot_error(error) from error
