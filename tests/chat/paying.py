"""Buying packs of edits, as a person does it in the chat."""

from __future__ import annotations

from typing import Any

from tests.support import Talk


def labels(message: dict[str, Any]) -> list[str]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", [])
    return [button["text"] for row in rows for button in row]


async def bot_texts(talk: Talk, text: str) -> str:
    """The bot's answer to a text."""
    return str((await talk.answer_to(await talk.person.write(text)))["text"])


async def bot_message(talk: Talk, words: str) -> dict[str, Any]:
    """The newest message of the bot with these words, once there is one."""

    def found() -> list[dict[str, Any]]:
        return [message for message in talk.person.answers if words in message.get("text", "")]

    await talk.telegram.events.wait_until(found)
    return found()[-1]


async def invoice(talk: Talk, label: str = "2 more") -> int:
    """Ask for a pack by /buy; the id of the message with its invoice."""
    before = {message["message_id"] for message in talk.person.answers}
    shown = await talk.answer_to(await talk.person.write("/buy"))
    await talk.person.press_labelled(shown["message_id"], label)

    def sent() -> list[int]:
        return [m["message_id"] for m in talk.person.answers if "invoice" in m and m["message_id"] not in before]

    await talk.telegram.events.wait_until(sent)
    return sent()[0]


async def buy(talk: Talk) -> str:
    """Buy the small pack; returns the charge's id."""
    before = len([message for message in talk.person.answers if "Thank you" in message.get("text", "")])
    paid = await talk.person.pay(await invoice(talk))
    await talk.telegram.events.wait_until(
        lambda: len([m for m in talk.person.answers if "Thank you" in m.get("text", "")]) > before
    )
    return str(paid["successful_payment"]["telegram_payment_charge_id"])


async def balance(talk: Talk) -> int:
    return int((await bot_texts(talk, "/buy")).partition("left: ")[2].partition(".")[0])
