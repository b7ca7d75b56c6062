"""Who posts an edit's status message: one at a time, and known as such should a process die over it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto

import sqlalchemy as sa

from bot.edits.model import Edit, Offer, State
from bot.storage.database import Database
from bot.storage.tables import edits, offers

PENDING = (State.QUEUED, State.RUNNING)


class Claim(Enum):
    """Whether one may post an edit's status message."""

    NONE = auto()
    FRESH = auto()
    TAKEN_OVER = auto()
    """Whoever claimed it before died over it, perhaps after posting."""


@dataclass(frozen=True, slots=True)
class Claimed:
    """What came of a claim.

    Attributes:
        claim: Whether one may post.
        after: The id above which the message of a claimant that died is to be looked for.
        position: How many edits are before the claimed one.
    """

    claim: Claim
    after: int
    position: int = 0


def place_in_line(connection: sa.Connection, edit: Edit) -> int:
    """How many edits are before this one: 0 = it is next, or running."""
    query = sa.select(sa.func.count()).select_from(edits)
    before = query.where(edits.c.state.in_(PENDING), edits.c.number < edit.number)
    return int(connection.execute(before).scalar_one())


class Claims:
    """Claims to post status messages. Every method is one transaction and may be repeated without harm.

    Args:
        database: Where they are kept.
        clock: Seconds since the epoch.
    """

    def __init__(self, database: Database, clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock

    async def claim(self, about: Edit | Offer, *, claimed_before: float, after: int) -> Claimed:
        """Take it upon oneself to post a status message or question, unless there is one, or somebody else is at it.

        Args:
            about: Whose.
            claimed_before: Claims from before then (seconds since the epoch) are void.
            after: The highest message id that the claimant knows: what it posts will be above.
        """
        table = edits if isinstance(about, Edit) else offers

        def work(connection: sa.Connection) -> Claimed:
            query = sa.select(table.c.status_claimed, table.c.status_after).where(table.c.id == about.id)
            before = connection.execute(query).first()
            died = before is not None and before[0] is not None
            first = min(after, before[1]) if before is not None and died and before[1] is not None else after
            update = (
                table.update()
                .where(
                    table.c.id == about.id,
                    table.c.status_message.is_(None),
                    sa.or_(table.c.status_claimed.is_(None), table.c.status_claimed < claimed_before),
                )
                .values(status_claimed=self._clock(), status_after=first)
            )
            if connection.execute(update).rowcount == 0:
                return Claimed(Claim.NONE, after)
            position = place_in_line(connection, about) if isinstance(about, Edit) else 0
            return Claimed(Claim.TAKEN_OVER, first, position) if died else Claimed(Claim.FRESH, after, position)

        return await self._database.run(work)

    async def renew(self, about: Edit | Offer) -> None:
        """Say that one is still at it."""
        await self._claimed_at(about, self._clock())

    async def void(self, about: Edit | Offer) -> None:
        """Say that one is not at it any more, and that the message is perhaps there."""
        await self._claimed_at(about, 0.0)

    async def _claimed_at(self, about: Edit | Offer, time: float) -> None:
        table = edits if isinstance(about, Edit) else offers
        where = (table.c.id == about.id, table.c.status_message.is_(None))
        update = table.update().where(*where).values(status_claimed=time)
        await self._database.run(lambda connection: connection.execute(update))

    async def known_messages(self, above: int, upto: int) -> frozenset[int]:
        """The ids of messages within a range that are known to be somebody's: photos and status messages."""

        def work(connection: sa.Connection) -> frozenset[int]:
            found: set[int] = set()
            for column in (edits.c.message, edits.c.status_message, offers.c.message, offers.c.status_message):
                query = sa.select(column).where(column > above, column <= upto)
                found.update(int(row[0]) for row in connection.execute(query))
            return frozenset(found)

        return await self._database.run(work)
