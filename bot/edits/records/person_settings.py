"""The table of people's settings: a row for each person who has changed one, until they delete their data."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from bot.edits.finishes import FINISHES
from bot.edits.model import Operation
from bot.edits.person_settings import NOTHING_CHOSEN, Delivery, PersonSettings
from bot.storage.database import Database, LockSpace
from bot.storage.tables import edits, offers, person_settings

MAX_KNOWN, KNOWN_SECONDS = 10_000, 60.0
"""Settings that are cached, and for how many seconds. One query reads them all: a query for each person would double
the cost of handling a text. A change by another process is seen after this time."""

_BARE_OPERATIONS = (Operation.REMOVE_SUBJECT, Operation.REMOVE_BACKGROUND)


class PeopleSettings:
    """Reads and changes settings. Every method is one transaction and idempotent.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._known: dict[int, PersonSettings] = {}
        """By person: the settings of those who changed some, the last `MAX_KNOWN` at most."""
        self._known_until = 0.0
        self._reading = asyncio.Lock()

    async def get_remembered(self, person: int) -> PersonSettings:
        """The settings as this process knows them: changes by this process are seen at once."""
        async with self._reading:
            if self._known_until <= self._clock():
                # Set before the read, so that a change during the read resets it.
                self._known_until = self._clock() + KNOWN_SECONDS
                try:
                    self._known = await self._database.run(_newest)
                except BaseException:
                    self._known_until = 0.0
                    raise
        if person in self._known or len(self._known) < MAX_KNOWN:
            return self._known.get(person, NOTHING_CHOSEN)
        return await self.get(person)

    def invalidate(self) -> None:
        """Read the settings again the next time: some were changed or deleted."""
        self._known_until = 0.0

    async def get(self, person: int) -> PersonSettings:
        """The settings of a person, or of a chat in whose name is asked."""
        return await self._database.run(lambda connection: find_settings(connection, person))

    async def change(self, person: int, **values: Any) -> PersonSettings:
        """Change some settings and leave the others; returns all.

        Args:
            person: Id of the owner.
            values: Attributes of `PersonSettings`.
        """
        try:
            return await self._database.run(lambda connection: self._change(connection, person, values))
        finally:
            self.invalidate()

    async def change_language(self, person: int, language: str | None, *, shown: str) -> PersonSettings:
        """Change the language, also of the edits and questions that are in the chat already.

        A message that is just being posted keeps its language: if the process crashes now, it is searched for by its
        buttons (`bot.chat.api.posting`).

        Args:
            person: Id of the owner.
            language: The language code; None: automatic.
            shown: The language code that this means at present.
        """

        def work(connection: sa.Connection) -> PersonSettings:
            for table in (edits, offers):
                is_posted = sa.and_(table.c.person == person, table.c.status_message.is_not(None))
                connection.execute(table.update().where(is_posted).values(language=shown))
            return self._change(connection, person, {"language": language})

        try:
            return await self._database.run(work)
        finally:
            self.invalidate()

    def _change(self, connection: sa.Connection, person: int, values: dict[str, Any]) -> PersonSettings:
        self._database.lock_until_commit(connection, LockSpace.PERSON, person)
        changed = {"changed": self._clock(), **values}
        update = person_settings.update().where(person_settings.c.person == person).values(**changed)
        if connection.execute(update).rowcount == 0:
            connection.execute(person_settings.insert().values(person=person, **changed))
        return find_settings(connection, person)


def find_settings(connection: sa.Connection, person: int) -> PersonSettings:
    """A person's settings; what is not chosen, or is unknown to this version of the program, has its default."""
    row = connection.execute(sa.select(person_settings).where(person_settings.c.person == person)).mappings().first()
    return NOTHING_CHOSEN if row is None else _settings_of(row)


def _newest(connection: sa.Connection) -> dict[int, PersonSettings]:
    """The settings of the `MAX_KNOWN` people who changed theirs last."""
    query = sa.select(person_settings).order_by(person_settings.c.changed.desc()).limit(MAX_KNOWN)
    return {int(row["person"]): _settings_of(row) for row in connection.execute(query).mappings()}


def _settings_of(row: sa.RowMapping) -> PersonSettings:
    return PersonSettings(
        language=row["language"],
        finish=row["finish"] if row["finish"] in FINISHES else NOTHING_CHOSEN.finish,
        delivery=Delivery(row["delivery"]) if row["delivery"] in set(Delivery) else NOTHING_CHOSEN.delivery,
        bare_photos=Operation(row["bare_photos"]) if row["bare_photos"] in _BARE_OPERATIONS else None,
        keeps_history=row["keeps_history"] is not False,
    )


def follow_chat(connection: sa.Connection, old: int, new: int) -> None:
    """Give a group's settings to the supergroup that it became; if that has some already, they stay."""
    has_own = sa.exists(sa.select(person_settings.c.person).where(person_settings.c.person == new))
    if connection.execute(sa.select(has_own)).scalar():
        connection.execute(person_settings.delete().where(person_settings.c.person == old))
    else:
        connection.execute(person_settings.update().where(person_settings.c.person == old).values(person=new))
