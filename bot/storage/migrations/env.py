"""What Alembic runs to apply versions: on the connection that `upgrade` hands over."""

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
