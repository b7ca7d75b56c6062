"""One bot for each test module; each test uses it as another person."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio

from bot.playground import TelegramServer
from tests.cloud.standin import CloudStandIn
from tests.support import Talk, running_bot, settings_for

_numbers = itertools.count(5001)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def cloud() -> AsyncIterator[CloudStandIn]:
    """The stand-in for Volcengine."""
    async with CloudStandIn() as cloud:
        yield cloud


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        settings = settings_for(server, tmp_path_factory.mktemp("data"), public_url="https://photos.example.org")
        async with running_bot(settings, server.telegram):
            yield server


@pytest.fixture
def meet(server: TelegramServer) -> Callable[..., Talk]:
    """A new person in the bot's chat."""
    return lambda language="en": Talk(server.telegram, next(_numbers), language)


@pytest.fixture
def talk(meet: Callable[..., Talk]) -> Talk:
    """An English-speaking person in the bot's chat."""
    return meet()
