"""A pool of two pixel processes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.imaging.pool import PixelPool


@pytest.fixture
async def pool(tmp_path: Path) -> AsyncIterator[PixelPool]:
    async with PixelPool(workers=2, scratch=tmp_path / "scratch", memory_mb=400) as pool:
        yield pool
    assert list((tmp_path / "scratch").glob("run-*")) == []
