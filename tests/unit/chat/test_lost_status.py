"""A status message whose answer was lost is found again, even with many messages in between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.chat.api.client import make_bot
from bot.chat.api.flood_limiter import FloodLimiter
from bot.chat.api.message_ids import MessageIds
from bot.chat.api.posting import PROBED_ABOVE_HIGHEST
from bot.chat.courier import TelegramCourier
from bot.chat.views.keyboards import Keyboards
from bot.edits.model import Edit, Operation, PhotoRef, State
from bot.edits.ports import LostMessageSearch
from bot.playground import Person, TelegramServer
from bot.texts import Texts

GROUP = -1001234567890


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
async def courier(server: TelegramServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TelegramCourier]:
    message_ids = MessageIds()
    unlimited = FloodLimiter(overall=1000, per_chat=1000, per_group_minute=60_000, message_ids=message_ids)
    bot = make_bot(server.telegram.token, server.url, unlimited)
    await bot.initialize()
    texts = Texts("en")
    yield TelegramCourier(bot, message_ids, texts, Keyboards(texts, None, lambda: bot.username))
    await bot.shutdown()


@pytest.fixture
def edit(server: TelegramServer) -> Edit:
    """An edit of a photo in a busy group, where many messages followed the photo."""
    chat, person = server.telegram.add_group(GROUP, "Busy"), Person(server.telegram, 7)
    photo = server.telegram.post(chat, person.user, {"text": "/remove_subject"})
    for number in range(20 * PROBED_ABOVE_HIGHEST):
        server.telegram.post(chat, person.user, {"text": f"chatter {number}"})
    now, ref = datetime.now(UTC), PhotoRef("file", "unique")
    return Edit(
        "an-edit", 7, GROUP, photo["message_id"], Operation.REMOVE_SUBJECT, ref, "clean", 0, "en",
        State.QUEUED, None, None, False, None, None, None, None, None, None, now, now,
    )  # fmt: skip


def messages_of_the_bot(server: TelegramServer) -> list[int]:
    messages = server.telegram.chats[GROUP].messages
    return [number for number, message in messages.items() if message["from"]["is_bot"]]


async def test_after_a_lost_answer_the_message_is_there_once(
    server: TelegramServer, courier: TelegramCourier, edit: Edit
) -> None:
    server.telegram.faults.plan("lose_answer", "sendMessage")
    posted = await courier.post_status(edit, position=0, lost=None)
    assert messages_of_the_bot(server) == [posted]


async def test_after_a_crash_before_the_id_was_recorded_the_message_is_there_once(
    server: TelegramServer, courier: TelegramCourier, edit: Edit
) -> None:
    first = await courier.post_status(edit, position=0, lost=None)
    again = await courier.post_status(edit, position=0, lost=LostMessageSearch(edit.message))
    assert messages_of_the_bot(server) == [first] == [again]


async def test_the_status_message_of_another_edit_is_not_taken_for_the_lost_one(
    server: TelegramServer, courier: TelegramCourier, edit: Edit
) -> None:
    other = replace(edit, id="another-edit")
    first = await courier.post_status(other, position=0, lost=None)
    second = await courier.post_status(edit, position=0, lost=LostMessageSearch(edit.message, frozenset({first})))
    assert messages_of_the_bot(server) == [first, second]


async def test_a_message_that_was_never_posted_is_posted_after_the_search(
    server: TelegramServer, courier: TelegramCourier, edit: Edit
) -> None:
    async with asyncio.timeout(60):
        posted = await courier.post_status(edit, position=0, lost=LostMessageSearch(edit.message))
    assert messages_of_the_bot(server) == [posted]


async def test_a_probed_message_of_another_process_gets_its_buttons_removed(
    server: TelegramServer, courier: TelegramCourier, edit: Edit
) -> None:
    telegram = server.telegram
    help_ = telegram.post(telegram.chats[GROUP], telegram.bot, {"text": "how this works"})
    posted = await courier.post_status(edit, position=0, lost=LostMessageSearch(help_["message_id"] - 2))
    assert messages_of_the_bot(server) == [help_["message_id"], posted]
    assert "reply_markup" not in telegram.chats[GROUP].messages[help_["message_id"]]
