"""Deadlines: armed when a task opens (or the instance begins), met or missed, moved when their dates move.

The dates come from `due_dates`; here they are kept, with the arithmetic behind them, so that
`flow task why` can show it and a changed calendar can recompute it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import bindparam, case, insert, select, update

from engine.bpmn.diagram import Node
from engine.bpmn.rules.properties import notices
from engine.calendar.due import Due
from engine.calendar.durations import parse_duration
from engine.commands.due_dates import ACTUAL, counting_of, parsed, work_out
from engine.errors import Problem
from engine.store import tables
from engine.store.fingerprints import of_arithmetic

if TYPE_CHECKING:
    from engine.commands.core import Context, OpenInstance

WHOLE = "*"
"""The element name of the deadline of the whole instance."""

_INSERT = insert(tables.deadline).returning(tables.deadline.c.id)
INSERT_TIMER = insert(tables.timer)
_CLOSE = (
    update(tables.deadline)
    .where(
        tables.deadline.c.instance_id == bindparam("instance"),
        tables.deadline.c.token == bindparam("place"),
        tables.ARMED_DEADLINE,
    )
    .values(status=bindparam("outcome"), closed_at=bindparam("at"))
    .returning(
        tables.deadline.c.task_id,
        tables.deadline.c.element,
        tables.deadline.c.name,
        tables.deadline.c.due_day,
    )
)
_CLOSE_TASK = (
    update(tables.deadline)
    .where(tables.deadline.c.task_id == bindparam("task"), tables.ARMED_DEADLINE,
           tables.deadline.c.instance_id == bindparam("instance"))
    .values(status=case((tables.deadline.c.due_at > bindparam("at"), "met"), else_="missed"), closed_at=bindparam("at"))
    .returning(tables.deadline.c.status, tables.deadline.c.name, tables.deadline.c.due_day)
)  # fmt: skip
_QUIET = (
    update(tables.timer)
    .where(tables.timer.c.instance_id == bindparam("instance"), tables.timer.c.task_id == bindparam("task"),
           tables.ARMED_TIMER)
    .values(status="cancelled")
)  # fmt: skip
_QUIET_ALL = (
    update(tables.timer)
    .where(tables.timer.c.instance_id == bindparam("instance"), tables.ARMED_TIMER)
    .values(status="cancelled")
)
ARMED = select(tables.deadline).where(
    tables.deadline.c.instance_id == bindparam("instance"), tables.ARMED_DEADLINE
)


@dataclass(frozen=True, slots=True)
class Notice:
    """A reminder or an overdue notice, worked out but not yet armed."""

    kind: str
    """`remind` or `overdue`."""
    length: str
    role: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Promise:
    """A deadline worked out but not yet written."""

    text: str
    due: Due | None
    """None while a date it is measured from is not known yet."""
    notices: tuple[Notice, ...] = ()


def promised(ctx: Context, instance: OpenInstance, node: Node | None) -> Promise | None:
    """The deadline of a user task, or (without node) of the whole instance, as the diagram has it.

    Everything that may refuse is asked here, so that `arm` only has to write. Raises what `resolve` raises.
    """
    text = _properties(instance, node).get("flow.due")
    if not text:
        return None
    due = work_out(ctx, instance, parsed(text), ctx.now)
    return Promise(text, due, () if due is None else notices_of(ctx, instance, node, due))


def arm(
    ctx: Context, instance: OpenInstance, node: Node | None, token: int | None, task: str | None,
    promise: Promise | None,
) -> Due | None:  # fmt: skip
    """Arm a deadline that was worked out.

    One whose date is already past, because the instance was started late, is armed and missed at once.
    """
    if promise is None:
        return None
    if promise.due is None:
        ctx.note("deadline.waits", {"rule": promise.text}, instance=instance.id, subject=task)
        return None
    _store(ctx, instance, node, token, task, promise, promise.due)
    return promise.due


def _properties(instance: OpenInstance, node: Node | None) -> Mapping[str, str]:
    if node is not None:
        return node.properties
    process = instance.definition.diagram.processes.get(instance.row["process"])
    return {} if process is None else process.properties


def _store(
    ctx: Context, instance: OpenInstance, node: Node | None, token: int | None, task: str | None,
    promise: Promise, due: Due,
) -> None:  # fmt: skip
    element = WHOLE if node is None else node.id
    name = instance.definition.procedure.title.of("zh") if node is None else node.label
    missed = due.at <= ctx.now
    if missed:
        say_past(ctx, instance, promise.text, name, due)
    how: dict[str, Any] = {
        "anchors": {"opened": ctx.now.isoformat()}, "counting": counting_of(instance),
        "calendar": ctx.calendar(instance.row["unit"]).version, "lines": [line_of(line) for line in due.lines],
    }  # fmt: skip
    number: int = ctx.conn.execute(
        _INSERT,
        {
            "instance_id": instance.id,
            "task_id": task,
            "token": token,
            "element": element,
            "name": name,
            "rule": promise.text,
            **how,
            "due_at": due.at,
            "due_day": due.day.isoformat(),
            "status": "missed" if missed else "armed",
            "armed_at": ctx.now,
            "closed_at": ctx.now if missed else None,
        },
    ).scalar_one()
    facts = {
        "name": name, "rule": promise.text, "due": due.day.isoformat(), "at": due.at.isoformat(),
        "provisional": due.provisional, "arithmetic": of_arithmetic(**how),
    }  # fmt: skip
    ctx.note("deadline.armed", facts, instance=instance.id, subject=task or element)
    if missed:
        ctx.note(
            "deadline.missed", {"name": name, "due": due.day.isoformat(), "late_from_the_start": True},
            instance=instance.id, subject=task or element,
        )  # fmt: skip
    _arm_notices(ctx, instance, node, task, number, due, promise.notices)


def say_past(ctx: Context, instance: OpenInstance, rule: str, name: str, due: Due) -> None:
    """Remember, by the date variable behind it all, a deadline that is past from the start."""
    anchor, dues = parsed(rule).anchor, instance.definition.dues(instance.row["process"])
    while anchor is not None and anchor.source == "planned" and anchor.name in dues:
        anchor = dues[anchor.name].anchor
    if anchor is not None and anchor.source == "date":
        template = "By this date {name} would have been due on {due}, which is past; enter a later one"
        ctx.past.append(Problem(anchor.name, template, {"name": name, "due": due.day.isoformat()}))


def line_of(line: Any) -> dict[str, object]:
    """A day of a due date's arithmetic, as it is kept."""
    return {
        "day": line.day.isoformat(),
        "count": line.count,
        "reason": str(line.reason),
        "name": line.name,
        "provisional": line.provisional,
    }


