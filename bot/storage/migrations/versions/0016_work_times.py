"""How long recent edits took to work on."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "work_times",
        sa.Column("work", sa.String(64), primary_key=True),
        sa.Column("engine", sa.String(32), primary_key=True),
        sa.Column("log_seconds", sa.Float, nullable=False),
        sa.Column("count", sa.BigInteger, nullable=False),
        sa.Column("measured", sa.Float, nullable=False),
    )
