"""The pixel pool and the photo that the tests of this folder share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.imaging.pool import PixelPool
from tests.unit.edits.pictures.fake_engines import World


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[PixelPool]:
    async with PixelPool(workers=1, scratch=tmp_path / "scratch", preload=("bot.edits.pictures.pixels",)) as pool:
        yield pool


@pytest.fixture
def world(pool: PixelPool, tmp_path: Path) -> World:
    return World(pool, tmp_path)
