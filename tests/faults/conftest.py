"""The two stand-ins run in the test's process, so they survive when a bot is killed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from unittest import mock

import pytest
import pytest_asyncio

from bot.playground import TelegramServer
from tests.cloud.standin import CloudStandIn
from tests.faults.bots import BotProcess
from tests.faults.postgres import PostgresServer, programs


@pytest.fixture(scope="session", autouse=True)
def quick_starts() -> Iterator[None]:
    """Bots are forked from a process that has imported the libraries."""
    with mock.patch.object(BotProcess, "forks", new=True):
        yield


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
async def cloud() -> AsyncIterator[CloudStandIn]:
    async with CloudStandIn() as cloud:
        yield cloud


@pytest_asyncio.fixture
async def postgres() -> AsyncIterator[PostgresServer]:
    if programs() is None:
        pytest.skip("no PostgreSQL on this machine: apt-get install postgresql")
    server = PostgresServer()
    await asyncio.to_thread(server.create)
    await server.start()
    yield server
    await server.stop()
    server.remove()
