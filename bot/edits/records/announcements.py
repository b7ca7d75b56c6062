"""Announcements of the admins, and their recipients.

Each person gets an announcement at most once. A recipient is claimed in its own transaction before the message is
sent, and is never claimed again; the outcome is recorded afterwards. If the process is killed between the two, it is
unknown whether Telegram accepted the message: this recipient is counted as unclear and gets no second message. When the
outcome is known, the recipient's row is deleted and only counted.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from enum import StrEnum

import sqlalchemy as sa

from bot.edits.records.people import KEEP_SECONDS
from bot.storage.database import Database
from bot.storage.tables import announcement_recipients as recipients
from bot.storage.tables import announcements, bans, people

CLAIM_SECONDS = 60.0
"""An older claim of another process is left over from a crash: sending a message takes 30 s at most."""


class AnnouncementState(StrEnum):
    """The state of an announcement."""

    DRAFT = "draft"
    """The admin has not decided yet."""
    SENDING = "sending"
    STOPPING = "stopping"
    """The admin has stopped it; the panel does not say so yet."""
    ENDED = "ended"


class Outcome(StrEnum):
    """The outcome of one message. The values are the names of the columns that count them."""

    SENT = "sent"
    BLOCKED = "blocked"
    FAILED = "failed"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Announcement:
    """An announcement.

    Attributes:
        number: Its number.
        chat: Private chat of the admin who announces.
        message: Id of the admin's command.
        copied: Id of the message in that chat that is copied; None: `text` is sent.
        text: The text.
        language: The admin's language.
        state: The state.
        panel: Id of the message that shows the progress.
        total: How many people get it.
        sent: How many got it.
        blocked: How many have blocked the bot.
        failed: How many did not get it for another reason.
        unclear: For how many it is unknown.
    """

    number: int
    chat: int
    message: int
    copied: int | None
    text: str | None
    language: str
    state: AnnouncementState
    panel: int | None
    total: int
    sent: int
    blocked: int
    failed: int
    unclear: int

    @property
    def done(self) -> int:
        """How many people have an outcome."""
        return self.sent + self.blocked + self.failed + self.unclear


_COLUMNS = [announcements.c[field.name] for field in fields(Announcement)]


class Announcements:
    """The recorded announcements.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def draft(
        self, chat: int, message: int, *, copied: int | None, text: str | None, language: str
    ) -> Announcement:
        """Record what an admin wants to announce; a repeat of the command finds the same announcement."""

        def work(connection: sa.Connection) -> Announcement:
            key = (announcements.c.chat == chat, announcements.c.message == message)
            known = _find(connection, *key)
            if known is not None:
                return known
            counts = dict.fromkeys(("total", "sent", "blocked", "failed", "unclear"), 0)
            values = {"copied": copied, "text": text, "language": language, "created": self._clock(), **counts}
            insert = announcements.insert().values(chat=chat, message=message, state=AnnouncementState.DRAFT, **values)
            connection.execute(insert)
            added = _find(connection, *key)
            assert added is not None
            return added

        return await self._database.run(work)

    async def get(self, number: int) -> Announcement | None:
        """The announcement with this number, or None."""
        return await self._database.run(lambda connection: _find(connection, announcements.c.number == number))

    async def count_people(self, admin: int, allowed: Collection[int]) -> int:
        """How many people an announcement would reach now. See `start`."""
        query = sa.select(sa.func.count()).select_from(people).where(*self._reached(admin, allowed))
        return await self._database.run(lambda connection: int(connection.execute(query).scalar_one()))

    async def start(self, number: int, panel: int, allowed: Collection[int]) -> Announcement | None:
        """Begin to send a draft to all who wrote to the bot in private in the last 30 days, but not to its author.

        Args:
            number: Number of the announcement.
            panel: The message that shows the progress.
            allowed: The ids that may use the bot; empty: all.

        Returns:
            The announcement, which may have been started before; None: it does not exist.
        """

        def work(connection: sa.Connection) -> Announcement | None:
            where = (announcements.c.number == number, announcements.c.state == AnnouncementState.DRAFT)
            started = announcements.update().where(*where).values(state=AnnouncementState.SENDING, panel=panel)
            if connection.execute(started).rowcount:
                found = _find(connection, announcements.c.number == number)
                assert found is not None
                query = sa.select(sa.literal(number), people.c.person).where(*self._reached(found.chat, allowed))
                added = connection.execute(recipients.insert().from_select(["announcement", "person"], query)).rowcount
                connection.execute(announcements.update().where(announcements.c.number == number).values(total=added))
            return _find(connection, announcements.c.number == number)

        return await self._database.run(work)

    def _reached(self, admin: int, allowed: Collection[int]) -> list[sa.ColumnElement[bool]]:
        reached = [
            people.c.last_private > self._clock() - KEEP_SECONDS,
            people.c.blocked.is_(None),
            people.c.person != admin,
            people.c.person.not_in(sa.select(bans.c.person)),
        ]
        return [*reached, people.c.person.in_(allowed)] if allowed else reached

    async def under_way(self) -> list[Announcement]:
        """The announcements that are being sent or stopped, in order."""
        states = (AnnouncementState.SENDING, AnnouncementState.STOPPING)
        query = sa.select(*_COLUMNS).where(announcements.c.state.in_(states)).order_by(announcements.c.number)
        return await self._database.run(
            lambda connection: [_announcement(row) for row in connection.execute(query).mappings()]
        )

    async def claim(self, number: int) -> int | None:
        """The next person to send an announcement to; None: no one is left, or it was stopped."""

        def work(connection: sa.Connection) -> int | None:
            # Locked: "stop" happens before the claim or after it.
            where = (announcements.c.number == number, announcements.c.state == AnnouncementState.SENDING)
            if connection.execute(sa.select(announcements.c.number).where(*where).with_for_update()).first() is None:
                return None
            waiting = sa.select(recipients.c.person).where(
                recipients.c.announcement == number, recipients.c.claimed.is_(None)
            )
            person = connection.execute(waiting.order_by(recipients.c.person).limit(1)).scalar_one_or_none()
            if person is None:
                return None
            update = recipients.update().where(recipients.c.announcement == number, recipients.c.person == person)
            connection.execute(update.values(claimed=self._clock()))
            return int(person)

        return await self._database.run(work)

    async def unclaim(self, number: int, person: int) -> None:
        """Return a claim: Telegram has not accepted the message, so it can be sent later."""
        update = recipients.update().where(recipients.c.announcement == number, recipients.c.person == person)
        await self._database.run(lambda connection: connection.execute(update.values(claimed=None)))

    async def record(self, number: int, person: int, outcome: Outcome) -> None:
        """Record the outcome for a claimed person, once."""

        def work(connection: sa.Connection) -> None:
            delete = recipients.delete().where(recipients.c.announcement == number, recipients.c.person == person)
            if connection.execute(delete.where(recipients.c.claimed.is_not(None))).rowcount:
                _add(connection, number, outcome, 1)

        await self._database.run(work)

    async def count_abandoned(self, number: int, *, alone: bool) -> int:
        """Count the claims of a killed process as unclear.

        Args:
            number: Number of the announcement.
            alone: Whether no other process can be sending it now.

        Returns:
            How many claims are left, which another process may be working on.
        """

        def work(connection: sa.Connection) -> int:
            claimed = (recipients.c.announcement == number, recipients.c.claimed.is_not(None))
            old = [] if alone else [recipients.c.claimed < self._clock() - CLAIM_SECONDS]
            abandoned = connection.execute(recipients.delete().where(*claimed, *old)).rowcount
            if abandoned:
                _add(connection, number, Outcome.UNCLEAR, abandoned)
            return int(connection.execute(sa.select(sa.func.count()).where(*claimed)).scalar_one())

        return await self._database.run(work)

    async def stop(self, number: int) -> None:
        """Stop sending; drop a draft."""

        def work(connection: sa.Connection) -> None:
            for before, values in (
                (AnnouncementState.SENDING, {"state": AnnouncementState.STOPPING}),
                (AnnouncementState.DRAFT, {"state": AnnouncementState.ENDED, "text": None}),
            ):
                where = (announcements.c.number == number, announcements.c.state == before)
                connection.execute(announcements.update().where(*where).values(values))

        await self._database.run(work)

    async def finish(self, number: int) -> None:
        """Record the end, and delete the text and the remaining recipients."""

        def work(connection: sa.Connection) -> None:
            values = {"state": AnnouncementState.ENDED, "text": None}
            connection.execute(announcements.update().where(announcements.c.number == number).values(**values))
            connection.execute(recipients.delete().where(recipients.c.announcement == number))

        await self._database.run(work)


