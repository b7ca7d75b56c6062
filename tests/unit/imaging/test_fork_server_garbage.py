"""Pixel processes collect their own garbage, and never look through what the fork server has imported."""

from __future__ import annotations

import gc

import bot.imaging.fork_server  # noqa: F401 -- it does nothing here
from bot.imaging.pool import PixelPool


def _collector() -> tuple[bool, int, int]:
    """Whether this process collects garbage, and how many objects it does not and does look at."""
    return gc.isenabled(), gc.get_freeze_count(), len(gc.get_objects())


async def test_a_pixel_process_collects_what_its_jobs_make() -> None:
    async with PixelPool(workers=1) as pool:
        is_collecting, frozen, watched = await pool.run(_collector)
    assert is_collecting
    assert frozen > 10 * watched
    assert gc.isenabled(), "importing the module elsewhere changes nothing"
