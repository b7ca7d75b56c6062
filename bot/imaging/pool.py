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
import itertools
import mmap
import multiprocessing
import os
import pickle
import resource
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

from pebble import ProcessExpired, ProcessPool

from bot import logs
from bot.errors import WorkerDiedError, WorldError

P = ParamSpec("P")
R = TypeVar("R")

OUT_OF_BAND = 65_536
"""Bytes from which a buffer travels by file; smaller ones are cheaper in the pipe."""

MAX_JOBS_PER_PROCESS = 500
"""After so many a process is replaced: C libraries fragment their heaps."""

PR_SET_PDEATHSIG = 1

_PRELOAD = ("bot.imaging.pool", "cv2")


def start_fork_server(preload: Sequence[str]) -> None:
    """Start importing in the fork server, on another core, before the pool itself is needed.

    A command that ends soon saves its own imports' time so; later pools of this process use the same fork server.

    Args:
        preload: The modules that a later `PixelPool` is given.
    """
    forkserver.set_forkserver_preload([*_PRELOAD, *preload])
    forkserver.ensure_running()


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
        self._replacing = threading.Lock()
        self._closed = False
        self._awaited: set[Future[Parcel]] = set()
        self._numbers = itertools.count()
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
        self._pool = self._make_pool()

    def _make_pool(self) -> ProcessPool:
        # Forked from a server that has no threads and has imported what the jobs need: a new process is ready at once.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*_PRELOAD, *self._preload])
        return ProcessPool(
            max_workers=self._workers,
            max_tasks=MAX_JOBS_PER_PROCESS,
            initializer=_set_up_process,
            initargs=(os.getpid(), self._memory_mb, logs.current_level_and_style()),
            context=context,
        )

    def _living_pool(self) -> ProcessPool:
        """The pool, or a new one: pebble gives a pool up for good where a process that did nothing was killed."""
        with self._replacing:
            assert self._pool is not None, "start() first"
            if self._closed:
                raise BrokenProcessPool("closed")
            if not self._pool.active:
                self._stop(self._pool)
                self._pool = self._make_pool()
            return self._pool

    def _stop(self, pool: ProcessPool) -> None:
        """Stop a pool, and tell whoever still waits for it: pebble, stopped at the wrong moment, forgets to."""
        pool.stop()  # type: ignore[no-untyped-call]  # pebble types only what it calls public
        pool.join(timeout=5)
        for future in tuple(self._awaited):
            with contextlib.suppress(InvalidStateError):  # told meanwhile
                future.set_exception(BrokenProcessPool("stopped"))

    async def close(self) -> None:
        """Kill what still runs and remove the scratch folder."""
        await self._in_thread(self._close)
        self._threads.shutdown(wait=False)

    def _close(self) -> None:
        with self._replacing:
            self._closed = True
            if self._pool is not None:
                self._stop(self._pool)
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
        name = getattr(function, "__name__", "?")
        job, seconds = (function, args, kwargs), timeout or self._timeout
        async with self._turns:
            try:
                try:
                    return await self._once(job, seconds)
                except BrokenProcessPool:
                    if self._closed:
                        raise
                    return await self._once(job, seconds)  # the whole pool broke over something else than this job
            except TimeoutError:
                raise WorldError("took-too-long", job=name, seconds=seconds) from None
            except (ProcessExpired, BrokenProcessPool, MemoryError, FutureCancelled) as error:
                raise WorkerDiedError("worker-died", job=name, why=type(error).__name__) from None

    async def _once(self, job: tuple[Callable[..., R], Any, Any], seconds: float) -> R:
        assert self._scratch is not None, "start() first"
        if self._closed:
            raise BrokenProcessPool("closed")
        folder = self._scratch / f"job-{next(self._numbers)}"
        sending = asyncio.ensure_future(self._in_thread(self._send, job, folder, seconds))
        try:
            # Shielded: a thread cannot be stopped, and what it began has to be tidied away when it is through.
            future = await asyncio.shield(sending)
            answer = await asyncio.wrap_future(future)
            result: R = await self._in_thread(_unpack, answer)
            return result
        finally:
            sending.add_done_callback(functools.partial(self._tidy, folder))

    def _send(self, job: tuple[Any, ...], folder: Path, seconds: float) -> Future[Parcel]:
        pool = self._living_pool()
        folder.mkdir()
        packed = _pack(job, folder)
        future: Future[Parcel] = pool.schedule(_work, args=(packed, folder), timeout=seconds)
        self._awaited.add(future)
        future.add_done_callback(self._awaited.discard)
        return future

    def _tidy(self, folder: Path, sending: asyncio.Future[Future[Parcel]]) -> None:
        """Stop the job where nobody waits for it any more, and remove its folder."""
        if not sending.cancelled() and sending.exception() is None:
            sending.result().cancel()  # nothing happens where it is done
        with contextlib.suppress(RuntimeError):  # closed meanwhile, scratch and all
            self._threads.submit(shutil.rmtree, folder, ignore_errors=True)

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
    import cv2

    function, args, kwargs = _unpack(packed)
    try:
        answer = _pack(function(*args, **kwargs), scratch)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise MemoryError(error.err) from None
        raise
    _give_memory_back()
    return answer


def _set_up_process(parent: int, memory_mb: int, log: tuple[str, str] | None) -> None:
    """Bound this process, and bind its life to the parent's: a killed bot leaves no orphans."""
    import cv2

    if log is not None:  # else structlog would write every event to stdout, where the command line's results go
        logs.configure(*log, secrets=())
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
