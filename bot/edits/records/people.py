"""People who used the bot in the last 30 days, for /stats and /announce.

A row has a person's id and times, nothing else. It is deleted by /delete_my_data, and 30 days after the last request.
Requests are collected in memory and written together, so a flood of texts from a thousand people is one write and no
handler waits for it. A kill loses the last second, which does no harm.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable

import sqlalchemy as sa
import structlog

from bot.edits.records.rows import upsert
from bot.errors import BotError
from bot.storage.database import Database
from bot.storage.tables import deletions, people

log = structlog.get_logger()

KEEP_SECONDS = 30 * 86_400.0
"""How long a person is remembered after the last request."""

WRITE_SECONDS = 600.0
"""A person's time is written at most this often: a flood of texts must not become a flood of writes."""

COLLECT_SECONDS = 1.0
"""Seconds in which requests are collected before they are written."""

MAX_REMEMBERED = 10_000
"""Bound of the people in memory."""


class People:
    """Remembers who used the bot.

    Args:
        database: Where it is stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._written: OrderedDict[int, float] = OrderedDict()
        """By person: when the last request in the private chat was written."""
        self._collected: dict[int, float] = {}
        """By person: when the last request came that is not written yet."""
        self._is_collected = asyncio.Event()

    def mark_seen(self, person: int) -> None:
        """Collect a request in a person's private chat; it also means that the person has not blocked the bot."""
        now = self._clock()
        if now - self._written.get(person, 0.0) < WRITE_SECONDS or len(self._collected) >= MAX_REMEMBERED:
            return
        self._collected[person] = now
        self._is_collected.set()

    async def run(self) -> None:
        """Write what was collected, every second at most, until cancelled. A failure is logged and tried again."""
        while True:
            await self._is_collected.wait()
            await asyncio.sleep(COLLECT_SECONDS)
            try:
                await self.write_seen()
            except BotError as error:
                log.info("people_not_recorded", reason=type(error).__name__)
            except Exception:  # the background's boundary
                log.exception("people_broke")

    async def write_seen(self) -> None:
        """Write what was collected, in one transaction.

        Raises:
            OutageError: It stays collected.
        """
        self._is_collected.clear()
        collected = dict(self._collected)

        def work(connection: sa.Connection) -> None:
            # These people are deleting their data.
            leaving = set(connection.execute(sa.select(deletions.c.person)).scalars())
            for person, at in collected.items():
                if person not in leaving:
                    times = {"last_seen": at, "last_private": at, "blocked": None}
                    upsert(connection, people, {"person": person}, times, times)

        try:
            await self._database.run(work)
        except BaseException:
            self._is_collected.set()
            raise
        for person, at in collected.items():
            if self._collected.get(person) == at:
                del self._collected[person]
                self._written[person] = at
                self._written.move_to_end(person)
        while len(self._written) > MAX_REMEMBERED:
            self._written.popitem(last=False)

    async def note_blocked(self, person: int) -> None:
        """Record that a person has blocked the bot, until the person writes again."""
        update = people.update().where(people.c.person == person).values(blocked=self._clock())
        await self._database.run(lambda connection: connection.execute(update))
        self._written.pop(person, None)

    def invalidate(self, person: int) -> None:
        """Write the person's next request, because the row was deleted."""
        self._written.pop(person, None)
        self._collected.pop(person, None)


def record_seen(connection: sa.Connection, person: int, now: float) -> None:
    """Record a person's request in a group. Chats, with negative ids, are no people."""
    if person > 0:
        upsert(connection, people, {"person": person}, {"last_seen": now}, {"last_seen": now})


def delete_person(connection: sa.Connection, person: int) -> None:
    """Delete what is stored about a person here."""
    connection.execute(people.delete().where(people.c.person == person))


def expired(now: float) -> sa.ColumnElement[bool]:
    """The rows that are too old."""
    return people.c.last_seen < now - KEEP_SECONDS
