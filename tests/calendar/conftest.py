from __future__ import annotations

from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from engine.calendar.tables import CalendarTable
from engine.calendar.working import WorkingCalendar
from engine.strict_yaml import load

TABLES = Path(__file__).parents[2] / "processes" / "calendars"


@pytest.fixture(scope="session")
def tables() -> list[CalendarTable]:
    return [
        CalendarTable.from_document(load(path.read_bytes(), path.name))
        for path in sorted(TABLES.glob("*.yaml"))
    ]


@pytest.fixture(scope="session")
def china(tables: list[CalendarTable]) -> WorkingCalendar:
    return WorkingCalendar.of(tables)


@pytest.fixture(scope="session")
def shanghai() -> ZoneInfo:
    return ZoneInfo("Asia/Shanghai")


@pytest.fixture(scope="session")
def berlin() -> ZoneInfo:
    return ZoneInfo("Europe/Berlin")
