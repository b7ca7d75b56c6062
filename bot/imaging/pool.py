"""A bounded pool of processes that does the pixel work outside the event loop.

A job is a module-level function and its arguments. A job that takes too long or too much memory is killed alone; the
standard library's pool breaks as a whole (docs/architecture.md#worker-pool).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import multiprocessing
import os
import shutil
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import CancelledError as FutureCancelled
from concurrent.futures import Future, InvalidStateError, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path
from typing import Any, ParamSpec, Self, TypeVar

import structlog
from pebble import ProcessExpired, ProcessPool

from bot import logs
from bot.errors import CpuLimitError, MemoryLimitError, WorkerDiedError, WorkerKilledError, WorldError
from bot.imaging import pool_metrics as metrics
from bot.imaging import worker_process
from bot.imaging.array_transfer import PackedValue, pack, unpack
from bot.imaging.preloading import POOL_MODULES
from bot.imaging.scratch import ScratchFolder
from bot.imaging.turns import Turns

P = ParamSpec("P")
R = TypeVar("R")
log = structlog.get_logger()

MAX_RESTARTS = 8
"""How often a job is started again after its process was used up or killed from outside. A job that asks for too much
memory fails at the process's own limit, so SIGKILL comes from the operator or from a machine short of memory."""

_KILLED_FROM_OUTSIDE = (-signal.SIGKILL, -signal.SIGTERM, signal.SIGTERM)
"""Exit codes. An init system may send SIGTERM to all processes of a service; pebble exits with the signal's number."""

MAX_JOBS_PER_PROCESS = 500
"""A process is replaced after this many jobs, because C libraries fragment their heaps."""

POOL_CHECK_SECONDS = 1.0
"""How often the pool is looked at while a job runs."""


