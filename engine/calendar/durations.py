"""Durations, repeats and points in time as diagrams write them (ISO 8601-1:2019, clauses 5.3 to 5.6).

    duration = "P" [n "Y"] [n "M"] [n "D"] ["T" [n "H"] [n "M"] [n "S"]]             P1M, P1DT12H
             | "P" n "W"                                                             P2W
             | "P" n "WD"                                                            P15WD: working days
    cycle    = "R" [n] "/" [instant "/"] duration                                    R3/P1W, R/PT1H
    instant  = date | date "T" hh ":" mm [":" ss] ["Z" | offset]                     2026-12-31T17:00

Working days are our addition to the standard. Whole numbers only: a decimal fraction of a day or month
has no agreed length. An instant without an offset is in the organisation's zone, and a bare date is the
first moment of that day. A month added to the 31st ends on the last day of a shorter month.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from typing import Never
from zoneinfo import ZoneInfo

from engine.calendar.counting import add_working_days, out_of_range
from engine.calendar.working import WorkingCalendar
from engine.errors import Invalid, Problem

_DURATION = re.compile(
    r"P(?P<weeks>\d+)W|P(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)S)?)?",
    re.ASCII,
)
_WORKING_DAYS = re.compile(r"P(\d+)WD", re.ASCII)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\d(?P<time>T\d\d:\d\d(:\d\d(\.\d{1,6})?)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)
_CYCLE = re.compile(r"R(?P<repeats>\d*)/(?:(?P<start>[^/]*)/)?(?P<every>[^/]*)", re.ASCII)
MOST = 99_999_999
"""The largest number in a duration: enough for three years in seconds, small enough to compute with."""
LONGEST = 1_000
"""Years that a duration may be long; no calendar goes on for ever."""
_IN_A_YEAR = {
    "years": 1, "months": 12, "weeks": 52, "days": 365, "hours": 8_760, "minutes": 525_600, "seconds": 31_536_000,
    "working_days": 250,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Duration:
    """A length of time, either working days alone or calendar units; `str` gives its ISO 8601 text."""

    years: int = 0
    months: int = 0
    weeks: int = 0
    days: int = 0
    hours: int = 0
    minutes: int = 0
    seconds: int = 0
    working_days: int | None = None
    """Alone when given. 0 is not None: P0WD is the next working day if this is none, P0D is this day."""

    @property
    def exact(self) -> timedelta:
        """The part of hours, minutes and seconds."""
        return timedelta(hours=self.hours, minutes=self.minutes, seconds=self.seconds)

    @property
    def is_zero(self) -> bool:
        """Whether it leads nowhere."""
        return not any(getattr(self, part.name) for part in fields(self))

    def __str__(self) -> str:
        if self.working_days is not None:
            return f"P{self.working_days}WD"
        day = _written(Y=self.years, M=self.months, W=self.weeks, D=self.days)
        clock = _written(H=self.hours, M=self.minutes, S=self.seconds)
        return f"P{day}T{clock}" if clock else f"P{day or '0D'}"

    def __mul__(self, times: int) -> Duration:
        """So many of it in one: the months of three `P1M` are added before the day is clipped."""
        numbers = {part.name: getattr(self, part.name) for part in fields(self)}
        return Duration(**{name: number and number * times for name, number in numbers.items()})

    def move(self, day: date, sign: int = 1) -> date:
        """The calendar date its years, months, weeks and days lead to, forward or (`sign` -1) back.

        Years and months first, clipped to the end of the month, then weeks and days. Its time part and
        working days play no part. `Invalid` when the date leaves the years 1 to 9999.
        """
        months = day.year * 12 + day.month - 1 + sign * (self.years * 12 + self.months)
        try:
            moved = clipped(months // 12, months % 12 + 1, day.day)
            return moved + sign * timedelta(weeks=self.weeks, days=self.days)
        except (ValueError, OverflowError) as error:
            raise out_of_range(day) from error

    def after(self, moment: datetime, zone: ZoneInfo, calendar: WorkingCalendar, sign: int = 1) -> datetime:
        """The instant (UTC) this long after `moment`, or before it with `sign` -1.

        Days, working days and longer units keep the wall clock of `zone`; the time part is exact. A wall
        clock time that a change to summer time skips is moved on by the length of the change.
        `NotFound` when `calendar` lacks a year that working days need, `Invalid` as in `move`.
        """
        local = moment.astimezone(zone)
        if self.working_days is None:
            day = self.move(local.date(), sign)
        else:
            day = add_working_days(local.date(), sign * self.working_days, calendar).day
        if day != local.date():
            local = datetime.combine(day, local.time().replace(fold=0), zone)
        try:
            return local.astimezone(UTC) + sign * self.exact
        except OverflowError as error:
            raise out_of_range(day) from error


@dataclass(frozen=True, slots=True)
class Instant:
    """A day (its first moment), or a point in time; one without an offset is in the organisation's zone."""

    value: date | datetime

    def at(self, zone: ZoneInfo) -> datetime:
        """The point in time, in UTC."""
        if not isinstance(self.value, datetime):
            return day_start(self.value, zone)
        local = self.value if self.value.tzinfo else self.value.replace(tzinfo=zone)
        return _utc(local)

    def __str__(self) -> str:
        return self.value.isoformat()