def delete_person(connection: sa.Connection, person: int) -> None:
    """Delete a person from all recipients, and the announcements of an admin, also one that is being sent."""
    connection.execute(recipients.delete().where(recipients.c.person == person))
    _delete(connection, announcements.c.chat == person)


def delete_old(connection: sa.Connection, older_than: float, now: float) -> None:
    """Delete the announcements that ended, or were never sent, and were made before `older_than`."""
    can_be_skipped = announcements.c.state.in_((AnnouncementState.DRAFT, AnnouncementState.ENDED))
    is_old = sa.and_(can_be_skipped, announcements.c.created < older_than)
    _delete(connection, sa.or_(is_old, announcements.c.created < now - KEEP_SECONDS))


def _delete(connection: sa.Connection, where: sa.ColumnElement[bool]) -> None:
    connection.execute(
        recipients.delete().where(recipients.c.announcement.in_(sa.select(announcements.c.number).where(where)))
    )
    connection.execute(announcements.delete().where(where))


def _add(connection: sa.Connection, number: int, outcome: Outcome, count: int) -> None:
    column = announcements.c[outcome.value]
    connection.execute(
        announcements.update().where(announcements.c.number == number).values({outcome.value: column + count})
    )


def _find(connection: sa.Connection, *where: sa.ColumnElement[bool]) -> Announcement | None:
    row = connection.execute(sa.select(*_COLUMNS).where(*where)).mappings().first()
    return _announcement(row) if row else None


def _announcement(row: sa.RowMapping) -> Announcement:
    return Announcement(**{**row, "state": AnnouncementState(row["state"])})
