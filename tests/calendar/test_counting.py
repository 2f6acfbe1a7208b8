from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calendar.counting import add_working_days, nth_from, roll, working_days_between
from engine.calendar.tables import CalendarTable, Exceptions, Status
from engine.calendar.working import WorkingCalendar
from engine.errors import NotFound

DAY = timedelta(days=1)
BEGIN = date(2025, 1, 1)
END = date(2027, 12, 31)
days = st.dates(date(2025, 7, 1), date(2027, 6, 30))
counts = st.integers(1, 60)


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    """Any calendar: random days off and random days worked besides the plain week."""
    chosen = draw(st.dictionaries(st.dates(BEGIN, END), st.booleans(), max_size=60))
    tables = [
        CalendarTable(
            year,
            Status.PUBLISHED,
            None,
            Exceptions(
                {day: "off" for day, work in chosen.items() if not work and day.year == year},
                {day: "work" for day, work in chosen.items() if work and day.year == year},
            ),
        )
        for year in (2025, 2026, 2027)
    ]
    return WorkingCalendar.of(tables)


def test_counting_starts_after_the_day_even_when_it_is_not_worked(china):
    assert add_working_days(date(2026, 11, 21), 1, china).day == date(2026, 11, 23)  # from a Saturday
    assert add_working_days(date(2026, 9, 14), 15, china).day == date(2026, 10, 10)
    assert add_working_days(date(2026, 10, 8), -1, china).day == date(2026, 9, 30)
    assert nth_from(date(2026, 11, 21), 1, china).day == date(2026, 11, 23)
    assert nth_from(date(2026, 11, 20), 1, china).day == date(2026, 11, 20)


def test_nought_working_days_is_the_day_itself_or_the_next_one_worked(china):
    assert add_working_days(date(2026, 9, 30), 0, china).day == date(2026, 9, 30)
    assert add_working_days(date(2026, 10, 1), 0, china).day == date(2026, 10, 8)


def test_the_lines_show_each_day_whether_it_counted_and_why(china):
    count = add_working_days(date(2026, 9, 18), 2, china)
    assert [(line.day.isoformat(), line.count, line.reason, line.name) for line in count.lines] == [
        ("2026-09-19", None, "weekend", ""),
        ("2026-09-20", 1, "make-up day", "国庆节"),
        ("2026-09-21", 2, "weekday", ""),
    ]


def test_a_count_into_a_year_without_notice_is_provisional(china):
    assert not add_working_days(date(2026, 12, 30), 1, china).provisional
    assert add_working_days(date(2026, 12, 30), 2, china).provisional


def test_a_count_that_runs_out_of_the_tables_names_the_year(china):
    with pytest.raises(NotFound, match="2028"):
        add_working_days(date(2027, 12, 30), 5, china)
    with pytest.raises(NotFound, match="2023"):
        add_working_days(date(2024, 1, 2), -1, china)


def test_rolling_moves_only_a_day_that_is_not_worked(china):
    assert roll(date(2026, 10, 5), "next", china).day == date(2026, 10, 8)
    assert roll(date(2026, 10, 5), "previous", china).day == date(2026, 9, 30)
    assert roll(date(2026, 10, 5), "none", china).day == date(2026, 10, 5)
    assert roll(date(2026, 9, 20), "next", china).day == date(2026, 9, 20)
    assert roll(date(2050, 1, 1), "none", china).day == date(2050, 1, 1)


@settings(deadline=None)
@given(calendars(), days, counts)
def test_adding_agrees_with_walking_day_by_day(calendar, start, n):
    day, left = start, n
    while left:
        day += DAY
        left -= calendar.is_working(day)
    assert add_working_days(start, n, calendar).day == day


@settings(deadline=None)
@given(calendars(), days, counts)
def test_counting_there_and_back_from_a_working_day_is_no_move(calendar, start, n):
    start = roll(start, "next", calendar).day
    assert add_working_days(add_working_days(start, n, calendar).day, -n, calendar).day == start


@settings(deadline=None)
@given(calendars(), days, counts)
def test_a_later_start_or_a_larger_number_never_ends_earlier(calendar, start, n):
    end = add_working_days(start, n, calendar).day
    assert add_working_days(start + DAY, n, calendar).day >= end
    assert add_working_days(start, n + 1, calendar).day > end


@settings(deadline=None)
@given(calendars(), days, counts)
def test_counting_from_a_day_is_counting_after_the_day_before_it(calendar, start, n):
    assert nth_from(start, n, calendar).day == add_working_days(start - DAY, n, calendar).day
    assert nth_from(start, -n, calendar).day == add_working_days(start + DAY, -n, calendar).day


@settings(deadline=None)
@given(calendars(), days, st.integers(-60, 60).filter(bool))
def test_the_number_of_days_between_undoes_the_count(calendar, start, n):
    assert working_days_between(start, add_working_days(start, n, calendar).day, calendar) == n


@settings(deadline=None)
@given(calendars(), days, days)
def test_days_between_are_the_working_days_in_the_range(calendar, a, b):
    low, high = min(a, b), max(a, b)
    span = [low + n * DAY for n in range((high - low).days + 1)]
    worked = sum(calendar.is_working(day) for day in span if day != a)
    assert working_days_between(a, b, calendar) == (worked if a <= b else -worked)


@settings(deadline=None)
@given(calendars(), days, counts)
def test_the_counted_lines_number_from_one_and_only_working_days_count(calendar, start, n):
    lines = add_working_days(start, n, calendar).lines
    assert [line.count for line in lines if line.count] == list(range(1, n + 1))
    assert all((line.count is not None) == calendar.is_working(line.day) for line in lines)
    assert [line.day for line in lines] == [start + k * DAY for k in range(1, len(lines) + 1)]
