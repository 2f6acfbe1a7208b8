"""Reminders and overdue notices: to whom the diagram says, entered in the journal, which doubles as the outbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from engine.store import tables

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance


def give(ctx: Context, instance: OpenInstance, timer: Any) -> None:
    """Enter a notice for the people it is meant for; none when the task is done meanwhile."""
    task = None
    if timer.task_id is not None:
        table = tables.user_task
        task = ctx.conn.execute(select(table).where(table.c.id == timer.task_id)).one()
        if task.status not in ("open", "claimed"):
            return
    role = timer.facts.get("role") or (None if task is None else task.role)
    own = task is not None and task.assignee is not None and not timer.facts.get("role")
    to = [task.assignee] if own and task is not None else holders(ctx, role, instance.row["unit"])
    ctx.note(
        "notice.reminder" if timer.kind == "remind" else "notice.overdue",
        {
            "name": timer.facts.get("name"),
            "to": to,
            "role": role,
            "due": timer.facts.get("due"),
            "rule": timer.rule,
        },
        instance=instance.id,
        subject=timer.task_id or timer.element,
    )


def holders(ctx: Context, role: str | None, unit: str) -> list[str]:
    """Who holds a role in a unit or above it."""
    table = tables.holding
    rows = ctx.conn.execute(
        select(table.c.person).where(table.c.role == role, table.c.unit.in_(ctx.units(unit))).distinct()
    )
    return sorted(row.person for row in rows)
