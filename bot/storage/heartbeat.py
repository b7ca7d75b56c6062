"""On a shared database: each executor shows that it lives, and takes over the edits of one that does not.

DBOS resumes by itself only what its own executor had begun. An executor that never comes back is noticed by its stale
heartbeat; its unfinished workflows are put back into the queue, where they go on from their last finished step.
"""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
import structlog

from bot.storage.database import NOW, Database
from bot.storage.tables import executors, rate_limits
from bot.storage.takeover import Takeover

log = structlog.get_logger()

BEAT_SECONDS = 4.0
DEAD_SECONDS = 16.0
"""Without a beat for so long, an executor is taken for dead; with a look every beat, its edits go on within 30 s."""

FORGOTTEN_SECONDS = 60.0
"""A bucket that has been full for so long is forgotten: a new one would be the same."""


class Heartbeat:
    """One executor's sign of life, and its eye on the others.

    Args:
        database: The PostgreSQL that all executors share.
        executor: This executor's name.
        version: Of its program.
        inheritance: Takes over what others leave.
    """

    def __init__(self, database: Database, executor: str, version: str, inheritance: Takeover) -> None:
        self._database = database
        self._executor = executor
        self._version = version
        self._inheritance = inheritance

    async def run(self) -> None:
        """Beat and watch until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.beat()
                await self.look_after_others()
            except Exception:  # the background's boundary: an executor that fell silent would be taken for dead
                log.exception("heartbeat_broke")
            await asyncio.sleep(BEAT_SECONDS)

    async def beat(self) -> None:
        """Show that this executor lives."""
        values = {"beat": NOW, "version": self._version}

        def work(connection: sa.Connection) -> None:
            update = executors.update().where(executors.c.id == self._executor).values(**values)
            if connection.execute(update).rowcount == 0:
                connection.execute(executors.insert().values(id=self._executor, **values))

        await self._database.run(work)

    async def look_after_others(self) -> None:
        """Take over from executors that have not been heard of for too long, and from versions that are no more."""
        for dead, taken in (await self._database.run(self._inherit)).items():
            log.warning("executor_died", executor=dead, edits_taken_over=taken)

    async def leave(self) -> None:
        """Say good-bye: the others take over at their next look what this executor had not finished."""
        update = executors.update().where(executors.c.id == self._executor).values(beat=0.0)
        await self._database.run(lambda connection: connection.execute(update))

    def _inherit(self, connection: sa.Connection) -> dict[str, int]:
        # In one transaction, and each row by one alone: what has been taken over is not taken over again.
        stale = executors.c.beat < NOW - DEAD_SECONDS
        query = sa.select(executors.c.id).where(stale).with_for_update(skip_locked=True)
        taken = {}
        for (dead,) in connection.execute(query).all():
            taken[str(dead)] = self._inheritance.put_back(connection, dead)
            connection.execute(executors.delete().where(executors.c.id == dead))
        versions = connection.execute(sa.select(executors.c.version).distinct()).scalars()
        self._inheritance.adopt(connection, [version for version in versions if version is not None])
        connection.execute(rate_limits.delete().where(rate_limits.c.full_at < NOW - FORGOTTEN_SECONDS))
        return taken
