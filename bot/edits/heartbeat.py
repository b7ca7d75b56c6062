"""On a shared database: each executor shows that it lives, and takes over the edits of one that does not.

DBOS resumes by itself only what its own executor had begun. An executor that never comes back is noticed by its stale
heartbeat; its unfinished workflows are put back into the queue, where they go on from their last finished step.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import sqlalchemy as sa
import structlog

from bot.edits.database import Database
from bot.edits.tables import executors

log = structlog.get_logger()

BEAT_SECONDS = 4.0
DEAD_SECONDS = 16.0
"""Without a beat for so long, an executor is taken for dead; with a look every beat, its edits go on within 30 s."""


class Heartbeat:
    """One executor's sign of life, and its eye on the others.

    Args:
        database: The one that all executors share.
        executor: This executor's name.
        take_over: Puts a dead executor's workflows back into the queue; returns how many.
        clock: Seconds since the epoch.
    """

    def __init__(
        self,
        database: Database,
        executor: str,
        take_over: Callable[[str], Awaitable[int]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._executor = executor
        self._take_over = take_over
        self._clock = clock

    async def run(self) -> None:
        """Beat and watch until cancelled."""
        while True:
            await self.beat()
            for dead in await self.stale():
                await self._inherit(dead)
            await asyncio.sleep(BEAT_SECONDS)

    async def beat(self) -> None:
        """Show that this executor lives."""

        def work(connection: sa.Connection) -> None:
            now = self._clock()
            update = executors.update().where(executors.c.id == self._executor).values(beat=now)
            if connection.execute(update).rowcount == 0:
                connection.execute(executors.insert().values(id=self._executor, beat=now))

        await self._database.run(work)

    async def stale(self) -> list[str]:
        """Executors that have not been heard of for too long."""
        query = sa.select(executors.c.id).where(executors.c.beat < self._clock() - DEAD_SECONDS)
        return await self._database.run(lambda connection: [str(row[0]) for row in connection.execute(query)])

    async def leave(self) -> None:
        """Say good-bye: the others take over at their next look what this executor had not finished."""
        update = executors.update().where(executors.c.id == self._executor).values(beat=0.0)
        await self._database.run(lambda connection: connection.execute(update))

    async def _inherit(self, dead: str) -> None:
        # First the work, then the row: whoever dies in between leaves the row for the next. Twice does no harm.
        taken = await self._take_over(dead)
        delete = executors.delete().where(executors.c.id == dead, executors.c.beat < self._clock() - DEAD_SECONDS)
        await self._database.run(lambda connection: connection.execute(delete))
        log.warning("executor_died", executor=dead, edits_taken_over=taken)
