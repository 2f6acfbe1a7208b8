"""Every table of the engine, for SQLite and PostgreSQL alike.

`migrations/` makes them; a test holds the two together.

What is live (open user tasks, armed deadlines and timers, waiting jobs) is found through partial indexes.
They serve only queries that repeat their condition with literals, so the conditions have names: `OPEN_WORK`,
`ARMED_DEADLINE`, `ARMED_TIMER`, `NEW_JOB`, `UNDELIVERED`, `UNSEALED_INSTANCE`, `UNSEALED_CHAIN`.

Foreign keys stay within what one transaction has locked anyway. Across instances (parent, child, the target
of a job) there are none: PostgreSQL would lock the row referred to, and locks are never taken upward.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
)

from engine.store.columns import Id, Instant, Json, key, matches, may, metadata, must, numbered, partial

NO_HASH = bytes(32)
"""What comes before the first row of a chain."""


def _of_instance() -> Column[Any]:
    return must("instance_id", Id, ForeignKey("instance.id"))


# --- definitions and instances

definition = Table(
    "definition",
    metadata,
    key("hash"),
    must("procedure", Text),
    must("version", Integer),
    must("code", Text),
    must("title", Text),
    must("published_at", Instant),
    must("published_by", Text),
    must("bundle", LargeBinary),
    must("facts", Json),
    UniqueConstraint("procedure", "version"),
)

definition_call = Table(
    "definition_call",
    metadata,
    key("caller", Text, ForeignKey("definition.hash")),
    key("process"),
    must("callee", Text, ForeignKey("definition.hash")),
)

instance = numbered(
    "instance",
    must("definition", Text, ForeignKey("definition.hash")),
    must("process", Text),
    must("procedure", Text),
    must("unit", Text),
    must("title", Text),
    may("period", Text),
    may("correlation", Text),
    may("parent_id", Id),
    may("parent_token", Integer),
    may("batch_id", Id),
    may("batch_index", Integer),
    may("root_id", Id),
    may("called_as", Json),  # {roles: {own: caller's}, records: {own: [definition, caller's]}}
    must("status", Text),  # running | suspended | completed | cancelled | failed
    must("state", LargeBinary),
    must("state_format", Integer),
    must("version", Integer, default=0),
    must("next_task", Integer, default=1),
    must("head_seq", Integer, default=0),
    must("head_hash", LargeBinary, default=NO_HASH),
    # Any update may have moved the head; the sealer alone says otherwise.
    must("sealed", Boolean, default=False, onupdate=False),
    must("started_at", Instant),
    must("started_by", Text),
    may("ended_at", Instant),
    may("outcome", Text),
)
UNSEALED_INSTANCE: ColumnElement[bool] = ~instance.c.sealed
Index(None, instance.c.status, instance.c.procedure)
Index(None, instance.c.parent_id)
Index(None, instance.c.batch_id)
partial("ix_instance_unsealed", UNSEALED_INSTANCE, instance.c.id)

# --- what waits

user_task = Table(
    "user_task",
    metadata,
    key("id"),  # SV-12.3
    _of_instance(),
    must("token", Integer),
    must("element", Text),
    must("name", Text),
    may("role", Text),
    must("unit", Text),
    must("status", Text),  # open | claimed | done | cancelled
    may("assignee", Text),
    may("delegated_by", Text),
    may("due_at", Instant),
    must("priority", Integer, default=0),
    may("form", Text),
    may("batch_id", Id),
    may("batch_index", Integer),
    may("item", Json),
    may("draft", Json),
    may("excluded", Json),  # people who may not do it: four eyes
    must("opened_at", Instant),
    may("claimed_at", Instant),
    may("closed_at", Instant),
    may("closed_by", Text),
    may("closed_for", Text),  # whose right was used
    must("version", Integer, default=0),
)
OPEN_WORK = matches(user_task.c.status, "open", "claimed")
partial("ix_user_task_worklist", OPEN_WORK, user_task.c.role, user_task.c.unit, user_task.c.due_at)
partial("ix_user_task_assignee", OPEN_WORK, user_task.c.assignee)
partial("ix_user_task_instance", OPEN_WORK, user_task.c.instance_id)
Index(None, user_task.c.instance_id, user_task.c.opened_at)  # an instance's whole story
partial("ix_user_task_due", OPEN_WORK, user_task.c.due_at)

deadline = numbered(
    "deadline",
    _of_instance(),
    may("task_id", Text),
    may("token", Integer),
    must("element", Text),
    must("name", Text),
    must("rule", Text),
    must("anchors", Json),
    may("counting", Text),
    may("calendar", Text),  # the version of the working-day table it was counted by
    must("due_at", Instant),
    must("due_day", Text),
    must("status", Text),  # armed | met | missed | cancelled
    must("armed_at", Instant),
    may("closed_at", Instant),
    may("lines", Json),
)
ARMED_DEADLINE = matches(deadline.c.status, "armed")
partial("ix_deadline_due", ARMED_DEADLINE, deadline.c.due_at)
Index(None, deadline.c.instance_id, deadline.c.task_id)

timer = numbered(
    "timer",
    _of_instance(),
    may("token", Integer),
    must("element", Text),
    must("kind", Text),  # event | remind | overdue | retry
    must("rule", Text),
    may("remaining", Integer),
    may("task_id", Text),
    may("facts", Json),
    must("due_at", Instant),
    must("status", Text),  # armed | fired | cancelled
)
ARMED_TIMER = matches(timer.c.status, "armed")
partial("ix_timer_due", ARMED_TIMER, timer.c.due_at)
partial("ix_timer_instance", ARMED_TIMER, timer.c.instance_id, timer.c.task_id)

subscription = numbered(
    "subscription",
    _of_instance(),
    must("token", Integer),
    must("element", Text),
    must("kind", Text),  # message | signal | condition
    must("name", Text),
    may("key", Text),
)
Index(None, subscription.c.kind, subscription.c.name, subscription.c.key)
Index(None, subscription.c.instance_id)

batch = numbered(
    "batch",
    _of_instance(),
    must("token", Integer),
    must("element", Text),
    must("kind", Text),  # task | instance
    must("total", Integer),
    must("spawned", Integer, default=0),
    must("done", Integer, default=0),
    must("width", Integer, default=0),  # how many at once; 0: all
    may("condition", Text),
    must("status", Text),  # active | done | cancelled
    must("facts", Json),
)
Index(None, batch.c.instance_id)

batch_item = Table(
    "batch_item",
    metadata,
    key("batch_id", Id, ForeignKey("batch.id")),
    key("idx", Integer),
    may("input", Json),
    may("output", Json),
    must("status", Text),  # waiting | active | done | cancelled | failed
    may("child_id", Id),
)

job = numbered(
    "job",
    may("instance_id", Id),
    must("kind", Text),
    must("payload", Json),
    must("idem_key", Text, unique=True),
    must("status", Text, default="new"),  # new | done | dead
    must("attempts", Integer, default=0),
    may("not_before", Instant),
    must("created_at", Instant),
    may("done_at", Instant),
    may("error", Text),
)
NEW_JOB = matches(job.c.status, "new")
partial("ix_job_instance", NEW_JOB, job.c.instance_id, job.c.id)
partial("ix_job_created", NEW_JOB, job.c.created_at)
DEAD_JOB = matches(job.c.status, "dead")
partial("ix_job_dead", DEAD_JOB, job.c.instance_id)

# --- what starts by the calendar

schedule = numbered(
    "schedule",
    must("procedure", Text),
    must("unit", Text),
    must("element", Text),
    must("rule", Json),
    may("next_at", Instant),
    may("next_period", Text),
    may("anchors", Json),
    must("status", Text),  # active | paused
    must("created_at", Instant),
    UniqueConstraint("procedure", "unit", "element"),
)
Index(None, schedule.c.next_at)

kickoff = Table(
    "kickoff",
    metadata,
    key("schedule_id", Id, ForeignKey("schedule.id")),
    key("period"),
    must("due_at", Instant),
    may("started_at", Instant),
    must("late", Boolean, default=False),
    may("instance_id", Id),
    must("status", Text),  # started | missed | skipped
)

# --- history that can be checked

journal = Table(
    "journal",
    metadata,
    key("chain"),
    key("seq", Integer),
    must("at", Instant),
    must("by", Text),
    may("acting_for", Text),
    must("kind", Text),
    may("subject", Text),
    must("facts", Text),  # the very bytes that were hashed, so never re-encoded
    must("prev", LargeBinary),
    must("hash", LargeBinary),
    may("delivered_at", Instant),
)
# An auditor asks what happened between two days; one instance's story is a range of the primary key.
# Subjects have no index of their own: they are looked for within a chain.
UNDELIVERED: ColumnElement[bool] = journal.c.delivered_at.is_(None)
Index(None, journal.c.at)
partial("ix_journal_undelivered", UNDELIVERED, journal.c.at)

chain = Table(
    "chain",
    metadata,
    key("name"),
    must("seq", Integer, default=0),
    must("hash", LargeBinary, default=NO_HASH),
    must("sealed", Boolean, default=False, onupdate=False),
)
UNSEALED_CHAIN: ColumnElement[bool] = ~chain.c.sealed

seal = Table(
    "seal",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    must("at", Instant),
    must("heads", Text),
    must("prev", LargeBinary),
    must("hash", LargeBinary),
)

private = Table(
    "private",
    metadata,
    key("digest"),
    must("owner", Text),
    may("salt", LargeBinary),
    may("value", Text),
    may("erased_at", Instant),
)
Index(None, private.c.owner)

# --- the organisation

unit = Table(
    "unit",
    metadata,
    key("id"),
    must("name", Text),
    # Checked at commit: an import may name a unit before its parent.
    may("parent", Text, ForeignKey("unit.id", deferrable=True, initially="DEFERRED")),
    must("active", Boolean, default=True),
)

person = Table(
    "person",
    metadata,
    key("id"),
    must("name", Text),
    may("system_user", Text),
    must("active", Boolean, default=True),
    may("email", Text),
    may("channel", Text),  # how notices reach them: mail | none | the name of a group chat
    may("language", Text),  # zh | en
)

role = Table("role", metadata, key("id"), must("name", Text), must("active", Boolean, default=True))

holding = Table(
    "holding",
    metadata,
    key("person", Text, ForeignKey("person.id")),
    key("role", Text, ForeignKey("role.id")),
    key("unit", Text, ForeignKey("unit.id")),
)

substitute = numbered(
    "substitute",
    must("person", Text, ForeignKey("person.id")),
    must("substitute", Text, ForeignKey("person.id")),
    must("starts", Text),  # the first and the last day, ISO dates
    must("ends", Text),
)
Index(None, substitute.c.person)
Index(None, substitute.c.substitute)

permission = Table("permission", metadata, key("person", Text, ForeignKey("person.id")), key("name"))

calendar_table = numbered(
    "calendar_table",
    may("unit", Text),
    must("year", Integer),
    must("status", Text),  # provisional | published
    must("body", Json),
    must("imported_at", Instant),
    must("imported_by", Text),
)
Index(None, calendar_table.c.year)

setting = Table("setting", metadata, key("name"), must("value", Json))

record = numbered(
    "record",
    _of_instance(),
    must("name", Text),
    may("code", Text),
    must("element", Text),
    must("path", Text),
    must("sha256", Text),
    must("size", Id),
    must("made_at", Instant),
    must("made_by", Text),
)
Index(None, record.c.instance_id)

archive = numbered(
    "archive",
    _of_instance(),
    must("number", Integer),  # of the instance's sealed sets, from 1
    must("sealed_at", Instant), must("sealed_by", Text),
    must("custodian", Text),  # a person or a role
    may("retention", Text), may("keep_until", Text),  # ISO date; None: for ever, or not said
    must("files", Integer), must("size", Id),
    must("manifest", Text), must("sha256", Text),  # the very bytes that were hashed
    UniqueConstraint("instance_id", "number"),
)  # fmt: skip
