"""The event loop's pulse: how long it was held up, by what, and how much of that was the machine's doing.

Everything that a person waits for passes through one loop: whatever holds it up holds up everybody. A beat that comes
late is measured three ways: by the clock; by the time for which the loop's thread was ready to run and the kernel ran
something else (``schedstat``: a busy machine, not this program); and by the processor time that the thread itself used
meanwhile (much: it computed; little: it waited, for a lock, the interpreter or a blocking call).
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

BEAT_SECONDS = 0.02
HELD_UP = 0.1
"""Seconds from which a pause of our own making is worth a warning: shorter ones no person notices."""

FRAMES = 6
"""Of the stack that held the loop up, the innermost so many are told."""

PAUSES = Histogram(
    "bot_loop_pause_seconds",
    "How late the event loop's beats came, by the clock.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
LONGEST = Gauge("bot_loop_longest_pause_seconds", "The event loop's longest pause since the start, by the clock.")
LONGEST_OWN = Gauge(
    "bot_loop_longest_own_pause_seconds",
    "The event loop's longest pause since the start, without the time in which the machine ran something else.",
)


@dataclass(frozen=True, slots=True)
class _Reading:
    """Where the clocks of the loop's thread, and the whole process' processor time, stand in seconds."""

    clock: float
    passed_over: float
    cpu: float
    process: float


class Pulse:
    """Beats in the loop that enters `beating`.

    Attributes:
        longest: Seconds of the longest pause, by the clock.
        longest_own: Seconds of the longest pause, without the machine's part.
    """

    def __init__(self) -> None:
        self.longest = 0.0
        self.longest_own = 0.0
        self._due = float("inf")
        self._thread = 0
        self._seen: list[str] = []
        self._collected = self._collecting = 0.0
        self._over = threading.Event()

    @contextlib.asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """Beat until the block ends."""
        self._thread = threading.get_ident()
        watcher = threading.Thread(target=self._watch, name="pulse", daemon=True)
        watcher.start()
        gc.callbacks.append(self._note_collection)
        beats = asyncio.create_task(self._beat())
        try:
            yield
        finally:
            beats.cancel()
            await asyncio.gather(beats, return_exceptions=True)
            gc.callbacks.remove(self._note_collection)
            self._over.set()
            await asyncio.to_thread(watcher.join)

    async def _beat(self) -> None:
        LONGEST.set(0.0)
        LONGEST_OWN.set(0.0)
        with _statistics() as statistics:
            before = _read(statistics)
            while True:
                self._due = before.clock + BEAT_SECONDS
                await asyncio.sleep(BEAT_SECONDS)
                after = _read(statistics)
                self._note(before, after)
                before = after

    def _note(self, before: _Reading, after: _Reading) -> None:
        self._due = float("inf")
        late = max(0.0, after.clock - before.clock - BEAT_SECONDS)
        machines = after.passed_over - before.passed_over
        seen, self._seen = self._seen, []
        if not seen and late > HELD_UP:
            # The thread that only wants to look did not come to run either: whatever of that time no thread of this
            # process computed in, the machine stood still, or had put aside the thread that held the interpreter.
            machines = max(machines, late - (after.process - before.process))
        own = max(0.0, late - machines)
        collected, self._collected = self._collected, 0.0
        PAUSES.observe(late)
        if late > self.longest:
            self.longest = late
            LONGEST.set(late)
        if own > self.longest_own:
            self.longest_own = own
            LONGEST_OWN.set(own)
        if own > HELD_UP:
            log.warning(
                "loop_held_up",
                seconds=round(late, 3),
                own=round(own, 3),
                cpu=round(after.cpu - before.cpu, 3),
                collecting_garbage=round(collected, 3),
                at=" < ".join(seen) or "not seen",
            )

    def _watch(self) -> None:
        """In a thread of its own: where a beat is overdue, look where the loop is."""
        while not self._over.wait(HELD_UP / 2):
            if time.monotonic() - self._due > HELD_UP / 2 and not self._seen:
                frame = sys._current_frames().get(self._thread)
                stack = traceback.extract_stack(frame)[-FRAMES:] if frame else []
                self._seen = [f"{os.path.basename(f.filename)}:{f.lineno} {f.name}" for f in reversed(stack)]

    def _note_collection(self, phase: str, _info: dict[str, int]) -> None:
        # Whichever thread collects, nobody else has the interpreter meanwhile.
        if phase == "start":
            self._collecting = time.monotonic()
        else:
            self._collected += time.monotonic() - self._collecting


@contextlib.contextmanager
def _statistics() -> Iterator[int | None]:
    """What the kernel's scheduler knows of this thread, as an open file; None where it keeps no such statistics."""
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
    # Nanoseconds on a processor, nanoseconds ready but not on one, turns (Linux, Documentation/scheduler/sched-stats).
    passed_over = int(os.pread(statistics, 64, 0).split()[1]) / 1e9 if statistics is not None else 0.0
    return _Reading(time.monotonic(), passed_over, time.thread_time(), time.process_time())


def settle() -> None:
    """Set aside what the start has made: it stays for good, and no garbage is looked for in it any more.

    Else a full collection walks all modules' objects again and again, and holds the loop up for as long as that takes.
    """
    gc.collect()
    gc.freeze()
