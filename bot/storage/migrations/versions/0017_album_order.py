"""The album of an edit: its photos get their status messages one after the other."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"


def upgrade() -> None:
    """Add the column and its index."""
    op.add_column("edits", sa.Column("album", sa.String(64)))
    op.create_index("edits_by_album", "edits", ["album"])
