"""The working-day tables that were imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Connection, Text, select, type_coerce

from engine.store.tables import calendar_table


@dataclass(frozen=True, slots=True)
class Table:
    """A table as imported. Of one year and unit the newest counts; `year` is 0 for a unit's own days."""

    year: int
    unit: str | None
    status: str
    body: Mapping[str, Any]
    """As `engine.calendar.tables` reads it; empty where the row is damaged."""
    imported_at: datetime
    imported_by: str
    versions: int
    """How often it was imported, each time differing."""


def units_differ(conn: Connection) -> bool:
    """Whether any unit decides days for itself."""
    own = select(calendar_table.c.id).where(calendar_table.c.unit.is_not(None)).limit(1)
    return conn.execute(own).first() is not None


def tables(conn: Connection) -> tuple[Table, ...]:
    """The tables that count, by year; the units' own days last."""
    newest: dict[tuple[bool, int, str], Table] = {}
    columns = [each for each in calendar_table.c if each.name != "body"]
    body = type_coerce(calendar_table.c.body, Text).label("body")
    for row in conn.execute(select(*columns, body).order_by(calendar_table.c.id)):
        place = (row.unit is not None, row.year, row.unit or "")
        before = newest.get(place)
        newest[place] = Table(
            row.year, row.unit, row.status, _body(row.body), row.imported_at, row.imported_by,
            1 if before is None else before.versions + 1,
        )  # fmt: skip
    return tuple(newest[place] for place in sorted(newest))


def _body(text: str) -> Mapping[str, Any]:
    try:
        found = orjson.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
