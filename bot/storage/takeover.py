"""What becomes of the workflows of a program that is gone: one that died, or an older version after an upgrade.

DBOS hands a workflow only to executors of the version that it was begun by, since another might have other steps. Every
step of ours may be repeated without harm though, so that another version begins a workflow anew, where its own goes on
from the last finished step.

DBOS's tables are written to here, and nowhere else: its own `resume_workflows` would also take a workflow away from
whoever has resumed it a moment before.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa


class Takeover:
    """The workflows of one queue.

    Args:
        queue: Its name.
        version: Of this program.
        is_sqlite: Where DBOS's tables are: beside ours, or (PostgreSQL) in a schema of their own.
    """

    def __init__(self, queue: str, version: str, *, is_sqlite: bool) -> None:
        schema = None if is_sqlite else "dbos"
        names = ("workflow_uuid", "status", "queue_name", "executor_id", "application_version", "owner_xid")
        self._workflows = sa.table(
            "workflow_status", *(sa.column(name) for name in (*names, "started_at_epoch_ms")), schema=schema
        )
        self._steps = sa.table("operation_outputs", sa.column("workflow_uuid"), schema=schema)
        self._queue = queue
        self._version = version

    def put_back(self, connection: sa.Connection, executor: str, *, others_only: bool = False) -> int:
        """Put what an executor that is gone had begun back into the queue; returns how many.

        Args:
            connection: In a transaction.
            executor: Its name.
            others_only: Whether only what another version had begun.
        """
        mine = self._workflows.c
        another = mine.application_version != self._version
        begun = [mine.status == "PENDING", mine.executor_id == executor, mine.queue_name == self._queue]
        self._begin_anew(connection, *begun, another)
        if others_only:
            begun.append(another)
        values = {"status": "ENQUEUED", "owner_xid": None, "started_at_epoch_ms": None}
        update = self._workflows.update().where(*begun).values(application_version=self._version, **values)
        return connection.execute(update).rowcount

    def adopt(self, connection: sa.Connection, living: Collection[str]) -> int:
        """Take over what waits for a version of which nobody is left; returns how many.

        Args:
            connection: In a transaction.
            living: The versions that somebody has, this program's own among them.
        """
        mine = self._workflows.c
        waiting = (mine.status == "ENQUEUED", mine.queue_name == self._queue)
        orphaned = (*waiting, mine.application_version.not_in([*living, self._version]))
        self._begin_anew(connection, *orphaned)
        update = self._workflows.update().where(*orphaned).values(application_version=self._version)
        return connection.execute(update).rowcount

    def _begin_anew(self, connection: sa.Connection, *which: sa.ColumnElement[bool]) -> None:
        """Forget the finished steps of some workflows."""
        ids = sa.select(self._workflows.c.workflow_uuid).where(*which)
        connection.execute(self._steps.delete().where(self._steps.c.workflow_uuid.in_(ids)))
