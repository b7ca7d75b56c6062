"""The person's own picture behind a subject."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Add the columns."""
    for name in ("background_file_id", "background_unique_id"):
        op.add_column("edits", sa.Column(name, sa.Text))
    op.add_column("pending_commands", sa.Column("edit", sa.String(32)))
