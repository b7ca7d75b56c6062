"""Turns errors of the Bot API into the bot's own. See docs/telegram.md#refusals."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from bot.edits.ports import ChatGoneError, StatusMessageGoneError
from bot.errors import BotError, OperatorError, OutageError, WorldError


def description_contains(error: TelegramError, words: str) -> bool:
    """Whether Telegram's error description contains these words, given in lower case."""
    return words in error.message.lower()


def is_not_modified(error: TelegramError) -> bool:
    """Whether a message was not changed because it is already as asked."""
    return description_contains(error, "not modified")


def to_bot_error(error: TelegramError) -> BotError:
    """The `BotError` that a Telegram error means for an edit."""
    if isinstance(error, Forbidden):
        return ChatGoneError("chat-gone", reason=error.message)
    if isinstance(error, InvalidToken):
        return OperatorError("wrong-token")
    if isinstance(error, BadRequest):
        if description_contains(error, "message to edit not found") or description_contains(
            error, "message can't be edited"
        ):
            return StatusMessageGoneError("status-gone")
        if description_contains(error, "chat not found"):
            return ChatGoneError("chat-gone", reason=error.message)
        return WorldError("telegram-trouble", reason=error.message)
    return OutageError("telegram-trouble", reason=type(error).__name__)


@contextlib.contextmanager
def translated_errors() -> Iterator[None]:
    """Raise Telegram's errors as `BotError`; "message is not modified" counts as success."""
    try:
        yield
    except TelegramError as error:
        if not is_not_modified(error):
            raise to_bot_error(error) from error
