"""Schedules: what starts by the calendar, what is coming, what should have started and did not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from engine.calendar.kickoffs import fits, known_kickoffs, next_kickoff
from engine.calendar.rules import LatestFit, Manual, rule_from_mapping
from engine.calendar.working import WorkingCalendar
from engine.errors import Conflict, EngineError, Problem
from engine.model import label
from engine.procedures import Procedure
from engine.store.calendars import calendar_of
from engine.store.tables import definition, kickoff, schedule, unit


@dataclass(frozen=True, slots=True)
class Schedule:
    """A rule that starts a procedure for a unit."""

    number: int
    procedure: str
    title: str
    unit: str
    unit_name: str
    element: str
    rule: Any
    status: str
    next_at: datetime | None
    next_period: str | None
    created_at: datetime
    started: Mapping[str, str | None]
    """Periods whose kick-off was dealt with, to the instance."""


@dataclass(frozen=True, slots=True)
class Coming:
    """A start to come."""

    schedule: Schedule
    period: str
    day: date
    """Local."""
    at: datetime
    anchors: Mapping[str, date]
    provisional: bool
    """It rests on a year whose notice is still to come."""
    warnings: tuple[Problem, ...]


@dataclass(frozen=True, slots=True)
class Missed:
    """A kick-off whose time has passed."""

    period: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Overdue:
    """A schedule that should have started something: the first kick-offs it missed, and how many `more`."""

    schedule: Schedule
    missed: tuple[Missed, ...]
    more: int


def schedules(conn: Connection) -> tuple[Schedule, ...]:
    """Every schedule, what starts next first."""
    started: dict[int, dict[str, str | None]] = {}
    for row in conn.execute(select(kickoff.c.schedule_id, kickoff.c.period, kickoff.c.instance_id)):
        number = None if row.instance_id is None else label(row.instance_id)
        started.setdefault(row.schedule_id, {})[row.period] = number
    newest = (
        select(definition.c.procedure, func.max(definition.c.version).label("version"))
        .group_by(definition.c.procedure)
        .subquery()
    )
    titles = (
        select(definition.c.procedure, definition.c.title)
        .join(
            newest,
            (newest.c.procedure == definition.c.procedure) & (newest.c.version == definition.c.version),
        )
        .subquery()
    )
    query = (
        select(schedule, titles.c.title, unit.c.name.label("unit_name"))
        .select_from(
            schedule.outerjoin(titles, titles.c.procedure == schedule.c.procedure).outerjoin(
                unit, unit.c.id == schedule.c.unit
            )
        )
        .order_by(schedule.c.next_at.is_(None), schedule.c.next_at, schedule.c.id)
    )
    return tuple(
        Schedule(
            number=row.id, procedure=row.procedure, title=row.title or row.procedure, unit=row.unit,
            unit_name=row.unit_name or row.unit, element=row.element, rule=row.rule, status=row.status,
            next_at=row.next_at, next_period=row.next_period, created_at=row.created_at,
            started=started.get(row.id, {}),
        )
        for row in conn.execute(query)
    )  # fmt: skip


def coming(
    found: tuple[Schedule, ...],
    start: date,
    end: date,
    calendar: Callable[[str], WorkingCalendar],
    zone: ZoneInfo,
) -> tuple[tuple[Coming, ...], tuple[tuple[Schedule, EngineError], ...]]:
    """The starts of active schedules on the local days `start` to `end`, in order of time, not yet dealt with.

    `calendar` gives a unit's calendar. Second: the schedules that could not be told to the end, and why (a year
    without its working-day table, from which on nothing is told; work that fits into no period).
    """
    starts: list[Coming] = []
    untold: list[tuple[Schedule, EngineError]] = []
    for each in found:
        if each.status != "active":
            continue
        try:
            rule = rule_from_mapping(each.rule, f"schedule {each.element} of {each.procedure}")
            known, missing = known_kickoffs(rule, start, end, calendar(each.unit), zone, each.created_at)
            if missing is not None:
                untold.append((each, missing))
            if known and each.next_at is None:  # a rule that fits nowhere starts nothing
                next_kickoff(rule, datetime.combine(start, time.min, zone), calendar(each.unit), zone)
        except EngineError as error:
            untold.append((each, error))
            continue
        starts += (
            Coming(each, k.period, k.day, k.at, k.anchors, k.provisional, k.warnings)
            for k in known
            if k.period not in each.started
        )
    starts.sort(key=lambda one: (one.at, one.schedule.number))
    return tuple(starts), tuple(untold)


def unplanned(
    found: tuple[Schedule, ...], now: datetime, calendar: Callable[[str], WorkingCalendar], zone: ZoneInfo
) -> tuple[tuple[Schedule, EngineError], ...]:
    """Active schedules whose next start cannot be told, and why: a year without its working-day table, a misfit.

    One that is started by hand has no next start, and is none of these.
    """
    waiting: list[tuple[Schedule, EngineError]] = []
    for each in found:
        if each.status != "active" or each.next_at is not None:
            continue
        try:
            rule = rule_from_mapping(each.rule, f"schedule {each.element} of {each.procedure}")
            if not isinstance(rule.start, Manual):
                next_kickoff(rule, now, calendar(each.unit), zone)
                waiting.append((each, Conflict(_PLAN_AGAIN)))
        except EngineError as error:
            waiting.append((each, error))
    return tuple(waiting)


def misfits(
    conn: Connection, procedure: Procedure, variables: Mapping[str, Any], unit: str
) -> Iterator[Problem]:
    """Whether work begun by hand on the day that the variables name (d0) ends within its period.

    What cannot be told, for want of a day or of a sound table of the year, is passed over: a later step judges it.
    """
    for each in procedure.schedules.values():
        start = each.rule.start
        if isinstance(start, LatestFit):
            with suppress(EngineError, TypeError, ValueError):
                d0 = date.fromisoformat(variables.get("d0", ""))
                period = each.rule.period(d0)
                calendar = calendar_of(conn, unit)
                if period is not None and (
                    misfit := fits(d0, start.working_days, period.end, start.counting, calendar)
                ):
                    yield misfit


_PLAN_AGAIN = "Its next start was never worked out: pause it and resume it with `flow schedule`"


def overdue(
    found: tuple[Schedule, ...], now: datetime, calendar: Callable[[str], WorkingCalendar], zone: ZoneInfo
) -> tuple[Overdue, ...]:
    """Active schedules with kick-offs in the past, and which: nothing is ticking.

    Only what the working-day tables reach can be told of those after the first.
    """
    late: list[Overdue] = []
    for each in found:
        if each.status != "active" or each.next_at is None or each.next_at > now:
            continue
        missed = [Missed(each.next_period or "", each.next_at)]
        with suppress(EngineError):  # the rule as it is kept cannot be read: what was planned stands
            rule = rule_from_mapping(each.rule, f"schedule {each.element} of {each.procedure}")
            first, last = (moment.astimezone(zone).date() for moment in (each.next_at, now))
            after, _ = known_kickoffs(rule, first, last, calendar(each.unit), zone)
            missed += [
                Missed(k.period, k.at)
                for k in after
                if each.next_at < k.at <= now and k.period not in (*each.started, each.next_period)
            ]
        late.append(Overdue(each, tuple(missed[:_MOST_MISSED]), max(0, len(missed) - _MOST_MISSED)))
    return tuple(late)


def passed(
    each: Schedule, now: datetime, calendar: Callable[[str], WorkingCalendar], zone: ZoneInfo
) -> Missed | None:
    """The kick-off of the period that runs now, where its time is over and nothing starts it any more by itself."""
    rule = rule_from_mapping(each.rule, f"schedule {each.element} of {each.procedure}")
    today = now.astimezone(zone).date()
    known, _ = known_kickoffs(rule, today - _LONGEST_PERIOD, today, calendar(each.unit), zone)
    return next(
        (
            Missed(k.period, k.at)
            for k in known
            if k.at <= now <= datetime.combine(k.anchors["period_end"], time.max, zone)
            and k.period not in (*each.started, each.next_period)
        ),
        None,
    )


_LONGEST_PERIOD = timedelta(days=366)
_MOST_MISSED = 6
"""So many kick-offs of a schedule are named."""
