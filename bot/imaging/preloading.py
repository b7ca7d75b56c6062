"""Starts the process that pixel processes are forked from, before the pool itself is imported."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing import forkserver

POOL_MODULES = ("bot.imaging.fork_server", "bot.imaging.worker_process", "cv2")
"""What the pool needs in its processes."""


def start_fork_server(preload: Sequence[str]) -> None:
    """Start the fork server's imports, on another core, before the pool is needed.

    A short command saves the time of its own imports. Later pools of this process use the same fork server.

    Args:
        preload: The `preload` of the later `PixelPool`.
    """
    forkserver.set_forkserver_preload([*POOL_MODULES, *preload])
    forkserver.ensure_running()
