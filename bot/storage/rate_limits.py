"""Token buckets in a table: rate limits that hold over all processes on one database.

A bucket is one number, the time at which it would be full again, on the database's clock, because the clocks of
machines differ. All requests that a process has waiting are served in one transaction of a few milliseconds.
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
    """Name and size of one token bucket.

    Attributes:
        name: Name of the bucket.
        rate: Tokens per second.
        burst: Tokens that may be taken at once after a pause.
    """

    name: str
    rate: float
    burst: float


@dataclass(slots=True, eq=False)
class _TokenRequest:
    """A request for one token of each of some buckets; `delay` is the answer in seconds."""

    rates: Sequence[TokenRate]
    delay: float | None = None


class SharedRateLimiter:
    """Token buckets that all processes take from.

    Args:
        database: A PostgreSQL.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._requests: list[_TokenRequest] = []
        self._transaction = asyncio.Lock()

    async def take(self, rates: Sequence[TokenRate]) -> float:
        """Take one token of each bucket; returns the seconds to wait until all of them are there."""
        request = _TokenRequest(rates)
        self._requests.append(request)
        try:
            async with self._transaction:
                if request.delay is None:
                    await self._serve_requests()
        finally:
            if request in self._requests:  # cancelled
                self._requests.remove(request)
        assert request.delay is not None
        return request.delay

    async def _serve_requests(self) -> None:
        """Serve all waiting requests in one transaction."""
        requests = list(self._requests)
        steps: dict[str, tuple[float, int]] = {}
        for rate in (rate for request in requests for rate in request.rates):
            steps[rate.name] = (1 / rate.rate, steps.get(rate.name, (0.0, 0))[1] + 1)
        full_in = await self._database.run(lambda connection: self._advance(connection, steps))
        for request in requests:
            request.delay = 0.0
            for rate in request.rates:
                full_in[rate.name] += 1 / rate.rate
                request.delay = max(request.delay, full_in[rate.name] - rate.burst / rate.rate)
        self._requests = [request for request in self._requests if request.delay is None]

    def _advance(self, connection: sa.Connection, steps: dict[str, tuple[float, int]]) -> dict[str, float]:
        """Move each bucket's time of being full.

        Args:
            connection: A connection in a transaction.
            steps: By bucket: the seconds that one token takes, and how many tokens are taken.

        Returns:
            By bucket: in how many seconds it would have been full before.
        """
        now = float(connection.execute(sa.select(NOW)).scalar_one())
        full_in: dict[str, float] = {}
        for name, (step, count) in sorted(steps.items()):  # sorted: two transactions cannot wait for each other
            insert = postgresql.insert(rate_limits).values(name=name, full_at=now + step * count)
            later: Any = sa.func.greatest(rate_limits.c.full_at, now) + step * count
            upsert = insert.on_conflict_do_update(index_elements=[rate_limits.c.name], set_={"full_at": later})
            full_at = float(connection.execute(upsert.returning(rate_limits.c.full_at)).scalar_one())
            full_in[name] = full_at - step * count - now
        return full_in

    async def share(self, rate: TokenRate) -> float:
        """How full a bucket is: 1 full, 0 or less empty."""
        query = sa.select(rate_limits.c.full_at - NOW).where(rate_limits.c.name == rate.name)
        full_in = await self._database.run(lambda connection: connection.execute(query).scalar_one_or_none())
        return 1.0 - max(0.0, float(full_in or 0.0)) * rate.rate / rate.burst

    async def pause(self, rate: TokenRate, seconds: float) -> None:
        """Grant no token of a bucket for the next `seconds`."""
        until = NOW + seconds + (rate.burst - 1) / rate.rate

        def work(connection: sa.Connection) -> None:
            insert = postgresql.insert(rate_limits).values(name=rate.name, full_at=until)
            later = sa.func.greatest(rate_limits.c.full_at, insert.excluded.full_at)
            connection.execute(
                insert.on_conflict_do_update(index_elements=[rate_limits.c.name], set_={"full_at": later})
            )

        await self._database.run(work)
