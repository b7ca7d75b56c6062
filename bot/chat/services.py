"""What handlers are handed: the edits' door, the texts, and the few values they need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog
from telegram import Message, User
from telegram.error import TelegramError
from telegram.ext import Application, CallbackContext, ExtBot

from bot.chat.keyboards import Keyboards
from bot.chat.texts import Texts
from bot.edits.choices import Choices
from bot.edits.service import Edits

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ChatServices:
    """What handlers need.

    Attributes:
        edits: The door to the edits.
        choices: Lets a person correct a wrong find.
        texts: What is said.
        keyboards: What can be pressed.
        allowed_users: Who may use the bot; empty: everyone.
        max_file_bytes: Larger files are refused at once.
        retention_hours: How long things are kept; told in /help.
        failures: Updates whose handler failed, for `intake`: it does not confirm them.
    """

    edits: Edits
    choices: Choices
    texts: Texts
    keyboards: Keyboards
    allowed_users: frozenset[int]
    max_file_bytes: int
    retention_hours: float
    failures: dict[int, Exception] = field(default_factory=dict)

    def say(self, user: User | None, message_id: str, **values: object) -> str:
        """A text in the person's language."""
        return self.texts.get(self.language(user), message_id, **values)

    def language(self, user: User | None) -> str:
        """The language that the person is spoken to in."""
        return self.texts.language(user.language_code if user else None)

    def note_unsent(self, message: Message | None, error: TelegramError) -> None:
        """Log that something was not said that need not be."""
        log.info("reply_not_sent", message=message.message_id if message else None, reason=type(error).__name__)


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """The handlers' context, with the house in it."""

    @property
    def services(self) -> ChatServices:
        """What handlers need."""
        services = self.bot_data["services"]
        assert isinstance(services, ChatServices)
        return services


App: TypeAlias = Application[
    ExtBot[None],
    Context,
    dict[Any, Any],
    dict[Any, Any],
    dict[Any, Any],
    None,
]


def sender(message: Message) -> int:
    """Whose request a message is: the person, or the chat where an anonymous admin or a channel speaks."""
    return message.from_user.id if message.from_user else message.chat.id
