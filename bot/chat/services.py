"""What handlers get from their context: edits, texts and a few settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

import structlog
from telegram import Message, User
from telegram.error import TelegramError
from telegram.ext import Application, CallbackContext, ExtBot

from bot.chat.announcements import AnnouncementSender
from bot.chat.payments import PaymentServices
from bot.chat.replies import Replies
from bot.chat.settings_messages import SettingsMessages
from bot.chat.updates.identity import Identities
from bot.edits.banning import Banning
from bot.edits.choices import Choices
from bot.edits.person_deletion import PersonDeletion
from bot.edits.person_settings import NOTHING_CHOSEN, PersonSettings
from bot.edits.records.announcements import Announcements
from bot.edits.records.bans import Bans
from bot.edits.records.chat_moves import ChatMoves
from bot.edits.records.people import People
from bot.edits.records.person_settings import PeopleSettings
from bot.edits.records.statistics import Statistics
from bot.edits.service import Edits
from bot.edits.unasked import Unasked
from bot.edits.variants import Variants
from bot.texts import Texts

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OperatorServices:
    """What the operators' commands need.

    Attributes:
        admins: Telegram user ids of those who may use them.
        banning: Bans people.
        statistics: What /stats shows.
        announcements: The recorded announcements.
        sender: Sends them.
        price_per_call: What a successful call of the cloud costs; 0: not known.
    """

    admins: frozenset[int]
    banning: Banning
    statistics: Statistics
    announcements: Announcements
    sender: AnnouncementSender
    price_per_call: float


@dataclass(frozen=True, slots=True)
class ChatServices:
    """Services and settings for handlers.

    Attributes:
        edits: Submits and changes edits.
        choices: Corrects a wrong find.
        variants: Makes and shows variants of results.
        unasked: Handles photos without a command.
        settings: What people have chosen.
        settings_messages: Shows settings messages again after a press.
        texts: The catalogues.
        allowed_users: Ids of the people, and of the chats in whose name posts are made, that may use the bot; empty:
            all.
        max_file_bytes: Larger files are refused.
        retention_hours: How long edits are kept, for /help.
        uses_cloud: Whether photos go to the cloud engine.
        replies: Sends replies.
        deletions: Deletes a person's data.
        identities: Knows in whose name a person acts.
        chat_moves: Follows groups that become supergroups.
        bans: Who may not use the bot.
        people: Remembers who used it.
        operators: What the operators' commands need.
        payments: What the handlers of payments need.
        failures: Errors of handlers by update id, for `intake`.
    """

    edits: Edits
    choices: Choices
    variants: Variants
    unasked: Unasked
    settings: PeopleSettings
    settings_messages: SettingsMessages
    texts: Texts
    allowed_users: frozenset[int]
    max_file_bytes: int
    retention_hours: float
    uses_cloud: bool
    replies: Replies
    deletions: PersonDeletion
    identities: Identities
    chat_moves: ChatMoves
    bans: Bans
    people: People
    operators: OperatorServices
    payments: PaymentServices
    failures: dict[int, Exception] = field(default_factory=dict)

    def log_unsent(self, message: Message | None, error: TelegramError) -> None:
        """Log that an answer could not be sent."""
        log.info("reply_not_sent", message=message.message_id if message else None, reason=type(error).__name__)


class Context(CallbackContext[ExtBot[None], dict[Any, Any], dict[Any, Any], dict[Any, Any]]):
    """The handlers' context, with `ChatServices` and what is known about the sender of the update.

    Attributes:
        settings: The settings of the owner of a message, or of the person who pressed a button; `load_settings` reads
            them.
        language: The language of texts for that person.
    """

    settings: PersonSettings = NOTHING_CHOSEN
    language: str = "en"

    @property
    def services(self) -> ChatServices:
        """Services and settings for handlers."""
        services = self.bot_data["services"]
        assert isinstance(services, ChatServices)
        return services

    def set_language(self, user: User | None) -> None:
        """Set the language: the one in the settings, else the one that Telegram reports for the user."""
        self.language = self.services.texts.language(self.settings.language or (user.language_code if user else None))

    async def load_settings(self, owner: int, user: User | None) -> None:
        """Load the settings of the owner of an update, for its handlers.

        Raises:
            OutageError: They cannot be read now.
        """
        self.settings = await self.services.settings.get_remembered(owner)
        self.set_language(user)

    def text(self, message_id: str, **values: object) -> str:
        """A text in the sender's language."""
        return self.services.texts.get(self.language, message_id, **values)


App: TypeAlias = Application[
    ExtBot[None],
    Context,
    dict[Any, Any],
    dict[Any, Any],
    dict[Any, Any],
    None,
]
