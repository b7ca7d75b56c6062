"""The edits of people who keep no history (`bot.edits.history`)."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, Edit, State, workflow_id
from bot.edits.records.found_objects import delete_orphans
from bot.edits.records.rows import EDIT_COLUMNS, edit_of
from bot.storage.database import Database
from bot.storage.tables import edits, offers, person_settings
from bot.storage.workflow_rows import delete_in_transaction

_ENDED = (State.DONE, State.FAILED, State.CANCELLED)

AT_ONCE = 1000
"""Edits in one look; the rest comes with the next one."""


class History:
    """Finds and deletes ended edits that are not to be kept. Every method is one transaction and idempotent.

    An edit stays while another one of the person works on its photo or its result: the files are in use. What waits for
    the person has not ended.

    Args:
        database: Where they are stored.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unwanted(self, *, older_than: float) -> list[Edit]:
        """The edits that ended before `older_than` (seconds since the epoch), oldest first, `AT_ONCE` at most."""
        query = sa.select(*EDIT_COLUMNS).where(_is_unwanted(older_than)).order_by(edits.c.updated).limit(AT_ONCE)
        return await self._database.run(
            lambda connection: [edit_of(row) for row in connection.execute(query).mappings()]
        )

    async def delete(self, among: Sequence[Edit], *, older_than: float) -> int:
        """Delete the rows of those among these edits, and of their workflows and objects; returns how many edits."""
        columns = (edits.c.id, edits.c.attempt, edits.c.chat, edits.c.message)
        ids = [edit.id for edit in among]
        query = sa.select(*columns).where(edits.c.id.in_(ids), _is_unwanted(older_than))

        def work(connection: sa.Connection) -> int:
            found = connection.execute(query).all()
            workflows = [workflow_id(id_, attempt) for id_, last, *_ in found for attempt in range(1, last + 1)]
            delete_in_transaction(connection, workflows, is_sqlite=self._database.is_sqlite)
            connection.execute(edits.delete().where(edits.c.id.in_([id_ for id_, *_ in found])))
            for chat, message in {(chat, message) for *_, chat, message in found}:
                _delete_answered_offer(connection, chat, message)
            if found:
                delete_orphans(connection)
            return len(found)

        deleted = await self._database.run(work)
        if deleted:
            await self._database.overwrite_deleted()
        return deleted


def _delete_answered_offer(connection: sa.Connection, chat: int, message: int) -> None:
    """Delete the offer of a message's photo, which became an edit, unless another edit of that message is left."""
    is_left = sa.exists(sa.select(edits.c.id).where(edits.c.chat == chat, edits.c.message == message))
    connection.execute(offers.delete().where(offers.c.chat == chat, offers.c.message == message, sa.not_(is_left)))


def _is_unwanted(older_than: float) -> sa.ColumnElement[bool]:
    forgetful = sa.select(person_settings.c.person).where(person_settings.c.keeps_history.is_(False))
    works = edits.alias("works")
    in_use = sa.exists(
        sa.select(works.c.id).where(
            works.c.person == edits.c.person,
            works.c.state.in_(PENDING_STATES),
            works.c.file_unique_id.in_([edits.c.file_unique_id, edits.c.result_unique_id]),
        )
    )
    return sa.and_(
        edits.c.person.in_(forgetful), edits.c.state.in_(_ENDED), edits.c.updated < older_than, sa.not_(in_use)
    )
