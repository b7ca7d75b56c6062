"""The database behind the store and the queue: one SQLite file, or PostgreSQL; the same code on both.

SQLite is used through one thread, so that its single writer never waits for itself; PostgreSQL through a small pool.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from enum import IntEnum
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.errors import OutageError, WorldError
from bot.storage import migrations, start_failures
from bot.storage.outage import Outage
from bot.storage.sqlite import WriteLock, make_sqlite_engine
from bot.storage.threads import started_thread_pool

T = TypeVar("T")

POSTGRES_THREADS = 8
NOW = sa.cast(sa.extract("epoch", sa.func.clock_timestamp()), sa.Float(53))
"""PostgreSQL's clock, in seconds since the epoch. Everything that several machines compare uses it: their own clocks
differ, and a machine whose clock is ahead would treat the others as dead."""

MAX_BATCH = 64
"""How many pieces of work share one SQLite transaction at most."""

KEPT_PAGES = 1000
"""Free pages (of 4 kB) that stay in SQLite's file for what comes next."""

PAGES_AT_ONCE = 1000
"""Pages that one transaction returns to the disk, so that no other one waits long."""

RECONNECT_WITHIN = 45.0
"""Seconds to wait for a PostgreSQL that is down (a restart, a failover)."""

CONNECT_SECONDS = 10
"""Seconds until a PostgreSQL that does not answer counts as down; libpq's own default is minutes."""

LOST_AFTER = {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "20000"}
"""libpq's options: a connection whose packets are dropped breaks within half a minute. By default it takes many."""


class LockSpace(IntEnum):
    """What an advisory lock of `Database.lock_until_commit` is about. The numbers are shared by all versions."""

    PERSON = 1
    TICKETS = 2


def make_engine(url: str, lock: WriteLock | None = None) -> sa.Engine:
    """An SQLAlchemy engine for `url`, set up so that a committed transaction survives a crash.

    Raises:
        OperatorError: The address cannot be read.
        OSError: The folder of the SQLite file cannot be made.
    """
    if url.startswith("sqlite"):
        return make_sqlite_engine(url, lock or WriteLock())
    try:
        address = sa.make_url(url)
        address = address.set(query={**LOST_AFTER, **address.query, "connect_timeout": str(CONNECT_SECONDS)})
    except (sa.exc.ArgumentError, ValueError):
        raise start_failures.unreadable_address() from None
    if "@" in (address.host or ""):  # the end of a password that is not escaped; an error would show it
        raise start_failures.unreadable_address()
    return sa.create_engine(address, pool_size=POSTGRES_THREADS, max_overflow=4, pool_pre_ping=True, pool_recycle=1800)


