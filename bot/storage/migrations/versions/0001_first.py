"""The first tables: edits, offers, wishes (now pending_commands), tickets, executors."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create them."""
    number = sa.BigInteger().with_variant(sa.Integer, "sqlite")
    op.create_table(
        "edits",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("id", sa.String(32), nullable=False, unique=True),
        sa.Column("key", sa.String(200), nullable=False, unique=True),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("chat", sa.BigInteger, nullable=False),
        sa.Column("message", sa.BigInteger, nullable=False),
        sa.Column("operation", sa.String(32), nullable=False),
        sa.Column("file_id", sa.Text, nullable=False),
        sa.Column("file_unique_id", sa.Text, nullable=False),
        sa.Column("as_file", sa.Boolean, nullable=False),
        sa.Column("file_name", sa.Text),
        sa.Column("file_size", sa.BigInteger),
        sa.Column("painted_file_id", sa.Text),
        sa.Column("painted_unique_id", sa.Text),
        sa.Column("finish", sa.String(32), nullable=False),
        sa.Column("seed", sa.Integer, nullable=False),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("stage", sa.String(32)),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("starts", sa.Integer, nullable=False),
        sa.Column("enqueued", sa.Boolean, nullable=False),
        sa.Column("status_message", sa.BigInteger),
        sa.Column("status_claimed", sa.Float),
        sa.Column("mask", sa.LargeBinary),
        sa.Column("mask_is_matte", sa.Boolean, nullable=False),
        sa.Column("result_file_id", sa.Text),
        sa.Column("result_unique_id", sa.Text),
        sa.Column("result_as_file", sa.Boolean),
        sa.Column("engine", sa.String(32)),
        sa.Column("error", sa.String(64)),
        sa.Column("parent", sa.String(32)),
        sa.Column("width", sa.Integer),
        sa.Column("height", sa.Integer),
        sa.Column("created", sa.Float, nullable=False),
        sa.Column("updated", sa.Float, nullable=False),
    )
    op.create_index("edits_by_state", "edits", ["state", "number"])
    op.create_index("edits_by_person", "edits", ["person", "state"])
    op.create_index("edits_by_age", "edits", ["updated"])
    op.create_table(
        "offers",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("person", sa.BigInteger, nullable=False),
        sa.Column("chat", sa.BigInteger, nullable=False),
        sa.Column("message", sa.BigInteger, nullable=False),
        sa.Column("file_id", sa.Text, nullable=False),
        sa.Column("file_unique_id", sa.Text, nullable=False),
        sa.Column("as_file", sa.Boolean, nullable=False),
        sa.Column("file_name", sa.Text),
        sa.Column("file_size", sa.BigInteger),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("status_message", sa.BigInteger),
        sa.Column("created", sa.Float, nullable=False),
        sa.UniqueConstraint("chat", "message"),
    )
    op.create_table(
        "wishes",
        sa.Column("chat", sa.BigInteger, primary_key=True),
        sa.Column("about", sa.String(80), primary_key=True),
        sa.Column("operation", sa.String(32), nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_table(
        "tickets",
        sa.Column("number", number, primary_key=True, autoincrement=True),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_table(
        "executors",
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("beat", sa.Float, nullable=False),
    )
