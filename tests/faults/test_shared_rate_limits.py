"""Telegram's limits hold for a token over all processes that use it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from telegram.error import RetryAfter

from bot.chat.api.flood_limiter import FloodLimiter
from bot.storage.database import Database
from bot.storage.rate_limits import SharedRateLimiter, TokenRate
from tests.faults.postgres import PostgresServer


@pytest_asyncio.fixture
async def databases(postgres: PostgresServer) -> AsyncIterator[list[Database]]:
    url = postgres.new_database().replace("postgresql://", "postgresql+psycopg://")
    async with contextlib.AsyncExitStack() as stack:
        opened = [Database(url) for _ in range(3)]
        for database in opened:
            await database.start()
            stack.push_async_callback(database.close)
        yield opened


class Telegram:
    """Records when it is called, and raises the errors that it is given."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.errors: list[Exception] = []

    async def __call__(self) -> bool:
        self.times.append(asyncio.get_running_loop().time())
        if self.errors:
            raise self.errors.pop()
        return True


class WatchedLimits(SharedRateLimiter):
    """Shared limits that tell when a pause has reached the database."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.paused = asyncio.Event()

    async def pause(self, rate: TokenRate, seconds: float) -> None:
        await super().pause(rate, seconds)
        self.paused.set()


async def send(limiter: FloodLimiter, telegram: Telegram, chat: int) -> None:
    await limiter.process_request(telegram, (), {}, "sendMessage", {"chat_id": chat}, None)


async def test_all_processes_together_keep_to_the_overall_limit(databases: list[Database]) -> None:
    telegram = Telegram()
    limiters = [FloodLimiter(overall=20, shared_limits=SharedRateLimiter(database)) for database in databases]
    began = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as tasks:
        for number in range(60):
            tasks.create_task(send(limiters[number % 3], telegram, number))
    assert len(telegram.times) == 60
    # A burst of 20, and 20 a second from then on: two seconds for 60, where three limits by themselves take none.
    for number, time in enumerate(sorted(telegram.times)):
        assert time - began > (number - 20) / 20 - 0.1, f"message {number} is early"


async def test_all_processes_together_keep_to_one_chats_limit(databases: list[Database]) -> None:
    telegram = Telegram()
    limiters = [
        FloodLimiter(per_chat=5, chat_burst=3, shared_limits=SharedRateLimiter(database)) for database in databases
    ]
    began = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as tasks:
        for number in range(12):
            tasks.create_task(send(limiters[number % 3], telegram, 7))
    assert max(telegram.times) - began > 1.6, "(12 - 3) / 5 seconds"


async def test_a_retry_after_pauses_the_other_processes_too(databases: list[Database]) -> None:
    telegram, other = Telegram(), Telegram()
    limits = WatchedLimits(databases[0])
    first, second = FloodLimiter(shared_limits=limits), FloodLimiter(shared_limits=SharedRateLimiter(databases[1]))
    telegram.errors.append(RetryAfter(1))
    waiting = asyncio.create_task(send(first, telegram, 7))
    async with asyncio.timeout(60):
        await limits.paused.wait()
    await send(second, other, 7)
    await waiting
    assert other.times[0] - telegram.times[0] > 0.9


async def test_a_database_that_is_down_does_not_delay_messages(
    databases: list[Database], postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.chat.api.flood_limiter.SHARED_LIMITS_TIMEOUT", 0.2)
    telegram, limiter = Telegram(), FloodLimiter(shared_limits=SharedRateLimiter(databases[0]))
    await postgres.stop()
    await send(limiter, telegram, 7)
    assert len(telegram.times) == 1


async def test_all_processes_know_how_much_room_is_left(databases: list[Database]) -> None:
    busy, waiting = (FloodLimiter(overall=5, shared_limits=SharedRateLimiter(database)) for database in databases[:2])
    assert await waiting.has_spare()
    for _ in range(100):  # tokens of 20 seconds, so that a slow machine gets none of them back before it asks
        await busy.process_request(Telegram(), (), {}, "setMessageReaction", {"chat_id": 7}, None)
    assert not await waiting.has_spare(), "another process has used the burst"
