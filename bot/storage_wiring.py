"""Builds what stores: the database, the caches, DATA_DIR's bound, and what processes share through the database.

`wiring` builds the rest on top of it. The doctor imports this instead of `wiring`, so it starts without the rest.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

import sqlalchemy as sa

from bot import data_dir
from bot.engines.volcengine.call_slots import CallSlots, LocalCallSlots
from bot.settings import Settings
from bot.storage.call_slots import SharedCallSlots
from bot.storage.data_folder import DataFolder
from bot.storage.database import Database
from bot.storage.file_cache import FileCache
from bot.storage.rate_limits import SharedRateLimiter

CACHE_BYTES = 1_000_000_000
"""Largest size of each of the two caches: downloaded photos and finished results."""

CACHE_SHARE = 0.25
"""Share of DATA_MAX_MB that each of the two caches may take; the rest is the database's."""


def caches(settings: Settings) -> tuple[FileCache, FileCache]:
    """The caches of downloaded photos and of finished results."""
    folder = settings.data_dir / "cache"
    max_bytes = min(CACHE_BYTES, int(CACHE_SHARE * settings.data_max_mb * 1e6))
    return FileCache(folder / "photos", max_bytes=max_bytes), FileCache(folder / "results", max_bytes=max_bytes)


def data_folder(settings: Settings) -> DataFolder:
    """Measures DATA_DIR against DATA_MAX_MB."""
    path = sa.make_url(settings.database).database if settings.database.startswith("sqlite") else None
    return DataFolder(
        settings.data_dir, max_bytes=int(settings.data_max_mb * 1e6), database=Path(path) if path else None
    )


def only_bot(settings: Settings) -> contextlib.AbstractContextManager[None]:
    """Hold the locks that keep a second bot away from DATA_DIR and from the SQLite file."""
    url = settings.database
    return data_dir.only_bot(
        settings.data_dir, Path(url.removeprefix("sqlite:///")) if url.startswith("sqlite") else None
    )


@contextlib.asynccontextmanager
async def open_database(settings: Settings) -> AsyncIterator[Database]:
    """The database, its tables migrated to the current version."""
    async with open_unmigrated_database(settings) as database:
        await database.start()
        yield database


@contextlib.asynccontextmanager
async def open_unmigrated_database(settings: Settings) -> AsyncIterator[Database]:
    """The database as it is, to look at it."""
    setting = "DATA_DIR" if settings.database_url is None else "DATABASE_URL"
    database = Database(settings.database, setting=setting)
    try:
        yield database
    finally:
        await database.close()


def call_slots(settings: Settings, database: Database) -> CallSlots:
    """Limits concurrent calls to the cloud; over all processes if they share a database."""
    if database.is_sqlite:
        return LocalCallSlots(settings.volc_concurrency)
    return SharedCallSlots(database, settings.volc_concurrency)


def shared_rate_limiter(database: Database) -> SharedRateLimiter | None:
    """Shares Telegram's flood limits among processes; None with SQLite, which only one process uses."""
    return None if database.is_sqlite else SharedRateLimiter(database)
