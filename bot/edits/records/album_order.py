"""Albums with a command: their photos get their status messages one after the other.

An edit *waits silently* while an earlier photo of its album is queued or running: it has no status message yet. Albums
that the bot asked about have a message that counts instead (`albums`).
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, AlbumPlace, Edit, State
from bot.edits.records.cancelling import cancel
from bot.edits.records.limits import EditLimits
from bot.edits.records.rows import EDIT_COLUMNS, edit_of
from bot.storage.database import Database
from bot.storage.tables import edits


def is_behind_sibling() -> sa.ColumnElement[bool]:
    """Whether an edit is queued behind an earlier photo of its album that has not ended."""
    earlier = edits.alias("earlier")
    first = sa.select(earlier.c.number).where(
        earlier.c.chat == edits.c.chat,
        earlier.c.album == edits.c.album,
        earlier.c.number < edits.c.number,
        earlier.c.state.in_(PENDING_STATES),
    )
    return sa.and_(edits.c.state == State.QUEUED, first.exists())


def silent_followers(connection: sa.Connection, edit: Edit, state: State) -> list[Edit]:
    """The photos of an edit's album behind it that have this state and no status message, in order.

    Those behind a later photo with a status message follow that one.
    """
    if edit.album is None or edit.album_status is not None:
        return []
    announced = (*_of_album(edit), edits.c.number > edit.number, edits.c.status_message.is_not(None))
    end = connection.execute(sa.select(sa.func.min(edits.c.number)).where(*announced)).scalar_one()
    behind = (*_silent_of(edit), edits.c.number > edit.number, edits.c.state == state)
    query = sa.select(*EDIT_COLUMNS).where(*behind).order_by(edits.c.number)
    followers = [edit_of(row) for row in connection.execute(query).mappings()]
    return [follower for follower in followers if end is None or follower.number < end]


class AlbumOrder:
    """Which photos of an album have their turn.

    Args:
        database: Where they are stored.
        limits: How many edits may be pending.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, limits: EditLimits, clock: Callable[[], float]) -> None:
        self._database = database
        self._limits = limits
        self._clock = clock

    async def waits_silently(self, edit: Edit) -> bool:
        """Whether an edit gets no status message yet, because an earlier photo of its album has not ended."""
        if edit.album is None or edit.status_message is not None:
            return False
        query = sa.select(edits.c.id).where(edits.c.id == edit.id, is_behind_sibling())
        return await self._database.run(lambda connection: connection.execute(query).first() is not None)

    async def next_after(self, ended: Edit) -> Edit | None:
        """The photo of an ended edit's album that gets its status message now, or None."""
        if ended.album is None:
            return None
        is_next = (*_silent_of(ended), edits.c.state == State.QUEUED, sa.not_(is_behind_sibling()))
        query = sa.select(*EDIT_COLUMNS).where(*is_next).order_by(edits.c.number).limit(1)
        row = await self._database.run(lambda connection: connection.execute(query).mappings().first())
        return edit_of(row) if row else None

    async def place(self, edit: Edit) -> AlbumPlace | None:
        """An edit's place in its album; None if it is the only one, or if another message counts the album."""
        if edit.album is None or edit.album_status is not None:
            return None
        upto = sa.func.sum(sa.case((edits.c.number <= edit.number, 1), else_=0))
        query = sa.select(sa.func.count(), upto).where(edits.c.chat == edit.chat, edits.c.album == edit.album)
        count, number = await self._database.run(lambda connection: connection.execute(query).one())
        return AlbumPlace(int(number), int(count)) if count > 1 else None

    async def cancel(self, edit_id: str) -> list[Edit]:
        """Cancel an edit as `Store.cancel` does, and the later photos of its album that wait silently.

        Returns:
            The cancelled edits, the named one first; none if that one is being delivered or has ended.
        """

        def work(connection: sa.Connection) -> list[Edit]:
            first = cancel(connection, self._limits, edit_id, self._clock())
            if first is None:
                return []
            followers = [
                cancel(connection, self._limits, follower.id, self._clock())
                for follower in silent_followers(connection, first, State.QUEUED)
            ]
            return [first, *(follower for follower in followers if follower is not None)]

        return await self._database.run(work)

    async def cancelled_with(self, edit: Edit) -> list[Edit]:
        """The photos that were cancelled silently with a cancelled edit, in order."""
        return await self._database.run(lambda connection: silent_followers(connection, edit, State.CANCELLED))


def _of_album(edit: Edit) -> tuple[sa.ColumnElement[bool], ...]:
    """The edits of the same album."""
    return edits.c.chat == edit.chat, edits.c.person == edit.person, edits.c.album == edit.album


def _silent_of(edit: Edit) -> tuple[sa.ColumnElement[bool], ...]:
    """The edits of the same album without a status message."""
    return *_of_album(edit), edits.c.status_message.is_(None), edits.c.album_status.is_(None)
