"""Limits the concurrent calls to the cloud over all processes on one database, first come first served.

Each call takes a ticket and starts when fewer live tickets than the limit are ahead of it. A ticket expires unless its
holder renews it, so the slot of a dead process becomes free.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import sqlalchemy as sa

from bot.storage.database import NOW, Database, LockSpace
from bot.storage.tables import tickets

OnPosition = Callable[[int], Awaitable[None]]
"""Called with the number of calls that wait ahead of this one."""

LEASE_SECONDS = 15.0
"""Seconds without renewal after which a ticket expires; three renewals fit in."""

POLL_SECONDS = 0.2
"""Seconds between looks at the tickets ahead."""


class SharedCallSlots:
    """A `CallSlots` over all processes.

    Args:
        database: The PostgreSQL that all processes share.
        limit: Concurrent calls, ≥ 1.
    """

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._limit = limit

    @contextlib.asynccontextmanager
    async def slot(self, on_position: OnPosition | None = None) -> AsyncIterator[None]:
        """Wait for a slot and hold it; see `CallSlots.slot`."""
        number = await self._take_ticket()
        renewing = asyncio.create_task(self._renew(number))
        try:
            await self._wait(number, on_position)
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await asyncio.shield(self._return_ticket(number))

    async def _wait(self, number: int, on_position: OnPosition | None) -> None:
        reported: int | None = None
        while True:
            ahead = await self._count_ahead(number)
            if ahead < self._limit:
                return
            position = ahead - self._limit
            if on_position is not None and position != reported:
                reported = position
                await on_position(position)
            await asyncio.sleep(POLL_SECONDS)

    async def _take_ticket(self) -> int:
        insert = tickets.insert().values(expires=NOW + LEASE_SECONDS).returning(tickets.c.number)

        def work(connection: sa.Connection) -> int:
            # Ticket numbers must become visible in their order: a later ticket could pass one that it cannot see yet.
            self._database.lock_until_commit(connection, LockSpace.TICKETS, 0)
            return int(connection.execute(insert).scalar_one())

        return await self._database.run(work)

    async def _count_ahead(self, number: int) -> int:
        """How many live tickets are ahead of this one. Deletes the expired ones."""

        def work(connection: sa.Connection) -> int:
            connection.execute(tickets.delete().where(tickets.c.expires < NOW))
            count = sa.select(sa.func.count()).select_from(tickets).where(tickets.c.number < number)
            return int(connection.execute(count).scalar_one())

        return await self._database.run(work)

    async def _renew(self, number: int) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 4)
            await self._database.run(partial(self._extend, number))

    def _extend(self, number: int, connection: sa.Connection) -> None:
        expires = NOW + LEASE_SECONDS
        connection.execute(tickets.update().where(tickets.c.number == number).values(expires=expires))

    async def _return_ticket(self, number: int) -> None:
        delete = tickets.delete().where(tickets.c.number == number)
        await self._database.run(lambda connection: connection.execute(delete))
