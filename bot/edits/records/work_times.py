"""How long recent edits took to work on, by what was done and by engine: a few rows, with nothing about a person."""

from __future__ import annotations

import math
from bisect import bisect
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from bot.edits.model import Edit
from bot.edits.records.rows import upsert
from bot.storage.database import Database
from bot.storage.tables import work_times

ANY_WORK = "any"
"""The row about all edits of an engine, whatever was done: how long those ahead in the queue take."""

SIZES = (300_000, 1_000_000, 3_000_000, 10_000_000)
"""Bytes of a photo at which the next class of sizes begins: the pixels are not known before it is opened."""

WEIGHT = 0.2
"""Weight of a new time in the average; the first ones have equal weight."""

KEEP_SECONDS = 7 * 86_400.0
"""A row that is older than this says nothing about now."""


@dataclass(frozen=True, slots=True)
class WorkTime:
    """How long a kind of work took lately.

    Attributes:
        work: The kind: see `work_of`; or `ANY_WORK`.
        engine: Name of the engine.
        seconds: The average, in which the newest edits weigh most.
        measured: When the last edit was measured, in seconds since the epoch.
    """

    work: str
    engine: str
    seconds: float
    measured: float


def work_of(edit: Edit) -> str | None:
    """The kind of work that an edit is: edits of one kind and one engine take about as long.

    Call it before the work: what is found becomes the edit's mask.

    Returns:
        None for a choice among objects: whether there is something to find or to make is not known.
    """
    if edit.chooses:
        return None
    begins = "mask" if edit.has_mask or edit.painted is not None else "find"
    size = "unknown" if edit.photo.size is None else str(bisect(SIZES, edit.photo.size))
    return f"{edit.operation}:{begins}:{size}"


class WorkTimes:
    """Stores the average times. They are averaged as logarithms: a single slow edit does not count for many.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def record(self, work: str, engine: str, seconds: float) -> None:
        """Record how long an edit took.

        Args:
            work: The kind of work, as `work_of` says.
            engine: Name of the engine that made the result.
            seconds: From the start of the work to the answer.
        """
        logarithm = math.log(max(0.01, seconds))

        def write(connection: sa.Connection) -> None:
            table, now = work_times.c, self._clock()
            weight = sa.case((table.count < 1 / WEIGHT, 1.0 / (table.count + 1)), else_=WEIGHT)
            average = table.log_seconds + weight * (logarithm - table.log_seconds)
            first = {"log_seconds": logarithm, "count": 1, "measured": now}
            changed = {"log_seconds": average, "count": table.count + 1, "measured": now}
            for kind in sorted((work, ANY_WORK)):  # sorted: two transactions cannot wait for each other
                upsert(connection, work_times, {"work": kind, "engine": engine}, first, changed)

        await self._database.run(write)

    async def recent(self) -> list[WorkTime]:
        """The averages of the last `KEEP_SECONDS`."""

        def read(connection: sa.Connection) -> list[WorkTime]:
            table = work_times.c
            query = sa.select(table.work, table.engine, table.log_seconds, table.measured)
            rows = connection.execute(query.where(table.measured >= self._clock() - KEEP_SECONDS))
            return [WorkTime(str(row[0]), str(row[1]), math.exp(row[2]), float(row[3])) for row in rows]

        return await self._database.run(read)


def delete_old(connection: sa.Connection, now: float) -> None:
    """Delete the rows that `WorkTimes.recent` leaves out."""
    connection.execute(work_times.delete().where(work_times.c.measured < now - KEEP_SECONDS))
