"""What somebody who plays all the people needs to see: every open task, everywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, func, select, text

from engine.bpmn.state import variables as variables_of
from engine.store import tables
from engine.store.organisation import units_above


@dataclass(frozen=True, slots=True, order=True)
class OpenTask:
    """An open task of any instance."""

    id: str
    instance: int
    root: int
    element: str
    unit: str
    unit_name: str
    role: str | None
    assignee: str | None
    excluded: tuple[str, ...]
    opened_at: datetime
    due_at: datetime | None
    place: int
    """Its item's place in its batch, or its instance's."""


def open_tasks(conn: Connection) -> tuple[OpenTask, ...]:
    """All open tasks, oldest first."""
    task, instance, unit = tables.user_task, tables.instance, tables.unit
    rows = conn.execute(
        select(
            task,
            unit.c.name.label("unit_name"),
            func.coalesce(instance.c.root_id, instance.c.id).label("root"),
            func.coalesce(task.c.batch_index, instance.c.batch_index, 0).label("place"),
        )
        .join(instance, instance.c.id == task.c.instance_id)
        .join(unit, unit.c.id == task.c.unit)
        .where(tables.OPEN_WORK, instance.c.status == "running")
        .order_by(task.c.opened_at, task.c.instance_id, task.c.id)
    )
    return tuple(
        OpenTask(
            row.id, row.instance_id, row.root, row.element, row.unit, row.unit_name, row.role, row.assignee,
            tuple(person for person, _ in row.excluded or ()), row.opened_at, row.due_at, row.place,
        )
        for row in rows
    )  # fmt: skip


def over(conn: Connection, procedure: str, period: str, number: int) -> bool:
    """Whether so many instances of the period were started and all of them have ended."""
    table = tables.instance
    rows = conn.execute(
        select(table.c.status).where(
            table.c.procedure == procedure, table.c.period == period, table.c.parent_id.is_(None)
        )
    ).all()
    return len(rows) >= number and all(row.status not in ("running", "suspended") for row in rows)


def holders(conn: Connection, role: str, unit: str) -> list[str]:
    """Who holds a role in a unit or above it; the unit's own people first."""
    table, above = tables.holding, units_above(conn, unit)
    rows = conn.execute(
        select(table.c.person, table.c.unit).where(table.c.role == role, table.c.unit.in_(above))
    )
    ranked = sorted((above.index(row.unit), row.person) for row in rows)
    return list(dict.fromkeys(person for _, person in ranked))


def stand_in(conn: Connection, person: str, day: date) -> str | None:
    """Who stands in for a person on a day."""
    table = tables.substitute
    found = conn.execute(
        select(table.c.substitute).where(
            table.c.person == person, table.c.starts <= day.isoformat(), table.c.ends >= day.isoformat()
        )
    ).scalar()
    return None if found is None else str(found)


def variables(conn: Connection, instance: int) -> Mapping[str, Any]:
    """An instance's variables."""
    table = tables.instance
    return variables_of(conn.execute(select(table.c.state).where(table.c.id == instance)).scalar_one())


def households(conn: Connection) -> int:
    """How many households are on the rosters."""
    return int(conn.execute(text("SELECT count(*) FROM respondent")).scalar_one())


def acted(conn: Connection, person: str, at: datetime) -> bool:
    """Whether a person did something at that very moment."""
    table = tables.journal
    query = select(table.c.seq).where(table.c.at == at, table.c.by == person).limit(1)
    return conn.execute(query).first() is not None


@dataclass(frozen=True, slots=True)
class DoneTask:
    """A task as it was done."""

    id: str
    name: str
    role: str
    person: str
    acting_for: str | None
    due_day: str | None
    closed_at: datetime
    late: bool


@dataclass(frozen=True, slots=True)
class Course:
    """An instance from its start to its end, with those it called."""

    instance: int
    unit: str
    unit_name: str
    title: str
    period: str
    started_at: datetime
    ended_at: datetime | None
    tasks: tuple[DoneTask, ...]
    missed: tuple[str, ...]
    """Names of the steps whose deadline was missed."""


def courses(conn: Connection, procedure: str, period: str) -> tuple[Course, ...]:
    """The courses of a period, by unit."""
    instance, unit = tables.instance, tables.unit
    rows = conn.execute(
        select(instance, unit.c.name.label("unit_name"))
        .join(unit, unit.c.id == instance.c.unit)
        .where(instance.c.procedure == procedure, instance.c.period == period, instance.c.parent_id.is_(None))
        .order_by(instance.c.unit)
    )
    return tuple(
        Course(
            row.id, row.unit, row.unit_name, row.title, period, row.started_at, row.ended_at,
            _done(conn, row.id), _missed(conn, row.id),
        )
        for row in rows.all()
    )  # fmt: skip


def _family(root: int) -> Any:
    table = tables.instance
    return select(table.c.id).where((table.c.id == root) | (table.c.root_id == root))


def _done(conn: Connection, root: int) -> tuple[DoneTask, ...]:
    task, role, person, promise = tables.user_task, tables.role, tables.person, tables.deadline
    absent = tables.person.alias()
    rows = conn.execute(
        select(
            task, role.c.name.label("role_name"), person.c.name.label("person_name"),
            absent.c.name.label("absent_name"), promise.c.due_day,
        )
        .outerjoin(role, role.c.id == task.c.role)
        .outerjoin(person, person.c.id == task.c.closed_by)
        .outerjoin(absent, absent.c.id == task.c.closed_for)
        .outerjoin(promise, promise.c.task_id == task.c.id)
        .where(task.c.instance_id.in_(_family(root)), task.c.status == "done")
        .order_by(task.c.closed_at, task.c.instance_id, task.c.id)
    )  # fmt: skip
    return tuple(
        DoneTask(
            row.id, row.name, row.role_name or "", row.person_name or "", row.absent_name, row.due_day,
            row.closed_at, row.due_at is not None and row.closed_at >= row.due_at,
        )
        for row in rows
    )  # fmt: skip


def _missed(conn: Connection, root: int) -> tuple[str, ...]:
    table = tables.deadline
    rows = conn.execute(
        select(table.c.name)
        .where(table.c.instance_id.in_(_family(root)), table.c.status == "missed")
        .order_by(table.c.id)
    )
    return tuple(dict.fromkeys(row.name for row in rows))