def notices_of(ctx: Context, instance: OpenInstance, node: Node | None, due: Due) -> tuple[Notice, ...]:
    """Reminders before, overdue notices after; a reminder whose time has passed is left out."""
    found = []
    for kind, length, role in told_of(_properties(instance, node)):
        sign = -1 if kind == "remind" else 1
        calendar = ctx.calendar(instance.row["unit"])
        at = parse_duration(length).after(due.at, ctx.services.zone, calendar, sign)
        if kind == "overdue" or ctx.now < min(at, due.at):
            found.append(Notice(kind, length, instance.role(role), at))
    return tuple(found)


def _arm_notices(
    ctx: Context, instance: OpenInstance, node: Node | None, task: str | None, deadline: int, due: Due,
    found: tuple[Notice, ...],
) -> None:  # fmt: skip
    for row in timers_of(instance, node, task, deadline, due, found):
        ctx.conn.execute(INSERT_TIMER, row)


def timers_of(
    instance: OpenInstance,
    node: Node | None,
    task: str | None,
    deadline: int,
    due: Due,
    found: tuple[Notice, ...],
) -> list[dict[str, Any]]:
    """Each notice is a timer of its own: their rows."""
    name = instance.definition.procedure.title.of("zh") if node is None else node.label
    return [
        {
            "instance_id": instance.id,
            "element": WHOLE if node is None else node.id,
            "kind": each.kind,
            "rule": f"{each.length} {'before' if each.kind == 'remind' else 'after'} due",
            "task_id": task,
            "facts": {"deadline": deadline, "name": name, "role": each.role, "due": due.day.isoformat()},
            "due_at": each.at,
            "status": "armed",
        }
        for each in found
    ]


