"""Takes over workflows whose program is gone: a process that died, or an older version after an upgrade.

DBOS gives a workflow only to executors of the application version that started it, because another version may have
other steps. Our steps are idempotent, so another version restarts a workflow from its first step, while the same
version continues after the last finished step.

This module and `workflow_rows` write to DBOS's own tables, and no other module does. DBOS's `resume_workflows` does not
fit: it would also take a workflow away from an executor that resumed it a moment earlier.
"""

from __future__ import annotations

from collections.abc import Collection

import sqlalchemy as sa


class Takeover:
    """Takes over workflows of one queue.

    Args:
        queue: Name of the queue.
        version: Application version of this program.
        is_sqlite: Whether DBOS's tables are in the main schema (SQLite) or in the schema ``dbos`` (PostgreSQL).
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

    def requeue_started(self, connection: sa.Connection, executor: str, *, other_versions_only: bool = False) -> int:
        """Return the started workflows of an executor that is gone to the queue.

        Args:
            connection: A connection in a transaction.
            executor: Name of the executor.
            other_versions_only: Whether to leave the workflows that this version started.

        Returns:
            How many workflows were returned to the queue.
        """
        columns = self._workflows.c
        is_other_version = columns.application_version != self._version
        started = [columns.status == "PENDING", columns.executor_id == executor, columns.queue_name == self._queue]
        self._delete_steps(connection, *started, is_other_version)
        if other_versions_only:
            started.append(is_other_version)
        values = {"status": "ENQUEUED", "owner_xid": None, "started_at_epoch_ms": None}
        update = self._workflows.update().where(*started).values(application_version=self._version, **values)
        return connection.execute(update).rowcount

    def claim_queued(self, connection: sa.Connection, live_versions: Collection[str]) -> int:
        """Claim for this version the queued workflows of versions that no executor runs any more.

        Args:
            connection: A connection in a transaction.
            live_versions: Versions that some executor runs; this program's version counts as live in any case.

        Returns:
            How many workflows were claimed.
        """
        columns = self._workflows.c
        queued = (columns.status == "ENQUEUED", columns.queue_name == self._queue)
        orphaned = (*queued, columns.application_version.not_in([*live_versions, self._version]))
        self._delete_steps(connection, *orphaned)
        update = self._workflows.update().where(*orphaned).values(application_version=self._version)
        return connection.execute(update).rowcount

    def _delete_steps(self, connection: sa.Connection, *where: sa.ColumnElement[bool]) -> None:
        """Delete the checkpoints of the matching workflows, so that they restart from their first step."""
        ids = sa.select(self._workflows.c.workflow_uuid).where(*where)
        connection.execute(self._steps.delete().where(self._steps.c.workflow_uuid.in_(ids)))
