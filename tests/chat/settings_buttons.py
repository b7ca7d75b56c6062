"""The message of /settings and its buttons, as a person sees and presses them."""

from __future__ import annotations

from typing import Any

from bot.playground.telegram import Chat
from tests.support import Talk

Message = dict[str, Any]


def now(talk: Talk, message: Message, group: Chat | None = None) -> Message:
    return (group or talk.person.chat).messages[message["message_id"]]


def labels(message: Message) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


async def press(talk: Talk, message: Message, label: str, *, until: str, group: Chat | None = None) -> Message:
    """Press a button of the settings, and wait until its message contains these words."""
    await talk.person.press_labelled(message["message_id"], label, group=group)
    await talk.telegram.events.wait_until(lambda: until in str(now(talk, message, group)))
    return now(talk, message, group)
