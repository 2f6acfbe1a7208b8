"""The survey domain: households, rounds, their members and answers."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "household",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name="fk_household_unit_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_household"),
        sa.UniqueConstraint("unit", "code", name="uq_household_unit_code"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "round",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("period", sa.Text()),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("questionnaire", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_round_instance_id_instance"),
        sa.PrimaryKeyConstraint("id", name="pk_round"),
        sa.UniqueConstraint("instance_id", name="uq_round_instance_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "round_member",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("household_id", ID, nullable=False),
        sa.Column("surveyor", sa.Text()),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.BigInteger()),
        sa.Column("returned_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(
            ["household_id"], ["household.id"], name="fk_round_member_household_id_household"
        ),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_round_member_round_id_round"),
        sa.PrimaryKeyConstraint("id", name="pk_round_member"),
        sa.UniqueConstraint("round_id", "household_id", name="uq_round_member_round_id_household_id"),
        sa.UniqueConstraint("round_id", "number", name="uq_round_member_round_id_number"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "answer_set",
        sa.Column("member_id", ID, autoincrement=False, nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["round_member.id"], name="fk_answer_set_member_id_round_member"
        ),
        sa.PrimaryKeyConstraint("member_id", name="pk_answer_set"),
    )
