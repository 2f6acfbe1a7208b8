from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.calendar.durations import Cycle, Duration, Instant, parse_duration, parse_timer
from engine.errors import Invalid

durations = (
    st.builds(
        Duration,
        years=st.integers(0, 20),
        months=st.integers(0, 40),
        days=st.integers(0, 400),
        hours=st.integers(0, 100),
        minutes=st.integers(0, 100),
        seconds=st.integers(0, 100),
    )
    | st.builds(Duration, weeks=st.integers(0, 60))
    | st.builds(Duration, working_days=st.integers(0, 400))
)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("P15D", Duration(days=15)),
        ("P2W", Duration(weeks=2)),
        ("P1Y2M4DT5H6M7S", Duration(1, 2, 0, 4, 5, 6, 7)),
        ("PT90M", Duration(minutes=90)),
        ("P15WD", Duration(working_days=15)),
        ("R3/P1W", Cycle(3, Duration(weeks=1))),
        ("R/PT1H", Cycle(None, Duration(hours=1))),
        ("R2/2026-12-31/P1M", Cycle(2, Duration(months=1), Instant(date(2026, 12, 31)))),
        ("2026-12-31", Instant(date(2026, 12, 31))),
        ("2026-12-31T17:00", Instant(datetime(2026, 12, 31, 17))),  # noqa: DTZ001
        ("2026-12-31T17:00:00Z", Instant(datetime(2026, 12, 31, 17, tzinfo=UTC))),
    ],
)
def test_a_timer_reads_what_the_standard_and_our_working_days_allow(text, meant):
    assert parse_timer(text) == meant


@settings(deadline=None)
@given(durations)
def test_a_duration_written_out_reads_back_the_same(duration):
    assert parse_duration(str(duration)) == duration


@pytest.mark.parametrize(
    ("text", "remedy"),
    [
        ("P1.5D", "smaller unit"),
        ("PT1,5H", "smaller unit"),
        ("P", "write P15D"),
        ("PT", "write P15D"),
        ("P1DT", "write P15D"),
        ("P1D2W", "weeks alone"),
        ("P1Y2M3W", "weeks alone"),
        ("P1WT2H", "weeks alone"),
        ("P99999999Y", "shorter duration"),
        ("P1001Y", "shorter duration"),
        ("P99999999WD", "shorter duration"),
        ("P99999999W", "shorter duration"),
        ("P2WDT4H", "working days alone"),
        ("P1M2WD", "working days alone"),
        ("-P1D", "before"),
        ("P99999999999D", "smaller one"),
        ("R0/P1D", "from 1"),
        ("R/P0D", "above zero"),
        ("R3/P1W/2026-12-31", "start first"),
        ("R3", "R3/P1W"),
        ("R3/", "write P15D"),
        ("2026-02-30", "correct it"),
        ("2026-12-31T25:00", "correct it"),
        ("2026-12-31 17:00", "2026-12-31"),
        ("0 0 1 * *", "R3/P1W"),
        ("soon", "R3/P1W"),
        ("", "R3/P1W"),
        ("P１D", "write P15D"),
    ],
)
def test_a_timer_that_cannot_be_read_is_refused_with_its_text_and_a_remedy(text, remedy):
    with pytest.raises(Invalid) as refusal:
        parse_timer(text)
    assert f"'{text}'" in str(refusal.value) or text == "R3/"
    assert remedy in str(refusal.value)


def test_months_end_on_the_last_day_of_a_shorter_month():
    assert parse_duration("P1M").move(date(2026, 1, 31)) == date(2026, 2, 28)
    assert parse_duration("P1M").move(date(2026, 12, 31), -1) == date(2026, 11, 30)
    assert parse_duration("P1Y").move(date(2028, 2, 29)) == date(2029, 2, 28)


def test_a_date_outside_the_calendar_is_refused(china, shanghai):
    with pytest.raises(Invalid, match="shorter duration"):
        parse_duration("P9000Y").move(date(2026, 1, 1))
    with pytest.raises(Invalid, match="shorter duration"):
        parse_duration("PT99999999H").after(datetime(2026, 1, 1, tzinfo=UTC), shanghai, china)


