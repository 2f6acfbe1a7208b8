from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from engine.calendar.counting import add_working_days, nth_from
from engine.calendar.kickoffs import fits, kickoff_of, kickoffs, latest_fit, next_kickoff
from engine.calendar.rules import read_rule, rule_from_mapping
from engine.calendar.tables import Exceptions
from engine.calendar.working import WorkingCalendar
from engine.errors import Invalid, Misbuilt, NotFound
from engine.strict_yaml import load

QUARTERLY = {
    "every": "quarter",
    "start": {
        "latest_fit": {"working_days": 15, "counting": "from"},
        "preparation": "P14D",
        "roll": "previous",
    },
}


@pytest.fixture
def of(china, shanghai):
    def list_them(raw: Any, start: str = "2026-01-01", end: str = "2026-12-31", calendar=china, **more: Any):
        rule = rule_from_mapping(raw, "row")
        return kickoffs(rule, date.fromisoformat(start), date.fromisoformat(end), calendar, shanghai, **more)

    return list_them


def days(found):
    return {kickoff.period: kickoff.day.isoformat() for kickoff in found}


def test_the_latest_start_that_fits_15_working_days_into_each_quarter_of_2026(of, china):
    found = of(QUARTERLY)
    assert {k.period: k.anchors["d0"].isoformat() for k in found} == {
        "2026-Q1": "2026-03-11",
        "2026-Q2": "2026-06-09",
        "2026-Q3": "2026-09-10",
        "2026-Q4": "2026-12-11",
    }
    assert days(found)["2026-Q3"] == "2026-08-27"
    assert not any(k.warnings or k.provisional for k in found)
    assert latest_fit(15, date(2026, 9, 30), "after", china).day == date(2026, 9, 9)


def test_a_start_too_late_for_the_quarter_is_warned_of(china):
    end = date(2026, 9, 30)
    warning = fits(date(2026, 9, 14), 15, end, "from", china)
    assert warning
    assert "do not fit before 2026-09-30: begin by 2026-09-10" in str(warning)
    assert fits(date(2026, 9, 10), 15, end, "from", china) is None
    assert fits(date(2026, 9, 10), 15, end, "after", china)
    assert fits(date(2026, 9, 9), 15, end, "after", china) is None


def test_whether_a_start_fits_agrees_with_counting_forward(china):
    end = date(2026, 9, 30)
    for d0 in (date(2026, 9, n) for n in range(1, 31)):
        assert (fits(d0, 5, end, "from", china) is None) == (nth_from(d0, 5, china).day <= end)
        assert (fits(d0, 5, end, "after", china) is None) == (add_working_days(d0, 5, china).day <= end)


def test_the_kick_off_lies_at_the_start_of_business_local_time(of):
    third = of(QUARTERLY)[2]
    assert third.at == datetime(2026, 8, 27, 1, tzinfo=UTC)
    assert (
        of({"every": "year", "start": {"day": 1}, "at": "14:30"})[0].at.isoformat()
        == "2026-01-01T06:30:00+00:00"
    )


def test_lead_time_comes_before_the_preparation(of):
    raw = {**QUARTERLY, "start": {**QUARTERLY["start"], "lead": "P5WD"}}
    assert days(of(raw))["2026-Q3"] == "2026-08-20"


def test_june_and_december_are_one_kick_off_a_half_year(of):
    first = {"months": [6, 12], "start": {"working_day": 1}}
    assert days(of({"every": "half-year", **first})) == {"2026-H1": "2026-06-01", "2026-H2": "2026-12-01"}
    assert days(of({"every": "month", **first})) == {"2026-06": "2026-06-01", "2026-12": "2026-12-01"}
    half_year = of({"every": "half-year", **first})[0]
    assert half_year.anchors == {
        "period_start": date(2026, 1, 1),
        "period_end": date(2026, 6, 30),
        "d0": date(2026, 6, 1),
    }


def test_the_yearly_plan_starts_a_month_before_its_deadline(of):
    found = of({"every": "year", "start": {"before": "12-31", "by": "P1M"}})
    assert days(found) == {"2026": "2026-11-30"}
    assert found[0].anchors["deadline"] == date(2026, 12, 31)


def test_a_kick_off_may_lie_in_the_year_before_its_period(of):
    found = of({"every": "year", "start": {"before": "01-15", "by": "P1M"}}, "2025-12-01", "2025-12-31")
    assert days(found) == {"2026": "2025-12-15"}


