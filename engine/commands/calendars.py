"""Importing a working-day table; whatever open instances count by it is worked out again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Text, insert, select, text, type_coerce

from engine.calendar.tables import CalendarTable, Exceptions
from engine.calendar.working import NoTable
from engine.commands import deadlines, moving, recounting, redating, schedules, waits
from engine.commands.core import Command, Context
from engine.errors import NotFound
from engine.model import label
from engine.store import tables
from engine.store.fingerprints import of_calendar
from engine.strict_yaml import Document

_MOVED = ("deadline.moved", "timer.moved", "variables.recounted")
_ALONE = text("LOCK TABLE instance IN EXCLUSIVE MODE")
"""Waits for whoever has an instance locked, and lets others read only. SQLite has one writer anyway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCalendar(Command):
    """Take in a year's table, or (with `unit`) the days a unit decides otherwise."""

    document: Document
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import came to."""

    year: int
    status: str
    fresh: bool
    moved: int = 0
    """Open deadlines whose date moved."""
    timers: int = 0
    """Timers that wait in diagrams and moved."""
    instances: tuple[str, ...] = ()
    """In which dates, deadlines or timers moved: SV-12."""


def import_calendar(cmd: ImportCalendar, ctx: Context) -> Imported:
    """Keep the table as the newest of its year and recompute. Raises Misbuilt for a faulty one.

    Nobody else changes an instance meanwhile: what they counted by the old table would stay unseen.
    """
    if cmd.unit is None:
        table = CalendarTable.from_document(cmd.document)
        year, status, body = table.year, str(table.status.value), table.to_mapping()
    else:
        ctx.units(cmd.unit)
        body = dict(Exceptions.from_document(cmd.document).to_mapping())
        year, status = 0, "published"
    if ctx.conn.dialect.name == "postgresql":
        ctx.conn.execute(_ALONE)
    rows = tables.calendar_table
    newest = ctx.conn.execute(
        select(type_coerce(rows.c.body, Text))
        .where(rows.c.year == year, rows.c.unit == cmd.unit if cmd.unit else rows.c.unit.is_(None))
        .order_by(rows.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    if _stored(newest) == body:
        return Imported(year, status, False)
    ctx.conn.execute(
        insert(rows).values(
            unit=cmd.unit,
            year=year,
            status=status,
            body=body,
            imported_at=ctx.now,
            imported_by=ctx.actor.person,
        )
    )
    moved = _recompute(ctx)
    schedules.replan(ctx)
    facts = {
        "year": year, "status": status, "unit": cmd.unit, "deadlines_moved": moved, "sha256": of_calendar(body),
    }  # fmt: skip
    ctx.note("calendar.imported", facts, subject=str(year))
    told = [fact for fact in ctx.facts if fact.kind in _MOVED]
    touched = tuple(label(number) for number in sorted({fact.instance or 0 for fact in told}))
    timers = sum(fact.kind == "timer.moved" for fact in told)
    return Imported(year, status, True, moved, timers, touched)


def _stored(text: str | None) -> Any:
    """A table as it stands in the database; None for a damaged one, in whose place the new one comes."""
    try:
        return orjson.loads(text or "null")
    except ValueError:
        return None


def _recompute(ctx: Context) -> int:
    """Work out everything that waits again; what moves is journaled with its instance.

    First the dates that steps worked out, from which deadlines and timers count; then the armed deadlines, and the
    timers. Returns how many deadlines moved.
    """
    moved = redating.by_calendar(ctx)
    armed, timer = tables.deadline, tables.timer
    counted = select(armed.c.instance_id).distinct().where(tables.ARMED_DEADLINE)
    for number in ctx.conn.execute(counted).scalars().all():
        instance = ctx.instance(number)
        moving.loaded(ctx, instance)
        rows = ctx.conn.execute(deadlines.ARMED, {"instance": number}).all()
        try:
            moved += recounting.recount(ctx, instance, rows)
        except NoTable as missing:
            raise NotFound(
                "Due dates of {label} in unit {unit} would fall in {year}, which has no working-day table: import that "
                "one first",
                label=instance.label, unit=instance.row["unit"], year=missing.year,
            ) from missing  # fmt: skip
    waiting = select(timer.c.instance_id, timer.c.rule).where(tables.ARMED_TIMER, timer.c.kind == "event")
    timed = {row.instance_id for row in ctx.conn.execute(waiting) if waits.by_calendar(row.rule)}
    for number in sorted(timed):
        instance = ctx.instance(number)
        moving.loaded(ctx, instance)
        waits.retime(ctx, instance)
    recounting.retime_notices(ctx)
    return moved
