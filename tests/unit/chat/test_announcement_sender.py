"""An announcement waits while people's answers need Telegram's limit."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from bot.chat.announcements import AnnouncementSender
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.storage.database import Database
from bot.texts import Texts


class Limiter:
    """Limits that have room when the test says so."""

    def __init__(self) -> None:
        self.is_free = False
        self.asked = asyncio.Event()

    async def has_spare(self) -> bool:
        self.asked.set()
        return self.is_free


class Bot:
    """Records to whom a message is sent; the panel is not looked at."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.texts: list[str] = []
        self.ended = asyncio.Event()

    async def send_message(self, chat: int, _text: str) -> None:
        self.sent.append(chat)

    async def edit_message_text(self, text: str, _chat: int, _message: int, **_options: Any) -> None:
        self.texts.append(text)
        if text.startswith("Done."):
            self.ended.set()


async def test_people_come_first(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    store, limiter, bot = Store(database, EditLimits()), Limiter(), Bot()
    for person in (1, 2):
        await store.people.seen_in_private(person)
    draft = await store.announcements.draft(9, 5, copied=None, text="News", language="en")
    await store.announcements.start(draft.number, 6, ())
    sender = AnnouncementSender(
        bot,
        limiter,
        store.announcements,
        store.people,
        Texts(),
        alone=True,  # type: ignore[arg-type]
    )
    running = asyncio.create_task(sender.run())
    try:
        for _ in range(3):
            limiter.asked.clear()
            await asyncio.wait_for(limiter.asked.wait(), 10)
        assert bot.sent == []
        limiter.is_free = True
        await asyncio.wait_for(bot.ended.wait(), 10)
        assert bot.sent == [1, 2]
        assert bot.texts == ["Sending: 0 of 2.", "Done. Sent: 2. Blocked me: 0. Failed: 0."]
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await database.close()
