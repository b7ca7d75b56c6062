"""Estimates how long a person waits for an answer, from the times that recent edits took and the place in the queue.

The times are read from the database beside the edits, and kept: an estimate itself reads nothing, so the first word to
a person does not wait for it.
"""

from __future__ import annotations

import time
from collections.abc import Collection

from bot.edits.model import Edit, State
from bot.edits.records.queue_places import QueuePlace
from bot.edits.records.work_times import ANY_WORK, WorkTime, WorkTimes, work_of

REFRESH_SECONDS = 10.0
"""Seconds for which the times that were read are used."""


class Estimates:
    """Estimates times.

    Args:
        work_times: The measured times.
        engines: Names of the engines in use; the times of others do not count. None: all count.
        workers: Edits that this process works on at a time.
    """

    def __init__(self, work_times: WorkTimes, *, engines: Collection[str] | None = None, workers: int = 1) -> None:
        self._work_times = work_times
        self._engines = engines
        self._workers = max(1, workers)
        self._typical: dict[str, WorkTime] = {}
        self._read_at: float | None = None

    async def refresh(self) -> None:
        """Read the times, unless that was done lately."""
        now = time.monotonic()
        if self._read_at is not None and now < self._read_at + REFRESH_SECONDS:
            return
        self._read_at = now
        typical: dict[str, WorkTime] = {}
        for one in await self._work_times.recent():
            known = typical.get(one.work)
            # The engine of the latest edit: the next one is most likely to have the same.
            if (self._engines is None or one.engine in self._engines) and (not known or known.measured < one.measured):
                typical[one.work] = one
        self._typical = typical

    def until_answer(self, edit: Edit, place: QueuePlace) -> float | None:
        """Seconds until the answer to a queued edit; None if no such edit was measured lately.

        Of the other people's edits ahead, the workers take one each; the person's own run one after another.
        """
        own = self._of(edit)
        if own is None or edit.state is not State.QUEUED:
            return None
        workers = max(self._workers, place.running)  # other processes may work, too
        rounds = max(place.own, (place.own + place.turns) // workers)
        return own + rounds * self._typical[ANY_WORK].seconds if rounds else own

    def seconds_left(self, edit: Edit, spent: float) -> float | None:
        """Seconds until the answer to an edit that runs; None if that is not known.

        Args:
            edit: The edit as it was when the work began.
            spent: Seconds for which it runs.
        """
        own = self._of(edit)
        return max(0.0, own - spent) if own is not None else None

    def _of(self, edit: Edit) -> float | None:
        work = work_of(edit)
        typical = self._typical.get(work) if work is not None else None
        return typical.seconds if typical is not None and ANY_WORK in self._typical else None
