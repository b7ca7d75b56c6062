"""Claims to post an edit's status message or an offer's question: one process at a time.

A claim that expired tells the next process that its holder may have posted the message before it crashed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, auto

import sqlalchemy as sa

from bot.edits.bare_photos import Offer
from bot.edits.model import Edit, State
from bot.edits.records.queue_places import QueuePlace, queue_place
from bot.storage.database import Database
from bot.storage.tables import edits, offers


class ClaimOutcome(Enum):
    """Whether the claimant may post the message."""

    REFUSED = auto()
    """The message is posted, another process holds a claim, or the edit was cancelled."""
    FRESH = auto()
    TAKEN_OVER = auto()
    """An earlier claim expired. Its holder crashed, and may have posted the message."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The answer to a claim.

    Attributes:
        outcome: Whether the claimant may post.
        after: A message that an earlier claimant posted has a higher id than this.
        place: The claimed edit's place in the queue.
    """

    outcome: ClaimOutcome
    after: int
    place: QueuePlace = field(default_factory=QueuePlace)


class Claims:
    """Claims to post status messages and questions.

    Args:
        database: Where they are stored.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, about: Edit | Offer, *, expired_before: float, after: int) -> Claim:
        """Claim to post a status message or a question.

        Args:
            about: What the message is about.
            expired_before: Claims from before this time (seconds since the epoch) are expired.
            after: The highest message id that the claimant knows; the message that it posts gets a higher one.
        """
        table = edits if isinstance(about, Edit) else offers

        def work(connection: sa.Connection) -> Claim:
            query = sa.select(table.c.status_claimed, table.c.status_after).where(table.c.id == about.id)
            earlier = connection.execute(query).first()
            was_claimed = earlier is not None and earlier[0] is not None
            first = min(after, earlier[1]) if earlier is not None and was_claimed and earlier[1] is not None else after
            update = (
                table.update()
                .where(
                    table.c.id == about.id,
                    table.c.status_message.is_(None),
                    edits.c.state != State.CANCELLED if table is edits else sa.true(),
                    sa.or_(table.c.status_claimed.is_(None), table.c.status_claimed < expired_before),
                )
                .values(status_claimed=self._clock(), status_after=first)
            )
            if connection.execute(update).rowcount == 0:
                return Claim(ClaimOutcome.REFUSED, after)
            place = queue_place(connection, about) if isinstance(about, Edit) else QueuePlace()
            if was_claimed:
                return Claim(ClaimOutcome.TAKEN_OVER, first, place)
            return Claim(ClaimOutcome.FRESH, after, place)

        return await self._database.run(work)

    async def renew(self, about: Edit | Offer) -> None:
        """Renew the claim: its holder is still posting."""
        await self._set_claimed(about, self._clock())

    async def expire(self, about: Edit | Offer) -> None:
        """Let the claim expire now. The message may have been posted."""
        await self._set_claimed(about, 0.0)

    async def _set_claimed(self, about: Edit | Offer, time: float) -> None:
        table = edits if isinstance(about, Edit) else offers
        where = (table.c.id == about.id, table.c.status_message.is_(None))
        update = table.update().where(*where).values(status_claimed=time)
        await self._database.run(lambda connection: connection.execute(update))

    async def known_messages(self, above: int, upto: int) -> frozenset[int]:
        """The ids within a range that belong to recorded photos and status messages."""

        def work(connection: sa.Connection) -> frozenset[int]:
            found: set[int] = set()
            for column in (edits.c.message, edits.c.status_message, offers.c.message, offers.c.status_message):
                query = sa.select(column).where(column > above, column <= upto)
                found.update(int(row[0]) for row in connection.execute(query))
            return frozenset(found)

        return await self._database.run(work)
