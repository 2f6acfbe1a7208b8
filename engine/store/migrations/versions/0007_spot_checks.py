"""Checks of whether the questionnaires of a round are genuine: what was drawn from which frame, and each verdict."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "spot_check",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("frame", sa.LargeBinary(), nullable=False),
        sa.Column("frame_sha256", sa.Text(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.BigInteger(), nullable=False),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_spot_check_round_id_round"),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_spot_check_instance_id_instance"),
        sa.PrimaryKeyConstraint("id", name="pk_spot_check"),
        sa.UniqueConstraint("instance_id", "kind", name="uq_spot_check_instance_id_kind"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_spot_check_round_id", "spot_check", ["round_id"])
    op.create_table(
        "spot_verdict",
        sa.Column("check_id", ID, autoincrement=False, nullable=False),
        sa.Column("member_id", ID, autoincrement=False, nullable=False),
        sa.Column("verdict", sa.Text()),
        sa.Column("note", sa.Text()),
        sa.Column("judged_on", sa.Text()),
        sa.Column("judged_by", sa.Text()),
        sa.ForeignKeyConstraint(["check_id"], ["spot_check.id"], name="fk_spot_verdict_check_id_spot_check"),
        sa.ForeignKeyConstraint(
            ["member_id"], ["round_member.id"], name="fk_spot_verdict_member_id_round_member"
        ),
        sa.PrimaryKeyConstraint("check_id", "member_id", name="pk_spot_verdict"),
    )
