"""Rename wishes to pending_commands, paces to rate_limits and things to found_objects."""

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Rename the three tables."""
    op.rename_table("wishes", "pending_commands")
    op.rename_table("paces", "rate_limits")
    op.rename_table("things", "found_objects")
