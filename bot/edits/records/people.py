"""Who used the bot in the last 30 days: for /stats, and the people whom an announcement reaches.

A row has a person's id and times, nothing else. It is deleted by /delete_my_data, and 30 days after the last request.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import sqlalchemy as sa

from bot.edits.records.rows import upsert
from bot.storage.database import Database
from bot.storage.tables import deletions, people

KEEP_SECONDS = 30 * 86_400.0
"""How long a person is remembered after the last request."""

WRITE_SECONDS = 600.0
"""A person's time is written at most this often: a flood of texts must not become a flood of writes."""

MAX_REMEMBERED = 10_000


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

    async def seen_in_private(self, person: int) -> None:
        """Record a request in a person's private chat; it also means that the person has not blocked the bot."""
        now = self._clock()
        if now - self._written.get(person, 0.0) < WRITE_SECONDS:
            return

        def work(connection: sa.Connection) -> None:
            asked = sa.select(deletions.c.person).where(deletions.c.person == person)
            if connection.execute(asked).first() is None:  # else everything about the person is being deleted
                times = {"last_seen": now, "last_private": now, "blocked": None}
                upsert(connection, people, {"person": person}, times, times)

        await self._database.run(work)
        self._written[person] = now
        self._written.move_to_end(person)
        while len(self._written) > MAX_REMEMBERED:
            self._written.popitem(last=False)

    async def note_blocked(self, person: int) -> None:
        """Record that a person has blocked the bot, until the person writes again."""
        update = people.update().where(people.c.person == person).values(blocked=self._clock())
        await self._database.run(lambda connection: connection.execute(update))
        self._written.pop(person, None)

    def forget(self, person: int) -> None:
        """Write the person's next request, because the row was deleted."""
        self._written.pop(person, None)


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
