"""What runs inside a process of the pixel pool: its limits, and its jobs."""

from __future__ import annotations

import contextlib
import ctypes
import os
import re
import resource
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from bot import logs
from bot.errors import BotError
from bot.imaging.array_transfer import PackedValue, pack, unpack
from bot.imaging.heap import release_free_heap

PR_SET_PDEATHSIG = 1

_OUT_OF_MEMORY = re.compile(
    r"(out of|insufficient|not enough) memory|(failed|cannot|unable) to allocate|allocation (error|failed)|bad_alloc",
    re.IGNORECASE,
)
"""How Pillow, libheif, libavif and ONNX Runtime report that memory ran out: in the text of an error of another type."""

EXIT_USED_UP = 75
"""Exit code of a process that ran out of memory because of what earlier jobs have left in it."""

USED_UP_SHARE = 0.1
"""Share of the memory for jobs that earlier jobs may leave behind: caches, threads, a fragmented heap."""

_in_pool = threading.Event()
_used_up_at: list[int] = []
"""Bytes of data from which this process counts as used up; empty outside the pool."""


def initialise(parent: int, memory_mb: int, log: tuple[str, str] | None) -> None:
    """Limit this process's memory, and end it when the bot's process ends.

    Args:
        parent: Process id of the bot.
        memory_mb: Megabytes of data that jobs may have, besides what this process has before its first job.
        log: What `bot.logs.current_level_and_style` returned in the bot's process.
    """
    import cv2

    _in_pool.set()
    if log is not None:  # else structlog would write every event to stdout, where the command line's results go
        logs.configure(*log, secrets=())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _exit_with_parent(parent)
    # RLIMIT_DATA counts what is written to; RLIMIT_AS would count what libraries merely reserve. Stacks of threads
    # count as a whole, 8 MB each, so a process begins with more on a machine of many cores.
    before = _data_bytes()
    resource.setrlimit(resource.RLIMIT_DATA, (before + memory_mb * 2**20,) * 2)
    _used_up_at[:] = [before + round(USED_UP_SHARE * memory_mb * 2**20)]
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cv2.setNumThreads(max(1, min(4, os.cpu_count() or 1)))


def run_job(packed: PackedValue, folder: Path | None) -> PackedValue:
    """Run one job.

    If a job runs out of memory in a process that is used up, the process ends with `EXIT_USED_UP`: the job may fit into
    a new one.

    Args:
        packed: The function, its positional and its keyword arguments.
        folder: Where the result's arrays are written.

    Returns:
        What the function returned, packed.

    Raises:
        MemoryError: The job needed more memory than a process may have, in the libraries too.
        Exception: Any exception that the function raises.
    """
    is_used_up = bool(_used_up_at) and _data_bytes() > _used_up_at[0]
    try:
        function, args, kwargs = unpack(packed)
        return pack(function(*args, **kwargs), folder)
    except Exception as error:
        if is_out_of_memory(error):
            if is_used_up:
                os._exit(EXIT_USED_UP)
            raise MemoryError(str(error)) from None
        raise
    finally:
        release_free_heap()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of any type means that this process has no more memory."""
    import cv2

    if isinstance(error, cv2.error):
        return bool(error.code == cv2.Error.StsNoMem)
    if isinstance(error, BotError):
        return False
    return isinstance(error, MemoryError) or bool(_OUT_OF_MEMORY.search(str(error)))


@contextlib.contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Limit the processor time of a block in a process of the pool; in any other process there is no limit.

    The kernel kills the process by SIGPROF, since a codec cannot be interrupted. Unlike a limit by the clock this does
    not blame a file for a busy machine.

    Args:
        seconds: Processor time of all threads.
    """
    if not _in_pool.is_set():
        yield
        return
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0.0)


def _data_bytes() -> int:
    """What RLIMIT_DATA counts of this process at the moment; 0 where the system does not say it."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith("VmData")), 0)


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
