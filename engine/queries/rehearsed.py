"""What a rehearsal of a whole span needs: the open tasks of all, what came of it, and what is still open and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, or_, select

from engine.store import tables


@dataclass(frozen=True, slots=True)
class Waiting:
    """An open task of any instance, with what somebody needs to fill it in."""

    id: str
    instance: int
    definition: str
    """The one whose diagram has it: a called one's, not its caller's."""
    root: int
    root_procedure: str
    element: str
    name: str
    form: str | None
    item: Any
    unit: str
    role: str | None
    assignee: str | None
    excluded: tuple[str, ...]
    opened_at: datetime
    due_at: datetime | None


def waiting(conn: Connection) -> tuple[Waiting, ...]:
    """All open tasks of running instances, oldest first."""
    task, instance, root = tables.user_task, tables.instance, tables.instance.alias()
    rows = conn.execute(
        select(task, instance.c.definition, root.c.id.label("root"), root.c.procedure.label("root_procedure"))
        .join(instance, instance.c.id == task.c.instance_id)
        .join(root, root.c.id == func.coalesce(instance.c.root_id, instance.c.id))
        .where(tables.OPEN_WORK, instance.c.status == "running")
        .order_by(task.c.opened_at, task.c.instance_id, task.c.id)
    )
    return tuple(
        Waiting(
            row.id, row.instance_id, row.definition, row.root, row.root_procedure, row.element, row.name,
            row.form, row.item, row.unit, row.role, row.assignee, tuple(person for person, _ in row.excluded or ()),
            row.opened_at, row.due_at,
        )
        for row in rows
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """An instance that nobody called."""

    id: int
    procedure: str
    unit: str
    period: str | None
    by_calendar: bool
    status: str
    started_at: datetime
    ended_at: datetime | None


def runs(conn: Connection) -> tuple[Run, ...]:
    """All instances that nobody called, in the order of their numbers."""
    table, kickoff = tables.instance, tables.kickoff
    fired = select(kickoff.c.instance_id).where(kickoff.c.instance_id.is_not(None))
    rows = conn.execute(
        select(table, table.c.id.in_(fired).label("by_calendar"))
        .where(table.c.parent_id.is_(None))
        .order_by(table.c.id)
    )
    return tuple(
        Run(
            row.id, row.procedure, row.unit, row.period, bool(row.by_calendar), row.status,
            row.started_at, row.ended_at,
        )
        for row in rows
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Promise:
    """A deadline of any instance."""

    root: int
    element: str
    name: str
    due_at: datetime
    due_day: str
    status: str


def promises(conn: Connection) -> tuple[Promise, ...]:
    """All deadlines that were not called off, the first due first."""
    table, instance = tables.deadline, tables.instance
    rows = conn.execute(
        select(table, func.coalesce(instance.c.root_id, instance.c.id).label("root"))
        .join(instance, instance.c.id == table.c.instance_id)
        .where(table.c.status != "cancelled")
        .order_by(table.c.due_at, table.c.id)
    )
    return tuple(Promise(r.root, r.element, r.name, r.due_at, r.due_day, r.status) for r in rows)


@dataclass(frozen=True, slots=True)
class Lain:
    """How long a task lay on the worklist."""

    root: int
    role: str | None
    status: str
    opened_at: datetime
    closed_at: datetime | None


def lain(conn: Connection) -> tuple[Lain, ...]:
    """All tasks there ever were, in the order in which they were opened."""
    table, instance = tables.user_task, tables.instance
    rows = conn.execute(
        select(table, func.coalesce(instance.c.root_id, instance.c.id).label("root"))
        .join(instance, instance.c.id == table.c.instance_id)
        .order_by(table.c.opened_at, table.c.instance_id, table.c.id)
    )
    return tuple(Lain(row.root, row.role, row.status, row.opened_at, row.closed_at) for row in rows)


def role_names(conn: Connection) -> Mapping[str, str]:
    """The names of all roles."""
    return {row.id: row.name for row in conn.execute(select(tables.role.c.id, tables.role.c.name))}


def received(conn: Connection, root: int) -> tuple[str, ...]:
    """The names of the messages and signals that an instance, or one it called, waits for."""
    table = tables.subscription
    rows = conn.execute(
        select(table.c.name).where(table.c.instance_id.in_(_family(root))).distinct().order_by(table.c.name)
    )
    return tuple(rows.scalars())


def next_timer(conn: Connection, root: int) -> tuple[str, datetime] | None:
    """The element and moment of the next timer event that an instance, or one it called, waits for."""
    table = tables.timer
    row = conn.execute(
        select(table.c.element, table.c.due_at)
        .where(tables.ARMED_TIMER, table.c.kind == "event", table.c.instance_id.in_(_family(root)))
        .order_by(table.c.due_at, table.c.id)
        .limit(1)
    ).one_or_none()
    return None if row is None else (row.element, row.due_at)


def incidents(conn: Connection) -> tuple[tuple[int, str], ...]:
    """The instance at the top, and the error, of every job that failed and has not come through since."""
    table, instance = tables.job, tables.instance
    rows = conn.execute(
        select(func.coalesce(instance.c.root_id, instance.c.id).label("root"), table.c.error)
        .join(instance, instance.c.id == table.c.instance_id)
        .where(table.c.status != "done", table.c.error.is_not(None))
        .order_by(table.c.id)
    )
    return tuple((row.root, row.error) for row in rows)


def _family(root: int) -> Any:
    table = tables.instance
    return select(table.c.id).where(or_(table.c.id == root, table.c.root_id == root))
