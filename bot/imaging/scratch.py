"""Scratch folders: one for each running pool, locked while it is in use, so that those of ended processes are known."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from pathlib import Path
from typing import IO

from bot.file_locks import lock_file

_LOCK = "lock"


class ScratchFolder:
    """A new folder in `root`; the folders that earlier processes left there are removed.

    A killed process cannot remove its folder. The lock tells that it is gone: process ids do not, since in a container
    every bot has the same one. Blocks.

    Args:
        root: Made if it is missing; None: the system's temporary folder, where nothing is removed.

    Attributes:
        path: The folder.

    Raises:
        OSError: It cannot be made.
    """

    def __init__(self, root: Path | None) -> None:
        self._lock: IO[bytes] | None = None
        if root is None:
            self.path = Path(tempfile.mkdtemp(prefix="run-"))
            return
        root.mkdir(parents=True, exist_ok=True)
        with contextlib.ExitStack() as held:
            # Under this lock, a folder without a locked file is in use no more: no process is just making one.
            with contextlib.suppress(OSError):  # a file system without locks: folders are left where they are
                held.enter_context(lock_file(root / _LOCK, wait=True))
                for folder in root.glob("run-*"):
                    _remove_if_left(folder)
            self.path = Path(tempfile.mkdtemp(prefix="run-", dir=root))
            with contextlib.suppress(OSError):
                self._lock = lock_file(self.path / _LOCK)

    def remove(self) -> None:
        """Remove the folder. Blocks."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            self._lock.close()


def _remove_if_left(folder: Path) -> None:
    """Remove a scratch folder unless a process uses it."""
    try:
        lock_file(folder / _LOCK).close()
    except OSError:  # in use; or what cannot be locked at all, such as another user's
        return
    shutil.rmtree(folder, ignore_errors=True)
