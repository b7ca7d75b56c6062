"""What people choose with /settings."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "person_settings",
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("language", sa.String(16)),
        sa.Column("finish", sa.String(32)),
        sa.Column("delivery", sa.String(16)),
        sa.Column("bare_photos", sa.String(32)),
        sa.Column("keeps_history", sa.Boolean),
        sa.Column("changed", sa.Float, nullable=False),
    )
