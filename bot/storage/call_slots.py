"""Lets so many calls to the cloud through at a time, over all processes on one database, first come first served.

Whoever wants a call draws a ticket, and is let in when fewer than the limit are before it. A ticket runs out unless its
holder renews it, so that a process that died gives its place back.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial

import sqlalchemy as sa

from bot.storage.database import NOW, Database
from bot.storage.tables import tickets

OnPosition = Callable[[int], Awaitable[None]]
"""Called with how many calls are waiting before this one."""

LEASE_SECONDS = 15.0
"""After so long without renewal a holder is taken for dead; three renewals fit in."""

LOOK_SECONDS = 0.2
"""Between looks at whether one's turn has come."""


class SharedCallSlots:
    """A `CallSlots` over all processes.

    Args:
        database: The PostgreSQL that all of them use.
        limit: Calls at a time, ≥ 1.
    """

    def __init__(self, database: Database, limit: int) -> None:
        self._database = database
        self._limit = limit

    @contextlib.asynccontextmanager
    async def slot(self, on_position: OnPosition | None = None) -> AsyncIterator[None]:
        """Wait for one's turn, and hold it; see `CallSlots.slot`."""
        number = await self._draw()
        renewing = asyncio.create_task(self._renew(number))
        try:
            await self._wait(number, on_position)
            yield
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            await asyncio.shield(self._give_back(number))

    async def _wait(self, number: int, on_position: OnPosition | None) -> None:
        told: int | None = None
        while True:
            before = await self._before(number)
            if before < self._limit:
                return
            position = before - self._limit
            if on_position is not None and position != told:
                told = position
                await on_position(position)
            await asyncio.sleep(LOOK_SECONDS)

    async def _draw(self) -> int:
        insert = tickets.insert().values(expires=NOW + LEASE_SECONDS).returning(tickets.c.number)

        def work(connection: sa.Connection) -> int:
            # Numbers must become visible in their order: else a later ticket could pass unseen earlier ones.
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(2, 0)"))
            return int(connection.execute(insert).scalar_one())

        return await self._database.run(work)

    async def _before(self, number: int) -> int:
        """How many live tickets are before this one."""

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

    async def _give_back(self, number: int) -> None:
        delete = tickets.delete().where(tickets.c.number == number)
        await self._database.run(lambda connection: connection.execute(delete))