@dataclass(frozen=True, slots=True)
class Cycle:
    """A repetition: `repeats` firings (None: without end), one `every` so long."""

    repeats: int | None
    every: Duration
    start: Instant | None = None
    """Where counting starts, if not at the moment the timer is armed."""

    def firing(
        self, number: int, armed: datetime, zone: ZoneInfo, calendar: WorkingCalendar
    ) -> datetime | None:
        """When firing `number` (from 1) is due, in UTC; None after the last one.

        Each is counted from the start, so that monthly firings of the 31st do not drift to the 28th.
        With a start of its own the first firing is that instant, as ISO 8601 has it.
        """
        if self.repeats is not None and number > self.repeats:
            return None
        if self.start is None:
            return (self.every * number).after(armed, zone, calendar)
        return (self.every * (number - 1)).after(self.start.at(zone), zone, calendar)

    def following(
        self, number: int, now: datetime, armed: datetime, zone: ZoneInfo, calendar: WorkingCalendar
    ) -> int:
        """The number of the first firing from `number` on that is later than `now`, or that there is none of."""
        if self.every == Duration(
            hours=self.every.hours, minutes=self.every.minutes, seconds=self.every.seconds
        ):
            first = self.firing(
                1, armed, zone, calendar
            )  # these may be many millions: they are not tried one by one
            assert first is not None
            return max(number, (now - first) // self.every.exact + 2)
        while (due := self.firing(number, armed, zone, calendar)) is not None and due <= now:
            number += 1
        return number

    def __str__(self) -> str:
        parts = [f"R{'' if self.repeats is None else self.repeats}", self.start, self.every]
        return "/".join(str(part) for part in parts if part is not None)


def parse_duration(text: str) -> Duration:
    """Read one duration; `Invalid` says what is wrong and what to write instead."""
    working = _WORKING_DAYS.fullmatch(text)
    if working:
        return _bounded(text, working_days=_number(working[1], text))
    match = _DURATION.fullmatch(text)
    parts = {unit: digits for unit, digits in match.groupdict().items() if digits} if match else {}
    if not parts or text.endswith("T"):
        _refuse_duration(text)
    return _bounded(text, **{unit: _number(digits, text) for unit, digits in parts.items()})


def _bounded(text: str, **units: int) -> Duration:
    if sum(number / _IN_A_YEAR[unit] for unit, number in units.items()) > LONGEST:
        raise _problem("'{text}' is longer than {most} years: give a shorter duration", text, most=LONGEST)
    return Duration(**units)


def parse_instant(text: str) -> Instant:
    """Read a date or a date with a time; `Invalid` when it is neither, or no such day exists."""
    match = _INSTANT.fullmatch(text)
    if match is None:
        raise _problem("'{text}' is no date: write 2026-12-31 or 2026-12-31T17:00", text)
    try:
        return Instant(datetime.fromisoformat(text) if match["time"] else date.fromisoformat(text))
    except ValueError as error:
        raise _problem(
            "'{text}' names no day or hour there is: correct it (the day ends at 23:59:59)", text
        ) from error


def parse_timer(text: str) -> Duration | Cycle | Instant:
    """Read a timer's text, whichever of the three it is; `Invalid` when it is none."""
    text = text.strip()
    if text.startswith("R"):
        return _parse_cycle(text)
    if text.startswith(("P", "-P", "+P")):
        return parse_duration(text)
    if text[:1].isdigit() and " " not in text:
        return parse_instant(text)
    raise _problem(
        "'{text}' is no timer: write a duration (P15D, P5WD, PT4H), a repeat (R3/P1W) or a date (2026-12-31)",
        text,
    )


def day_start(day: date, zone: ZoneInfo) -> datetime:
    """The first moment of a local day, in UTC."""
    return _utc(datetime.combine(day, time.min, zone))


def day_end(day: date, zone: ZoneInfo) -> datetime:
    """24:00 of a local day, which is the first moment of the next, in UTC."""
    try:
        return day_start(day + timedelta(days=1), zone)
    except OverflowError as error:
        raise out_of_range(day) from error


def clipped(year: int, month: int, day: int) -> date:
    """That day of the month, or the month's last one when it is shorter."""
    return date(year, month, min(day, month_length(year, month)))


def month_length(year: int, month: int) -> int:
    """How many days the month has."""
    if month == 12:
        return 31
    return (date(year, month + 1, 1) - date(year, month, 1)).days


def _utc(local: datetime) -> datetime:
    try:
        return local.astimezone(UTC)
    except OverflowError as error:
        raise out_of_range(local.date()) from error


def _parse_cycle(text: str) -> Cycle:
    match = _CYCLE.fullmatch(text)
    if match is None:
        raise _problem("'{text}' is no repeat: write R3/P1W, or R/PT1H without end", text)
    if match["start"] and match["start"].startswith("P"):
        raise _problem("'{text}' repeats up to an end: give the start first, as in R3/2026-12-31/P1W", text)
    start = parse_instant(match["start"]) if match["start"] is not None else None
    repeats = _number(match["repeats"], text) if match["repeats"] else None
    every = parse_duration(match["every"])
    if repeats == 0:
        raise _problem("'{text}' repeats 0 times: give a number from 1, or none for without end", text)
    if every.is_zero:
        raise _problem("'{text}' repeats without a pause: give a duration above zero", text)
    return Cycle(repeats, every, start)


def _number(digits: str, text: str) -> int:
    if len(digits) > len(str(MOST)):
        raise _problem("'{text}' holds a number above {most}: give a smaller one", text, most=MOST)
    return int(digits)


def _written(**units: int) -> str:
    return "".join(f"{number}{unit}" for unit, number in units.items() if number)


def _refuse_duration(text: str) -> Never:
    if re.search(r"\d[.,]\d", text):
        raise _problem(
            "'{text}' has a decimal fraction: give a whole number of a smaller unit, as PT90M", text
        )
    if "WD" in text:
        raise _problem(
            "'{text}' mixes working days with another unit: write working days alone, as P5WD", text
        )
    if re.search(r"\dW", text):
        raise _problem("'{text}' mixes weeks with another unit: write weeks alone, as P2W, or days", text)
    if text.startswith(("-", "+")):
        raise _problem("'{text}' has a sign: write `before` or `after` in a due date instead", text)
    raise _problem("'{text}' is no duration: write P15D, P2W, P1M, PT4H or, in working days, P5WD", text)


def _problem(template: str, text: str, **params: object) -> Invalid:
    return Invalid([Problem("", template, {"text": text, **params})])
