"""The flood limiter delays requests, repeats idempotent ones after network errors, and drops none."""

from __future__ import annotations

from typing import Any

import pytest
from telegram.error import BadRequest, NetworkError, RetryAfter, TimedOut

from bot.chat.api import flood_limiter as module
from bot.chat.api.flood_limiter import FloodLimiter
from bot.chat.api.message_ids import MessageIds


class Loop:
    """A clock that advances only when a test sleeps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 0.0
        self.waits: list[float] = []
        monkeypatch.setattr(module.asyncio, "get_running_loop", lambda: self)
        monkeypatch.setattr(module.asyncio, "sleep", self.sleep)

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Loop:
    return Loop(monkeypatch)


class Telegram:
    """A Bot API that gives the planned answers; exceptions are raised."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.calls = 0

    async def __call__(self) -> Any:
        self.calls += 1
        answer = self.answers.pop(0) if self.answers else True
        if isinstance(answer, Exception):
            raise answer
        return answer


async def ask(limiter: FloodLimiter, telegram: Telegram, endpoint: str = "sendMessage", chat: int | None = 1) -> object:
    data = {} if chat is None else {"chat_id": chat}
    return await limiter.process_request(telegram, (), {}, endpoint, data, None)


async def test_one_chat_gets_a_message_a_second_after_a_burst(loop: Loop) -> None:
    limiter = FloodLimiter()
    for _ in range(10):
        await ask(limiter, Telegram())
    assert loop.now == pytest.approx(5)


async def test_another_chat_does_not_wait_for_a_busy_one(loop: Loop) -> None:
    limiter = FloodLimiter()
    for _ in range(10):
        await ask(limiter, Telegram())
    before = loop.now
    await ask(limiter, Telegram(), chat=2)
    assert loop.now == before


async def test_a_group_gets_no_more_than_twenty_messages_a_minute(loop: Loop) -> None:
    limiter = FloodLimiter()
    sent: list[float] = []
    for _ in range(60):
        await ask(limiter, Telegram(), chat=-100)
        sent.append(loop.now)
    for start in sent:
        assert sum(start < time <= start + 60 for time in sent) <= 20


async def test_all_chats_together_get_no_more_than_thirty_a_second_in_the_long_run(loop: Loop) -> None:
    limiter = FloodLimiter()
    for chat in range(1, 301):
        await ask(limiter, Telegram(), chat=chat)
    assert loop.now >= (300 - 28) / 30


async def test_reads_and_chat_actions_do_not_count(loop: Loop) -> None:
    limiter = FloodLimiter()
    for endpoint in ("getFile", "sendChatAction", "answerCallbackQuery"):
        for _ in range(100):
            await ask(limiter, Telegram(), endpoint)
    assert loop.waits == []


async def test_after_a_flood_error_it_waits_as_asked_and_sends_again(loop: Loop) -> None:
    telegram = Telegram(RetryAfter(7), "sent")
    assert await ask(FloodLimiter(), telegram) == "sent"
    assert loop.now >= 7
    assert telegram.calls == 2


async def test_an_edit_is_repeated_after_a_dropped_connection(loop: Loop) -> None:
    telegram = Telegram(NetworkError("dropped"), TimedOut(), "edited")
    assert await ask(FloodLimiter(), telegram, "editMessageMedia") == "edited"
    assert telegram.calls == 3


async def test_a_message_is_never_sent_again_after_an_unclear_failure(loop: Loop) -> None:
    telegram = Telegram(NetworkError("dropped"), "sent twice")
    with pytest.raises(NetworkError):
        await ask(FloodLimiter(), telegram, "sendMessage")
    assert telegram.calls == 1


async def test_a_refused_request_is_not_repeated(loop: Loop) -> None:
    telegram = Telegram(BadRequest("message is not modified"))
    with pytest.raises(BadRequest):
        await ask(FloodLimiter(), telegram, "editMessageText")
    assert telegram.calls == 1


async def test_after_the_last_attempt_the_error_is_raised(loop: Loop) -> None:
    telegram = Telegram(*[NetworkError("down")] * 20)
    with pytest.raises(NetworkError):
        await ask(FloodLimiter(), telegram, "editMessageText")
    assert telegram.calls == module.MAX_ATTEMPTS


async def test_the_number_of_remembered_chats_is_bounded(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHATS", 10)
    limiter = FloodLimiter()
    for chat in range(1, 1000):
        await ask(limiter, Telegram(), chat=chat)
        loop.now += 1
    assert len(limiter._chats) <= 12


async def test_the_ids_of_sent_and_received_messages_are_recorded(loop: Loop) -> None:
    ids = MessageIds()
    limiter = FloodLimiter(message_ids=ids)
    sent = {"message_id": 7, "chat": {"id": 1}}
    updates = [{"update_id": 1, "message": {"message_id": 9, "chat": {"id": 2}}}, {"update_id": 2}]
    await ask(limiter, Telegram(sent))
    await ask(limiter, Telegram(updates), "getUpdates", None)
    assert list(ids.unknown(5, 10, excluded={10})) == [6, 8]


async def test_what_can_wait_is_told_when_there_is_room(loop: Loop) -> None:
    limiter = FloodLimiter(overall=28)
    assert await limiter.has_spare()
    for chat in range(15):
        await ask(limiter, Telegram(), chat=chat)
    assert not await limiter.has_spare(), "answers have used more than half of the burst"
    loop.now += 0.5
    assert await limiter.has_spare()
