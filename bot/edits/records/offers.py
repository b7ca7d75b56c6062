"""Offers: photos that came without a command, about which the bot asks what to do."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import sqlalchemy as sa

from bot.edits.model import Offer, PhotoRef
from bot.edits.records.rows import offer_of, photo_columns
from bot.storage.database import Database
from bot.storage.tables import offers

ASK_WITHIN = 3600.0
"""Seconds after which a question that could not be posted is not posted any more: the person has gone on."""


class Offers:
    """The table of offers. Every method is one transaction and is idempotent.

    Args:
        database: Where they are kept.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def add(self, person: int, chat: int, message: int, photo: PhotoRef, language: str) -> Offer:
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

    async def get(self, offer_id: str) -> Offer | None:
        """The offer with this id, or None."""
        query = sa.select(offers).where(offers.c.id == offer_id)
        row = await self._database.run(lambda connection: connection.execute(query).mappings().first())
        return offer_of(row) if row else None

    async def without_question(self, *, claimed_before: float) -> list[Offer]:
        """Offers of late whose question is not posted, and that nobody has been posting one for since then."""
        query = sa.select(offers).where(
            offers.c.status_message.is_(None),
            offers.c.created > self._clock() - ASK_WITHIN,
            sa.or_(offers.c.status_claimed.is_(None), offers.c.status_claimed < claimed_before),
        )
        return await self._database.run(
            lambda connection: [offer_of(row) for row in connection.execute(query).mappings()]
        )

    async def set_status_message(self, offer_id: str, status_message: int) -> None:
        """Remember which message shows the offer's buttons."""
        update = offers.update().where(offers.c.id == offer_id).values(status_message=status_message)
        await self._database.run(lambda connection: connection.execute(update))
