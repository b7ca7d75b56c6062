"""Alembic's entry point: runs the migrations on the connection that `upgrade` passes."""

from alembic import context

from bot.storage.migrations import VERSION_TABLE
from bot.storage.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=False,
)
context.run_migrations()
