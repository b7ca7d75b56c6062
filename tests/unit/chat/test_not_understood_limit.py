"""Texts that are skipped, because the bot has just answered in their chat that it does not understand."""

from __future__ import annotations

from typing import Any

import pytest

from bot.chat.not_understood_limit import MAX_COUNTED_CHATS, MAX_REPEATS, NotUnderstoodLimit


def text(
    number: int, words: str = "what is this?", chat: int = 7, more: dict[str, Any] | None = None
) -> dict[str, Any]:
    person = {"id": chat, "is_bot": False, "first_name": "Ada"}
    message = {"message_id": number, "date": 1, "from": person, "chat": {"id": chat, "type": "private"}, "text": words}
    return {"update_id": number, "message": message | (more or {})}


@pytest.fixture
async def told() -> NotUnderstoodLimit:
    """Chat 7 has got as many answers as it may get."""
    talk = NotUnderstoodLimit()
    assert [talk.may_reply(7) for _ in range(MAX_REPEATS + 1)] == [True] * MAX_REPEATS + [False]
    return talk


async def test_a_text_in_a_chat_that_has_been_answered_is_idle(told: NotUnderstoodLimit) -> None:
    assert told.can_be_skipped(text(1))
    assert not told.can_be_skipped(text(1, chat=8)), "another chat"


@pytest.mark.parametrize("words", ["/help", "/remove_background white", "remove the background", "抠图", "light blue"])
async def test_a_text_that_may_mean_something_is_never_idle(told: NotUnderstoodLimit, words: str) -> None:
    assert not told.can_be_skipped(text(1, words))


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
async def test_whatever_is_more_than_a_text_is_handled(told: NotUnderstoodLimit, more: dict[str, Any]) -> None:
    assert not told.can_be_skipped(text(1, more=more))
    assert not told.can_be_skipped({"update_id": 1, "callback_query": {}})
    assert not told.can_be_skipped({"update_id": 1, "message": None})


async def test_the_last_update_stays_because_its_id_confirms_the_others(told: NotUnderstoodLimit) -> None:
    updates = [text(1), text(2, chat=8), text(3), text(4)]
    assert [update["update_id"] for update in told.without_skipped(updates)] == [2, 4]
    assert told.without_skipped([]) == []


async def test_few_chats_are_counted() -> None:
    talk = NotUnderstoodLimit()
    for chat in range(MAX_COUNTED_CHATS + 10):
        talk.may_reply(chat)
    assert len(talk._answered) == MAX_COUNTED_CHATS
