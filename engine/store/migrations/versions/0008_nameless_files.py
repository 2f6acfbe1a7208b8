"""Answers of anonymous rounds no longer say which file they came from: its name may be a person's."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

PROMISE = (
    "anonymity <> 'anonymous' OR (member_id IS NULL AND recorded_at IS NULL AND entry = 1 AND source IS NULL)"
)
COLUMNS = (
    "id, round_id, anonymity, member_id, entry, groups, answers, abstained, source, "
    "recorded_on, recorded_at, recorded_by"
)


def rebuild() -> None:
    """The table anew, since SQLite changes no constraint of a table that is there."""
    op.execute("CREATE TEMPORARY TABLE old_answer_set AS SELECT * FROM answer_set")
    op.drop_table("answer_set")
    op.create_table(
        "answer_set",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("anonymity", sa.Text(), nullable=False),
        sa.Column("member_id", ID),
        sa.Column("entry", sa.Integer(), nullable=False),
        sa.Column("groups", sa.Text(), nullable=False),
        sa.Column("answers", sa.Text(), nullable=False),
        sa.Column("abstained", sa.Boolean(), nullable=False),
        sa.Column("source", sa.Text()),
        sa.Column("recorded_on", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger()),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["round_member.id"], name="fk_answer_set_member_id_round_member"
        ),
        sa.CheckConstraint(PROMISE, name=op.f("ck_answer_set_promise")),
        sa.ForeignKeyConstraint(
            ["round_id", "anonymity"],
            ["round.id", "round.anonymity"],
            name="fk_answer_set_round_id_anonymity_round",
        ),
        sa.PrimaryKeyConstraint("id", name="pk_answer_set"),
        sa.UniqueConstraint("member_id", "entry", name="uq_answer_set_member_id_entry"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_answer_set_round_id", "answer_set", ["round_id"])
    op.execute(f"INSERT INTO answer_set ({COLUMNS}) SELECT {COLUMNS} FROM old_answer_set ORDER BY id")  # noqa: S608
    op.drop_table("old_answer_set")


def upgrade() -> None:
    op.execute("UPDATE answer_set SET source = NULL WHERE anonymity = 'anonymous'")
    if op.get_bind().dialect.name == "sqlite":
        rebuild()
        return
    op.drop_constraint(op.f("ck_answer_set_promise"), "answer_set", type_="check")
    op.create_check_constraint(op.f("ck_answer_set_promise"), "answer_set", PROMISE)
