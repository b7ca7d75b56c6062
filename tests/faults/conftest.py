"""The two stand-ins, in the test's own process: they outlive the bots that are killed."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.playground import TelegramServer
from tests.cloud.standin import CloudStandIn


@pytest.fixture
async def server() -> AsyncIterator[TelegramServer]:
    async with TelegramServer() as server:
        yield server


@pytest.fixture
async def cloud() -> AsyncIterator[CloudStandIn]:
    async with CloudStandIn() as cloud:
        yield cloud
