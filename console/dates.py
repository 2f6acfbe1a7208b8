"""Dates as people read them: the local day or minute, and how many working days remain."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from console.language import both, tr
from console.output import Cell
from engine.calendar.counting import working_days_between
from engine.calendar.working import WorkingCalendar
from engine.errors import EngineError

_WEEKDAYS = tuple(zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True))
_MOMENT = timedelta(microseconds=1)


def day_text(day: date) -> str:
    """`2026-09-14 周一`."""
    zh, en = _WEEKDAYS[day.weekday()]
    return f"{day.isoformat()} {both(f'周{zh}', en)}"


def moment_text(at: datetime, zone: ZoneInfo) -> str:
    """`2026-09-14 09:00`, local."""
    return at.astimezone(zone).strftime("%Y-%m-%d %H:%M")


def due_day(at: datetime, zone: ZoneInfo) -> date:
    """The local day that is the last in time; `at` is the first instant that is late."""
    return (at.astimezone(UTC) - _MOMENT).astimezone(zone).date()


def due_text(at: datetime | None, zone: ZoneInfo) -> str:
    """The due day, with the time where it is not the end of the day."""
    if at is None:
        return ""
    local = at.astimezone(zone)
    return (
        day_text(due_day(at, zone)) if local.time() == time() else f"{day_text(local.date())} {local:%H:%M}"
    )


def left_text(at: datetime | None, now: datetime, zone: ZoneInfo, calendar: WorkingCalendar) -> Cell:
    """How far off a due date is, in working days: `in 3 working days`, `today`, `2 working days late`."""
    if at is None:
        return Cell("")
    today, day = now.astimezone(zone).date(), due_day(at, zone)
    if now >= at:
        days, working = _between(day, today, calendar)
        if days == 0:
            return Cell(tr("late"), fg="red", bold=True)
        if working:
            text = tr("1 working day late" if days == 1 else "{days} working days late", days=days)
        else:
            text = tr("1 day late" if days == 1 else "{days} days late", days=days)
        return Cell(text, fg="red", bold=True)
    if day == today:
        return Cell(tr("today"), fg="yellow", bold=True)
    days, working = _between(today, day, calendar)
    if working:
        text = tr("in 1 working day" if days == 1 else "in {days} working days", days=days)
    else:
        text = tr("in 1 day" if days == 1 else "in {days} days", days=days)
    return Cell(text, fg="yellow" if days <= 1 else None)


def _between(start: date, end: date, calendar: WorkingCalendar) -> tuple[int, bool]:
    """The days after `start` up to `end`; working days where the calendar has a table for them."""
    try:
        return working_days_between(start, end, calendar), True
    except EngineError:
        return (end - start).days, False
