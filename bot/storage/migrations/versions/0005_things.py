"""The things found in a photo; the person chooses one or more of them."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add them."""
    op.add_column("edits", sa.Column("chooses", sa.Boolean))
    op.create_table(
        "things",
        sa.Column("edit", sa.String(32), primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("matte", sa.LargeBinary, nullable=False),
        sa.Column("chosen", sa.Boolean, nullable=False),
    )
