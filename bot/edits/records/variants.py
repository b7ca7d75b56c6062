"""The results of one request, and the unfinished edits of their message."""

from __future__ import annotations

import sqlalchemy as sa

from bot.edits.model import PENDING_STATES, Edit, Stage, State, Tries
from bot.edits.records.rows import EDIT_COLUMNS, edit_of
from bot.storage.database import Database
from bot.storage.tables import edits


class VariantRecords:
    """Finds the edits that belong together. All are of one person, so the index of people finds them.

    Args:
        database: Where they are stored.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def root(self, edit: Edit) -> str:
        """The id of the edit that this one is a variant of: its parent's, or its own.

        The parent of an edit that is no variant is the round before, what it corrects, or what it replaces.
        """
        query = sa.select(edits.c.key).where(edits.c.id == edit.id)
        key = await self._database.run(lambda connection: connection.execute(query).scalar_one_or_none())
        is_variant = edit.parent is not None and key is not None and key.startswith(_prefix(edit, edit.parent))
        return edit.parent if is_variant and edit.parent is not None else edit.id

    async def kept(self, edit: Edit) -> list[Edit]:
        """The tries of an edit: the results with its operation, finish and shadow, the oldest first.

        The edit itself is among them even while its delivered result is not recorded yet. Other finishes are not.
        """
        root = await self.root(edit)
        is_variant = sa.and_(edits.c.parent == root, edits.c.key.startswith(_prefix(edit, root), autoescape=True))
        found = await self._many(
            edits.c.person == edit.person,
            edits.c.operation == edit.operation,
            edits.c.finish == edit.finish,
            sa.or_(edits.c.id == root, is_variant),
            sa.or_(edits.c.result_file_id.is_not(None), edits.c.id == edit.id),
        )
        return [variant for variant in found if variant.shadow == edit.shadow]

    async def tries(self, edit: Edit) -> Tries:
        """The place of an edit among its tries."""
        ids = [variant.id for variant in await self.kept(edit)]
        return Tries(ids.index(edit.id) + 1, len(ids)) if edit.id in ids else Tries()

    async def shown_before(self, edit: Edit) -> Edit | None:
        """The result that was shown last in the message of an edit that has replaced it; None if there was none."""
        if edit.status_message is None:
            return None
        others = sa.and_(_same_message(edit), edits.c.id != edit.id, edits.c.result_file_id.is_not(None))
        query = sa.select(*EDIT_COLUMNS).where(others).order_by(edits.c.updated.desc()).limit(1)
        row = await self._database.run(lambda connection: connection.execute(query).mappings().first())
        return edit_of(row) if row else None

    async def shown_in(self, chat: int, message: int, person: int) -> Edit | None:
        """A person's newest edit with a result in a message; None if there is none."""
        where = (edits.c.chat == chat, edits.c.status_message == message, edits.c.person == person)
        # A message shows its picture a moment before that is recorded.
        shows = sa.or_(edits.c.result_file_id.is_not(None), edits.c.stage == Stage.DELIVERING)
        found = await self._many(*where, shows)
        return found[-1] if found else None

    async def unfinished_in_message(self, edit: Edit) -> tuple[list[Edit], list[Edit]]:
        """The edits that are to replace what an edit's message shows, itself included: pending ones, and questions."""
        if edit.status_message is None:
            return [], []
        unfinished = edits.c.state.in_((*PENDING_STATES, State.WAITING_FOR_CHOICE))
        found = await self._many(_same_message(edit), unfinished)
        questions = [other for other in found if other.state is State.WAITING_FOR_CHOICE]
        return [other for other in found if other not in questions], questions

    async def _many(self, *where: sa.ColumnElement[bool]) -> list[Edit]:
        query = sa.select(*EDIT_COLUMNS).where(*where).order_by(edits.c.number)
        return await self._database.run(
            lambda connection: [edit_of(row) for row in connection.execute(query).mappings()]
        )


def _prefix(edit: Edit, root: str) -> str:
    """What the keys of the variants of an edit begin with; see `EditRequest.variant_of`."""
    return f"{root}:{edit.operation}:"


def _same_message(edit: Edit) -> sa.ColumnElement[bool]:
    here = sa.and_(edits.c.chat == edit.chat, edits.c.status_message == edit.status_message)
    return sa.and_(edits.c.person == edit.person, here)
