"""People of the last 30 days, bans, daily counts, announcements; when an edit was last asked for."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Add them."""
    op.add_column("edits", sa.Column("requested", sa.Float))
    op.create_table(
        "people",
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("last_seen", sa.Float, nullable=False),
        sa.Column("last_private", sa.Float),
        sa.Column("blocked", sa.Float),
    )
    op.create_index("people_by_age", "people", ["last_seen"])
    op.create_table(
        "bans",
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("reason", sa.String(200)),
    )
    op.create_table(
        "daily_counts",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("name", sa.String(64), primary_key=True),
        sa.Column("count", sa.BigInteger, nullable=False),
    )
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "announcements",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("chat", sa.BigInteger, nullable=False),
        sa.Column("message", sa.BigInteger, nullable=False),
        sa.Column("copied", sa.BigInteger),
        sa.Column("text", sa.Text),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("panel", sa.BigInteger),
        *(sa.Column(name, sa.Integer, nullable=False) for name in ("total", "sent", "blocked", "failed", "unclear")),
        sa.Column("created", sa.Float, nullable=False),
        sa.UniqueConstraint("chat", "message"),
    )
    op.create_table(
        "announcement_recipients",
        sa.Column("announcement", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("person", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("claimed", sa.Float),
    )
