"""What processes share: rate limits of chats, the version of each executor, claims to post a question."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add them."""
    op.create_table(
        "paces",
        sa.Column("name", sa.String(80), primary_key=True),
        sa.Column("full_at", sa.Float(53), nullable=False),
    )
    op.add_column("offers", sa.Column("status_claimed", sa.Float))
    op.add_column("offers", sa.Column("status_after", sa.BigInteger))
    op.add_column("executors", sa.Column("version", sa.String(32)))
