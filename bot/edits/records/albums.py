"""Albums that the bot asked about: how far their edits are. A message of the bot shows it."""

from __future__ import annotations

import sqlalchemy as sa

from bot.edits.bare_photos import AlbumCount
from bot.edits.model import PENDING_STATES, Edit, State
from bot.edits.records.rows import EDIT_COLUMNS, edit_of
from bot.storage.database import Database
from bot.storage.tables import edits, offers


class Albums:
    """Reads the edits of albums; an album is known by its chat and the message that counts its answers.

    Args:
        database: Where they are stored.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, chat: int, message: int) -> AlbumCount | None:
        """How far an album's edits are; None if none are stored any more."""

        def work(connection: sa.Connection) -> AlbumCount | None:
            rows = connection.execute(_edits_of(chat, message)).mappings().all()
            of_album = [edit_of(row) for row in rows]
            if not of_album:
                return None
            states = [edit.state for edit in of_album]
            refused = _refused(connection, chat, message, {edit.message for edit in of_album})
            return AlbumCount(
                photos=len(of_album),
                ended=sum(state.is_final for state in states),
                done=states.count(State.DONE),
                language=of_album[-1].language,
                edit=of_album[0].id,
                operation=of_album[0].operation,
                refused=tuple(refused),
                last=next((edit for edit in reversed(of_album) if edit.state in PENDING_STATES), None),
            )

        return await self._database.run(work)

    async def pending(self, chat: int, message: int) -> list[Edit]:
        """An album's edits that have not ended."""
        query = _edits_of(chat, message).where(edits.c.state.in_(PENDING_STATES))
        return await self._database.run(
            lambda connection: [edit_of(row) for row in connection.execute(query).mappings()]
        )


def _edits_of(chat: int, message: int) -> sa.Select[tuple[object, ...]]:
    where = (edits.c.chat == chat, edits.c.album_status == message)
    return sa.select(*EDIT_COLUMNS).where(*where).order_by(edits.c.number)


def _refused(connection: sa.Connection, chat: int, message: int, accepted: set[int]) -> list[str]:
    """Ids of the album's offers that have not become edits."""
    album = sa.select(offers.c.album).where(offers.c.chat == chat, offers.c.status_message == message)
    query = sa.select(offers.c.id, offers.c.message).where(offers.c.chat == chat, offers.c.album.in_(album))
    return [str(row[0]) for row in connection.execute(query.order_by(offers.c.message)) if row[1] not in accepted]