def test_working_days_count_from_either_end_of_the_period(of):
    assert days(of({"every": "month", "start": {"working_day": 3}}, end="2026-02-28")) == {
        "2026-01": "2026-01-06",
        "2026-02": "2026-02-04",
    }
    assert (
        days(of({"every": "month", "start": {"working_day": -1}}, end="2026-02-28"))["2026-01"]
        == "2026-01-30"
    )


def test_a_day_that_is_not_worked_is_moved_as_the_rule_says(of):
    def october(roll):
        return days(of({"every": "month", "start": {"day": 1, "roll": roll}})).get("2026-10")

    assert [october(roll) for roll in ("next", "previous", "none")] == [
        "2026-10-08",
        "2026-09-30",
        "2026-10-01",
    ]


def test_a_day_beyond_the_end_of_the_month_is_its_last(of):
    assert days(of({"every": "month", "start": {"day": 31}}))["2026-02"] == "2026-02-28"
    assert days(of({"every": "month", "start": {"day": -1}}))["2026-02"] == "2026-02-28"


def test_a_kick_off_moved_into_the_next_month_is_found_from_there(of, china, shanghai):
    raw = {"every": "month", "months": [1], "start": {"day": 31, "roll": "next"}}
    assert days(of(raw, "2026-02-01", "2026-02-28")) == {"2026-01": "2026-02-02"}
    found = next_kickoff(rule_from_mapping(raw, "row"), datetime(2026, 2, 1, tzinfo=UTC), china, shanghai)
    assert found
    assert found.day == date(2026, 2, 2)


def test_the_next_kick_off_is_strictly_after_the_moment(china, shanghai):
    rule = rule_from_mapping(QUARTERLY, "row")
    at = datetime(2026, 8, 27, 1, tzinfo=UTC)
    following = next_kickoff(rule, at, china, shanghai)
    before = next_kickoff(rule, at.replace(hour=0), china, shanghai)
    assert following
    assert before
    assert (before.period, following.period) == ("2026-Q3", "2026-Q4")


def test_asking_for_the_next_one_again_and_again_gives_every_kick_off_once(of, china, shanghai):
    for start in ({"day": 1, "roll": "next"}, {"day": -1, "roll": "previous"}, {"working_day": -2}):
        raw = {"every": "month", "start": start}
        found, after = [], datetime(2025, 12, 31, 16, tzinfo=UTC)
        while (kickoff := next_kickoff(rule_from_mapping(raw, "row"), after, china, shanghai)) and (
            kickoff.day.year == 2026
        ):
            found.append(kickoff)
            after = kickoff.at
        assert found == of(raw)


def test_manual_schedules_have_no_kick_off(of, china, shanghai):
    for raw in ("manual", {"every": "year", "start": "manual"}):
        assert of(raw) == []
        assert (
            next_kickoff(rule_from_mapping(raw, "row"), datetime(2026, 1, 1, tzinfo=UTC), china, shanghai)
            is None
        )
    yearly = rule_from_mapping({"every": "year", "start": "manual"}, "row").period(date(2026, 5, 1))
    assert yearly
    assert yearly.key == "2026"


def test_kick_offs_before_the_schedule_was_made_are_shown_with_a_warning(of):
    found = of(QUARTERLY, created=datetime(2026, 6, 1, tzinfo=UTC))
    assert [bool(k.warnings) for k in found] == [True, True, False, False]
    assert "start it by hand" in str(found[0].warnings[0])


def test_a_kick_off_in_a_year_without_notice_says_so(of):
    assert all(k.provisional for k in of(QUARTERLY, "2027-01-01", "2027-12-31"))


def test_a_year_without_a_table_is_named_only_when_it_matters(of, china, shanghai):
    assert len(of(QUARTERLY, "2027-01-01", "2027-12-31")) == 4
    with pytest.raises(NotFound, match="2028"):
        of(QUARTERLY, "2027-01-01", "2028-12-31")
    with pytest.raises(NotFound, match="2028"):
        next_kickoff(rule_from_mapping(QUARTERLY, "row"), datetime(2027, 12, 1, tzinfo=UTC), china, shanghai)


def test_a_kick_off_whose_instant_no_calendar_reaches_is_refused(china, shanghai):
    rule = rule_from_mapping({"every": "month", "start": {"day": 1}, "at": "01:00"}, "row")
    with pytest.raises(Invalid):
        kickoff_of("0001-01", rule, china, shanghai)
    assert kickoff_of("2026-10", rule, china, shanghai).day == date(2026, 10, 1)


def test_a_plain_day_needs_no_table(of):
    assert len(of({"every": "month", "start": {"day": 5}}, "2040-01-01", "2040-12-31")) == 12


