"""What is late in the units somebody answers for."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from engine.store.tables import OPEN_WORK, instance, person, role, unit, user_task


@dataclass(frozen=True, slots=True)
class LateTask:
    """An open task after its due date."""

    id: str
    name: str
    title: str
    period: str | None
    unit: str
    unit_name: str
    role_name: str | None
    assignee_name: str | None
    due_at: datetime


def late_tasks(conn: Connection, now: datetime, units: Collection[str] | None) -> tuple[LateTask, ...]:
    """Open tasks after their due date, the oldest first; `units` None: of all units."""
    query = (
        select(
            user_task.c.id, user_task.c.name, instance.c.title, instance.c.period, user_task.c.unit,
            unit.c.name.label("unit_name"), role.c.name.label("role_name"),
            person.c.name.label("assignee_name"), user_task.c.due_at,
        )
        .join(instance, instance.c.id == user_task.c.instance_id)
        .join(unit, unit.c.id == user_task.c.unit)
        .outerjoin(role, role.c.id == user_task.c.role)
        .outerjoin(person, person.c.id == user_task.c.assignee)
        .where(OPEN_WORK, user_task.c.due_at <= now, instance.c.status == "running")
        .order_by(user_task.c.due_at, user_task.c.id)
    )  # fmt: skip
    if units is not None:
        query = query.where(user_task.c.unit.in_(units))
    return tuple(LateTask(**row) for row in conn.execute(query).mappings())


def below(parents: dict[str, str | None], held: Collection[str]) -> set[str]:
    """The units held and all that lie in them."""
    found = set(held)
    while more := {each for each, above in parents.items() if above in found} - found:
        found |= more
    return found
