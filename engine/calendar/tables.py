"""Which days of a year are worked: the tables a notice prescribes, and what a unit changes.

Monday to Friday are worked, Saturday and Sunday are not; a table lists the exceptions, under the name of
the holiday they belong to:

    year: 2026
    status: published            # or provisional: the notice is not out yet
    notice: {number: 国办发明电〔2025〕7号, date: "2025-11-04"}
    days_off: {元旦: ["2026-01-01", "2026-01-02", "2026-01-03"]}
    days_worked: {元旦: ["2026-01-04"]}

A holiday's days that fall on a weekend may be listed, as the notices do. A notice that also moves days
of the preceding December is recorded in that December's own table, which is then imported again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import MAXYEAR, date
from enum import StrEnum
from types import MappingProxyType
from typing import cast

from engine.strict_yaml import Document, Path, Reader, Value

_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Status(StrEnum):
    """Whether the authority has published the year's make-up days."""

    PUBLISHED = "published"
    PROVISIONAL = "provisional"


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice a table follows: its number and the day it was issued."""

    number: str
    day: date


@dataclass(frozen=True, slots=True)
class Exceptions:
    """Days that differ from the plain week, each with the name of its holiday or reason."""

    days_off: Mapping[date, str] = field(default_factory=dict)
    days_worked: Mapping[date, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "days_off", MappingProxyType(dict(self.days_off)))
        object.__setattr__(self, "days_worked", MappingProxyType(dict(self.days_worked)))

    @classmethod
    def from_document(cls, document: Document) -> Exceptions:
        """A unit's own days, `{days_off: {reason: [dates]}, days_worked: …}`; `Misbuilt` as for a table."""
        reader = document.reader()
        exceptions = _exceptions(reader, None)
        reader.done()
        reader.raise_faults()
        return exceptions

    @classmethod
    def from_mapping(cls, raw: Mapping[str, object], name: str) -> Exceptions:
        """The same from plain values already parsed; `name` is the row they came from."""
        return cls.from_document(_document(raw, name))

    def to_mapping(self) -> dict[str, dict[str, list[str]]]:
        """The plain form that `from_mapping` reads back, in the order of the days."""
        return {"days_off": _by_name(self.days_off), "days_worked": _by_name(self.days_worked)}


@dataclass(frozen=True, slots=True)
class CalendarTable:
    """One year's working days."""

    year: int
    status: Status
    notice: Notice | None
    exceptions: Exceptions

    @classmethod
    def from_document(cls, document: Document) -> CalendarTable:
        """Read one table, as `strict_yaml.load` gives it.

        Raises `Misbuilt` with every fault: unknown or missing keys, text that is no date, a day of
        another year, a day listed twice or both off and worked, a published table without its notice.
        """
        reader = document.reader()
        year = reader.integer("year")
        if reader.has("year") and not 1 <= year <= MAXYEAR:
            reader.fault("{year} is no year", "Write four digits, as in 2026", at=("year",), year=year)
        status = Status(reader.choice("status", list(Status)))
        notice = _notice(reader, status)
        exceptions = _exceptions(reader, year or None)
        reader.done()
        reader.raise_faults()
        return cls(year, status, notice, exceptions)

    @classmethod
    def from_mapping(cls, raw: Mapping[str, object], name: str) -> CalendarTable:
        """The same from plain values already parsed; `name` is the row they came from."""
        return cls.from_document(_document(raw, name))

    def to_mapping(self) -> dict[str, object]:
        """The plain form that `from_mapping` reads back."""
        plain: dict[str, object] = {"year": self.year, "status": str(self.status)}
        if self.notice:
            plain["notice"] = {"number": self.notice.number, "date": self.notice.day.isoformat()}
        return plain | self.exceptions.to_mapping()


def _document(raw: Mapping[str, object], name: str) -> Document:
    return Document(name, cast(Value, raw), {})


def _by_name(days: Mapping[date, str]) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for day, name in sorted(days.items()):
        names.setdefault(name, []).append(day.isoformat())
    return names


def _notice(reader: Reader, status: Status) -> Notice | None:
    given = reader.optional_mapping("notice")
    if given is None:
        if status is Status.PUBLISHED and reader.has("status"):
            reader.fault(
                "A published table names no notice",
                "Give the notice's number and date, or set `status: provisional`",
            )
        return None
    number = given.text("number")
    day = _day(given, given.text("date"), ("date",))
    given.done()
    return Notice(number, day) if day else None


def _exceptions(reader: Reader, year: int | None) -> Exceptions:
    days_off = _named_days(reader, "days_off", year)
    days_worked = _named_days(reader, "days_worked", year)
    for day in sorted(days_off.keys() & days_worked.keys()):
        reader.fault(
            "{day} is listed both as off and as worked",
            "Remove it from one of the two",
            at=("days_worked", days_worked[day]),
            day=day.isoformat(),
        )
    return Exceptions(days_off, days_worked)


def _named_days(table: Reader, key: str, year: int | None) -> dict[date, str]:
    days: dict[date, str] = {}
    reader = table.optional_mapping(key)
    for name in reader.keys() if reader else []:
        assert reader
        reader.texts(name)  # notes a value that is no list of texts
        listed = reader.value(name)
        for index, text in enumerate(listed if isinstance(listed, list) else []):
            day = _day(reader, text, (name, index)) if isinstance(text, str) else None
            if day is None:
                continue
            if day in days:
                reader.fault(
                    "{day} is listed twice under {key}",
                    "Remove one of the two",
                    at=(name, index),
                    day=text,
                    key=key,
                )
            if year is not None and day.year != year:
                reader.fault(
                    "{day} is not a day of {year}",
                    "Move it to the table of its own year",
                    at=(name, index),
                    day=text,
                    year=year,
                )
            days[day] = name
    return days


def _day(reader: Reader, text: str, at: Path) -> date | None:
    """The date written as `text`; blank text was noted where it was read."""
    try:
        if _ISO_DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        reader.fault("There is no day {text}", "Correct its month or day", at=at, text=text)
    else:
        if text.strip():
            reader.fault("{text} is no date", 'Write it as in "2026-01-01"', at=at, text=text)
    return None
