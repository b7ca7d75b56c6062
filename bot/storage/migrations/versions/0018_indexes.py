"""Indexes for what was looked up by reading a whole table, such as all offers for each photo without a command."""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

INDEXES = (
    ("edits_by_message", "edits", "message"),
    ("edits_by_status_message", "edits", "status_message"),
    ("edits_by_album_status", "edits", "album_status"),
    ("offers_by_person", "offers", "person", "created"),
    ("offers_by_age", "offers", "created"),
    ("offers_by_message", "offers", "message"),
    ("offers_by_status_message", "offers", "status_message"),
    ("payments_to_notify", "payments", "notified", "number"),
    ("person_settings_by_age", "person_settings", "changed"),
    ("person_settings_by_history", "person_settings", "keeps_history"),
)


def upgrade() -> None:
    """Add the indexes."""
    for name, table, *columns in INDEXES:
        op.create_index(name, table, columns)
    op.create_index(
        "offers_silent",
        "offers",
        ["created"],
        sqlite_where=sa.text("silent IS 1"),
        postgresql_where=sa.text("silent IS true"),
    )
