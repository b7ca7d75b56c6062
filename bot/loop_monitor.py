"""Monitors the event loop: how long it was blocked, by which code, and how much of that was a busy machine.

All requests pass through one loop, so code that blocks it delays all people. The loop works in turns: it waits for
events in its selector, then runs all callbacks that are due. A turn is measured three ways: by the clock; by the time
in which the loop's thread was ready to run and the kernel ran something else (``schedstat``: the machine is busy); and
by the processor time of the thread (much: it computed; little: it waited for a lock, the interpreter or a blocking
call). An idle loop has no turns; only the thread that takes stacks wakes up, 20 times a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import selectors
import sys
import threading
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import structlog
from prometheus_client import Gauge, Histogram

log = structlog.get_logger()

NOTED_SECONDS = 0.005
"""Shorter turns are not counted."""

BLOCKED_SECONDS = 0.1
"""A longer pause that this program causes is logged as a warning; people do not notice shorter ones."""

FRAMES = 6
"""Number of innermost stack frames in the log."""

PAUSES = Histogram(
    "bot_loop_pause_seconds",
    "How long the event loop was blocked by one turn, by the clock; turns under 5 ms are not counted.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
OWN_PAUSES = Histogram(
    "bot_loop_own_pause_seconds",
    "The same without the time in which the machine ran something else.",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
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
        statistics: The kernel's line about the loop's thread; empty if it keeps none.
        cpu: Processor time of the loop's thread.
        process: Processor time of the whole process.
    """

    clock: float
    statistics: bytes
    cpu: float
    process: float

    def waited(self) -> float:
        """Time in which the loop's thread was ready to run but did not run, in seconds."""
        # Nanoseconds on a processor, nanoseconds ready but waiting (Linux: Documentation/scheduler/sched-stats)
        return int(self.statistics.split()[1]) / 1e9 if self.statistics else 0.0


class _TurnSelector(selectors.DefaultSelector):
    """A selector that notes when a turn of the loop begins and ends."""

    monitor: LoopMonitor | None = None

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Wait for events between two turns."""
        if self.monitor is None:
            return super().select(timeout)
        self.monitor.turn_ended()
        events = super().select(timeout)
        self.monitor.turn_began()
        return events


class MonitoredLoop(asyncio.SelectorEventLoop):
    """An event loop whose turns can be measured: ``asyncio.Runner(loop_factory=MonitoredLoop)``."""

    def __init__(self) -> None:
        self.turns = _TurnSelector()
        super().__init__(self.turns)


class LoopMonitor:
    """Measures the turns of the event loop that enters `running`.

    Attributes:
        longest: The longest pause in seconds, by the clock.
        longest_own: The longest pause in seconds, without the time in which the machine ran something else.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self.longest_own = 0.0
        self._began: _Reading | None = None
        """The clocks when the current turn began; None between two turns."""
        self._statistics: int | None = None
        self._thread = 0
        self._stack: list[str] = []
        self._garbage_seconds = self._collection_started = 0.0
        self._stopped = threading.Event()

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Monitor the running loop until the block ends; does nothing for another loop than a `MonitoredLoop`."""
        loop = asyncio.get_running_loop()
        if not isinstance(loop, MonitoredLoop):
            yield
            return
        self._thread = threading.get_ident()
        watcher = threading.Thread(target=self._watch, name="loop-monitor", daemon=True)
        watcher.start()
        gc.callbacks.append(self._note_collection)
        LONGEST.set(0.0)
        LONGEST_OWN.set(0.0)
        try:
            with _statistics() as self._statistics:
                loop.turns.monitor = self
                try:
                    yield
                finally:
                    loop.turns.monitor = None
        finally:
            gc.callbacks.remove(self._note_collection)
            self._stopped.set()
            await asyncio.to_thread(watcher.join)

    def turn_began(self) -> None:
        """The loop has events and runs their callbacks."""
        self._stack, self._garbage_seconds = [], 0.0
        self._began = _read(self._statistics)

    def turn_ended(self) -> None:
        """The loop has run all callbacks that were due."""
        before, self._began = self._began, None
        if before is None:
            return
        if time.monotonic() - before.clock >= NOTED_SECONDS:
            self._note(before, _read(self._statistics))

    def _note(self, before: _Reading, after: _Reading) -> None:
        late = after.clock - before.clock
        machine = after.waited() - before.waited()
        stack = self._stack
        if not stack and late > BLOCKED_SECONDS:
            # The watching thread did not run either. In the time that no thread of this process computed, the machine
            # stood still, or did not run the thread that held the interpreter.
            machine = max(machine, late - (after.process - before.process))
        own = max(0.0, late - machine)
        PAUSES.observe(late)
        OWN_PAUSES.observe(own)
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
                collecting_garbage=round(self._garbage_seconds, 3),
                at=" < ".join(stack) or "not seen",
            )

    def _watch(self) -> None:
        """Runs in a thread: when a turn takes long, record the loop's stack."""
        while not self._stopped.wait(BLOCKED_SECONDS / 2):
            began = self._began
            if began is not None and time.monotonic() - began.clock > BLOCKED_SECONDS / 2 and not self._stack:
                frame = sys._current_frames().get(self._thread)
                stack = traceback.extract_stack(frame)[-FRAMES:] if frame else []
                lines = [f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in reversed(stack)]
                if self._began is began:  # else the turn ended meanwhile, and this is the stack of another one
                    self._stack = lines

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
    line = os.pread(statistics, 64, 0) if statistics is not None else b""
    return _Reading(time.monotonic(), line, time.thread_time(), time.process_time())
