"""Working-day tables in the database: which count in a unit."""

from __future__ import annotations

from contextlib import suppress
from functools import lru_cache

import orjson
from sqlalchemy import Connection, Text, select, type_coerce

from engine.calendar.tables import CalendarTable, Exceptions
from engine.calendar.working import WorkingCalendar
from engine.errors import EngineError, Misbuilt
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
    try:
        for body in own:
            for side, names in orjson.loads(body).items():
                for name, days in names.items():
                    overrides.setdefault(side, {}).setdefault(name, []).extend(days)
    except (ValueError, AttributeError, TypeError):
        raise EngineError(
            "The days that the unit {unit} decides otherwise are damaged in the database: restore it from a backup",
            unit=unit,
        ) from None
    known = [_table(year, body) for year, body in years]
    return WorkingCalendar.of(
        known, Exceptions.from_mapping(overrides, f"calendar of {unit}") if overrides else None
    )


def damaged(conn: Connection) -> dict[int, EngineError]:
    """The years whose newest table cannot be read, each with what to do."""
    found = {}
    for year, body in {row.year: row.body for row in conn.execute(_ROWS) if row.unit is None}.items():
        try:
            _table(year, body)
        except EngineError as error:
            found[year] = error
    return found


def _table(year: int, body: str) -> CalendarTable:
    with suppress(Misbuilt, ValueError, AttributeError, TypeError):
        return CalendarTable.from_mapping(orjson.loads(body), f"calendar {year}")
    raise EngineError(
        "The working-day table for {year} is damaged in the database: import it again (`flow calendar import FILE`), "
        "or restore the database from a backup",
        year=year,
    )
