"""Shared by the tests of results: a message that shows one, and its buttons."""

from __future__ import annotations

import itertools
from typing import Any

from bot.playground.person import Upload, buttons
from bot.playground.telegram import CallbackQuery, Chat, Json
from tests.support import Talk, encoded, scene

JPEG = encoded(scene())
BUSY = "One moment"

_queries = itertools.count()


def labels(message: Json) -> list[str]:
    return [button["text"] for button in buttons(message)]


def picture_of(message: Json) -> str:
    """The unique id of the picture that a message shows."""
    shown = message["photo"][-1] if "photo" in message else message["document"]
    return str(shown["file_unique_id"])


def data_of(message: Json, label: str) -> str:
    (data,) = [button["callback_data"] for button in buttons(message) if button["text"] == label]
    return str(data)


class Result:
    """A message of the bot that shows results.

    Args:
        talk: Who presses its buttons.
        message: The message.
        chat: Where it is.
    """

    def __init__(self, talk: Talk, message: Json, chat: Chat | None = None) -> None:
        self.talk = talk
        self.id = int(message["message_id"])
        self.chat = chat or talk.person.chat

    @property
    def now(self) -> Json:
        return self.chat.messages[self.id]

    async def press(self, label: str, *, by: Talk | None = None, data: str | None = None) -> str | None:
        """Press a button, or what a client with older buttons sends; returns what the bot says to it."""
        person = (by or self.talk).person
        events, known = self.talk.telegram.events, data or data_of(self.now, label)
        for _ in range(20):
            query = {"id": f"{person.id}-{next(_queries)}", "from": person.user, "chat_instance": "1"}
            self.talk.telegram.queries[query["id"]] = CallbackQuery(query["id"], self.chat.info["id"])
            self.talk.telegram.updates.add("callback_query", {**query, "message": self.now, "data": known})

            def answered(query_id: str = query["id"]) -> list[Any]:
                return [e.data["text"] for e in events.after(0) if e.kind == "answer" and e.data["id"] == query_id]

            await events.wait_until(answered)
            said = answered()[0]
            if said is None or BUSY not in said or self.is_working:
                return said
        raise AssertionError("the bot stays busy")  # a result is shown a moment before it is recorded

    @property
    def is_working(self) -> bool:
        return "Cancel" in labels(self.now)

    async def shows(self, label: str) -> Json:
        """The message once it has this button."""
        await self.talk.telegram.events.wait_until(lambda: label in labels(self.now), seconds=60)
        return self.now

    async def shows_picture(self, unique_id: str) -> Json:
        """The message once it shows this picture."""
        await self.talk.telegram.events.wait_until(lambda: picture_of(self.now) == unique_id, seconds=60)
        return self.now

    async def tries(self, count: int) -> list[str]:
        """Make so many tries in all; returns their pictures."""
        pictures = [picture_of(self.now)]
        for number in range(2, count + 1):
            assert await self.press("🎲 Another try") is None
            pictures.append(picture_of(await self.shows(f"{number}/{number}")))
        return pictures


async def result_of(talk: Talk, command: str = "/remove_subject", upload: Upload | None = None) -> Result:
    """The result of a photo of one subject, or of this one."""
    (sent,) = await talk.person.send(upload or Upload(JPEG), caption=command)
    return Result(talk, await talk.answer_to(sent))
