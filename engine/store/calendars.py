"""Working-day tables in the database: which count in a unit."""

from __future__ import annotations

from functools import lru_cache

import orjson
from sqlalchemy import Connection, Text, select, type_coerce

from engine.calendar.tables import CalendarTable, Exceptions
from engine.calendar.working import WorkingCalendar
from engine.store import tables
from engine.store.organisation import units_above

_ROWS = select(
    tables.calendar_table.c.unit,
    tables.calendar_table.c.year,
    type_coerce(tables.calendar_table.c.body, Text).label("body"),
).order_by(tables.calendar_table.c.id)


def calendar_of(conn: Connection, unit: str) -> WorkingCalendar:
    """The calendar that counts in a unit: the newest table of each year, and the nearest unit's own days."""
    rows = conn.execute(_ROWS).all()
    years = {row.year: row.body for row in rows if row.unit is None}
    own: dict[str, dict[int, str]] = {}
    for row in rows:
        if row.unit is not None:
            own.setdefault(row.unit, {})[row.year] = row.body
    nearest = next((each for each in units_above(conn, unit) if each in own), None) if own else None
    return _built(
        tuple(sorted(years.items())), nearest, tuple(own[nearest].values()) if nearest is not None else ()
    )


@lru_cache(maxsize=256)
def _built(years: tuple[tuple[int, str], ...], unit: str | None, own: tuple[str, ...]) -> WorkingCalendar:
    """The same rows give the same calendar, so it is kept by their very text: reading it takes a while."""
    overrides: dict[str, dict[str, list[str]]] = {}
    for body in own:
        for side, names in orjson.loads(body).items():
            for name, days in names.items():
                overrides.setdefault(side, {}).setdefault(name, []).extend(days)
    known = [CalendarTable.from_mapping(orjson.loads(body), f"calendar {year}") for year, body in years]
    return WorkingCalendar.of(
        known, Exceptions.from_mapping(overrides, f"calendar of {unit}") if overrides else None
    )
