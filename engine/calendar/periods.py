"""Months, quarters, half-years and years: the periods that schedules repeat by and due dates count in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from engine.calendar.counting import out_of_range
from engine.calendar.durations import month_length


class Unit(StrEnum):
    """A kind of period."""

    MONTH = "month"
    QUARTER = "quarter"
    HALF_YEAR = "half-year"
    YEAR = "year"

    @property
    def months(self) -> int:
        """How many months it lasts."""
        return {Unit.MONTH: 1, Unit.QUARTER: 3, Unit.HALF_YEAR: 6, Unit.YEAR: 12}[self]

    @property
    def longest(self) -> int:
        """The most days it can have."""
        return {Unit.MONTH: 31, Unit.QUARTER: 92, Unit.HALF_YEAR: 184, Unit.YEAR: 366}[self]


@dataclass(frozen=True, slots=True)
class Period:
    """One period, both days included; `key` names it within its unit, as 2026-06, 2026-Q3, 2026-H1, 2026."""

    key: str
    begin: date
    end: date


def period_of(day: date, unit: Unit, shift: int = 0) -> Period:
    """The period that holds `day`, or the one `shift` periods later (earlier when negative).

    `Invalid` when it lies outside the years 1 to 9999.
    """
    number = (day.year * 12 + day.month - 1) // unit.months + shift
    year, month = divmod(number * unit.months, 12)
    last = month + unit.months
    try:
        return Period(
            _key(year, month // unit.months + 1, unit),
            date(year, month + 1, 1),
            date(year, last, month_length(year, last)),
        )
    except ValueError as error:
        raise out_of_range(day) from error


def _key(year: int, number: int, unit: Unit) -> str:
    within = {Unit.MONTH: f"-{number:02}", Unit.QUARTER: f"-Q{number}", Unit.HALF_YEAR: f"-H{number}"}
    return f"{year:04}{within.get(unit, '')}"
