"""Deletes records and cached files: after the retention time, and when a person asks for it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable, Sequence

import structlog

from bot.edits.files import cache_keys
from bot.edits.model import Edit
from bot.edits.records.store import Store
from bot.storage.file_cache import FileCache

log = structlog.get_logger()

SWEEP_SECONDS = 900.0
"""Seconds between two sweeps."""

DELETE_TIMEOUT = 10.0
"""Seconds to wait for a picture that is being delivered before its edit is deleted."""

DELETE_POLL_SECONDS = 0.05
"""Seconds between looks whether it is delivered."""


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


async def delete_person(store: Store, caches: Sequence[FileCache], person: int) -> int:
    """Delete a person's edits, offers and cached files.

    An edit that is being delivered is deleted once it is done. After `DELETE_TIMEOUT` it is left to the sweeper.

    Returns:
        How many edits were deleted.
    """
    deleted = 0
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(contextlib.suppress(TimeoutError))
        await stack.enter_async_context(asyncio.timeout(DELETE_TIMEOUT))
        while True:
            edits, left = await store.deletion.delete_person(person)
            deleted += len(edits)
            await asyncio.to_thread(_remove_files, edits, caches)
            if not left:
                break
            await asyncio.sleep(DELETE_POLL_SECONDS)
    return deleted


def _remove_files(edits: Iterable[Edit], caches: Sequence[FileCache]) -> None:
    for edit in edits:
        for key in cache_keys(edit):
            for cache in caches:
                cache.remove(key)
