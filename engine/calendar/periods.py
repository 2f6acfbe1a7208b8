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


def key_form(unit: Unit | None) -> str:
    """An example of how a period of that kind is written; of each kind without one."""
    forms = {Unit.MONTH: "2026-06", Unit.QUARTER: "2026-Q3", Unit.HALF_YEAR: "2026-H1", Unit.YEAR: "2026"}
    return ", ".join(forms.values()) if unit is None else forms[unit]


def period_named(key: str, unit: Unit | None = None) -> Period | None:
    """The period of that key, as 2026-Q3, if there is one (of that kind)."""
    if not key[:4].isascii() or not key[:4].isdigit() or int(key[:4]) == 0:
        return None
    for kind in Unit if unit is None else (unit,):
        for month in range(1, 13, kind.months):
            found = period_of(date(int(key[:4]), month, 1), kind)
            if found.key == key:
                return found
    return None


def _key(year: int, number: int, unit: Unit) -> str:
    within = {Unit.MONTH: f"-{number:02}", Unit.QUARTER: f"-Q{number}", Unit.HALF_YEAR: f"-H{number}"}
    return f"{year:04}{within.get(unit, '')}"
