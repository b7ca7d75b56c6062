"""Rename wishes to pending_commands and paces to rate_limits."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Rename the two tables."""
    op.rename_table("wishes", "pending_commands")
    op.rename_table("paces", "rate_limits")
