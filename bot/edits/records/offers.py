"""Offers: photos that came without a command; the bot asks what to do with each."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa

from bot.edits.bare_photos import BarePhoto, Offer
from bot.edits.records.pending_commands import ALBUM_SECONDS
from bot.edits.records.rows import may_be_id, offer_of, photo_columns
from bot.storage.database import Database
from bot.storage.tables import offers

MAX_PER_PERSON = 50
"""Offers of one person that wait for an answer."""

ASK_WITHIN = 3600.0
"""Age in seconds up to which a missing question is still posted; later it would only surprise the person."""


class Offers:
    """The table of offers. Every method is one transaction and idempotent.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
        check_room: Raises a PersonError if the disk has no room for further offers.
    """

    def __init__(self, database: Database, clock: Callable[[], float], check_room: Callable[[], None]) -> None:
        self._database = database
        self._clock = clock
        self._check_room = check_room

    async def add(self, bare: BarePhoto, *, silent: bool = False) -> Offer:
        """Record a photo that came without a command; the same message again gives the same offer.

        One question is asked about an album. The offers of its other photos are silent.

        Beyond `MAX_PER_PERSON` the person's oldest offers are deleted; their buttons answer that they are too old.

        Args:
            bare: The photo.
            silent: Whether no question is asked yet. In a group such an offer lasts `ALBUM_SECONDS`.

        Raises:
            PersonError: ``storage-full``.
        """
        where = (offers.c.chat == bare.chat, offers.c.message == bare.message)

        def work(connection: sa.Connection) -> Offer:
            row = connection.execute(sa.select(offers).where(*where)).mappings().first()
            if row is None:
                self._check_room()
                self._delete_surplus(connection, bare.person)
                now = self._clock()
                over = (offers.c.silent.is_(True), offers.c.chat < 0, offers.c.created < now - ALBUM_SECONDS)
                connection.execute(offers.delete().where(*over))
                is_silent = silent or _is_asked_about(connection, bare)
                values: dict[str, Any] = {"id": secrets.token_urlsafe(16), "created": now, "silent": is_silent}
                for name in ("person", "chat", "message", "language", "album", "thread"):
                    values[name] = getattr(bare, name)
                connection.execute(offers.insert().values(**values, **photo_columns(bare.photo)))
                row = connection.execute(sa.select(offers).where(*where)).mappings().one()
            return offer_of(row)

        return await self._database.run(work)

    def _delete_surplus(self, connection: sa.Connection, person: int) -> None:
        """Make room for one more offer of the person."""
        newest = sa.select(offers.c.id).where(offers.c.person == person)
        newest = newest.order_by(offers.c.created.desc(), offers.c.message.desc()).limit(MAX_PER_PERSON - 1)
        kept = [str(row[0]) for row in connection.execute(newest)]
        if len(kept) == MAX_PER_PERSON - 1:
            connection.execute(offers.delete().where(offers.c.person == person, offers.c.id.not_in(kept)))

    async def get(self, offer_id: str) -> Offer | None:
        """The offer with this id, or None."""
        if not may_be_id(offer_id):
            return None
        query = sa.select(offers).where(offers.c.id == offer_id)
        row = await self._database.run(lambda connection: connection.execute(query).mappings().first())
        return offer_of(row) if row else None

    async def without_question(self, *, expired_before: float) -> list[Offer]:
        """Recent offers without a question, and without a claim to post one from after this time."""
        query = sa.select(offers).where(
            offers.c.status_message.is_(None),
            offers.c.silent.is_not(True),
            offers.c.created > self._clock() - ASK_WITHIN,
            sa.or_(offers.c.status_claimed.is_(None), offers.c.status_claimed < expired_before),
        )
        return await self._database.run(
            lambda connection: [offer_of(row) for row in connection.execute(query).mappings()]
        )

    async def set_status_message(self, offer_id: str, status_message: int) -> bool:
        """Store the id of the message with the offer's buttons; returns whether the offer still exists."""
        update = offers.update().where(offers.c.id == offer_id).values(status_message=status_message)
        return await self._database.run(lambda connection: connection.execute(update).rowcount > 0)

    async def of_album(self, chat: int, person: int, album: str) -> list[Offer]:
        """A person's offers of one album, in the order of their messages."""
        where = (offers.c.chat == chat, offers.c.person == person, offers.c.album == album)
        query = sa.select(offers).where(*where).order_by(offers.c.message)
        return await self._database.run(
            lambda connection: [offer_of(row) for row in connection.execute(query).mappings()]
        )

    async def asked_of_album(self, chat: int, album: str) -> tuple[Offer | None, int]:
        """The offer whose question is asked about an album, if there is one, and how many photos the album has."""

        def work(connection: sa.Connection) -> tuple[Offer | None, int]:
            where = (offers.c.chat == chat, offers.c.album == album)
            query = sa.select(offers).where(*where).order_by(offers.c.message)
            of_album = [offer_of(row) for row in connection.execute(query).mappings()]
            return next((offer for offer in of_album if not offer.silent), None), len(of_album)

        return await self._database.run(work)

    async def ask_after_all(self, chat: int, message: int, status_message: int | None) -> Offer | None:
        """Let a silent offer have its question, in a message that is posted already, if there is one.

        Returns:
            The offer; None if it does not exist any more.
        """
        where = (offers.c.chat == chat, offers.c.message == message)

        def work(connection: sa.Connection) -> Offer | None:
            connection.execute(offers.update().where(*where).values(silent=False, status_message=status_message))
            row = connection.execute(sa.select(offers).where(*where)).mappings().first()
            return offer_of(row) if row else None

        return await self._database.run(work)

    async def delete(self, offer_id: str) -> int | None:
        """Delete an offer that became an edit.

        Returns:
            The id of the message with its question, as it is at this moment; None if no question was posted.
        """
        delete = offers.delete().where(offers.c.id == offer_id).returning(offers.c.status_message)
        return await self._database.run(lambda connection: connection.execute(delete).scalar())


def _is_asked_about(connection: sa.Connection, bare: BarePhoto) -> bool:
    """Whether another photo of the album has the question already."""
    if bare.album is None:
        return False
    where = (offers.c.chat == bare.chat, offers.c.person == bare.person, offers.c.album == bare.album)
    query = sa.select(offers.c.id).where(*where, offers.c.silent.is_not(True))
    return connection.execute(query).first() is not None
