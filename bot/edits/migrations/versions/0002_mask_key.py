"""What tells a mask that is sent again from a new one."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add it."""
    op.add_column("edits", sa.Column("mask_key", sa.String(64)))
