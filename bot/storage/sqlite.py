"""SQLite in one process with several threads: a fair lock for its single writer, urgent writers first.

A writer that finds SQLite locked sleeps and tries again, longer each time (up to 100 ms), and the first one to try at
the right moment wins: under load a transaction of 2 ms waited for half a second. Here writers wait on a lock in the
process, in order, and are woken as soon as it is free (docs/decisions.md#sqlite-by-default).
"""

from __future__ import annotations

import re
import sqlite3
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|BEGIN)\b", re.IGNORECASE)
"""Statements that take SQLite's write lock: `BEGIN IMMEDIATE`, and those that the driver precedes with one."""

FRACTIONS_SINCE = (3, 42, 0)
"""Older versions answer NULL to ``unixepoch('subsec')``, which DBOS's tables have as a default where the Python is 3.12
or newer (sqlite.org/lang_datefunc.html). Debian 12 has 3.40."""

BUSY_SECONDS = 30.0
"""How long a statement waits for another process that has locked the file."""


class WriteLock:
    """A fair lock with two priorities, for the threads that write to one SQLite file."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._held = False
        self._urgent: deque[threading.Lock] = deque()
        self._others: deque[threading.Lock] = deque()

    def acquire(self, *, urgent: bool) -> None:
        """Block until the lock is free, then take it.

        Args:
            urgent: Whether to pass the waiting threads that are not urgent.
        """
        with self._mutex:
            if not self._held:
                self._held = True
                return
            gate = threading.Lock()
            gate.acquire()
            (self._urgent if urgent else self._others).append(gate)
        gate.acquire()

    def release(self) -> None:
        """Pass the lock to the next waiting thread, or free it."""
        with self._mutex:
            waiting = self._urgent or self._others
            if waiting:
                waiting.popleft().release()
            else:
                self._held = False


class _Connection(sqlite3.Connection):
    """A connection that holds the write lock from its first writing statement until its transaction ends."""

    write_lock: WriteLock
    urgent: bool
    _holds_lock = False

    def cursor(self, *_: Any) -> Any:
        return super().cursor(_Cursor)

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self.release_if_idle()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self.release_if_idle()

    def close(self) -> None:
        super().close()
        self._release()

    def prepare(self, sql: str) -> None:
        """Take the write lock if the statement writes. Call it before executing the statement."""
        if not self._holds_lock and _WRITES.match(sql):
            self.write_lock.acquire(urgent=self.urgent)
            self._holds_lock = True

    def release_if_idle(self) -> None:
        """Release the write lock if no transaction is open."""
        if self._holds_lock and not self.in_transaction:
            self._release()

    def _release(self) -> None:
        if self._holds_lock:
            self._holds_lock = False
            self.write_lock.release()


class _Cursor(sqlite3.Cursor):
    connection: _Connection

    def execute(self, sql: str, *parameters: Any) -> Any:
        connection = self.connection
        connection.prepare(sql)
        try:
            return super().execute(sql, *parameters)
        finally:
            connection.release_if_idle()

    def executemany(self, sql: str, *parameters: Any) -> Any:
        connection = self.connection
        connection.prepare(sql)
        try:
            return super().executemany(sql, *parameters)
        finally:
            connection.release_if_idle()


def make_sqlite_engine(url: str, lock: WriteLock, *, urgent: bool = True, synced: bool = True) -> sa.Engine:
    """An SQLAlchemy engine for a SQLite file.

    Args:
        url: SQLAlchemy URL of the file.
        lock: Shared by all engines of the process on this file.
        urgent: Whether its writers pass those of engines that are not urgent.
        synced: Whether each commit is synced to the disk. If not, a power cut may undo the last transactions, but none
            before a synced one: all are in one log, in order.

    Raises:
        OSError: Its folder cannot be made.
    """
    path = sa.make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)

    class Connection(_Connection):
        pass

    Connection.write_lock, Connection.urgent = lock, urgent
    options = {"check_same_thread": False, "factory": Connection}
    engine = sa.create_engine(url, poolclass=QueuePool, pool_size=10, connect_args=options)

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # IMMEDIATE: a transaction that writes takes SQLite's lock at its start, so that it waits instead of failing.
        connection.isolation_level = "IMMEDIATE"
        if sqlite3.sqlite_version_info < FRACTIONS_SINCE:
            connection.create_function("unixepoch", 1, _unixepoch)
        for pragma in (
            f"busy_timeout={1000 * BUSY_SECONDS:.0f}",  # for another process: the doctor, a sweep by hand
            "secure_delete=ON",  # what is deleted is overwritten: it does not stay readable in the file
            "auto_vacuum=INCREMENTAL",  # of a new file, and before WAL makes its first page: see Database.shrink
            "foreign_keys=ON",
            "journal_mode=WAL",
            "journal_size_limit=16000000",  # the log is cut to this after a checkpoint
            f"synchronous={'FULL' if synced else 'NORMAL'}",
            "cache_size=-1024",
        ):
            _execute_when_unlocked(connection, f"PRAGMA {pragma}")

    return engine


def _unixepoch(argument: str) -> float:
    """SQLite's ``unixepoch('subsec')``: seconds since 1970, with fractions. No other argument is used here."""
    if argument != "subsec":
        raise ValueError(argument)
    return time.time()


def _execute_when_unlocked(connection: sqlite3.Connection, statement: str) -> None:
    """Execute a statement that may meet another process which creates the file at the same moment.

    SQLite answers "locked" at once to a change of the journal mode, whatever `busy_timeout` says.
    """
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)  # in a database thread; SQLite gives no event when another process unlocks the file
        else:
            return
