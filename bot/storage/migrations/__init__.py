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
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

VERSION_TABLE = "schema_version"
_LOCK = 0x9B07  # any constant: one of several starting processes migrates while the others wait


class State(Enum):
    """What a start would find."""

    EMPTY = "empty"
    OLDER = "older"
    CURRENT = "current"


def upgrade(engine: sa.Engine) -> None:
    """Bring the tables up to date; creates them in an empty database. Blocks; several processes may call it at once."""
    config = _config()
    with _one_at_a_time(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.commit()


def check(engine: sa.Engine) -> State:
    """What `upgrade` would find, and whether it could write: a write is made and taken back. Blocks.

    Raises:
        alembic.util.CommandError: The tables are of a newer version.
        sqlalchemy.exc.DBAPIError: The database cannot be used, or has another program's tables.
    """
    config = _config()
    with _one_at_a_time(engine) as connection:
        table = sa.Table(VERSION_TABLE, sa.MetaData(), sa.Column("version_num", sa.String(32)))
        found = None
        if sa.inspect(connection).has_table(VERSION_TABLE):
            found = connection.execute(sa.select(table.c.version_num)).scalar()
        if found is None:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")  # meets the tables of another program, if there are any
        else:
            scripts = ScriptDirectory.from_config(config)
            scripts.get_revision(found)
            connection.execute(sa.update(table).values(version_num=table.c.version_num))
        connection.rollback()
        if found is None:
            return State.EMPTY
        return State.CURRENT if found == scripts.get_current_head() else State.OLDER


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    return config


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
