"""An announcement waits while people's answers need Telegram's limit."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.chat.announcements import AnnouncementSender
from bot.edits.records.announcements import Announcement
from bot.edits.records.limits import EditLimits
from bot.edits.records.store import Store
from bot.storage.database import Database
from bot.texts import Texts
from tests.support import seen


class Limiter:
    """Limits that have room when the test says so."""

    def __init__(self) -> None:
        self.is_free = False
        self.asked = asyncio.Event()

    async def has_spare(self) -> bool:
        self.asked.set()
        return self.is_free

    async def is_asked(self, times: int) -> None:
        for _ in range(times):
            self.asked.clear()
            await asyncio.wait_for(self.asked.wait(), 10)


class Bot:
    """Records what is sent and shown."""

    def __init__(self) -> None:
        self.sent: list[int] = []
        self.shown: list[str] = []
        self.ended = asyncio.Event()

    async def send_message(self, chat: int, _text: str) -> None:
        self.sent.append(chat)

    async def edit_message_text(self, text: str, _chat: int, _message: int, **_options: Any) -> None:
        self.shown.append(text)
        if text.startswith(("Done.", "Stopped.")):
            self.ended.set()


@dataclass
class World:
    store: Store
    limiter: Limiter
    bot: Bot
    started: Announcement


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """An announcement to two people that is being sent."""
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    store, limiter, bot = Store(database, EditLimits()), Limiter(), Bot()
    for person in (1, 2):
        await seen(store, person)
    draft = await store.announcements.draft(9, 5, copied=None, text="News", language="en")
    started = await store.announcements.start(draft.number, 6, ())
    assert started is not None
    doubles: Any = (bot, limiter)
    sender = AnnouncementSender(*doubles, store.announcements, store.people, Texts(), alone=True)
    running = asyncio.create_task(sender.run())
    yield World(store, limiter, bot, started)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await database.close()


async def test_people_come_first(world: World) -> None:
    await world.limiter.is_asked(3)
    assert world.bot.sent == []
    world.limiter.is_free = True
    await asyncio.wait_for(world.bot.ended.wait(), 10)
    assert world.bot.sent == [1, 2]
    assert world.bot.shown == ["Sending: 0 of 2.", "Done. Sent: 2. Blocked me: 0. Failed: 0."]


async def test_it_can_be_stopped_while_it_waits(world: World) -> None:
    await world.limiter.is_asked(1)
    await world.store.announcements.stop(world.started.number)
    await asyncio.wait_for(world.bot.ended.wait(), 10)
    assert world.bot.sent == []
    assert world.bot.shown[-1] == "Stopped. Sent: 0. Blocked me: 0. Failed: 0."
