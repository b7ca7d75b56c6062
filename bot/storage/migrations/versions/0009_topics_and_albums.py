"""Topics, spoilers, the album of an offer, and edits that may turn out to be offers."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Add the columns."""
    for table in ("edits", "offers"):
        op.add_column(table, sa.Column("thread", sa.BigInteger))
        op.add_column(table, sa.Column("spoiler", sa.Boolean))
    op.add_column("edits", sa.Column("guessed", sa.Boolean))
    op.add_column("offers", sa.Column("album", sa.String(64)))
    op.add_column("offers", sa.Column("silent", sa.Boolean))
