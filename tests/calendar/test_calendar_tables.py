from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import chinese_calendar
import holidays
import pytest

from engine.calendar.tables import CalendarTable, Exceptions, Status
from engine.calendar.working import WorkingCalendar
from engine.errors import Misbuilt, NotFound
from engine.strict_yaml import load


def days_of(year: int) -> list[date]:
    return [date(year, 1, 1) + timedelta(n) for n in range((date(year + 1, 1, 1) - date(year, 1, 1)).days)]


def table(**changes: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "year": 2026,
        "status": "published",
        "notice": {"number": "国办发明电〔2025〕7号", "date": "2025-11-04"},
        "days_off": {"元旦": ["2026-01-01", "2026-01-02"]},
        "days_worked": {"元旦": ["2026-01-04"]},
    }
    return {key: value for key, value in (plain | changes).items() if value is not ...}


@pytest.mark.parametrize(("year", "worked"), [(2024, 251), (2025, 248), (2026, 248)])
def test_every_day_of_the_published_years_agrees_with_two_independent_libraries(china, year, worked):
    other = holidays.country_holidays("CN", years=year)
    for day in days_of(year):
        assert china.is_working(day) == chinese_calendar.is_workday(day) == other.is_working_day(day), day
        assert not china.is_provisional(day)
    assert sum(china.is_working(day) for day in days_of(year)) == worked


def test_the_year_without_a_notice_holds_the_statutory_days_only_and_says_so(china):
    statutory = holidays.country_holidays("CN", years=2027)
    for day in days_of(2027):
        assert china.is_working(day) == (day.weekday() < 5 and day not in statutory), day
        assert china.is_provisional(day)
    assert china.why(date(2027, 10, 1)) == "holiday: 国庆节 (provisional)"


def test_the_calendar_says_why_a_day_is_or_is_not_worked(china):
    assert china.why(date(2026, 9, 14)) == "weekday"
    assert china.why(date(2026, 9, 19)) == "weekend"
    assert china.why(date(2026, 9, 20)) == "make-up day: 国庆节"
    assert china.why(date(2026, 10, 5)) == "holiday: 国庆节"


def test_a_unit_may_decide_days_otherwise_and_then_they_are_settled(tables):
    own = Exceptions.from_mapping(
        {"days_off": {"厂庆": ["2027-03-01"]}, "days_worked": {"盘点": ["2026-12-26"]}}, "unit A"
    )
    unit = WorkingCalendar.of(tables, own)
    assert unit.why(date(2027, 3, 1)) == "unit's day off: 厂庆"
    assert unit.why(date(2026, 12, 26)) == "unit's working day: 盘点"
    assert not unit.is_working(date(2027, 3, 1))
    assert unit.is_working(date(2026, 12, 26))
    assert not unit.is_provisional(date(2027, 3, 1))


def test_a_year_without_a_table_is_refused_with_its_name_and_the_remedy(china):
    with pytest.raises(NotFound, match=r"2031.*flow calendar import.*2024, 2025, 2026, 2027"):
        china.is_working(date(2031, 5, 1))


def test_the_version_tells_one_calendar_from_another(tables, china):
    assert WorkingCalendar.of(reversed(tables)).version == china.version
    others = {
        WorkingCalendar.of(tables[:-1]).version,
        WorkingCalendar.of(tables, Exceptions({date(2026, 3, 2): "厂庆"})).version,
        WorkingCalendar.of(tables, Exceptions({}, {date(2026, 3, 2): "厂庆"})).version,
        china.version,
    }
    assert len(others) == 4


def test_a_table_survives_being_stored(tables, china):
    stored = [CalendarTable.from_mapping(one.to_mapping(), "row") for one in tables]
    assert stored == tables
    assert WorkingCalendar.of(stored).version == china.version
    assert {one.status for one in stored} == {Status.PUBLISHED, Status.PROVISIONAL}


def test_two_tables_for_one_year_are_refused(tables):
    with pytest.raises(Misbuilt, match=r"Two tables are given for 2025"):
        WorkingCalendar.of([*tables, tables[1]])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"days_off": {"元旦": ["2025-01-01"]}}, "2025-01-01 is not a day of 2026"),
        ({"days_off": {"元旦": ["2026-01-01", "2026-01-01"]}}, "2026-01-01 is listed twice under days_off"),
        ({"days_off": {"元旦": ["2026-01-04"]}}, "2026-01-04 is listed both as off and as worked"),
        ({"days_off": {"元旦": ["2026-02-30"]}}, "There is no day 2026-02-30"),
        ({"days_off": {"元旦": ["20260101"]}}, "20260101 is no date"),
        ({"days_off": {"元旦": "2026-01-01"}}, "expects a list"),
        ({"days_off": ["2026-01-01"]}, "days_off expects keys"),
        ({"days_off": {"元旦": [20260101]}}, "expects text"),
        ({"year": "2026"}, "year expects a whole number"),
        ({"year": 20260}, "20260 is no year"),
        ({"year": ...}, "year is missing"),
        ({"status": "final"}, "status cannot be final"),
        ({"notice": ...}, "names no notice"),
        ({"notice": {"number": "7号"}}, "date is missing"),
        ({"notice": {"number": "7号", "date": "soon"}}, "soon is no date"),
        ({"days_work": {}}, "Unknown key days_work"),
    ],
)
def test_a_faulty_table_is_refused_naming_the_file_the_fault_and_the_remedy(changes, told):
    with pytest.raises(Misbuilt) as refusal:
        CalendarTable.from_mapping(table(**changes), "2026.yaml")
    assert told in str(refusal.value)
    assert all(finding.file == "2026.yaml" and finding.remedy for finding in refusal.value.findings)


def test_all_faults_are_told_at_once_each_with_its_line():
    text = 'year: 2026\nstatus: provisional\ndays_off:\n  元旦:\n    - "2026-01-01"\n    - "2027-01-02"\n    - "x"\n'
    with pytest.raises(Misbuilt) as refusal:
        CalendarTable.from_document(load(text, "2026.yaml"))
    assert [finding.element for finding in refusal.value.findings] == ["line 6", "line 7"]


def test_a_day_off_on_a_weekend_may_be_listed():
    read = CalendarTable.from_mapping(table(days_off={"元旦": ["2026-01-03"]}), "2026.yaml")
    assert WorkingCalendar.of([read]).why(date(2026, 1, 3)) == "holiday: 元旦"
