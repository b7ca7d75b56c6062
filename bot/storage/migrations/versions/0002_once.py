"""Recognise a mask that is sent again, and bound the search for a lost status message."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add both."""
    op.add_column("edits", sa.Column("status_after", sa.BigInteger))
    op.add_column("edits", sa.Column("mask_key", sa.String(64)))
