"""Deletes the edits of people who keep no history, soon after they ended.

The database knows which edits are due, so a killed process continues at its next start. Every process
deletes its own cached files first. A little later the process that takes updates deletes the rows: until then all
processes know which files belong to the edit.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from collections.abc import Set as AbstractSet

import structlog

from bot.edits.person_deletion import remove_files
from bot.edits.records.store import Store
from bot.errors import BotError
from bot.storage.file_cache import FileCache

log = structlog.get_logger()

SHORTEST_MINUTES, LONGEST_MINUTES = 10, 15
"""How long after its answer, or after the last press under it, an edit is kept at least and at most. The longest time
holds while the bot runs."""

LOOK_SECONDS = 60.0
"""Seconds between two runs."""

ROWS_AFTER_FILES = 2 * LOOK_SECONDS


async def delete_unwanted(
    store: Store, caches: Sequence[FileCache], running: AbstractSet[str], *, with_rows: bool, now: float | None = None
) -> int:
    """Delete the ended edits of people who keep no history, if they ended `SHORTEST_MINUTES` ago.

    Args:
        store: The store.
        caches: This process's files.
        running: Ids of the edits whose workflows run in this process; they stay.
        with_rows: Whether to delete the rows too, some time after the files.
        now: Seconds since the epoch; None: the current time.

    Returns:
        How many edits were deleted.
    """
    old = (time.time() if now is None else now) - 60 * SHORTEST_MINUTES
    ended = [edit for edit in await store.history.unwanted(older_than=old) if edit.id not in running]
    if not ended:
        return 0
    files = await asyncio.to_thread(remove_files, ended, caches)
    deleted = await store.history.delete(ended, older_than=old - ROWS_AFTER_FILES) if with_rows else 0
    if files or deleted:
        log.info("history_deleted", edits=deleted, files=files)
    return deleted


async def delete_unwanted_repeatedly(
    store: Store, caches: Sequence[FileCache], running: AbstractSet[str], *, with_rows: bool
) -> None:
    """Run `delete_unwanted` every minute until cancelled; a failure is logged, and tried again.

    The first run is a minute after the start. By then Telegram has repeated the unconfirmed updates, and their edits
    were still stored, so that none is done twice.
    """
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        try:
            await delete_unwanted(store, caches, running, with_rows=with_rows)
        except BotError as error:
            log.warning("history_not_deleted", reason=str(error))
        except Exception:  # the background's boundary: if this ended, nothing would be deleted any more
            log.exception("history_broke")
