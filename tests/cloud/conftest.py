"""Fixtures of the engine's tests: a stand-in for Volcengine, a pool of threads, and the engine between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import numpy as np
import pytest
import structlog
from structlog.typing import EventDict

from bot.engines import Engine
from bot.engines.volcengine import LocalCallSlots, OperatorNotice, VolcConfig, volcengine_engine
from bot.imaging.photo import Photo
from tests.cloud.standin import CloudStandIn


class ThreadPool:
    """Runs pixel functions in threads: these tests are about the functions, not about the pool."""

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        return await asyncio.to_thread(function, *args)


class World:
    """Builds engines that talk to the stand-in, and records their notices, waits, queue positions and counted calls."""

    def __init__(self, cloud: CloudStandIn, stack: AsyncExitStack) -> None:
        self._cloud = cloud
        self._stack = stack
        self.notices: list[OperatorNotice] = []
        self.waits: list[float] = []
        self.positions: list[int] = []
        self.counted: list[tuple[str, bool]] = []
        self.pool = ThreadPool()
        self.sleep_hook: Callable[[float], Awaitable[None]] | None = None

    def config(self, **changes: Any) -> VolcConfig:
        keys = self._cloud.keys
        settings = {
            "access_key": keys.access_key,
            "secret_key": keys.secret_key,
            "session_token": keys.session_token,
            "endpoint": self._cloud.url,
            **changes,
        }
        return VolcConfig(**settings)

    async def engine(self, *, call_slots: Any = None, **changes: Any) -> Engine:
        return await self._stack.enter_async_context(
            volcengine_engine(
                self.config(**changes),
                pool=self.pool,
                call_slots=call_slots or LocalCallSlots(2),
                on_operator_error=self._record_notice,
                on_position=self._record_position,
                on_call=self._record_call,
                sleep=self._sleep,
            )
        )

    async def _record_notice(self, notice: OperatorNotice) -> None:
        self.notices.append(notice)

    async def _record_position(self, position: int) -> None:
        self.positions.append(position)

    async def _record_call(self, ability: str, succeeded: bool) -> None:
        self.counted.append((ability, succeeded))

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if self.sleep_hook is not None:
            await self.sleep_hook(seconds)
        await asyncio.sleep(0)


@pytest.fixture
async def cloud() -> AsyncIterator[CloudStandIn]:
    async with CloudStandIn() as cloud:
        yield cloud


@pytest.fixture
async def world(cloud: CloudStandIn) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(cloud, stack)


@pytest.fixture
async def engine(world: World) -> Engine:
    return await world.engine()


@pytest.fixture
def logs() -> Any:
    with structlog.testing.capture_logs() as lines:
        yield lines


def calls_logged(logs: list[EventDict]) -> list[tuple[Any, int]]:
    """Return the code and the attempt of each logged call."""
    return [(line["code"], line["attempt"]) for line in logs if line["event"].startswith("volcengine_call")]


def scene(width: int = 400, height: int = 300, *, noisy: bool = True) -> Photo:
    """Return a photo of a red block on blue-grey noise. The stand-in finds the block."""
    rng = np.random.default_rng(7)
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:] = (90, 110, 140)
    if noisy:
        pixels += rng.integers(0, 12, size=pixels.shape, dtype=np.uint8)
    pixels[block(width, height)] = (210, 40, 30)
    return Photo(pixels)


def block(width: int, height: int) -> tuple[slice, slice]:
    """Return the index of the red block of `scene`."""
    return slice(height // 3, height * 2 // 3), slice(width // 3, width * 2 // 3)


def hole(width: int, height: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the mask of the block."""
    mask = np.zeros((height, width), np.uint8)
    mask[block(width, height)] = 255
    return mask
