"""Migrations of the tables (Alembic); `upgrade` runs at every start and does nothing if the tables are up to date.

To change a table, add `versions/NNNN_what.py` with `revision`, `down_revision` and `upgrade()`, and change `tables.py`.
A test checks that all migrations together give exactly `tables.py`.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

VERSION_TABLE = "schema_version"
_LOCK = 0x9B07  # any constant: one of several starting processes migrates while the others wait


def upgrade(engine: sa.Engine) -> None:
    """Bring the tables up to date; creates them in an empty database. Blocks; several processes may call it at once."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            connection.commit()
        else:
            connection.execute(sa.text("BEGIN IMMEDIATE"))
        try:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
        finally:
            if connection.dialect.name == "postgresql":
                connection.rollback()
                connection.execute(sa.text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
                connection.commit()
