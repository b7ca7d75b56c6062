"""What counts for EDITS_PER_DAY, and whether a cancelled edit asks for its mask again."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Add them."""
    op.add_column("edits", sa.Column("asks_for_mask", sa.Boolean))
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "quota_uses",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("person", sa.String(64), nullable=False),
        sa.Column("edit", sa.String(32), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_index("quota_uses_by_person", "quota_uses", ["person", "at"])
    op.create_index("quota_uses_by_edit", "quota_uses", ["edit"])
