"""Bans of people and of chats (negative ids).

A ban is checked twice. `Bans.is_banned` is called for every update and every request of the Mini App, so it does not
read the database. `refuse` is called in the transaction that records an edit, so that no edit is recorded during the
ban, also when another person presses the button.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass

import sqlalchemy as sa
import structlog

from bot.edits.records.rows import upsert
from bot.errors import BotError, PersonError
from bot.storage.database import Database, LockSpace
from bot.storage.tables import bans

log = structlog.get_logger()

REFRESH_SECONDS = 10.0
"""Seconds after which a ban that another process recorded is known here."""

MAX_REASON = 200


@dataclass(frozen=True, slots=True)
class Ban:
    """A ban.

    Attributes:
        person: A Telegram user id, or the negative id of a chat.
        since: Seconds since the epoch.
        reason: The operator's words, if any.
    """

    person: int
    since: float
    reason: str | None


class Bans:
    """The bans.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._known: frozenset[int] = frozenset()

    def is_banned(self, person: int | None) -> bool:
        """Whether a person or chat is banned, as far as this process knows."""
        return person in self._known

    async def load(self, admins: Collection[int] = ()) -> None:
        """Read the bans. Those of admins are lifted: an admin cannot be banned."""

        def work(connection: sa.Connection) -> frozenset[int]:
            if admins:
                connection.execute(bans.delete().where(bans.c.person.in_(admins)))
            return frozenset(int(row[0]) for row in connection.execute(sa.select(bans.c.person)))

        self._known = await self._database.run(work)

    async def watch(self) -> None:
        """Read the bans again and again, until cancelled."""
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.load()
            except BotError as error:
                log.warning("bans_not_read", reason=str(error))
            except Exception:  # the background's boundary
                log.exception("bans_not_read")

    async def ban(self, person: int, reason: str | None) -> None:
        """Ban a person or a chat; a repeat only replaces the reason, if it gives one."""
        now, words = self._clock(), (reason or "")[:MAX_REASON] or None

        def work(connection: sa.Connection) -> None:
            # An edit that is being recorded now is recorded before the ban, and is cancelled with the others.
            self._database.lock_until_commit(connection, LockSpace.PERSON, person)
            changed = {"reason": words} if words else {}
            upsert(connection, bans, {"person": person}, {"since": now, "reason": words}, changed)

        await self._database.run(work)
        self._known |= {person}

    async def lift(self, person: int) -> bool:
        """Lift a ban; returns whether there was one."""
        delete = bans.delete().where(bans.c.person == person)
        lifted = await self._database.run(lambda connection: connection.execute(delete).rowcount > 0)
        self._known -= {person}
        return lifted

    async def listed(self, limit: int) -> tuple[list[Ban], int]:
        """The newest bans, and how many there are."""

        def work(connection: sa.Connection) -> tuple[list[Ban], int]:
            query = sa.select(bans.c.person, bans.c.since, bans.c.reason).order_by(bans.c.since.desc()).limit(limit)
            newest = [Ban(**row) for row in connection.execute(query).mappings()]
            count = int(connection.execute(sa.select(sa.func.count()).select_from(bans)).scalar_one())
            return newest, count

        return await self._database.run(work)


def refuse(connection: sa.Connection, person: int) -> None:
    """Refuse to record something for a banned person or chat.

    Raises:
        PersonError: ``banned``.
    """
    if connection.execute(sa.select(bans.c.person).where(bans.c.person == person)).first() is not None:
        raise PersonError("banned")


def delete_reason(connection: sa.Connection, person: int) -> None:
    """Delete the reason of a ban. The ban itself stays: deleting one's data must not lift it."""
    connection.execute(bans.update().where(bans.c.person == person).values(reason=None))


def follow_chat(connection: sa.Connection, old: int, new: int) -> None:
    """A group that became a supergroup stays banned under its new id."""
    banned = connection.execute(sa.select(bans).where(bans.c.person == old)).mappings().first()
    if banned is not None:
        upsert(connection, bans, {"person": new}, {"since": banned["since"], "reason": banned["reason"]}, {})
