"""Counts for /stats that outlive the edits: one row for each day, kind and name, with nothing about a person.

An edit is counted in the transaction that ends it, so it is counted once, whatever is killed. A result that is shown
again is not counted again. Days are those of UTC.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.edits.model import DOUBTFUL, PENDING_STATES, State
from bot.edits.records.rows import upsert
from bot.storage.database import Database
from bot.storage.tables import daily_counts, edits, people

DAY = 86_400
WINDOWS = (1, 7, 30)
"""Days that the figures are about: today, the last 7 and the last 30 days, today among them."""

KEEP_DAYS = 90

DONE, FAILED, SECONDS, CALL, FAILED_CALL = "done", "failed", "seconds", "call", "failed-call"
"""Kinds: edits by operation, failures by message id, answers by bucket of their time, cloud calls by ability."""

FIRST_BOUND, GROWTH, LAST_BUCKET = 0.1, 1.2, 75
"""Bucket n holds times up to FIRST_BOUND · GROWTHⁿ seconds, the last one up to a day: a time is known to 10 %."""

Row = tuple[int, str, str, int]
"""Day, kind, name, count."""

Windows = tuple[int, ...]
"""One count for each of `WINDOWS`."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What /stats shows. Counts are for each of `WINDOWS`.

    Attributes:
        people: People who asked for something.
        done: Answered edits, by operation.
        failed: Failed edits, by message id; the most frequent first.
        median: Median seconds from the request to the answer; None: no answers.
        slow: 95th percentile of the same.
        calls: Calls of the cloud that succeeded, by ability.
        failed_calls: Calls of the cloud that failed, by ability.
        waiting: Edits in the queue now.
        running: Edits that run now.
    """

    people: Windows
    done: Mapping[str, Windows]
    failed: Mapping[str, Windows]
    median: tuple[float | None, ...]
    slow: tuple[float | None, ...]
    calls: Mapping[str, Windows]
    failed_calls: Mapping[str, Windows]
    waiting: int
    running: int


@dataclass(frozen=True, slots=True)
class QueueDepth:
    """The queue of all processes now.

    Attributes:
        waiting: Edits that wait.
        running: Edits that run.
        oldest: Seconds since the oldest waiting edit was asked for; 0: none waits.
    """

    waiting: int
    running: int
    oldest: float


class Statistics:
    """Reads the counts, and counts the calls of the cloud.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def count_call(self, ability: str, *, succeeded: bool) -> None:
        """Count a call of the cloud."""
        counted = [(CALL if succeeded else FAILED_CALL, ability)]
        await self._database.run(lambda connection: _count(connection, counted, self._clock()))

    async def figures(self) -> Figures:
        """The figures of now."""
        return await self._database.run(self._figures)

    async def queue(self) -> QueueDepth:
        """The queue of now."""
        return await self._database.run(self._queue)

    def _queue(self, connection: sa.Connection) -> QueueDepth:
        pending = _pending(connection)
        asked = sa.func.coalesce(edits.c.requested, edits.c.created)
        first = connection.execute(sa.select(sa.func.min(asked)).where(edits.c.state == State.QUEUED)).scalar_one()
        oldest = max(0.0, self._clock() - float(first)) if first is not None else 0.0
        return QueueDepth(pending.get(State.QUEUED, 0), pending.get(State.RUNNING, 0), oldest)

    def _figures(self, connection: sa.Connection) -> Figures:
        today = int(self._clock() // DAY)
        counts = daily_counts.c
        query = sa.select(counts.day, counts.kind, counts.name, counts.count)
        found = connection.execute(query.where(counts.day > today - max(WINDOWS)))
        rows: list[Row] = [(int(day), str(kind), str(name), int(count)) for day, kind, name, count in found]
        active = []
        for days in WINDOWS:
            is_active = people.c.last_seen >= (today - days + 1) * DAY
            active.append(connection.execute(sa.select(sa.func.count()).where(is_active)).scalar_one())
        pending = _pending(connection)
        times = [times_of(rows, today, days) for days in WINDOWS]
        failed = by_name(rows, FAILED, today)
        return Figures(
            people=tuple(int(count) for count in active),
            done=by_name(rows, DONE, today),
            failed=dict(sorted(failed.items(), key=lambda item: item[1][::-1], reverse=True)),
            median=tuple(quantile(counts, 0.5) for counts in times),
            slow=tuple(quantile(counts, 0.95) for counts in times),
            calls=by_name(rows, CALL, today),
            failed_calls=by_name(rows, FAILED_CALL, today),
            waiting=pending.get(State.QUEUED, 0),
            running=pending.get(State.RUNNING, 0),
        )


def _pending(connection: sa.Connection) -> dict[str, int]:
    """How many edits wait and run, by state."""
    by_state = sa.select(edits.c.state, sa.func.count()).where(edits.c.state.in_(PENDING_STATES))
    return {str(state): int(count) for state, count in connection.execute(by_state.group_by(edits.c.state))}


def count_done(connection: sa.Connection, operation: str, seconds: float, now: float) -> None:
    """Count an answered edit.

    Args:
        connection: A connection in the transaction that ends the edit.
        operation: Its operation.
        seconds: From the request to the answer.
        now: Seconds since the epoch.
    """
    _count(connection, [(DONE, operation), (SECONDS, f"{bucket_of(seconds):02}")], now)


def count_failed(connection: sa.Connection, message_id: str, now: float) -> None:
    """Count a failed edit; the question whether the right object was found is no failure."""
    if message_id != DOUBTFUL:
        _count(connection, [(FAILED, message_id[:64])], now)


def delete_old(connection: sa.Connection, now: float) -> None:
    """Delete the counts that are too old for every window."""
    connection.execute(daily_counts.delete().where(daily_counts.c.day < int(now // DAY) - KEEP_DAYS))


def bucket_of(seconds: float) -> int:
    """The bucket of a time."""
    if seconds <= FIRST_BOUND:
        return 0
    return min(LAST_BUCKET, math.ceil(math.log(seconds / FIRST_BOUND, GROWTH) - 1e-9))


def times_of(rows: Sequence[Row], today: int, days: int) -> dict[int, int]:
    """How many answers each bucket has in the last `days` days."""
    counts: dict[int, int] = {}
    for day, kind, name, count in rows:
        if kind == SECONDS and day > today - days:
            counts[int(name)] = counts.get(int(name), 0) + count
    return counts


def quantile(counts: Mapping[int, int], share: float) -> float | None:
    """Seconds within which this share of the answers came, to 10 %; None without answers.

    Args:
        counts: Answers by bucket.
        share: 0 … 1.
    """
    wanted, reached = share * sum(counts.values()), 0
    for bucket in sorted(counts):
        reached += counts[bucket]
        if reached >= wanted:
            return FIRST_BOUND * float(GROWTH ** (bucket - 0.5))  # the middle of the bucket
    return None


def by_name(rows: Sequence[Row], wanted: str, today: int) -> dict[str, Windows]:
    """The counts of a kind for each of `WINDOWS`, by name."""
    names = sorted({name for _, kind, name, _ in rows if kind == wanted})
    return {
        name: tuple(
            sum(count for day, kind, named, count in rows if (kind, named) == (wanted, name) and day > today - days)
            for days in WINDOWS
        )
        for name in names
    }


def _count(connection: sa.Connection, counted: Sequence[tuple[str, str]], now: float) -> None:
    for kind, name in sorted(counted):  # sorted: two transactions cannot wait for each other
        key = {"day": int(now // DAY), "kind": kind, "name": name}
        upsert(connection, daily_counts, key, {"count": 1}, {"count": daily_counts.c.count + 1})