class PixelPool:
    """Runs functions in processes.

    Args:
        workers: Number of processes, and of jobs that run at a time; further jobs wait, see `turns`.
        timeout: Seconds a job may take by default.
        memory_mb: Megabytes of data (heap and private maps) that the jobs of a process may have.
        scratch: Folder for arrays in transit; None: the system's temporary folder. Folders of ended processes in it
            are removed at the start.
        preload: Modules that the processes import before their first job.
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
        self._folder: ScratchFolder | None = None
        self._scratch: Path | None = None
        self._pool: ProcessPool | None = None
        self._pool_lock = threading.Lock()
        self._closed = False
        self._pending: set[Future[PackedValue]] = set()
        self._numbers = itertools.count()
        self._turns = Turns(workers)
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
        await self.run(os.getpid)  # the fork server finishes its imports before the first job

    def _start(self) -> None:
        self._folder = ScratchFolder(self._scratch_root)
        self._scratch = self._folder.path
        self._pool = self._make_pool()

    def _make_pool(self) -> ProcessPool:
        # Processes are forked from a server that has imported what the jobs need, so they start fast. It runs no Python
        # threads; for those of C libraries see `bot.imaging.fork_server`.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([*POOL_MODULES, *self._preload])
        return ProcessPool(
            max_workers=self._workers,
            max_tasks=MAX_JOBS_PER_PROCESS,
            initializer=worker_process.initialise,
            initargs=(os.getpid(), self._memory_mb, logs.current_level_and_style()),
            context=context,
        )

    def _active_pool(self) -> ProcessPool:
        """Return the pool, or replace it: pebble shuts a pool down when one of its idle processes is killed."""
        with self._pool_lock:
            assert self._pool is not None, "start() first"
            if self._closed:
                raise BrokenProcessPool("closed")
            if not self._pool.active:
                self._stop(self._pool)
                self._pool = self._make_pool()
            return self._pool

    def _stop(self, pool: ProcessPool) -> None:
        """Stop a pool and fail its pending jobs: pebble may drop a future on shutdown."""
        pool.stop()  # type: ignore[no-untyped-call]  # pebble types only what it calls public
        pool.join(timeout=5)
        for future in tuple(self._pending):
            with contextlib.suppress(InvalidStateError):  # resolved meanwhile
                future.set_exception(BrokenProcessPool("stopped"))

    async def close(self) -> None:
        """Kill running jobs and remove the scratch folder."""
        await self._in_thread(self._close)
        self._threads.shutdown(wait=False)

    def _close(self) -> None:
        with self._pool_lock:
            self._closed = True
            if self._pool is not None:
                self._stop(self._pool)
        if self._folder is not None:
            self._folder.remove()

    async def run(
        self,
        function: Callable[..., R],
        *args: Any,
        timeout: float | None = None,  # noqa: ASYNC109 -- pebble kills the process, which asyncio.timeout cannot
        **kwargs: Any,
    ) -> R:
        """Run `function(*args, **kwargs)` in a process and return its result.

        Cancelling the awaiting task kills the job. A job whose process is killed from outside, or is out of memory
        because of earlier jobs, is started again.

        Args:
            function: A function of a module.
            args: Its positional arguments.
            timeout: Seconds by the clock; None: the pool's.
            kwargs: Its keyword arguments.

        Raises:
            CpuLimitError: ``photo-too-complex``: the job used up a `worker_process.cpu_limit`.
            MemoryLimitError: ``photo-needs-memory``: the job needs more memory than a process may have.
            PoolBusyError: ``busy``: too many jobs wait.
            WorldError: ``took-too-long``; ``worker-died`` (crashed, or killed for too long).
            Exception: Any exception that the function raises.
        """
        name = getattr(function, "__name__", "?")
        job, seconds = (function, args, kwargs), timeout or self._timeout
        async with self._turns.turn():
            for restarts in itertools.count():
                try:
                    with metrics.RUNNING.track_inprogress(), metrics.SECONDS.labels(name).time():
                        return await self._run_once(job, seconds)
                except TimeoutError:
                    metrics.KILLED.labels("too long").inc()
                    raise WorldError("took-too-long", job=name, seconds=seconds) from None
                except ProcessExpired as error:
                    code = error.exitcode
                    metrics.KILLED.labels(_reason(code)).inc()
                    if code == -signal.SIGPROF:
                        raise CpuLimitError("photo-too-complex", job=name) from None
                    if code == worker_process.EXIT_USED_UP:
                        if restarts == MAX_RESTARTS:
                            raise self._too_little_memory(name) from None
                        log.info("worker_used_up", job=name)
                        continue
                    if code not in _KILLED_FROM_OUTSIDE:
                        raise WorkerDiedError("worker-died", job=name, why=f"exit code {code}") from None
                    if restarts == MAX_RESTARTS:
                        raise WorkerKilledError("worker-died", job=name, why="killed") from None
                except (BrokenProcessPool, FutureCancelled) as error:  # for another reason than this job
                    if self._closed or restarts == MAX_RESTARTS:
                        raise WorkerKilledError("worker-died", job=name, why=type(error).__name__) from None
                except MemoryError:
                    raise self._too_little_memory(name) from None
                log.warning("worker_killed", job=name)
                await asyncio.sleep(0.05 * 2**restarts)
        raise AssertionError("unreachable")

    def _too_little_memory(self, job: str) -> MemoryLimitError:
        return MemoryLimitError("photo-needs-memory", job=job, limit_mb=self._memory_mb)

    async def _run_once(self, job: tuple[Callable[..., R], Any, Any], seconds: float) -> R:
        assert self._scratch is not None, "start() first"
        if self._closed:
            raise BrokenProcessPool("closed")
        folder = self._scratch / f"job-{next(self._numbers)}"
        scheduling = asyncio.ensure_future(self._in_thread(self._schedule, job, folder, seconds))
        try:
            # Shielded: a thread cannot be stopped, and what it makes has to be removed when it is done.
            future = await asyncio.shield(scheduling)
            packed = await self._result_of(future)
            result: R = await self._in_thread(unpack, packed)
            return result
        finally:
            scheduling.add_done_callback(functools.partial(self._clean_up, folder))

    async def _result_of(self, future: Future[PackedValue]) -> PackedValue:
        """Wait for a job. Pebble may drop its future when it shuts a pool down, so the pool is looked at meanwhile."""
        waiting = asyncio.wrap_future(future)
        try:
            while not (await asyncio.wait([waiting], timeout=POOL_CHECK_SECONDS))[0]:
                await self._in_thread(self._active_pool)
            return await waiting
        finally:
            waiting.cancel()  # no effect on a finished job

    def _schedule(self, job: tuple[Any, ...], folder: Path, seconds: float) -> Future[PackedValue]:
        pool = self._active_pool()
        folder.mkdir()
        packed = pack(job, folder)
        try:
            future: Future[PackedValue] = pool.schedule(worker_process.run_job, args=(packed, folder), timeout=seconds)
        except RuntimeError as error:  # pebble has shut the pool down since `_active_pool` looked
            raise BrokenProcessPool(str(error)) from error
        self._pending.add(future)
        future.add_done_callback(self._pending.discard)
        return future

    def _clean_up(self, folder: Path, scheduling: asyncio.Future[Future[PackedValue]]) -> None:
        """Cancel the job if it still runs, and remove its folder."""
        if not scheduling.cancelled() and scheduling.exception() is None:
            scheduling.result().cancel()  # no effect on a finished job
        with contextlib.suppress(RuntimeError):  # closed meanwhile: the scratch folder is gone too
            self._threads.submit(shutil.rmtree, folder, ignore_errors=True)

    async def _in_thread(self, function: Callable[..., R], *args: Any) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._threads, functools.partial(function, *args))


def _reason(code: int | None) -> str:
    """Why a process ended in the middle of a job, by its exit code."""
    if code == -signal.SIGPROF:
        return "processor time"
    if code == worker_process.EXIT_USED_UP:
        return "used up"
    return "from outside" if code in _KILLED_FROM_OUTSIDE else "crash"
