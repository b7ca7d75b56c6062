"""The bound of the data folder: database, caches and masks. Models do not count; they grow only when they are fetched.

The caches bound themselves. The rest grows with what people do, so no new edit is accepted once the folder has reached
its bound, or the disk is nearly full.
"""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import structlog
from prometheus_client import Gauge

from bot.errors import PersonError

log = structlog.get_logger()

USED = Gauge("bot_data_bytes", "Bytes in DATA_DIR, without the models.")
BOUND = Gauge("bot_data_max_bytes", "DATA_MAX_MB in bytes.")
FREE = Gauge("bot_disk_free_bytes", "Free bytes on the disk of DATA_DIR.")

MEASURE_SECONDS = 5.0
"""Seconds between two measurements. One takes some ms for ten thousand files."""

NEAR = 0.8
"""Share of the bound from which the operator is warned."""

RESERVE_BYTES = 200_000_000
"""Free bytes on the disk that stay for the edits that run; with less, no new edit is accepted."""

MODELS = ("models",)
"""The folder of models in DATA_DIR."""

LOW_BYTES = 1_000_000_000
"""Free bytes on the disk below which the operator is warned."""


@dataclass(frozen=True, slots=True)
class DiskUse:
    """What the data folder takes.

    Attributes:
        used: Bytes in the folder.
        bound: Bytes that it may take.
        free: Free bytes on its disk.
    """

    used: int
    bound: int
    free: int

    @property
    def is_full(self) -> bool:
        """Whether no new edit may be accepted."""
        return self.used >= self.bound or self.free < RESERVE_BYTES

    @property
    def warning(self) -> str | None:
        """One line for the operator; None while there is enough room."""
        if self.free < LOW_BYTES:
            return f"the disk of DATA_DIR is nearly full: {self.free / 1e6:.0f} MB free"
        if self.used >= NEAR * self.bound:
            return f"DATA_DIR takes {self.used / 1e6:.0f} of {self.bound / 1e6:.0f} MB (DATA_MAX_MB)"
        return None


class DataFolder:
    """Measures the data folder, and refuses new edits when it is full.

    Args:
        folder: DATA_DIR.
        max_bytes: Bytes that it may take, DATA_MAX_MB.
        database: SQLite's file, which counts wherever it lies; None: the database is a server.
        apart: Names in it that do not count.

    Attributes:
        use: The last measurement; None before the first one.
    """

    def __init__(self, folder: Path, *, max_bytes: int, database: Path | None, apart: Collection[str] = MODELS) -> None:
        self._folder = folder
        is_inside = database is None or database.resolve().is_relative_to(folder.resolve())
        self._outside = () if is_inside else tuple(Path(f"{database}{end}") for end in ("", "-wal", "-shm"))
        self._max_bytes = max_bytes
        self._apart = apart
        self.use: DiskUse | None = None

    def measure(self, reusable: int = 0) -> DiskUse:
        """Measure the folder. Blocks.

        Args:
            reusable: Bytes of the folder's files that are free inside them: SQLite's free pages.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        outside = sum(path.stat().st_size for path in self._outside if path.exists())
        used = max(0, _bytes_in(self._folder, self._apart) + outside - reusable)
        before, self.use = self.use, DiskUse(used, self._max_bytes, shutil.disk_usage(self._folder).free)
        USED.set(used)
        BOUND.set(self._max_bytes)
        FREE.set(self.use.free)
        warning = self.use.warning
        if warning is not None and (before is None or before.warning is None or before.is_full != self.use.is_full):
            log.warning("storage_full" if self.use.is_full else "storage_nearly_full", reason=warning)
        return self.use

    def check_room(self) -> None:
        """Check that a new edit may be accepted, by the last measurement.

        Raises:
            PersonError: ``storage-full``.
        """
        if self.is_full():
            raise PersonError("storage-full")

    def is_full(self) -> bool:
        """Whether no new edit may be accepted, by the last measurement."""
        return self.use is not None and self.use.is_full

    def warning(self) -> str | None:
        """One line for the operator; None while there is enough room."""
        return self.use.warning if self.use is not None else None

    async def watch(self, reusable: Callable[[], Awaitable[int]]) -> None:
        """Measure the folder every `MEASURE_SECONDS` until cancelled. A failure is logged; the next one tries again.

        Args:
            reusable: Returns what `measure` needs.
        """
        while True:
            try:
                await asyncio.to_thread(self.measure, await reusable())
            except Exception:  # the background's boundary
                log.exception("storage_not_measured")
            await asyncio.sleep(MEASURE_SECONDS)


def _bytes_in(folder: Path, apart: Collection[str]) -> int:
    """Bytes of all files in a folder and below; what is deleted meanwhile does not count, links are not followed."""
    total, folders = 0, [os.fspath(folder)]
    while folders:
        here = folders.pop()
        try:
            entries = list(os.scandir(here))
        except FileNotFoundError:
            continue
        for entry in entries:
            if here == os.fspath(folder) and entry.name in apart:
                continue
            try:
                if entry.is_dir(follow_symlinks=False):
                    folders.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
            except FileNotFoundError:
                continue
    return total
