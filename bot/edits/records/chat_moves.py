"""Follows a group that became a supergroup: everything that is stored about it gets the new chat's id.

Message ids of the old chat mean nothing in the new one (docs/telegram.md#supergroups), so status messages are posted
again where an edit has not ended.
"""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa
import structlog

from bot.edits.model import State
from bot.edits.records import bans, person_settings
from bot.storage.database import Database
from bot.storage.tables import edits, offers, pending_commands

log = structlog.get_logger()

NO_MESSAGE = 0
"""Stands for the message that an edit replies to, once its chat has moved."""


class ChatMoves:
    """Moves what is stored from one chat to another.

    Args:
        database: Where it is stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def follow(self, old: int, new: int) -> None:
        """Move everything from the old chat to the new one, in one transaction; a repeat changes nothing."""
        if await self._database.run(lambda connection: self._follow(connection, old, new)):
            log.info("chat_moved", old=old, new=new)

    def _follow(self, connection: sa.Connection, old: int, new: int) -> int:
        asks = sa.and_(edits.c.chat == old, edits.c.state == State.WAITING_FOR_CHOICE)
        connection.execute(  # the numbered picture was in the old chat: it is shown again
            edits.update()
            .where(asks)
            .values(state=State.QUEUED, stage=None, starts=0, enqueued=False, attempt=edits.c.attempt + 1)
        )
        place = {"chat": new, "message": NO_MESSAGE, "status_message": None, "status_claimed": None, "thread": None}
        moved = connection.execute(
            edits.update().where(edits.c.chat == old).values(**place, status_after=None, updated=self._clock())
        ).rowcount
        for table in (edits, offers):  # what an anonymous admin asked for belongs to the group
            connection.execute(table.update().where(table.c.person == old).values(person=new))
        person_settings.follow_chat(connection, old, new)
        bans.follow_chat(connection, old, new)
        waiting = connection.execute(sa.select(pending_commands).where(pending_commands.c.chat == old)).mappings().all()
        connection.execute(pending_commands.delete().where(pending_commands.c.chat == old))
        for row in waiting:
            about = f"person:{new}" if row["about"] == f"person:{old}" else row["about"]
            where = (pending_commands.c.chat == new, pending_commands.c.about == about)
            if connection.execute(sa.select(pending_commands.c.chat).where(*where)).first() is None:
                connection.execute(pending_commands.insert().values(**{**row, "chat": new, "about": about}))
        return moved + len(waiting)
