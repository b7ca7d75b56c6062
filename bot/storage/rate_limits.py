"""How often something may be done, over all processes on one database: token buckets in a table.

Each bucket is one number, the time at which it would be full again, on the database's own clock: machines' clocks
differ. All that a process wants at one time is taken in one transaction of a few milliseconds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from bot.storage.database import NOW, Database
from bot.storage.tables import rate_limits


@dataclass(frozen=True, slots=True)
class TokenRate:
    """One bucket's measure.

    Attributes:
        name: Which bucket.
        rate: Tokens a second.
        burst: Tokens that may be taken at once after a pause.
    """

    name: str
    rate: float
    burst: float


@dataclass(slots=True, eq=False)
class _Wish:
    """Tokens that somebody waits for."""

    rates: Sequence[TokenRate]
    granted: float | None = None


class SharedRateLimiter:
    """Buckets that all processes take from.

    Args:
        database: A PostgreSQL.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._wishes: list[_Wish] = []
        self._turn = asyncio.Lock()

    async def take(self, rates: Sequence[TokenRate]) -> float:
        """Take one token of each bucket; returns the seconds to wait until all of them are there."""
        wish = _Wish(rates)
        self._wishes.append(wish)
        try:
            async with self._turn:
                if wish.granted is None:
                    await self._grant()  # all that came meanwhile, in one transaction
        finally:
            if wish in self._wishes:  # cancelled
                self._wishes.remove(wish)
        assert wish.granted is not None
        return wish.granted

    async def _grant(self) -> None:
        wishes = list(self._wishes)
        steps: dict[str, tuple[float, int]] = {}
        for rate in (rate for wish in wishes for rate in wish.rates):
            steps[rate.name] = (1 / rate.rate, steps.get(rate.name, (0.0, 0))[1] + 1)
        before = await self._database.run(lambda connection: self._advance(connection, steps))
        for wish in wishes:
            wish.granted = 0.0
            for rate in wish.rates:
                before[rate.name] += 1 / rate.rate
                wish.granted = max(wish.granted, before[rate.name] - rate.burst / rate.rate)
        self._wishes = [wish for wish in self._wishes if wish.granted is None]

    def _advance(self, connection: sa.Connection, steps: dict[str, tuple[float, int]]) -> dict[str, float]:
        """Let each bucket be full by so many steps later; returns in how many seconds it would have been before."""
        now = float(connection.execute(sa.select(NOW)).scalar_one())
        found: dict[str, float] = {}
        for name, (step, count) in sorted(steps.items()):  # in one order: else two could wait for each other for ever
            insert = postgresql.insert(rate_limits).values(name=name, full_at=now + step * count)
            later: Any = sa.func.greatest(rate_limits.c.full_at, now) + step * count
            upsert = insert.on_conflict_do_update(index_elements=[rate_limits.c.name], set_={"full_at": later})
            full_at = float(connection.execute(upsert.returning(rate_limits.c.full_at)).scalar_one())
            found[name] = full_at - step * count - now
        return found

    async def pause(self, rate: TokenRate, seconds: float) -> None:
        """Let nobody have a token of a bucket before then."""
        until = NOW + seconds + (rate.burst - 1) / rate.rate

        def work(connection: sa.Connection) -> None:
            insert = postgresql.insert(rate_limits).values(name=rate.name, full_at=until)
            later = sa.func.greatest(rate_limits.c.full_at, insert.excluded.full_at)
            connection.execute(
                insert.on_conflict_do_update(index_elements=[rate_limits.c.name], set_={"full_at": later})
            )

        await self._database.run(work)
