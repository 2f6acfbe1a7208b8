"""Importing a working-day table; every open deadline is worked out again by it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Text, insert, select, type_coerce

from engine.calendar.tables import CalendarTable, Exceptions
from engine.commands import moving, recounting, schedules
from engine.commands.core import Command, Context
from engine.store import tables
from engine.store.fingerprints import of_calendar
from engine.strict_yaml import Document


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
    moved: int
    """Open deadlines whose date moved."""


def import_calendar(cmd: ImportCalendar, ctx: Context) -> Imported:
    """Keep the table as the newest of its year and recompute. Raises Misbuilt for a faulty one."""
    if cmd.unit is None:
        table = CalendarTable.from_document(cmd.document)
        year, status, body = table.year, str(table.status.value), table.to_mapping()
    else:
        ctx.units(cmd.unit)
        body = dict(Exceptions.from_document(cmd.document).to_mapping())
        year, status = 0, "published"
    rows = tables.calendar_table
    newest = ctx.conn.execute(
        select(type_coerce(rows.c.body, Text))
        .where(rows.c.year == year, rows.c.unit == cmd.unit if cmd.unit else rows.c.unit.is_(None))
        .order_by(rows.c.id.desc())
        .limit(1)
    ).scalar_one_or_none()
    if _stored(newest) == body:
        return Imported(year, status, False, 0)
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
    return Imported(year, status, True, moved)


def _stored(text: str | None) -> Any:
    """A table as it stands in the database; None for a damaged one, in whose place the new one comes."""
    try:
        return orjson.loads(text or "null")
    except ValueError:
        return None


def _recompute(ctx: Context) -> int:
    """Work out every armed deadline again; each that moves is journaled with its instance."""
    table = tables.deadline
    moved = 0
    for number in (
        ctx.conn.execute(select(table.c.instance_id).distinct().where(tables.ARMED_DEADLINE)).scalars().all()
    ):
        instance = ctx.instance(number)
        moving.loaded(ctx, instance)
        rows = ctx.conn.execute(
            select(table).where(table.c.instance_id == number, tables.ARMED_DEADLINE)
        ).all()
        moved += recounting.recount(ctx, instance, rows)
    return moved
