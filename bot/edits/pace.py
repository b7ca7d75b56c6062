"""How often something may be done, over all processes on one database: token buckets in a table.

Each bucket is one number, the time at which it would be full again, on the database's own clock: machines' clocks
differ. Taking from several buckets is one statement, about a millisecond; so many messages a second as a messenger
allows are nothing to a database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from bot.edits.database import Database
from bot.edits.tables import paces

_NOW = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float(53))


@dataclass(frozen=True, slots=True)
class Rate:
    """One bucket's measure.

    Attributes:
        name: Which bucket.
        rate: Tokens a second.
        burst: Tokens that may be taken at once after a pause.
    """

    name: str
    rate: float
    burst: float


class SharedPace:
    """Buckets that all processes take from.

    Args:
        database: A PostgreSQL.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take(self, rates: Sequence[Rate]) -> float:
        """Take one token of each bucket; returns the seconds to wait until all of them are there."""
        steps = {rate.name: 1 / rate.rate for rate in rates}
        times = await self._database.run(lambda connection: self._advance(connection, steps))
        return max(0.0, *(times[rate.name] - rate.burst / rate.rate for rate in rates))

    def _advance(self, connection: sa.Connection, steps: dict[str, float]) -> dict[str, float]:
        """Let each bucket be full so much later; returns in how many seconds that is."""
        now = float(connection.execute(sa.select(_NOW)).scalar_one())
        found: dict[str, float] = {}
        for name, step in sorted(steps.items()):  # all in one order: two that wait for each other would wait for ever
            insert = postgresql.insert(paces).values(name=name, full_at=now + step)
            later: Any = sa.func.greatest(paces.c.full_at, now) + step
            upsert = insert.on_conflict_do_update(index_elements=[paces.c.name], set_={"full_at": later})
            found[name] = float(connection.execute(upsert.returning(paces.c.full_at)).scalar_one()) - now
        return found

    async def hold(self, rate: Rate, seconds: float) -> None:
        """Let nobody have a token of a bucket before then."""
        until = _NOW + seconds + (rate.burst - 1) / rate.rate

        def work(connection: sa.Connection) -> None:
            insert = postgresql.insert(paces).values(name=rate.name, full_at=until)
            later = sa.func.greatest(paces.c.full_at, insert.excluded.full_at)
            connection.execute(insert.on_conflict_do_update(index_elements=[paces.c.name], set_={"full_at": later}))

        await self._database.run(work)
