"""The one door from the event loop to pixel work: a bounded pool of processes.

A job is a module-level function and its arguments. It runs in a process of its own making no difference to others: too
slow or too greedy, it is killed alone (`pebble`; the standard library's pool breaks as a whole). Arrays travel out of
band (pickle protocol 5) through files that both sides map into memory, so that 36 MB of pixels are not squeezed through
a pipe.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import functools
import mmap
import multiprocessing
import os
import pickle
import resource
import shutil
import signal
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from bot.errors import WorldError

P = ParamSpec("P")
R = TypeVar("R")

OUT_OF_BAND = 65_536
"""Bytes from which a buffer travels by file; smaller ones are cheaper in the pipe."""

MAX_JOBS_PER_PROCESS = 500
"""After so many a process is replaced: C libraries fragment their heaps."""

PR_SET_PDEATHSIG = 1


class PixelPool:
    """Runs functions in processes.

    Args:
        workers: Processes, and so jobs at a time; further ones wait, first come first served.
        timeout: Seconds a job may take unless told otherwise.
        memory_mb: Megabytes of data (heap and private maps) that a process may have.
        scratch: Folder for arrays on their way; None: the system's temporary folder. Emptied at the start.
        preload: Modules that every process has imported before its first job.
    """

    def __init__(
        self,
        *,
        workers: int,
        timeout: float = 60.0,
        memory_mb: int = 4000,
        scratch: Path | None = None,
        preload: Sequence[str] = (),
    ) -> None:
        self._workers = workers
        self._timeout = timeout
        self._memory_mb = memory_mb
        self._scratch_root = scratch
        self._preload = list(preload)
        self._scratch: Path | None = None
        self._pool: ProcessPool | None = None
        self._turns = asyncio.Semaphore(workers)
        self._threads = ThreadPoolExecutor(workers + 1, "pixels")

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        """Close."""
        await self.close()

    async def start(self) -> None:
        """Make the scratch folder, the pool and its first process."""
        await self._in_thread(self._start)
        await self.run(os.getpid)  # the fork server's imports are done before the first person waits for them

    def _start(self) -> None:
        if self._scratch_root is not None:
            self._scratch_root.mkdir(parents=True, exist_ok=True)
            for stale in self._scratch_root.glob("run-*"):
                _remove_if_abandoned(stale)
        self._scratch = Path(tempfile.mkdtemp(prefix=f"run-{os.getpid()}-", dir=self._scratch_root))
        # Forked from a server that has no threads and has imported what the jobs need: a new process is ready at once.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["bot.imaging.pool", "cv2", *self._preload])
        self._pool = ProcessPool(
            max_workers=self._workers,
            max_tasks=MAX_JOBS_PER_PROCESS,
            initializer=_set_up_process,
            initargs=(os.getpid(), self._memory_mb),
            context=context,
        )

    async def close(self) -> None:
        """Kill what still runs and remove the scratch folder."""
        await self._in_thread(self._close)
        self._threads.shutdown(wait=False)

    def _close(self) -> None:
        if self._pool is not None:
            self._pool.stop()  # type: ignore[no-untyped-call]  # pebble types only what it calls public
            self._pool.join(timeout=5)
        if self._scratch is not None:
            shutil.rmtree(self._scratch, ignore_errors=True)

    async def run(
        self,
        function: Callable[..., R],
        *args: Any,
        timeout: float | None = None,  # noqa: ASYNC109 -- pebble kills the process, which asyncio.timeout cannot
        **kwargs: Any,
    ) -> R:
        """Run `function(*args, **kwargs)` in a process and return what it returns.

        Cancelling the awaiting task kills the job.

        Raises:
            WorldError: ``took-too-long``; ``worker-died`` (killed, crashed, or out of memory).
            Exception: Whatever the function raises.
        """
        assert self._pool is not None, "start() first"
        async with self._turns:
            packed = await self._in_thread(_pack, (function, args, kwargs), self._scratch)
            try:
                answer = await self._call(packed, timeout or self._timeout, function)
            finally:
                packed.unlink()
            return await self._in_thread(_unpack, answer)

    async def _call(self, packed: Parcel, timeout: float, function: Callable[..., Any]) -> Parcel:  # noqa: ASYNC109
        assert self._pool is not None
        name = getattr(function, "__name__", "?")
        future: Future[Parcel] = await self._in_thread(
            functools.partial(self._pool.schedule, _work, args=(packed, self._scratch), timeout=timeout)
        )
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            future.cancel()
            raise
        except TimeoutError:
            raise WorldError("took-too-long", job=name, seconds=timeout) from None
        except (ProcessExpired, MemoryError, FutureCancelled) as error:
            raise WorldError("worker-died", job=name, why=type(error).__name__) from None

    async def _in_thread(self, function: Callable[..., R], *args: Any) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, functools.partial(function, *args))


class Parcel:
    """A pickled value whose large buffers lie in a file.

    Args:
        head: The pickle.
        path: The file with the buffers, one after another; None: there are none.
        sizes: Their sizes in bytes.
    """

    __slots__ = ("head", "path", "sizes")

    def __init__(self, head: bytes, path: str | None, sizes: tuple[int, ...]) -> None:
        self.head = head
        self.path = path
        self.sizes = sizes

    def __reduce__(self) -> tuple[Any, ...]:
        return Parcel, (self.head, self.path, self.sizes)

    def unlink(self) -> None:
        """Remove the file; whoever has mapped it keeps what it sees."""
        if self.path is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)


def _pack(value: object, scratch: Path | None) -> Parcel:
    buffers: list[memoryview] = []

    def keep_in_band(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < OUT_OF_BAND:
            return True
        buffers.append(raw)
        return False

    head = pickle.dumps(value, protocol=5, buffer_callback=keep_in_band)
    if not buffers:
        return Parcel(head, None, ())
    handle, path = tempfile.mkstemp(dir=scratch, prefix="arrays-")
    with os.fdopen(handle, "wb", buffering=0) as file:
        for buffer in buffers:
            rest = buffer
            while rest.nbytes:
                rest = rest[file.write(rest) :]
    return Parcel(head, path, tuple(buffer.nbytes for buffer in buffers))


def _unpack(parcel: Parcel) -> Any:
    """The value; its arrays are private maps of the file (writable, copied page by page when written to)."""
    if parcel.path is None:
        return pickle.loads(parcel.head)  # noqa: S301 -- made by our own process
    with open(parcel.path, "rb") as file:
        mapped = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    parcel.unlink()
    buffers, start = [], 0
    for size in parcel.sizes:
        buffers.append(mapped[start : start + size])
        start += size
    return pickle.loads(parcel.head, buffers=buffers)  # noqa: S301 -- made by our own process


def _work(packed: Parcel, scratch: Path | None) -> Parcel:
    """What runs in the process."""
    function, args, kwargs = _unpack(packed)
    answer = _pack(function(*args, **kwargs), scratch)
    _give_memory_back()
    return answer


def _set_up_process(parent: int, memory_mb: int) -> None:
    """Bound this process, and bind its life to the parent's: a killed bot leaves no orphans."""
    import cv2

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    _die_with(parent)
    # RLIMIT_DATA counts what is written to; RLIMIT_AS would count what libraries merely reserve.
    resource.setrlimit(resource.RLIMIT_DATA, (memory_mb * 2**20,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    cv2.setNumThreads(max(1, min(4, os.cpu_count() or 1)))


def _die_with(parent: int) -> None:
    """The fork server, not the bot, is this process's parent to the kernel: watch the bot itself."""
    import threading
    import time

    def watch() -> None:
        while True:
            try:
                os.kill(parent, 0)
            except ProcessLookupError:
                os._exit(1)
            time.sleep(1)

    threading.Thread(target=watch, daemon=True).start()


def _give_memory_back() -> None:
    """Return freed heap to the system (facts/parts.md: 67 → 51 MB in long-lived workers)."""
    libc = ctypes.CDLL(None)
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(0)


def _remove_if_abandoned(folder: Path) -> None:
    """Remove a scratch folder whose process is gone."""
    try:
        os.kill(int(folder.name.split("-")[1]), 0)
    except (ProcessLookupError, ValueError, IndexError):
        shutil.rmtree(folder, ignore_errors=True)
    except PermissionError:
        return
