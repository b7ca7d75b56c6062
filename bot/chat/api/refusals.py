"""What Telegram's errors mean to an edit."""

from __future__ import annotations

from telegram.error import BadRequest, Forbidden, InvalidToken, TelegramError

from bot.edits.ports import ChatGoneError, StatusMessageGoneError
from bot.errors import BotError, OperatorError, OutageError, WorldError


def says(error: TelegramError, words: str) -> bool:
    """Whether Telegram's description contains these words (in lower case)."""
    return words in error.message.lower()


def explained(error: TelegramError) -> BotError:
    """Telegram's error as one of ours."""
    if isinstance(error, Forbidden):
        return ChatGoneError("chat-gone", reason=error.message)
    if isinstance(error, InvalidToken):
        return OperatorError("wrong-token")
    if isinstance(error, BadRequest):
        if says(error, "message to edit not found") or says(error, "message can't be edited"):
            return StatusMessageGoneError("status-gone")
        if says(error, "chat not found"):
            return ChatGoneError("chat-gone", reason=error.message)
        return WorldError("telegram-trouble", reason=error.message)
    return OutageError("telegram-trouble", reason=type(error).__name__)
