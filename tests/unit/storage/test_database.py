"""Work that shares a SQLite transaction succeeds or fails independently."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.storage.database import Database
from bot.storage.tables import pending_commands


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    yield database
    await database.close()


def insert(number: int, *, fails: bool = False) -> object:
    def work(connection: sa.Connection) -> int:
        connection.execute(pending_commands.insert().values(chat=number, about="a", operation="erase", expires=1.0))
        if fails:
            raise ValueError(number)
        return number

    return work


async def count(database: Database) -> int:
    return await database.run(
        lambda c: c.execute(sa.select(sa.func.count()).select_from(pending_commands)).scalar_one()
    )


async def test_a_failure_does_not_affect_other_work_in_the_transaction(database: Database) -> None:
    works = [database.run(insert(number, fails=number % 5 == 0)) for number in range(40)]
    outcomes = await asyncio.gather(*works, return_exceptions=True)
    for number, outcome in enumerate(outcomes):
        if number % 5 == 0:
            assert isinstance(outcome, ValueError)
        else:
            assert outcome == number
    assert await count(database) == 32


async def test_work_sees_what_earlier_work_wrote(database: Database) -> None:
    def seen(connection: sa.Connection) -> int:
        return int(connection.execute(sa.select(sa.func.count()).select_from(pending_commands)).scalar_one())

    outcomes = await asyncio.gather(*(database.run(w) for n in range(10) for w in (insert(n), seen)))
    assert outcomes[1::2] == list(range(1, 11))


async def test_finished_work_is_on_disk(database: Database, tmp_path: Path) -> None:
    await asyncio.gather(*(database.run(insert(number)) for number in range(20)))
    other = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    assert await count(other) == 20
    await other.close()


async def test_a_cancelled_caller_does_not_block_the_others(database: Database) -> None:
    tasks = [asyncio.create_task(database.run(insert(number))) for number in range(10)]
    await asyncio.sleep(0)
    tasks[3].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [o for o in outcomes if not isinstance(o, asyncio.CancelledError)] == [n for n in range(10) if n != 3]


async def test_sqlite_tells_the_time_with_fractions_whatever_its_version(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'bot.sqlite'}")
    await database.start()
    query = sa.select(sa.func.unixepoch("subsec"))
    times = [float(await database.run(lambda connection: connection.execute(query).scalar_one())) for _ in range(5)]
    assert abs(times[-1] - time.time()) < 60
    assert any(moment % 1 for moment in times)
    await database.close()
