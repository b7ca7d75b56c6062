"""SQLite in one process with several threads: one writer at a time, let in in order, the urgent ones first.

SQLite itself lets a writer that finds another at work sleep and try again, longer each time (up to 100 ms), and whoever
comes at the right moment gets in first: under load a transaction of 2 ms waited for half a second. Here writers wait
for each other in the process, and are woken the moment it is their turn.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections import deque
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.pool import QueuePool

_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|BEGIN)\b", re.IGNORECASE)
"""What takes the write lock: `BEGIN IMMEDIATE`, and what the driver puts one before."""


class WriteTurns:
    """Whose turn it is to write. Blocks threads."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._busy = False
        self._urgent: deque[threading.Lock] = deque()
        self._others: deque[threading.Lock] = deque()

    def enter(self, *, urgent: bool) -> None:
        """Wait for one's turn."""
        with self._mutex:
            if not self._busy:
                self._busy = True
                return
            mine = threading.Lock()
            mine.acquire()
            (self._urgent if urgent else self._others).append(mine)
        mine.acquire()

    def leave(self) -> None:
        """Let in whoever is next."""
        with self._mutex:
            waiting = self._urgent or self._others
            if waiting:
                waiting.popleft().release()
            else:
                self._busy = False


class _Connection(sqlite3.Connection):
    """A connection that has the turn from its first writing statement until its transaction ends."""

    turns: WriteTurns
    urgent: bool
    _has_turn = False

    def cursor(self, *_: Any) -> Any:
        return super().cursor(_Cursor)

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self.settle()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self.settle()

    def close(self) -> None:
        super().close()
        self._give_back()

    def prepare(self, sql: str) -> None:
        """A statement is about to be executed."""
        if not self._has_turn and _WRITES.match(sql):
            self.turns.enter(urgent=self.urgent)
            self._has_turn = True

    def settle(self) -> None:
        """Give the turn back where no transaction is open."""
        if self._has_turn and not self.in_transaction:
            self._give_back()

    def _give_back(self) -> None:
        if self._has_turn:
            self._has_turn = False
            self.turns.leave()


class _Cursor(sqlite3.Cursor):
    connection: _Connection

    def execute(self, sql: str, *parameters: Any) -> Any:
        connection = self.connection
        connection.prepare(sql)
        try:
            return super().execute(sql, *parameters)
        finally:
            connection.settle()

    def executemany(self, sql: str, *parameters: Any) -> Any:
        connection = self.connection
        connection.prepare(sql)
        try:
            return super().executemany(sql, *parameters)
        finally:
            connection.settle()


def make_sqlite_engine(url: str, turns: WriteTurns, *, urgent: bool = True, synced: bool = True) -> sa.Engine:
    """An SQLAlchemy engine for a SQLite file.

    Args:
        url: The file's address.
        turns: Shared by all engines of the process on this file.
        urgent: Whether its writers are let in before those of engines that are not.
        synced: Whether a committed transaction is on the disk. Where not, a power cut may take the last ones back; none
            that came before a synced one though, since all lie in one log, in their order.
    """
    path = sa.make_url(url).database
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)

    class Connection(_Connection):
        pass

    Connection.turns, Connection.urgent = turns, urgent
    options = {"check_same_thread": False, "factory": Connection}
    engine = sa.create_engine(url, poolclass=QueuePool, pool_size=10, connect_args=options)

    @sa.event.listens_for(engine, "connect")
    def set_up(connection: Any, _record: object) -> None:
        # IMMEDIATE: a transaction that will write takes the write lock first, so that it waits instead of failing.
        connection.isolation_level = "IMMEDIATE"
        for pragma in (
            "busy_timeout=30000",  # for another process: the doctor, a sweep by hand
            "foreign_keys=ON",
            "journal_mode=WAL",
            f"synchronous={'FULL' if synced else 'NORMAL'}",
            "cache_size=-1024",
        ):
            connection.execute(f"PRAGMA {pragma}")

    return engine
