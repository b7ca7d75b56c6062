"""What is remembered: edits, offers, wishes. Every method is one transaction and may be repeated without harm."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

import sqlalchemy as sa

from bot.edits.model import Edit, EditRequest, Operation, PhotoRef, Stage, State
from bot.edits.records.claims import PENDING, Claims, place_in_line
from bot.edits.records.limits import EditLimits, check_limits
from bot.edits.records.offers import Offers
from bot.edits.records.pending_commands import PendingCommands
from bot.edits.records.rows import edit_of, photo_columns
from bot.edits.records.things import Things, delete_orphans, mark_only
from bot.storage.database import Database
from bot.storage.tables import edits, offers, pending_commands

_EDIT_COLUMNS = [column for column in edits.c if column.name != "mask"]
_HAS_MASK = edits.c.mask.is_not(None).label("has_mask")


class Store:
    """The tables, in the words of the house."""

    def __init__(self, database: Database, bounds: EditLimits, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._bounds = bounds
        self._clock = clock
        self.offers = Offers(database, clock)
        self.pending_commands = PendingCommands(database, clock)
        self.claims = Claims(database, clock)
        self.things = Things(database)

    # ── edits ──

    async def add(self, order: EditRequest, state: State = State.QUEUED) -> tuple[Edit, bool]:
        """Record an edit, unless the same one (by its key) is there already.

        Returns:
            The edit, and whether it is new.

        Raises:
            PersonError: ``too-many-pending`` (fact limit), ``too-many-today`` (fact limit), ``busy`` (fact waiting).
        """
        return await self._database.run(lambda connection: self._add(connection, order, state))

    def _add(self, connection: sa.Connection, order: EditRequest, state: State) -> tuple[Edit, bool]:
        self._lock_person(connection, order.person)
        known = self._one(connection, edits.c.key == order.key)
        if known:
            return known, False
        if state in PENDING:
            check_limits(connection, self._bounds, order.person, self._clock())
        now = self._clock()
        connection.execute(
            edits.insert().values(
                id=secrets.token_urlsafe(16),
                key=order.key,
                person=order.person,
                chat=order.chat,
                message=order.message,
                operation=order.operation.value,
                **photo_columns(order.photo),
                painted_file_id=order.painted.file_id if order.painted else None,
                painted_unique_id=order.painted.unique_id if order.painted else None,
                finish=order.finish,
                seed=order.seed,
                shadow=order.shadow,
                chooses=order.chooses,
                language=order.language,
                state=state.value,
                attempt=1,
                starts=0,
                enqueued=False,
                status_message=order.status_message,
                mask=order.mask,
                mask_is_matte=order.mask_is_matte,
                parent=order.parent,
                created=now,
                updated=now,
            )
        )
        added = self._one(connection, edits.c.key == order.key)
        assert added is not None
        return added, True

    def _lock_person(self, connection: sa.Connection, person: int) -> None:
        """Let one person's requests pass one after another, so that two at once cannot both slip under a bound."""
        if not self._database.is_sqlite:  # SQLite's writers are alone anyway
            connection.execute(sa.text("SELECT pg_advisory_xact_lock(1, hashtext(:person))"), {"person": str(person)})

    async def get(self, edit_id: str) -> Edit | None:
        """The edit with this id, or None."""
        return await self._database.run(lambda connection: self._one(connection, edits.c.id == edit_id))

    async def waiting_below(self, chat: int, status_message: int) -> Edit | None:
        """The edit that waits for its mask under this status message, or None."""
        where = (
            edits.c.chat == chat,
            edits.c.status_message == status_message,
            edits.c.state == State.WAITING_FOR_MASK,
        )
        return await self._database.run(lambda connection: self._one(connection, sa.and_(*where)))

    async def correction(
        self, chat: int, person: int, *, answered: int, photo: str | None, submission: str
    ) -> Edit | None:
        """The correction of a cut-out that a painted copy of its photo is for, the newest; None where there is none.

        Args:
            chat: The chat.
            person: Whose it is.
            answered: The message that the painted copy replies to.
            photo: That message's photo, by its unique id; None: it has none.
            submission: What the same copy is known by when it comes again: then the correction waits no more.
        """
        waits = sa.and_(
            edits.c.state == State.WAITING_FOR_MASK,
            sa.or_(edits.c.status_message == answered, edits.c.file_unique_id == photo),
        )
        query = sa.select(*_EDIT_COLUMNS, _HAS_MASK).where(
            edits.c.chat == chat, edits.c.person == person, sa.or_(waits, edits.c.mask_key == submission)
        )
        query = query.order_by(edits.c.number.desc()).limit(1)
        row = await self._database.run(lambda connection: connection.execute(query).mappings().first())
        # A newer /erase of the same photo waits: the painted copy is that one's.
        return edit_of(row) if row and row["operation"] == Operation.REMOVE_BACKGROUND else None

    async def by_key(self, key: str) -> Edit | None:
        """The edit with this key, or None."""
        return await self._database.run(lambda connection: self._one(connection, edits.c.key == key))

    async def children(self, edit_id: str) -> list[Edit]:
        """The edits whose parent is this one, oldest first."""
        return await self._many(edits.c.parent == edit_id)

    def _one(self, connection: sa.Connection, where: sa.ColumnElement[bool]) -> Edit | None:
        row = connection.execute(sa.select(*_EDIT_COLUMNS, _HAS_MASK).where(where)).mappings().first()
        return edit_of(row) if row else None

    async def _many(self, *where: sa.ColumnElement[bool], limit: int = 1000) -> list[Edit]:
        query = sa.select(*_EDIT_COLUMNS, _HAS_MASK).where(*where).order_by(edits.c.number).limit(limit)
        return await self._database.run(
            lambda connection: [edit_of(row) for row in connection.execute(query).mappings()]
        )

    async def unannounced(self, *, claimed_before: float) -> list[Edit]:
        """Unfinished edits that have no status message, and that nobody has been posting one for since then."""
        return await self._many(
            edits.c.status_message.is_(None),
            edits.c.state.in_((*PENDING, State.WAITING_FOR_MASK)),
            sa.or_(edits.c.status_claimed.is_(None), edits.c.status_claimed < claimed_before),
        )

    async def line(self, limit: int = 1000) -> list[tuple[str, int, State]]:
        """The ids, chats and states of all unfinished edits, in their order: so many from the first."""
        query = sa.select(edits.c.id, edits.c.chat, edits.c.state).where(edits.c.state.in_(PENDING))
        query = query.order_by(edits.c.number).limit(limit)
        return await self._database.run(
            lambda connection: [(str(row[0]), int(row[1]), State(row[2])) for row in connection.execute(query)]
        )

    async def not_enqueued(self, limit: int = 1000) -> list[Edit]:
        """Edits that were recorded but not handed to the queue yet, in order."""
        return await self._many(edits.c.state == State.QUEUED, edits.c.enqueued.is_(False), limit=limit)

    async def cancel(self, edit_id: str) -> Edit | None:
        """Cancel an edit; None where it is too late (it is being delivered, or final)."""

        def work(connection: sa.Connection) -> Edit | None:
            stage = sa.or_(edits.c.stage.is_(None), edits.c.stage != Stage.DELIVERING)
            cancellable = (*PENDING, State.WAITING_FOR_MASK, State.WAITING_FOR_CHOICE)
            where = (edits.c.id == edit_id, edits.c.state.in_(cancellable), stage)
            update = edits.update().where(*where).values(state=State.CANCELLED, updated=self._clock())
            return self._one(connection, edits.c.id == edit_id) if connection.execute(update).rowcount else None

        return await self._database.run(work)

    async def pending_of(self, person: int) -> list[Edit]:
        """A person's unfinished edits, in order."""
        return await self._many(edits.c.person == person, edits.c.state.in_(PENDING))

    async def position(self, edit: Edit) -> int:
        """How many edits are before this one: 0 = it is next, or running."""
        return await self._database.run(lambda connection: place_in_line(connection, edit))

    async def note_enqueued(self, edit: Edit) -> None:
        """Remember that this attempt of the edit was handed to the queue."""
        where = (edits.c.id == edit.id, edits.c.attempt == edit.attempt)
        update = edits.update().where(*where).values(enqueued=True)
        await self._database.run(lambda connection: connection.execute(update))

    async def change(self, edit_id: str, *, only: tuple[State, ...] | None = None, **values: Any) -> Edit | None:
        """Set columns of an edit; with `only`, just while it is in one of these states.

        Returns:
            The edit as it is now, or None where nothing was changed.
        """
        where = [edits.c.id == edit_id]
        if only is not None:
            where.append(edits.c.state.in_(only))

        def work(connection: sa.Connection) -> Edit | None:
            update = edits.update().where(*where).values(updated=self._clock(), **values)
            if connection.execute(update).rowcount == 0:
                return None
            return self._one(connection, edits.c.id == edit_id)

        return await self._database.run(work)

    async def begin(self, edit_id: str) -> tuple[Edit, int] | None:
        """Note that work on an edit begins; returns it and the times this attempt was begun, or None if it is final."""

        def work(connection: sa.Connection) -> tuple[Edit, int] | None:
            update = (
                edits.update()
                .where(edits.c.id == edit_id, edits.c.state.in_(PENDING))
                .values(state=State.RUNNING, starts=edits.c.starts + 1, updated=self._clock())
                .returning(edits.c.starts)
            )
            row = connection.execute(update).first()
            edit = self._one(connection, edits.c.id == edit_id)
            return (edit, int(row[0])) if row and edit else None

        return await self._database.run(work)

    async def requeue(self, edit_id: str) -> Edit | None:
        """Let a failed or cancelled edit try again; None where it is neither.

        Raises:
            PersonError: As `add` does, when too much is waiting.
        """
        return await self._requeue(edit_id, (State.FAILED, State.CANCELLED), counts_today=True)

    async def _requeue(self, edit_id: str, only: tuple[State, ...], *, counts_today: bool) -> Edit | None:
        return await self._database.run(
            lambda connection: self._queue_again(connection, edit_id, only, counts_today=counts_today)
        )

    def _queue_again(
        self,
        connection: sa.Connection,
        edit_id: str,
        only: tuple[State, ...],
        *,
        counts_today: bool = False,
        **changes: Any,
    ) -> Edit | None:
        edit = self._one(connection, edits.c.id == edit_id)
        if edit is None or edit.state not in only:
            return None
        self._lock_person(connection, edit.person)
        check_limits(connection, self._bounds, edit.person, self._clock(), counts_today=counts_today)
        if edit.chooses and not edit.has_mask:  # what was marked before is not what the person wants now
            mark_only(connection, edit_id, ())
        values: dict[str, Any] = {
            "state": State.QUEUED,
            "stage": None,
            "error": None,
            "starts": 0,
            "enqueued": False,
            "attempt": edits.c.attempt + 1,
        }
        where = (edits.c.id == edit_id, edits.c.state.in_(only))
        connection.execute(edits.update().where(*where).values(updated=self._clock(), **values, **changes))
        return self._one(connection, edits.c.id == edit_id)

    async def queue_with_things(self, edit_id: str, numbers: Collection[int]) -> Edit | None:
        """Queue an edit that waits for a choice, with the things of these numbers; None where it does not wait.

        Raises:
            PersonError: As `add` does, when too much is waiting.
        """

        def work(connection: sa.Connection) -> Edit | None:
            queued = self._queue_again(connection, edit_id, (State.WAITING_FOR_CHOICE,))
            if queued is not None:
                mark_only(connection, edit_id, numbers)
            return queued

        return await self._database.run(work)

    async def choose_again(self, edit_id: str) -> Edit | None:
        """Let the person choose among an edit's things after all; None unless it failed or was cancelled.

        Raises:
            PersonError: As `add` does, when too much is waiting.
        """

        def work(connection: sa.Connection) -> Edit | None:
            queued = self._queue_again(connection, edit_id, (State.FAILED, State.CANCELLED), mask=None)
            if queued is not None:
                mark_only(connection, edit_id, ())
            return queued

        return await self._database.run(work)

    async def show_again(self, edit_id: str) -> Edit | None:
        """Queue a finished edit once more, to be shown again in its message; None where it is not finished.

        Raises:
            PersonError: As `add` does, when too much is waiting.
        """
        return await self._requeue(edit_id, (State.DONE, State.FAILED, State.CANCELLED), counts_today=False)

    async def queue_with_mask(self, edit_id: str, mask: bytes, submission: str) -> Edit | None:
        """Give a waiting edit its painted mask and queue it; None where it is not waiting.

        Args:
            edit_id: The edit.
            mask: PNG.
            submission: What the same submission is known by when it comes again; at most 64 characters.

        Raises:
            PersonError: As `add` does, when too much is waiting.
        """
        return await self._queue_waiting(edit_id, submission, mask=mask, mask_is_matte=False)

    async def queue_with_painted(self, edit_id: str, painted: PhotoRef, submission: str) -> Edit | None:
        """Give a waiting edit a painted copy of its photo in place of a mask; else as `queue_with_mask`."""
        values = {"painted_file_id": painted.file_id, "painted_unique_id": painted.unique_id}
        return await self._queue_waiting(edit_id, submission, **values)

    async def _queue_waiting(self, edit_id: str, submission: str, **values: Any) -> Edit | None:
        def work(connection: sa.Connection) -> Edit | None:
            edit = self._one(connection, edits.c.id == edit_id)
            if edit is None or edit.state is not State.WAITING_FOR_MASK:
                return None
            self._lock_person(connection, edit.person)
            check_limits(connection, self._bounds, edit.person, self._clock())
            where = (edits.c.id == edit_id, edits.c.state == State.WAITING_FOR_MASK)
            changed = {"state": State.QUEUED, "mask_key": submission, "updated": self._clock(), **values}
            connection.execute(edits.update().where(*where).values(**changed))
            return self._one(connection, edits.c.id == edit_id)

        return await self._database.run(work)

    async def came_by(self, edit_id: str, submission: str) -> bool:
        """Whether the edit's mask came by this submission."""

        def work(connection: sa.Connection) -> bool:
            where = sa.and_(edits.c.id == edit_id, edits.c.mask_key == submission)
            return connection.execute(sa.select(edits.c.id).where(where)).first() is not None

        return await self._database.run(work)

    async def mask(self, edit_id: str) -> tuple[bytes, bool] | None:
        """The stored mask (PNG) and whether it is a matte of the subject; None where there is none."""
        query = sa.select(edits.c.mask, edits.c.mask_is_matte).where(edits.c.id == edit_id)
        row = await self._database.run(lambda connection: connection.execute(query).first())
        return (bytes(row[0]), bool(row[1])) if row and row[0] is not None else None

    async def counts(self) -> dict[State, int]:
        """How many edits are in each state."""
        query = sa.select(edits.c.state, sa.func.count()).group_by(edits.c.state)
        return await self._database.run(
            lambda connection: {State(state): int(count) for state, count in connection.execute(query)}
        )

    # ── retention ──

    async def sweep(self, *, older_than: float, dry_run: bool = False) -> dict[str, int]:
        """Delete what was last touched before `older_than` (seconds since the epoch); unfinished edits stay.

        Returns:
            How many rows of each table were (or, in a dry run, would be) deleted.
        """
        unfinished = edits.c.state.in_(PENDING)
        doomed: Mapping[sa.Table, sa.ColumnElement[bool]] = {
            edits: sa.and_(edits.c.updated < older_than, sa.not_(unfinished)),
            offers: offers.c.created < older_than,
            pending_commands: pending_commands.c.expires < self._clock(),
        }

        def work(connection: sa.Connection) -> dict[str, int]:
            if dry_run:
                count = sa.select(sa.func.count())
                return {
                    table.name: int(connection.execute(count.select_from(table).where(where)).scalar_one())
                    for table, where in doomed.items()
                }
            deleted = {
                table.name: connection.execute(table.delete().where(where)).rowcount for table, where in doomed.items()
            }
            delete_orphans(connection)
            return deleted

        return await self._database.run(work)

    async def forget_person(self, person: int) -> tuple[list[Edit], int]:
        """Delete a person's edits that are not in the works, and the offers.

        Returns:
            The edits that were deleted, and how many are in the works still.
        """

        def work(connection: sa.Connection) -> tuple[list[Edit], int]:
            theirs = edits.c.person == person
            gone = sa.and_(theirs, sa.not_(edits.c.state.in_(PENDING)))
            rows = connection.execute(sa.select(*_EDIT_COLUMNS, _HAS_MASK).where(gone)).mappings().all()
            connection.execute(edits.delete().where(gone))
            delete_orphans(connection)
            connection.execute(offers.delete().where(offers.c.person == person))
            left = connection.execute(sa.select(sa.func.count()).select_from(edits).where(theirs)).scalar_one()
            return [edit_of(row) for row in rows], left

        return await self._database.run(work)
