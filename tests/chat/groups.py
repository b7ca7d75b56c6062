"""Shared by the tests of groups: the bot's answers there."""

from __future__ import annotations

from bot.playground.telegram import Chat, Json
from tests.support import Talk, is_working


async def answer_in_group(talk: Talk, group: Chat, sent: Json) -> Json:
    """The bot's settled answer to a message in a group."""

    def found() -> list[Json]:
        return [
            message
            for message in group.messages.values()
            if message["from"]["id"] == talk.telegram.bot["id"]
            and message.get("reply_to_message", {}).get("message_id") == sent["message_id"]
            and not is_working(message)
        ]

    await talk.telegram.events.wait_until(found, seconds=60)
    return found()[0]
