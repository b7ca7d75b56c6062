"""The store of edits. Pending commands, offers, claims and objects have their own classes, as attributes of `Store`."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from bot.edits.finishes import DEFAULT_FINISH
from bot.edits.model import PENDING_STATES, Edit, Operation, PhotoRef, State, StoredMask
from bot.edits.records import cancelling, daily_quota, people, statistics, stored_masks
from bot.edits.records.album_order import AlbumOrder, is_behind_sibling
from bot.edits.records.albums import Albums
from bot.edits.records.announcements import Announcements
from bot.edits.records.bans import Bans
from bot.edits.records.chat_moves import ChatMoves
from bot.edits.records.claims import Claims
from bot.edits.records.deletion import Deletion
from bot.edits.records.found_objects import FoundObjects, delete_objects
from bot.edits.records.history import History
from bot.edits.records.limits import EditLimits, check_limits, check_waiting
from bot.edits.records.offers import Offers
from bot.edits.records.payments import Payments
from bot.edits.records.pending_commands import PendingCommands
from bot.edits.records.people import People
from bot.edits.records.person_settings import PeopleSettings, find_settings
from bot.edits.records.queue_places import PendingEdit, QueuePlace, queue_place
from bot.edits.records.queueing import Queueing
from bot.edits.records.rows import (
    EDIT_COLUMNS,
    edit_of,
    find_edit,
    may_be_id,
    notes_column,
    photo_columns,
)
from bot.edits.records.statistics import Statistics
from bot.edits.records.support_requests import SupportRequests
from bot.edits.records.variants import VariantRecords
from bot.edits.records.work_times import WorkTimes
from bot.edits.requests import EditRequest
from bot.storage.database import Database, LockSpace
from bot.storage.tables import edits


class Store:
    """The recorded edits.

    Args:
        database: Where they are stored.
        limits: How many edits may be pending.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, limits: EditLimits, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock
        self.offers = Offers(database, clock, limits.check_room)
        self.pending_commands = PendingCommands(database, clock)
        self.claims = Claims(database, clock)
        self.objects = FoundObjects(database)
        self.albums = Albums(database)
        self.album_order = AlbumOrder(database, limits, clock)
        self.variants = VariantRecords(database)
        self.queueing = Queueing(database, limits, clock)
        self.deletion = Deletion(database, clock)
        self.chat_moves = ChatMoves(database, clock)
        self.person_settings = PeopleSettings(database, clock)
        self.history = History(database)
        self.people = People(database, clock)
        self.bans = Bans(database, clock)
        self.statistics = Statistics(database, clock)
        self.work_times = WorkTimes(database, clock)
        self.announcements = Announcements(database, clock)
        self.payments = Payments(database, clock)
        self.support_requests = SupportRequests(database, clock)

    async def add(self, request: EditRequest, state: State = State.QUEUED) -> tuple[Edit, bool]:
        """Record an edit, unless an edit with the same key exists.

        Returns:
            The edit, and whether it is new.

        Raises:
            PersonError: ``too-many-pending`` (fact limit), ``too-many-today`` (fact limit), ``busy`` (fact waiting),
                ``too-many-waiting`` (fact limit), ``storage-full``.
        """
        return await self._database.run(lambda connection: self._add(connection, request, state))

    def _add(self, connection: sa.Connection, request: EditRequest, state: State) -> tuple[Edit, bool]:
        # Requests of one person run one after another: two at once cannot both pass the check of a limit.
        self._database.lock_until_commit(connection, LockSpace.PERSON, request.person)
        known = find_edit(connection, edits.c.key == request.key)
        if known:
            return known, False
        now, edit_id = self._clock(), secrets.token_urlsafe(16)
        if state in PENDING_STATES:
            check_limits(connection, self._limits, request.person, now)
            if not request.chooses:
                daily_quota.use(connection, self._limits.edits_per_day, request.person, edit_id, now)
        if state is State.WAITING_FOR_MASK or request.chooses:
            check_waiting(connection, self._limits, request.person)
        stored_masks.trim(connection, request.person)
        if request.chat != request.person:
            people.record_seen(connection, request.person, now)
        connection.execute(
            edits.insert().values(
                id=edit_id,
                key=request.key,
                person=request.person,
                chat=request.chat,
                message=request.message,
                operation=request.operation.value,
                **photo_columns(request.photo),
                painted_file_id=request.painted.file_id if request.painted else None,
                painted_unique_id=request.painted.unique_id if request.painted else None,
                finish=request.finish or _default_finish(connection, request),
                seed=request.seed,
                shadow=request.shadow,
                chooses=request.chooses,
                thread=request.thread,
                guessed=request.guessed,
                album_status=request.album_status,
                album=request.album if state is State.QUEUED else None,
                notes=notes_column(request.notes),
                background_file_id=request.background.file_id if request.background else None,
                background_unique_id=request.background.unique_id if request.background else None,
                language=request.language,
                state=state.value,
                attempt=1,
                starts=0,
                enqueued=False,
                status_message=request.status_message,
                mask=request.mask,
                mask_is_matte=request.mask_is_matte,
                parent=request.parent,
                created=now,
                updated=now,
                requested=now,
            )
        )
        added = find_edit(connection, edits.c.key == request.key)
        assert added is not None
        return added, True

    # ── finding ──

    async def get(self, edit_id: str) -> Edit | None:
        """The edit with this id, or None."""
        if not may_be_id(edit_id):
            return None
        return await self._database.run(lambda connection: find_edit(connection, edits.c.id == edit_id))

    async def by_key(self, key: str) -> Edit | None:
        """The edit with this key, or None."""
        return await self._database.run(lambda connection: find_edit(connection, edits.c.key == key))

    async def asked_to_paint(self, chat: int, person: int, *, replied_to: int, photo: str | None) -> Edit | None:
        """The newest edit whose painted copy the bot asked for, and that a reply to this message answers; or None.

        Args:
            chat: The chat.
            person: The owner of the reply.
            replied_to: Id of the message that it replies to: the edit's status message, or its photo.
            photo: Unique id of that message's photo; None if it has none.
        """
        is_photo = sa.or_(edits.c.message == replied_to, edits.c.file_unique_id == photo)
        own_photo = sa.and_(edits.c.person == person, edits.c.operation == Operation.ERASE, is_photo)
        query = sa.select(*EDIT_COLUMNS).where(
            edits.c.chat == chat,
            edits.c.state == State.WAITING_FOR_MASK,
            sa.or_(edits.c.status_message == replied_to, own_photo),
        )
        query = query.order_by(edits.c.number.desc()).limit(1)
        row = await self._database.run(lambda connection: connection.execute(query).mappings().first())
        return edit_of(row) if row else None

    async def correction_for(
        self, chat: int, person: int, *, replied_to: int, photo: str | None, submission: str
    ) -> Edit | None:
        """The newest correction of a cut-out that a painted copy of its photo is meant for, or None.

        Args:
            chat: The chat.
            person: The owner.
            replied_to: Id of the message that the painted copy replies to.
            photo: Unique id of that message's photo; None if it has none.
            submission: Identifies the painted copy. A repeat finds its correction, which no longer waits.
        """
        waits = sa.and_(
            edits.c.state == State.WAITING_FOR_MASK,
            sa.or_(edits.c.status_message == replied_to, edits.c.file_unique_id == photo),
        )
        query = sa.select(*EDIT_COLUMNS).where(
            edits.c.chat == chat, edits.c.person == person, sa.or_(waits, edits.c.mask_key == submission)
        )
        query = query.order_by(edits.c.number.desc()).limit(1)
        row = await self._database.run(lambda connection: connection.execute(query).mappings().first())
        # If a newer /erase of the same photo waits, the painted copy is meant for that one.
        return edit_of(row) if row and row["operation"] == Operation.REMOVE_BACKGROUND else None

    async def pending_of(self, person: int) -> list[Edit]:
        """A person's pending edits, in order."""
        return await self._many(edits.c.person == person, edits.c.state.in_(PENDING_STATES))

    async def not_enqueued(self, limit: int = 1000) -> list[Edit]:
        """Edits that are recorded as queued but not in DBOS's queue yet, in order."""
        return await self._many(edits.c.state == State.QUEUED, edits.c.enqueued.is_(False), limit=limit)

    async def unannounced(self, *, expired_before: float) -> list[Edit]:
        """Unfinished edits without a status message, and without a claim to post one from after this time.

        One of an album has none while it waits behind another one; if the bot asked about the album, until it starts.
        """
        return await self._many(
            edits.c.status_message.is_(None),
            edits.c.album_status.is_(None),
            sa.not_(is_behind_sibling()),
            edits.c.state.in_((*PENDING_STATES, State.WAITING_FOR_MASK)),
            sa.or_(edits.c.status_claimed.is_(None), edits.c.status_claimed < expired_before),
        )

    async def pending_in_order(self, limit: int = 1000) -> list[PendingEdit]:
        """The first `limit` pending edits, in order."""
        columns = (edits.c.id, edits.c.chat, edits.c.person, edits.c.state, edits.c.status_message)
        query = sa.select(*columns).where(edits.c.state.in_(PENDING_STATES)).order_by(edits.c.number).limit(limit)

        def read(connection: sa.Connection) -> list[PendingEdit]:
            rows = connection.execute(query)
            return [PendingEdit(row[0], row[1], row[2], State(row[3]), has_message=row[4] is not None) for row in rows]

        return await self._database.run(read)

    async def place(self, edit: Edit) -> QueuePlace:
        """An edit's place in the queue."""
        return await self._database.run(lambda connection: queue_place(connection, edit))

    async def mask(self, edit_id: str) -> StoredMask | None:
        """The stored mask, or None."""
        query = sa.select(edits.c.mask, edits.c.mask_is_matte).where(edits.c.id == edit_id)
        row = await self._database.run(lambda connection: connection.execute(query).first())
        return StoredMask(bytes(row[0]), bool(row[1])) if row and row[0] is not None else None

    async def _many(self, *where: sa.ColumnElement[bool], limit: int = 1000) -> list[Edit]:
        query = sa.select(*EDIT_COLUMNS).where(*where).order_by(edits.c.number).limit(limit)
        return await self._database.run(
            lambda connection: [edit_of(row) for row in connection.execute(query).mappings()]
        )

    # ── changing ──

    async def change(self, edit_id: str, *, only: tuple[State, ...] | None = None, **values: Any) -> Edit | None:
        """Set columns of an edit; with `only`, just while it is in one of these states.

        Returns:
            The changed edit, or None if nothing was changed.
        """
        where = [edits.c.id == edit_id]
        if only is not None:
            where.append(edits.c.state.in_(only))

        def work(connection: sa.Connection) -> Edit | None:
            update = edits.update().where(*where).values(updated=self._clock(), **values)
            if connection.execute(update).rowcount == 0:
                return None
            return find_edit(connection, edits.c.id == edit_id)

        return await self._database.run(work)

    async def begin(self, edit_id: str) -> tuple[Edit, int] | None:
        """Mark a pending edit as running.

        Returns:
            The edit and how often this attempt was started, or None if the edit is not pending.
        """

        def work(connection: sa.Connection) -> tuple[Edit, int] | None:
            update = (
                edits.update()
                .where(edits.c.id == edit_id, edits.c.state.in_(PENDING_STATES))
                .values(state=State.RUNNING, starts=edits.c.starts + 1, updated=self._clock())
                .returning(edits.c.starts)
            )
            row = connection.execute(update).first()
            edit = find_edit(connection, edits.c.id == edit_id)
            return (edit, int(row[0])) if row and edit else None

        return await self._database.run(work)

    async def cancel(self, edit_id: str, *, keep_objects: bool = False) -> Edit | None:
        """Cancel an edit and drop its mask and objects; None if it is being delivered or has ended.

        It counts for the day, unless nothing was done for it: it had not begun, and no mask was sent for it.

        Args:
            edit_id: Id of the edit.
            keep_objects: Whether the person only went back to the result: "something else" shows the objects again.
        """
        return await self._database.run(
            lambda connection: cancelling.cancel(
                connection, self._limits, edit_id, self._clock(), keep_objects=keep_objects
            )
        )

    async def fail(self, edit_id: str, message_id: str) -> Edit | None:
        """Record that an edit failed, and do not count it for the day; None if it has ended already."""

        def work(connection: sa.Connection) -> Edit | None:
            stoppable = (State.RUNNING, State.QUEUED, State.WAITING_FOR_CHOICE)
            where = (edits.c.id == edit_id, edits.c.state.in_(stoppable))
            values = {"state": State.FAILED, "stage": None, "error": message_id, "updated": self._clock()}
            if connection.execute(edits.update().where(*where).values(**values)).rowcount == 0:
                return None
            daily_quota.give_back(connection, edit_id)
            statistics.count_failed(connection, message_id, self._clock())
            return find_edit(connection, edits.c.id == edit_id)

        return await self._database.run(work)

    async def finish(self, edit_id: str, result: PhotoRef) -> Edit | None:
        """Record that an edit is done, and drop its objects; its mask stays for the buttons under the result."""

        def work(connection: sa.Connection) -> Edit | None:
            now = self._clock()
            asked = sa.select(edits.c.operation, sa.func.coalesce(edits.c.requested, edits.c.created))
            first = connection.execute(asked.where(edits.c.id == edit_id, edits.c.result_file_id.is_(None))).first()
            where = (edits.c.id == edit_id, edits.c.state.in_(PENDING_STATES))
            values: dict[str, Any] = {"state": State.DONE, "stage": None, "updated": now}
            values |= {"result_file_id": result.file_id, "result_unique_id": result.unique_id}
            update = edits.update().where(*where).values(result_as_file=result.as_file, **values)
            if connection.execute(update).rowcount == 0:
                return None
            if first is not None:  # else its result is only shown again
                statistics.count_done(connection, str(first[0]), max(0.0, now - float(first[1])), now)
            delete_objects(connection, edit_id)
            return find_edit(connection, edits.c.id == edit_id)

        return await self._database.run(work)

    async def record_enqueued(self, edit: Edit) -> None:
        """Record that this attempt of the edit is in DBOS's queue."""
        where = (edits.c.id == edit.id, edits.c.attempt == edit.attempt)
        update = edits.update().where(*where).values(enqueued=True)
        await self._database.run(lambda connection: connection.execute(update))


def _default_finish(connection: sa.Connection, request: EditRequest) -> str:
    """What replaces the background if the request does not say it."""
    is_cut_out = request.operation is Operation.REMOVE_BACKGROUND
    return find_settings(connection, request.person).finish if is_cut_out else DEFAULT_FINISH
