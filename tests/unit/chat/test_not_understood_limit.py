"""Texts that are skipped, because the bot has just answered in their chat that it does not understand."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bot.chat.updates.not_understood_limit import (
    ALL_CHATS_SECONDS,
    MAX_COUNTED_CHATS,
    MAX_IN_ALL_CHATS,
    MAX_REPEATS,
    NotUnderstoodLimit,
)


def text(
    number: int, words: str = "what is this?", chat: int = 7, more: dict[str, Any] | None = None
) -> dict[str, Any]:
    person = {"id": chat, "is_bot": False, "first_name": "Ada"}
    message = {"message_id": number, "date": 1, "from": person, "chat": {"id": chat, "type": "private"}, "text": words}
    return {"update_id": number, "message": message | (more or {})}


@pytest.fixture
async def limit() -> NotUnderstoodLimit:
    """Chat 7 has got as many answers as it may get."""
    limit = NotUnderstoodLimit()
    assert [limit.may_reply(7) for _ in range(MAX_REPEATS + 1)] == [True] * MAX_REPEATS + [False]
    return limit


async def test_a_text_in_a_chat_that_has_been_answered_is_skipped(limit: NotUnderstoodLimit) -> None:
    assert limit.can_be_skipped(text(1))
    assert not limit.can_be_skipped(text(1, chat=8)), "another chat"


@pytest.mark.parametrize("words", ["/help", "/remove_background white", "remove the background", "抠图", "light blue"])
async def test_a_text_that_may_mean_something_is_never_skipped(limit: NotUnderstoodLimit, words: str) -> None:
    assert not limit.can_be_skipped(text(1, words))


@pytest.mark.parametrize(
    "more",
    [
        {"entities": [{"type": "bot_command", "offset": 0, "length": 4}]},
        {"reply_to_message": {"message_id": 1}},
        {"photo": []},
        {"chat": {"id": 7, "type": "group"}},
        {"chat": 7},
        {"chat": {"id": [], "type": "private"}},
        {"text": 7},
    ],
)
async def test_whatever_is_more_than_a_text_is_handled(limit: NotUnderstoodLimit, more: dict[str, Any]) -> None:
    assert not limit.can_be_skipped(text(1, more=more))
    assert not limit.can_be_skipped({"update_id": 1, "callback_query": {}})
    assert not limit.can_be_skipped({"update_id": 1, "message": None})


async def test_the_last_update_stays_because_its_id_confirms_the_others(limit: NotUnderstoodLimit) -> None:
    updates = [text(1), text(2, chat=8), text(3), text(4)]
    assert [update["update_id"] for update in limit.without_skipped(updates)] == [2, 4]
    assert limit.without_skipped([]) == []


async def test_few_chats_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = NotUnderstoodLimit()
    monkeypatch.setattr("bot.chat.updates.not_understood_limit.MAX_IN_ALL_CHATS", 2 * MAX_COUNTED_CHATS)
    for chat in range(MAX_COUNTED_CHATS + 10):
        limit.may_reply(chat)
    assert len(limit._answered) == MAX_COUNTED_CHATS


async def test_all_chats_together_get_few_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = NotUnderstoodLimit()
    answered = sum(limit.may_reply(chat) for chat in range(MAX_IN_ALL_CHATS + 50))
    assert answered == MAX_IN_ALL_CHATS
    assert limit.can_be_skipped(text(1, chat=9999)), "a chat that had no answer yet"
    assert not limit.can_be_skipped(text(1, "/help", chat=9999))
    loop = asyncio.get_running_loop()
    later = loop.time() + ALL_CHATS_SECONDS
    monkeypatch.setattr(loop, "time", lambda: later)
    assert not limit.can_be_skipped(text(1, chat=9999))
    assert limit.may_reply(9999)
