"""Shared by the tests of announcements: an admin who makes them, and what people got."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.playground.person import buttons
from tests.support import Talk

NEWS = "The bot has a canvas now."


async def write_in_private(talks: Iterable[Talk]) -> None:
    """Let people use the bot, so that an announcement reaches them."""
    written = [(talk, await talk.person.write("/help")) for talk in talks]
    for talk, message in written:
        await talk.answer_to(message)


async def ask_to_announce(admin: Talk, text: str = f"/announce {NEWS}", **options: Any) -> dict[str, Any]:
    """The question below the preview."""
    known = {message["message_id"] for message in admin.person.answers}
    await admin.person.write(text, **options)

    def found() -> list[dict[str, Any]]:
        fresh = [message for message in admin.person.answers if message["message_id"] not in known]
        return [message for message in fresh if "30 days" in message.get("text", "") or "cannot" in str(message)]

    await admin.telegram.events.wait_until(found)
    return found()[0]


async def announce(admin: Talk, text: str = f"/announce {NEWS}", **options: Any) -> int:
    """Announce to all; returns the id of the message that shows the progress."""
    question = await ask_to_announce(admin, text, **options)
    await admin.person.press_labelled(question["message_id"], "Send to")
    return int(question["message_id"])


async def ended(admin: Talk, panel: int, *, seconds: float = 60) -> str:
    """The last line of an announcement."""
    messages = admin.person.chat.messages
    await admin.telegram.events.wait_until(
        lambda: messages[panel]["text"].startswith(("Done.", "Stopped.")) and not buttons(messages[panel]),
        seconds=seconds,
    )
    return str(messages[panel]["text"])


def got(talk: Talk, text: str = NEWS) -> int:
    """How often a person got an announcement."""
    return sum(text in (message.get("text"), message.get("caption")) for message in talk.person.answers)
