"""A disk cache of downloaded photos and finished results, bounded in bytes; evicts the least recently used files."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path


class FileCache:
    """A folder of files under keys. Callers must be able to make a missing file again.

    Args:
        folder: Created if missing; nothing else may write there.
        max_bytes: Limit of the files' total size; enforced whenever a file is added.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._evicting = threading.Lock()

    def path(self, key: str) -> Path:
        """Path of the key's file, whether it exists or not. Keys may hold any text: only their hash becomes a name."""
        return self.folder / hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()

    def find(self, key: str) -> Path | None:
        """The key's file, marked as just used; None if it does not exist."""
        path = self.path(key)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    async def put(self, key: str, data: bytes) -> Path:
        """Store `data` under `key` and return the file's path. The write is atomic."""
        return await asyncio.to_thread(self._write, key, lambda path: path.write_bytes(data))

    def _write(self, key: str, write: Callable[[Path], object]) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=self.folder, prefix="new-")
        os.close(handle)
        try:
            write(Path(name))
            path = self.path(key)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        self.evict(keep=path)
        return path

    def evict(self, keep: Path) -> None:
        """Delete the least recently used files until the rest fits the limit; never delete `keep`. Blocks.

        `put` calls this. Code that writes to a key's path without `put` must call it afterwards.
        """
        with self._evicting:  # one eviction at a time: a file added after its scan is counted by the next one
            files = sorted(_files(self.folder), key=lambda file: file[1].st_mtime_ns)
            total = sum(stat.st_size for _, stat in files)
            for path, stat in files:
                if total <= self._max_bytes:
                    break
                if path != keep:
                    path.unlink(missing_ok=True)
                    total -= stat.st_size

    def remove(self, key: str) -> bool:
        """Delete the key's file; returns whether it existed. Blocks."""
        try:
            self.path(key).unlink()
        except FileNotFoundError:
            return False
        return True

    def sweep(self, *, older_than: float, dry_run: bool = False) -> int:
        """Delete files last used before `older_than` (seconds since the epoch); returns how many. Blocks."""
        old = [path for path, stat in _files(self.folder) if stat.st_mtime < older_than]
        if not dry_run:
            for path in old:
                path.unlink(missing_ok=True)
        return len(old)

    def clear_unfinished(self) -> None:
        """Delete partial files that are older than an hour: a killed process left them. Blocks."""
        for path in self.folder.glob("new-*"):
            with contextlib.suppress(FileNotFoundError):  # another process has just finished it
                if path.stat().st_mtime < time.time() - 3600:
                    path.unlink()


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """The folder's finished files; files that are deleted during the scan are left out."""
    found = []
    for entry in os.scandir(folder) if folder.is_dir() else ():
        if not entry.name.startswith("new-"):
            try:
                found.append((Path(entry.path), entry.stat()))
            except FileNotFoundError:
                continue
    return found
