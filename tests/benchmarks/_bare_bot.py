"""The bot in a separate process, with an engine that only takes time, without the limits of Telegram and its queue.

`BENCH_ENGINE_SECONDS` is how long the engine takes for each photo; without it, none.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from bot import cli, wiring
from bot.chat.api.flood_limiter import FloodLimiter
from bot.edits.records.limits import EditLimits
from bot.engines import Engine
from bot.imaging.photo import Photo
from bot.segmentation import FoundObject
from tests.benchmarks.overhead import Nothing

ENGINE_SECONDS = float(os.environ.get("BENCH_ENGINE_SECONDS", "0"))


class Timed(Nothing):
    """Finds a square, after `ENGINE_SECONDS`."""

    async def segment(self, photo: Photo, *, map_file: Path | None = None) -> FoundObject:
        await asyncio.sleep(ENGINE_SECONDS)
        return await super().segment(photo, map_file=map_file)


@asynccontextmanager
async def _engines(*_: Any) -> AsyncIterator[list[Engine]]:
    yield [Engine("none", Timed(), Timed())]


def _no_limits(per_person: int, per_day: int, **options: Any) -> EditLimits:
    return EditLimits(per_person, per_day, pending=100_000, **options)


def _unlimited(**options: Any) -> FloodLimiter:
    return FloodLimiter(overall=10_000, per_chat=1_000, **options)


if __name__ == "__main__":
    with (
        mock.patch.object(wiring, "engines", _engines),
        mock.patch.object(wiring, "FloodLimiter", _unlimited),
        mock.patch.object(wiring, "EditLimits", _no_limits),
    ):
        raise SystemExit(cli.main())
