"""Decides when DBOS's thread polls the queue: at once after an enqueue, often while edits run, rarely otherwise.

DBOS only knows a fixed interval: 50 ms start an edit soon, but cost 8 % of a core while nothing happens. It waits for
the interval on the event that ends its threads; `QueuePolling` takes the place of that wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any

from dbos import _sys_db

BUSY_SECONDS = 0.05
"""Between two polls while edits run. DBOS records the end of an edit a moment after it, and a poll before that moment
does not start the person's next one."""

LONGEST_USUAL = 1.05 * BUSY_SECONDS
"""DBOS is configured to poll every `BUSY_SECONDS`, and varies that by 5 %."""

LONGEST_SECONDS = 10.0
"""DBOS's own pauses grow to two minutes."""

BUSY_AFTER_SECONDS = 1.0
"""How long polls stay frequent after an enqueue or the end of an edit."""

IDLE_SECONDS_ALONE = 5.0
"""Between two polls while nothing runs, where only this process enqueues edits."""

IDLE_SECONDS_SHARED = 0.5
"""The same where other processes enqueue edits as well, of which this one gets no sign."""

LONGEST_OUTAGE_PAUSE = 2.0
"""Between two tries while the database does not answer. DBOS's own pauses grow to 90 s; an edit would wait for their
end, long after the database answers again."""


class QueuePolling:
    """The pauses of one queue's thread.

    Args:
        queue: Name of the queue; DBOS names the queue's thread after it.
        idle_seconds: Longest pause while nothing runs.
    """

    def __init__(self, queue: str, idle_seconds: float) -> None:
        self._thread_name = f"queue-worker-{queue}"
        self.idle_seconds = idle_seconds
        self._woken = threading.Event()
        self._busy_until = 0.0
        self._running = 0

    def replace_waits(self, stop_events: Iterable[threading.Event]) -> None:
        """Let the queue's thread pause as this object says.

        Args:
            stop_events: DBOS's events that end its threads.
        """
        for event in stop_events:
            self._replace_wait(event)

    def poll_now(self) -> None:
        """End the pause, because an edit was enqueued."""
        self._busy_until = time.monotonic() + BUSY_AFTER_SECONDS
        self._woken.set()

    def edit_began(self) -> None:
        """Poll often until as many edits have ended."""
        self._running += 1

    def edit_ended(self) -> None:
        """One edit fewer runs."""
        self._running -= 1
        self._busy_until = time.monotonic() + BUSY_AFTER_SECONDS

    def _pause(self) -> float:
        is_busy = self._running > 0 or time.monotonic() < self._busy_until
        return BUSY_SECONDS if is_busy else self.idle_seconds

    def _replace_wait(self, event: threading.Event) -> None:
        wait, set_ = event.wait, event.set

        def wait_as_needed(timeout: float | None = None) -> bool:
            if threading.current_thread().name != self._thread_name:
                return wait(timeout)
            if not event.is_set():
                # DBOS asks for longer pauses while other processes hold the queue's lock.
                longer = max(1.0, (timeout or 0.0) / LONGEST_USUAL)
                pause = self._pause()
                self._woken.wait(max(pause, min(longer * pause, LONGEST_SECONDS)))
                self._woken.clear()
            return event.is_set()

        def set_and_wake() -> None:
            set_()
            self._woken.set()

        event.wait = wait_as_needed  # type: ignore[method-assign]
        event.set = set_and_wake  # type: ignore[method-assign]


class _ShortSleeps:
    """The module `time`, but it sleeps for `LONGEST_OUTAGE_PAUSE` at most."""

    def __getattr__(self, name: str) -> Any:
        return getattr(time, name)

    def sleep(self, seconds: float) -> None:
        time.sleep(min(seconds, LONGEST_OUTAGE_PAUSE))


def shorten_outage_pauses() -> None:
    """Let DBOS try again soon while the database does not answer. It has no setting for that.

    All its pauses in that module end after `LONGEST_OUTAGE_PAUSE`; the others are shorter anyway.
    """
    _sys_db.time = _ShortSleeps()  # type: ignore[assignment,attr-defined]