def told_of(properties: Mapping[str, str]) -> list[tuple[str, str, str | None]]:
    """The notices the diagram asks for: (remind or overdue, length, role)."""
    found = [("remind", each) for each in notices("flow.remind", properties.get("flow.remind", ""))]
    found += [("overdue", each) for each in notices("flow.overdue", properties.get("flow.overdue", ""))]
    return [(kind, each.length, each.role) for kind, each in found]


def close(ctx: Context, instance: OpenInstance, node: Node, task: str) -> None:
    """The task was completed: its deadline is met, or missed when nobody noticed so far; its notices go."""
    if "flow.due" not in node.properties:
        return
    place = {"instance": instance.id, "task": task}
    closed = ctx.conn.execute(_CLOSE_TASK, {**place, "at": ctx.now}).all()
    if told_of(node.properties):
        ctx.conn.execute(_QUIET, place)
    for row in closed:
        facts = {"name": row.name, "due": row.due_day}
        ctx.note(f"deadline.{row.status}", facts, instance=instance.id, subject=task)


def keep_whole(ctx: Context, instance: OpenInstance, element: str) -> None:
    """The whole's promise ends with an element when the process says so (`flow.due-until`)."""
    if _properties(instance, None).get("flow.due-until") != element:
        return
    table = tables.deadline
    row = ctx.conn.execute(
        update(table)
        .where(table.c.instance_id == instance.id, table.c.element == WHOLE, tables.ARMED_DEADLINE)
        .values(status="met", closed_at=ctx.now)
        .returning(table.c.name, table.c.due_day)
    ).one_or_none()
    if row is not None:
        timer = tables.timer
        ctx.conn.execute(
            update(timer)
            .where(timer.c.instance_id == instance.id, timer.c.task_id.is_(None), timer.c.element == WHOLE)
            .where(tables.ARMED_TIMER)
            .values(status="cancelled")
        )
        ctx.note("deadline.met", {"name": row.name, "due": row.due_day}, instance=instance.id, subject=WHOLE)


def remember_actual(ctx: Context, instance: OpenInstance, node: Node) -> dict[str, object]:
    """The day the element is done, as a variable to set, if some due date of the process is measured from it."""
    if node.id not in instance.definition.measured(instance.row["process"]):
        return {}
    assert instance.run is not None
    return {ACTUAL: {**instance.run.data.get(ACTUAL, {}), node.id: ctx.today.isoformat()}}


def drop(ctx: Context, instance: OpenInstance, token: int) -> None:
    """The task was withdrawn: its deadline no longer counts."""
    rows = ctx.conn.execute(
        _CLOSE, {"instance": instance.id, "place": token, "outcome": "cancelled", "at": ctx.now}
    )
    for row in rows.all():
        ctx.note(
            "deadline.cancelled",
            {"name": row.name, "due": row.due_day},
            instance=instance.id,
            subject=row.task_id or row.element,
        )
        if row.task_id is not None:
            ctx.conn.execute(_QUIET, {"instance": instance.id, "task": row.task_id})


def miss(ctx: Context, instance: OpenInstance, number: int) -> None:
    """The date passed and the promise was not kept."""
    table = tables.deadline
    row = ctx.conn.execute(
        update(table)
        .where(table.c.id == number, table.c.status == "armed", table.c.due_at <= ctx.now)
        .values(status="missed", closed_at=ctx.now)
        .returning(table.c.name, table.c.due_day, table.c.task_id, table.c.element)
    ).one_or_none()
    if row is not None:
        ctx.note(
            "deadline.missed", {"name": row.name, "due": row.due_day},
            instance=instance.id, subject=row.task_id or row.element,
        )  # fmt: skip


def end(ctx: Context, instance: OpenInstance, *, met: bool) -> None:
    """The instance ended: the whole's deadline is met, what else is armed no longer counts."""
    for row in ctx.conn.execute(ARMED, {"instance": instance.id}).all():
        kept = "met" if row.due_at > ctx.now else "missed"
        outcome = kept if met and row.element == WHOLE else "cancelled"
        ctx.conn.execute(
            update(tables.deadline)
            .where(tables.deadline.c.id == row.id)
            .values(status=outcome, closed_at=ctx.now)
        )
        facts = {"name": row.name, "due": row.due_day}
        ctx.note(f"deadline.{outcome}", facts, instance=instance.id, subject=row.task_id or row.element)
    ctx.conn.execute(_QUIET_ALL, {"instance": instance.id})
