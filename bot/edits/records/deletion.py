"""Deleting records: old ones, and those of a person who asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, fields

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, DeletionRequest, Edit, State, workflow_id
from bot.edits.records import (
    announcements,
    bans,
    daily_quota,
    payments,
    people,
    statistics,
    support_requests,
    work_times,
)
from bot.edits.records.found_objects import delete_orphans
from bot.edits.records.rows import EDIT_COLUMNS, edit_of
from bot.storage.database import Database
from bot.storage.tables import deletions, edits, offers, pending_commands, person_settings, rate_limits
from bot.storage.tables import people as people_table
from bot.storage.workflow_rows import delete_in_transaction, delete_workflow_rows

_FULL_SECONDS = 3600.0
"""A token bucket that has been full for this long is deleted: it holds nothing but the id of a chat."""


class Deletion:
    """Deletes rows of all tables.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def request(self, request: DeletionRequest) -> None:
        """Record that a person wants their data deleted. A repeat replaces the earlier request."""

        def work(connection: sa.Connection) -> None:
            connection.execute(deletions.delete().where(deletions.c.person == request.person))
            values = {"requested": self._clock(), "edits": 0, "files": 0}
            connection.execute(deletions.insert().values(**asdict(request), **values))

        await self._database.run(work)

    async def requested(self) -> list[DeletionRequest]:
        """The requests that are not done."""
        columns = [deletions.c[field.name] for field in fields(DeletionRequest)]
        query = sa.select(*columns).order_by(deletions.c.requested)
        return await self._database.run(
            lambda connection: [DeletionRequest(**row) for row in connection.execute(query).mappings()]
        )

    async def pending_of(self, person: int) -> list[Edit]:
        """The person's unfinished edits that the request is about, in order."""
        unfinished = edits.c.state.in_((*PENDING_STATES, State.WAITING_FOR_MASK, State.WAITING_FOR_CHOICE))
        query = sa.select(*EDIT_COLUMNS).where(_asked_before_request(person), unfinished).order_by(edits.c.number)
        return await self._database.run(
            lambda connection: [edit_of(row) for row in connection.execute(query).mappings()]
        )

    async def ended_of(self, person: int) -> list[Edit]:
        """The person's edits that are not pending and that the request is about."""
        ended = sa.and_(_asked_before_request(person), sa.not_(edits.c.state.in_(PENDING_STATES)))
        query = sa.select(*EDIT_COLUMNS).where(ended)
        return await self._database.run(
            lambda connection: [edit_of(row) for row in connection.execute(query).mappings()]
        )

    async def delete_person(self, person: int, ended: Sequence[Edit]) -> int:
        """Delete these edits of a person, and everything else but a ban and payments.

        Returns:
            How many edits the request is about that are still there: they were pending when `ended` was asked for.
        """

        def work(connection: sa.Connection) -> int:
            theirs = _asked_before_request(person)
            for edit in ended:
                connection.execute(edits.delete().where(edits.c.id == edit.id))
            delete_orphans(connection)
            connection.execute(offers.delete().where(offers.c.person == person))
            waiting = pending_commands.c.about == f"person:{person}"
            taken = pending_commands.c.about.startswith(f"person:{person}:", autoescape=True)
            in_private = pending_commands.c.chat == person
            connection.execute(pending_commands.delete().where(sa.or_(waiting, taken, in_private)))
            connection.execute(rate_limits.delete().where(rate_limits.c.name == str(person)))
            connection.execute(person_settings.delete().where(_chosen_before_request(person)))
            people.delete_person(connection, person)
            announcements.delete_person(connection, person)
            payments.delete_person(connection, person)
            support_requests.delete_person(connection, person, self._clock())
            bans.delete_reason(connection, person)
            return int(connection.execute(sa.select(sa.func.count()).select_from(edits).where(theirs)).scalar_one())

        return await self._database.run(work)

    async def count(self, person: int, *, edits: int, files: int) -> tuple[int, int]:
        """Add to what the request has deleted so far; returns the sums of edits and files."""

        def work(connection: sa.Connection) -> tuple[int, int]:
            sums = {"edits": deletions.c.edits + edits, "files": deletions.c.files + files}
            where = deletions.c.person == person
            connection.execute(deletions.update().where(where).values(**sums))
            row = connection.execute(sa.select(deletions.c.edits, deletions.c.files).where(where)).first()
            return (int(row[0]), int(row[1])) if row else (edits, files)

        return await self._database.run(work)

    async def finish(self, request: DeletionRequest) -> None:
        """Delete the request, unless a later one has replaced it; and the rest of what SQLite's log holds."""
        where = (deletions.c.person == request.person, deletions.c.message == request.message)
        await self._database.run(lambda connection: connection.execute(deletions.delete().where(*where)))
        await self._database.overwrite_deleted()

    async def delete_workflows(self, deleted: Iterable[Edit]) -> None:
        """Delete the queue's rows of deleted edits."""
        ids = [workflow_id(edit.id, attempt) for edit in deleted for attempt in range(1, edit.attempt + 1)]
        await delete_workflow_rows(self._database, ids)

    async def sweep(self, *, older_than: float, dry_run: bool = False) -> dict[str, int]:
        """Delete what was last changed before `older_than` (seconds since the epoch); pending edits stay.

        Returns:
            How many rows of each table were deleted, or in a dry run would be.
        """
        expired: Mapping[sa.Table, sa.ColumnElement[bool]] = {
            edits: sa.and_(edits.c.updated < older_than, sa.not_(edits.c.state.in_(PENDING_STATES))),
            offers: offers.c.created < older_than,
            pending_commands: pending_commands.c.expires < self._clock(),
            people_table: people.expired(self._clock()),
        }

        def work(connection: sa.Connection) -> dict[str, int]:
            if dry_run:
                count = sa.select(sa.func.count())
                return {
                    table.name: int(connection.execute(count.select_from(table).where(where)).scalar_one())
                    for table, where in expired.items()
                }
            old = connection.execute(sa.select(edits.c.id, edits.c.attempt).where(expired[edits])).all()
            workflows = [workflow_id(id_, attempt) for id_, last in old for attempt in range(1, last + 1)]
            delete_in_transaction(connection, workflows, is_sqlite=self._database.is_sqlite)
            deleted = {
                table.name: connection.execute(table.delete().where(where)).rowcount for table, where in expired.items()
            }
            delete_orphans(connection)
            daily_quota.delete_old(connection, self._clock())
            statistics.delete_old(connection, self._clock())
            work_times.delete_old(connection, self._clock())
            announcements.delete_old(connection, older_than, self._clock())
            payments.delete_old(connection, self._clock())
            support_requests.delete_old(connection, self._clock())
            connection.execute(rate_limits.delete().where(rate_limits.c.full_at < self._clock() - _FULL_SECONDS))
            return deleted

        swept = await self._database.run(work)
        if not dry_run:
            await self._database.shrink()
        return swept


def _asked_before_request(person: int) -> sa.ColumnElement[bool]:
    """The person's edits; if there is a deletion request, those from before it."""
    return sa.and_(edits.c.person == person, _before_request(person, edits.c.created))


def _chosen_before_request(person: int) -> sa.ColumnElement[bool]:
    """The person's settings, unless they were changed after the deletion request."""
    return sa.and_(person_settings.c.person == person, _before_request(person, person_settings.c.changed))


def _before_request(person: int, time: sa.ColumnElement[float]) -> sa.ColumnElement[bool]:
    requested = sa.select(deletions.c.requested).where(deletions.c.person == person).scalar_subquery()
    return sa.or_(requested.is_(None), time <= requested)