def test_days_keep_the_wall_clock_over_a_change_to_summer_time_and_hours_do_not(china, berlin):
    evening = datetime(2026, 3, 28, 20, tzinfo=berlin)
    assert parse_duration("P1D").after(evening, berlin, china) == datetime(2026, 3, 29, 20, tzinfo=berlin)
    assert parse_duration("P1D").after(evening, berlin, china) - evening.astimezone(UTC) == timedelta(
        hours=23
    )
    assert parse_duration("PT24H").after(evening, berlin, china) == datetime(2026, 3, 29, 21, tzinfo=berlin)


def test_an_hour_that_summer_time_skips_is_moved_on_by_an_hour(china, berlin):
    night = datetime(2026, 3, 28, 2, 30, tzinfo=berlin)
    assert parse_duration("P1D").after(night, berlin, china) == datetime(2026, 3, 29, 3, 30, tzinfo=berlin)


def test_working_days_of_a_timer_keep_the_wall_clock(china, shanghai):
    friday = datetime(2026, 9, 18, 10, 15, tzinfo=shanghai)
    assert parse_duration("P2WD").after(friday, shanghai, china) == datetime(
        2026, 9, 21, 10, 15, tzinfo=shanghai
    )


def test_monthly_firings_do_not_drift_to_shorter_months(china, shanghai):
    armed = datetime(2026, 1, 31, 9, tzinfo=shanghai)
    cycle = parse_timer("R3/P1M")
    assert isinstance(cycle, Cycle)
    fired = [cycle.firing(n, armed, shanghai, china) for n in (1, 2, 3, 4)]
    assert [moment and moment.astimezone(shanghai).date().isoformat() for moment in fired] == [
        "2026-02-28",
        "2026-03-31",
        "2026-04-30",
        None,
    ]


def test_a_repeat_with_a_start_fires_there_first(china, shanghai):
    cycle = parse_timer("R/2026-09-01/P1W")
    assert isinstance(cycle, Cycle)
    armed = datetime(2026, 1, 1, tzinfo=UTC)
    assert cycle.firing(1, armed, shanghai, china) == datetime(2026, 9, 1, tzinfo=shanghai)
    assert cycle.firing(2, armed, shanghai, china) == datetime(2026, 9, 8, tzinfo=shanghai)


def test_an_instant_without_an_offset_is_in_the_organisations_zone(shanghai):
    timer = parse_timer("2026-12-31T17:00")
    assert isinstance(timer, Instant)
    assert timer.at(shanghai) == datetime(2026, 12, 31, 9, tzinfo=UTC)


@settings(deadline=None)
@given(st.dates(date(1990, 1, 1), date(2050, 1, 1)), st.integers(0, 60), st.integers(0, 60))
def test_adding_months_lands_in_the_month_that_many_later(day, a, b):
    moved = Duration(months=a).move(day)
    assert (moved.year * 12 + moved.month) - (day.year * 12 + day.month) == a
    assert moved.day <= day.day
    assert Duration(months=a + b).move(day).replace(day=1) == Duration(months=b).move(moved).replace(day=1)


@given(
    st.sampled_from(
        ["R/PT7S", "R5/PT90M", "R/P1D", "R/P1DT3H", "R3/P1M", "R/P2WD", "R/2026-03-01T12:00/PT45M"]
    ),
    st.integers(1, 9),
    st.integers(-86_400, 10 * 86_400),
)
def test_the_firing_that_follows_an_outage_is_the_first_still_to_come(china, berlin, text, number, seconds):
    cycle, armed = parse_timer(text), datetime(2026, 3, 26, 9, tzinfo=berlin)
    assert isinstance(cycle, Cycle)
    now = armed.astimezone(UTC) + timedelta(seconds=seconds)
    found = cycle.following(number, now, armed, berlin, china)
    due = [cycle.firing(n, armed, berlin, china) for n in (found, found - 1)]
    assert due[0] is None or due[0] > now
    assert found == number or (due[1] is not None and due[1] <= now) or found > (cycle.repeats or found)


def test_a_year_of_missed_seconds_is_passed_over_at_once(china, shanghai):
    cycle, armed = parse_timer("R/PT1S"), datetime(2026, 1, 5, tzinfo=UTC)
    assert isinstance(cycle, Cycle)
    year = timedelta(days=365)
    assert cycle.following(2, armed + year, armed, shanghai, china) == year // timedelta(seconds=1) + 1