def test_work_that_cannot_fit_starts_at_once_and_warns(of):
    found = of(
        {"every": "month", "months": [2], "start": {"latest_fit": {"working_days": 25, "counting": "from"}}}
    )
    assert found[0].anchors["d0"] == date(2026, 2, 2)
    assert "do not fit" in str(found[0].warnings[0])


def test_a_working_day_the_month_does_not_have_takes_the_last_and_warns(of):
    found = of({"every": "month", "months": [2], "start": {"working_day": 25}})
    assert days(found) == {"2026-02": "2026-02-28"}
    assert "fewer than 25 working days" in str(found[0].warnings[0])


def test_a_units_own_days_off_move_its_kick_off(of, tables):
    unit = WorkingCalendar.of(tables, Exceptions({date(2026, 6, 1): "厂庆"}))
    assert days(of({"every": "month", "months": [6], "start": {"working_day": 1}}, calendar=unit)) == {
        "2026-06": "2026-06-02"
    }


def test_the_counting_parameter_serves_a_rule_that_does_not_say():
    raw = {"every": "quarter", "start": {"latest_fit": {"working_days": 15}}}
    assert rule_from_mapping(raw, "row", "after").start.counting == "after"  # type: ignore[union-attr]
    with pytest.raises(Misbuilt, match="counting is missing"):
        rule_from_mapping(raw, "row")


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ("weekly", "schedule expects keys"),
        ({"start": {"day": 1}}, "every is missing"),
        ({"every": "week", "start": {"day": 1}}, "every cannot be week"),
        ({"every": "month"}, "start is missing"),
        ({"every": "month", "start": {}}, "exactly one of"),
        ({"every": "month", "start": {"day": 1, "working_day": 1}}, "exactly one of"),
        ({"every": "month", "start": {"day": 0}}, "day cannot be 0"),
        ({"every": "month", "start": {"day": 32}}, "from 1 to 31"),
        ({"every": "month", "start": {"day": "1"}}, "whole number"),
        ({"every": "month", "start": {"day": 1, "roll": "forward"}}, "roll cannot be forward"),
        ({"every": "month", "start": {"working_day": 1, "roll": "next"}}, "Unknown key roll"),
        ({"every": "month", "start": {"day": 1}, "months": [13]}, "months is no list of months"),
        ({"every": "month", "start": {"day": 1}, "months": []}, "months is no list of months"),
        ({"every": "half-year", "start": {"day": 1}, "months": [5, 6]}, "Two months fall into one half-year"),
        ({"every": "month", "start": {"day": 1}, "months": [6, 6]}, "Two months fall into one month"),
        ({"every": "year", "start": {"before": "13-01", "by": "P1M"}}, "13-01 is no day of the year"),
        ({"every": "year", "start": {"before": "02-30", "by": "P1M"}}, "02-30 is no day of the year"),
        ({"every": "year", "start": {"before": "12-31"}}, "by is missing"),
        ({"every": "year", "start": {"before": "12-31", "by": "a month"}}, "'a month' is no duration"),
        ({"every": "year", "start": {"before": "12-31", "by": "PT9H"}}, "by is measured in hours"),
        ({"every": "month", "start": {"before": "12-31", "by": "P1M"}}, "before names a day of the year"),
        ({"every": "month", "start": {"latest_fit": {"counting": "from"}}}, "working_days is missing"),
        ({"every": "month", "start": {"latest_fit": {"working_days": -3, "counting": "from"}}}, "negative"),
        (
            {"every": "month", "start": {"latest_fit": {"working_days": 3, "counting": "on"}}},
            "counting cannot be on",
        ),
        ({"every": "month", "start": {"day": 1}, "at": "25:00"}, "25:00 is no time of day"),
        ({"every": "month", "start": {"day": 1}, "hour": 9}, "Unknown key hour"),
    ],
)
def test_a_faulty_rule_is_refused_naming_the_fault_and_the_remedy(raw, told):
    with pytest.raises(Misbuilt) as refusal:
        rule_from_mapping(raw, "procedure.yaml")
    assert told in str(refusal.value)
    assert all(finding.file == "procedure.yaml" and finding.remedy for finding in refusal.value.findings)


def test_a_fault_in_a_file_is_told_with_its_line():
    reader = load("schedule:\n  every: month\n  start: {day: 1, roll: up}\n", "procedure.yaml").reader()
    read_rule(reader)
    with pytest.raises(Misbuilt, match=r"procedure\.yaml line 3: roll cannot be up"):
        reader.raise_faults()
