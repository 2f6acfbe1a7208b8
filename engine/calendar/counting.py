"""Counting working days, with the arithmetic shown day by day.

Two ways of counting occur in the documents: *after* a day (the day itself does not count) and *from*
a day (it is day 1 when it is worked). `add_working_days` counts after, `nth_from` counts from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from engine.calendar.working import DayMark, WorkingCalendar
from engine.errors import Invalid, Problem

Roll = Literal["next", "previous", "none"]
ROLLS: tuple[Roll, ...] = ("next", "previous", "none")

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class DayLine:
    """One line of the arithmetic: a day, its number when it counted, and why it did or did not.

    `reason` is a `Reason`, `start` (the day that counting starts from, when it does not count itself) or
    `date` (a day that calendar arithmetic leads to); `name` is the holiday, the anchor or the duration.
    """

    day: date
    count: int | None
    reason: str
    name: str = ""
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Count:
    """The day reached and the lines that lead there."""

    day: date
    lines: tuple[DayLine, ...]

    @property
    def provisional(self) -> bool:
        """Whether a day of a year without its notice was looked at."""
        return any(line.provisional for line in self.lines)


def line_of(day: date, mark: DayMark, count: int | None) -> DayLine:
    """The line for a day that was looked at."""
    return DayLine(day, count, mark.reason.value, mark.name, mark.provisional)


def _days(start: date, step: timedelta) -> Iterator[date]:
    day = start
    while True:
        yield day
        try:
            day += step
        except OverflowError as error:
            raise out_of_range(start) from error


def _count(first: date, number: int, step: timedelta, calendar: WorkingCalendar) -> Count:
    """Look at days from `first` on (itself included) until `number` worked ones have been counted."""
    lines: list[DayLine] = []
    counted = 0
    for day in _days(first, step):
        mark = calendar.mark(day)
        counted += mark.working
        lines.append(line_of(day, mark, counted if mark.working else None))
        if counted == number:
            break
    return Count(day, tuple(lines))


def add_working_days(start: date, number: int, calendar: WorkingCalendar) -> Count:
    """The number-th working day strictly after `start`, or strictly before it when negative.

    0 gives `start` itself, or the next working day when it is not one. `start` need not be a working
    day: one working day after a Saturday is the Monday. `NotFound` when the count runs out of the tables.
    """
    if number == 0:
        return roll(start, "next", calendar)
    step = ONE_DAY if number > 0 else -ONE_DAY
    try:
        first = start + step
    except OverflowError as error:
        raise out_of_range(start) from error
    return _count(first, abs(number), step, calendar)


def nth_from(start: date, number: int, calendar: WorkingCalendar) -> Count:
    """The number-th working day, `start` being day 1 when worked (else the first one after it is).

    A negative number counts back in the same way; 0 is the same as in `add_working_days`.
    """
    if number == 0:
        return roll(start, "next", calendar)
    return _count(start, abs(number), ONE_DAY if number > 0 else -ONE_DAY, calendar)


def roll(day: date, direction: Roll, calendar: WorkingCalendar) -> Count:
    """`day` when worked, else the nearest working day in that direction; `none` leaves it as it is.

    With `none` the calendar is not asked, so the year need not have a table.
    """
    if direction == "none":
        return Count(day, ())
    return _count(day, 1, ONE_DAY if direction == "next" else -ONE_DAY, calendar)


def working_days_between(start: date, end: date, calendar: WorkingCalendar) -> int:
    """How many working days lie after `start` up to and including `end`; negative when `end` is earlier.

    It undoes `add_working_days`: for a working day `end`, adding the number to `start` gives `end` again.
    """
    if end < start:
        return -sum(calendar.is_working(end + n * ONE_DAY) for n in range((start - end).days))
    return sum(calendar.is_working(start + n * ONE_DAY) for n in range(1, (end - start).days + 1))


def out_of_range(day: date) -> Invalid:
    """The error for arithmetic that leaves the years 1 to 9999."""
    return Invalid(
        [
            Problem(
                "",
                "The count from {day} leaves the years 1 to 9999: give a shorter duration",
                {"day": day.isoformat()},
            )
        ]
    )
