"""The world of the canvas's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.imaging.pool import PixelPool
from bot.storage.database import Database
from tests.unit.edits.canvas_world import World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    async with PixelPool(workers=1, scratch=tmp_path / "scratch", preload=("bot.edits.pictures.pixels",)) as pool:
        yield World(database, pool, tmp_path)
    await database.close()
