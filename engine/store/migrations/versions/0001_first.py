"""The first tables: definitions, instances and what waits for them, the journal, the organisation."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def partial_index(name: str, table: str, columns: list[str], where: str) -> None:
    op.create_index(name, table, columns, sqlite_where=sa.text(where), postgresql_where=sa.text(where))


def upgrade() -> None:
    op.create_table(
        "calendar_table",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("unit", sa.Text()),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_calendar_table"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_calendar_table_year", "calendar_table", ["year"])
    op.create_table(
        "chain",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_chain"),
    )
    op.create_table(
        "definition",
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("published_by", sa.Text(), nullable=False),
        sa.Column("bundle", sa.LargeBinary(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_definition"),
        sa.UniqueConstraint("procedure", "version", name="uq_definition_procedure_version"),
    )
    op.create_table(
        "job",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", ID),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("idem_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.BigInteger()),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("done_at", sa.BigInteger()),
        sa.Column("error", sa.Text()),
        sa.PrimaryKeyConstraint("id", name="pk_job"),
        sa.UniqueConstraint("idem_key", name="uq_job_idem_key"),
        sqlite_autoincrement=True,
    )
    partial_index("ix_job_created", "job", ["created_at"], "status = 'new'")
    partial_index("ix_job_dead", "job", ["instance_id"], "status = 'dead'")
    partial_index("ix_job_instance", "job", ["instance_id", "id"], "status = 'new'")
    op.create_table(
        "journal",
        sa.Column("chain", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("acting_for", sa.Text()),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text()),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.Column("delivered_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("chain", "seq", name="pk_journal"),
    )
    op.create_index("ix_journal_at", "journal", ["at"])
    partial_index("ix_journal_undelivered", "journal", ["at"], "delivered_at IS NULL")
    op.create_table(
        "person",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("system_user", sa.Text()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_person"),
    )
    op.create_table(
        "private",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("salt", sa.LargeBinary()),
        sa.Column("value", sa.Text()),
        sa.Column("erased_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("digest", name="pk_private"),
    )
    op.create_index("ix_private_owner", "private", ["owner"])
    op.create_table(
        "role",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_role"),
    )
    op.create_table(
        "schedule",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("next_at", sa.BigInteger()),
        sa.Column("next_period", sa.Text()),
        sa.Column("anchors", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_schedule"),
        sa.UniqueConstraint("procedure", "unit", "element", name="uq_schedule_procedure_unit_element"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_schedule_next_at", "schedule", ["next_at"])
    op.create_table(
        "seal",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("heads", sa.Text(), nullable=False),
        sa.Column("prev", sa.LargeBinary(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_seal"),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_setting"),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text()),
        sa.ForeignKeyConstraint(
            ["parent"], ["unit.id"], name="fk_unit_parent_unit", initially="DEFERRED", deferrable=True
        ),
        sa.PrimaryKeyConstraint("id", name="pk_unit"),
    )
    op.create_table(
        "definition_call",
        sa.Column("caller", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("callee", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["callee"], ["definition.hash"], name="fk_definition_call_callee_definition"),
        sa.ForeignKeyConstraint(["caller"], ["definition.hash"], name="fk_definition_call_caller_definition"),
        sa.PrimaryKeyConstraint("caller", "process", name="pk_definition_call"),
    )
    op.create_table(
        "holding",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_holding_person_person"),
        sa.ForeignKeyConstraint(["role"], ["role.id"], name="fk_holding_role_role"),
        sa.ForeignKeyConstraint(["unit"], ["unit.id"], name="fk_holding_unit_unit"),
        sa.PrimaryKeyConstraint("person", "role", "unit", name="pk_holding"),
    )
    op.create_table(
        "instance",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("definition", sa.Text(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("procedure", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("period", sa.Text()),
        sa.Column("correlation", sa.Text()),
        sa.Column("parent_id", ID),
        sa.Column("parent_token", sa.Integer()),
        sa.Column("batch_id", ID),
        sa.Column("batch_index", sa.Integer()),
        sa.Column("root_id", ID),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("state", sa.LargeBinary(), nullable=False),
        sa.Column("state_format", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("next_task", sa.Integer(), nullable=False),
        sa.Column("head_seq", sa.Integer(), nullable=False),
        sa.Column("head_hash", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.Boolean(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("started_by", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.BigInteger()),
        sa.Column("outcome", sa.Text()),
        sa.ForeignKeyConstraint(
            ["definition"], ["definition.hash"], name="fk_instance_definition_definition"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_instance"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_instance_batch_id", "instance", ["batch_id"])
    op.create_index("ix_instance_parent_id", "instance", ["parent_id"])
    op.create_index("ix_instance_status_procedure", "instance", ["status", "procedure"])
    op.create_index(
        "ix_instance_unsealed",
        "instance",
        ["id"],
        sqlite_where=sa.text("sealed = 0"),
        postgresql_where=sa.text("NOT sealed"),
    )
    op.create_table(
        "kickoff",
        sa.Column("schedule_id", ID, nullable=False),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.BigInteger()),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("instance_id", ID),
        sa.Column("status", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["schedule_id"], ["schedule.id"], name="fk_kickoff_schedule_id_schedule"),
        sa.PrimaryKeyConstraint("schedule_id", "period", name="pk_kickoff"),
    )
    op.create_table(
        "permission",
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_permission_person_person"),
        sa.PrimaryKeyConstraint("person", "name", name="pk_permission"),
    )
    op.create_table(
        "substitute",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("substitute", sa.Text(), nullable=False),
        sa.Column("starts", sa.Text(), nullable=False),
        sa.Column("ends", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name="fk_substitute_person_person"),
        sa.ForeignKeyConstraint(["substitute"], ["person.id"], name="fk_substitute_substitute_person"),
        sa.PrimaryKeyConstraint("id", name="pk_substitute"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_substitute_person", "substitute", ["person"])
    op.create_index("ix_substitute_substitute", "substitute", ["substitute"])
    op.create_table(
        "batch",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("total", sa.Integer(), nullable=False),
        sa.Column("spawned", sa.Integer(), nullable=False),
        sa.Column("done", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("condition", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_batch_instance_id_instance"),
        sa.PrimaryKeyConstraint("id", name="pk_batch"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_batch_instance_id", "batch", ["instance_id"])
    op.create_table(
        "deadline",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("task_id", sa.Text()),
        sa.Column("token", sa.Integer()),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("anchors", sa.Text(), nullable=False),
        sa.Column("counting", sa.Text()),
        sa.Column("calendar", sa.Text()),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("due_day", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("armed_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("lines", sa.Text()),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_deadline_instance_id_instance"),
        sa.PrimaryKeyConstraint("id", name="pk_deadline"),
        sqlite_autoincrement=True,
    )
    partial_index("ix_deadline_due", "deadline", ["due_at"], "status = 'armed'")
    op.create_index("ix_deadline_instance_id_task_id", "deadline", ["instance_id", "task_id"])
    op.create_table(
        "record",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text()),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("size", ID, nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("made_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_record_instance_id_instance"),
        sa.PrimaryKeyConstraint("id", name="pk_record"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_record_instance_id", "record", ["instance_id"])
    op.create_table(
        "subscription",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("key", sa.Text()),
        sa.ForeignKeyConstraint(
            ["instance_id"], ["instance.id"], name="fk_subscription_instance_id_instance"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_subscription"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_subscription_instance_id", "subscription", ["instance_id"])
    op.create_index("ix_subscription_kind_name_key", "subscription", ["kind", "name", "key"])
    op.create_table(
        "timer",
        sa.Column("id", ID, sa.Identity(always=False), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("token", sa.Integer()),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("remaining", sa.Integer()),
        sa.Column("task_id", sa.Text()),
        sa.Column("facts", sa.Text()),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_timer_instance_id_instance"),
        sa.PrimaryKeyConstraint("id", name="pk_timer"),
        sqlite_autoincrement=True,
    )
    partial_index("ix_timer_due", "timer", ["due_at"], "status = 'armed'")
    partial_index("ix_timer_instance", "timer", ["instance_id", "task_id"], "status = 'armed'")
    op.create_table(
        "user_task",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("instance_id", ID, nullable=False),
        sa.Column("token", sa.Integer(), nullable=False),
        sa.Column("element", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text()),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("assignee", sa.Text()),
        sa.Column("delegated_by", sa.Text()),
        sa.Column("due_at", sa.BigInteger()),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("form", sa.Text()),
        sa.Column("batch_id", ID),
        sa.Column("batch_index", sa.Integer()),
        sa.Column("item", sa.Text()),
        sa.Column("draft", sa.Text()),
        sa.Column("excluded", sa.Text()),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_at", sa.BigInteger()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("closed_by", sa.Text()),
        sa.Column("closed_for", sa.Text()),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["instance_id"], ["instance.id"], name="fk_user_task_instance_id_instance"),
        sa.PrimaryKeyConstraint("id", name="pk_user_task"),
    )
    partial_index("ix_user_task_assignee", "user_task", ["assignee"], "status IN ('open', 'claimed')")
    partial_index("ix_user_task_due", "user_task", ["due_at"], "status IN ('open', 'claimed')")
    op.create_index("ix_user_task_instance_id_opened_at", "user_task", ["instance_id", "opened_at"])
    partial_index("ix_user_task_instance", "user_task", ["instance_id"], "status IN ('open', 'claimed')")
    partial_index(
        "ix_user_task_worklist", "user_task", ["role", "unit", "due_at"], "status IN ('open', 'claimed')"
    )
    op.create_table(
        "batch_item",
        sa.Column("batch_id", ID, nullable=False),
        sa.Column("idx", sa.Integer(), nullable=False),
        sa.Column("input", sa.Text()),
        sa.Column("output", sa.Text()),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("child_id", ID),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name="fk_batch_item_batch_id_batch"),
        sa.PrimaryKeyConstraint("batch_id", "idx", name="pk_batch_item"),
    )
