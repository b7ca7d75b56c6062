"""Fills a database with edits that have ended, the queue's records of them, and photos without a command: copies."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import sqlalchemy as sa

from bot.edits.model import State
from bot.storage.tables import edits, offers

AT_ONCE = 100_000
PEOPLE = 50_000
FIRST_PERSON = 1_000_000_000


def add_old_edits(url: str, count: int) -> None:
    """Copy the newest edit that is done, its workflow, and an offer, `count` times, spread over the last 20 hours.

    The copies have no mask, and one recorded step of their workflow instead of all.

    Args:
        url: SQLAlchemy's address of the database; no bot may use it meanwhile.
        count: How many.
    """
    engine = sa.create_engine(url)
    schema = None if engine.dialect.name == "sqlite" else "dbos"
    workflows, steps = (
        sa.Table(name, sa.MetaData(), schema=schema, autoload_with=engine)
        for name in ("workflow_status", "operation_outputs")
    )
    with contextlib.closing(engine.connect()) as connection:
        query = sa.select(edits.c.id, edits.c.attempt).where(edits.c.state == State.DONE)
        edit_id, attempt = connection.execute(query.order_by(edits.c.number.desc()).limit(1)).one()
        workflow = f"{edit_id}:{attempt}"
        now = time.time()
        for first in range(0, count, AT_ONCE):
            numbers = _numbers(first, min(first + AT_ONCE, count))
            old_id = sa.literal("old") + sa.cast(numbers.c.n, sa.String)
            old_workflow = old_id + f":{attempt}"
            at: Any = now - 20 * 3600 + numbers.c.n * (20 * 3600 / count)
            person = FIRST_PERSON + numbers.c.n % PEOPLE
            changes: dict[str, Any] = {
                "id": old_id, "key": old_id, "person": person, "chat": person, "message": numbers.c.n,
                "status_message": numbers.c.n, "created": at, "updated": at, "requested": at, "mask": sa.null(),
                "mask_key": sa.null(),
            }  # fmt: skip
            _copy(connection, edits, edits.c.id == edit_id, numbers, changes, leave_out={"number"})
            is_workflow = workflows.c.workflow_uuid == workflow
            changes = {"workflow_uuid": old_workflow, "queue_partition_key": sa.cast(person, sa.String)}
            milliseconds = sa.cast(at * 1000, sa.BigInteger)
            changes |= dict.fromkeys(("created_at", "updated_at", "completed_at"), milliseconds)
            _copy(connection, workflows, is_workflow, numbers, changes)
            one_step = (steps.c.workflow_uuid == workflow) & (steps.c.function_id == 1)
            _copy(connection, steps, one_step, numbers, {"workflow_uuid": old_workflow})
            changes = {
                "id": old_id, "person": person, "chat": person, "message": numbers.c.n, "created": at,
                "status_message": numbers.c.n,
            }  # fmt: skip
            one_offer = offers.c.id == sa.select(sa.func.min(offers.c.id)).scalar_subquery()
            _copy(connection, offers, one_offer, numbers, changes)
            connection.commit()
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(sa.text("VACUUM ANALYZE"))  # as its autovacuum does a minute later
    engine.dispose()


def _numbers(first: int, end: int) -> sa.CTE:
    """The numbers from `first` up to, but without, `end`."""
    numbers = sa.select(sa.literal(first).label("n")).cte("numbers", recursive=True)
    return numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n < end - 1))


def _copy(
    connection: sa.Connection,
    table: sa.Table,
    which: sa.ColumnElement[bool],
    numbers: sa.CTE,
    changes: dict[str, Any],
    *,
    leave_out: frozenset[str] | set[str] = frozenset(),
) -> None:
    """Insert a copy of a row for each number, some columns changed."""
    columns = [column for column in table.columns if column.name not in leave_out]
    values = [sa.type_coerce(changes.get(column.name, column), column.type) for column in columns]
    rows = sa.select(*values).select_from(table.join(numbers, sa.true())).where(which)
    connection.execute(table.insert().from_select([column.name for column in columns], rows))
