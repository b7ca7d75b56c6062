"""Packs of edits for Telegram Stars: invoices, payments, requests for help; which payment an edit was taken from."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Add them."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.add_column("quota_uses", sa.Column("payment", sa.BigInteger))
    op.create_table(
        "invoices",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("edits", sa.Integer, nullable=False),
        sa.Column("stars", sa.Integer, nullable=False),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("checkout", sa.Text),
        sa.Column("approved", sa.Float),
    )
    op.create_index("invoices_by_person", "invoices", ["person", "created"])
    op.create_table(
        "payments",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("charge", sa.Text, nullable=False, unique=True),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("stars", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("edits", sa.Integer, nullable=False),
        sa.Column("unused", sa.Integer, nullable=False),
        sa.Column("mismatch", sa.String(32)),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("notified", sa.Float),
        sa.Column("refunding", sa.Float),
        sa.Column("refunded", sa.Float),
    )
    op.create_index("payments_by_person", "payments", ["person", "number"])
    op.create_table(
        "support_requests",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("asker", sa.String(64), nullable=False),
        sa.Column("person", sa.BigInteger),
        sa.Column("message", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("sent", sa.Float),
        sa.UniqueConstraint("asker", "message"),
    )
