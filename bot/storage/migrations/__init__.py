"""Migrations of the tables (Alembic); `upgrade` runs at every start and does nothing if the tables are up to date.

To change a table, add `versions/NNNN_what.py` with `revision`, `down_revision` and `upgrade()`, and change `tables.py`.
A test checks that all migrations together give exactly `tables.py`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import sqlalchemy as sa

VERSION_TABLE = "schema_version"
VERSIONS = sorted(path.name[:4] for path in (Path(__file__).parent / "versions").glob("[0-9]*.py"))
"""All versions of the tables, the newest last; each is the number of its migration's file."""

_LOCK = 0x9B07  # any constant: one of several starting processes migrates while the others wait


class State(Enum):
    """What a start would find."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"


class NewerTablesError(Exception):
    """The tables are of a version that this program does not know."""


def upgrade(engine: sa.Engine) -> None:
    """Bring the tables up to date; creates them in an empty database. Blocks; several processes may call it at once.

    Raises:
        NewerTablesError: The tables are of a newer version.
        sqlalchemy.exc.DBAPIError: The database cannot be used, or has another program's tables.
    """
    with _one_at_a_time(engine) as connection:
        if _state(connection) is not State.CURRENT:
            _run_alembic(connection)
            connection.commit()


def check(engine: sa.Engine) -> State:
    """What `upgrade` would find, and whether it could write: a write is made and taken back. Blocks.

    Raises:
        NewerTablesError: The tables are of a newer version.
        sqlalchemy.exc.DBAPIError: The database cannot be used, or has another program's tables.
    """
    with _one_at_a_time(engine) as connection:
        state = _state(connection)
        if state is State.EMPTY:
            _run_alembic(connection)  # meets the tables of another program, if there are any
        else:
            table = _version_table()
            connection.execute(sa.update(table).values(version_num=table.c.version_num))
        connection.rollback()
        return state


def _state(connection: sa.Connection) -> State:
    found = None
    if sa.inspect(connection).has_table(VERSION_TABLE):
        found = connection.execute(sa.select(_version_table().c.version_num)).scalar()
    if found is None:
        return State.EMPTY
    if found not in VERSIONS:
        raise NewerTablesError(found)
    return State.CURRENT if found == VERSIONS[-1] else State.OLDER


def _version_table() -> sa.Table:
    return sa.Table(VERSION_TABLE, sa.MetaData(), sa.Column("version_num", sa.String(32)))


def _run_alembic(connection: sa.Connection) -> None:
    # Imported where there is something to do: it would be a tenth of every start.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


@contextlib.contextmanager
def _one_at_a_time(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in a transaction, while no other process migrates."""
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
        else:
            connection.execute(sa.text("BEGIN IMMEDIATE"))
        try:
            yield connection
        finally:
            if connection.dialect.name == "postgresql":
                connection.rollback()
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                connection.commit()
