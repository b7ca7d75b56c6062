"""The people who asked for the deletion of their data, the finish of pending commands, and old rows of the queue."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Create table and column. Delete what earlier versions left in the queue's tables."""
    op.create_table(
        "deletions",
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("requested", sa.Float, nullable=False),
        sa.Column("chat", sa.BigInteger, nullable=False),
        sa.Column("message", sa.BigInteger, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("edits", sa.Integer, nullable=False),
        sa.Column("files", sa.Integer, nullable=False),
    )
    op.add_column("pending_commands", sa.Column("finish", sa.String(32)))
    connection = op.get_bind()
    schema = None if connection.dialect.name == "sqlite" else "dbos"
    if not sa.inspect(connection).has_table("workflow_status", schema=schema):
        return
    prefix = "" if schema is None else "dbos."
    ours = "SELECT id FROM edits"
    # A workflow's id is the edit's id (22 characters), a colon and the attempt.
    connection.execute(
        sa.text(
            f"DELETE FROM {prefix}workflow_status WHERE queue_name = 'edits'"  # noqa: S608 -- fixed names
            f" AND status NOT IN ('PENDING', 'ENQUEUED') AND substr(workflow_uuid, 1, 22) NOT IN ({ours})"
        )
    )
    for table in ("operation_outputs", "workflow_input", "workflow_output"):
        if sa.inspect(connection).has_table(table, schema=schema):
            connection.execute(
                sa.text(
                    f"DELETE FROM {prefix}{table} WHERE workflow_uuid NOT IN"  # noqa: S608 -- fixed names
                    f" (SELECT workflow_uuid FROM {prefix}workflow_status)"
                )
            )
