"""Queueing recorded edits: again after they ended, or once the person sent the mask or the choice they wait for."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.edits.model import Edit, PhotoRef, State
from bot.edits.records import daily_quota, stored_masks
from bot.edits.records.album_order import silent_followers
from bot.edits.records.found_objects import has_objects, mark_only
from bot.edits.records.limits import EditLimits, check_limits, check_waiting
from bot.edits.records.rows import find_edit
from bot.errors import PersonError
from bot.storage.database import Database, LockSpace
from bot.storage.tables import edits

_STOPPED = (State.FAILED, State.CANCELLED)


@dataclass(frozen=True, slots=True)
class QueuedAgain:
    """What was queued again.

    Attributes:
        edits: The edits, in order; none if the first one could not be.
        refusal: Why some of them could not be.
    """

    edits: list[Edit]
    refusal: PersonError | None = None


class Queueing:
    """Moves edits to the state `QUEUED`. Every method raises what `Store.add` raises if too much is pending.

    Args:
        database: Where the edits are stored.
        limits: How many edits may be pending.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, limits: EditLimits, clock: Callable[[], float]) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    async def retry(self, edit_id: str) -> QueuedAgain:
        """Queue a failed or cancelled edit again; nothing if it is neither.

        With a cancelled one come the later photos of its album that were cancelled silently with it. Of these, a limit
        keeps out the last ones; they stay cancelled.

        A cancelled edit has lost its mask. If only the person can make it again, the edit waits for it instead.
        """

        def work(connection: sa.Connection) -> QueuedAgain:
            before = find_edit(connection, edits.c.id == edit_id)
            first = self._queue_again(connection, edit_id, _STOPPED, counts_today=True)
            if before is None or first is None:
                return QueuedAgain([])
            queued, was_cancelled = [first], before.state is State.CANCELLED
            for follower in silent_followers(connection, before, State.CANCELLED) if was_cancelled else []:
                try:
                    again = self._queue_again(connection, follower.id, _STOPPED, counts_today=True)
                except PersonError as refusal:  # raised before anything is written
                    return QueuedAgain(queued, refusal)
                if again is not None:
                    queued.append(again)
            return QueuedAgain(queued)

        return await self._database.run(work)

    async def show_again(self, edit_id: str) -> Edit | None:
        """Queue an edit that ended, so that its result is shown in its message again; None if it has not ended."""
        return await self._requeue(edit_id, (State.DONE, State.FAILED, State.CANCELLED), counts_today=False)

    async def ask_for_choice_again(self, edit_id: str) -> Edit | None:
        """Queue an edit so that the person chooses among its objects again; None unless it failed or was cancelled.

        It counts for the day if the objects were dropped and must be found again.
        """

        def work(connection: sa.Connection) -> Edit | None:
            ended, are_found = (State.FAILED, State.CANCELLED), has_objects(connection, edit_id)
            queued = self._queue_again(connection, edit_id, ended, counts_today=not are_found, mask=None)
            if queued is not None:
                mark_only(connection, edit_id, ())
            return queued

        return await self._database.run(work)

    async def queue_with_objects(self, edit_id: str, numbers: Collection[int]) -> Edit | None:
        """Queue an edit that waits for a choice, with the objects of these numbers; None if it does not wait."""

        def work(connection: sa.Connection) -> Edit | None:
            queued = self._queue_again(connection, edit_id, (State.WAITING_FOR_CHOICE,))
            if queued is not None:
                limit = self._limits.edits_per_day
                daily_quota.use(connection, limit, queued.person, edit_id, self._clock(), unless_used=True)
                mark_only(connection, edit_id, numbers)
            return queued

        return await self._database.run(work)

    async def queue_with_mask(self, edit_id: str, mask: bytes, submission: str) -> Edit | None:
        """Store a painted mask with an edit that waits for one, and queue it; None if it does not wait.

        Args:
            edit_id: Id of the edit.
            mask: PNG.
            submission: Identifies the submission, so that a repeat is recognised; at most 64 characters.
        """
        return await self._queue_waiting(edit_id, submission, mask=mask, mask_is_matte=False)

    async def queue_with_painted_copy(self, edit_id: str, painted: PhotoRef, submission: str) -> Edit | None:
        """Store a painted copy of the photo in place of a mask; otherwise like `queue_with_mask`."""
        values = {"painted_file_id": painted.file_id, "painted_unique_id": painted.unique_id}
        return await self._queue_waiting(edit_id, submission, **values)

    async def was_submitted_as(self, edit_id: str, submission: str) -> bool:
        """Whether the edit got its mask by this submission."""

        def work(connection: sa.Connection) -> bool:
            where = sa.and_(edits.c.id == edit_id, edits.c.mask_key == submission)
            return connection.execute(sa.select(edits.c.id).where(where)).first() is not None

        return await self._database.run(work)

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
        edit = find_edit(connection, edits.c.id == edit_id)
        if edit is None or edit.state not in only:
            return None
        self._database.lock_until_commit(connection, LockSpace.PERSON, edit.person)
        now = self._clock()
        mask, waits = stored_masks.restore(connection, edit_id)
        if waits:
            check_waiting(connection, self._limits, edit.person)
        else:
            check_limits(connection, self._limits, edit.person, now, counts_today=counts_today)
            if counts_today:
                daily_quota.use(connection, self._limits.edits_per_day, edit.person, edit_id, now)
        if edit.chooses and not edit.has_mask:  # marks of an earlier question do not count
            mark_only(connection, edit_id, ())
        values: dict[str, Any] = {
            "state": State.WAITING_FOR_MASK if waits else State.QUEUED,
            "asks_for_mask": None,
            "stage": None,
            "error": None,
            "starts": 0,
            "enqueued": False,
            "attempt": edits.c.attempt + 1,
            "requested": now,
        }
        where = (edits.c.id == edit_id, edits.c.state.in_(only))
        connection.execute(edits.update().where(*where).values(updated=now, **values, **(mask | changes)))
        return find_edit(connection, edits.c.id == edit_id)

    async def _queue_waiting(self, edit_id: str, submission: str, **values: Any) -> Edit | None:
        def work(connection: sa.Connection) -> Edit | None:
            edit = find_edit(connection, edits.c.id == edit_id)
            if edit is None or edit.state is not State.WAITING_FOR_MASK:
                return None
            self._database.lock_until_commit(connection, LockSpace.PERSON, edit.person)
            now = self._clock()
            check_limits(connection, self._limits, edit.person, now)
            daily_quota.use(connection, self._limits.edits_per_day, edit.person, edit_id, now)
            stored_masks.trim(connection, edit.person)
            where = (edits.c.id == edit_id, edits.c.state == State.WAITING_FOR_MASK)
            changed = {"state": State.QUEUED, "mask_key": submission, "updated": now, "requested": now, **values}
            connection.execute(edits.update().where(*where).values(**changed))
            return find_edit(connection, edits.c.id == edit_id)

        return await self._database.run(work)
