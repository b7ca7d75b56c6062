"""The objects found in an edit's photo; the person chooses among them by number."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.edits.model import State
from bot.storage.database import Database
from bot.storage.tables import edits, found_objects


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object that was found in a photo.

    Attributes:
        number: 1, 2, …, as the picture shows it.
        matte: PNG of its matte.
        chosen: Whether the person has chosen it.
    """

    number: int
    matte: bytes
    chosen: bool


class FoundObjects:
    """The table of objects. Every method is one transaction and idempotent.

    Args:
        database: Where they are stored.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def replace(self, edit_id: str, mattes: Sequence[bytes]) -> None:
        """Store what was found, numbered from 1 in this order, in place of earlier objects of the edit.

        Does nothing if the edit has been deleted or cancelled.
        """

        def work(connection: sa.Connection) -> None:
            connection.execute(found_objects.delete().where(found_objects.c.edit == edit_id))
            wanted = (edits.c.id == edit_id, edits.c.state != State.CANCELLED)
            if connection.execute(sa.select(edits.c.id).where(*wanted)).first() is None:
                return
            for number, matte in enumerate(mattes, 1):
                connection.execute(
                    found_objects.insert().values(edit=edit_id, number=number, matte=matte, chosen=False)
                )

        await self._database.run(work)

    async def of(self, edit_id: str) -> list[StoredObject]:
        """The objects of an edit, in the order of their numbers."""
        query = sa.select(found_objects).where(found_objects.c.edit == edit_id).order_by(found_objects.c.number)
        return await self._database.run(
            lambda connection: [
                StoredObject(row["number"], bytes(row["matte"]), bool(row["chosen"]))
                for row in connection.execute(query).mappings()
            ]
        )

    async def marked(self, edit_id: str) -> dict[int, bool]:
        """The numbers of an edit's objects, and whether each is chosen."""
        query = (
            sa.select(found_objects.c.number, found_objects.c.chosen)
            .where(found_objects.c.edit == edit_id)
            .order_by(found_objects.c.number)
        )
        return await self._database.run(
            lambda connection: {int(number): bool(chosen) for number, chosen in connection.execute(query)}
        )

    async def mark(self, edit_id: str, number: int, *, chosen: bool) -> None:
        """Set whether one object is chosen."""
        update = (
            found_objects.update()
            .where(found_objects.c.edit == edit_id, found_objects.c.number == number)
            .values(chosen=chosen)
        )
        await self._database.run(lambda connection: connection.execute(update))


def mark_only(connection: sa.Connection, edit_id: str, numbers: Collection[int]) -> None:
    """Choose exactly these objects. Call it in a transaction."""
    theirs = found_objects.update().where(found_objects.c.edit == edit_id)
    connection.execute(theirs.values(chosen=found_objects.c.number.in_(sorted(numbers))))


def delete_orphans(connection: sa.Connection) -> None:
    """Delete the objects of deleted edits. Call it in a transaction."""
    connection.execute(found_objects.delete().where(found_objects.c.edit.not_in(sa.select(edits.c.id))))


def has_objects(connection: sa.Connection, edit_id: str) -> bool:
    """Whether objects are stored for an edit. Call it in a transaction."""
    query = sa.select(found_objects.c.number).where(found_objects.c.edit == edit_id).limit(1)
    return connection.execute(query).first() is not None


def delete_objects(connection: sa.Connection, edit_id: str) -> None:
    """Delete the objects of an ended edit; asked for again, they are found again. Call it in a transaction."""
    connection.execute(found_objects.delete().where(found_objects.c.edit == edit_id))
