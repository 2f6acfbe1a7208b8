"""When something is due: the dates of `due_grammar` worked out, with the arithmetic behind them.

A due date is the end of a day, 24:00 local time: what is due on 2026-09-15 is late from 2026-09-16T00:00.
Only hours, minutes and a date written with its time give another instant. Measured in hours, a date that
serves as anchor fills its day: `after` counts from its end, `before` and `from` from its beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import assert_never
from zoneinfo import ZoneInfo

from engine.calendar.counting import (
    ONE_DAY,
    Count,
    DayLine,
    add_working_days,
    nth_from,
    roll,
)
from engine.calendar.due_grammar import (
    Counting,
    DayOf,
    DueExpression,
    Fixed,
    Offset,
    YearDay,
    anchors,
    parse_due,
)
from engine.calendar.durations import clipped, day_end, day_start
from engine.calendar.periods import period_of
from engine.calendar.working import WorkingCalendar
from engine.errors import Finding, Invalid, Misbuilt, NotFound, Problem

__all__ = ["Due", "DueExpression", "anchors", "parse_due", "plan", "resolve"]

Value = date | datetime
"""What an anchor may be: a whole local day, or an aware point in time."""


@dataclass(frozen=True, slots=True)
class Due:
    """A due date worked out."""

    at: datetime
    """The first instant that is late, in UTC."""
    day: date
    """The local day it is due on."""
    whole_day: bool
    """Whether all of that day is still in time, so that `at` is the next local midnight."""
    lines: tuple[DayLine, ...]
    """The arithmetic, in the order it was done."""

    @property
    def provisional(self) -> bool:
        """Whether it rests on a year whose notice is still to come, so that it may yet move."""
        return any(line.provisional for line in self.lines)

    @property
    def anchor(self) -> Value:
        """What to pass on as another date's anchor: the day, or the instant when it is an exact one.

        Never `at` for a whole day, which already lies on the day after.
        """
        return self.day if self.whole_day else self.at


def resolve(
    expression: DueExpression,
    anchors: Mapping[str, Value],
    opened: datetime,
    calendar: WorkingCalendar,
    zone: ZoneInfo,
    counting: Counting | None = None,
) -> Due:
    """Work out a due date.

    `anchors` gives the dates that `anchors(expression)` names; `opened` (aware) is when the task opens,
    `counting` the procedure's parameter for texts that say `counted`. Raises `NotFound` when an anchor has
    no value or the calendar no table for a year, `Invalid` when `counting` is missing, the period has too
    few working days, or the date leaves the years 1 to 9999.
    """
    start: Value = opened
    if expression.anchor:
        if str(expression.anchor) not in anchors:
            raise NotFound(
                "'{text}' needs the date {anchor}, which has no value yet: set it first",
                text=expression.text,
                anchor=str(expression.anchor),
            )
        start = anchors[str(expression.anchor)]
    return _Reckoning(expression, calendar, zone, counting).due(start)


def plan(
    expressions: Mapping[str, DueExpression],
    anchors: Mapping[str, Value],
    calendar: WorkingCalendar,
    zone: ZoneInfo,
    counting: Counting | None = None,
) -> dict[str, Due]:
    """The dates that can be told before anything opens, by element; chains of `planned(…)` are followed.

    `expressions` holds each element's due date. Left out are those that wait: for the opening of their task,
    for an anchor without a value, or for another that waits. A `planned(…)` already in `anchors` stands
    as it is. Raises `Misbuilt` when elements wait for one another in a circle, else as `resolve`.
    """
    known: dict[str, Value] = dict(anchors)
    planned: dict[str, Due] = {}

    def work_out(element: str, path: tuple[str, ...]) -> None:
        if element in path:
            circle = path[path.index(element) :]
            raise Misbuilt([_circle(element, (*circle, element), expressions[element].text)])
        expression = expressions[element]
        if element in planned or expression.from_opening:
            return
        needed = expression.anchor
        if needed and needed.source == "planned" and str(needed) not in known and needed.name in expressions:
            work_out(needed.name, (*path, element))
        if needed is None or str(needed) in known:
            start = known[str(needed)] if needed else date.min
            planned[element] = _Reckoning(expression, calendar, zone, counting).due(start)
            known.setdefault(f"planned({element})", planned[element].anchor)

    for element in expressions:
        work_out(element, ())
    return planned


def _circle(element: str, circle: tuple[str, ...], text: str) -> Finding:
    return Finding(
        "error",
        "",
        element,
        "The due date '{text}' waits for itself: {circle}",
        "Measure one of these from a date",
        {"text": text, "circle": " > ".join(circle)},
    )


@dataclass(frozen=True, slots=True)
class _Reckoning:
    """One expression with everything but its start."""

    expression: DueExpression
    calendar: WorkingCalendar
    zone: ZoneInfo
    counting: Counting | None

    def due(self, start: Value) -> Due:
        point = self.expression.point
        if isinstance(point, Fixed):
            instant = point.instant
            if isinstance(instant.value, datetime):
                return self.at_instant(instant.at(self.zone), ())
            return self.on_day(Count(instant.value, (self.moved(instant.value, str(instant)),)))
        if isinstance(point, Offset):
            return self.offset(point, start)
        if isinstance(point, DayOf):
            return self.on_day(self.day_of(point, self.local_day(start)))
        if isinstance(point, YearDay):
            year = period_of(self.local_day(start), point.period.unit, point.period.shift)
            day = clipped(year.begin.year, point.month, point.day)
            return self.on_day(Count(day, (self.moved(day, year.key),)))
        assert_never(point)

    def offset(self, point: Offset, start: Value) -> Due:
        counting = point.counting
        if counting == "counted":
            if self.counting is None:
                raise self.invalid(
                    "'{text}' needs the procedure's parameter `counting`: set it to from or after"
                )
            counting = self.counting
        name = str(point.anchor) if point.anchor else "opened"
        duration = point.duration
        sign = -1 if counting == "before" else 1
        first = self.local_day(start)
        begin = DayLine(first, None, "start", name)
        if duration.exact:
            if not isinstance(start, datetime):
                start = day_end(start, self.zone) if counting == "after" else day_start(start, self.zone)
            at = duration.after(start, self.zone, self.calendar, sign)
            return self.at_instant(at, (begin, self.moved(self.local_day(at), str(duration))))
        if duration.working_days is None:
            day = duration.move(first, sign)
            if counting == "from" and not duration.is_zero:
                day -= ONE_DAY
            return self.on_day(Count(day, (begin, self.moved(day, str(duration)))))
        if counting == "from":
            return self.on_day(nth_from(first, duration.working_days, self.calendar))
        count = add_working_days(first, sign * duration.working_days, self.calendar)
        return self.on_day(Count(count.day, (begin, *count.lines)))

    def day_of(self, point: DayOf, base: date) -> Count:
        period = period_of(base, point.period.unit, point.period.shift)
        if not point.working:
            number = point.number if point.number > 0 else (period.end - period.begin).days + 1
            day = min(period.begin + (number - 1) * ONE_DAY, period.end)
            return Count(day, (self.moved(day, period.key),))
        count = nth_from(period.begin if point.number > 0 else period.end, point.number, self.calendar)
        if not period.begin <= count.day <= period.end:
            raise self.invalid(
                "'{text}': {period} has fewer working days: give a smaller number", period=period.key
            )
        return count

    def on_day(self, count: Count) -> Due:
        rolled = roll(count.day, self.expression.roll, self.calendar)
        return Due(day_end(rolled.day, self.zone), rolled.day, True, (*count.lines, *rolled.lines))

    def at_instant(self, at: datetime, lines: tuple[DayLine, ...]) -> Due:
        """An exact instant; moved to a working day it keeps its wall clock time."""
        local = at.astimezone(self.zone)
        rolled = roll(local.date(), self.expression.roll, self.calendar)
        if rolled.day != local.date():
            at = datetime.combine(rolled.day, local.time(), self.zone).astimezone(UTC)
        return Due(at, rolled.day, False, (*lines, *rolled.lines))

    def local_day(self, value: Value) -> date:
        if not isinstance(value, datetime):
            return value
        assert value.tzinfo, "a naive datetime would be read in the zone of the machine"
        return value.astimezone(self.zone).date()

    def moved(self, day: date, name: str) -> DayLine:
        return DayLine(day, None, "date", name)

    def invalid(self, template: str, **params: object) -> Invalid:
        return Invalid([Problem("", template, {"text": self.expression.text, **params})])