class Database:
    """Runs functions of a connection in transactions, off the event loop.

    Args:
        url: SQLAlchemy URL, with the driver.
        setting: The setting that named the database, for errors.

    Raises:
        OperatorError: The address cannot be read, or the folder of the SQLite file cannot be made.

    Attributes:
        outage: Whether PostgreSQL answers. A SQLite file always counts as answering: a full disk is noticed by
            `DataFolder`.
    """

    def __init__(self, url: str, *, setting: str = "DATABASE_URL") -> None:
        self.url = url
        self._setting = setting
        lock = WriteLock()
        try:
            self.engine = make_engine(url, lock)
        except OSError as error:
            raise start_failures.unusable_folder(error, setting) from None
        self.is_sqlite = self.engine.dialect.name == "sqlite"
        address = self.engine.url
        self.outage = Outage(f"{address.database} at {address.host or 'a local socket'}:{address.port or 5432}")
        # A power cut may undo a checkpoint; then a step runs again, which is harmless. What must not be lost is in our
        # own tables. This saves 9 syncs of 4 ms for each edit (docs/decisions.md#sqlite-by-default).
        self.queue_engine = make_sqlite_engine(url, lock, urgent=False, synced=False) if self.is_sqlite else None
        self._waiting: list[tuple[Callable[[sa.Connection], Any], asyncio.Future[Any]]] = []
        self._batches: asyncio.Task[None] | None = None
        self._is_closed = False
        self._threads = started_thread_pool(1 if self.is_sqlite else POSTGRES_THREADS, "database")

    async def start(self) -> None:
        """Bring the tables up to date.

        Raises:
            OperatorError: The database does not answer, refuses the connection, is damaged or not this program's.
        """
        try:
            await self._in_thread(migrations.upgrade, self.engine)
        except (sa.exc.DBAPIError, migrations.NewerTablesError) as error:
            raise self.start_error(error) from None

    async def check(self) -> migrations.State:
        """What `start` would find, without a change to the tables; the database can be written to.

        Raises:
            OperatorError: As `start` does.
        """
        try:
            return await self._in_thread(migrations.check, self.engine)
        except (sa.exc.DBAPIError, migrations.NewerTablesError) as error:
            raise self.start_error(error) from None

    def start_error(self, error: Exception) -> Exception:
        """What the operator can do about an error at the start, as an `OperatorError`; other errors as they are."""
        return start_failures.explain(error, self.engine.url, self._setting) or error

    async def close(self) -> None:
        """Write what is waiting, then close all connections."""
        self._is_closed = True
        if self._batches is not None:
            await asyncio.gather(self._batches, return_exceptions=True)
        for engine in filter(None, (self.engine, self.queue_engine)):
            await self._in_thread(engine.dispose)
        self._threads.shutdown(wait=False)

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in one transaction and return its result.

        If PostgreSQL goes down during the transaction, the transaction is rolled back or its outcome is unknown, and
        `work` runs again after the reconnect: `work` must be idempotent.

        Raises:
            OutageError: The database was down for `RECONNECT_WITHIN`, or SQLite cannot write (a full disk).
        """
        if self._is_closed:  # the process ends, and a cancelled step was just cleaning up
            raise asyncio.CancelledError
        if self.is_sqlite:
            try:
                return await self._run_batched(work)
            except sa.exc.OperationalError as error:
                raise _outage(error) from error
        deadline = asyncio.get_running_loop().time() + RECONNECT_WITHIN
        pause = 0.05
        while True:
            began = self.outage.begin()
            try:
                result: T = await self._in_thread(self._transaction, work)
            except sa.exc.DBAPIError as error:
                is_down = error.connection_invalidated or isinstance(error, sa.exc.OperationalError)
                if not is_down:
                    raise
                if _does_not_answer(error):
                    self.outage.failed(began, type(error.orig).__name__)
                if asyncio.get_running_loop().time() + pause > deadline:
                    raise _outage(error) from error
            else:
                self.outage.answered()
                return result
            await asyncio.sleep(pause)
            pause = min(2 * pause, 2.0)

    async def overwrite_deleted(self) -> None:
        """Remove what was deleted from SQLite's log, too; the file itself is overwritten at once (`secure_delete`).

        PostgreSQL overwrites deleted rows when it vacuums.
        """
        if self.is_sqlite:
            await self._in_thread(self._truncate_log)

    def _truncate_log(self) -> None:
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")

    async def reusable_bytes(self) -> int:
        """Bytes that are free inside SQLite's file, and are used before it grows; 0 with PostgreSQL."""
        if not self.is_sqlite:
            return 0
        query = "SELECT freelist_count * page_size FROM pragma_freelist_count, pragma_page_size"
        return await self.run(lambda connection: int(connection.exec_driver_sql(query).scalar_one()))

    async def shrink(self) -> None:
        """Return free pages of SQLite's file to the disk, except for the last `KEPT_PAGES`.

        A file that an older version created keeps them: only a full VACUUM could change that.
        """
        if not self.is_sqlite:
            return

        def work(connection: sa.Connection) -> bool:
            free = int(connection.exec_driver_sql("PRAGMA freelist_count").scalar_one())
            count = min(free - KEPT_PAGES, PAGES_AT_ONCE)
            if count <= 0 or not connection.exec_driver_sql("PRAGMA auto_vacuum").scalar_one():
                return False
            raw: Any = connection.connection.driver_connection
            if not raw.in_transaction:  # alone in its batch
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            for _ in range(count):  # the driver takes one step of a statement without columns, which is one page
                raw.execute("PRAGMA incremental_vacuum(1)")
            return count == PAGES_AT_ONCE

        is_left = True
        while is_left:
            is_left = await self.run(work)

    def lock_until_commit(self, connection: sa.Connection, space: LockSpace, number: int) -> None:
        """Make transactions that take the same lock run one after another. No-op on SQLite, which has one writer.

        Args:
            connection: A connection in a transaction; the lock is released when the transaction ends.
            space: What the lock is about.
            number: Which one; any integer.
        """
        if self.is_sqlite:
            return
        # Telegram's user ids exceed the 32 bits of the lock's second number, so a person is locked by a hash.
        second = "hashtext(:number)" if space is LockSpace.PERSON else "CAST(:number AS integer)"
        query = sa.text(f"SELECT pg_advisory_xact_lock(:space, {second})")
        connection.execute(query, {"space": int(space), "number": str(number)})

    def _transaction(self, work: Callable[[sa.Connection], T]) -> T:
        with self.engine.begin() as connection:
            return work(connection)

    async def _run_batched(self, work: Callable[[sa.Connection], T]) -> T:
        """Run `work` in the next SQLite transaction, together with all other work that arrives meanwhile.

        SQLite has one writer at a time; sharing a transaction shares its one sync to the disk.
        """
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, future))
        if self._batches is None or self._batches.done():
            self._batches = asyncio.create_task(self._run_batches())
        return await future

    async def _run_batches(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
            try:
                outcomes = await self._in_thread(self._transactions, [work for work, _ in batch])
            except Exception as error:  # noqa: BLE001 -- raised in every caller of the batch
                outcomes = [error] * len(batch)
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue  # the caller was cancelled
                if isinstance(outcome, Exception):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)

    def _transactions(self, works: list[Callable[[sa.Connection], Any]]) -> list[Any]:
        """Run several pieces of work in one transaction; each may fail alone.

        Returns:
            One outcome for each piece of work: its result, or the exception that it raised.
        """
        if len(works) == 1:
            return [self._transaction(works[0])]
        outcomes: list[Any] = []
        with self.engine.begin() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            for work in works:
                try:
                    with connection.begin_nested():
                        outcomes.append(work(connection))
                except Exception as error:  # noqa: BLE001 -- raised in the caller of this piece of work
                    outcomes.append(error)
        return outcomes

    async def _in_thread(self, function: Callable[..., T], *args: Any) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, functools.partial(function, *args))


def _does_not_answer(error: sa.exc.DBAPIError) -> bool:
    """Whether PostgreSQL was not reached, or ends; a deadlock or a lack of connections is an answer."""
    state = getattr(error.orig, "sqlstate", None)
    return error.connection_invalidated or state is None or state.startswith(("08", "57P0"))


def _outage(error: sa.exc.DBAPIError) -> WorldError:
    # The driver's own text is left out: it may hold the address with its password.
    return OutageError("something-broke", reason=f"database: {type(error.orig).__name__}")
