"""A status message that was posted though its answer was lost is found again, however many messages lie between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.chat.api.flood_limiter import FloodLimiter
from bot.chat.api.posting import PROBES
from bot.chat.application import make_bot
from bot.chat.courier import TelegramCourier
from bot.chat.keyboards import Keyboards
from bot.chat.texts import Texts
from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.ports import LostMessageSearch
from bot.playground import Person, TelegramServer

GROUP = -1001234567890


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
async def courier(server: TelegramServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TelegramCourier]:
    def unhurried(**_: object) -> FloodLimiter:
        return FloodLimiter(overall=1000, per_chat=1000, per_group_minute=60_000)

    monkeypatch.setattr("bot.chat.application.FloodLimiter", unhurried)
    bot = make_bot(server.telegram.token, server.url)
    await bot.initialize()
    texts = Texts("en")
    yield TelegramCourier(bot, texts, Keyboards(texts, None))
    await bot.shutdown()


@pytest.fixture
def edit(server: TelegramServer) -> Edit:
    """Of a photo in a busy group: many messages followed it before the bot came to speak."""
    chat, person = server.telegram.add_group(GROUP, "Busy"), Person(server.telegram, 7)
    photo = server.telegram.post(chat, person.user, {"text": "/remove_subject"})
    for number in range(20 * PROBES):
        server.telegram.post(chat, person.user, {"text": f"chatter {number}"})
    now, ref = datetime.now(UTC), PhotoRef("file", "unique")
    return Edit(
        "an-edit", 7, GROUP, photo["message_id"], Operation.REMOVE_SUBJECT, ref, "clean", 0, "en",
        State.QUEUED, None, None, False, None, None, None, None, None, None, now,
    )  # fmt: skip


def said(server: TelegramServer) -> list[int]:
    messages = server.telegram.chats[GROUP].messages
    return [number for number, message in messages.items() if message["from"]["is_bot"]]


async def test_the_answer_was_lost(server: TelegramServer, courier: TelegramCourier, edit: Edit) -> None:
    server.telegram.faults.plan("lose_answer", "sendMessage")
    posted = await courier.post_status(edit, position=0, lost=None)
    assert said(server) == [posted]


async def test_the_process_died_over_it(server: TelegramServer, courier: TelegramCourier, edit: Edit) -> None:
    first = await courier.post_status(edit, position=0, lost=None)
    again = await courier.post_status(edit, position=0, lost=LostMessageSearch(edit.message))
    assert said(server) == [first] == [again]


async def test_another_edits_status_is_not_taken_for_it(
    server: TelegramServer, courier: TelegramCourier, edit: Edit
) -> None:
    other = replace(edit, id="another-edit")
    first = await courier.post_status(other, position=0, lost=None)
    second = await courier.post_status(edit, position=0, lost=LostMessageSearch(edit.message, frozenset({first})))
    assert said(server) == [first, second]


async def test_nothing_was_lost(server: TelegramServer, courier: TelegramCourier, edit: Edit) -> None:
    async with asyncio.timeout(20):
        posted = await courier.post_status(edit, position=0, lost=LostMessageSearch(edit.message))
    assert said(server) == [posted]


async def test_an_answer_of_another_process_keeps_no_foreign_buttons(
    server: TelegramServer, courier: TelegramCourier, edit: Edit
) -> None:
    telegram = server.telegram
    help_ = telegram.post(telegram.chats[GROUP], telegram.bot, {"text": "how this works"})
    posted = await courier.post_status(edit, position=0, lost=LostMessageSearch(help_["message_id"] - 2))
    assert said(server) == [help_["message_id"], posted]
    assert "reply_markup" not in telegram.chats[GROUP].messages[help_["message_id"]]
