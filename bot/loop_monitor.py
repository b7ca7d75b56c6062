"""Monitors the event loop: how long it was blocked, by which code, and how much of that was a busy machine.

All requests pass through one loop, so code that blocks it delays all people. A timer that fires late is measured three
ways: by the clock; by the time in which the loop's thread was ready to run and the kernel ran something else
(``schedstat``: the machine is busy); and by the processor time of the thread (much: it computed; little: it waited for
a lock, the interpreter or a blocking call).
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import structlog
from prometheus_client import Gauge, Histogram

log = structlog.get_logger()

INTERVAL = 0.02
"""Seconds between two ticks of the timer."""

BLOCKED_SECONDS = 0.1
"""A longer pause that this program causes is logged as a warning; people do not notice shorter ones."""

FRAMES = 6
"""Number of innermost stack frames in the log."""

PAUSES = Histogram(
    "bot_loop_pause_seconds",
    "How late the event loop's timer fired, by the clock.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
LONGEST = Gauge("bot_loop_longest_pause_seconds", "The event loop's longest pause since the start, by the clock.")
LONGEST_OWN = Gauge(
    "bot_loop_longest_own_pause_seconds",
    "The event loop's longest pause since the start, without the time in which the machine ran something else.",
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """The clocks at one moment, in seconds.

    Attributes:
        clock: Monotonic clock.
        waited: Time in which the loop's thread was ready to run but did not run.
        cpu: Processor time of the loop's thread.
        process: Processor time of the whole process.
    """

    clock: float
    waited: float
    cpu: float
    process: float


class LoopMonitor:
    """Measures the pauses of the event loop that enters `running`.

    Attributes:
        longest: The longest pause in seconds, by the clock.
        longest_own: The longest pause in seconds, without the time in which the machine ran something else.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self.longest_own = 0.0
        self._due = float("inf")
        self._thread = 0
        self._stack: list[str] = []
        self._garbage_seconds = self._collection_started = 0.0
        self._stopped = threading.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Monitor the running loop until the block ends."""
        self._thread = threading.get_ident()
        watcher = threading.Thread(target=self._watch, name="loop-monitor", daemon=True)
        watcher.start()
        gc.callbacks.append(self._note_collection)
        ticks = asyncio.create_task(self._tick())
        try:
            yield
        finally:
            ticks.cancel()
            await asyncio.gather(ticks, return_exceptions=True)
            gc.callbacks.remove(self._note_collection)
            self._stopped.set()
            await asyncio.to_thread(watcher.join)

    async def _tick(self) -> None:
        LONGEST.set(0.0)
        LONGEST_OWN.set(0.0)
        with _statistics() as statistics:
            before = _read(statistics)
            while True:
                self._due = before.clock + INTERVAL
                await asyncio.sleep(INTERVAL)
                after = _read(statistics)
                self._note(before, after)
                before = after

    def _note(self, before: _Reading, after: _Reading) -> None:
        self._due = float("inf")
        late = max(0.0, after.clock - before.clock - INTERVAL)
        machine = after.waited - before.waited
        stack, self._stack = self._stack, []
        if not stack and late > BLOCKED_SECONDS:
            # The watching thread did not run either. In the time that no thread of this process computed, the machine
            # stood still, or did not run the thread that held the interpreter.
            machine = max(machine, late - (after.process - before.process))
        own = max(0.0, late - machine)
        garbage_seconds, self._garbage_seconds = self._garbage_seconds, 0.0
        PAUSES.observe(late)
        if late > self.longest:
            self.longest = late
            LONGEST.set(late)
        if own > self.longest_own:
            self.longest_own = own
            LONGEST_OWN.set(own)
        if own > BLOCKED_SECONDS:
            log.warning(
                "loop_blocked",
                seconds=round(late, 3),
                own=round(own, 3),
                cpu=round(after.cpu - before.cpu, 3),
                collecting_garbage=round(garbage_seconds, 3),
                at=" < ".join(stack) or "not seen",
            )

    def _watch(self) -> None:
        """Runs in a thread: when a tick is overdue, record the loop's stack."""
        while not self._stopped.wait(BLOCKED_SECONDS / 2):
            if time.monotonic() - self._due > BLOCKED_SECONDS / 2 and not self._stack:
                frame = sys._current_frames().get(self._thread)
                stack = traceback.extract_stack(frame)[-FRAMES:] if frame else []
                self._stack = [f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in reversed(stack)]

    def _note_collection(self, phase: str, _info: dict[str, int]) -> None:
        # No other thread runs Python code while one thread collects garbage.
        if phase == "start":
            self._collection_started = time.monotonic()
        else:
            self._garbage_seconds += time.monotonic() - self._collection_started


@contextlib.contextmanager
def _statistics() -> Iterator[int | None]:
    """The kernel's scheduler statistics of this thread, as an open file; None if the kernel keeps none."""
    try:
        file = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
    except OSError:
        yield None
        return
    try:
        yield file
    finally:
        os.close(file)


def _read(statistics: int | None) -> _Reading:
    # Nanoseconds on a processor, nanoseconds ready but waiting (Linux: Documentation/scheduler/sched-stats)
    waited = int(os.pread(statistics, 64, 0).split()[1]) / 1e9 if statistics is not None else 0.0
    return _Reading(time.monotonic(), waited, time.thread_time(), time.process_time())


def freeze_startup_objects() -> None:
    """Exempt all objects that exist now from garbage collection: they stay until the program ends.

    Otherwise every full collection visits the objects of all modules and blocks the loop meanwhile.
    """
    gc.collect()
    gc.freeze()
