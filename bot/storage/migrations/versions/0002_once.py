"""What tells a mask that is sent again from a new one, and where a lost status message is to be looked for."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add both."""
    op.add_column("edits", sa.Column("status_after", sa.BigInteger))
    op.add_column("edits", sa.Column("mask_key", sa.String(64)))
