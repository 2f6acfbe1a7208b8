"""The calendar of a unit: for any day, whether it is worked, why, and how sure that is."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import cached_property
from itertools import pairwise

from engine.calendar.tables import CalendarTable, Exceptions, Status
from engine.errors import Finding, Misbuilt, NotFound

_SATURDAY = 5


class NoTable(NotFound):
    """No working-day table covers the year that a date leads into."""

    def __init__(self, year: int, known: str) -> None:
        super().__init__(
            "No working-day table for {year}: import one with `flow calendar import` (known: {known})",
            year=year,
            known=known,
        )
        self.year = year


class Reason(StrEnum):
    """Why a day is worked or not."""

    WEEKDAY = "weekday"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"
    MAKE_UP_DAY = "make-up day"
    UNIT_DAY_OFF = "unit's day off"
    UNIT_WORKING_DAY = "unit's working day"


@dataclass(frozen=True, slots=True)
class DayMark:
    """What the calendar says of one day; `name` is the holiday, or the unit's own reason."""

    working: bool
    reason: Reason
    name: str
    provisional: bool


@dataclass(frozen=True)
class WorkingCalendar:
    """The tables of the years known, and the days a unit decides otherwise. Build it with `of`."""

    tables: tuple[CalendarTable, ...]
    overrides: Exceptions

    @classmethod
    def of(cls, tables: Iterable[CalendarTable], overrides: Exceptions | None = None) -> WorkingCalendar:
        """One table a year, in any order; `Misbuilt` when a year comes twice."""
        ordered = tuple(sorted(tables, key=lambda table: table.year))
        twice = sorted({a.year for a, b in pairwise(ordered) if a.year == b.year})
        if twice:
            raise Misbuilt(
                Finding(
                    "error",
                    "",
                    "year",
                    "Two tables are given for {year}",
                    "Keep the one of the latest notice",
                    {"year": year},
                )
                for year in twice
            )
        return cls(ordered, overrides or Exceptions())

    @cached_property
    def _by_year(self) -> dict[int, CalendarTable]:
        return {table.year: table for table in self.tables}

    @cached_property
    def version(self) -> str:
        """Twelve hex digits that change whenever any day, name or status does."""
        plain = {
            "tables": [table.to_mapping() for table in self.tables],
            "overrides": self.overrides.to_mapping(),
        }
        text = json.dumps(plain, ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def mark(self, day: date) -> DayMark:
        """All the calendar says of a day; `NoTable` when none covers its year.

        A day the unit decides itself is settled, so it is never provisional.
        """
        table = self._table(day.year)
        if day in self.overrides.days_off:
            return DayMark(False, Reason.UNIT_DAY_OFF, self.overrides.days_off[day], False)
        if day in self.overrides.days_worked:
            return DayMark(True, Reason.UNIT_WORKING_DAY, self.overrides.days_worked[day], False)
        provisional = table.status is Status.PROVISIONAL
        if day in table.exceptions.days_off:
            return DayMark(False, Reason.HOLIDAY, table.exceptions.days_off[day], provisional)
        if day in table.exceptions.days_worked:
            return DayMark(True, Reason.MAKE_UP_DAY, table.exceptions.days_worked[day], provisional)
        if day.weekday() >= _SATURDAY:
            return DayMark(False, Reason.WEEKEND, "", provisional)
        return DayMark(True, Reason.WEEKDAY, "", provisional)

    def is_working(self, day: date) -> bool:
        """Whether the day is worked; `NotFound` as in `mark`."""
        return self.mark(day).working

    def is_provisional(self, day: date) -> bool:
        """Whether the year's notice is still to come; `NotFound` as in `mark`."""
        return self.mark(day).provisional

    def why(self, day: date) -> str:
        """The reason in a few words, such as `weekend` or `holiday: 国庆节`; `NotFound` as in `mark`."""
        mark = self.mark(day)
        words = f"{mark.reason}: {mark.name}" if mark.name else str(mark.reason)
        return f"{words} (provisional)" if mark.provisional else words

    def _table(self, year: int) -> CalendarTable:
        table = self._by_year.get(year)
        if table is None:
            raise NoTable(year, ", ".join(str(known) for known in self._by_year) or "-")
        return table
