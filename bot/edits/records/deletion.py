"""Deleting records: old ones, and those of a person who asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, Edit
from bot.edits.records.rows import EDIT_COLUMNS, edit_of
from bot.edits.records.things import delete_orphans
from bot.storage.database import Database
from bot.storage.tables import edits, offers, pending_commands


class Deletion:
    """Deletes rows of all tables.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def sweep(self, *, older_than: float, dry_run: bool = False) -> dict[str, int]:
        """Delete what was last changed before `older_than` (seconds since the epoch); pending edits stay.

        Returns:
            How many rows of each table were deleted, or in a dry run would be.
        """
        expired: Mapping[sa.Table, sa.ColumnElement[bool]] = {
            edits: sa.and_(edits.c.updated < older_than, sa.not_(edits.c.state.in_(PENDING_STATES))),
            offers: offers.c.created < older_than,
            pending_commands: pending_commands.c.expires < self._clock(),
        }

        def work(connection: sa.Connection) -> dict[str, int]:
            if dry_run:
                count = sa.select(sa.func.count())
                return {
                    table.name: int(connection.execute(count.select_from(table).where(where)).scalar_one())
                    for table, where in expired.items()
                }
            deleted = {
                table.name: connection.execute(table.delete().where(where)).rowcount for table, where in expired.items()
            }
            delete_orphans(connection)
            return deleted

        return await self._database.run(work)

    async def delete_person(self, person: int) -> tuple[list[Edit], int]:
        """Delete a person's offers and waiting commands, and the edits that are not pending.

        Returns:
            The deleted edits, and how many edits are still pending.
        """

        def work(connection: sa.Connection) -> tuple[list[Edit], int]:
            theirs = edits.c.person == person
            ended = sa.and_(theirs, sa.not_(edits.c.state.in_(PENDING_STATES)))
            rows = connection.execute(sa.select(*EDIT_COLUMNS).where(ended)).mappings().all()
            connection.execute(edits.delete().where(ended))
            delete_orphans(connection)
            connection.execute(offers.delete().where(offers.c.person == person))
            connection.execute(pending_commands.delete().where(pending_commands.c.about == f"person:{person}"))
            left = connection.execute(sa.select(sa.func.count()).select_from(edits).where(theirs)).scalar_one()
            return [edit_of(row) for row in rows], left

        return await self._database.run(work)
