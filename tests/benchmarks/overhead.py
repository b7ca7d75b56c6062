"""The cost of everything except the engine: from a photo's update to its answer, with an engine that does nothing."""

from __future__ import annotations

import asyncio
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from bot import wiring
from bot.engines import Engine
from bot.imaging.photo import Mask, Photo
from bot.playground import TelegramServer
from bot.playground.person import Upload
from bot.segmentation import FoundObject
from tests.support import Talk, encoded, running_bot, scene, settings_for

PHOTOS = 60


class Nothing:
    """An engine that finds a square and fills it with its own pixels."""

    async def segment(self, photo: Photo, *, map_file: Path | None = None) -> FoundObject:
        matte = np.zeros((photo.height, photo.width), np.uint8)
        matte[photo.height // 3 : photo.height // 2, photo.width // 3 : photo.width // 2] = 255
        return FoundObject(matte)

    async def inpaint(self, photo: Photo, _mask: Mask, *, seed: int, keeps_subject: bool = False) -> Photo:
        return photo


@asynccontextmanager
async def _engines(*_: Any) -> AsyncIterator[list[Engine]]:
    yield [Engine("none", Nothing(), Nothing())]


async def measure() -> list[str]:
    """The table's lines."""
    lines = ["| photo | update → status message | update → answer on its way, median | p95 |", "|---|---|---|---|"]
    with mock.patch.object(wiring, "engines", _engines), tempfile.TemporaryDirectory() as folder:
        async with TelegramServer() as server, running_bot(settings_for(server, Path(folder)), server.telegram):
            for width, height in ((640, 480), (1280, 960)):
                first, whole = await _series(server, encoded(scene(width, height)), width)
                lines.append(
                    f"| {width} × {height} | {first * 1000:.0f} ms | {statistics.median(whole) * 1000:.0f} ms "
                    f"| {np.percentile(whole, 95) * 1000:.0f} ms |"
                )
    return lines


async def _series(server: TelegramServer, photo: bytes, number: int) -> tuple[float, list[float]]:
    telegram = server.telegram
    first, whole = [], []
    for turn in range(PHOTOS + 5):
        # A person each: one chat is spoken to once a second only, which is Telegram's rule and no overhead.
        talk = Talk(telegram, 1000 * number + turn)
        content = await talk.person.send(Upload(photo), caption="/remove_subject")
        begun = time.perf_counter()
        messages, media = telegram.calls["sendMessage"], telegram.calls["editMessageMedia"]
        await telegram.events.wait_until(lambda n=messages: telegram.calls["sendMessage"] > n)
        posted = time.perf_counter() - begun
        await telegram.events.wait_until(lambda n=media: telegram.calls["editMessageMedia"] > n)
        if turn >= 5:  # the first warm up what is loaded lazily
            first.append(posted)
            whole.append(time.perf_counter() - begun)
        await talk.answer_to(content[0])
    return statistics.median(first), whole


def main() -> list[str]:
    """Run it."""
    return asyncio.run(measure())
