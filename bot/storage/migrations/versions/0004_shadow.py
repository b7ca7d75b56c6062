"""Whether the subject's shadow is erased too."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add it."""
    op.add_column("edits", sa.Column("shadow", sa.Boolean))
