"""A bot that holds messages back as it does against Telegram; the other tests' bots do not (`tests/conftest.py`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.playground import TelegramServer
from tests.chat.settings_buttons import labels, now, press
from tests.support import Talk, running_bot, settings_for


@pytest.mark.usefixtures("unhurried_chats")
async def test_ten_presses_end_with_the_last_one(tmp_path: Path) -> None:
    async with TelegramServer() as server, running_bot(settings_for(server, tmp_path), server.telegram):
        await ten_presses(Talk(server.telegram, 4001))


async def ten_presses(talk: Talk) -> None:
    message = await talk.answer_to(await talk.person.write("/settings"))
    message = await press(talk, message, "Background", until="Gradient")
    calls = talk.telegram.calls["editMessageText"]
    data = [f"s:{talk.person.id}:finish={finish}" for finish in ("white", "black", "blur", "gradient", "crop") * 2]
    for each in data:
        await talk.person.press(message["message_id"], each)
    await talk.telegram.events.wait_until(lambda: "✅ Cropped" in labels(now(talk, message)))
    marker = await talk.person.write("/settings")
    assert "Background – Cropped" in (await talk.answer_to(marker))["text"]
    assert labels(now(talk, message)).count("✅ Cropped") == 1
    assert talk.telegram.calls["editMessageText"] - calls < 10, "a state that is not the newest need not be shown"
