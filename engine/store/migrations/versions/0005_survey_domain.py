"""Respondents with their contacts, samples and their draws, the ledger of fieldwork, answers that may be anonymous.

Households become respondents, their names contacts. What rounds there are promised confidence: their answers
have always been kept with the member they are of. Days are taken from instants in UTC; the instants of issue and
return stay, in the ledger.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

OLD = ("answer_set", "round_member", "round", "household")  # in the order in which they can be dropped
DISPOSITION = (
    "CASE disposition WHEN 'returned' THEN 'complete' WHEN 'refused' THEN 'refusal' "
    "WHEN 'unreachable' THEN 'non-contact' ELSE disposition END"
)


def promise(table: str, rule: str) -> tuple[sa.Constraint, ...]:
    return (
        sa.CheckConstraint(f"anonymity <> 'anonymous' OR ({rule})", name=op.f(f"ck_{table}_promise")),
        sa.ForeignKeyConstraint(
            ["round_id", "anonymity"],
            ["round.id", "round.anonymity"],
            name=f"fk_{table}_round_id_anonymity_round",
        ),
    )


def make_respondents() -> None:
    op.create_table(
        "respondent",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("project", sa.Text()),
        sa.Column("segment", sa.Text()),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("since", sa.Text()),
        sa.Column("left_on", sa.Text()),
        sa.Column("key_account", sa.Boolean(), nullable=False),
        sa.Column("excluded", sa.Text()),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name="fk_respondent_unit_unit"),
        sa.PrimaryKeyConstraint("id", name="pk_respondent"),
        sa.UniqueConstraint("unit", "code", name="uq_respondent_unit_code"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "contact",
        sa.Column("respondent_id", ID, autoincrement=False, nullable=False),
        sa.Column("name", sa.Text()),
        sa.Column("phone", sa.Text()),
        sa.Column("email", sa.Text()),
        sa.Column("address", sa.Text()),
        sa.ForeignKeyConstraint(
            ["respondent_id"], ["respondent.id"], name="fk_contact_respondent_id_respondent"
        ),
        sa.PrimaryKeyConstraint("respondent_id", name="pk_contact"),
    )


def make_rounds() -> None:
    op.create_table(
        "round",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("period", sa.Text()),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("questionnaire", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("anonymity", sa.Text(), nullable=False),
        sa.Column("design", sa.Text(), nullable=False),
        sa.Column("method", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_round_instance_id_instance"),
        sa.PrimaryKeyConstraint("id", name="pk_round"),
        sa.UniqueConstraint("instance_id", "part", name="uq_round_instance_id_part"),
        sa.UniqueConstraint("id", "anonymity", name="uq_round_id_anonymity"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "draw",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("parameters", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("frame", sa.LargeBinary(), nullable=False),
        sa.Column("frame_sha256", sa.Text(), nullable=False),
        sa.Column("population", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("drawn_at", sa.BigInteger(), nullable=False),
        sa.Column("drawn_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["round_id"], ["round.id"], name="fk_draw_round_id_round"),
        sa.PrimaryKeyConstraint("id", name="pk_draw"),
        sa.UniqueConstraint("round_id", name="uq_draw_round_id"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "round_member",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("anonymity", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("respondent_id", ID, nullable=False),
        sa.Column("project", sa.Text()),
        sa.Column("segment", sa.Text()),
        sa.Column("attributes", sa.Text(), nullable=False),
        sa.Column("cycle", sa.Integer()),
        sa.Column("surveyor", sa.Text()),
        sa.Column("channel", sa.Text()),
        sa.Column("disposition", sa.Text(), nullable=False),
        sa.Column("issued_on", sa.Text()),
        sa.Column("returned_on", sa.Text()),
        sa.ForeignKeyConstraint(
            ["respondent_id"], ["respondent.id"], name="fk_round_member_respondent_id_respondent"
        ),
        *promise("round_member", "returned_on IS NULL AND disposition NOT IN ('complete', 'partial')"),
        sa.PrimaryKeyConstraint("id", name="pk_round_member"),
        sa.UniqueConstraint("round_id", "respondent_id", name="uq_round_member_round_id_respondent_id"),
        sa.UniqueConstraint("round_id", "number", name="uq_round_member_round_id_number"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_round_member_respondent_id", "round_member", ["respondent_id"])


def make_returns() -> None:
    op.create_table(
        "contact_attempt",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("round_id", ID, nullable=False),
        sa.Column("anonymity", sa.Text(), nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text()),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger()),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("note", sa.Text()),
        sa.ForeignKeyConstraint(
            ["member_id"], ["round_member.id"], name="fk_contact_attempt_member_id_round_member"
        ),
        *promise("contact_attempt", "at IS NULL AND kind NOT IN ('return', 'recheck')"),
        sa.PrimaryKeyConstraint("id", name="pk_contact_attempt"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_contact_attempt_round_id", "contact_attempt", ["round_id"])
    op.create_index("ix_contact_attempt_member_id", "contact_attempt", ["member_id"])
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
        *promise("answer_set", "member_id IS NULL AND recorded_at IS NULL AND entry = 1"),
        sa.PrimaryKeyConstraint("id", name="pk_answer_set"),
        sa.UniqueConstraint("member_id", "entry", name="uq_answer_set_member_id_entry"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_answer_set_round_id", "answer_set", ["round_id"])


def carry_over(sqlite: bool) -> None:
    day = "date({} / 1000000, 'unixepoch')" if sqlite else (
        "to_char(to_timestamp({} / 1000000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD')"
    )  # fmt: skip
    any_id = "lower(hex(randomblob(16)))" if sqlite else "replace(gen_random_uuid()::text, '-', '')"
    true, false = ("1", "0") if sqlite else ("true", "false")
    op.execute(
        "INSERT INTO respondent (id, unit, code, kind, attributes, status, key_account) SELECT id, unit, code, "
        f"'household', '{{}}', CASE WHEN active = {true} THEN 'active' ELSE 'left' END, {false} FROM old_household"
    )
    op.execute(
        "INSERT INTO contact (respondent_id, name) SELECT id, name FROM old_household WHERE name IS NOT NULL"
    )
    op.execute(
        "INSERT INTO round (id, instance_id, part, unit, procedure, period, definition, questionnaire, version, "
        "anonymity, design, status, opened_at, closed_at) SELECT id, instance_id, '', unit, procedure, period, "
        "definition, questionnaire, version, 'confidential', '{}', status, opened_at, closed_at FROM old_round"
    )
    op.execute(
        "INSERT INTO round_member (id, round_id, anonymity, number, respondent_id, attributes, surveyor, "
        "disposition, issued_on, returned_on) SELECT id, round_id, 'confidential', number, household_id, '{}', "
        f"surveyor, {DISPOSITION}, {day.format('issued_at')}, {day.format('returned_at')} FROM old_round_member"
    )
    for kind, at in (("issue", "issued_at"), ("return", "returned_at")):
        op.execute(
            "INSERT INTO contact_attempt (round_id, anonymity, member_id, kind, day, at, recorded_by) SELECT "
            f"round_id, 'confidential', id, '{kind}', {day.format(at)}, {at}, COALESCE(surveyor, 'system') "
            f"FROM old_round_member WHERE {at} IS NOT NULL ORDER BY {at}, id"
        )
    op.execute(
        "INSERT INTO answer_set (id, round_id, anonymity, member_id, entry, groups, answers, abstained, source, "
        f"recorded_on, recorded_at, recorded_by) SELECT {any_id}, m.round_id, 'confidential', a.member_id, 1, "
        f"'{{}}', a.answers, {false}, a.source, {day.format('a.recorded_at')}, a.recorded_at, a.recorded_by "
        "FROM old_answer_set a JOIN round_member m ON m.id = a.member_id"
    )
    if not sqlite:
        for table in ("respondent", "round", "round_member"):
            op.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table} HAVING max(id) > 0"
            )


def upgrade() -> None:
    for table in OLD:
        op.execute(f"CREATE TEMPORARY TABLE old_{table} AS SELECT * FROM {table}")
    for table in OLD:
        op.drop_table(table)
    make_respondents()
    make_rounds()
    make_returns()
    carry_over(op.get_bind().dialect.name == "sqlite")
    for table in OLD:
        op.drop_table(f"old_{table}")
