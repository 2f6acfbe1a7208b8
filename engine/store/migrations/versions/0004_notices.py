"""Notices that are delivered, people's addresses, and sealed archives."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def partial_index(name: str, table: str, where: str) -> None:
    op.create_index(name, table, ["id"], sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    # SQLite would add the columns to the text of the table as one line, unlike a table made anew.
    sqlite = op.get_bind().dialect.name == "sqlite"
    with op.batch_alter_table("person", recreate="always" if sqlite else "never") as batch:
        for name in ("email", "channel", "language"):
            batch.add_column(sa.Column(name, sa.Text()))
    op.create_table(
        "delivery",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("person", sa.Text()),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("tried_at", sa.BigInteger()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_delivery"),
        sa.UniqueConstraint("idem_key", name="uq_delivery_idem_key"),
        sqlite_autoincrement=True,
    )
    partial_index("ix_delivery_waiting", "delivery", "status IN ('new', 'sending', 'unknown')")
    partial_index("ix_delivery_failed", "delivery", "status = 'failed'")
    op.create_table(
        "archive",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sealed_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed_by", sa.Text(), nullable=False),
        sa.Column("custodian", sa.Text(), nullable=False),
        sa.Column("retention", sa.Text()),
        sa.Column("keep_until", sa.Text()),
        sa.Column("files", sa.Integer(), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("manifest", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_archive_instance_id_instance"),
        sa.PrimaryKeyConstraint("id", name="pk_archive"),
        sa.UniqueConstraint("instance_id", "number", name="uq_archive_instance_id_number"),
        sqlite_autoincrement=True,
    )
    # What happened before notices were delivered is told to nobody any more.
    op.execute("UPDATE journal SET delivered_at = at WHERE delivered_at IS NULL")
