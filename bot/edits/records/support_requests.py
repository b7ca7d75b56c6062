"""/paysupport: what people ask about their payments, until it was passed on to the admins.

For 24 hours a hash of the person's id remains, so that one person asks `MAX_A_DAY` times a day, whatever is deleted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from bot.errors import PersonError
from bot.storage.database import Database, LockSpace
from bot.storage.tables import support_requests

DAY = 86_400.0
MAX_A_DAY = 3
"""Requests of one person in 24 hours."""

MAX_UNSENT = 200
"""Requests of all people that wait; beyond them new ones are refused."""


@dataclass(frozen=True, slots=True)
class SupportRequest:
    """A request that waits to be passed on.

    Attributes:
        number: Rises with time.
        text: What the admins get.
    """

    number: int
    text: str


class SupportRequests:
    """The requests.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def add(self, person: int, message: int, text: str) -> None:
        """Record a request; the same message again changes nothing.

        Args:
            person: Telegram user id.
            message: Id of the person's message.
            text: What the admins get.

        Raises:
            PersonError: ``support-too-many`` (fact limit), ``support-busy``.
        """

        def work(connection: sa.Connection) -> None:
            self._database.lock_until_commit(connection, LockSpace.PERSON, person)
            now, asker = self._clock(), _hash(person)
            theirs = support_requests.c.asker == asker
            if _count(connection, theirs, support_requests.c.message == message):
                return
            if _count(connection, theirs, support_requests.c.at > now - DAY) >= MAX_A_DAY:
                raise PersonError("support-too-many", limit=MAX_A_DAY)
            if _count(connection, support_requests.c.sent.is_(None)) >= MAX_UNSENT:
                raise PersonError("support-busy")
            values = {"asker": asker, "person": person, "message": message, "text": text, "at": now}
            connection.execute(support_requests.insert().values(**values))

        await self._database.run(work)

    async def unsent(self, limit: int) -> list[SupportRequest]:
        """The oldest requests that wait."""
        columns = (support_requests.c.number, support_requests.c.text)
        query = sa.select(*columns).where(support_requests.c.sent.is_(None)).order_by(support_requests.c.number)
        return await self._database.run(
            lambda connection: [SupportRequest(**row) for row in connection.execute(query.limit(limit)).mappings()]
        )

    async def record_sent(self, number: int) -> None:
        """Record that a request was passed on; its text is deleted here."""
        where = support_requests.c.number == number
        await self._database.run(
            lambda connection: connection.execute(support_requests.update().where(where).values(**_done(self._clock())))
        )


def delete_person(connection: sa.Connection, person: int, now: float) -> None:
    """Delete what a person has asked and was not passed on yet."""
    theirs = support_requests.c.person == person
    connection.execute(support_requests.update().where(theirs).values(**_done(now)))


def delete_old(connection: sa.Connection, now: float) -> None:
    """Delete the requests that were passed on and no longer count."""
    is_old = sa.and_(support_requests.c.sent.is_not(None), support_requests.c.at <= now - DAY)
    connection.execute(support_requests.delete().where(is_old))


def _done(now: float) -> dict[str, float | None]:
    return {"sent": now, "person": None, "text": None}


def _count(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> int:
    query = sa.select(sa.func.count()).select_from(support_requests).where(*where)
    return int(connection.execute(query).scalar_one())


def _hash(person: int) -> str:
    return hashlib.sha256(f"support:{person}".encode()).hexdigest()
