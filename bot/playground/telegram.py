"""The state of the simulated Telegram: bot, people, chats, messages, files, updates, callback queries."""

from __future__ import annotations

import asyncio
import copy
import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bot.playground.errors import BotApiError, bad_request
from bot.playground.event_log import EventLog
from bot.playground.faults import Faults
from bot.playground.files import FileStore
from bot.playground.updates import Updates

Json = dict[str, Any]

EPOCH = 1_700_000_000
"""Message ids start at the seconds since this time, so a restarted playground uses no id twice."""

MAX_MESSAGES = 5000
"""Messages per chat; beyond them the oldest are deleted."""

GROUP_ANONYMOUS_BOT: Json = {
    "id": 1087968824,
    "is_bot": True,
    "first_name": "Group",
    "username": "GroupAnonymousBot",
}
CHANNEL_BOT: Json = {"id": 136817688, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"}
"""Who stands in ``from`` of a message in a chat's name (docs/telegram.md#senders)."""

STARS = "XTR"
"""The currency code of Telegram Stars."""

CHECKOUT_SECONDS = 10.0
"""How long Telegram waits for the answer to a pre-checkout query."""

SUPERGROUPS = -1_000_000_000_000
"""Chat ids up to this one are supergroups and channels, which number their messages separately."""

_COMMAND = re.compile(r"(?<![^\s])/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]+)?")


@dataclass(slots=True)
class Chat:
    """One chat.

    Attributes:
        info: The Bot API's Chat.
        messages: By id, in order.
        blocked: Whether the person has blocked the bot, or the bot was removed from the group.
        admins: User ids of the group's admins.
        topics: The ids of a forum's topics; empty: it is no forum.
        forbidden: What the bot may not send: ``text messages``, ``photos``, ``documents``.
        moved_to: Id of the supergroup that this group has become.
        last_message_id: The last id of a supergroup's own numbering.
        paid: The ids of its paid invoices.
        allowed_reactions: The emoji that the group allows as reactions; None: all.
        forgotten: Messages up to this id are not saved over a restart.
        reactions: By message id: the emoji with which the bot has reacted.
    """

    info: Json
    messages: dict[int, Json] = field(default_factory=dict)
    blocked: bool = False
    admins: set[int] = field(default_factory=set)
    topics: set[int] = field(default_factory=set)
    forbidden: set[str] = field(default_factory=set)
    moved_to: int | None = None
    last_message_id: int = 0
    paid: set[int] = field(default_factory=set)
    allowed_reactions: set[str] | None = None
    forgotten: int = 0
    reactions: dict[int, str] = field(default_factory=dict)

    @property
    def is_private(self) -> bool:
        """Whether it is a private chat."""
        return bool(self.info["type"] == "private")


@dataclass(slots=True)
class CallbackQuery:
    """A callback query that the bot has not answered yet."""

    id: str
    chat: int


@dataclass(slots=True)
class Checkout:
    """A pre-checkout query that is not answered yet; its answer is the error message, or None for ok."""

    answer: asyncio.Future[str | None]


@dataclass(slots=True)
class Charge:
    """A payment that was made."""

    id: str
    person: int
    payload: str
    amount: int
    message: int
    currency: str = STARS
    at: int = field(default_factory=lambda: int(time.time()))
    refunded: int | None = None


class Telegram:
    """A Telegram with one bot.

    Args:
        token: The bot's token; None: a random one.
        username: The bot's username.

    Attributes:
        privacy_mode: Whether the bot sees only commands and replies in groups.
        chosen_language: The language that the person of the chat page has chosen; None: the browser's.
        last_message_id: The last id of the numbering that private chats and groups share.
    """

    def __init__(self, *, token: str | None = None, username: str = "photo_cleaning_bot") -> None:
        self.token = token or f"{10**9 + secrets.randbelow(10**9)}:{secrets.token_urlsafe(26)}"
        self.bot: Json = {
            "id": int(self.token.split(":")[0]),
            "is_bot": True,
            "first_name": "Photo Cleaner",
            "username": username,
        }
        self.events = EventLog()
        self.files = FileStore()
        self.updates = Updates()
        self.faults = Faults()
        self.people: dict[int, Json] = {}
        self.chats: dict[int, Chat] = {}
        self.queries: dict[str, CallbackQuery] = {}
        self.payloads: dict[tuple[int, int], str] = {}
        self.checkouts: dict[str, Checkout] = {}
        self.checkout_seconds = CHECKOUT_SECONDS
        self.charges: dict[str, Charge] = {}
        self.privacy_mode = True
        self.commands: dict[str, list[Json]] = {}
        self.chat_commands: dict[int, dict[str, list[Json]]] = {}
        self.short_descriptions: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self.chosen_language: str | None = None
        self.last_message_id = int(time.time()) - EPOCH

    def chat(self, chat_id: int) -> Chat:
        """The chat with this id.

        Raises:
            BotApiError: There is no such chat, or the bot is blocked there.
        """
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        if chat.moved_to is not None:
            raise BotApiError(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.moved_to,
            )
        if chat.blocked:
            where = "blocked by the user" if chat.is_private else "kicked from the group chat"
            raise BotApiError(403, f"Forbidden: bot was {where}")
        return chat

    def add_person(self, person: Json) -> None:
        """Add a person and their private chat with the bot."""
        self.people[person["id"]] = person
        info = {"id": person["id"], "type": "private", "first_name": person["first_name"]}
        self.chats.setdefault(person["id"], Chat(info))

    def add_group(self, chat_id: int, title: str) -> Chat:
        """Add a group that has the bot as a member; its id is negative."""
        assert chat_id < 0, "a group's id is negative"
        kind = "supergroup" if chat_id <= SUPERGROUPS else "group"
        return self.chats.setdefault(chat_id, Chat({"id": chat_id, "type": kind, "title": title}))

    def upgrade(self, group: Chat) -> Chat:
        """Turn a group into a supergroup with another id, and tell the bot by both service messages."""
        new = self.add_group(SUPERGROUPS + group.info["id"], group.info["title"])
        new.admins, new.forbidden = set(group.admins), set(group.forbidden)
        leaving = self.post(group, GROUP_ANONYMOUS_BOT, {"migrate_to_chat_id": new.info["id"]})
        group.moved_to = new.info["id"]
        coming = self.post(new, GROUP_ANONYMOUS_BOT, {"migrate_from_chat_id": group.info["id"]})
        for message in (leaving, coming):
            self.updates.add("message", message)
        return new

    def post(self, chat: Chat, sender: Json, content: Json, reply_to: int | None = None) -> Json:
        """Add a message; returns a copy of it."""
        message: Json = {
            "message_id": self._next_message_id(chat),
            "from": sender,
            "chat": chat.info,
            "date": int(time.time()),
            **content,
        }
        quoted = chat.messages.get(reply_to) if reply_to is not None else None
        if quoted is not None:
            message["reply_to_message"] = {k: v for k, v in quoted.items() if k != "reply_to_message"}
            for name in ("message_thread_id", "is_topic_message"):  # a reply finds its topic
                if name in quoted:
                    message.setdefault(name, quoted[name])
        set_command_entities(message)
        chat.messages[message["message_id"]] = message
        if len(chat.messages) > MAX_MESSAGES:
            del chat.messages[next(iter(chat.messages))]
        self._log(chat, message)
        return copy.deepcopy(message)

    def change(self, chat: Chat, message: Json, content: Json, *, without: tuple[str, ...] = ()) -> Json:
        """Edit a message; returns a copy of it.

        Args:
            chat: Where it is.
            message: The stored message.
            content: Fields to set.
            without: Fields to remove.
        """
        for name in without:
            message.pop(name, None)
        message.update(content)
        message["edit_date"] = int(time.time())
        set_command_entities(message)
        self._log(chat, message)
        return copy.deepcopy(message)

    def react(self, chat: Chat, message_id: int, emoji: str | None) -> None:
        """Set the bot's reaction to a message; None removes it. In an album its first message gets it."""
        album = chat.messages[message_id].get("media_group_id")
        if album is not None:
            message_id = next(n for n, m in chat.messages.items() if m.get("media_group_id") == album)
        if emoji is None:
            chat.reactions.pop(message_id, None)
        else:
            chat.reactions[message_id] = emoji
        self.events.add(chat.info["id"], "reaction", {"message_id": message_id, "emoji": emoji})

    def delete(self, chat: Chat, message_id: int) -> None:
        """Delete a message for everyone."""
        chat.reactions.pop(message_id, None)
        if chat.messages.pop(message_id, None) is not None:
            self.events.add(chat.info["id"], "deleted", {"message_id": message_id})

    def forget(self, person: int) -> None:
        """Let nothing that is known of a person be saved over a restart."""
        self.chats[person].forgotten = self.last_message_id
        self.files.forget()
        self.chosen_language = None

    def commands_for(self, language: str, chat: int | None = None) -> list[Json]:
        """The bot's commands for a person with this language code; those of the chat, if it has its own."""
        code = language.partition("-")[0]
        for commands in (self.chat_commands.get(chat, {}) if chat is not None else {}, self.commands):
            for key in (code, ""):
                if key in commands:
                    return commands[key]
        return []

    def _next_message_id(self, chat: Chat) -> int:
        if chat.info["id"] <= SUPERGROUPS:
            chat.last_message_id += 1
            return chat.last_message_id
        self.last_message_id += 1
        return self.last_message_id

    def _log(self, chat: Chat, message: Json) -> None:
        self.events.add(chat.info["id"], "message", copy.deepcopy(message))


def set_command_entities(message: Json) -> None:
    """Set the bot_command entities of a message's text and caption; offsets are in UTF-16 units."""
    for text_field, entities_field in (("text", "entities"), ("caption", "caption_entities")):
        text = message.get(text_field, "")
        found = [
            {"type": "bot_command", "offset": _utf16_length(text[: m.start()]), "length": _utf16_length(m.group())}
            for m in _COMMAND.finditer(text)
        ]
        if found:
            message[entities_field] = found
        else:
            message.pop(entities_field, None)


def _utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
