"""The turns of a procedure's schedules in one year: an instance is one of them, and proves no more than its own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from engine.calendar.kickoffs import kickoff_of
from engine.calendar.periods import period_named, period_of
from engine.calendar.rules import Rule
from engine.calendar.working import WorkingCalendar
from engine.errors import NotFound
from engine.model import label
from engine.procedures import Procedure
from engine.queries.instances import Instance
from engine.store.calendars import calendar_of
from engine.store.tables import kickoff, schedule

STARTED = ("this", "started")
"""What became of a turn that was had."""


@dataclass(frozen=True, slots=True)
class Turn:
    """A period of the year in which the calendar starts an instance."""

    schedule: str
    """The start event."""
    period: str
    """2026-H1."""
    day: date | None
    """Local; None where the working-day table that it hangs on is not there."""
    status: str
    """this: it started the instance asked about; started: another; missed: it could not start; not started: nothing
    did; to come."""
    instance: str | None


def turns_of(
    conn: Connection, procedure: Procedure, found: Instance, now: datetime, zone: ZoneInfo
) -> tuple[Turn, ...]:
    """All turns of the year that the instance belongs to, for its unit, of every schedule that starts by itself."""
    own = None if found.period is None else period_named(found.period)
    year = (found.started_at.astimezone(zone).date() if own is None else own.begin).year
    calendar = calendar_of(conn, found.unit)
    turns: list[Turn] = []
    for name, each in procedure.schedules.items():
        had = _had(conn, found, name)
        for period, day in _planned(each.rule, year, calendar, zone):
            number, outcome = had.get(period, (None, None))
            if number is not None:
                status = "this" if number == found.id else "started"
            elif outcome is not None:
                status = "missed"
            else:
                status = "to come" if day is None or day > now.astimezone(zone).date() else "not started"
            turns.append(Turn(name, period, day, status, number))
    return tuple(turns)


def _planned(
    rule: Rule, year: int, calendar: WorkingCalendar, zone: ZoneInfo
) -> Iterator[tuple[str, date | None]]:
    if rule.every is None:
        return
    for month in range(1, 13, rule.every.months):
        period = period_of(date(year, month, 1), rule.every).key
        try:
            planned = kickoff_of(period, rule, calendar, zone)
        except NotFound:  # the year's table has not come yet
            yield period, None
        else:
            if planned is not None:
                yield period, planned.day


def _had(conn: Connection, found: Instance, start: str) -> dict[str, tuple[str | None, str]]:
    """By period: the instance that a schedule started, and how that went."""
    rows = conn.execute(
        select(kickoff.c.period, kickoff.c.instance_id, kickoff.c.status)
        .join(schedule, schedule.c.id == kickoff.c.schedule_id)
        .where(
            schedule.c.procedure == found.procedure,
            schedule.c.unit == found.unit,
            schedule.c.element == start,
        )
    )
    return {
        row.period: (None if row.instance_id is None else label(row.instance_id), row.status) for row in rows
    }
