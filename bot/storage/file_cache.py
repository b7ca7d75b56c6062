"""Files that may be lost: downloaded photos and finished results, bounded in bytes, the longest unused leave first."""

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
    """A folder of files under keys; whoever needs one that has left makes it again.

    Args:
        folder: Made if missing; nothing else may write there.
        max_bytes: The files' total size is brought below this whenever one is added.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self.folder = folder
        self._max_bytes = max_bytes
        self._tidying = threading.Lock()

    def path(self, key: str) -> Path:
        """Where the key's file is or would be. Keys may hold anything: only their hash becomes a name."""
        return self.folder / hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()

    def find(self, key: str) -> Path | None:
        """The key's file, marked as just used, or None."""
        path = self.path(key)
        try:
            os.utime(path)
        except FileNotFoundError:
            return None
        return path

    async def put(self, key: str, data: bytes) -> Path:
        """Keep `data` under `key`; the file is there wholly or not at all."""
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
        self.tidy(keep=path)
        return path

    def tidy(self, keep: Path) -> None:
        """Let the longest unused files go until the rest is below the bound, all but `keep`. Blocks.

        `put` does so by itself; whoever writes to a key's path without it calls this afterwards.
        """
        with self._tidying:  # one after another: whoever was passed over could have added what is too much
            files = sorted(_files(self.folder), key=lambda file: file[1].st_mtime_ns)
            total = sum(stat.st_size for _, stat in files)
            for path, stat in files:
                if total <= self._max_bytes:
                    break
                if path != keep:
                    path.unlink(missing_ok=True)
                    total -= stat.st_size

    def remove(self, key: str) -> None:
        """Let go of the key's file, if it is there. Blocks."""
        self.path(key).unlink(missing_ok=True)

    def sweep(self, *, older_than: float, dry_run: bool = False) -> int:
        """Delete files last used before `older_than` (seconds since the epoch); returns how many. Blocks."""
        old = [path for path, stat in _files(self.folder) if stat.st_mtime < older_than]
        if not dry_run:
            for path in old:
                path.unlink(missing_ok=True)
        return len(old)

    def clear_unfinished(self) -> None:
        """Delete what a killed process left half written more than an hour ago. Blocks."""
        for path in self.folder.glob("new-*"):
            with contextlib.suppress(FileNotFoundError):  # finished meanwhile, by a process beside this one
                if path.stat().st_mtime < time.time() - 3600:
                    path.unlink()


def _files(folder: Path) -> list[tuple[Path, os.stat_result]]:
    """The folder's finished files; those that vanish meanwhile are left out."""
    found = []
    for entry in os.scandir(folder) if folder.is_dir() else ():
        if not entry.name.startswith("new-"):
            try:
                found.append((Path(entry.path), entry.stat()))
            except FileNotFoundError:
                continue
    return found
