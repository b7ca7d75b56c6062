"""Deletes the rows that DBOS keeps about workflows: their inputs, the results of their steps, and their outputs.

They hold what an edit is about, Telegram's file ids among it, so they go with their edit. DBOS's `delete_workflows`
does the same, but only in a process that has launched DBOS; the command line's `sweep` has not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sqlalchemy as sa

from bot.storage.database import Database

_PAYLOADS = ("operation_outputs", "workflow_input", "workflow_output")
_BATCH = 500
"""Ids in one statement: SQLite allows 999 parameters in its older versions."""


async def delete_workflow_rows(database: Database, workflow_ids: Iterable[str]) -> None:
    """Delete every row of these workflows; unknown ids are ignored."""
    ids = list(workflow_ids)
    await database.run(lambda connection: delete_in_transaction(connection, ids, is_sqlite=database.is_sqlite))


def delete_in_transaction(connection: sa.Connection, ids: Sequence[str], *, is_sqlite: bool) -> None:
    """The same, in a transaction of the caller."""
    for first in range(0, len(ids), _BATCH):
        _delete(connection, ids[first : first + _BATCH], is_sqlite=is_sqlite)


def _delete(connection: sa.Connection, ids: Sequence[str], *, is_sqlite: bool) -> None:
    schema = None if is_sqlite else "dbos"
    if not sa.inspect(connection).has_table("workflow_status", schema=schema):
        return  # no edit has been queued yet
    for name in (*_PAYLOADS, "workflow_status"):
        if name in _PAYLOADS and not sa.inspect(connection).has_table(name, schema=schema):
            continue
        table = sa.table(name, sa.column("workflow_uuid"), schema=schema)
        connection.execute(table.delete().where(table.c.workflow_uuid.in_(ids)))
