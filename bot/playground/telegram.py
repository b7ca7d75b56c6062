"""What Telegram remembers: the bot, people, chats with their messages, files, updates, pressed buttons."""

from __future__ import annotations

import copy
import re
import secrets
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bot.playground.faults import Faults
from bot.playground.files import Shelf
from bot.playground.journal import Journal
from bot.playground.refusals import RefusedError, bad
from bot.playground.updates import Updates

Json = dict[str, Any]

EPOCH = 1_700_000_000
"""Message ids begin at the seconds since then: a bot that outlives a playground meets no id twice."""

MOST_MESSAGES = 5000
"""In one chat; the oldest are forgotten."""

_COMMAND = re.compile(r"(?<![^\s])/[A-Za-z0-9_]{1,32}(?:@[A-Za-z0-9_]+)?")


@dataclass(slots=True)
class Chat:
    """One chat.

    Attributes:
        about: The Bot API's Chat.
        messages: By their ids, in order.
        blocked: Whether the person has blocked the bot, or the group has thrown it out.
    """

    about: Json
    messages: dict[int, Json] = field(default_factory=dict)
    blocked: bool = False

    @property
    def is_private(self) -> bool:
        """Whether it is a person's chat with the bot."""
        return bool(self.about["type"] == "private")


@dataclass(slots=True)
class Query:
    """A pressed button that the bot has not answered yet."""

    id: str
    chat: int


class Telegram:
    """All of it, for one bot.

    Args:
        token: The bot's token; one is made up unless given.
        username: The bot's name.
    """

    def __init__(self, *, token: str | None = None, username: str = "photo_cleaning_bot") -> None:
        self.token = token or f"{10**9 + secrets.randbelow(10**9)}:{secrets.token_urlsafe(26)}"
        self.bot: Json = {
            "id": int(self.token.split(":")[0]),
            "is_bot": True,
            "first_name": "Photo Cleaner",
            "username": username,
        }
        self.journal = Journal()
        self.files = Shelf()
        self.updates = Updates()
        self.faults = Faults()
        self.people: dict[int, Json] = {}
        self.chats: dict[int, Chat] = {}
        self.queries: dict[str, Query] = {}
        self.commands: dict[str, list[Json]] = {}
        self.abouts: dict[str, str] = {}
        self.calls: Counter[str] = Counter()
        self._last_message = int(time.time()) - EPOCH

    def chat(self, chat_id: int) -> Chat:
        """A chat that the bot may write to.

        Raises:
            RefusedError: There is none, or the bot is not wanted there.
        """
        chat = self.chats.get(chat_id)
        if chat is None:
            raise bad("chat not found")
        if chat.blocked:
            where = "blocked by the user" if chat.is_private else "kicked from the group chat"
            raise RefusedError(403, f"Forbidden: bot was {where}")
        return chat

    def enter(self, person: Json) -> None:
        """Somebody opens a chat with the bot."""
        self.people[person["id"]] = person
        about = {"id": person["id"], "type": "private", "first_name": person["first_name"]}
        self.chats.setdefault(person["id"], Chat(about))

    def gather(self, chat_id: int, title: str) -> Chat:
        """A group with the bot in it; its id is negative."""
        assert chat_id < 0, "a group's id is negative"
        return self.chats.setdefault(chat_id, Chat({"id": chat_id, "type": "group", "title": title}))

    def post(self, chat: Chat, sender: Json, content: Json, reply_to: int | None = None) -> Json:
        """A new message; returns a copy of it."""
        self._last_message += 1
        message: Json = {
            "message_id": self._last_message,
            "from": sender,
            "chat": chat.about,
            "date": int(time.time()),
            **content,
        }
        quoted = chat.messages.get(reply_to) if reply_to is not None else None
        if quoted is not None:
            message["reply_to_message"] = {k: v for k, v in quoted.items() if k != "reply_to_message"}
        with_entities(message)
        chat.messages[message["message_id"]] = message
        if len(chat.messages) > MOST_MESSAGES:
            del chat.messages[next(iter(chat.messages))]
        self._note(chat, message)
        return copy.deepcopy(message)

    def change(self, chat: Chat, message: Json, content: Json, *, without: tuple[str, ...] = ()) -> Json:
        """An edited message; returns a copy of it.

        Args:
            chat: Where it is.
            message: The message as it is kept.
            content: Fields to set.
            without: Fields to take away.
        """
        for name in without:
            message.pop(name, None)
        message.update(content)
        message["edit_date"] = int(time.time())
        with_entities(message)
        self._note(chat, message)
        return copy.deepcopy(message)

    def delete(self, chat: Chat, message_id: int) -> None:
        """A message is gone, for everyone."""
        if chat.messages.pop(message_id, None) is not None:
            self.journal.note(chat.about["id"], "deleted", {"message_id": message_id})

    def commands_for(self, language: str) -> list[Json]:
        """The bot's commands as a person with this app language sees them."""
        return self.commands.get(language.partition("-")[0], self.commands.get("", []))

    def _note(self, chat: Chat, message: Json) -> None:
        self.journal.note(chat.about["id"], "message", copy.deepcopy(message))


def with_entities(message: Json) -> None:
    """Mark the commands in a message's text and caption, counted in UTF-16 units as Telegram does."""
    for text_field, entities_field in (("text", "entities"), ("caption", "caption_entities")):
        text = message.get(text_field, "")
        found = [
            {"type": "bot_command", "offset": _units(text[: m.start()]), "length": _units(m.group())}
            for m in _COMMAND.finditer(text)
        ]
        if found:
            message[entities_field] = found
        else:
            message.pop(entities_field, None)


def _units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2
