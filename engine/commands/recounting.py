"""Open deadlines counted anew: when a date they are measured from changes, or a working-day table.

Ten thousand may be open at once, most of them alike: what is the same is worked out once, and rows are written
in batches, so that the others who wait to write do not wait long.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import Row, bindparam, or_, select, update

from engine.calendar.due import Due
from engine.calendar.durations import parse_duration
from engine.commands import waits
from engine.commands.deadlines import (
    ARMED,
    INSERT_TIMER,
    WHOLE,
    Notice,
    arm,
    line_of,
    notices_of,
    promised,
    say_past,
    timers_of,
)
from engine.commands.due_dates import ACTUAL, date_of, parsed, work_out
from engine.model import InstanceStatus
from engine.store import tables
from engine.store.fingerprints import of_arithmetic

if TYPE_CHECKING:
    from engine.bpmn.diagram import Node
    from engine.commands.core import Context, OpenInstance

_DATE = (
    update(tables.deadline)
    .where(tables.deadline.c.id == bindparam("number"))
    .values(
        {name: bindparam(f"new_{name}") for name in ("due_at", "due_day", "calendar", "lines")}
    )
)  # fmt: skip
_TASK = (
    update(tables.user_task)
    .where(tables.user_task.c.id == bindparam("task"))
    .values(due_at=bindparam("new_due_at"))
)
_NOTED = (
    select(tables.timer, tables.instance.c.unit)
    .join(tables.instance, tables.instance.c.id == tables.timer.c.instance_id)
    .where(
        tables.ARMED_TIMER, tables.timer.c.kind.in_(("remind", "overdue")), tables.timer.c.rule.like("%WD %")
    )
)
_DUES = select(tables.deadline.c.id, tables.deadline.c.due_at)
_MOVE = (
    update(tables.timer)
    .where(tables.timer.c.id == bindparam("number"))
    .values(due_at=bindparam("new_due_at"))
)
_CHUNK = 400
_NOTICES = (
    update(tables.timer)
    .where(tables.timer.c.instance_id == bindparam("instance"), tables.ARMED_TIMER)
    .where(
        or_(tables.timer.c.kind == "remind", tables.timer.c.kind == "overdue"),
        tables.timer.c.element == bindparam("place"),
    )
    .values(status="cancelled")
)
_UNDATED = (
    select(tables.user_task.c.id, tables.user_task.c.element, tables.user_task.c.token)
    .where(tables.user_task.c.instance_id == bindparam("instance"), tables.OPEN_WORK)
    .where(tables.user_task.c.due_at.is_(None))
    .where(tables.user_task.c.element.in_(bindparam("elements", expanding=True)))
)
_WHOLE = (
    select(tables.deadline.c.id)
    .where(tables.deadline.c.instance_id == bindparam("instance"), tables.deadline.c.element == WHOLE)
    .limit(1)
)
_TASK_NOTICES = _NOTICES.where(tables.timer.c.task_id == bindparam("task"))
_WHOLE_NOTICES = _NOTICES.where(tables.timer.c.task_id.is_(None))


def reconsider(ctx: Context, instance: OpenInstance, changed: Mapping[str, object]) -> int:
    """A date the open deadlines, and timers that are due dates, may be measured from was set or changed.

    They are worked out again. Returns how many dates of deadlines moved.
    """
    if ACTUAL not in changed and not any(date_of(value) is not None for value in changed.values()):
        return 0
    if instance.get("status") not in (InstanceStatus.RUNNING, InstanceStatus.SUSPENDED):
        return 0  # it has ended in this very step
    moved = recount(ctx, instance, ctx.conn.execute(ARMED, {"instance": instance.id}).all())
    _arm_waiting(ctx, instance)
    if instance.definition.timed(instance.row["process"]):
        waits.retime(ctx, instance)
    return moved


def _arm_waiting(ctx: Context, instance: OpenInstance) -> None:
    """Arm the deadlines whose date was not known when their task opened, or the instance began."""
    process = instance.row["process"]
    dated = [element for element, due in instance.definition.dues(process).items() if due.anchor is not None]
    place = {"instance": instance.id, "elements": dated}
    for row in ctx.conn.execute(_UNDATED, place).all() if dated else ():
        node = instance.definition.node(process, row.element)
        promise = promised(ctx, instance, node)
        if promise is not None and promise.due is not None:
            arm(ctx, instance, node, row.token, row.id, promise)
            ctx.conn.execute(_TASK, {"task": row.id, "new_due_at": promise.due.at})
    promise = promised(ctx, instance, None)
    if promise is None or promise.due is None:
        return
    if ctx.conn.execute(_WHOLE, {"instance": instance.id}).first() is None:
        arm(ctx, instance, None, None, None, promise)


def recount(ctx: Context, instance: OpenInstance, rows: Iterable[Row[Any]]) -> int:
    """Work armed deadlines of an instance out again, and return how many dates moved.

    A date that moved is journaled, with both; its notices move along.
    """
    return _Recount(ctx, instance).run(rows)


def retime_notices(ctx: Context) -> None:
    """Move the reminders and notices that wait so many working days before or after a date, by the calendar now.

    Those of a date that moved were laid out anew; these are of dates that stayed, or were missed.
    """
    rows = ctx.conn.execute(_NOTED).all()
    dues: dict[int, datetime] = {}
    numbers = sorted({row.facts["deadline"] for row in rows})
    for start in range(0, len(numbers), _CHUNK):
        part = _DUES.where(tables.deadline.c.id.in_(numbers[start : start + _CHUNK]))
        dues |= {row.id: row.due_at for row in ctx.conn.execute(part)}
    moved = []
    for row in rows:
        length, sign = row.rule.partition(" ")[0], -1 if row.kind == "remind" else 1
        calendar = ctx.calendar(row.unit)
        at = parse_duration(length).after(dues[row.facts["deadline"]], ctx.services.zone, calendar, sign)
        if at != row.due_at:
            moved.append({"number": row.id, "new_due_at": at})
    if moved:
        ctx.conn.execute(_MOVE, moved)


class _Recount:
    """The deadlines of one instance, whose process and calendar they share."""

    def __init__(self, ctx: Context, instance: OpenInstance) -> None:
        self.ctx = ctx
        self.instance = instance
        self.calendar = ctx.calendar(instance.row["unit"]).version
        self.dues: dict[tuple[str, str], Due | None] = {}
        self.lines: dict[tuple[str, str], list[dict[str, object]]] = {}
        self.told: dict[tuple[str, str, str], tuple[Notice, ...]] = {}

    def run(self, rows: Iterable[Row[Any]]) -> int:
        dates: list[dict[str, Any]] = []
        tasks: list[dict[str, Any]] = []
        quiet: list[dict[str, Any]] = []
        timers: list[dict[str, Any]] = []
        moved = 0
        for row in rows:
            due = self.due(row)
            if due is None or (due.at == row.due_at and row.calendar == self.calendar):
                continue
            dates.append(self.date(row, due))
            if due.at == row.due_at:
                self.note("deadline.recounted", row, due)
                continue
            moved += 1
            if due.at <= self.ctx.now:
                say_past(self.ctx, self.instance, row.rule, row.name, due)
            self.note("deadline.moved", row, due)
            place = {"instance": self.instance.id, "place": row.element}
            if row.task_id is None:
                self.ctx.conn.execute(_WHOLE_NOTICES, place)
            else:
                tasks.append({"task": row.task_id, "new_due_at": due.at})
                quiet.append({**place, "task": row.task_id})
            node = self.node(row)
            timers += timers_of(self.instance, node, row.task_id, row.id, due, self.notices(row, node, due))
        for statement, values in (
            (_DATE, dates),
            (_TASK, tasks),
            (_TASK_NOTICES, quiet),
            (INSERT_TIMER, timers),
        ):
            if values:
                self.ctx.conn.execute(statement, values)
        return moved

    def due(self, row: Row[Any]) -> Due | None:
        key = (row.rule, row.anchors["opened"])
        if key not in self.dues:
            opened = datetime.fromisoformat(row.anchors["opened"])
            self.dues[key] = due = work_out(self.ctx, self.instance, parsed(row.rule), opened)
            self.lines[key] = [] if due is None else [line_of(line) for line in due.lines]
        return self.dues[key]

    def date(self, row: Row[Any], due: Due) -> dict[str, Any]:
        return {
            "number": row.id, "new_due_at": due.at, "new_due_day": due.day.isoformat(),
            "new_calendar": self.calendar, "new_lines": self.lines[row.rule, row.anchors["opened"]],
        }  # fmt: skip

    def note(self, kind: str, row: Row[Any], due: Due) -> None:
        lines = self.lines[row.rule, row.anchors["opened"]]
        facts = {
            "name": row.name, "from": row.due_day, "to": due.day.isoformat(), "at": due.at.isoformat(),
            "calendar": self.calendar,
            "arithmetic": of_arithmetic(row.anchors, row.counting, calendar=self.calendar, lines=lines),
        }  # fmt: skip
        self.ctx.note(kind, facts, instance=self.instance.id, subject=row.task_id or row.element)

    def node(self, row: Row[Any]) -> Node | None:
        if row.element == WHOLE:
            return None
        return self.instance.definition.node(self.instance.row["process"], row.element)

    def notices(self, row: Row[Any], node: Node | None, due: Due) -> tuple[Notice, ...]:
        key = (row.element, row.rule, row.anchors["opened"])
        if key not in self.told:
            self.told[key] = notices_of(self.ctx, self.instance, node, due)
        return self.told[key]
