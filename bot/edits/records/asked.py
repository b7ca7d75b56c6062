"""What people asked that is no edit yet: photos without a word (offers), and words without a photo (wishes)."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import sqlalchemy as sa

from bot.edits.model import Offer, Operation, PhotoRef
from bot.edits.records.rows import offer_of, photo_columns
from bot.storage.database import Database
from bot.storage.tables import offers, wishes

ASK_WITHIN = 3600.0
"""Seconds after which a question that could not be posted is not posted any more: the person has gone on."""


class Asked:
    """Offers and wishes. Every method is one transaction and may be repeated without harm.

    Args:
        database: Where they are kept.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    # ── offers ──

    async def add_offer(self, person: int, chat: int, message: int, photo: PhotoRef, language: str) -> Offer:
        """Record that a photo came without a word; the same message again gives the same offer."""
        where = (offers.c.chat == chat, offers.c.message == message)

        def work(connection: sa.Connection) -> Offer:
            row = connection.execute(sa.select(offers).where(*where)).mappings().first()
            if row is None:
                values = {"id": secrets.token_urlsafe(16), "person": person, "chat": chat, "message": message}
                values |= photo_columns(photo) | {"language": language, "created": self._clock()}
                connection.execute(offers.insert().values(**values))
                row = connection.execute(sa.select(offers).where(*where)).mappings().one()
            return offer_of(row)

        return await self._database.run(work)

    async def offer(self, offer_id: str) -> Offer | None:
        """The offer with this id, or None."""
        query = sa.select(offers).where(offers.c.id == offer_id)
        row = await self._database.run(lambda connection: connection.execute(query).mappings().first())
        return offer_of(row) if row else None

    async def unasked(self, *, claimed_before: float) -> list[Offer]:
        """Offers of late whose question is not posted, and that nobody has been posting one for since then."""
        query = sa.select(offers).where(
            offers.c.status_message.is_(None),
            offers.c.created > self._clock() - ASK_WITHIN,
            sa.or_(offers.c.status_claimed.is_(None), offers.c.status_claimed < claimed_before),
        )
        return await self._database.run(
            lambda connection: [offer_of(row) for row in connection.execute(query).mappings()]
        )

    async def set_offer_status(self, offer_id: str, status_message: int) -> None:
        """Remember which message shows the offer's buttons."""
        update = offers.update().where(offers.c.id == offer_id).values(status_message=status_message)
        await self._database.run(lambda connection: connection.execute(update))

    # ── wishes ──

    async def wish(self, chat: int, about: str, operation: Operation, *, seconds: float) -> None:
        """Remember what shall be done with the photo that comes next."""

        def work(connection: sa.Connection) -> None:
            connection.execute(wishes.delete().where(wishes.c.chat == chat, wishes.c.about == about))
            values = {"operation": operation.value, "expires": self._clock() + seconds}
            connection.execute(wishes.insert().values(chat=chat, about=about, **values))

        await self._database.run(work)

    async def wished(self, chat: int, about: str) -> Operation | None:
        """What was wished for and has not expired; the wish stays."""
        query = sa.select(wishes.c.operation).where(
            wishes.c.chat == chat, wishes.c.about == about, wishes.c.expires > self._clock()
        )
        row = await self._database.run(lambda connection: connection.execute(query).first())
        return Operation(row[0]) if row else None

    async def forget_wish(self, chat: int, about: str) -> None:
        """The wish came true."""
        where = (wishes.c.chat == chat, wishes.c.about == about)
        await self._database.run(lambda connection: connection.execute(wishes.delete().where(*where)))
