"""What runs inside a process of the pixel pool: its limits, and its jobs."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import threading
import time
from pathlib import Path

from bot import logs
from bot.imaging.array_transfer import PackedValue, pack, unpack

PR_SET_PDEATHSIG = 1


def initialise(parent: int, memory_mb: int, log: tuple[str, str] | None) -> None:
    """Limit this process's memory, and end it when the bot's process ends.

    Args:
        parent: Process id of the bot.
        memory_mb: Megabytes of data that this process may have.
        log: What `bot.logs.in_use` returned in the bot's process.
    """
    import cv2

    if log is not None:  # else structlog would write every event to stdout, where the command line's results go
        logs.configure(*log, secrets=())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _exit_with_parent(parent)
    # RLIMIT_DATA counts what is written to; RLIMIT_AS would count what libraries merely reserve.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cv2.setNumThreads(max(1, min(4, os.cpu_count() or 1)))


def run_job(packed: PackedValue, folder: Path | None, cpu_seconds: float = 0.0) -> PackedValue:
    """Run one job.

    Args:
        packed: The function, its positional and its keyword arguments.
        folder: Where the result's arrays are written.
        cpu_seconds: Processor time after which the kernel kills this process by SIGPROF; 0: no limit. Unlike a limit by
            the clock it does not blame a file for a busy machine.

    Returns:
        What the function returned, packed.

    Raises:
        MemoryError: The job needed more memory than this process may have, in OpenCV too.
        Exception: Any exception that the function raises.
    """
    import cv2

    function, args, kwargs = unpack(packed)
    signal.setitimer(signal.ITIMER_PROF, cpu_seconds)
    try:
        result = pack(function(*args, **kwargs), folder)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(error.err) from None
        raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)
    _release_free_heap()
    return result


def _exit_with_parent(parent: int) -> None:
    """Exit once the bot's process is gone. To the kernel this process's parent is the fork server, not the bot."""

    def watch() -> None:
        while True:
            try:
                os.kill(parent, 0)
            except ProcessLookupError:
                os._exit(1)
            time.sleep(1)

    threading.Thread(target=watch, daemon=True).start()


def _release_free_heap() -> None:
    """Return freed heap to the system: 67 → 51 MB in long-lived workers (docs/local-engine.md#worker-memory)."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)
