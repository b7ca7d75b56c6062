"""The things found in an edit's photo, for the person to choose from by number. One transaction a method."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from bot.storage.database import Database
from bot.storage.tables import edits, things


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing that was found.

    Attributes:
        number: 1, 2, …, as the picture shows it.
        matte: PNG of its matte.
        chosen: Whether the person has chosen it.
    """

    number: int
    matte: bytes
    chosen: bool


class Things:
    """The table of things.

    Args:
        database: Where they are kept.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, edit_id: str, mattes: Sequence[bytes]) -> None:
        """Remember what was found, numbered from 1 in this order; what was kept for the edit before is replaced.

        Nothing is kept for an edit that was deleted meanwhile.
        """

        def work(connection: sa.Connection) -> None:
            connection.execute(things.delete().where(things.c.edit == edit_id))
            if connection.execute(sa.select(edits.c.id).where(edits.c.id == edit_id)).first() is None:
                return
            for number, matte in enumerate(mattes, 1):
                connection.execute(things.insert().values(edit=edit_id, number=number, matte=matte, chosen=False))

        await self._database.run(work)

    async def of(self, edit_id: str) -> list[Thing]:
        """What was found in the edit's photo, in the order of the numbers."""
        query = sa.select(things).where(things.c.edit == edit_id).order_by(things.c.number)
        return await self._database.run(
            lambda connection: [
                Thing(row["number"], bytes(row["matte"]), bool(row["chosen"]))
                for row in connection.execute(query).mappings()
            ]
        )

    async def marked(self, edit_id: str) -> dict[int, bool]:
        """The numbers of what was found, and whether each is chosen."""
        query = sa.select(things.c.number, things.c.chosen).where(things.c.edit == edit_id).order_by(things.c.number)
        return await self._database.run(
            lambda connection: {int(number): bool(chosen) for number, chosen in connection.execute(query)}
        )

    async def mark(self, edit_id: str, number: int, *, chosen: bool) -> None:
        """Choose one more thing, or one less."""
        update = things.update().where(things.c.edit == edit_id, things.c.number == number).values(chosen=chosen)
        await self._database.run(lambda connection: connection.execute(update))


def mark_only(connection: sa.Connection, edit_id: str, numbers: Collection[int]) -> None:
    """Choose these things and no others, within a transaction."""
    theirs = things.update().where(things.c.edit == edit_id)
    connection.execute(theirs.values(chosen=things.c.number.in_(sorted(numbers))))


def delete_orphans(connection: sa.Connection) -> int:
    """Delete the things of edits that are gone, within a transaction; returns how many."""
    return connection.execute(things.delete().where(orphaned())).rowcount


def orphaned() -> sa.ColumnElement[bool]:
    """Whether a thing's edit is gone."""
    return things.c.edit.not_in(sa.select(edits.c.id))
