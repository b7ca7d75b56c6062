"""Deletes records and cached files after the retention time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import structlog

from bot.edits.records.store import Store
from bot.storage.file_cache import FileCache

log = structlog.get_logger()

SWEEP_SECONDS = 900.0
"""Seconds between two sweeps."""


async def sweep(store: Store, caches: Sequence[FileCache], hours: float, *, dry_run: bool = False) -> dict[str, int]:
    """Delete what was last used longer than `hours` ago; in a dry run only count it.

    Returns:
        How many rows of each table, and how many ``files``.
    """
    older_than = time.time() - hours * 3600
    swept = await store.deletion.sweep(older_than=older_than, dry_run=dry_run)
    swept["files"] = 0
    for cache in caches:
        swept["files"] += await asyncio.to_thread(cache.sweep, older_than=older_than, dry_run=dry_run)
    log.info("swept", dry_run=dry_run, **swept)
    return swept


async def sweep_repeatedly(store: Store, caches: Sequence[FileCache], hours: float) -> None:
    """Sweep now and every quarter of an hour, until cancelled. A failure is logged; the next sweep tries again."""
    while True:
        try:
            for cache in caches:
                await asyncio.to_thread(cache.clear_unfinished)
            await sweep(store, caches, hours)
        except Exception:  # the background's boundary: if the sweeper ended, nothing would be deleted any more
            log.exception("sweep_broke")
        await asyncio.sleep(SWEEP_SECONDS)
