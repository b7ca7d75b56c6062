"""Locks on files that the kernel releases when their process ends, however it ends.

A process id says less: in a container every bot has the id 1.
"""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import IO


def lock_file(path: Path, *, wait: bool = False) -> IO[bytes]:
    """Lock a file for this process; it is made if it is missing. Closing the returned file releases the lock.

    Child processes that were started by another program file (the fork server) do not hold it.

    Args:
        path: The file.
        wait: Whether to block until another process has released it.

    Raises:
        BlockingIOError: Another process holds it.
        OSError: The file cannot be made, or the file system has no locks.
    """
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BaseException:
        file.close()
        raise
    return file
