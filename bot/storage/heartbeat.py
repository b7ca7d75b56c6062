"""Heartbeats on a shared database: each executor reports that it is alive and takes over the edits of dead ones.

DBOS resumes only what its own executor started. An executor that never comes back is recognised by its old heartbeat;
its unfinished workflows return to the queue and continue after their last finished step.
"""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
import structlog

from bot.errors import OutageError
from bot.storage.database import NOW, Database
from bot.storage.tables import executors, rate_limits
from bot.storage.takeover import Takeover

log = structlog.get_logger()

BEAT_SECONDS = 4.0
"""Seconds between heartbeats."""

DEAD_SECONDS = 16.0
"""Age of a heartbeat at which its executor counts as dead. Each beat checks, so its edits continue within 30 s."""

RATE_LIMIT_KEPT_SECONDS = 60.0
"""A token bucket that has been full for this long is deleted: a new one starts full too."""


class Heartbeat:
    """Reports that one executor is alive, and watches the others.

    Args:
        database: The PostgreSQL that all executors share.
        executor: Name of this executor.
        version: Application version of its program.
        takeover: Takes over the workflows of dead executors.
    """

    def __init__(self, database: Database, executor: str, version: str, takeover: Takeover) -> None:
        self._database = database
        self._executor = executor
        self._version = version
        self._takeover = takeover

    async def run(self) -> None:
        """Beat and watch until cancelled; goes on after a database outage."""
        while True:
            try:
                await self.beat()
                await self.take_over_dead()
            except OutageError:  # logged by the database
                pass
            except Exception:  # the background's boundary: without heartbeats this executor would count as dead
                log.exception("heartbeat_broke")
            await asyncio.sleep(BEAT_SECONDS)

    async def beat(self) -> None:
        """Record that this executor is alive."""
        values = {"beat": NOW, "version": self._version}

        def work(connection: sa.Connection) -> None:
            update = executors.update().where(executors.c.id == self._executor).values(**values)
            if connection.execute(update).rowcount == 0:
                connection.execute(executors.insert().values(id=self._executor, **values))

        await self._database.run(work)

    async def take_over_dead(self) -> None:
        """Take over the workflows of dead executors and of versions that no executor runs any more."""
        for executor, taken in (await self._database.run(self._take_over)).items():
            log.warning("executor_died", executor=executor, edits_taken_over=taken)

    async def leave(self) -> None:
        """Mark this executor as dead, so that the others take over its unfinished edits at their next look."""
        update = executors.update().where(executors.c.id == self._executor).values(beat=0.0)
        await self._database.run(lambda connection: connection.execute(update))

    def _take_over(self, connection: sa.Connection) -> dict[str, int]:
        # In one transaction, with each row locked by one executor: nothing is taken over twice.
        dead = executors.c.beat < NOW - DEAD_SECONDS
        query = sa.select(executors.c.id).where(dead).with_for_update(skip_locked=True)
        taken = {}
        for (executor,) in connection.execute(query).all():
            taken[str(executor)] = self._takeover.requeue_started(connection, executor)
            connection.execute(executors.delete().where(executors.c.id == executor))
        versions = connection.execute(sa.select(executors.c.version).distinct()).scalars()
        self._takeover.claim_queued(connection, [version for version in versions if version is not None])
        connection.execute(rate_limits.delete().where(rate_limits.c.full_at < NOW - RATE_LIMIT_KEPT_SECONDS))
        return taken
